"""The test of a card: a process of its own measures and tries what plans rely on; the result corrects the forecast.

One file for each device, without a person's names or paths: it can be sent to others. No torch here.
"""

from __future__ import annotations

import contextlib
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from engine.durable_files import written
from engine.jobs.local_worker import worker_environment
from engine.paths import APP, Places, without_paths
from engine.schema import Attention, Device, FrozenModel, HardwareProfile, Measured, ShotPlan
from engine.schema.errors import BadSetting, MachineProblem, not_written
from engine.schema.machine import PARTS, Part, Reading
from engine.schema.message import Message

LARGEST_BYTES = 100_000  # of what is kept of a test
FORMAT = 1
# What is corrected by which reading, in the unit of the reading.
CORRECTS: dict[str, tuple[Part, str, float]] = {
    "memory_gb": ("memory", "copy", 1.0), "kernel_seconds": ("kernels", "start", 1e-6),
    "pinned_link_gb": ("link", "to the card, page-locked", 1.0), "pageable_link_gb": ("link", "to the card", 1.0),
    "disk_gb": ("disk", "read", 1.0), "compiled": ("compiled", "gain", 1.0),
    "compile_seconds": ("compiled", "first call", 1.0),
}  # fmt: skip


class CardTest(FrozenModel):
    """What a person can send: a device, the software on it, and what was read; `done`: a whole test came to its end."""

    format: int = FORMAT
    device: Device
    system: str
    cpu_count: int
    ram_gb: float
    versions: dict[str, str] = {}
    seconds: float = 0.0
    done: bool = False
    readings: tuple[Reading, ...] = ()

    @property
    def measured(self) -> Measured:
        found = {name: self._value(part, reading) * unit for name, (part, reading, unit) in CORRECTS.items()}
        products = {dtype: self._value("products", dtype) for dtype in ("bfloat16", "float16", "float32")}
        sixteen = max(products["bfloat16"], products["float16"])
        own = products["float32"] if self.device.kind == "cpu" or not sixteen else sixteen
        tried = {reading.name for reading in self.readings if reading.part == "attention"}
        ways = {way: 1e12 * self._value("attention", way) for way in get_args(Attention) if way in tried}
        return Measured(products=own * 1e12, attention=ways.get("native", 0.0), ways=ways, **found)

    def _value(self, part: Part, name: str) -> float:
        """0 where it was not measured, or wrongly."""
        return next((r.value or 0.0 for r in self.readings if (r.part, r.name) == (part, name) and r.ok), 0.0)


def run(
    places: Places, machine: HardwareProfile, plan: ShotPlan, parts: Sequence[str] = (), small: bool = False
) -> Iterator[Reading]:
    """Test the device that `plan`, a plan for the starter, is made for; what is known is kept after every reading.
    Where `parts` are named, what was read of the others before stays.

    Raises BadSetting for a part that is none, MachineProblem when the test ends before its end.
    """
    if unknown := set(parts) - set(PARTS):
        raise BadSetting(
            Message("{unknown} is no part of the test.", unknown=sorted(unknown)[0]),
            Message("Parts are: {parts}.", parts=PARTS),
        )
    device = next(device for device in machine.devices if device.id == plan.placement.device)
    shown = device.but(tenants=(), measured=None)
    before = kept(places, device) if parts else None
    others = tuple(reading for reading in before.readings if reading.part not in parts) if before else ()
    test = CardTest(device=shown, system=platform.system(), cpu_count=machine.cpu_count, ram_gb=machine.ram_gb,
                    done=before is not None and before.done, readings=others)  # fmt: skip
    with _room_for(file_of(places, device.id)):  # a full disk is known before minutes are spent
        pass
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=places.staging, prefix=".card-test-") as folder:
        process = command(device.id, Path(folder), (*(["--small"] if small else []), *(parts or PARTS)))
        for line in _lines(process, plan, places.logs / "card-test.log"):
            match line:
                case {"versions": versions}:
                    test = test.but(versions=versions)
                case {"reading": found}:
                    reading = Reading.model_validate(found)
                    reading = reading.but(problem=without_paths(reading.problem))
                    seconds = round(time.monotonic() - began, 1)
                    test = test.but(readings=(*test.readings, reading), seconds=seconds)
                    keep(places, test)
                    yield reading
    if not parts:
        keep(places, test.but(done=True))


def command(device: str, folder: Path, asked: Iterable[str]) -> list[str]:
    """How the process that measures is started."""
    return [sys.executable, "-m", "engine.worker.card_checks", "--device", device, "--folder", str(folder), *asked]


def _lines(command: list[str], plan: ShotPlan, log: Path) -> Iterator[dict[str, object]]:
    """What the process says, until it has said everything."""
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, cwd=APP, env=worker_environment(), text=True, encoding="utf-8",
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)  # fmt: skip
    assert process.stdin and process.stdout
    try:
        with process.stdin:
            process.stdin.write(plan.model_dump_json())
        yield from map(json.loads, process.stdout)
        if process.wait():
            words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise MachineProblem(
                Message("The test of the card ended before it was done."),
                Message(
                    "Close other programs that use the card and try again; if it happens again, restart the computer."
                ),
                detail=words[-1] if words else "",
            )
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def keep(places: Places, test: CardTest) -> None:
    path = file_of(places, test.device.id)
    try:
        path.parent.mkdir(exist_ok=True)
        with written(path) as part:
            part.write_text(test.model_dump_json(indent=1), encoding="utf-8")
    except OSError as error:
        raise not_written(error) from error


@contextlib.contextmanager
def _room_for(path: Path) -> Iterator[None]:
    """As large a file as a test can become, for a moment. Raises MachineProblem."""
    part = path.with_suffix(".room")
    try:
        path.parent.mkdir(exist_ok=True)
        part.write_text(" " * LARGEST_BYTES, encoding="utf-8")
        yield
    except OSError as error:
        raise not_written(error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def file_of(places: Places, device: str) -> Path:
    return places.card_tests / f"{device.replace(':', '-')}.json"


def kept(places: Places, device: Device) -> CardTest | None:
    """The test of this very device; None where there was none, or its card was changed since."""
    try:
        test = CardTest.model_validate_json(file_of(places, device.id).read_bytes())
    except (OSError, ValidationError):
        return None
    same = (test.device.name, test.device.kind) == (device.name, device.kind)
    return test if same and test.format == FORMAT else None


def with_measured(machine: HardwareProfile, places: Places) -> HardwareProfile:
    """The machine with what the tests of its devices measured."""
    found = [(device, kept(places, device)) for device in machine.devices]
    devices = tuple(device.but(measured=test.measured) if test else device for device, test in found)
    return machine.but(devices=devices)
