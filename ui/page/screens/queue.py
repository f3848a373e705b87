"""The screen of the queue: what runs, what waits and in which order, and how the latest ones ended."""

from __future__ import annotations

from ui.page.components.html import render
from ui.page.model.snapshot import View
from ui.page.screens.job_card import running


def line(view: View) -> str:
    """The whole screen as HTML."""
    return render("screens/queue.html", view=view, running=map(running, view.running))
