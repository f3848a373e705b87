"""What the page can ask for and what it answers are the same: a button that does nothing cannot be written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Literal

import gradio as gr
import pytest
from jinja2 import nodes

from engine import APP, Engine
from tests.golden.record import copy_of_home
from tests.ui.test_page_given import EVERYTHING
from tests.ui.test_templates import NAMES, parsed
from ui.page import app
from ui.page.actions.dispatch import act, action, work_off
from ui.page.actions.registry import BadPayload, Change, Item, Registry, Slot, Source, UnknownAction, later, task
from ui.page.components.html import CLICKS
from ui.page.layout import Click, Page
from ui.page.screens.form.lora_inputs import loras
from ui.page.screens.form.media_inputs import slots

MACROS = {"does", "changes", "button", "number", "choice"}  # their first word is an action
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((APP / "ui" / "page").rglob("*.py"))]
SCRIPT = (APP / "ui" / "page" / "assets" / "page.js").read_text(encoding="utf-8")
IN_THE_BROWSER = set(re.findall(r"dataset\.act === '([\w-]+)'", CLICKS))  # these never reach the server


def calls(*names: str) -> Iterator[ast.Call]:
    for node in (node for tree in TREES for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def in_templates() -> Iterator[str]:
    for name in NAMES:
        for call in parsed(name).find_all(nodes.Call):
            if not (isinstance(call.node, nodes.Name) and call.node.name in MACROS):
                continue
            match call.args[0]:
                case nodes.Const(value=str(what)):
                    yield what
                case nodes.Getattr(attr="act"):  # a Button that Python chose: see `in_python`
                    pass
                case nodes.Name(name="act") if name == "macros.html":
                    pass
                case other:
                    pytest.fail(f"{name}: an action that nobody can know beforehand: {other}")


def in_python() -> Iterator[str]:
    for call in calls("Button"):
        match call.args[0]:
            case ast.Constant(value=str(what)):
                yield what
            case other:
                pytest.fail(f"an action that nobody can know beforehand: {ast.unparse(other)}")


def in_scripts() -> Iterator[str]:
    """What our own scripts tell of files that a person brings."""
    scripts = "\n".join(
        node.value for tree in TREES for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "trigger('click'" in node.value
    )  # fmt: skip
    told = re.findall(r"\{ act: ([^,]+),", scripts)
    for words in told:
        yield from re.findall(r"'([\w-]+)'", words)
    assert {words for words in told if "'" not in words} == {"button.dataset.act", "target.dataset.change", "way"}
    yield from re.findall(r"'([\w-]+)'", next(iter(re.findall(r"const way = [^;]+\(([^)]+)\)", scripts))))


EMITTED = {*in_templates(), *in_python(), *in_scripts()}


def test_whatever_the_page_emits_is_handled_and_nothing_else_is() -> None:
    assert EMITTED - action.keys() == IN_THE_BROWSER
    assert action.keys() - EMITTED == set()


def test_whatever_the_script_of_the_page_listens_to_is_emitted() -> None:
    heard = {*re.findall(r"dataset\.act === '([\w-]+)'", SCRIPT), *re.findall(r"\[data-act=([\w-]+)\]", SCRIPT)}
    beginnings = re.findall(r"\[data-act\^=([\w-]+)\]", SCRIPT)
    assert heard and heard <= EMITTED and SCRIPT.count("data-act") == len(re.findall(r"\[data-act(\^?=|\])", SCRIPT))
    assert all(any(name.startswith(first) for name in EMITTED) for first in beginnings)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_way_from_the_page_to_an_action(name: str) -> None:
    written = "".join(data.data for data in parsed(name).find_all(nodes.TemplateData))
    assert ("data-act" in written or "data-change" in written) == (name == "macros.html")


def test_every_task_is_begun_somewhere_and_whatever_is_begun_is_a_task() -> None:
    begun = [call.args[1] if call.func.id == "begin" else call.args[0]  # type: ignore[attr-defined]
             for call in calls("begin", "later")]  # fmt: skip
    names = {one.value for one in begun if isinstance(one, ast.Constant)}
    fixed = {one.id for one in begun if isinstance(one, ast.Name)}  # by the decorator of the action that begins it
    names |= {word.value.value for call in calls("action") for word in call.keywords
              if isinstance(word.value, ast.Constant) and word.arg in fixed}  # fmt: skip
    assert names == task.keys()


# ---- what is emitted with it ----


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(copy_of_home(tmp_path_factory.mktemp("golden"))) as engine:
        yield engine


@pytest.fixture(scope="module")
def blocks() -> gr.Blocks:
    return gr.Blocks()


@pytest.fixture(scope="module")
def page(engine: Engine, blocks: gr.Blocks) -> Page:
    with blocks:
        return app._lay_out(engine, "")


def values(page: Page) -> dict[Any, Any]:
    return {part: getattr(part, "value", None) for part in page.asked}


class _Buttons(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if "data-act" in has:
            self.found.append((has["data-act"] or "", has["data-id"] or ""))
        if "data-change" in has:
            self.found.append((has["data-change"] or "", f"{has['data-id']}:{has.get('value') or ''}"))


def test_whatever_a_full_page_emits_says_something_to_its_action(engine: Engine, page: Page) -> None:
    shown: dict[Any, Any] = {part: part.value for part in page.panels} | page.stage.refresh(engine)
    for room in ("library", "models", "machine"):
        shown |= page.screen(engine, room, values(page))
    htmls = [str(html) for html in shown.values()]
    htmls += [slots(card, EVERYTHING, "#ffffff") + loras(engine, card, EVERYTHING) for card in engine.models.cards()]
    found = [pair for html in htmls for pair in _Buttons(html).found]
    assert len({what for what, _ in found}) > 30
    for what, text in found:
        assert what in IN_THE_BROWSER or len(action[what].parsed(text)) <= 1


def test_a_panel_outside_the_page_s_own_list_has_no_button(page: Page, blocks: gr.Blocks) -> None:
    """What a click may come from, and what it may change, is found among the page's widgets: see `Page.parts`."""
    others = [part for part in blocks.blocks.values() if isinstance(part, gr.HTML) and part not in page.panels]
    assert others and not any("data-act" in str(part.value) for part in others)


