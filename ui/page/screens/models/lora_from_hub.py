"""A LoRA on the hub: what it is and costs, said before anything is downloaded."""

from __future__ import annotations

from engine import Engine, RushesError
from ui.page.components.error import problem
from ui.page.components.html import Button
from ui.page.screens.models.arrivals import question
from ui.texts import FIX, MODELS


def ask(engine: Engine, address: str) -> str:
    """Its file, exact bytes and licence, and the button that starts it; or why it cannot be had."""
    try:
        quote = engine.downloads.quote_lora(address)
    except RushesError as error:
        return problem(error, Button("not-now", FIX.again))
    (file,) = quote.manifest.files
    exact = MODELS.lora_file.format(file=file.path, bytes=f"{file.bytes:,}".replace(",", "\u00a0"))
    return question(file.repo, quote, Button("fetch-lora", MODELS.go, f"{file.repo}/{file.path}"), exact)


def bring(engine: Engine, address: str) -> str:
    """Download it; what is to be said, where that cannot be."""
    try:
        engine.downloads.add_lora(engine.downloads.quote_lora(address))
    except RushesError as error:
        return problem(error, Button("not-now", FIX.again))
    return ""
