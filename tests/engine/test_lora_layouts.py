"""A LoRA in every layout that trainers write is the same LoRA: its tensors, read for a transformer of the family, equal
those of the same weights in diffusers' names. Where diffusers converts a layout, its conversion is the judge."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers.loaders import lora_conversion_utils as conversions
from diffusers.loaders.single_file_utils import convert_mochi_transformer_checkpoint_to_diffusers
from safetensors.torch import save_file

from engine import BadFile, read_lora
from engine.weights.lora import layout
from engine.weights.lora import names as lora_names
from engine.weights.lora.names import Place
from engine.worker.loading import lora_tensors
from tests.tiny import cogvideox, hunyuan_video, hunyuan_video15, kandinsky5, ltx, ltx2, mochi, wan

Weights = dict[str, torch.Tensor]
BUILT: dict[str, tuple[str, Callable[[Path], None]]] = {
    "wan": ("wan", wan.build_21), "wan i2v": ("wan", wan.build_i2v), "vace": ("wan", wan.build_vace),
    "animate": ("wan", wan.build_animate), "hunyuan": ("hunyuan_video", hunyuan_video.build),
    "framepack": ("hunyuan_video", hunyuan_video.build_framepack),
    "hunyuan 1.5": ("hunyuan_video15", hunyuan_video15.build), "ltx": ("ltx", ltx.build), "ltx-2": ("ltx2", ltx2.build),
    "mochi": ("mochi", mochi.build), "cogvideox": ("cogvideox", cogvideox.build),
    "kandinsky": ("kandinsky5", kandinsky5.build),
}  # fmt: skip


@pytest.fixture(scope="session")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """The tiny transformer of a family, loaded once."""
    kept: dict[str, Any] = {}

    def of(name: str) -> Any:
        if name not in kept:
            folder = tmp_path_factory.mktemp("layouts") / name.replace(" ", "")
            BUILT[name][1](folder)
            kind = json.loads((folder / "transformer" / "config.json").read_text())["_class_name"]
            kept[name] = getattr(diffusers, kind).from_pretrained(folder, subfolder="transformer")
        return kept[name]

    return of


def layers(model: Any) -> dict[str, Any]:
    """Those that a LoRA can change."""
    kinds = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d, torch.nn.Embedding)
    return {name: module for name, module in model.named_modules() if isinstance(module, kinds)}


def drawn(shapes: dict[str, tuple[int, int]], rank: int = 4) -> Weights:
    """Random matrices for layers of these sizes, out and in."""
    torch.manual_seed(0)
    down = {f"{name}.lora_A.weight": torch.randn(rank, reads) for name, (_, reads) in shapes.items()}
    return down | {f"{name}.lora_B.weight": torch.randn(writes, rank) for name, (writes, _) in shapes.items()}


def linear(model: Any) -> Weights:
    """A LoRA of every linear layer, in diffusers' names."""
    found = {name: module for name, module in layers(model).items() if isinstance(module, torch.nn.Linear)}
    return drawn({name: (module.out_features, module.in_features) for name, module in found.items()})


def seen(weights: Weights, model: Any, folder: Path, notes: dict[str, str] | None = None) -> Weights:
    """What the worker applies of a file with these tensors."""
    file = folder / "a.safetensors"
    save_file({name: tensor.contiguous().clone() for name, tensor in weights.items()}, file, metadata=notes)
    return lora_tensors.read(file, model, "transformer", "a")


def equal(one: Weights, other: Weights) -> bool:
    return set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", BUILT)
def test_every_layer_of_a_transformer_is_known_by_its_name_in_diffusers(
    name: str, transformer: Callable[[str], Any]
) -> None:
    family = BUILT[name][0]
    assert all(
        lora_names.places(layer, family) == ((Place(layer),), True)
        for layer in layers(transformer(name))
        if not layer.startswith(("motion_encoder", "face_adapter"))  # Animate's own, which no trainer touches
    )


