"""What people bring, a second time: kinds of files that a stranger tried and that were read wrongly, each made here."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import Linear
from PIL import Image, ImageCms
from safetensors.torch import save_file

from engine import BadFile, BadSetting, Engine, LoraUse, Request, read_lora, read_recipe
from engine.install.downloads import hub_lora
from engine.media import mistaken_files
from engine.media.videos import Shown, sampled, video_path, write
from engine.schema import PlannedLora
from engine.weights.lora import pairs
from engine.worker.loading import lora_tensors
from engine.worker.loading.lora_adapters import _change
from tests.engine.test_lora_layouts import QUERY, linear, transformer
from ui.commands.options import _keyframe

__all__ = ["transformer"]  # the fixture
ONE = "1" * 32
A14B = [f"blocks.{block}.attn1.to_q" for block in (0, 39)]


@pytest.fixture
def studio(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "home")


def lora(path: Path, names: list[str], width: int = 5120, rank: int = 4, **more: torch.Tensor) -> Path:
    halves = {f"{name}.lora_A.weight": torch.ones(rank, width) for name in names}
    halves |= {f"{name}.lora_B.weight": torch.ones(width, rank) for name in names}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves | more, path)
    return path


# ---- LoRAs ----


@pytest.mark.parametrize(("alpha", "rslora"), [(4, False), (16, False), (16, True)])
def test_a_lora_as_peft_saves_it_has_pefts_own_strength(
    studio: Engine, tmp_path: Path, transformer: Callable[[str], torch.nn.Module], alpha: int, rslora: bool
) -> None:
    settings = LoraConfig(r=4, lora_alpha=alpha, use_rslora=rslora, target_modules=["to_q"], init_lora_weights=False)
    small = torch.nn.ModuleDict({"blocks": torch.nn.ModuleList([torch.nn.ModuleDict({"attn1": torch.nn.ModuleDict(
        {"to_q": torch.nn.Linear(24, 24)})})])})  # fmt: skip
    torch.manual_seed(1)
    trained = get_peft_model(small, settings)
    trained.save_pretrained(tmp_path / "My face")
    kept = studio.keep_lora(tmp_path / "My face" / "adapter_model.safetensors")
    assert "My face" in kept.name and kept.came_from.endswith("My face")
    read = lora_tensors.read(studio.loras.path(kept.id), transformer("wan"), "transformer", "a")
    layer = trained.base_model.model.blocks[0].attn1.to_q
    assert isinstance(layer, Linear)
    ours = read["blocks.0.attn1.to_q.lora_B.weight"] @ read["blocks.0.attn1.to_q.lora_A.weight"]
    assert torch.allclose(ours, layer.get_delta_weight("default"), atol=1e-6)
    assert not list((tmp_path / "home" / "loras").glob("*.part"))


@pytest.mark.parametrize("prefix", ["transformer_2.", "dit2.", "pipe.dit2.", "low_noise_model."])
def test_a_file_of_the_second_transformer_alone_is_worn_there_alone(
    studio: Engine, tmp_path: Path, prefix: str
) -> None:
    kept = studio.keep_lora(lora(tmp_path / "late.safetensors", [prefix + name for name in A14B]))
    asked = Request(prompt="a red ball", model="wan2.2-t2v-a14b", loras=(LoraUse(id=kept.id),))
    plan = studio.plan(asked, studio.machine.known_machines()["rtx-4090"])
    assert plan.loras[0].parts == {"transformer_2": kept.id} and not kept.has_both
    assert any("acts on the late steps only" in reason for reason in plan.reasons)


def test_its_tensors_are_read_whatever_they_are_called(
    tmp_path: Path, transformer: Callable[[str], torch.nn.Module]
) -> None:
    weights = {f"transformer_2.{name}": tensor for name, tensor in linear(transformer("wan")).items()}
    save_file(weights, tmp_path / "a.safetensors")
    for part in ("transformer", "transformer_2"):
        assert lora_tensors.read(tmp_path / "a.safetensors", transformer("wan"), part, "a")


def test_whole_layers_of_norms_are_counted_once_and_nothing_is_left_out_0_times(tmp_path: Path) -> None:
    norm = {"blocks.0.norm2.w_norm": torch.ones(192), "blocks.0.norm2.b_norm": torch.ones(192)}
    assert all(read_lora(lora(tmp_path / "a.safetensors", [QUERY], 192, **norm)).omits.values())


@pytest.mark.parametrize("name", ["0", "2024_style", "стиль", "my-style.v2", "default"])
def test_an_adapter_may_be_called_anything(tmp_path: Path, name: str) -> None:
    halves = {f"{QUERY}.lora_A.{name}.weight": torch.ones(4, 192), f"{QUERY}.lora_B.{name}.weight": torch.ones(192, 4)}
    save_file(halves, tmp_path / "a.safetensors")
    assert read_lora(tmp_path / "a.safetensors").layers == 1


DAMAGED = {
    "ranks that differ": {f"{QUERY}.lora_A.weight": torch.ones(3, 192)},
    "four alphas": {f"{QUERY}.alpha": torch.ones(4)},
    "no alpha": {f"{QUERY}.alpha": torch.ones(0)},
    "a bias without a side": {f"{QUERY}.diff_b": torch.tensor(1.0)},
    "a difference without a side": {f"{QUERY}.diff": torch.tensor(1.0)},
    "a second LoRA": {f"{QUERY}.lora_A.two.weight": torch.ones(4, 192)},
    "whole numbers": {f"{QUERY}.lora_A.weight": torch.ones(4, 192, dtype=torch.int8)},
    "a LoHa of two ranks": {
        f"{QUERY}2.hada_w1_a": torch.ones(192, 4), f"{QUERY}2.hada_w1_b": torch.ones(3, 192),
        f"{QUERY}2.hada_w2_a": torch.ones(192, 4), f"{QUERY}2.hada_w2_b": torch.ones(4, 192),
    },
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_layer_is_refused_when_the_file_is_brought(tmp_path: Path, damage: str) -> None:
    with pytest.raises(BadFile):
        read_lora(lora(tmp_path / "a.safetensors", [QUERY], 192, **DAMAGED[damage]))


@pytest.mark.parametrize("factors", [{"lokr_w1": (16, 16), "lokr_w2": (13, 12)},
                                     {"lokr_w1_a": (8, 4), "lokr_w1_b": (4, 8), "lokr_w2": (3, 3)},
                                     {"lokr_w1": (5, 5), "lokr_w2": (5, 5)}])  # fmt: skip
def test_kronecker_factors_that_cannot_be_placed_are_a_sentence(
    tmp_path: Path, transformer: Callable[[str], torch.nn.Module], factors: dict[str, tuple[int, ...]]
) -> None:
    model = transformer("wan")
    save_file({f"blocks.0.attn1.to_q.{name}": torch.ones(shape) for name, shape in factors.items()},
              tmp_path / f"{ONE}.safetensors")  # fmt: skip
    plan = Engine(tmp_path / "home").plan(Request(prompt="a red ball"))
    worn = {ONE: PlannedLora(name="one", strength=1.0, parts={"transformer": ONE})}
    pipe = type("Pipe", (), {"transformer": model})()
    with pytest.raises(BadFile, match="has no place in this model"):
        _change(pipe, "transformer", worn, (plan, tmp_path))


def test_a_header_that_carries_more_than_weights_is_called_so(tmp_path: Path) -> None:
    file = lora(tmp_path / "a.safetensors", [QUERY], 192)
    save_file({f"{QUERY}.lora_A.weight": torch.ones(4, 192)}, file, {"modelspec.thumbnail": "x" * 17_000_000})
    with pytest.raises(BadFile, match="header is longer"):
        read_lora(file)


# ---- pairs ----


@pytest.mark.parametrize(("name", "half"), [
    ("wan22_high_quality_high_noise", "high"), ("wan22_high_quality_low_noise", "low"), ("High_Heels_LOW", "low"),
    ("low_poly_HIGH", "high"), ("low_rank_high_noise", "high"), ("L-shaped", ""), ("style-L-14b", "low"),
    ("wan22-high-mystyle", ""),
])  # fmt: skip
def test_the_surest_mark_of_a_name_counts(name: str, half: str) -> None:
    assert pairs.half(name) == half


@pytest.mark.parametrize(("high", "low"), [
    ("wan22-high-mystyle", "wan22-low-mystyle"), ("mystyleHN", "mystyleLN"), ("MYSTYLEHIGH", "MYSTYLELOW"),
    ("zoom_h", "zoom_l"), ("wan22_high_quality_high_noise", "wan22_high_quality_low_noise"),
    ("High_Heels_HIGH", "High_Heels_LOW"),
])  # fmt: skip
def test_two_files_chosen_together_whose_names_differ_in_a_mark_alone_are_a_pair(
    studio: Engine, tmp_path: Path, high: str, low: str
) -> None:
    kept = [studio.keep_lora(lora(tmp_path / f"{name}.safetensors", A14B, rank=4 + number)).id
            for number, name in enumerate((high, low))]  # fmt: skip
    for chosen in (kept, kept[::-1]):
        asked = Request(prompt="a red ball", model="wan2.2-t2v-a14b", loras=tuple(LoraUse(id=one) for one in chosen))
        (planned,) = studio.plan(asked, studio.machine.known_machines()["rtx-4090"]).loras
        assert planned.parts == {"transformer": kept[0], "transformer_2": kept[1]}


@pytest.mark.parametrize(("one", "other"), [("hat", "lat"), ("highway", "lowway"), ("high", "low"), ("a", "b")])
def test_names_that_differ_in_more_or_other_than_a_mark_are_no_pair(one: str, other: str) -> None:
    assert pairs.told_apart(one, other) is None


@pytest.mark.parametrize(("typed", "strength"), [
    ("", 1.0), (":0,8", 0.8), (":0.12345678901", 0.12345678901), (":-.5", -0.5), (": 2 ", 2.0), (":0.5:0.3", 0.5),
])  # fmt: skip
def test_a_typed_strength_is_read(studio: Engine, tmp_path: Path, typed: str, strength: float) -> None:
    kept = studio.keep_lora(lora(tmp_path / "boat.safetensors", [QUERY], 192))
    for name in ("boat", "styles/boat", "boat.safetensors"):
        plan = studio.plan(Request(prompt=f"a red ball <lora:{name}{typed}>"))
        assert [(one.parts["transformer"], one.strength) for one in plan.loras] == [(kept.id, strength)]


@pytest.mark.parametrize("typed", ["nan", "1e3", "1000", "strong", "-9"])
def test_a_typed_strength_that_is_none_is_refused(studio: Engine, tmp_path: Path, typed: str) -> None:
    studio.keep_lora(lora(tmp_path / "boat.safetensors", [QUERY], 192))
    with pytest.raises(BadSetting, match="not a strength"):
        studio.plan(Request(prompt=f"a red ball <lora:boat:{typed}>"))


# ---- pictures and videos ----


def kept_picture(studio: Engine, path: Path) -> np.ndarray:
    return np.asarray(Image.open(studio.places.media / f"{studio.media.keep_picture(path)}.png").convert("RGB"))


SLOPE = np.tile(np.linspace(0, 1, 64), (64, 1))


@pytest.mark.parametrize(("values", "kind"), [
    (SLOPE * 200, np.int32), (SLOPE * 0.01, np.float32), (SLOPE * 5000, np.uint16), (SLOPE * 90_000, np.int32),
    (SLOPE * 10 - 5, np.float32),
])  # fmt: skip
def test_depth_in_any_unit_is_seen(studio: Engine, tmp_path: Path, values: np.ndarray, kind: type) -> None:
    Image.fromarray(values.astype(kind)).save(tmp_path / "depth.tif")
    seen = kept_picture(studio, tmp_path / "depth.tif")
    assert seen.min() < 5 and seen.max() > 190


def test_a_dark_picture_of_16_bits_stays_dark(studio: Engine, tmp_path: Path) -> None:
    Image.fromarray((SLOPE * 16_000).astype(np.uint16)).save(tmp_path / "dark.tif")
    assert 55 < kept_picture(studio, tmp_path / "dark.tif").max() < 65


@pytest.mark.parametrize("value", [5.0, np.nan])
def test_depth_that_says_nothing_is_refused(studio: Engine, tmp_path: Path, value: float) -> None:
    Image.fromarray(np.full((64, 64), value, np.float32)).save(tmp_path / "flat.tif")
    with pytest.raises(BadFile):
        studio.media.keep_picture(tmp_path / "flat.tif")


def test_what_can_be_seen_through_stays_so_beside_a_profile_and_in_a_palette(studio: Engine, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.new("RGB", (64, 64), (0, 200, 0))
    picture.save(tmp_path / "a.png", icc_profile=profile, transparency=(0, 200, 0))
    assert kept_picture(studio, tmp_path / "a.png").min() == 255
    picture.quantize(4).save(tmp_path / "b.png", icc_profile=profile)
    assert abs(kept_picture(studio, tmp_path / "b.png")[5, 5].astype(int) - (0, 200, 0)).max() < 3


def test_what_can_be_seen_through_lies_on_the_colour_that_was_chosen(studio: Engine, tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(tmp_path / "a.png")
    frames = [Image.new("RGBA", (64, 64), (255, 0, 0, 255 * number)) for number in (0, 1)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=200)
    white, red = studio.media.keep_video(tmp_path / "a.gif"), studio.media.keep_video(tmp_path / "a.gif", "red")
    assert white != red and kept_picture(studio, tmp_path / "a.png").min() == 255
    studio.media.choose_background("lime")
    assert (kept_picture(studio, tmp_path / "a.png")[5, 5] == (0, 255, 0)).all()
    seen = {name: next(sampled(video_path(studio.places.media, name), 5, 1)).getpixel((5, 5)) for name in (white, red)}
    assert seen[white][1] > 240 and seen[red][0] > 240 and seen[red][1] < 20
    for text in ("", "no colour", "#12", "rgb(300,0,0)"):
        with pytest.raises(BadSetting, match="no colour"):
            studio.media.choose_background(text)
    assert studio.media.background == "#00ff00"


TURNED = {  # the matrix, and where the red, green, blue and white corner then are
    (1, 0, 0, 1): "rgbw", (-1, 0, 0, 1): "grwb", (1, 0, 0, -1): "bwrg", (-1, 0, 0, -1): "wbgr",
    (0, 1, -1, 0): "brwg", (0, -1, 1, 0): "gwrb", (0, 1, 1, 0): "rbgw", (0, -1, -1, 0): "wgbr", (0, 0, 0, 0): "rgbw",
}  # fmt: skip


@pytest.mark.parametrize("matrix", TURNED)
def test_a_video_is_turned_and_mirrored_as_players_show_it(
    studio: Engine, tmp_path: Path, matrix: tuple[int, ...]
) -> None:
    corners = np.zeros((64, 64, 3), np.uint8)
    colours = {"r": (255, 0, 0), "g": (0, 255, 0), "b": (0, 0, 255), "w": (255, 255, 255)}
    for place, name in enumerate("rgbw"):
        corners[place // 2 * 32 :, place % 2 * 32 :] = colours[name]
    corners[:32, 32:] = colours["g"]
    corners[32:, :32] = colours["b"]
    corners[:32, :32] = colours["r"]
    file = tmp_path / "film.mp4"
    write(iter([Shown(number / 10, 0.1, Image.fromarray(corners)) for number in range(3)]), file)
    content = bytearray(file.read_bytes())
    at = content.find(b"tkhd") + 44
    a, b, c, d = (number << 16 for number in matrix)
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    file.write_bytes(content)
    picture = np.asarray(next(sampled(video_path(studio.places.media, studio.media.keep_video(file)), 10, 1)))
    seen = [picture[row, column].astype(int) for row in (8, 56) for column in (8, 56)]
    nearest = ["rgbw"[int(np.argmin([abs(one - colours[name]).sum() for name in "rgbw"]))] for one in seen]
    assert "".join(nearest) == TURNED[matrix]


def test_interlaced_video_leaves_no_combs(studio: Engine, tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "old.mpg"), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        stream.codec_context.options = {"flags": "+ildct+ilme", "top": "1"}
        for number in range(8):
            picture = np.zeros((576, 720, 3), np.uint8)
            for half in (0, 1):  # each half of the lines sees the bar a little later
                start = 40 * number + 20 * half
                picture[half::2, start : start + 100] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    kept = list(sampled(video_path(studio.places.media, studio.media.keep_video(tmp_path / "old.mpg")), 25, 8))
    assert len(kept) == 8
    greys = np.asarray(kept[3].convert("L"), int)
    assert greys.max() > 200 and np.abs(np.diff(greys, axis=0)).mean() < 0.5


ANSWERS = {
    "an expired link": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "a refusal": b"Invalid username or password.",
    "nothing there": b"Entry not found",
    "a gate": b"Access to model x/y is restricted.",
    "a page that begins with a comment": b"<!-- saved -->\n<!DOCTYPE html><html></html>",
    "an answer of a program": b'{"error":"Repository not found"}',
}


@pytest.mark.parametrize("what", ANSWERS)
@pytest.mark.parametrize("ending", ["safetensors", "png", "mp4"])
def test_an_answer_of_a_web_server_is_called_so(studio: Engine, tmp_path: Path, what: str, ending: str) -> None:
    file = tmp_path / f"a.{ending}"
    file.write_bytes(ANSWERS[what])
    take_in = {"safetensors": studio.keep_lora, "png": studio.media.keep_picture, "mp4": studio.media.keep_video}[
        ending
    ]
    with pytest.raises(BadFile, match="web page"):
        take_in(file)


def test_comments_without_end_are_read_through(tmp_path: Path) -> None:
    for content in (b"<!---->" * 73 + b"x", b"<!--" * 128, b"<!-- " + b"-" * 500):
        (tmp_path / "a").write_bytes(content)
        assert mistaken_files.reason(tmp_path / "a") is None  # a pattern that tries every way would never end


@pytest.mark.parametrize("content", [b"PK" * 100, b"\xff" * 200, b"<html>" * 40, b"\x02\0\0\0\0\0\0\0[]"])
@pytest.mark.parametrize("ending", ["bin", "safetensors"])
def test_a_damaged_file_of_peft_is_a_sentence(studio: Engine, tmp_path: Path, content: bytes, ending: str) -> None:
    (tmp_path / "adapter_config.json").write_text('{"r": 4, "lora_alpha": 4}')
    (tmp_path / f"adapter_model.{ending}").write_bytes(content)
    with pytest.raises(BadFile):
        studio.keep_lora(tmp_path / f"adapter_model.{ending}")
    assert not list((tmp_path / "home" / "loras").glob("*"))


def test_a_lora_is_typed_as_it_is_listed_and_keeps_its_half_when_it_is_read_again(
    studio: Engine, tmp_path: Path
) -> None:
    kept = studio.keep_lora(lora(tmp_path / "high_noise" / "model.safetensors", A14B))
    record = tmp_path / "home" / "loras" / f"{kept.id}.json"
    record.write_text(
        record.read_text().replace('"reading": 4', '"reading": 3').replace('"noise": "high"', '"noise": ""')
    )
    (again,) = studio.loras.kept()
    assert (again.noise, again.name) == ("high", "high_noise/model")
    assert studio.loras.typed(Request(prompt=f"a <lora:{again.name}:1>")).loras[0].id == kept.id


def test_an_empty_file_is_called_empty(studio: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    with pytest.raises(BadFile, match="it is empty"):
        studio.keep_lora(tmp_path / "a.safetensors")


# ---- recipes, addresses, numbers ----


@pytest.mark.parametrize("said", [{"prompt": {}, "workflow": {}}, {"model_type": "t2v", "prompt": "a"}, {}])
def test_an_mp4_with_notes_of_another_program_is_called_so(tmp_path: Path, said: dict[str, object]) -> None:
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        container.metadata["comment"] = json.dumps(said)
        stream = container.add_stream("libx264", rate=8)
        stream.width = stream.height = 64
        for packet in (*stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 64)))), *stream.encode()):
            container.mux(packet)
    with pytest.raises(BadFile, match="made by another program"):
        read_recipe(tmp_path / "a.mp4")


def test_a_web_page_as_a_recipe_and_boxes_without_end_are_called_so(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(ANSWERS["a page that begins with a comment"])
    with pytest.raises(BadFile, match="web page"):
        read_recipe(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(
        struct.pack(">I4s8s", 16, b"ftyp", b"isom") + struct.pack(">I4s", 8, b"free") * 200_000
    )
    with pytest.raises(BadFile, match="far more than a recipe"):
        read_recipe(tmp_path / "b.mp4")


@pytest.mark.parametrize(("address", "found"), [
    ("https://huggingface.co/a/b/resolve/main/%E6%BC%94%E7%A4%BA.safetensors", ("a/b", "演示.safetensors", "main")),
    ("https://hf.co/a/b/blob/v1.0%2Bcu/x.safetensors", ("a/b", "x.safetensors", "v1.0+cu")),
    ("https://huggingface.co/a/b.git", ("a/b", "", None)),
    ("https://huggingface.co/a/b/blob/refs/pr/3/a.safetensors", ("a/b", "a.safetensors", "refs/pr/3")),
    ("https://huggingface.co/a/b/blame/main/a.safetensors", ("a/b", "a.safetensors", "main")),
    ("a/b/blob/main/a.safetensors", ("a/b", "a.safetensors", "main")),
    ("<https://huggingface.co/a/b>", ("a/b", "", None)),
    ('"a/b/x.safetensors"', ("a/b", "x.safetensors", None)),
    ("111/222/x.safetensors", ("111/222", "x.safetensors", None)),
])  # fmt: skip
def test_an_address_of_a_hub_is_read_as_it_is_meant(address: str, found: tuple[str, str, str | None]) -> None:
    read = hub_lora(address)
    assert (read.repo, read.file, read.revision) == found


@pytest.mark.parametrize("address", ["https://huggingface.co/docs/diffusers", "https://huggingface.co/blog/foo"])
def test_another_page_of_the_hub_is_no_repository(address: str) -> None:
    with pytest.raises(BadSetting, match="no LoRA"):
        hub_lora(address)


def test_a_frame_number_without_end_is_refused() -> None:
    with pytest.raises(BadSetting, match="no picture at a frame"):
        _keyframe("9" * 5000 + "=a.png")
