"""What the layers of each family's transformer are called by its authors, and what diffusers calls them.

A name is a template: `#` stands for the number of a block. Trainers write dots or underscores between the words, so
both are the same here. Where authors keep several layers in one matrix, `Rows` says which of its rows are whose.
Sources: diffusers/loaders/single_file_utils.py and lora_conversion_utils.py, and the authors' own model files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

BLOCK = re.compile(r"(?<=blocks)[._](\d{1,4})(?=[._])")


class Rows(NamedTuple):
    """Rows of a matrix from `start` to `end`, in parts of which it has `of`."""

    start: int
    end: int
    of: int


class Place(NamedTuple):
    """A layer of diffusers' transformer. `rows`: those of the authors' matrix, put one below the other; all when
    empty."""

    name: str
    rows: tuple[Rows, ...] = ()


Table = dict[str, tuple[Place, ...]]


def _same(*names: str) -> Table:
    return {name: (Place(name),) for name in names}


def _renamed(theirs: str, ours: str, parts: dict[str, str]) -> Table:
    return {theirs + part: (Place(ours + own),) for part, own in parts.items()}


def _stacked(theirs: str, ours: str, parts: Iterable[str], of: int = 3) -> Table:
    """One matrix of the authors for several layers; the last one has the rows that are left."""
    names = list(parts)
    last = len(names) - 1
    return {
        theirs: tuple(
            Place(ours + name, (Rows(at, of if at == last else at + 1, of),)) for at, name in enumerate(names)
        )
    }


def _swapped(theirs: str, ours: str) -> Table:
    """The same two halves in the other order."""
    return {theirs: (Place(ours, (Rows(1, 2, 2), Rows(0, 1, 2))),)}


QKVO = {"q": "to_q", "k": "to_k", "v": "to_v", "o": "to_out.0"}
QUERIES = ("to_q", "to_k", "to_v", "to_out.0")
ADDED = ("add_q_proj", "add_k_proj", "add_v_proj")
MLP = {"fc1": "net.0.proj", "fc2": "net.2"}
COMFY_MLP = {"0": "net.0.proj", "2": "net.2"}
TIMESTEP = {"0": "linear_1", "2": "linear_2"}
COMFY_TIMESTEP = {"in_layer": "linear_1", "out_layer": "linear_2"}


def _own(prefix: str, names: Iterable[str]) -> Table:
    return _same(*(prefix + name for name in names))


def _wan_block(block: str) -> Table:
    own = [f"attn{one}.{name}" for one in (1, 2) for name in QUERIES]
    return {
        **_own(block, [*own, "attn2.add_k_proj", "attn2.add_v_proj", "ffn.net.0.proj", "ffn.net.2"]),
        **_renamed(f"{block}self_attn.", f"{block}attn1.", QKVO),
        **_renamed(f"{block}cross_attn.", f"{block}attn2.", {**QKVO, "k_img": "add_k_proj", "v_img": "add_v_proj"}),
        **_renamed(f"{block}ffn.", f"{block}ffn.", {"0": "net.0.proj", "2": "net.2"}),
    }


WAN: Table = {
    **_wan_block("blocks.#."),
    **_wan_block("vace_blocks.#."),
    **_own("vace_blocks.#.", ("proj_in", "proj_out")),
    **_renamed("vace_blocks.#.", "vace_blocks.#.", {"before_proj": "proj_in", "after_proj": "proj_out"}),
    **_same("patch_embedding", "vace_patch_embedding", "pose_patch_embedding", "proj_out"),
    **_own("condition_embedder.", ("time_proj", "time_embedder.linear_1", "time_embedder.linear_2",
                                   "text_embedder.linear_1", "text_embedder.linear_2",
                                   "image_embedder.ff.net.0.proj", "image_embedder.ff.net.2")),
    **_own("face_encoder.", ("conv1_local", "conv2", "conv3", "out_proj")),
    **_renamed("time_embedding.", "condition_embedder.time_embedder.", TIMESTEP),
    **_renamed("text_embedding.", "condition_embedder.text_embedder.", TIMESTEP),
    **_renamed("img_emb.proj.", "condition_embedder.image_embedder.ff.", {"1": "net.0.proj", "3": "net.2"}),
    "time_projection.1": (Place("condition_embedder.time_proj"),),
    "head.head": (Place("proj_out"),),
}  # fmt: skip

REFINER = "context_embedder.token_refiner.refiner_blocks.#."
REFINED = "txt_in.individual_token_refiner.blocks.#."
HUNYUAN_BLOCKS: Table = {
    **_own("transformer_blocks.#.", [
        "norm1.linear", "norm1_context.linear", *(f"attn.{name}" for name in (*QUERIES, *ADDED)), "attn.to_add_out",
        *(f"{ff}.{name}" for ff in ("ff", "ff_context") for name in MLP.values()),
    ]),
    **_renamed("double_blocks.#.", "transformer_blocks.#.", {
        "img_mod.linear": "norm1.linear", "txt_mod.linear": "norm1_context.linear",
        "img_attn_proj": "attn.to_out.0", "txt_attn_proj": "attn.to_add_out",
        **{f"img_attn_{letter}": f"attn.to_{letter}" for letter in "qkv"},
        **{f"txt_attn_{letter}": f"attn.add_{letter}_proj" for letter in "qkv"},
        **{f"img_mlp.{name}": f"ff.{own}" for name, own in (MLP | COMFY_MLP).items()},
        **{f"txt_mlp.{name}": f"ff_context.{own}" for name, own in (MLP | COMFY_MLP).items()},
        "img_mod.lin": "norm1.linear", "txt_mod.lin": "norm1_context.linear",  # ComfyUI's
    }),
    **_stacked("double_blocks.#.img_attn_qkv", "transformer_blocks.#.attn.", QUERIES[:3]),
    **_stacked("double_blocks.#.txt_attn_qkv", "transformer_blocks.#.attn.", ADDED),
    **_own(REFINER, [*(f"attn.{name}" for name in QUERIES), *(f"ff.{own}" for own in MLP.values()), "norm_out.linear"]),
    **_renamed(REFINED, REFINER, {
        "self_attn_proj": "attn.to_out.0", "adaLN_modulation.1": "norm_out.linear",
        **{f"mlp.{name}": f"ff.{own}" for name, own in (MLP | COMFY_MLP).items()},
    }),
    **_stacked(f"{REFINED}self_attn_qkv", f"{REFINER}attn.", QUERIES[:3]),
    **_same("x_embedder.proj", "context_embedder.proj_in", "norm_out.linear", "proj_out"),
    **_own("context_embedder.time_text_embed.", [
        f"{part}.{linear}" for part in ("timestep_embedder", "text_embedder") for linear in ("linear_1", "linear_2")
    ]),
    **_renamed("txt_in.", "context_embedder.", {
        "input_embedder": "proj_in",
        **{f"t_embedder.mlp.{at}": f"time_text_embed.timestep_embedder.{own}" for at, own in TIMESTEP.items()},
        **{f"c_embedder.{name}": f"time_text_embed.text_embedder.{name}" for name in ("linear_1", "linear_2")},
    }),
    "img_in.proj": (Place("x_embedder.proj"),),
    "final_layer.linear": (Place("proj_out"),),
    **_swapped("final_layer.adaLN_modulation.1", "norm_out.linear"),
}  # fmt: skip
SINGLE = "single_transformer_blocks.#."
HUNYUAN_VIDEO: Table = {
    **HUNYUAN_BLOCKS,
    **_own(SINGLE, ("attn.to_q", "attn.to_k", "attn.to_v", "norm.linear", "proj_mlp", "proj_out")),
    **_stacked("single_blocks.#.linear1", SINGLE, ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"), of=7),
    **_renamed("single_blocks.#.", SINGLE, {
        "linear2": "proj_out", "modulation.linear": "norm.linear", "modulation.lin": "norm.linear",
    }),
    **_own("time_text_embed.", [
        f"{part}_embedder.{linear}" for part in ("timestep", "text", "guidance") for linear in ("linear_1", "linear_2")
    ]),
    **_renamed("time_in.mlp.", "time_text_embed.timestep_embedder.", TIMESTEP),
    **_renamed("time_in.", "time_text_embed.timestep_embedder.", COMFY_TIMESTEP),
    **_renamed("guidance_in.mlp.", "time_text_embed.guidance_embedder.", TIMESTEP),
    **_renamed("guidance_in.", "time_text_embed.guidance_embedder.", COMFY_TIMESTEP),
    **_renamed("vector_in.", "time_text_embed.text_embedder.", COMFY_TIMESTEP),
    # FramePack's own
    **_own("clean_x_embedder.", ("proj", "proj_2x", "proj_4x")),
    **_own("image_projection.", ("up", "down")),
}  # fmt: skip
HUNYUAN_VIDEO_15: Table = {
    **HUNYUAN_BLOCKS,
    **_own("time_embed.", [
        f"{part}.{linear}" for part in ("timestep_embedder", "timestep_embedder_r") for linear in TIMESTEP.values()
    ]),
    **_own("image_embedder.", ("linear_1", "linear_2")),
    **_own("context_embedder_2.", ("linear_1", "linear_2", "linear_3")),
    **_same("cond_type_embed"),
    "cond_type_embedding": (Place("cond_type_embed"),),
    **_renamed("time_in.mlp.", "time_embed.timestep_embedder.", TIMESTEP),
    **_renamed("time_in.", "time_embed.timestep_embedder.", COMFY_TIMESTEP),
    **_renamed("time_r_in.mlp.", "time_embed.timestep_embedder_r.", TIMESTEP),
    **_renamed("byt5_in.", "context_embedder_2.", {"fc1": "linear_1", "fc2": "linear_2", "fc3": "linear_3"}),
    **_renamed("vision_in.proj.", "image_embedder.", {"1": "linear_1", "3": "linear_2"}),
}  # fmt: skip

MOCHI_ATTENTION = (*QUERIES, *ADDED, "to_add_out")
MOCHI: Table = {
    **_own("transformer_blocks.#.", [
        "norm1.linear", "norm1_context.linear", "norm1_context.linear_1",
        *(f"attn1.{name}" for name in MOCHI_ATTENTION),
        *(f"{ff}.{name}" for ff in ("ff", "ff_context") for name in MLP.values()),
    ]),
    **_stacked("blocks.#.attn.qkv_x", "transformer_blocks.#.attn1.", QUERIES[:3]),
    **_stacked("blocks.#.attn.qkv_y", "transformer_blocks.#.attn1.", ADDED),
    **_renamed("blocks.#.", "transformer_blocks.#.", {
        "attn.proj_x": "attn1.to_out.0", "attn.proj_y": "attn1.to_add_out", "mod_x": "norm1.linear",
        "mod_y": "norm1_context.linear", "mlp_x.w2": "ff.net.2", "mlp_y.w2": "ff_context.net.2",
    }),
    **_swapped("blocks.#.mlp_x.w1", "transformer_blocks.#.ff.net.0.proj"),
    **_swapped("blocks.#.mlp_y.w1", "transformer_blocks.#.ff_context.net.0.proj"),
    **_same("patch_embed.proj", "norm_out.linear", "proj_out"),
    **_own("time_embed.", ("timestep_embedder.linear_1", "timestep_embedder.linear_2", "pooler.to_kv", "pooler.to_q",
                           "pooler.to_out", "caption_proj")),
    **_renamed("t_embedder.mlp.", "time_embed.timestep_embedder.", TIMESTEP),
    **_renamed("t5_y_embedder.", "time_embed.pooler.", {name: name for name in ("to_kv", "to_q", "to_out")}),
    "t5_yproj": (Place("time_embed.caption_proj"),),
    "x_embedder.proj": (Place("patch_embed.proj"),),
    "final_layer.linear": (Place("proj_out"),),
    **_swapped("final_layer.mod", "norm_out.linear"),
}  # fmt: skip

EMBEDDED = ("emb.timestep_embedder.linear_1", "emb.timestep_embedder.linear_2", "linear")
LTX_BLOCK = [*(f"attn{one}.{name}" for one in (1, 2) for name in QUERIES), "ff.net.0.proj", "ff.net.2"]
LTX_ENDS: Table = {
    **_same("proj_in", "proj_out"),
    **_own("caption_projection.", ("linear_1", "linear_2")),
    **_own("time_embed.", EMBEDDED),
    **_renamed("adaln_single.", "time_embed.", {name: name for name in EMBEDDED}),
    "patchify_proj": (Place("proj_in"),),
}
LTX: Table = {**_own("transformer_blocks.#.", LTX_BLOCK), **LTX_ENDS}
LTX_2_ATTENTIONS = ("attn1", "attn2", "audio_attn1", "audio_attn2", "audio_to_video_attn", "video_to_audio_attn")
LTX_2_MODULATIONS = {  # authors' names of what diffusers calls otherwise
    "adaln_single": "time_embed",
    "audio_adaln_single": "audio_time_embed",
    "av_ca_video_scale_shift_adaln_single": "av_cross_attn_video_scale_shift",
    "av_ca_audio_scale_shift_adaln_single": "av_cross_attn_audio_scale_shift",
    "av_ca_a2v_gate_adaln_single": "av_cross_attn_video_a2v_gate",
    "av_ca_v2a_gate_adaln_single": "av_cross_attn_audio_v2a_gate",
    "prompt_adaln_single": "prompt_adaln",
    "audio_prompt_adaln_single": "audio_prompt_adaln",
}
LTX_2: Table = {
    **LTX_ENDS,
    **_own("transformer_blocks.#.", [
        *(f"{attention}.{name}" for attention in LTX_2_ATTENTIONS for name in (*QUERIES, "to_gate_logits")),
        *(f"{ff}.{name}" for ff in ("ff", "audio_ff") for name in MLP.values()),
    ]),
    **_same("audio_proj_in", "audio_proj_out"),
    **_own("audio_caption_projection.", ("linear_1", "linear_2")),
    **{key: value for theirs, ours in LTX_2_MODULATIONS.items() for name in EMBEDDED
       for key, value in {**_same(f"{ours}.{name}"), **_renamed(f"{theirs}.", f"{ours}.", {name: name})}.items()},
    "audio_patchify_proj": (Place("audio_proj_in"),),
}  # fmt: skip

COGVIDEOX: Table = {
    **_own("transformer_blocks.#.", ["norm1.linear", "norm2.linear", *(f"attn1.{name}" for name in QUERIES),
                                     *(f"ff.{name}" for name in MLP.values())]),
    **_same("patch_embed.proj", "patch_embed.text_proj", "time_embedding.linear_1", "time_embedding.linear_2",
            "ofs_embedding.linear_1", "ofs_embedding.linear_2", "norm_out.linear", "proj_out"),
}  # fmt: skip

KANDINSKY_ATTENTION = ("to_query", "to_key", "to_value", "out_layer")
KANDINSKY_5: Table = {
    **_own("visual_transformer_blocks.#.", [
        "visual_modulation.out_layer", *(f"{kind}_attention.{name}" for kind in ("self", "cross")
                                         for name in KANDINSKY_ATTENTION)]),
    **_own("text_transformer_blocks.#.", ["text_modulation.out_layer",
                                          *(f"self_attention.{name}" for name in KANDINSKY_ATTENTION)]),
    **_own("visual_transformer_blocks.#.feed_forward.", ("in_layer", "out_layer")),
    **_own("text_transformer_blocks.#.feed_forward.", ("in_layer", "out_layer")),
    **_same("time_embeddings.in_layer", "time_embeddings.out_layer", "text_embeddings.in_layer",
            "pooled_text_embeddings.in_layer", "visual_embeddings.in_layer", "out_layer.modulation.out_layer",
            "out_layer.out_layer"),
}  # fmt: skip

FAMILIES: dict[str, Table] = {
    "wan": WAN,
    "hunyuan_video": HUNYUAN_VIDEO,
    "hunyuan_video15": HUNYUAN_VIDEO_15,
    "ltx": LTX,
    "ltx2": LTX_2,
    "mochi": MOCHI,
    "cogvideox": COGVIDEOX,
    "kandinsky5": KANDINSKY_5,
}


def _loosely(name: str) -> str:
    return name.replace(".", "_")


LOOK_UP = {family: {_loosely(name): places for name, places in table.items()} for family, table in FAMILIES.items()}


def places(name: str, family: str) -> tuple[tuple[Place, ...], bool]:
    """The layers of diffusers' transformer that a layer of a file stands for, none where the family has no such; and
    whether its dots are where the authors have them."""
    template = BLOCK.sub(".#", name)
    found = LOOK_UP[family].get(_loosely(template), ())
    for number in BLOCK.findall(name):
        found = tuple(place._replace(name=place.name.replace("#", number, 1)) for place in found)
    return found, template in FAMILIES[family]
