"""The drawn world: its judge, its captions, what it holds out."""

import numpy as np
import pytest

from starter.captions import LABELS, UNSAID, caption, full_caption
from starter.judge import read
from starter.scenes import Window, draw
from starter.tokenizer import new_tokenizer, vocabulary
from starter.world import ATTRIBUTES, BACKGROUNDS, RENDER_SIZES, TAKE_SIZES, Spec, held_out, random_spec


@pytest.mark.parametrize(("sizes", "count"), [(TAKE_SIZES, 6), (RENDER_SIZES, 2)], ids=["take", "render"])
def test_the_judge_reads_every_attribute_of_a_drawn_clip(sizes: dict, count: int) -> None:
    rng = np.random.default_rng(5)
    for index in range(count):
        spec = random_spec(rng, held=index % 2 == 0)
        clip, _ = draw(spec, Window(*list(sizes.values())[index % 3]))
        seen = read(clip)
        assert {name: getattr(seen, name) for name in ATTRIBUTES} == {name: getattr(spec, name) for name in ATTRIBUTES}


def test_the_judge_sees_no_subject_in_a_bare_backdrop() -> None:
    empty = Spec("red", "ball", "still", "sea day", "still", size=1e-3)
    assert read(draw(empty, Window(96, 96))[0]).shape == ""


def test_a_crop_is_a_part_of_the_whole_clip() -> None:
    spec = random_spec(np.random.default_rng(1))
    whole, _ = draw(spec, Window(96, 96))
    part, _ = draw(spec, Window(96, 96, left=16, top=32, crop_width=48, crop_height=32, frames=(4, 5, 6)))
    assert np.abs(whole[4:7, 32:64, 16:64].astype(int) - part).max() <= 2


def test_training_never_draws_a_held_out_combination() -> None:
    rng = np.random.default_rng(2)
    assert not any(held_out(random_spec(rng)) for _ in range(500))
    assert all(held_out(random_spec(rng, held=True)) for _ in range(500))


def test_the_studios_own_example_is_not_held_out() -> None:
    assert not held_out(Spec("red", "ball", "left", "blue", "still"))


def test_every_background_can_be_told_from_every_other() -> None:
    assert len(set(BACKGROUNDS)) == len(BACKGROUNDS) == 19


def test_a_caption_says_what_its_labels_say() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        spec = random_spec(rng)
        said = caption(spec, rng).said
        truth = {"colour": spec.colour, "shape": spec.shape, "motion": spec.motion, "camera": spec.camera}
        truth["place"], _, truth["hour"] = spec.background.partition(" ")
        assert all(value in LABELS[name] and value in (truth[name], UNSAID) for name, value in said.items())


def test_a_full_caption_names_colour_shape_and_place() -> None:
    rng = np.random.default_rng(4)
    said = [full_caption(random_spec(rng), rng).said for _ in range(100)]
    assert not any(UNSAID in (labels["colour"], labels["shape"], labels["place"]) for labels in said)


def test_full_captions_use_known_words_only() -> None:
    rng, tokenizer = np.random.default_rng(6), new_tokenizer()
    for _ in range(300):
        assert tokenizer.unk_token_id not in tokenizer(full_caption(random_spec(rng), rng).text).input_ids


def test_the_tokenizer_gives_its_words_back() -> None:
    tokenizer = new_tokenizer()
    ids = tokenizer("A red BALL, rolls to the left!").input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "a red ball rolls to the left"
    assert len(vocabulary()) + 3 == len(tokenizer)
    assert tokenizer("blorb").input_ids[0] == tokenizer.unk_token_id
