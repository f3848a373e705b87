"""What a click does in the library and on the screen of this computer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Literal

from engine import MachineProblem, Message, RushesError, examine
from ui.page.actions.registry import Item, Pair, action, begin, task
from ui.page.components.error import problem, said
from ui.page.components.html import render
from ui.page.components.media_routes import find
from ui.page.layout import Click, Room
from ui.page.screens import library, machine
from ui.page.screens.form.expert import Values
from ui.texts import CLIP, MACHINE, SHELF


class Shown(Pair):
    """What a window of the system can show: a folder of ours, or a take or clip in its own."""

    MARK: ClassVar[str] = "/"
    kind: Literal["models", "home", "take", "clip"]
    id: str


def reveal(path: Path) -> None:
    """Open the folder of `path`, with the file chosen where the system can. Raises MachineProblem."""
    folder = path if path.is_dir() else path.parent
    if sys.platform == "win32":
        command = ["explorer", f"/select,{path}"]
    elif sys.platform == "darwin":
        command = ["open", "-R", str(path)]
    else:
        command = ["xdg-open", str(folder)]
    if not shutil.which(command[0]):
        raise MachineProblem(Message.of(CLIP.no_window), Message.of(CLIP.no_window_remedy.format(path=path)))
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


@action("reveal")
def show(click: Click, what: Shown) -> None:
    """Open its folder in a window of the system."""
    folders = click.engine.folders
    reveal(folders.get(what.kind) or Path(find(click.engine, what.kind, what.id).video))


@action("go")
def go(click: Click, room: Room) -> Values:
    """Another screen, as it is now."""
    return {**click.page.screen(click.engine, room, click.values), **click.page.opened(room)}


@action("delete", once=True)
def delete(click: Click, item: Item) -> Values:
    """Into the trash, from where it can be taken back."""
    found = find(click.engine, item.kind, item.id)
    click.engine.library.trash.throw(found)
    return {**click.page.shelf.filled(click.engine, click.values), click.page.stage.notice: library.undo(found.id)}


@action("mark", favourite=True)
@action("unmark", favourite=False)
def mark(click: Click, item: Item, favourite: bool) -> Values:
    """A favourite, or one no more."""
    click.engine.library.mark(find(click.engine, item.kind, item.id), favourite)
    return click.page.shelf.filled(click.engine, click.values)


# ---- the trash ----


class Doomed(Pair):
    """What the person said yes to: what was named when they were asked, and which thing; empty for all."""

    MARK: ClassVar[str] = "/"
    seen: str
    name: str


def _shelf(click: Click, question: str = "") -> Values:
    return {**click.page.shelf.filled(click.engine, click.values), click.page.shelf.question: question}


@action("undo", once=True, aloud=False)
@action("put-back", once=True, aloud=True)
def take_back(click: Click, name: str, aloud: bool) -> Values:
    """Take it back from the trash. `aloud`: it is not seen where that is done, so it is said."""
    click.engine.library.trash.take_back(name)
    return {**_shelf(click), click.page.stage.notice: said(SHELF.back) if aloud else ""}


@action("open-trash")
def open_trash(click: Click) -> Values:
    """What was thrown away, in place of what is kept."""
    shelf = click.page.shelf
    return {**shelf.filled(click.engine, {**click.values, shelf.kind: library.TRASH}), shelf.kind: library.TRASH}


@action("empty-trash", which="")
@action("erase-one")
def ask_erase(click: Click, which: str) -> Values:
    """Ask before one of it, or all, goes for good."""
    items = library.doomed(click.engine, which)
    return _shelf(click, library.ask_erase(items, which) if items else "")


@action("erase", once=True)
def erase(click: Click, what: Doomed) -> Values:
    """It is gone for good. What came into the trash since the question was not meant: it is asked about anew."""
    items = library.doomed(click.engine, what.name)
    if library.seen_as(items) != what.seen:
        return ask_erase(click, what.name)
    freed = click.engine.library.trash.empty(what.name or None)
    return {**_shelf(click), click.page.stage.notice: library.erased(freed)}


# ---- this computer ----


@action("look-again")
def look_again(click: Click) -> Values:
    """Everything about this computer, read anew."""
    return click.page.machine.filled(click.engine)


@action("let-go")
def let_go(click: Click) -> Values:
    """The loaded model leaves the memory."""
    click.engine.let_go()
    return look_again(click)


@action("tidy")
def tidy(click: Click) -> Values:
    """Weights that can be made again leave the disk."""
    click.engine.downloads.tidy()
    return look_again(click)


@action("test-take", once=True, test="doctor")
@action("test-card", once=True, test="card")
def begin_test(click: Click, test: str) -> Values:
    """Say that a test has begun; it takes a while."""
    words = MACHINE.testing if test == "doctor" else MACHINE.testing_card
    return {click.page.machine.doctor: render("components/paragraph.html", words=words), **begin(click, test)}


@task("doctor")
def test_take(click: Click) -> Values:
    """Look at everything, with a real take."""
    found = machine.doctor(examine(click.engine), click.engine.machine.card_tests())
    return {click.page.machine.doctor: found}


@task("card")
def test_card(click: Click) -> Values:
    """Measure the card and try what Rushes does with it."""
    try:
        for _ in click.engine.test_card():
            pass  # each is kept as it comes
    except RushesError as error:
        return {click.page.stage.notice: problem(error), **click.page.machine.looked_at(click.engine)}
    return click.page.machine.filled(click.engine)
