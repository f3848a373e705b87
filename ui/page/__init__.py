"""The studio page: a Gradio face over the engine. `server.serve` opens it.

    server   the address: a port, uvicorn, start and stop       door     who may come in, and what they may ask for
    media    takes and clips by name, never by path             studio   the panels joined and wired
    form     what the person asks for                           outlook  what that would take
    view     what is going on, read from the engine             sheet, strip, shelf   that, as HTML
    look     theme, style and the page's few lines of script

Gradio reads this variable when it is imported, so it is set before any module here can import it.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