@pytest.mark.parametrize("name", BUILT)
def test_diffusers_names_with_dots_or_underscores_and_with_any_prefix_are_one_lora(
    name: str, transformer: Callable[[str], Any], tmp_path: Path
) -> None:
    model = transformer(name)
    ours = {
        key: value for key, value in linear(model).items() if not key.startswith(("motion_encoder", "face_adapter"))
    }
    kohya = {
        "lora_unet_" + key.rsplit(".lora_", 1)[0].replace(".", "_")
        + (".lora_down.weight" if "lora_A" in key else ".lora_up.weight"): value
        for key, value in ours.items()
    }  # fmt: skip
    for theirs in (
        ours,
        {f"transformer.{key}": value for key, value in ours.items()},
        {f"diffusion_model.{key}": value for key, value in ours.items()},
        kohya,
    ):
        assert equal(seen(theirs, model, tmp_path), ours)


WAN = {"attn1": "self_attn", "attn2": "cross_attn", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "o",
       "net.0.proj": "0", "net.2": "2", "add_k_proj": "k_img", "add_v_proj": "v_img"}  # fmt: skip


def original_wan(weights: Weights) -> Weights:
    """Blocks in the names of Wan's authors."""
    theirs = {}
    for key, value in weights.items():
        for own, name in WAN.items():
            key = key.replace(f".{own}.", f".{name}.")
        theirs[key] = value
    return theirs


def kohya(weights: Weights, prefix: str = "lora_unet_", alpha: float | None = None) -> Weights:
    """As musubi-tuner, sd-scripts and VideoX-Fun write them."""
    written = {}
    for key, value in weights.items():
        layer, _, matrix = key.rpartition(".lora_")
        name = prefix + layer.replace(".", "_")
        written[f"{name}.lora_{'down' if matrix[0] == 'A' else 'up'}.weight"] = value
        if alpha is not None:
            written[f"{name}.alpha"] = torch.tensor(alpha)
    return written


STYLES: dict[str, Callable[[Weights], Weights]] = {
    "ComfyUI": lambda weights: {f"diffusion_model.{key}": value for key, value in weights.items()},
    "whole checkpoints": lambda weights: {f"model.diffusion_model.{key}": value for key, value in weights.items()},
    "no prefix": lambda weights: weights,
    "DiffSynth": lambda weights: {key.replace(".weight", ".default.weight"): value for key, value in weights.items()},
    "DiffSynth, whole": lambda weights: {f"pipe.dit.{key}": value for key, value in weights.items()},
    "peft": lambda weights: {f"base_model.model.{key}": value for key, value in weights.items()},
    "musubi": lambda weights: kohya(weights, alpha=4),
    "musubi, without alpha": kohya,
    "musubi, attention only": lambda weights: kohya({k: v for k, v in weights.items() if "attn" in k}, alpha=4),
    "musubi, a late block": lambda weights: kohya({k: v for k, v in weights.items() if "blocks.1." in k}, alpha=4),
    "only ffn.2": lambda weights: kohya({k: v for k, v in weights.items() if "ffn.2" in k}, alpha=4),
    "VideoX-Fun": lambda weights: kohya(weights, "lora_unet__", alpha=4),
    "LyCORIS": lambda weights: kohya(weights, "lycoris_", alpha=4),
}


@pytest.mark.parametrize("style", STYLES)
def test_a_lora_of_wan_is_the_same_in_every_layout(
    style: str, transformer: Callable[[str], Any], tmp_path: Path
) -> None:
    model = transformer("wan i2v")
    ours = {key: value for key, value in linear(model).items() if key.startswith("blocks.")}
    theirs = STYLES[style](original_wan(ours))
    found = seen(theirs, model, tmp_path)
    assert found and all(torch.equal(ours[key], value) for key, value in found.items())
    assert len(found) == sum(not key.endswith("alpha") for key in theirs)
    said = read_lora(tmp_path / "a.safetensors")
    assert (said.families, said.width) == (("wan",), model.config.num_attention_heads * model.config.attention_head_dim)


