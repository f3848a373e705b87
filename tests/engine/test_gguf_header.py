"""The header of a GGUF file: read as gguf's own reader reads it, with a bound on every length in it."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from diffusers.quantizers.gguf.utils import SUPPORTED_GGUF_QUANT_TYPES
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, GGUFWriter, quants

from engine.schema.errors import BadFile
from engine.weights import gguf_header, header
from engine.weights.single_file import PACKED, UNPACKED, read_header

SECONDS = 5.0  # far below what a reader that believes a header would take: hours


def written(path: Path) -> Path:
    """A small file as converters write it, with notes of every kind."""
    writer = GGUFWriter(str(path), "wan")
    writer.add_uint32("a.number", 7)
    writer.add_float32("a.float", 0.5)
    writer.add_bool("a.bool", True)
    writer.add_array("a.words", ["one", "two", "three"])
    writer.add_array("a.numbers", [1, 2, 3])
    writer.add_custom_alignment(64)
    writer.add_tensor("blocks.0.weight", np.ones((4, 32), np.float32))
    writer.add_tensor("blocks.0.small", np.ones((3,), np.float16))
    packed = GGMLQuantizationType.Q8_0
    writer.add_tensor("blocks.1.weight", quants.quantize(np.ones((4, 64), np.float32), packed), raw_dtype=packed)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_it_says_what_ggufs_own_reader_says(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gguf")
    theirs = [
        (one.name, tuple(int(side) for side in reversed(one.shape)), one.tensor_type.name)
        for one in GGUFReader(str(path)).tensors
    ]
    assert gguf_header.read(path) == theirs


def test_its_formats_are_ggufs() -> None:
    theirs = {kind.value: (kind.name, *GGML_QUANT_SIZES[kind]) for kind in GGML_QUANT_SIZES}
    assert {number: tuple(stored) for number, stored in gguf_header.FORMATS.items()} == theirs


def test_what_is_offered_is_what_diffusers_and_gguf_can_read() -> None:
    plain = {"F32", "F16"}
    assert {kind.name for kind in SUPPORTED_GGUF_QUANT_TYPES} | plain == PACKED
    assert {kind.name for kind in quants._type_traits} | plain == UNPACKED


def begun(tensors: int, notes: int, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, notes) + rest


def text(words: bytes) -> bytes:
    return struct.pack("<Q", len(words)) + words


def tensor(shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    sides = b"".join(struct.pack("<Q", side) for side in shape)
    return text(b"a") + struct.pack("<I", len(shape)) + sides + struct.pack("<IQ", kind, offset)


LIES = {
    "49 bytes of words without end": begun(0, 1, text(b"a") + struct.pack("<IIQ", 9, 8, 2**60)),
    "a note of 2**63 bytes": begun(0, 1, struct.pack("<Q", 2**63)),
    "2**60 notes": begun(0, 2**60),
    "2**60 tensors": begun(2**60, 0),
    "an array of arrays": begun(0, 1, text(b"a") + struct.pack("<IIQ", 9, 9, 2**40)),
    "an array of 2**62 numbers": begun(0, 1, text(b"a") + struct.pack("<IIQ", 9, 12, 2**62)),
    "an unknown note": begun(0, 1, text(b"a") + struct.pack("<I", 99)),
    "a tensor of 2**50 numbers": begun(1, 0, tensor((2**30, 2**20))),
    "sides whose product is past 64 bits": begun(1, 0, tensor((2**39, 2**39, 2**39))),
    "1000 dimensions": begun(1, 0, text(b"a") + struct.pack("<I", 1000)),
    "an unknown format": begun(1, 0, tensor((4,), kind=777)),
    "data beyond the end": begun(1, 0, tensor((4,), offset=2**40)),
    "a name that is no UTF-8": begun(1, 0, text(b"\xff\xfe") + struct.pack("<IQIQ", 1, 4, 0, 0)),
    "an alignment of 0": begun(0, 1, text(b"general.alignment") + struct.pack("<II", 4, 0)),
    "another version": b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
    "the other byte order": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "nothing behind the name": b"GGUF",
    "nothing": b"",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_refused_at_once(lie: str, tmp_path: Path) -> None:
    path = tmp_path / "a.GGUF"
    path.write_bytes(LIES[lie])
    begun_at = time.monotonic()
    with pytest.raises(BadFile, match=r"a\.GGUF cannot be read"):
        read_header(path)
    assert time.monotonic() - begun_at < SECONDS


@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
def test_damaged_headers_are_read_or_refused_and_never_hang(kind: str, tmp_path: Path) -> None:
    """300 files with some bytes changed, cut or doubled, from one seed."""
    drawn = random.Random(14)
    if kind == "gguf":
        whole = written(tmp_path / "whole.gguf").read_bytes()
    else:
        from safetensors.numpy import save

        whole = save({"a.weight": np.ones((4, 32), np.float32), "b": np.ones(3, np.float16)}, {"note": "x" * 50})
    path, refused, begun_at = tmp_path / f"a.{kind}", 0, time.monotonic()
    for _ in range(300):
        damaged = bytearray(whole[: drawn.choice([len(whole), drawn.randrange(len(whole))])])
        for _ in range(drawn.randrange(1, 6)):
            if damaged:
                at = drawn.randrange(min(len(damaged), 400))
                damaged[at : at + drawn.choice([1, 4, 8])] = drawn.choice([b"\xff" * 8, b"\0", drawn.randbytes(4)])
        path.write_bytes(damaged)
        try:
            assert all(len(one) == 3 for one in header.read(path)[0])
        except header.DAMAGE:
            refused += 1
    assert refused > 100 and time.monotonic() - begun_at < 60
