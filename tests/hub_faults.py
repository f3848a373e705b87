"""What goes wrong between a hub and the one who downloads, and what the hub of the tests remembers of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Drop:
    """The connection breaks after so many bytes of the body."""

    after: int


@dataclass(frozen=True)
class Stall:
    """Nothing more comes after so many bytes, but the connection stays open."""

    after: int
    seconds: float = 30.0


@dataclass(frozen=True)
class Status:
    """An error instead of the file."""

    code: int


@dataclass(frozen=True)
class Wrong:
    """The right number of other bytes."""


@dataclass(frozen=True)
class Endless:
    """A body that goes on after its announced end."""


@dataclass(frozen=True)
class NoRange:
    """The whole file, whatever range was asked for."""


Fault = Drop | Stall | Status | Wrong | Endless | NoRange


@dataclass
class Seen:
    """One request for the content of a file. `sent`: bytes of it that left."""

    name: str
    start: int
    authorization: str
    sent: int = 0


@dataclass
class Repo:
    files: dict[str, bytes]
    large: tuple[str, ...]
    commit: str
    gated: bool = False
    accepted: set[str] = field(default_factory=set)  # tokens whose owners accepted the terms
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)  # entries of the listing that lie

    def is_large(self, name: str) -> bool:
        return name.endswith(self.large)