def test_the_ends_of_wan_are_named_as_diffusers_converts_them(
    transformer: Callable[[str], Any], tmp_path: Path
) -> None:
    model = transformer("wan i2v")
    sizes = {name: (module.out_features, module.in_features) for name, module in layers(model).items()
             if isinstance(module, torch.nn.Linear)}  # fmt: skip
    ends = {"time_embedding.0": "condition_embedder.time_embedder.linear_1",
            "time_embedding.2": "condition_embedder.time_embedder.linear_2",
            "text_embedding.0": "condition_embedder.text_embedder.linear_1",
            "text_embedding.2": "condition_embedder.text_embedder.linear_2",
            "time_projection.1": "condition_embedder.time_proj", "head.head": "proj_out",
            "img_emb.proj.1": "condition_embedder.image_embedder.ff.net.0.proj",
            "img_emb.proj.3": "condition_embedder.image_embedder.ff.net.2",
            "blocks.0.self_attn.q": "blocks.0.attn1.to_q"}  # fmt: skip
    theirs = {f"diffusion_model.{key}": value for key, value in drawn({a: sizes[b] for a, b in ends.items()}).items()}
    judge = conversions._convert_non_diffusers_wan_lora_to_diffusers(dict(theirs))
    bare = {key.removeprefix("transformer."): value for key, value in judge.items()}
    assert equal(seen(theirs, model, tmp_path), bare)


HUNYUAN = {"double_blocks.0.img_attn_qkv": (3, 1), "double_blocks.0.txt_attn_qkv": (3, 1),
           "double_blocks.0.img_attn_proj": (1, 1), "double_blocks.0.txt_attn_proj": (1, 1),
           "double_blocks.0.img_mlp.fc1": (4, 1), "double_blocks.0.txt_mlp.fc2": (1, 4),
           "double_blocks.0.img_mod.linear": (6, 1), "single_blocks.0.linear1": (7, 1),
           "single_blocks.0.linear2": (1, 5), "single_blocks.0.modulation.linear": (3, 1)}  # fmt: skip


@pytest.mark.parametrize("style", ["diffusion_model.", "transformer.", "", "kohya", "comfy"])
@pytest.mark.parametrize("name", ["hunyuan", "framepack"])
def test_hunyuan_video_in_its_authors_names_is_what_diffusers_makes_of_it(
    name: str, style: str, transformer: Callable[[str], Any], tmp_path: Path
) -> None:
    model = transformer(name)
    width = model.config.num_attention_heads * model.config.attention_head_dim
    theirs = drawn({layer: (out * width, into * width) for layer, (out, into) in HUNYUAN.items()})
    judge = converted(theirs, width)
    match style:
        case "kohya":
            theirs = kohya(theirs, alpha=4)
        case "comfy":
            names = {
                "_attn_": "_attn.",
                "fc1": "0",
                "fc2": "2",
                "mod.linear": "mod.lin",
                "modulation.linear": "modulation.lin",
            }
            theirs = {replaced(key, names): value for key, value in theirs.items()}
        case _:
            theirs = {style + key: value for key, value in theirs.items()}
    assert equal(seen(theirs, model, tmp_path), judge)


def replaced(key: str, names: dict[str, str]) -> str:
    for own, name in names.items():
        key = key.replace(own, name)
    return key


def converted(theirs: Weights, width: int) -> Weights:
    """By diffusers, whose width of HunyuanVideo is fixed: linear1 is cut here."""
    judge = {}
    for key, value in theirs.items():
        if "linear1" not in key:
            one = conversions._convert_hunyuan_video_lora_to_diffusers({key: value})
            judge |= {name.removeprefix("transformer."): tensor for name, tensor in one.items()}
            continue
        cut = value.split((width, width, width, 4 * width)) if "lora_B" in key else (value,) * 4
        for own, part in zip(("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"), cut, strict=True):
            judge[key.replace("single_blocks", "single_transformer_blocks").replace("linear1", own)] = part
    return judge


