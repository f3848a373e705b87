"""`extend`: a clip goes on from its last picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine import Engine, Request
from ui import terminal
from ui.commands.making import finish
from ui.commands.options import DeviceName, Dial, Frames, Json, Length, Seed, Steps, changed, check_out


def extend(
    source: Annotated[str, typer.Argument(help="A clip's or take's name, or a video file.")],
    prompt: Annotated[str | None, typer.Argument(help="What happens next; as before when left out.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="One that takes a picture; else the clip's own.")] = None,
    seed: Seed = None,
    seconds: Length = None,
    frames: Frames = None,
    steps: Steps = None,
    dial: Dial = None,
    device: DeviceName = None,
    out: Annotated[Path | None, typer.Option("--out", help="Copy the finished MP4 here.")] = None,
    take_only: Annotated[bool, typer.Option("--take-only", help="Stop after the take.")] = False,
    as_json: Json = False,
) -> None:
    """Go on from the last picture of a clip, and join what is made to it."""

    def body() -> None:
        check_out(out)
        with Engine() as studio:
            begin = Path(source) if Path(source).is_file() else source
            usual = Request(prompt="") if isinstance(begin, Path) else studio.follow_up(begin)
            request = changed(usual, {
                "prompt": prompt, "model": model, "seed": seed, "seconds": seconds, "num_frames": frames, "dial": dial,
                "device": device, "render": {"num_inference_steps": steps},
            })  # fmt: skip
            (job,) = studio.extend(begin, request)
            finish(studio, job, take_only, out, as_json)

    terminal.run(body, as_json)
