"""HTML is written in templates alone, and a template names no text and no macro that there is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from jinja2 import DictLoader, meta, nodes
from jinja2.exceptions import UndefinedError
from markupsafe import Markup

from engine import APP
from ui import texts
from ui.page.components.html import TEMPLATES, render

MODULES = sorted((APP / "ui" / "page").rglob("*.py"))
NAMES = sorted(name for name in TEMPLATES.list_templates() if name.endswith(".html"))
TAG = re.compile(r"</?[a-z][a-z0-9]*[\s/>]")


def parsed(name: str) -> nodes.Template:
    assert TEMPLATES.loader
    return TEMPLATES.parse(TEMPLATES.loader.get_source(TEMPLATES, name)[0], name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(APP)))
def test_python_holds_no_tag_and_makes_no_markup(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    notes = {ast.get_docstring(node, clean=False) for node in ast.walk(tree)
             if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)}  # fmt: skip
    assert [text for text in said if TAG.search(text) and text not in notes] == []
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "Markup"]
    assert not made or path.name == "html.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_template_names_only_texts_that_there_are(name: str) -> None:
    tree = parsed(name)
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name.isupper():
            getattr(getattr(texts, node.node.name), node.attr)
    for asked in tree.find_all(nodes.FromImport):
        there = {macro.name for macro in parsed(asked.template.value).find_all(nodes.Macro)}
        assert {one if isinstance(one, str) else one[0] for one in asked.names} <= there


def test_every_template_is_used() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
    used = {name for name in NAMES if f'"{name}"' in source}
    for name in NAMES:
        used |= {str(one) for one in meta.find_referenced_templates(parsed(name))}
    assert set(NAMES) - used == set()


def test_whatever_fills_a_template_is_escaped_and_nothing_may_be_missing() -> None:
    assert render("components/paragraph.html", words="<b>'\"&") == "<p>&lt;b&gt;&#39;&#34;&amp;</p>"
    inner = render("components/paragraph.html", words="<b>")
    assert isinstance(inner, Markup) and render("components/paragraph.html", words=inner) == f"<p>{inner}</p>"
    with pytest.raises(UndefinedError):
        render("components/paragraph.html")


def test_a_line_break_in_a_template_is_no_gap_on_the_page_and_still_counts_in_errors() -> None:
    assert render("screens/form/starters.html", starters=[("a\n <", "")]).endswith(
        '"><button type="button" data-act="starter" data-id="0">a\n &lt;</button></div>'
    )
    page = TEMPLATES.overlay(loader=DictLoader({"page.html": "<p>\n\n  {{ 1 }}\n</p>\n{{ missing }}"}))
    with pytest.raises(UndefinedError) as caught:
        page.get_template("page.html").render()
    assert [entry.lineno + 1 for entry in caught.traceback if entry.name == "top-level template code"] == [5]
