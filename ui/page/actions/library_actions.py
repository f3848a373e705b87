"""What a click does in the library and on the screen of this computer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Literal

from engine import MachineProblem, Message, RushesError, examine
from ui.page.actions.registry import Item, Pair, action, begin, task
from ui.page.components.error import problem
from ui.page.components.html import render
from ui.page.components.media_routes import find
from ui.page.layout import Click, Room
from ui.page.screens import library, machine
from ui.page.screens.form.expert import Values
from ui.texts import CLIP, MACHINE


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


@action("delete")
def delete(click: Click, item: Item) -> Values:
    """Into the trash, from where it can be taken back."""
    found = find(click.engine, item.kind, item.id)
    click.engine.library.throw_away(found)
    return {**click.page.shelf.filled(click.engine, click.values), click.page.stage.notice: library.undo(found.id)}


@action("undo")
def undo(click: Click, name: str) -> Values:
    """Take it back from the trash."""
    click.engine.library.take_back(name)
    return click.page.shelf.filled(click.engine, click.values)


@action("empty-trash")
def empty_trash(click: Click) -> Values:
    """What is in the trash is gone for good."""
    click.engine.library.empty_trash()
    return click.page.shelf.filled(click.engine, click.values)


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


@action("test-take", test="doctor")
@action("test-card", test="card")
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
