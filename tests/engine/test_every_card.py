"""Every card that can run, for real: a tiny checkpoint of its kind, a take and its render through the real worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from engine import APP, Adjusted, Engine, Finished, Overrides, Request
from engine.planning import constraints
from engine.schema.card import ModelCard
from engine.storage.catalog import Catalog
from tests.conftest import PROMPT
from tests.engine.test_families import roomy
from tests.engine.test_videos import film
from tests.engine.test_worker import frames_of
from tests.tiny import cogvideox, gguf_weights, given, hunyuan_video, hunyuan_video15, kandinsky5, ltx, ltx2, mochi, wan

pytestmark = pytest.mark.slow
STEPS = {"Kandinsky5I2VPipeline": 5, "HunyuanVideoFramepackPipeline": 1, "CogVideoXImageToVideoPipeline": 1}
PARTNERS = {"video": ("video", "mask"), "mask": ("video", "mask")}  # of a model that repaints
FOLDER = APP / "presets" / "models"
CARDS = [card for card in Catalog(FOLDER).cards.values() if not card.not_yet and card.id != "starter"]
BUILDS: dict[str, Callable[[Path], None]] = {
    "CogVideoXPipeline": cogvideox.build,
    "HunyuanVideoPipeline": hunyuan_video.build,
    "HunyuanVideoImageToVideoPipeline": hunyuan_video.build_i2v_replace,
    "HunyuanVideo15Pipeline": hunyuan_video15.build,
    "HunyuanVideo15ImageToVideoPipeline": hunyuan_video15.build_i2v,
    "Kandinsky5T2VPipeline": kandinsky5.build,
    "LTXPipeline": ltx.build,
    "LTX2Pipeline": ltx2.build,
    "MochiPipeline": mochi.build,
    "HunyuanVideoFramepackPipeline": hunyuan_video.build_framepack,
    "Kandinsky5I2VPipeline": kandinsky5.build_i2v,
    "WanAnimatePipeline": wan.build_animate,
    "WanVACEPipeline": wan.build_vace,
}


def build_of(card: ModelCard) -> Callable[[Path], None]:
    """The tiny checkpoint of a card's kind. Of Wan there are several, told apart by their parts."""
    two = "transformer_2" in card.components
    match card.pipeline:
        case "WanPipeline":
            return wan.build_22_moe if two else (wan.build_22_5b if card.size.multiple == 32 else wan.build_21)
        case "WanImageToVideoPipeline":
            return wan.build_22_i2v if two else (wan.build_flf if "last_image" in card.needs else wan.build_i2v)
        case "LTXPipeline" if card.latent_upsampler:
            return ltx.build_two_stages
        case "LTX2Pipeline" if card.latent_upsampler:
            return ltx2.build_two_stages
        case "CogVideoXPipeline" if "1.5" in card.id:
            return roomy(cogvideox.build_15)
        case "CogVideoXImageToVideoPipeline":
            return roomy(cogvideox.build_15_i2v) if "1.5" in card.id else cogvideox.build_i2v
    return BUILDS[card.pipeline]


def shrunk_card(card: ModelCard) -> str:
    """The card's own text, with the smallest legal sizes and lengths let in and a block that tiny models have."""
    text = (FOLDER / f"{card.id}.toml").read_text()
    text = re.sub(r"^only = .*", "only = { width = 64, height = 64 }", text, flags=re.M)
    text = re.sub(r"^minimum = \d+(?![.\d])", f"minimum = {card.frames.offset}", text, flags=re.M)
    if card.family == "cogvideox":  # its positions count the tokens of the text; the tiny one has 16
        text = re.sub(r"^max_tokens = \d+", "max_tokens = 16", text, flags=re.M)
    return re.sub(r"spatio_temporal_guidance_blocks = \d+", "spatio_temporal_guidance_blocks = 1", text)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    home = tmp_path_factory.mktemp("field")
    (home / "presets" / "models").mkdir(parents=True)
    for card in CARDS:
        (home / "presets" / "models" / f"{card.id}.toml").write_text(shrunk_card(card))
    with Engine(home) as engine:
        assert not engine.models.problems
        engine.start()
        yield engine


def finished(studio: Engine, job: Any) -> Finished:
    final = list(studio.watch(job.id))[-1]
    assert isinstance(final, Finished), final
    return final


