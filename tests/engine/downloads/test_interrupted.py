"""Processes that are really killed, paused, taken over; disks that are too small."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from engine.install.downloader.partial_file import Part
from engine.install.downloads import Downloads
from engine.paths import APP, Places
from engine.schema.card import ModelCard
from engine.schema.errors import InUse
from tests.engine.downloads.shapes import NEEDED, REPO, WEIGHTS, a_model, check_installed, until, wait_for
from tests.hub import Hub
from tests.hub_faults import Stall

pytestmark = pytest.mark.slow  # real processes that are killed and started again


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True)
            if child.is_running() and "engine.install.downloader" in " ".join(_command(child))]  # fmt: skip


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize(("kills", "kilobytes"), [(6, 9_000), (40, 40_000)])
def test_killed_at_random_bytes_it_goes_on_and_loses_almost_nothing(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places, kills: int, kilobytes: int
) -> None:
    hub.add(REPO, a_model(kilobytes))
    total = sum(len(hub.repos[REPO].files[name]) for name in NEEDED)
    luck = random.Random(4)
    width = (total - 300_000 - total // 20) // kills  # one in each stretch: three in a row on one piece end it
    offsets = [total // 20 + number * width + luck.randrange(width // 2) for number in range(kills)]
    at: list[int] = []
    lock = threading.Lock()

    def sent(count: int) -> None:
        with lock:
            if len(at) < len(offsets) and hub.sent() >= offsets[len(at)]:
                at.append(hub.sent())
                for child in children():
                    child.send_signal(signal.SIGKILL)
        assert not (places.models / shapes.id).exists()

    hub.on_sent, hub.rate = sent, 8_000_000
    downloads.add(shapes)
    until(downloads, shapes.id, "finished", seconds=250)
    assert len(at) == kills
    check_installed(places, shapes, hub.repos[REPO].files)
    assert hub.sent() - total < kills * 2_500_000  # what was in flight in three connections and their buffers


def test_what_arrived_is_checked_again_after_a_crash(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    whole = places.arriving / shapes.id / "whole"
    hub.faults[WEIGHTS] = [Stall(100_000)]
    downloads.add(shapes)
    wait_for(lambda: (whole / "vae/diffusion_pytorch_model.safetensors").is_file())
    for child in children():
        child.send_signal(signal.SIGKILL)
    victim = whole / "vae/diffusion_pytorch_model.safetensors"
    damaged = bytearray(victim.read_bytes())
    damaged[1000] ^= 1
    victim.write_bytes(damaged)
    until(downloads, shapes.id, "finished")
    check_installed(places, shapes, hub.repos[REPO].files)


def test_after_a_power_cut_only_what_was_synced_is_trusted(tmp_path: Path) -> None:
    path = tmp_path / "0001.part"
    part = Part(path, 1000, lambda count: None)
    part.write(b"x" * 400)
    part.close()
    with path.open("ab") as file:
        file.write(bytes(300))  # what a journal replays after the cut: length, and no content
    assert Part(path, 1000, lambda count: None).tell() == 700  # same start of the computer: a kill, not a cut
    (tmp_path / "0001.mark").write_text("1000.0 400")
    assert Part(path, 1000, lambda count: None).tell() == 400
    (tmp_path / "0001.mark").write_text("nonsense")
    assert Part(path, 1000, lambda count: None).tell() == 0


def test_two_at_once_and_pausing_one_ends_its_process(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    hub.add("someone/Second", a_model(3000))
    hub.add(REPO, a_model(3000))
    second = shapes.model_copy(update={"id": "second", "repo": "someone/Second"})
    third = shapes.model_copy(update={"id": "third", "repo": "someone/Second"})
    hub.rate = 300_000
    for card in (shapes, second, third):
        downloads.add(card)
    wait_for(lambda: all(downloads.get(card.id).bytes_done > 200_000 for card in (shapes, second)))
    running = downloads.get(second.id)
    assert running.bytes_per_second > 10_000
    assert running.seconds_left
    assert downloads.get(third.id).state == "queued"  # two at a time
    with pytest.raises(InUse):
        downloads.add(second)
    downloads.cancel(third.id)
    downloads.pause(shapes.id)
    until(downloads, shapes.id, "paused")
    wait_for(lambda: len(children()) == 1)
    here = downloads.get(shapes.id).bytes_done
    sent = hub.sent()
    hub.rate = 0
    until(downloads, second.id, "finished")
    check_installed(places, second, hub.repos["someone/Second"].files)
    assert downloads.get(shapes.id).state == "paused"
    before = hub.sent()
    downloads.resume(shapes.id)
    until(downloads, shapes.id, "finished")
    check_installed(places, shapes, hub.repos[REPO].files)
    total = sum(len(hub.repos[REPO].files[name]) for name in NEEDED)
    assert hub.sent() - before < total - here + 1_000_000
    assert sent < before


def test_the_next_process_takes_over_and_the_orphan_leaves(hub: Hub, places: Places) -> None:
    """The command is killed in the middle, as by a crash or a closed window; the same command goes on."""
    hub.add(REPO, a_model(3000))
    (places.home / "presets" / "models").mkdir(parents=True)
    text = (APP / "presets" / "models" / "starter.toml").read_text()
    text = text.replace('id = "starter"', f'id = "shapes"\nrepo = "{REPO}"')
    (places.home / "presets" / "models" / "shapes.toml").write_text(text)
    environment = os.environ | {"RUSHES_HOME": str(places.home)}
    command = [sys.executable, "app.py", "models", "install", "shapes", "--json"]
    hub.rate = 500_000
    first = subprocess.Popen(command, cwd=APP, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: hub.sent(WEIGHTS) > 600_000)
    orphans = psutil.Process(first.pid).children(recursive=True)
    assert orphans
    first.kill()
    first.wait()
    wait_for(lambda: not any(orphan.is_running() and orphan.status() != "zombie" for orphan in orphans), 10)
    assert not (places.models / "shapes").exists()
    hub.rate, before = 0, hub.sent(WEIGHTS)
    done = subprocess.run(command, cwd=APP, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["installed"] is True
    assert len(hub.repos[REPO].files[WEIGHTS]) - (hub.sent(WEIGHTS) - before) > 100_000  # it did go on
    assert (places.models / "shapes" / WEIGHTS).read_bytes() == hub.repos[REPO].files[WEIGHTS]


def test_a_new_version_in_between_never_mixes_with_the_old_one(
    downloads: Downloads, hub: Hub, shapes: ModelCard, places: Places
) -> None:
    """Paused, then asked for again after the owner changed every weight: same names, same sizes, other content."""
    hub.add(REPO, a_model(3000))
    hub.rate = 1_000_000
    downloads.add(shapes)
    wait_for(lambda: downloads.get(shapes.id).bytes_done > 1_000_000)
    downloads.pause(shapes.id)
    until(downloads, shapes.id, "paused")
    files = {name: body[:-9] + b"new bytes" if name.endswith(".safetensors") else body
             for name, body in a_model(3000).items()}  # fmt: skip
    hub.add(REPO, files | {"scheduler/scheduler_config.json": b'{"new": 1}'})
    hub.rate = 0
    downloads.add(shapes, downloads.quote(shapes))
    until(downloads, shapes.id, "finished")
    check_installed(places, shapes, hub.repos[REPO].files)
