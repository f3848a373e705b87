"""The transformer of a tiny checkpoint as a single GGUF file, as people share them."""

from __future__ import annotations

import shutil
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file

# diffusers' names of a Wan transformer in those of its authors, which shared files carry
WAN_NAMES = {
    "condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "condition_embedder.time_proj": "time_projection.1",
    "condition_embedder.image_embedder.pos_embed": "img_emb.emb_pos",
    "attn2": "cross_attn",
    "attn1": "self_attn",
    ".to_out.0.": ".o.",
    ".to_q.": ".q.",
    ".to_k.": ".k.",
    ".to_v.": ".v.",
    "proj_out": "head.head",
    "ffn.net.0.proj": "ffn.0",
    "ffn.net.2": "ffn.2",
    "norm2": "norm#",  # the authors count these two the other way round
    "norm3": "norm2",
    "norm#": "norm3",
}


def pack(folder: Path, part: str = "transformer", names: dict[str, str] | None = None, stored_as: str = "Q8_0") -> Path:
    """Put the safetensors of a part into a GGUF file, in a format of blocks of 32 where these fit, and remove them."""
    (source,) = (folder / part).glob("*.safetensors")
    target = folder / part / f"tiny-{stored_as}.gguf"
    writer = gguf.GGUFWriter(str(target), "tiny")
    for name, tensor in load_file(source).items():
        for ours, theirs in (names or {}).items():
            name = name.replace(ours, theirs)
        if name == "scale_shift_table" and names:
            name = "head.modulation"
        elif names:
            name = name.replace("scale_shift_table", "modulation")
        whole = np.ascontiguousarray(tensor, dtype=np.float32)
        if name.endswith(".weight") and whole.ndim == 2 and whole.shape[1] % 32 == 0:
            kind = gguf.GGMLQuantizationType[stored_as]
            writer.add_tensor(name, gguf.quants.quantize(whole, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, whole)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    source.unlink()
    for index in (folder / part).glob("*.index.json"):
        index.unlink()
    return target


def packed_copy(folder: Path, target: Path, names: dict[str, str] | None = None, stored_as: str = "Q8_0") -> Path:
    """A copy of a model with its transformer in GGUF."""
    shutil.copytree(folder, target)
    return pack(target, names=names, stored_as=stored_as)
