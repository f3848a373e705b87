"""What programs and files see of Rushes, written down so that a redraw of the code can be held against it.

`python3 bootstrap.py -m tests.golden.record` writes it anew: only for a change that means to change it, and says so.
`home/` is a data folder as version 0.1.0 left it, before the redraw: five takes, three clips (one extended), a LoRA,
presets of each kind, a failed job and one that waits. It is never written anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from engine import APP, Engine, Event, Finished, Overrides, Request, RushesError, ShotPlan, read_recipe
from ui.locale import shown
from ui.page import app as page
from ui.page.api import Functions

HERE = Path(__file__).parent
HOME = HERE / "home"
MACHINES = ("cpu-16gb", "rtx-3060", "rtx-4090", "two-cards", "apple-32gb")
COMMANDS = (("library",), ("presets",), ("loras",), ("models",), ("plan", "a red ball", "--hardware", "cpu-16gb"))
PROMPT = "a red ball rolls to the left"
# What a machine measures, or a clock tells, is written as its kind alone.
MEASURED = re.compile(
    r"seconds(_left)?|_gb$|^gb$|versions|created|when|operations|^file$|^folder$|^bytes$|percent|^seed$|^recommended$"
)
NAMES = re.compile(r"\d{8}-\d{6}-[\w-]+|[0-9a-f]{32}|\d+(\.\d+)?")


def stable(value: Any, key: str = "") -> Any:
    """An answer without what differs between two runs or machines. What the engine says is told in English."""
    if isinstance(value, dict):
        if {"id", "params", "text"} <= value.keys():
            return stable(value["text"], key)
        return {name: stable(inside, name) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [stable(inside, key) for inside in value]
    if MEASURED.search(key):
        return type(value).__name__
    return NAMES.sub("#", value) if isinstance(value, str) else value


def rounded(value: Any) -> Any:
    """A plan for a described machine whole, but for the last digits, which two processors may give differently."""
    if isinstance(value, dict):
        if {"id", "params", "text"} <= value.keys():
            return value["text"]
        return {name: rounded(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [rounded(inside) for inside in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def plans(home: Path) -> Iterator[str]:
    """A line for each model on each kind of machine: what it would do, and the digest of the whole plan."""
    with Engine(home) as engine:
        machines = engine.machine.known_machines()
        for card in engine.models.cards():
            for name in MACHINES:
                asked = Request(prompt=PROMPT, model=card.id, seed=7)
                try:
                    plan = shown(engine.plan(asked, machines[name]))
                except RushesError as error:
                    yield f"{card.id} {name} refused: {error.cause}"
                    continue
                whole = json.dumps(rounded(plan), sort_keys=True)
                place, take, render = plan["placement"], plan["take"], plan["render"]
                sizes = " ".join(f"{one['width']}x{one['height']}x{one['num_frames']}" for one in (take, render))
                told = f"{plan['forecast']['verdict']} {place['precision']} {place['offload']} {sizes}"
                yield f"{card.id} {name} {told} {hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def endpoints(home: Path) -> Any:
    """The named endpoints of the page, as a program is told of them."""
    with Engine(home) as engine:
        return page.build(engine).get_api_info()["named_endpoints"]


def tools(home: Path) -> Any:
    """The MCP tools, as an assistant is told of them."""
    from mcp.server.fastmcp import FastMCP

    with Engine(home) as engine:
        server = FastMCP("Rushes")
        for function in Functions(engine).all:
            server.add_tool(function, structured_output=False)
        return [tool.model_dump(mode="json") for tool in asyncio.run(server.list_tools())]


def documents(home: Path) -> dict[str, Any]:
    """What the commands that only look tell with `--json`."""
    said = {}
    for words in COMMANDS:
        done = subprocess.run([sys.executable, "app.py", *words, "--json"], cwd=APP, capture_output=True, check=True,
                              env=os.environ | {"RUSHES_HOME": str(home)})  # fmt: skip
        said[" ".join(words)] = stable(json.loads(done.stdout))
    return said


def take(home: Path) -> Any:
    """The recipe of a take that is made on the processor."""
    with Engine(home) as engine:
        engine.start()
        engine.queue.pause(False)
        asked = Request(prompt=PROMPT, seed=3, num_frames=9, take=Overrides(num_inference_steps=2), device="cpu")
        (job,) = engine.make_takes(asked)
        assert isinstance(list(engine.watch(job.id))[-1], Finished)
        recipe = read_recipe(Path(engine.library.take(job.id).video))
    told = recipe.model_dump(mode="json", exclude={"versions": True, "plan": {"forecast", "reasons", "placement"}})
    return stable(told)  # without what depends on the machine


def events() -> Any:
    """The form of each event, without what it says about itself."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: bare(one) for name, one in value.items() if name not in ("description", "title")}
        return [bare(one) for one in value] if isinstance(value, list) else value

    # a question's plan may be of any kind of work; that of a shot is told beside it
    return {"events": bare(TypeAdapter(Event).json_schema()), "shot": bare(ShotPlan.model_json_schema())}


def written(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def copy_of_home(folder: Path) -> Path:
    return Path(shutil.copytree(HOME, folder / "home"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = copy_of_home(Path(folder))
        (HERE / "plans.txt").write_text("\n".join(plans(home)) + "\n", encoding="utf-8")
        (HERE / "endpoints.json").write_text(written(endpoints(home)), encoding="utf-8")
        (HERE / "documents.json").write_text(written(documents(home)), encoding="utf-8")
        (HERE / "events.json").write_text(written(events()), encoding="utf-8")
        (HERE / "take.json").write_text(written(take(home)), encoding="utf-8")
        (HERE / "tools.json").write_text(written(tools(home)), encoding="utf-8")


if __name__ == "__main__":
    main()
