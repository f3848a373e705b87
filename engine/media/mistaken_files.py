"""Files that are not what their name says: what they are instead, by their first bytes, in a sentence that helps."""

from __future__ import annotations

import re
from pathlib import Path

from engine.schema.message import Message

LFS = b"version https://git-lfs.github.com/spec/"
PAGE = re.compile(rb"(?i)(<!doctype html|<html|<\?xml[^>]*>\s*<(html|error)|<head|<error)")
ANSWERS = (
    b"Invalid username or password",
    b"Entry not found",
    b"Access to model",
    b"Repository not found",
    b'{"error"',
)
RED = (b"RED1", b"RED2")
LOOKED_AT_BYTES = 512


def reason(path: Path) -> tuple[Message, Message] | None:
    """Cause and remedy for a file of another kind; None when nothing is known of it."""
    try:
        if not path.is_file():  # a pipe would keep us waiting for ever
            return None
        with path.open("rb") as file:
            head = file.read(LOOKED_AT_BYTES)
    except OSError:
        return None
    if head.startswith(LFS):
        return (
            Message(
                "{file} is only the pointer of a large file (Git LFS): the file itself was not downloaded.",
                file=path.name,
            ),
            Message("Download the file itself, with the Download button of its page."),
        )
    if not head:
        return Message("{file} cannot be read: it is empty.", file=path.name), Message(
            "Download or copy it again and look at its size."
        )
    if PAGE.match(_without_comments(head.removeprefix(b"\xef\xbb\xbf"))) or head.startswith(ANSWERS):
        return (
            Message(
                "{file} is a web page, such as a login page, that was saved under the name of the file.", file=path.name
            ),
            Message("Sign in there, download the file again and look at its size."),
        )
    if head[4:8] in RED:
        return (
            Message("{file} is a raw recording of a RED camera, which only its maker's programs open.", file=path.name),
            Message("Export it as MP4 or MOV there."),
        )
    return None


def _without_comments(head: bytes) -> bytes:
    """What follows the comments that a page may begin with."""
    head = head.lstrip()
    while head.startswith(b"<!--"):
        head = head.partition(b"-->")[2].lstrip()
    return head