def ways(card: ModelCard) -> list[tuple[str, ...]]:
    """What a card is tried with: what it needs, beside that each thing that it takes, and everything at once."""
    partners = PARTNERS if "mask" in card.inputs else {}
    each = [(*card.needs, *partners.get(role, (role,))) for role in card.inputs if role not in card.needs]
    return list(dict.fromkeys([card.needs, *each, card.inputs]))


def brought(studio: Engine, roles: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Fields of a request with a picture or a video for each of `roles`, kept by the engine."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    picture = studio.media.keep_picture(folder / "noise.png")
    video = studio.media.keep_video(film(folder / "film.mp4", [number / 10 for number in range(10)], (64, 64)))
    return {
        "pictures": dict.fromkeys([role for role in roles if role in ("image", "last_image", "mask")], picture),
        "references": (picture, picture) if "references" in roles else (),
        "keyframes": {4: picture} if "keyframes" in roles else {},
        "videos": dict.fromkeys([role for role in roles if role.endswith("video")], video),
    }


def asked(card: ModelCard, roles: tuple[str, ...], studio: Engine, folder: Path) -> Request:
    """The smallest that there is of a card, whose tiny checkpoint is made for it."""
    if not (studio.places.models / card.id).exists():
        build_of(card)(studio.places.models / card.id)
        if card.is_gguf:
            gguf_weights.pack(studio.places.models / card.id, names=gguf_weights.WAN_NAMES)
    side = 2 * card.size.multiple
    small, large = (2 * side, side), (4 * side, 2 * side)
    if card.size.only:
        small = large = (64, 64)
    return Request(
        prompt=PROMPT, model=card.id, seed=3, **brought(studio, roles, folder),
        num_frames=card.frames.step * STEPS.get(card.pipeline, 2) + card.frames.offset,
        take=Overrides(width=small[0], height=small[1], num_inference_steps=2),
        render=Overrides(width=large[0], height=large[1], num_inference_steps=2),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("card", "roles"),
    [pytest.param(card, roles, id=f"{card.id}-{'+'.join(roles)}") for card in CARDS for roles in ways(card)],
)
def test_a_card_makes_a_take_and_its_render(
    card: ModelCard, roles: tuple[str, ...], studio: Engine, tmp_path: Path
) -> None:
    request = asked(card, roles, studio, tmp_path)
    (job,) = studio.make_takes(request)
    take = studio.library.take(finished(studio, job).result_id)
    frames = request.num_frames or 0
    assert frames_of(take.video).shape == (frames, request.take.height, request.take.width, 3)
    clip = studio.library.clip(finished(studio, studio.render(take.id)).result_id)
    assert frames_of(clip.video).shape == (frames, request.render.height, request.render.width, 3)
    assert clip.recipe.plan.licence == card.licence.line
    if card.sound:
        with av.open(clip.video) as container:
            sound = container.streams.audio[0]
            assert sound.start_time == 0
            assert float(sound.duration * sound.time_base) == pytest.approx(frames / card.frames.fps, abs=0.001)


def of_each_pipeline() -> dict[str, tuple[ModelCard, tuple[str, ...]]]:
    """Every pipeline that a card names, with the first card and inputs that lead to it."""
    found: dict[str, tuple[ModelCard, tuple[str, ...]]] = {}
    for card in CARDS:
        for roles in ways(card):
            told = Request(prompt=PROMPT, **given.asked(tuple(role for role in roles if role != "text")))  # type: ignore[arg-type]
            found.setdefault(constraints.pipeline(told, card), (card, roles))
    return found


@pytest.mark.parametrize(("card", "roles"), of_each_pipeline().values(), ids=of_each_pipeline())
def test_every_pipeline_stops_after_its_first_part_and_goes_on(
    card: ModelCard, roles: tuple[str, ...], studio: Engine, tmp_path: Path
) -> None:
    request = asked(card, roles, studio, tmp_path)
    steps = request.render.model_copy(update={"num_inference_steps": 4})
    (job,) = studio.make_takes(request.model_copy(update={"mode": "continue", "render": steps, "take": Overrides()}))
    take = studio.library.take(finished(studio, job).result_id)
    height, width = steps.height or 0, steps.width or 0
    assert frames_of(take.video).shape == (request.num_frames, height // 2, width // 2, 3)
    render = studio.render(take.id)
    clip = studio.library.clip(finished(studio, render).result_id)
    assert frames_of(clip.video).shape == (request.num_frames, height, width, 3)
    assert not [event for event in studio.watch(render.id) if isinstance(event, Adjusted)]  # it went on from the take
