"""What the header of a weights file says: names, shapes, number formats, notes. No tensor is read, and no pickle."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from engine.media import mistaken_files
from engine.schema.errors import BadFile
from engine.schema.message import Message
from engine.weights import gguf_header

MAX_HEADER_BYTES = 16_000_000  # the largest of the field have some 5000 tensors: 1 MB
MAX_TENSORS, MAX_NAME_LETTERS = 20_000, 512
DAMAGE = (SafetensorError, OSError, ValueError, LookupError, ArithmeticError, TypeError, MemoryError)
Tensor = tuple[str, tuple[int, ...], str]  # its name, shape and number format


class HeaderTooLong(ValueError):
    """Something else than weights is carried in it, such as a picture."""


def read(path: Path) -> tuple[list[Tensor], dict[str, str]]:
    """The tensors of a safetensors or GGUF file, and its notes. Raises what is in DAMAGE."""
    if not path.is_file():  # a folder, a pipe, nothing
        raise FileNotFoundError(2, "there is no such file")
    return (gguf_header.read(path), {}) if is_gguf(path) else _safetensors(path)


def is_gguf(path: Path) -> bool:
    """By its name: `X.GGUF` is one too."""
    return path.suffix.casefold() == ".gguf"


def refusal(path: Path, error: BaseException, remedy: Message) -> BadFile:
    """What to say of a file that could not be read."""
    cause, remedy = mistaken_files.reason(path) or (
        Message("{file} cannot be read ({reason}).", file=path.name, reason=_reason(error)),
        remedy,
    )
    return BadFile(cause, remedy, str(error))


def _reason(error: BaseException) -> str | Message:
    if isinstance(error, HeaderTooLong):
        return Message("its header is longer than any that weights have")
    return getattr(error, "strerror", None) or Message("it is damaged, cut short, or no weights file")


def _safetensors(path: Path) -> tuple[list[Tensor], dict[str, str]]:
    """The library checks every offset against the file's size."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= MAX_HEADER_BYTES:
        raise (HeaderTooLong if length < path.stat().st_size else ValueError)(f"a header of {length} bytes")
    with safe_open(str(path), framework="np") as opened:
        names = list(opened.keys())
        if len(names) > MAX_TENSORS or max(map(len, names), default=0) > MAX_NAME_LETTERS:
            raise ValueError(f"{len(names)} tensors, or a name without end")
        slices = ((name, opened.get_slice(name)) for name in names)
        return [(name, tuple(one.get_shape()), one.get_dtype()) for name, one in slices], opened.metadata() or {}
