"""Every card that can run, for real: a tiny checkpoint of its kind, a take and its render through the real worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import APP, Engine, Finished, Overrides, Request
from engine.card import ModelCard
from engine.catalog import Catalog
from tests.conftest import PROMPT
from tests.engine.test_families import roomy
from tests.engine.test_videos import film
from tests.engine.test_worker import frames_of
from tests.tiny import cogvideox, hunyuan_video, hunyuan_video15, kandinsky5, ltx, ltx2, mochi, wan

pytestmark = pytest.mark.slow
STEPS = {"Kandinsky5I2VPipeline": 5, "HunyuanVideoFramepackPipeline": 1, "CogVideoXImageToVideoPipeline": 1}
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
        assert not engine.catalog.problems
        engine.start()
        yield engine


def finished(studio: Engine, job: Any) -> Finished:
    final = list(studio.watch(job.id))[-1]
    assert isinstance(final, Finished), final
    return final


def ways(card: ModelCard) -> list[tuple[str, ...]]:
    """What a card is tried with: what it needs, a first picture, everything that it takes."""
    with_picture = [(*card.needs, "image")] if "image" in card.inputs and "image" not in card.needs else []
    return list(dict.fromkeys([card.needs, *with_picture, card.inputs]))


def brought(studio: Engine, roles: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Fields of a request with a picture or a video for each of `roles`, kept by the engine."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    picture = studio.keep_picture(folder / "noise.png")
    video = studio.keep_video(film(folder / "film.mp4", [number / 10 for number in range(10)], (64, 64)))
    return {
        "pictures": dict.fromkeys([role for role in roles if role in ("image", "last_image", "mask")], picture),
        "references": (picture, picture) if "references" in roles else (),
        "keyframes": {4: picture} if "keyframes" in roles else {},
        "videos": dict.fromkeys([role for role in roles if role.endswith("video")], video),
    }


@pytest.mark.parametrize(
    ("card", "roles"),
    [pytest.param(card, roles, id=f"{card.id}-{'+'.join(roles)}") for card in CARDS for roles in ways(card)],
)
def test_a_card_makes_a_take_and_its_render(
    card: ModelCard, roles: tuple[str, ...], studio: Engine, tmp_path: Path
) -> None:
    folder = studio.places.models / card.id
    if not folder.exists():
        build_of(card)(folder)
    side = 2 * card.size.multiple
    small, large = (2 * side, side), (4 * side, 2 * side)
    if card.size.only:
        small = large = (64, 64)
    frames = card.frames.step * STEPS.get(card.pipeline, 2) + card.frames.offset
    request = Request(
        prompt=PROMPT, model=card.id, seed=3, num_frames=frames, **brought(studio, roles, tmp_path),
        take=Overrides(width=small[0], height=small[1], num_inference_steps=2),
        render=Overrides(width=large[0], height=large[1], num_inference_steps=2),
    )  # fmt: skip
    (job,) = studio.make_takes(request)
    take = studio.library.take(finished(studio, job).result_id)
    assert frames_of(take.video).shape == (frames, *reversed(small), 3)
    clip = studio.library.clip(finished(studio, studio.render(take.id)).result_id)
    assert frames_of(clip.video).shape == (frames, *reversed(large), 3)
    assert clip.recipe.plan.licence == card.licence.line