# ---- the registry ----


def test_an_action_that_there_is_not_is_raised_and_a_text_that_says_nothing_is_a_refusal(
    engine: Engine, page: Page
) -> None:
    click = Click(engine, page, values(page))
    with pytest.raises(UnknownAction):
        act(click, "delet", "take/x")
    with pytest.raises(UnknownAction):
        work_off(engine, page, "nonsense/x")
    for what, text in (("delete", "x"), ("starter", "first"), ("clear", "x"), ("go", "nowhere"), ("without", "film:x")):
        changed = act(click, what, text)
        assert "does not understand" in changed[page.stage.notice] and page.rooms not in changed


def test_a_text_becomes_what_the_function_asks_for() -> None:
    registry, got = Registry(), []

    @registry("item")
    def item(click: Click, payload: Item) -> None:
        got.append(payload)

    @registry("more", by=1)
    @registry("less", by=-1)
    def change(click: Click, payload: int, by: int) -> None:
        got.append(payload * by)

    @registry("nothing")
    def nothing(click: Click) -> None:
        got.append(None)

    @registry("one-of")
    def one_of(click: Click, payload: Literal["a", "b"]) -> None:
        got.append(payload)

    asked = (("item", "take/a/b"), ("more", "3"), ("less", "3"), ("nothing", ""), ("one-of", "b"))
    assert [registry.run(None, *each) for each in asked] == [{}] * 5  # type: ignore[arg-type]
    assert got == [Item(kind="take", id="a/b"), 3, -3, None, "b"]
    for what, text in (("item", "take"), ("item", "film/a"), ("more", "1.5"), ("nothing", "x"), ("one-of", "c")):
        with pytest.raises(BadPayload):
            registry[what].parsed(text)
    with pytest.raises(AssertionError):
        registry("item")(item)
    with pytest.raises(AssertionError):
        later("nonsense")


@pytest.mark.parametrize(
    ("kind", "text", "parts"),
    [(Change, ":", ("", "")), (Change, "24:2.5", ("24", "2.5")), (Change, ":a:b", ("", "a:b")),
     (Slot, "mask:", ("mask", "")), (Source, "x", ("x", "")), (Source, "x//a/b", ("x", "/a/b")),
     (Source, "", ("", ""))],
)  # fmt: skip
def test_two_texts_come_as_one(kind: type[Change], text: str, parts: tuple[str, str]) -> None:
    assert tuple(kind.model_validate(text).model_dump().values()) == parts
