"""The contact sheet, the takes of the current shot, as HTML.

Cards keep their place while takes arrive, so a clip that plays is not touched: Gradio changes only what differs.
"""

from __future__ import annotations

from ui.page.components.html import render
from ui.page.model.snapshot import View


def sheet(view: View) -> str:
    """All takes of the current shot; before the first one, what this place is for."""
    return render("screens/takes.html", view=view)