def test_hunyuan_video_15_is_known_whether_its_queries_stand_apart_or_together(
    transformer: Callable[[str], Any], tmp_path: Path
) -> None:
    model = transformer("hunyuan 1.5")
    width = model.config.num_attention_heads * model.config.attention_head_dim
    apart = drawn({f"transformer_blocks.0.attn.{name}": (width, width) for name in ("to_q", "to_k", "to_v")})
    own = {key.replace("transformer_blocks", "double_blocks").replace("attn.to_", "img_attn_"): value
           for key, value in apart.items()}  # fmt: skip
    assert equal(seen(kohya(own, alpha=4), model, tmp_path), apart)
    together = drawn({"double_blocks.0.img_attn_qkv": (3 * width, width)})
    found = seen(together, model, tmp_path)
    stacked = torch.cat([found[f"transformer_blocks.0.attn.to_{one}.lora_B.weight"] for one in "qkv"])
    assert torch.equal(stacked, together["double_blocks.0.img_attn_qkv.lora_B.weight"])


def test_mochi_in_its_authors_names_is_what_diffusers_makes_of_it(
    transformer: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = transformer("mochi")
    width, context = (
        model.config.num_attention_heads * model.config.attention_head_dim,
        model.config.pooled_projection_dim,
    )
    theirs = {}
    torch.manual_seed(0)
    for layer, rows in {
        "attn.qkv_x": 3 * width,
        "attn.qkv_y": 3 * width,
        "attn.proj_x": width,
        "mlp_x.w1": 8 * width,
    }.items():
        theirs[f"blocks.0.{layer}.lora_A"] = torch.randn(4, context if layer.endswith("y") else width)
        theirs[f"blocks.0.{layer}.lora_B"] = torch.randn(rows, 4)
    notes = {"kwargs": json.dumps({"qkv_proj_lora_rank": 4, "qkv_proj_lora_alpha": 8, "out_proj_lora_rank": 4,
                                   "out_proj_lora_alpha": 4})}  # fmt: skip
    found = seen(theirs, model, tmp_path, notes)
    whole: dict[str, torch.Tensor] = Full()
    for layer in ("attn.qkv_x", "attn.qkv_y", "attn.proj_x", "mlp_x.w1"):
        scale = 2 if "qkv" in layer else 1
        whole[f"blocks.0.{layer}.weight"] = (
            scale * theirs[f"blocks.0.{layer}.lora_B"] @ theirs[f"blocks.0.{layer}.lora_A"]
        )
    judge = convert_mochi_transformer_checkpoint_to_diffusers(whole)
    for place in {key.rpartition(".lora_")[0] for key in found}:
        made = found[f"{place}.lora_B.weight"] @ found[f"{place}.lora_A.weight"]
        assert torch.allclose(made, judge[f"{place}.weight"], atol=1e-4), place
    assert len(found) == 2 * (3 + 3 + 1 + 1)


class Full(dict[str, torch.Tensor]):
    """A checkpoint of which only some layers matter."""

    def pop(self, key: str, *other: Any) -> torch.Tensor:  # type: ignore[override]
        return super().pop(key, torch.zeros(6, 2))


def test_ltx_2_in_its_authors_names_is_what_diffusers_makes_of_it(
    transformer: Callable[[str], Any], tmp_path: Path
) -> None:
    model = transformer("ltx-2")
    sizes = {name: (module.out_features, module.in_features) for name, module in layers(model).items()
             if isinstance(module, torch.nn.Linear)}  # fmt: skip
    cross = "transformer_blocks.0.audio_to_video_attn.to_q"
    ends = {"patchify_proj": "proj_in", "audio_patchify_proj": "audio_proj_in", cross: cross,
            "adaln_single.linear": "time_embed.linear",
            "audio_adaln_single.emb.timestep_embedder.linear_1": "audio_time_embed.emb.timestep_embedder.linear_1",
            "av_ca_a2v_gate_adaln_single.linear": "av_cross_attn_video_a2v_gate.linear",
            "av_ca_video_scale_shift_adaln_single.linear": "av_cross_attn_video_scale_shift.linear"}  # fmt: skip
    theirs = {f"diffusion_model.{key}": value for key, value in drawn({a: sizes[b] for a, b in ends.items()}).items()}
    judge = conversions._convert_non_diffusers_ltx2_lora_to_diffusers(dict(theirs))
    bare = {key.removeprefix("transformer."): value for key, value in judge.items()}
    beside = {"text_embedding_projection.aggregate_embed.lora_A.weight": torch.zeros(4, 8),
              "text_embedding_projection.aggregate_embed.lora_B.weight": torch.zeros(8, 4)}  # fmt: skip
    assert equal(seen(theirs | beside, model, tmp_path), bare)
    assert read_lora(tmp_path / "a.safetensors").omits == {"connectors": 1}


# ---- what a file may hold ----


def change(model: Any, weights: Weights, layer: str) -> torch.Tensor:
    """What the weight of a layer becomes different by."""
    down, up = weights[f"{layer}.lora_A.weight"], weights[f"{layer}.lora_B.weight"]
    return (up.flatten(1) @ down.flatten(1)).reshape(model.get_submodule(layer).weight.shape)


QUERY = "blocks.0.attn1.to_q"


@pytest.fixture
def small(transformer: Callable[[str], Any]) -> Any:
    return transformer("wan")


@pytest.fixture
def one(small: Any) -> Weights:
    """A LoRA of one layer, in diffusers' names."""
    layer = small.get_submodule(QUERY)
    return drawn({QUERY: (layer.out_features, layer.in_features)})


@pytest.mark.parametrize("alpha", [1.0, 4.0, 0.3, 64.0])
def test_alpha_beside_the_matrices_is_folded_in(alpha: float, small: Any, one: Weights, tmp_path: Path) -> None:
    found = seen({**one, f"{QUERY}.alpha": torch.tensor(alpha)}, small, tmp_path)
    assert torch.allclose(change(small, found, QUERY), change(small, one, QUERY) * alpha / 4, rtol=1e-5, atol=1e-5)


def test_a_small_alpha_loses_nothing_in_16_bits(small: Any, one: Weights, tmp_path: Path) -> None:
    theirs = {key: value.half() * 1e-3 for key, value in one.items()} | {f"{QUERY}.alpha": torch.tensor(0.01)}
    found = seen(theirs, small, tmp_path)
    exact = change(small, {key: value.float() for key, value in theirs.items()}, QUERY) * 0.01 / 4
    half = change(small, {key: value.half().float() for key, value in found.items()}, QUERY)
    assert (half - exact).abs().max() < 0.01 * exact.abs().max()


def test_what_says_nothing_is_dropped(small: Any, one: Weights, tmp_path: Path) -> None:
    width = one[f"{QUERY}.lora_A.weight"].shape[1]
    empty = drawn({"blocks.1.attn1.to_q": (width, width)}, rank=0) | {"blocks.1.attn1.to_k.alpha": torch.tensor(1.0)}
    assert equal(seen(one | empty, small, tmp_path), one)
    assert read_lora(tmp_path / "a.safetensors").omits == {}


def test_what_is_beside_the_transformer_is_left_out_and_counted(small: Any, one: Weights, tmp_path: Path) -> None:
    beside = {
        **drawn({"text_encoder.layers.0.q_proj": (8, 8)}),
        **kohya(drawn({"encoder.block.0.layer.0.SelfAttention.q": (8, 8)}), "lora_te_", 4),
        "blocks.0.norm3.diff_b": torch.zeros(8), "blocks.0.norm3.diff": torch.zeros(8),
        **drawn({"blocks.0.somewhere.else": (8, 8)}),
    }  # fmt: skip
    assert equal(seen(one | beside, small, tmp_path), one)
    assert read_lora(tmp_path / "a.safetensors").omits == {"text encoder": 2, "norms": 1, "other layers": 1}


def test_image_layers_are_left_out_where_there_is_no_image_encoder(small: Any, one: Weights, tmp_path: Path) -> None:
    images = drawn({"blocks.0.attn2.add_k_proj": (8, 8), "condition_embedder.image_embedder.ff.net.2": (8, 8)})
    assert equal(seen(one | images, small, tmp_path), one)
    assert read_lora(tmp_path / "a.safetensors").special == {"image": 2}


def test_whole_differences_and_biases_are_applied(small: Any, one: Weights, tmp_path: Path) -> None:
    head, patch = small.proj_out, small.patch_embedding
    whole = {"head.head.diff": torch.randn_like(head.weight), "patch_embedding.diff": torch.randn_like(patch.weight),
             "patch_embedding.diff_b": torch.randn_like(patch.bias), "blocks.0.self_attn.k.diff_b": torch.randn(
                 small.get_submodule("blocks.0.attn1.to_k").out_features)}  # fmt: skip
    found = seen(one | whole, small, tmp_path)
    for place, theirs in {"proj_out": "head.head.diff", "patch_embedding": "patch_embedding.diff"}.items():
        assert torch.allclose(change(small, found, place), whole[theirs], atol=1e-5)
    assert torch.equal(found["patch_embedding.lora_B.bias"], whole["patch_embedding.diff_b"])
    assert torch.equal(found["blocks.0.attn1.to_k.lora_B.bias"], whole["blocks.0.self_attn.k.diff_b"])
    assert not change(small, found, "blocks.0.attn1.to_k").any() and not found[f"{QUERY}.lora_B.bias"].any()


def test_a_loha_is_the_product_of_its_halves(small: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    out, into = small.get_submodule(QUERY).weight.shape
    parts = {"hada_w1_a": torch.randn(out, 2), "hada_w1_b": torch.randn(2, into), "hada_w2_a": torch.randn(out, 2),
             "hada_w2_b": torch.randn(2, into)}  # fmt: skip
    theirs = {f"lora_unet_blocks_0_self_attn_q.{key}": value for key, value in parts.items()}
    found = seen(theirs | {"lora_unet_blocks_0_self_attn_q.alpha": torch.tensor(1.0)}, small, tmp_path)
    exact = (parts["hada_w1_a"] @ parts["hada_w1_b"]) * (parts["hada_w2_a"] @ parts["hada_w2_b"]) / 2
    assert torch.allclose(change(small, found, QUERY), exact, atol=1e-4)


@pytest.mark.parametrize("low", [False, True])
def test_a_lokr_changes_the_weights_by_its_kronecker_product(low: bool, small: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    out, into = small.get_submodule(QUERY).weight.shape
    first, second = torch.randn(4, 4), torch.randn(out // 4, 1) @ torch.randn(1, into // 4)
    theirs = {"diffusion_model.blocks.0.self_attn.q.lokr_w1": first}
    if low:
        left, right = torch.randn(out // 4, 1), torch.randn(1, into // 4)
        second = left @ right
        theirs |= {"diffusion_model.blocks.0.self_attn.q.lokr_w2_a": left,
                   "diffusion_model.blocks.0.self_attn.q.lokr_w2_b": right}  # fmt: skip
    else:
        alpha = torch.tensor(1e10)  # two whole factors have none, whatever stands there
        theirs |= {"diffusion_model.blocks.0.self_attn.q.lokr_w2": second,
                   "diffusion_model.blocks.0.self_attn.q.alpha": alpha}  # fmt: skip
    weights = seen(theirs, small, tmp_path)
    x = torch.randn(3, into)
    before = small.get_submodule(QUERY)(x)
    small.load_lora_adapter(weights, prefix=None, adapter_name="lokr")
    try:
        after = small.get_submodule(QUERY)(x)
    finally:
        small.unload_lora()
    assert torch.allclose(after - before, x @ torch.kron(first, second).T, atol=1e-3)


def test_tensors_that_play_no_role_are_counted(small: Any, one: Weights, tmp_path: Path) -> None:
    whole = {"diffusion_model.patch_embedding.weight": torch.zeros(4, 4), "dwpose.0.weight": torch.zeros(4, 4),
             "dwpose.0.bias": torch.zeros(4), "some_setting": torch.tensor(1.0)}  # fmt: skip
    assert equal(seen(one | whole, small, tmp_path), one)
    assert read_lora(tmp_path / "a.safetensors").omits == {"other layers": 2}


def test_layers_of_a_sibling_are_left_out(small: Any, one: Weights, tmp_path: Path) -> None:
    assert equal(seen(one | drawn({"vace_blocks.0.attn1.to_q": (8, 8)}), small, tmp_path), one)
    assert read_lora(tmp_path / "a.safetensors").special == {"vace": 1}


def test_a_bias_of_peft_is_scaled_and_a_difference_of_one_is_not(small: Any, one: Weights, tmp_path: Path) -> None:
    ones = torch.ones(len(one[f"{QUERY}.lora_B.weight"]))
    notes = {"lora_adapter_metadata": json.dumps({"transformer.r": 4, "transformer.lora_alpha": 8})}
    for name, value in {f"{QUERY}.lora_B.bias": 2.0, f"{QUERY}.diff_b": 1.0}.items():
        assert torch.equal(seen(one | {name: ones}, small, tmp_path, notes)[f"{QUERY}.lora_B.bias"], ones * value)


def test_matrices_and_a_whole_difference_of_one_layer_add_up(small: Any, one: Weights, tmp_path: Path) -> None:
    whole = torch.randn_like(small.get_submodule(QUERY).weight)
    found = seen(one | {f"{QUERY}.diff": whole}, small, tmp_path)
    assert torch.allclose(change(small, found, QUERY), change(small, one, QUERY) + whole, atol=1e-4)


def test_what_a_loha_takes_beside_the_model_is_counted(small: Any, tmp_path: Path) -> None:
    out, into = small.get_submodule(QUERY).weight.shape
    parts = {"hada_w1_a": (out, 4), "hada_w1_b": (4, into), "hada_w2_a": (out, 4), "hada_w2_b": (4, into)}
    found = seen({f"{QUERY}.{name}": torch.randn(*shape) for name, shape in parts.items()}, small, tmp_path)
    applied = 2 * sum(tensor.numel() for tensor in found.values())
    assert read_lora(tmp_path / "a.safetensors").applied_gb == pytest.approx(applied / 1e9)


# ---- what is refused ----


def test_a_lokr_over_several_layers_is_refused_when_it_is_taken_in(tmp_path: Path) -> None:
    factors = {"lokr_w1": torch.zeros(4, 4), "lokr_w2": torch.zeros(24, 8)}
    named = {f"lora_unet_double_blocks_0_img_attn_qkv.{name}": tensor for name, tensor in factors.items()}
    save_file(named, tmp_path / "a.safetensors")
    with pytest.raises(BadFile, match="a LoKr over several layers at once, a kind"):
        read_lora(tmp_path / "a.safetensors")


@pytest.mark.parametrize("shape", [(), (4,)])
def test_a_matrix_that_is_none_is_refused(shape: tuple[int, ...], one: Weights, tmp_path: Path) -> None:
    save_file(one | {f"{QUERY}.lora_A.weight": torch.zeros(shape)}, tmp_path / "a.safetensors")
    with pytest.raises(BadFile, match="is damaged"):
        read_lora(tmp_path / "a.safetensors")


def test_a_name_without_end_is_refused_at_once(one: Weights, tmp_path: Path) -> None:
    save_file(one | {"dit." * 50_000 + "x.lora_A.weight": torch.zeros(2, 2)}, tmp_path / "a.safetensors")
    with pytest.raises(BadFile, match="cannot be read"):
        read_lora(tmp_path / "a.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused_with_the_likely_cause(
    value: float, small: Any, one: Weights, tmp_path: Path
) -> None:
    one[f"{QUERY}.lora_B.weight"][0, 0] = value
    with pytest.raises(BadFile, match="some of its numbers overflowed"):
        seen(one, small, tmp_path)


FOREIGN = {"dora_scale": "DoRA", "oft_blocks": "OFT", "lora_mid.weight": "LoCon"}


@pytest.mark.parametrize("mark", FOREIGN)
def test_a_kind_that_cannot_be_applied_is_refused_by_its_name(mark: str, one: Weights, tmp_path: Path) -> None:
    save_file(one | {f"{QUERY}.{mark}": torch.zeros(2, 2)}, tmp_path / "a.safetensors")
    with pytest.raises(BadFile, match=f"a {FOREIGN[mark]}, a kind"):
        read_lora(tmp_path / "a.safetensors")


def test_a_matrix_without_its_partner_is_refused_when_it_is_taken_in(one: Weights, tmp_path: Path) -> None:
    del one[f"{QUERY}.lora_B.weight"]
    save_file(one, tmp_path / "a.safetensors")
    with pytest.raises(BadFile, match="is damaged: a part of"):
        read_lora(tmp_path / "a.safetensors")


def test_a_file_with_both_halves_gives_each_transformer_its_own(small: Any, one: Weights, tmp_path: Path) -> None:
    other = {key: value + 1 for key, value in one.items()}
    for high in ("transformer_1.", "transformer."):
        both = {f"{high}{key}": value for key, value in one.items()}
        both |= {f"transformer_2.{key}": value for key, value in other.items()}
        save_file({f"diffusion_model.{key}": value for key, value in both.items()}, tmp_path / "a.safetensors")
        assert read_lora(tmp_path / "a.safetensors").has_both
        for part, mine in (("transformer", one), ("transformer_2", other)):
            assert equal(lora_tensors.read(tmp_path / "a.safetensors", small, part, "a"), mine)


LONG = f"blocks.{'9' * 5000}.attn1.to_q.lora_A.weight"  # Python refuses to read such a number


def test_names_of_a_stranger_never_stop_the_reader(tmp_path: Path) -> None:
    """Every cut and every swap of a good name is read or refused in words."""
    good = "lora_unet_double_blocks_19_img_attn_qkv.lora_down.weight"
    names = {good[:cut] + good[-rest:] for cut in range(0, len(good), 3) for rest in range(1, 20, 4)}
    for name in names | {
        "." * 300,
        "blocks." * 90,
        "_" * 500,
        "lora_A",
        f"blocks.{'9' * 5000}.attn1.to_q.lora_A.weight",
        ".alpha",
        "#.lora_A.weight",
    }:
        shapes: dict[str, tuple[int, ...]] = {name: (4, 8), name.replace("down", "up"): (8, 4)}
        try:
            readings = layout.read(shapes)
        except layout.Unreadable as why:
            assert str(why)
        else:
            assert all(
                re.fullmatch(r"[\w.]*", change.place.name) for one in readings.values() for change in one.changes
            )


def test_a_lora_worn_in_two_layouts_gives_the_same_weights(small: Any, one: Weights, tmp_path: Path) -> None:
    """Not only what is read is the same: what peft makes of it."""
    x, found = torch.randn(2, one[f"{QUERY}.lora_A.weight"].shape[1]), []
    for theirs in (one, kohya(original_wan(one), alpha=4)):
        small.load_lora_adapter(seen(theirs, small, tmp_path), prefix=None, adapter_name="a")
        found.append(small.get_submodule(QUERY)(x))
        small.unload_lora()
    assert torch.equal(*found)
