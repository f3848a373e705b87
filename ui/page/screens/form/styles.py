"""Looks and camera moves of one's own: begin with any, change its words, keep it under a name, send it to a friend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import gradio as gr

from engine import BadSetting, Camera, Engine, Look, Message, ModelCard
from ui.locale import PRESET, known
from ui.page.components.formatting import listed
from ui.page.components.html import panel, render
from ui.texts import SAVED, STYLES

MANY_WORDS = 8


@dataclass(frozen=True)
class Styles:
    """`which`: "look/ID" or "camera/ID"."""

    which: gr.Dropdown
    words: gr.Textbox
    name: gr.Textbox
    save: gr.Button
    deeds: gr.HTML

    @property
    def asked(self) -> list[gr.Dropdown | gr.Textbox]:
        return [self.which, self.words, self.name]


def build(engine: Engine) -> Styles:
    with gr.Accordion(STYLES.heading, open=False, elem_id="own-styles"):
        panel("own-styles-hint", render("components/paragraph.html", words=STYLES.hint))
        which = chooser(engine)
        words = gr.Textbox(label=STYLES.words, placeholder=STYLES.words_hint, lines=2, max_lines=5)
        deeds_panel = panel("style-deeds")
        with gr.Row():
            name = gr.Textbox(label=STYLES.name, placeholder=STYLES.name_hint, max_lines=1, scale=3, min_width=140)
            save = gr.Button(STYLES.save, scale=1, min_width=90)
    return Styles(which, words, name, save, deeds_panel)


def chooser(engine: Engine, value: str = "") -> gr.Dropdown:
    """Every look and camera move. Also the update when one came or went."""
    presets = engine.presets
    known = [*_choices(SAVED.look, presets.looks()), *_choices(SAVED.camera, presets.cameras())]
    return gr.Dropdown([("", ""), *known],
                       value=value, label=STYLES.begin, elem_id="style-which")  # fmt: skip


def _choices(kind: str, styles: Iterable[Look | Camera]) -> list[tuple[str, str]]:
    return [(f"{kind}: {known(one.name, PRESET)}", f"{one.kind}/{one.id}") for one in styles]


def find(engine: Engine, which: str) -> Look | Camera:
    """Raises BadSetting when none is chosen, UnknownName when it is gone."""
    kind, _, name = which.partition("/")
    if kind not in ("look", "camera"):
        raise BadSetting(Message.of(STYLES.none_chosen), Message.of(STYLES.choose_one))
    return engine.presets.get(Look, name) if kind == "look" else engine.presets.get(Camera, name)


def deeds(engine: Engine, which: str) -> str:
    """What can be done with the chosen one: export it; delete it when it is one's own."""
    if not which:
        return ""
    return render("screens/form/style_deeds.html", which=which, own=engine.presets.is_own(find(engine, which)))


def words_of(engine: Engine, card: ModelCard, which: str) -> str:
    """The words that a style adds for this model, as they can be changed."""
    if not which:
        return ""
    style = find(engine, which)
    return style.words_for(card) or style.words


def changed(engine: Engine, which: str, words: str) -> Look | Camera:
    """A style with other words, the same for every model. Raises BadSetting without any."""
    style = find(engine, which)
    if not words.strip():
        raise BadSetting(Message.of(STYLES.no_words), Message.of(STYLES.write_some))
    fresh = {"words": " ".join(words.split()), "families": {}, "models": {}, "summary": ""}
    return style.but(**fresh)


def kept(style: Look | Camera, card: ModelCard) -> str:
    """What is said once it is kept; also when the chosen model cannot read it."""
    said = STYLES.kept.format(name=style.name)
    unknown = card.prompt.unknown(style.words)
    if unknown:
        said += f" {STYLES.unknown.format(model=card.name, words=listed(unknown[:MANY_WORDS]))}"
    return said
