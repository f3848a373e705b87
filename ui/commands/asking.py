"""The commands that only look: plan, models, hardware, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine import BadFile, BadPrompt, Engine, Finding, HardwareProfile, Message, Reading, Request, ShotPlan, examine
from ui import terminal
from ui.amounts import span
from ui.commands import capability, options
from ui.commands.options import (
    CameraName,
    DeviceName,
    FewSteps,
    Frames,
    Json,
    Length,
    LookName,
    Model,
    OutcomeName,
    Shape,
    SizeText,
    Steps,
    VramBudget,
    aspect_of_text,
    offload_of_text,
    outcome_of_text,
    precision_of_text,
    size_of_text,
)
from ui.locale import TEXTS
from ui.terminal import escaped, words


def plan(
    prompt: Annotated[str | None, typer.Argument(help="What should be seen.")] = None,
    model: Model = "starter",
    outcome: OutcomeName = None,
    look: LookName = None,
    camera: CameraName = None,
    aspect: Shape = "square",
    seconds: Length = None,
    frames: Frames = None,
    size: SizeText = None,
    takes_by: Annotated[str | None, typer.Option("--takes-by", help="The quick guide that draws the take.")] = None,
    few_steps_by: FewSteps = None,
    steps: Steps = None,
    take_steps: Annotated[int | None, typer.Option("--take-steps", help="Steps of the take.")] = None,
    from_noise: Annotated[bool, typer.Option("--from-noise", help="A render that does not start on its take.")] = False,
    offload: Annotated[str | None, typer.Option("--offload", help="none, model or group.")] = None,
    precision: Annotated[str | None, typer.Option("--precision", help="full, fp8, int8 or nf4.")] = None,
    drop_text_encoder: Annotated[
        bool, typer.Option("--drop-text-encoder", help="Let it go once the words are read.")
    ] = False,
    tile_vae: Annotated[bool, typer.Option("--tile-vae", help="Decode the pictures in tiles.")] = False,
    vae_on_cpu: Annotated[bool, typer.Option("--vae-on-cpu", help="Decode the pictures by the processor.")] = False,
    image: options.Image = None,
    last_image: options.LastImage = None,
    video: options.Video = None,
    control: options.Control = None,
    face: options.Face = None,
    mask: options.Mask = None,
    reference: options.References = None,
    at: options.Keyframes = None,
    device: DeviceName = None,
    vram_gb: VramBudget = None,
    hardware: Annotated[
        str | None, typer.Option("--hardware", help="Another machine: a known one's name, or a recording (JSON).")
    ] = None,
    table: Annotated[bool, typer.Option("--table", help="Every model on every known kind of machine.")] = False,
    as_json: Json = False,
) -> None:
    """Say what would run, what it needs and how long it takes. Starts nothing."""

    def body() -> None:
        if table:
            capability.tell_table(as_json)
            return
        if prompt is None:
            raise BadPrompt(
                Message("The prompt is missing."), Message("Say in quotes what should be seen, or ask for --table.")
            )
        files = options.brought(
            {"image": image, "last_image": last_image, "mask": mask},
            {"video": video, "control_video": control, "face_video": face}, reference, at,
        )  # fmt: skip
        request = Request.model_validate({
            "prompt": prompt, "model": model, "outcome": outcome_of_text(outcome), "look": look, "camera": camera,
            "aspect": aspect_of_text(aspect), "seconds": seconds, "num_frames": frames, "takes_by": takes_by,
            "render": size_of_text(size) | {"num_inference_steps": steps}, "device": device,
            "take": {"num_inference_steps": take_steps}, "sigma": 1.0 if from_noise else None,
            "offload": offload_of_text(offload), "precision": precision_of_text(precision),
            "drop_text_encoder": drop_text_encoder, "vae_tiling": tile_vae, "vae_on_cpu": vae_on_cpu,
            "vram_gb": vram_gb, "few_steps_by": few_steps_by,
        } | files.unseen())  # fmt: skip
        with Engine() as studio:
            machine = _machine(studio, hardware)
            found = studio.plan(request, machine)
            instead = studio.planning.instead(request, machine)
        if as_json:
            shown = found.model_dump(mode="json", context=TEXTS, exclude={"forecast", "reasons"})
            promised = found.forecast.model_dump(mode="json", context=TEXTS, exclude={"estimated_seconds"})
            terminal.print_json({"plan": shown, "forecast": promised, "reasons": list(found.reasons),
                                 "instead": instead})  # fmt: skip
        else:
            _tell_plan(found)
            for suggestion in instead:
                print(f"- {suggestion.text}")

    terminal.run(body, as_json)


def models(as_json: Json = False) -> None:
    """The models Rushes knows."""

    def body() -> None:
        with Engine() as studio:
            picks = {pick.model: pick for pick in reversed(studio.planning.recommended())}
            rows: list[dict[str, Any]] = [
                {
                    "id": card.id,
                    "name": card.name,
                    "family": card.family,
                    "repo": card.repo or None,
                    "revision": card.revision,
                    "license": card.licence.name,
                    "commercial_use": card.licence.commercial_use,
                    "inputs": list(card.inputs),
                    "installed": studio.models.installed(card),
                    "size_gb": round(card.size_gb, 3),
                    "summary": card.summary,
                    "recommended": picks.get(card.id),
                }
                for card in studio.models.cards()
            ]
        if as_json:
            terminal.print_json(rows)
        else:
            here = {True: "yes", False: ""}
            cells = [[r["id"], f"{r['size_gb']:.2f}", r["commercial_use"], here[r["installed"]]] for r in rows]
            terminal.print_table("Models", ["id", "GB", "may I sell a clip?", "here"], cells)
            for pick in picks.values():
                words.print(escaped(capability.told(pick)))
            if not picks:
                words.print("Of the models to download, none is likely to run here; `plan` says what each would need.")

    terminal.run(body, as_json)


def hardware(as_json: Json = False) -> None:
    """The machine as Rushes sees it."""

    def body() -> None:
        with Engine() as studio:
            machine = studio.machine.hardware()
        if as_json:
            terminal.print_json(machine)
        else:
            rows = [[d.id, d.name, f"{d.vram_free_gb:.1f} of {d.vram_gb:.1f} GB free" if d.vram_gb else ""]
                    for d in machine.devices]  # fmt: skip
            rows.append(["ram", "", f"{machine.ram_free_gb:.1f} of {machine.ram_gb:.1f} GB free"])
            rows.append(["disk", "", f"{machine.disk_free_gb:.1f} GB free"])
            terminal.print_table(machine.system, ["device", "name", "memory"], rows)
            for note in (*machine.problems, *machine.notes):
                words.print(note)

    terminal.run(body, as_json)


def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the real take.")] = False,
    card: Annotated[bool, typer.Option("--card", help="Test the graphics card instead: about two minutes.")] = False,
    device: Annotated[str | None, typer.Option(help="With --card: another device than the best, such as cpu.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="With --card: this part alone; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """What is wrong with this machine or installation, and what to do about it."""

    def body() -> None:
        found: list[Finding | Reading] = []
        with Engine() as studio:
            looking = studio.test_card(device, only or ()) if card else examine(studio, with_take=not quick)
            for finding in looking:
                found.append(finding)
                if not as_json:
                    mark = "[green]fine[/]  " if finding.ok else "[bold red]wrong[/] "
                    terminal.words.print(f"{mark} {_told(finding)}".rstrip())
        if as_json:
            terminal.print_json(found)
        if not all(finding.ok for finding in found):
            raise SystemExit(1)

    terminal.run(body, as_json)


def _told(found: Finding | Reading) -> str:
    return found.line if isinstance(found, Reading) else f"{found.name}: {found.finding} {found.remedy}"


def _tell_plan(found: ShotPlan) -> None:
    forecast = found.forecast
    for name, run, promised in (("Take", found.take, found.seconds("take")),
                                   ("Render", found.render, forecast.render_seconds)):  # fmt: skip
        print(f"{name}: {run.size}, {run.num_frames} frames at {run.fps} a second, {run.steps} steps, "
              f"{span(*promised)}")  # fmt: skip
    if forecast.loading_seconds[1]:
        ready = span(*forecast.loading_seconds)
        print(f"Of the take, {ready} are for loading the model; the next ones do not wait for it")
    print(f"Fit: {forecast.verdict}; {forecast.ram_gb:g} GB RAM, {forecast.vram_gb:g} GB VRAM ({forecast.basis})")
    for reason in found.reasons:
        print(f"- {reason}")


def _machine(studio: Engine, told: str | None) -> HardwareProfile | None:
    """By the name of a known kind of machine, or from a recording."""
    known = studio.machine.known_machines()
    if told is None or told in known:
        return known.get(told or "")
    path = Path(told)
    try:
        return HardwareProfile.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        remedy = Message("Record one with `app.py hardware --json`, or name one of: {names}.", names=sorted(known))
        raise BadFile(Message("{file} is not a recorded machine.", file=path.name), remedy) from error
