"""A content filter that exists only if the person wants one: a list of words in their own data folder.

The file `filter.txt` holds one word or phrase a line; # begins a remark. No file, no filter: nothing ships with Rushes.
"""

from __future__ import annotations

import re
from pathlib import Path

from engine.schema.errors import BadFile, BadPrompt

MAX_BYTES = 1_000_000


def read(path: Path) -> tuple[str, ...]:
    """The phrases of the list, casefolded; empty when there is no such file. Raises BadFile when it cannot be read."""
    if not path.is_file():
        return ()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadFile(f"Your word list {path.name} is larger than a megabyte.", "Shorten it, or delete it.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"Your word list {path.name} cannot be read.", "Save it as plain text, or delete it.") from error
    phrases = (line.partition("#")[0].strip().casefold() for line in lines)
    return tuple(phrase for phrase in phrases if phrase)


def check(prompt: str, phrases: tuple[str, ...]) -> None:
    """Raises BadPrompt when the prompt holds one of the phrases as whole words."""
    spoken = " ".join(prompt.casefold().split())
    for phrase in phrases:
        if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", spoken):
            raise BadPrompt(
                f"Your own word list refuses '{phrase}'.", "Change the prompt, or edit filter.txt in your data folder."
            )
