"""What LoRA files say of themselves, matched against the real cards; how pairs join; what is refused, in words."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from engine import APP, BadFile, BadSetting, Engine, LoraUse, Request, read_lora
from engine.schema import Device, HardwareProfile, ShotPlan
from engine.schema.errors import UnknownName
from engine.storage.catalog import Catalog
from engine.weights.lora.matching import made_for
from tests.conftest import PROMPT

CARDS = list(Catalog(APP / "presets" / "models").cards.values())


def write(
    path: Path, modules: list[str], width: int, notes: dict[str, str] | None = None, down: str = "lora_A"
) -> Path:
    """A LoRA of rank 2 for these modules, whose queries read `width` numbers."""
    up = down.replace("A", "B").replace("down", "up")
    parts = {f"{name}.{down}.weight": np.zeros((2, width), np.float16) for name in modules}
    parts |= {f"{name}.{up}.weight": np.zeros((width, 2), np.float16) for name in modules}
    path.parent.mkdir(exist_ok=True)
    save_file(parts, path, metadata=notes)
    return path


def wan(path: Path, width: int = 5120, last: int = 39, notes: dict[str, str] | None = None) -> Path:
    return write(path, [f"transformer.blocks.{block}.attn1.to_q" for block in (0, last)], width, notes)


# layout, names of a first and a last part, width, how matrices are called, a model it is made for, one it is not for
SEEN = {
    "wan, diffusers": (["transformer.blocks.0.attn1.to_q", "transformer.blocks.39.ffn.net.0.proj"], 5120, "lora_A",
                       "wan2.1-t2v-14b", "wan2.1-t2v-1.3b"),
    "wan, original": (["diffusion_model.blocks.0.self_attn.q", "diffusion_model.blocks.29.cross_attn.k"], 1536,
                      "lora_down", "wan2.1-t2v-1.3b", "wan2.2-ti2v-5b"),
    "wan, kohya": (["lora_unet_blocks_0_self_attn_q", "lora_unet_blocks_29_ffn_0"], 3072, "lora_down",
                   "wan2.2-ti2v-5b", "wan2.1-t2v-14b"),
    "hunyuan, diffusers": (["transformer.transformer_blocks.19.attn.to_q",
                            "transformer.single_transformer_blocks.39.attn.to_q"], 3072, "lora_A",
                           "hunyuanvideo-t2v-13b", "hunyuanvideo1.5-t2v-480p"),
    "hunyuan, original": (["diffusion_model.double_blocks.19.img_attn_qkv",
                           "diffusion_model.single_blocks.39.linear1"], 3072, "lora_A", "hunyuanvideo-t2v-13b",
                          "mochi-1-preview"),
    "hunyuan 1.5": (["transformer.transformer_blocks.53.attn.to_q"], 2048, "lora_A", "hunyuanvideo1.5-t2v-720p",
                    "hunyuanvideo-t2v-13b"),
    "ltx 2b": (["diffusion_model.transformer_blocks.27.attn1.to_q", "diffusion_model.transformer_blocks.0.attn2.to_k"],
               2048, "lora_A", "ltx-video-2b-0.9.5", "ltx-video-13b-0.9.7-dev"),
    "ltx-2": (["diffusion_model.transformer_blocks.47.attn1.to_q",
               "diffusion_model.transformer_blocks.0.video_to_audio_attn.to_k"], 4096, "lora_A", "ltx-2",
              "ltx-video-13b-0.9.7-dev"),
    "cogvideox 5b": (["transformer.transformer_blocks.41.attn1.to_q"], 3072, "lora_A", "cogvideox-5b",
                     "mochi-1-preview"),
    "mochi": (["transformer.transformer_blocks.47.attn1.to_q", "transformer.transformer_blocks.0.attn1.add_q_proj"],
              3072, "lora_A", "mochi-1-preview", "cogvideox-5b"),
    "kandinsky 5": (["transformer.visual_transformer_blocks.31.self_attention.to_query"], 1792, "lora_A",
                    "kandinsky5-lite-t2v-5s", "wan2.1-t2v-14b"),
}  # fmt: skip


@pytest.mark.parametrize("seen", SEEN)
def test_a_file_tells_which_models_it_is_made_for(seen: str, tmp_path: Path) -> None:
    modules, width, down, fits, not_for = SEEN[seen]
    lora = read_lora(write(tmp_path / "mine.safetensors", modules, width, down=down))
    ids = {card.id for card in made_for(lora, CARDS)}
    assert fits in ids and not_for not in ids
    assert lora.rank == 2 and lora.layers and not lora.omits


@pytest.mark.parametrize(
    "typed", ["{} <lora:rain:0.7>", "<lora:rain.safetensors:0.7> {}", "{} <LoRA: Rain :0.7:0.7>", "{}<lora:rain:.7>"]
)
def test_a_lora_typed_into_the_prompt_is_chosen_and_taken_out_of_it(
    typed: str, engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    name = engine.keep_lora(wan(tmp_path / "rain.safetensors")).id
    request = Request(prompt=typed.format(PROMPT), model="wan2.1-t2v-14b", seed=1)
    made = engine.plan(request, machine)
    assert made.request.prompt == PROMPT and "lora" not in made.told
    assert [(lora.strength, lora.parts) for lora in made.loras] == [(0.7, {"transformer": name})]


def test_a_typed_lora_that_is_not_here_is_said(engine: Engine, machine: HardwareProfile) -> None:
    with pytest.raises(BadSetting, match="The prompt names the LoRA 'snow', which is not on this computer"):
        engine.plan(Request(prompt=f"{PROMPT} <lora:snow:1>", seed=1), machine)


def test_a_file_of_an_unknown_model_is_made_for_none(tmp_path: Path) -> None:
    lora = read_lora(write(tmp_path / "sdxl.safetensors", ["lora_unet_down_blocks_1_attentions_0_proj_in"], 640))
    assert made_for(lora, CARDS) == []


def test_an_image_lora_needs_a_model_that_starts_from_a_picture(tmp_path: Path) -> None:
    images = [f"transformer.blocks.{block}.attn2.add_{one}_proj" for block in (0, 39) for one in "kv"]
    names = ["transformer.blocks.39.attn1.to_q", *images]
    ids = {card.id for card in made_for(read_lora(write(tmp_path / "i2v.safetensors", names, 5120)), CARDS)}
    assert {"wan2.1-i2v-14b-480p", "wan2.2-i2v-a14b"} <= ids and "wan2.1-t2v-14b" not in ids


def test_what_a_model_without_an_image_encoder_leaves_out_is_said(
    engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    images = [f"transformer.blocks.{block}.attn2.add_{one}_proj" for block in (0, 39) for one in "kv"]
    names = ["transformer.blocks.39.attn1.to_q", *images]
    name = engine.keep_lora(write(tmp_path / "i2v.safetensors", names, 5120)).id
    Image.new("RGB", (640, 400)).save(tmp_path / "a.png")
    given = {"image": engine.media.keep_picture(tmp_path / "a.png")}
    request = Request(prompt=PROMPT, model="wan2.2-i2v-a14b", seed=1, loras=(LoraUse(id=name),), pictures=given)
    made = engine.plan(request, machine)
    assert any("of the LoRA 'i2v': layers for an image encoder (4)" in reason for reason in made.reasons)


def test_words_and_licence_come_from_its_notes_as_one_plain_line(tmp_path: Path) -> None:
    notes = {"modelspec.trigger_phrase": "clay\x1b[31m\nstyle " + "x" * 5000, "modelspec.license": "CC-BY-NC-4.0"}
    lora = read_lora(wan(tmp_path / "clay.safetensors", notes=notes))
    assert lora.trigger_words.startswith("clay [31m style x") and len(lora.trigger_words) == 200
    assert lora.licence == "CC-BY-NC-4.0"


def test_the_notes_tell_ltx_from_ltx_2(tmp_path: Path) -> None:
    names = ["diffusion_model.transformer_blocks.47.attn1.to_q", "diffusion_model.transformer_blocks.47.attn2.to_q"]
    file = write(tmp_path / "ltx.safetensors", names, 4096, {"modelspec.architecture": "ltx-2-19b/lora"})
    assert read_lora(write(tmp_path / "bare.safetensors", names, 4096)).families == ("ltx", "ltx2")
    assert read_lora(file).families == ("ltx2",)


# Names of pairs as people share them.
PAIRS = [
    ("wan2.2_t2v_lightx2v_4steps_lora_v1.1_{}_noise", "high", "low"),
    ("Wan22_A14B_T2V_{}_Lightning_4steps_lora_250928_rank128_fp16", "HIGH", "LOW"),
    ("Wan2.2-Lightning_T2V-v1.1-A14B-4steps-lora_{}_fp16", "HIGH", "LOW"),
    ("Wan2.2-T2V-A14B-4steps-lora-rank64-Seko-V1.1_{}_noise_model", "high", "low"),
    ("SVI_Wan2.2-I2V-A14B_{}_noise_lora_v2.0_pro", "high", "low"),
    ("Wan2.2-Fun-A14B-InP-{}-noise-HPS2.1", "high", "low"),
    ("v2 {}_noise_model_rank64", "high", "low"),
    ("clay_I2V_14B_{}", "HIGH", "LOW"),
    ("clay_I2V_14b_{}Noise", "High", "Low"),
    ("clay-22-{}-e8", "H", "L"),
    ("Bounce{}Wan2_2", "High", "Low"),
    ("W22_{}_i2v_clay_v1", "HN", "LN"),
    ("clay_{}_75", "hn", "ln"),
    ("wan22-video10-arcshot-16-sel-7-{}", "high", "low"),
    ("clay_i2v_{}_e020", "high", "low"),
    ("Wan2.2 - I2V - Clay - {} 14B", "HIGH", "LOW"),
    ("lightning_{}", "high", "low"),
    ("wan22-clay-{}-k3nk", "high", "low"),
]
COUNTED = [
    ("Wan22_HIGH_Lightning_4steps_lora_250928_rank128_fp16", "Wan22_LOW_Lightning_4steps_lora_250928_rank64_fp16"),
    ("wan22-clay-100epoc-high-k3nk", "wan22-clay-154epoc-low-k3nk"),
    ("clay_000005000_high_noise", "clay_000002750_low_noise"),
]  # fmt: skip


@pytest.mark.parametrize(("high", "low"), [*((name.format(a), name.format(b)) for name, a, b in PAIRS), *COUNTED])
def test_the_halves_of_a_pair_are_known_by_their_names_and_joined(
    high: str, low: str, engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    ids = [engine.keep_lora(wan(tmp_path / f"{name}.safetensors", notes={"is": name})).id for name in (high, low)]
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=ids[1]))
    assert made.loras[0].parts == {"transformer": ids[0], "transformer_2": ids[1]}


def test_a_folder_tells_the_half_of_a_file_whose_name_says_nothing(tmp_path: Path) -> None:
    lora = read_lora(wan(tmp_path / "Wan2.2-T2V-A14B_high_noise_lora" / "epoch-4.safetensors"))
    assert (lora.name, lora.noise) == ("Wan2.2-T2V-A14B_high_noise_lora/epoch-4", "high")


HALVES = {"rain_high_noise": "high", "rain-LowNoise": "low", "Wan22_rain_HIGH": "high", "rain_ln": "low",
          "slow_rain": "", "highlands": "", "low_light": "",
          "high-contrast film": "", "Low poly style v2": "", "TinyShallow_7_7": "", "lowvram": "",
          "high_and_low_noise": "", "H264 look": ""}  # fmt: skip


@pytest.mark.parametrize("name", HALVES)
def test_the_name_tells_the_half_of_a_pair(name: str, tmp_path: Path) -> None:
    assert read_lora(wan(tmp_path / f"{name}.safetensors")).noise == HALVES[name]


def header(text: bytes, tail: bytes = b"") -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(struct.pack("<Q", len(text)) + text + tail), None)[1]  # type: ignore[func-returns-value]


def one(**changes: object) -> bytes:
    said = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]} | changes
    return json.dumps({"transformer.blocks.0.attn1.to_q.lora_A.weight": said}).encode()


HOSTILE: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.write_bytes(b""),
    "a pickle": lambda path: path.write_bytes(b"\x80\x04\x95" + b"x" * 100),
    "a header of 4 exabytes": lambda path: path.write_bytes(struct.pack("<Q", 2**62) + b"{}"),
    "a header of 100 MB": lambda path: path.write_bytes(struct.pack("<Q", 10**8) + b" " * 1000),
    "brackets without end": header(b"[" * 200_000),
    "not JSON": header(b"{'transformer'"),
    "offsets beyond the file": header(one(data_offsets=[0, 10**9])),
    "a shape that lies": header(one(shape=[10**9, 10**9]), b"0" * 16),
    "a negative shape": header(one(shape=[-2, -2]), b"0" * 16),
    "cut short": header(one(), b"0" * 8),
    "no LoRA": lambda path: save_file({"x": np.zeros(3, np.float32)}, path),
    "a LoKr": lambda path: save_file({"lora_unet_blocks_0_self_attn_q.lokr_w1": np.zeros((2, 2), np.float32)}, path),
    "a DoRA": lambda path: save_file({"transformer.blocks.0.attn1.to_q.dora_scale": np.zeros(2, np.float32)}, path),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_or_foreign_file_gets_one_sentence_and_is_not_kept(hostile: str, tmp_path: Path) -> None:
    HOSTILE[hostile](tmp_path / "bad.safetensors")
    with Engine(tmp_path / "home") as engine, pytest.raises(BadFile) as refusal:
        engine.keep_lora(tmp_path / "bad.safetensors")
    assert "bad.safetensors" in refusal.value.cause and "\n" not in refusal.value.cause
    assert not list((tmp_path / "home").rglob("*bad*")) and not list((tmp_path / "home" / "loras").glob("*.*"))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "home")


@pytest.fixture
def pair(engine: Engine, tmp_path: Path) -> list[str]:
    """The ids of the two halves of a LoRA for Wan 2.2, kept."""
    names = ("rain_high_noise", "rain_low_noise")
    return [engine.keep_lora(wan(tmp_path / f"{name}.safetensors", notes={"half": name})).id for name in names]


def plan_of(engine: Engine, machine: HardwareProfile, model: str, *uses: LoraUse):  # type: ignore[no-untyped-def]
    return engine.plan(Request(prompt=PROMPT, model=model, seed=1, loras=uses), machine)


@pytest.mark.parametrize("chosen", [(0,), (1,), (0, 1), (1, 0)])
def test_a_pair_is_joined_whichever_half_was_chosen(
    chosen: tuple[int, ...], engine: Engine, pair: list[str], machine: HardwareProfile
) -> None:
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", *(LoraUse(id=pair[half], strength=0.7) for half in chosen))
    (lora,) = made.loras
    assert lora.parts == {"transformer": pair[0], "transformer_2": pair[1]} and lora.strength == 0.7
    assert made.request.loras == (LoraUse(id=pair[0], low=pair[1], strength=0.7, name="rain_high_noise"),)


def test_a_pair_has_one_strength(engine: Engine, pair: list[str], machine: HardwareProfile) -> None:
    with pytest.raises(BadSetting, match="same strength"):
        plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=pair[0]), LoraUse(id=pair[1], strength=0.5))


def test_a_half_without_its_other_acts_on_its_own_steps_and_says_so(
    engine: Engine, pair: list[str], machine: HardwareProfile
) -> None:
    engine.loras.remove(pair[0])
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=pair[1]))
    assert made.loras[0].parts == {"transformer_2": pair[1]}
    assert any("late steps only" in reason for reason in made.reasons)


def test_a_lora_without_halves_is_worn_by_both_transformers(
    engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    name = engine.keep_lora(wan(tmp_path / "rain.safetensors")).id
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=name))
    assert made.loras[0].parts == {"transformer": name, "transformer_2": name}


def test_a_wrong_model_is_refused_with_the_right_one_and_without_keys(
    engine: Engine, pair: list[str], machine: HardwareProfile
) -> None:
    with pytest.raises(BadSetting) as refusal:
        plan_of(engine, machine, "mochi-1-preview", LoraUse(id=pair[0]))
    assert "is made for Wan 2.1" in refusal.value.cause and "not for Mochi 1" in refusal.value.cause
    assert "blocks" not in str(refusal.value)


def test_what_a_person_said_of_a_lora_outlives_that_it_is_taken_in_again(engine: Engine, tmp_path: Path) -> None:
    path = wan(tmp_path / "rain.safetensors")
    engine.loras.set_half(engine.keep_lora(path).id, "low")
    assert engine.keep_lora(path).noise == "low" and [file.noise for file in engine.loras.kept()] == ["low"]


def test_a_half_can_be_changed_by_hand(engine: Engine, pair: list[str], machine: HardwareProfile) -> None:
    engine.loras.set_half("rain_low_noise", "both")
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=pair[1]))
    assert made.loras[0].parts == {"transformer": pair[1], "transformer_2": pair[1]}
    engine.loras.set_half("rain_low_noise", "high")
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=pair[1]))
    assert made.loras[0].parts == {"transformer": pair[1]}


def test_a_lora_without_a_half_says_that_it_acts_on_all_steps(
    engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    name = engine.keep_lora(wan(tmp_path / "low_light.safetensors")).id
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=name))
    assert any("does not say which half of a pair it is: it acts on all steps" in reason for reason in made.reasons)


def in_two_folders(engine: Engine, folder: Path, name: str = "{}_noise_model") -> dict[str, str]:
    """Two pairs whose files have the same names, kept; ids by folder and half."""
    return {
        f"{kind} {half}": engine.keep_lora(
            wan(folder / kind / f"{name.format(half)}.safetensors", notes={"is": f"{kind} {half}"})
        ).id
        for kind in ("T2V", "I2V")
        for half in ("high", "low")
    }


@pytest.mark.parametrize("name", ["{}_noise_model", "rain_{}_noise"])
@pytest.mark.parametrize("kind", ["T2V", "I2V"])
def test_pairs_of_the_same_names_are_joined_by_their_folders(
    kind: str, name: str, engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    ids = in_two_folders(engine, tmp_path, name)
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=ids[f"{kind} high"]))
    assert made.loras[0].parts == {"transformer": ids[f"{kind} high"], "transformer_2": ids[f"{kind} low"]}


def test_halves_that_were_chosen_together_are_joined_whatever_else_is_there(
    engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    ids = in_two_folders(engine, tmp_path, "rain_{}_noise")
    made = plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=ids["T2V high"]), LoraUse(id=ids["I2V low"]))
    assert made.loras[0].parts == {"transformer": ids["T2V high"], "transformer_2": ids["I2V low"]}


def test_several_files_that_may_be_the_other_half_are_asked_about(
    engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    ids = in_two_folders(engine, tmp_path, "rain_{}_noise")
    alone = engine.keep_lora(wan(tmp_path / "new" / "rain_high_noise.safetensors", notes={"is": "new"})).id
    with pytest.raises(BadSetting, match="could each be the other half of 'rain_high_noise'"):
        plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=alone))
    assert plan_of(engine, machine, "wan2.2-t2v-a14b", LoraUse(id=alone), LoraUse(id=ids["T2V low"])).loras


def test_a_lora_that_an_older_version_kept_is_read_again(engine: Engine, tmp_path: Path) -> None:
    kept = engine.keep_lora(wan(tmp_path / "rain_HIGH_v2.safetensors"))
    record = tmp_path / "home" / "loras" / f"{kept.id}.json"
    old = {"id": kept.id, "name": kept.name, "families": ["wan"], "layout": "diffusers", "width": 5120, "blocks": 40,
           "rank": 2, "sees_image": False, "noise": "", "left_out": 3, "trigger_words": "", "licence": "MIT",
           "size_gb": 0.1}  # fmt: skip
    record.write_text(json.dumps({"file": old, "hub": "", "origin": "", "bytes": 0, "modified_ns": 0}))
    (found,) = engine.loras.kept()
    assert (found.id, found.name, found.noise, found.licence) == (kept.id, kept.name, "high", "MIT")
    assert '"reading"' in record.read_text()


@pytest.mark.parametrize("uses", [[9.0], [1.0, 1.0]])
def test_a_strength_out_of_range_and_a_lora_chosen_twice_are_refused(
    uses: list[float], engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    name = engine.keep_lora(wan(tmp_path / "rain.safetensors")).id
    with pytest.raises(BadSetting):
        plan_of(engine, machine, "wan2.1-t2v-14b", *(LoraUse(id=name, strength=strength) for strength in uses))


def test_a_plan_says_the_licence_and_a_streamed_one_that_a_switch_reloads(
    engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    name = engine.keep_lora(wan(tmp_path / "rain.safetensors", notes={"license": "CC-BY-4.0"})).id
    card = machine.best.model_copy(
        update={"id": "cuda:0", "kind": "cuda", "vram_gb": 24, "vram_free_gb": 23, "compute_capability": "8.9"}
    )
    large = machine.model_copy(update={"devices": (card, machine.best), "ram_gb": 128, "ram_free_gb": 120})
    request = Request(prompt=PROMPT, model="wan2.1-t2v-14b", seed=1, loras=(LoraUse(id=name),), offload="group")
    made = engine.plan(request, large)
    assert made.fused and any("loads the model again" in reason for reason in made.reasons)
    assert made.loras[0].licence == "CC-BY-4.0"


def test_a_forecast_counts_what_is_worn(engine: Engine, machine: HardwareProfile, tmp_path: Path) -> None:
    names = [f"transformer.blocks.{block}.attn1.to_q" for block in range(40)]
    file = engine.keep_lora(write(tmp_path / "large.safetensors", names, 5120))
    worn, none = (
        plan_of(engine, machine, "wan2.1-t2v-14b", LoraUse(id=file.id, strength=strength)) for strength in (1.0, 0.0)
    )
    assert worn.forecast.ram_gb == pytest.approx(none.forecast.ram_gb + file.size_gb, abs=0.001)
    assert file.size_gb > 0.001 and worn.forecast.vram_gb == none.forecast.vram_gb == 0


def test_a_large_lora_counts_where_the_model_is_placed(
    engine: Engine, machine: HardwareProfile, tmp_path: Path
) -> None:
    kept = engine.keep_lora(wan(tmp_path / "rain.safetensors"))
    record = tmp_path / "home" / "loras" / f"{kept.id}.json"
    said = json.loads(record.read_text())
    said["file"]["size_gb"] = 5.0
    record.write_text(json.dumps(said))

    def on_a_card(vram_gb: float, *uses: LoraUse) -> ShotPlan:
        card = Device(id="cuda:0", name="a card", vram_gb=vram_gb, vram_free_gb=vram_gb, compute_capability="8.9")
        large = machine.model_copy(update={"devices": (card, machine.best), "ram_gb": 256, "ram_free_gb": 250})
        return plan_of(engine, large, "wan2.1-t2v-14b", *uses)

    def whole(plan: ShotPlan) -> bool:
        return plan.placement.offload == "resident" and plan.placement.precision == "full"

    just = next(gb for gb in range(24, 96) if whole(on_a_card(gb)))
    worn = on_a_card(just, LoraUse(id=kept.id))
    assert not whole(worn) and worn.forecast.vram_gb <= just
    assert on_a_card(just, LoraUse(id=kept.id, strength=0)).placement == on_a_card(just).placement


def test_a_lora_that_is_not_here_is_named(engine: Engine, machine: HardwareProfile) -> None:
    with pytest.raises(BadFile, match="'rain' of this shot is not on this computer"):
        plan_of(engine, machine, "wan2.1-t2v-14b", LoraUse(id="0" * 32, name="rain"))


def test_a_shared_lora_is_listed_and_used_where_it_lies(engine: Engine, tmp_path: Path) -> None:
    file = wan(tmp_path / "comfy" / "rain.safetensors")
    engine.loras.share([tmp_path / "comfy"])
    ((path, said),) = engine.loras.shared()
    kept = engine.keep_lora(path)
    assert (path, said.name) == (file, "rain") and engine.loras.path(kept.id) == file
    assert not list((tmp_path / "home" / "loras").glob("*.safetensors"))
    wan(file, last=38)
    with pytest.raises(BadFile, match="has changed since it was chosen"):
        engine.loras.path(kept.id)


def test_removing_a_shared_lora_leaves_its_file(engine: Engine, tmp_path: Path) -> None:
    file = wan(tmp_path / "comfy" / "rain.safetensors")
    engine.loras.share([tmp_path / "comfy"])
    engine.keep_lora(file)
    engine.loras.remove("rain")
    assert file.is_file() and engine.loras.kept() == []
    with pytest.raises(UnknownName):
        engine.loras.find("rain")
