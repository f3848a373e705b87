"""What a LoRA changes, layer by layer, whichever trainer wrote it, in the names of diffusers.

One reading for the header of a file, when it is taken in, and for its tensors, when it is applied: what the first
promises, the second does.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal, NamedTuple

from engine.schema import Noise
from engine.weights.lora import names as lora_names
from engine.weights.lora.names import Place

Shape = tuple[int, ...]
SIDE = r"(?:(?:\.(?!weight$|bias$)[^.]+){1,4})?"  # peft may write the name of an adapter, which may hold anything
ROLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("down", re.compile(rf"(?P<layer>.+?)[._](?:lora_A|lora_down|lora\.down){SIDE}(?:\.weight)?$")),
    ("up", re.compile(rf"(?P<layer>.+?)[._](?:lora_B|lora_up|lora\.up){SIDE}(?:\.weight)?$")),
    ("up_bias", re.compile(rf"(?P<layer>.+?)[._](?:lora_B|lora_up|lora\.up){SIDE}\.bias$")),
    ("alpha", re.compile(r"(?P<layer>.+?)\.alpha$")),
    ("bias", re.compile(r"(?P<layer>.+?)\.diff_b$")),
    ("full", re.compile(r"(?P<layer>.+?)\.diff(?:_m)?$")),
    ("", re.compile(r"(?P<layer>.+?)\.(?P<role>(?:hada|lokr)_(?:w[12](?:_[ab])?|t[12]))$")),
)
FOREIGN = {"dora_scale": "DoRA", "lora_magnitude_vector": "DoRA", "oft_": "OFT", "boft_": "BOFT", "lora_mid": "LoCon"}
PREFIX = re.compile(
    r"(?:base_model\.model\.|diffusion_model\.|transformer(?:_[12])?\.|pipe\.|dit2?\.|model\.|(?:high|low)_noise_model\.|"
    r"module\.|unet\.|lora_unet__?|lora_transformer_|lycoris_)"
)
# Beside the transformer: what a file may bring that is no part of it.
BESIDE: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "text encoder",
        re.compile(r"(.*\.)?(text_encoders?|text_model|cond_stage_model|te\d?)[._0-9]|lora_te"),
    ),
    ("connectors", re.compile(r"(.*[._])?(text_embedding_projection|connectors|\w*embeddings_connector)[._]")),
)
NORM = re.compile(r"norm(?!1\.linear|1_context|_out\.linear|\.linear)|modulation$|scale_shift_table")
OTHER = "other"  # the role of a tensor that plays none
LATE = re.compile(r"(?:^|\.)(?:transformer_2|dit2|low_noise_model)\.")  # the second of two transformers
EARLY = re.compile(r"(?:^|\.)high_noise_model\.")
LOHA = frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"})


class Change(NamedTuple):
    """What a file changes in one layer: by role, the names of its tensors. `half`: of two transformers, whose it is."""

    place: Place
    tensors: Mapping[str, str]
    half: Noise = ""


class Unreadable(Exception):
    """No LoRA at all, `several` in one file, a `foreign` kind (its name is `what`), or one that is `cut`: the layer
    `what` lacks a matrix."""

    def __init__(self, why: Literal["none", "foreign", "cut", "several"], what: str = "") -> None:
        super().__init__(f"{why} {what}")
        self.why, self.what = why, what


class Reading(NamedTuple):
    """`changes`: of the transformer. `omits`: how many layers of which other kind cannot be applied. `fit`: how many
    names the family knows, and how many of those to the letter."""

    family: str
    changes: tuple[Change, ...]
    omits: dict[str, int]
    fit: tuple[int, int]


def read(shapes: Mapping[str, Shape]) -> dict[str, Reading]:
    """The readings of a LoRA, by family; several where its names fit several alike, and none where they fit none.

    Raises Unreadable.
    """
    layers = _layers(shapes)
    readings = [_reading(family, layers) for family in lora_names.FAMILIES]
    best = max((reading.fit for reading in readings), default=(0, 0))
    return {one.family: _of_one_kind(one) for one in readings if one.changes and one.fit == best}


def _of_one_kind(reading: Reading) -> Reading:
    """Of a file with Kronecker factors, those alone: peft applies no others beside them. Raises Unreadable."""
    kronecker = [change for change in reading.changes if is_kronecker(change)]
    if not kronecker:
        return reading
    if any(change.place.rows for change in kronecker):
        raise Unreadable("foreign", "LoKr over several layers at once")
    others = len(reading.changes) - len(kronecker)
    omits = Counter(reading.omits) + Counter({"other layers": others})
    return reading._replace(changes=tuple(kronecker), omits=dict(omits))


def is_kronecker(change: Change) -> bool:
    return any(role.startswith("lokr") for role in change.tensors)


def _layers(shapes: Mapping[str, Shape]) -> dict[str, dict[str, str]]:
    """The tensors of each layer that a file names, by role. Raises Unreadable."""
    if foreign := next((word for mark, word in FOREIGN.items() if any(mark in name for name in shapes)), ""):
        raise Unreadable("foreign", foreign)
    layers: dict[str, dict[str, str]] = {}
    for name in shapes:
        role, match = next(((role, match) for role, shape in ROLES if (match := shape.match(name))), ("", None))
        if match:
            roles, role = layers.setdefault(match["layer"], {}), role or match["role"]
            if role in roles:
                raise Unreadable("several")
            if role not in ("bias", "up_bias") or 0 not in shapes[name]:
                roles[role] = name
        elif len(shapes[name]):  # a number alone is a setting
            layers.setdefault(name.rpartition(".")[0] or name, {}).setdefault(OTHER, name)
    if not any(set(roles) - {"alpha", OTHER} for roles in layers.values()):
        raise Unreadable("none")
    return {layer: roles for layer, roles in layers.items() if _says_something(layer, roles, shapes)}


def _says_something(layer: str, roles: Mapping[str, str], shapes: Mapping[str, Shape]) -> bool:
    """Not a lone alpha and not a rank of 0. Raises Unreadable when a matrix stands alone."""
    kinds = set(roles) - {"alpha"}
    if not kinds or any(0 in shapes[name] for role, name in roles.items() if role != "alpha"):
        return False
    matrices = kinds - {"bias", "up_bias", "full", OTHER}
    if matrices & {"hada_t1", "lokr_t2"}:
        raise Unreadable("foreign", "LoCon")
    if any(len(shapes[roles[role]]) < 2 for role in matrices) or not _fit_together(roles, shapes):
        raise Unreadable("cut", layer[-80:])
    kron = matrices and all(role.startswith("lokr") for role in matrices)
    whole = not matrices or matrices == {"down", "up"} or matrices == LOHA or (kron and _kron_is_whole(matrices))
    if not whole:
        raise Unreadable("cut", layer[-80:])
    return True


def _fit_together(roles: Mapping[str, str], shapes: Mapping[str, Shape]) -> bool:
    """Whether the matrices of a layer have one rank, its scale is one number, and its difference has sides."""
    of = {role: shapes[name] for role, name in roles.items()}
    for outer, inner in (("up", "down"), ("hada_w1_a", "hada_w1_b"), ("hada_w2_a", "hada_w2_b")):
        if outer in of and inner in of and of[outer][1] != of[inner][0]:
            return False
    return math.prod(of.get("alpha", ())) == 1 and all(len(of.get(role, (1,))) for role in ("full", "bias", "up_bias"))


def _kron_is_whole(roles: set[str]) -> bool:
    sides = ({"lokr_w1"}, {"lokr_w1_a", "lokr_w1_b"}), ({"lokr_w2"}, {"lokr_w2_a", "lokr_w2_b"})
    return any(roles == one | other for one in sides[0] for other in sides[1])


def _reading(family: str, layers: Mapping[str, Mapping[str, str]]) -> Reading:
    two = any(LATE.search(layer) or EARLY.search(layer) for layer in layers)
    changes: list[Change] = []
    omits: Counter[str] = Counter()
    known = exact = 0
    for layer, tensors in layers.items():
        beside = next((kind for kind, names in BESIDE if names.match(layer)), "")
        found, literal = ((), False) if beside else _places(layer, family)
        if not found:
            omits[beside or ("norms" if NORM.search(layer) else "other layers")] += 1
        if OTHER in tensors:  # a whole layer, or something else that is no difference
            omits.update({"other layers": 1} if found else {})
            tensors = {role: name for role, name in tensors.items() if role != OTHER}
        if not set(tensors) - {"alpha"}:
            continue
        known, exact = known + bool(found), exact + literal
        half: Noise = ("low" if LATE.search(layer) else "high") if two else ""
        changes += [Change(place, tensors, half) for place in found]
    return Reading(family, tuple(changes), dict(omits), (known, exact))


def _places(layer: str, family: str) -> tuple[tuple[Place, ...], bool]:
    """What a layer is called by diffusers, whatever stands before its name."""
    best: tuple[tuple[Place, ...], bool] = (), False
    while True:
        found, literal = lora_names.places(layer, family)
        if literal:
            return found, True
        best = best if best[0] else (found, False)
        if not (prefix := PREFIX.match(layer)):
            return best
        layer = layer[prefix.end() :]


# ---- of which model ----

READS = re.compile(r"\.(?:to_q|to_query|net\.0\.proj|proj_mlp|feed_forward\.in_layer)$")
WRITES = re.compile(r"\.(?:to_out\.0|net\.2|attention\.out_layer|feed_forward\.out_layer)$")
ENDS = re.compile(r"^(?:proj_out|norm_out\.linear|condition_embedder\.time_proj|out_layer\.out_layer)$")
OTHER_WIDTH = re.compile(r"audio|_context|add_|^text_|refiner|embed")


def width(reading: Reading, shapes: Mapping[str, Shape]) -> int:
    """The width of the transformer, from what its layers read or write; 0 where no layer tells."""
    counted: Counter[int] = Counter()
    for reads, side in ((READS, 0), (WRITES, 1), (ENDS, 0)):
        for change in reading.changes:
            name = change.place.name
            if reads.search(name) and (reads is ENDS or not OTHER_WIDTH.search(name)):
                counted[sides(change, shapes)[side]] += 1
        if counted := Counter({size: count for size, count in counted.items() if size}):
            return counted.most_common(1)[0][0]
    return 0


def sides(change: Change, shapes: Mapping[str, Shape]) -> tuple[int, int]:
    """How many numbers a layer of the file reads and writes; 0 where its tensors do not tell."""
    of = {role: shapes[name] for role, name in change.tensors.items()}
    if "down" in of:
        return _side(of["down"], 1), _side(of["up"], 0)
    if "hada_w1_a" in of:
        return _side(of["hada_w1_b"], 1), _side(of["hada_w1_a"], 0)
    if any(role.startswith("lokr") for role in of):
        one = (of.get("lokr_w1_a", of.get("lokr_w1", ())), of.get("lokr_w1_b", of.get("lokr_w1", ())))
        other = (of.get("lokr_w2_a", of.get("lokr_w2", ())), of.get("lokr_w2_b", of.get("lokr_w2", ())))
        return _side(one[1], 1) * _side(other[1], 1), _side(one[0], 0) * _side(other[0], 0)
    return _side(of.get("full", ()), 1), _side(of.get("full", of.get("bias", ())), 0)


def _side(shape: Shape, at: int) -> int:
    return shape[at] if len(shape) > at else 0


def rank(reading: Reading, shapes: Mapping[str, Shape]) -> int:
    """The largest rank of its matrices."""
    names = ("down", "hada_w1_b", "lokr_w2_b")
    ranks = [
        _side(shapes[change.tensors[role]], 0) for change in reading.changes for role in names if role in change.tensors
    ]
    return max(ranks, default=0)


LIST = re.compile(r"^(\w*blocks)\.(\d{1,4})\.")


def blocks(reading: Reading) -> int:
    """The least number of blocks that the transformer must have, all kinds of them together."""
    last: dict[str, int] = {}
    for change in reading.changes:
        match = LIST.match(change.place.name)
        if match and match[1] not in ("vace_blocks", "text_transformer_blocks"):
            last[match[1]] = max(last.get(match[1], 0), int(match[2]) + 1)
    return sum(last.values())


# Layers that only some models of a family have, by what those are.
SPECIAL = {
    "image": re.compile(r"attn2\.add_[kv]_proj$|condition_embedder\.image_embedder\."),
    "vace": re.compile(r"vace_"),
    "animate": re.compile(r"face_encoder\.|pose_patch_embedding|face_adapter\.|motion_encoder\."),
    "framepack": re.compile(r"clean_x_embedder\.|image_projection\."),
}


def special(change: Change) -> str:
    """Which models of the family have this layer; empty: all."""
    return next((kind for kind, names in SPECIAL.items() if names.search(change.place.name)), "")


def numbers(reading: Reading, shapes: Mapping[str, Shape]) -> int:
    """How many numbers are kept beside the model when all of it is applied."""
    return sum(_numbers(change, shapes) for change in reading.changes)


def _numbers(change: Change, shapes: Mapping[str, Shape]) -> int:
    of = {role: shapes[name] for role, name in change.tensors.items()}
    reads, writes = sides(change, shapes)
    if change.place.rows:
        writes = sum(writes * (rows.end - rows.start) // rows.of for rows in change.place.rows)
    if "down" in of:
        return of["down"][0] * (math.prod(of["down"][1:]) + writes)
    if "hada_w1_b" in of:
        return min(of["hada_w1_b"][0] * of["hada_w2_b"][0], reads, writes) * (reads + writes)
    if "full" in of:
        whole = math.prod(of["full"])
        return whole + min(writes, whole // max(writes, 1)) ** 2
    return sum(math.prod(shape) for role, shape in of.items() if role != "alpha")
