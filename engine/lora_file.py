"""What a LoRA file says of itself: which models it is made for, its rank, its half of a pair, its words, its licence.

Read from the safetensors header alone: names, shapes and notes; no tensor, no torch, no pickle.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from engine import header
from engine.errors import BadFile
from engine.types import ContentId, Noise, Noun

MAX_LORA_BYTES = 4_000_000_000  # of rank 256 for the largest model of the field: 2 GB
REMEDY = "Choose a LoRA in a .safetensors file."
Layout = Literal["diffusers", "kohya", "comfyui", "other"]

PREFIXES: dict[str, Layout] = {
    "transformer.": "diffusers",
    "diffusion_model.": "comfyui",
    "lora_unet_": "kohya",
}
# What the names of the parts give away, most telling first. Several families: the shapes decide.
SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"blocks[._]\d+[._](self_attn|cross_attn|attn1|attn2|ffn)", ("wan",)),
    (r"(visual|text)_transformer_blocks", ("kandinsky5",)),
    (r"(.*[._])?(audio_|video_to_audio|av_)", ("ltx2",)),
    (r"transformer_blocks\.\d+\.(attn1\.(add_|to_add)|ff_context)", ("mochi",)),
    (r"transformer_blocks\.\d+\.attn2\.", ("ltx", "ltx2")),
    (r"transformer_blocks\.\d+\.attn1\.", ("cogvideox", "mochi", "ltx", "ltx2")),
    (r"single_(transformer_)?blocks[._]\d+", ("hunyuan_video",)),
    (r"(transformer|double)_blocks[._]\d+", ("hunyuan_video", "hunyuan_video15")),
)
BLOCK = re.compile(r"((?:visual_|single_)?(?:transformer_)?blocks|(?:double|single)_blocks)[._](\d+)[._]")
QUERY = re.compile(r"(attn\d?[._](to_)?q|attn_qkv|attention\.to_query|linear1)$")
TENSOR = re.compile(r"(.+)\.(lora_A|lora_down|lora_B|lora_up)\.weight$")
FOREIGN = {"lokr_": "LoKr", "hada_": "LoHa", "dora_scale": "DoRA", "oft_": "OFT"}
HALF = re.compile(r"(?i)(?<![a-z])(high|low)[ _.-]?noise|(?<![a-z])(high|low|hn|ln)$")
NOTES = {
    "trigger_words": ("modelspec.trigger_phrase", "trigger_words", "trigger_word", "instance_prompt"),
    "licence": ("modelspec.license", "license", "licence"),
    "base": ("modelspec.architecture", "ss_base_model_version", "base_model", "ss_sd_model_name"),
}


class LoraFile(Noun):
    """One LoRA. `id` is the hash of its content, empty for one that was only looked at.

    `families`: those that its names allow; `width` and `blocks` of the transformer say which model of them. `noise`:
    which half of a pair it is. `left_out`: small changes in it, to norms, that diffusers does not apply. `licence` is
    empty where the file says nothing.
    """

    id: ContentId | Literal[""] = ""
    name: str
    families: tuple[str, ...]
    layout: Layout
    width: int
    blocks: int
    rank: int
    sees_image: bool = False
    noise: Noise = ""
    left_out: int = 0
    trigger_words: str = ""
    licence: str = ""
    size_gb: float


def read_lora(path: Path, name: str = "") -> LoraFile:
    """`name`: when it is not that of the file. Raises BadFile in one sentence when it is no LoRA that can be read."""
    name = name or path.stem[:120]
    shapes, notes = _header(path)
    if foreign := next((word for mark, word in FOREIGN.items() if any(mark in name for name in shapes)), ""):
        raise BadFile(f"{path.name} is a {foreign}, a kind of LoRA that Rushes cannot apply.", "Choose a plain LoRA.")
    matrices = [match for name in shapes if (match := TENSOR.match(name))]
    if not matrices:
        raise BadFile(f"{path.name} is a safetensors file, but no LoRA.", REMEDY)
    layout = _layout(shapes)
    modules = [_bare(match[1]) for match in matrices]
    down = {_bare(match[1]): shapes[match[0]] for match in matrices if match[2] in ("lora_A", "lora_down")}
    base = _note(notes, "base").casefold()
    return LoraFile(
        name=name,
        families=_families(modules, base),
        layout=layout,
        width=_width(down),
        blocks=_blocks(modules),
        rank=max((shape[0] for shape in down.values() if shape), default=0),
        sees_image=any(re.search(r"[._](k_img|v_img|add_k_proj)$", module) for module in modules if _is_wan(module)),
        noise=_noise(name),
        left_out=sum(name.endswith((".diff", ".diff_m")) for name in shapes),
        trigger_words=_note(notes, "trigger_words"),
        licence=_note(notes, "licence"),
        size_gb=path.stat().st_size / 1e9,
    )


def pair_name(name: str) -> str:
    """The name that both halves of a pair share."""
    return HALF.sub("*", name).casefold()


def _header(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Shapes by name, and the notes."""
    try:
        tensors, notes = header.read(path)
    except header.DAMAGE as error:
        raise BadFile(f"{path.name} cannot be read ({header.reason(error)}).", REMEDY, str(error)) from error
    return {name: shape for name, shape, _ in tensors}, notes


def _layout(names: Iterable[str]) -> Layout:
    found = {next((kind for prefix, kind in PREFIXES.items() if name.startswith(prefix)), "other") for name in names}
    return found.pop() if len(found) == 1 else "other"  # type: ignore[return-value]


def _bare(module: str) -> str:
    for prefix in PREFIXES:
        if module.startswith(prefix):
            return module.removeprefix(prefix)
    return module


def _is_wan(module: str) -> bool:
    return re.match(SIGNS[0][0], module) is not None


def _families(modules: list[str], base: str) -> tuple[str, ...]:
    for pattern, families in SIGNS:
        if any(re.match(pattern, module) for module in modules):
            said = [family for family, words in (("ltx2", r"ltx-?_?2"), ("ltx", r"ltx-?_?v")) if re.search(words, base)]
            return tuple(family for family in families if family in said) or families
    return ()


def _width(down: Mapping[str, tuple[int, ...]]) -> int:
    """The width of the transformer: what the queries read, else what most parts read."""
    queries = [shape[1] for module, shape in down.items() if QUERY.search(module) and len(shape) > 1]
    counted = Counter(queries or [shape[1] for shape in down.values() if len(shape) > 1])
    return counted.most_common(1)[0][0] if counted else 0


def _blocks(modules: Iterable[str]) -> int:
    """The least number of blocks that the transformer must have, both kinds of HunyuanVideo together."""
    last: dict[str, int] = {}
    for module in modules:
        if match := BLOCK.match(module):
            last[match[1]] = max(last.get(match[1], 0), int(match[2]) + 1)
    return sum(last.values())


def _noise(name: str) -> Noise:
    match = HALF.search(name)
    if not match:
        return ""
    return "high" if (match[1] or match[2]).casefold() in ("high", "hn") else "low"


def _note(notes: Mapping[str, str], about: str) -> str:
    """A note of the file as one short line: it was written by a stranger."""
    text = next((notes[key] for key in NOTES[about] if isinstance(notes.get(key), str) and notes[key].strip()), "")
    plain = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in text[:1000])
    return " ".join(plain.split())[:200]
