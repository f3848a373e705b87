"""The app, with a page that takes its time to draw the form anew when something has changed in the studio."""

from __future__ import annotations

import sys
import time
from typing import Any

from ui.commands import main
from ui.page import app

SECONDS = 5
usable = app.usable


def slowly(engine: Any) -> Any:
    if sys._getframe(1).f_code.co_name == "draw":
        time.sleep(SECONDS)
    return usable(engine)


if __name__ == "__main__":
    app.usable = slowly
    main()
