"""What stands between the network and the page: connections. (Who may come in: `ui.page.middleware.access`.)"""
