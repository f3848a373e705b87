"""The header of a GGUF file, with a bound on every length before anything is read by it.

The layout is ggml's docs/gguf.md. gguf's own reader believes what a header says of its lengths, so a few bytes can keep
it busy for hours: only files that passed here are given to it.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_HEADER_BYTES = 64_000_000  # a text encoder's list of 260,000 words takes some 10 MB
MAX_TENSORS, MAX_NOTES, MAX_WORDS = 20_000, 4_000, 1_000_000
MAX_NAME_BYTES, MAX_STRING_BYTES = 512, 4_000_000
MAX_DIMENSIONS, MAX_SIDE = 6, 2**40
NUMBER_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # of the kinds of notes
STRING, ARRAY = 8, 9
ALIGNMENT = b"general.alignment"


class Stored(NamedTuple):
    """A number format of ggml: how many numbers a block holds, in how many bytes."""

    name: str
    numbers: int
    bytes: int


FORMATS = {
    0: Stored("F32", 1, 4), 1: Stored("F16", 1, 2), 2: Stored("Q4_0", 32, 18), 3: Stored("Q4_1", 32, 20),
    6: Stored("Q5_0", 32, 22), 7: Stored("Q5_1", 32, 24), 8: Stored("Q8_0", 32, 34), 9: Stored("Q8_1", 32, 40),
    10: Stored("Q2_K", 256, 84), 11: Stored("Q3_K", 256, 110), 12: Stored("Q4_K", 256, 144),
    13: Stored("Q5_K", 256, 176), 14: Stored("Q6_K", 256, 210), 15: Stored("Q8_K", 256, 292),
    16: Stored("IQ2_XXS", 256, 66), 17: Stored("IQ2_XS", 256, 74), 18: Stored("IQ3_XXS", 256, 98),
    19: Stored("IQ1_S", 256, 50), 20: Stored("IQ4_NL", 32, 18), 21: Stored("IQ3_S", 256, 110),
    22: Stored("IQ2_S", 256, 82), 23: Stored("IQ4_XS", 256, 136), 24: Stored("I8", 1, 1), 25: Stored("I16", 1, 2),
    26: Stored("I32", 1, 4), 27: Stored("I64", 1, 8), 28: Stored("F64", 1, 8), 29: Stored("IQ1_M", 256, 56),
    30: Stored("BF16", 1, 2), 34: Stored("TQ1_0", 256, 54), 35: Stored("TQ2_0", 256, 66), 39: Stored("MXFP4", 32, 17),
    40: Stored("NVFP4", 64, 36), 41: Stored("Q1_0", 128, 18),
}  # fmt: skip


class _Header:
    """Reads forwards only, and never past what a header may take."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self.at, self._end = file, 0, min(size, MAX_HEADER_BYTES)
        self.words = 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self._end - self.at:
            raise ValueError(f"{count} bytes where {self._end - self.at} are left")
        self.at += count
        return self._file.read(count)

    def skip(self, count: int) -> None:
        if not 0 <= count <= self._end - self.at:
            raise ValueError(f"{count} bytes where {self._end - self.at} are left")
        self.at += count
        self._file.seek(count, 1)

    def number(self, kind: str) -> int:
        (found,) = struct.unpack(f"<{kind}", self.take(struct.calcsize(kind)))
        return int(found)

    def string(self, most: int = MAX_STRING_BYTES) -> bytes:
        length = self.number("Q")
        if length > most:
            raise ValueError(f"a name of {length} bytes")
        return self.take(length)


def read(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, shape and number format of each tensor. Raises OSError, or ValueError for what is no sound GGUF file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = _Header(file, size)
        if header.take(4) != MAGIC or header.number("I") not in VERSIONS:
            raise ValueError("no GGUF file of a known version")
        tensors, notes = header.number("Q"), header.number("Q")
        if tensors > MAX_TENSORS or notes > MAX_NOTES:
            raise ValueError(f"{tensors} tensors and {notes} notes")
        alignment = 32
        for _ in range(notes):
            alignment = _note(header) or alignment
        found = [_tensor(header) for _ in range(tensors)]
        begin = -(-header.at // alignment) * alignment
        if any(begin + offset + length > size for *_, offset, length in found):
            raise ValueError("tensors beyond the end of the file")
        return [(name, shape, stored) for name, shape, stored, _, _ in found]


def _note(header: _Header) -> int:
    """Passes one note; what it says of the alignment, else 0."""
    name, kind = header.string(), header.number("I")
    if name == ALIGNMENT and kind == 4:
        said = header.number("I")
        if not 1 <= said <= 2**20 or said & (said - 1):
            raise ValueError(f"an alignment of {said}")
        return said
    _value(header, kind)
    return 0


def _value(header: _Header, kind: int) -> None:
    if kind == STRING:
        header.string()
    elif kind == ARRAY:
        inner, count = header.number("I"), header.number("Q")
        if inner == STRING:
            header.words += count
            if header.words > MAX_WORDS:
                raise ValueError(f"{header.words} words")
            for _ in range(count):
                header.skip(header.number("Q"))
        else:
            header.skip(_bytes_of(inner) * count)
    else:
        header.skip(_bytes_of(kind))


def _bytes_of(kind: int) -> int:
    if kind not in NUMBER_BYTES:
        raise ValueError(f"a note of the kind {kind}")
    return NUMBER_BYTES[kind]


def _tensor(header: _Header) -> tuple[str, tuple[int, ...], str, int, int]:
    """Name, shape, format, where it begins in the data, and its length in bytes."""
    name, dimensions = header.string(MAX_NAME_BYTES).decode(), header.number("I")
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise ValueError(f"{dimensions} dimensions")
    sides = [header.number("Q") for _ in range(dimensions)]
    stored = FORMATS.get(header.number("I"))
    if stored is None or any(side > MAX_SIDE for side in sides):
        raise ValueError("a tensor of an unknown format or of an impossible size")
    numbers = math.prod(sides)
    return name, tuple(reversed(sides)), stored.name, header.number("Q"), numbers // stored.numbers * stored.bytes
