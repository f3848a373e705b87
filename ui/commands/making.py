"""`make`, `render`, `vary` and `extend`: from a sentence, a take or a clip to an MP4."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from engine import (
    BadFile,
    BadSetting,
    Clip,
    Engine,
    Job,
    Message,
    Preset,
    Recipe,
    Request,
    UnknownName,
    as_request,
    read_recipe,
)
from ui import terminal
from ui.amounts import duration, span
from ui.commands import options
from ui.commands.options import (
    AttentionName,
    CameraName,
    DeviceName,
    Dial,
    FewSteps,
    Frames,
    Json,
    Length,
    LookName,
    LoraTexts,
    OutcomeName,
    Seed,
    SizeText,
    Steps,
    VramBudget,
    aspect_of_text,
    changed,
    check_out,
    chosen_loras,
    mode_of_text,
    outcome_of_text,
    row,
    size_of_text,
)
from ui.terminal import words


def make(
    prompt: Annotated[str | None, typer.Argument(help="What should be seen, in a sentence.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="A model's id; the starter when left out.")] = None,
    outcome: OutcomeName = None,
    look: LookName = None,
    camera: CameraName = None,
    preset: Annotated[str | None, typer.Option("--preset", help="A saved request; other options change it.")] = None,
    seed: Seed = None,
    aspect: Annotated[str | None, typer.Option("--aspect", help="square, wide or tall.")] = None,
    seconds: Length = None,
    frames: Frames = None,
    size: SizeText = None,
    steps: Steps = None,
    dial: Dial = None,
    device: DeviceName = None,
    vram_gb: VramBudget = None,
    attention: AttentionName = None,
    image: options.Image = None,
    last_image: options.LastImage = None,
    video: options.Video = None,
    control: options.Control = None,
    face: options.Face = None,
    mask: options.Mask = None,
    reference: options.References = None,
    at: options.Keyframes = None,
    background: options.Background = None,
    fit: options.FitText = None,
    strength: options.Strength = None,
    lora: LoraTexts = None,
    out: Annotated[Path | None, typer.Option("--out", help="Copy the finished MP4 here.")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", help="refine the take, or continue it as the render's first part.")
    ] = None,
    takes_by: Annotated[
        str | None, typer.Option("--takes-by", help="Let a quick guide draw the take: one that the model's card names.")
    ] = None,
    few_steps_by: FewSteps = None,
    make_it_fit: Annotated[
        bool, typer.Option("--make-it-fit", help="If memory runs out, change the picture without asking.")
    ] = False,
    faster: Annotated[bool, typer.Option("--faster", help="A little less exact, where the model bears it.")] = False,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Compile the model's blocks first; what it saves was not measured.")
    ] = False,
    take_only: Annotated[bool, typer.Option("--take-only", help="Stop after the take.")] = False,
    recipe: Annotated[Path | None, typer.Option("--recipe", help="Repeat this MP4 or recipe.")] = None,
    as_json: Json = False,
) -> None:
    """Make a take and render it."""

    def body() -> None:
        check_out(out)
        files = options.brought(
            {"image": image, "last_image": last_image, "mask": mask},
            {"video": video, "control_video": control, "face_video": face}, reference, at,
        )  # fmt: skip
        files = replace(files, background=background)
        said: dict[str, Any] = {
            "prompt": prompt, "model": model, "look": look, "camera": camera, "seed": seed, "seconds": seconds,
            "num_frames": frames, "dial": dial, "attention": attention, "vram_gb": vram_gb,
            "strength": strength, "takes_by": takes_by, "few_steps_by": few_steps_by,
            "fit": options.fit_of_text(fit), "aspect": None if aspect is None else aspect_of_text(aspect),
            "outcome": outcome_of_text(outcome), "mode": mode_of_text(mode),
            "faster": faster or None, "compiled": compiled or None,
            "render": size_of_text(size) | ({} if steps is None else {"num_inference_steps": steps}) or None,
        }  # fmt: skip
        with Engine() as studio:
            if recipe is not None:
                if files or any(value is not None for value in (*said.values(), preset, lora)):
                    raise BadSetting(
                        Message("A recipe says everything itself."),
                        Message("Give --recipe alone, or a prompt without it."),
                    )
                found = known(studio, recipe)
                return _make(studio, as_request(found), take_only or found.kind == "take", out, as_json)
            said |= {"device": device, "make_it_fit": make_it_fit or None, "lora": lora}
            return _make(studio, _asked(studio, preset, said, files), take_only, out, as_json)

    terminal.run(body, as_json)


def render(
    take_id: Annotated[str, typer.Argument(help="A take's name, part of it, 'last', or its MP4.")],
    dial: Dial = None,
    out: Annotated[Path | None, typer.Option("--out", help="Copy the finished MP4 here.")] = None,
    as_json: Json = False,
) -> None:
    """Render an approved take: the same shot at full size."""

    def body() -> None:
        check_out(out)
        with Engine() as studio:
            _start(studio)
            clip = _render(studio, _approved(studio, take_id), dial)
            _hand_over(clip.video, out, as_json, {"clip": row(clip), "take_id": clip.recipe.take_id})

    terminal.run(body, as_json)


def vary(
    take_id: Annotated[str, typer.Argument(help="A take's or clip's name, part of it, 'last', or its MP4.")],
    amount: Annotated[float, typer.Option("--amount", help="0 = the same ... 1 = another shot.")] = 0.3,
    count: Annotated[int, typer.Option("--count", help="How many takes.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Copy the take's MP4 here, of several the first.")] = None,
    as_json: Json = False,
) -> None:
    """Draw takes that keep a take's shot and change it a little."""

    def body() -> None:
        check_out(out)
        with Engine() as studio:
            _start(studio)
            jobs = studio.vary(_approved(studio, take_id), amount, count)
            done = [terminal.follow(studio, job, "Take").result_id for job in jobs]
            first, *others = (studio.library.take(name) for name in done)
            _hand_over(first.video, out, as_json, {"takes": [row(take) for take in (first, *others)]})
            if not as_json:
                for take in others:
                    print(take.video)

    terminal.run(body, as_json)


def _asked(studio: Engine, preset: str | None, said: dict[str, Any], files: options.Brought) -> Request:
    """What was said, over the preset. Nothing that was brought is kept before a plan of it would do."""
    saved = Request(prompt="") if preset is None else studio.presets.get(Preset, preset).request
    loras, render = said.pop("lora"), changed(saved.render, said.pop("render") or {})
    request = changed(saved, said | {"render": render} | files.unseen())
    request = changed(request, {"loras": chosen_loras(studio, request.model, loras)})
    studio.plan(request)  # refuses before a file is opened
    return request.but(**files.kept(studio))


def _make(studio: Engine, request: Request, take_only: bool, out: Path | None, as_json: bool) -> None:
    (job,) = studio.make_takes(request)
    finish(studio, job, take_only, out, as_json)


def finish(studio: Engine, job: Job, take_only: bool, out: Path | None, as_json: bool) -> None:
    """Watch a take, render it unless that was not wanted, and name the file."""
    for reason in job.plan.reasons:
        words.print(terminal.escaped(reason), style="dim")
    _start(studio)
    done = terminal.follow(studio, job, "Take")
    take = studio.library.take(done.result_id)
    words.print(
        f"Take {take.id}: forecast {span(*job.plan.seconds('take'))}, took {duration(done.seconds)}", style="dim"
    )
    if take_only:
        _hand_over(take.video, out, as_json, {"take": row(take)})
        return
    clip = _render(studio, take.id, None)
    _hand_over(clip.video, out, as_json, {"take": row(take), "clip": row(clip)})


def _approved(studio: Engine, name: str) -> str:
    """The name of the take that is meant. Of a file whose take is no longer here, the take is drawn again."""
    if not Path(name).is_file() and not Path(name).suffix:
        return name
    recipe = known(studio, Path(name))
    try:
        return studio.library.exact_take(recipe.take_id or recipe.id).id
    except UnknownName:
        words.print("The take of this file is not here, so it is drawn again by its recipe.", style="dim")
    (job,) = studio.make_takes(as_request(recipe))
    return terminal.follow(studio, job, "Take").result_id


def known(studio: Engine, path: Path) -> Recipe:
    """The recipe in a file. What it goes on from must be named by its content, or the recipe be one of this library.
    Raises BadInput."""
    recipe = read_recipe(path)
    beginning = recipe.plan.request.extends
    if beginning and beginning.kind != "video" and not beginning.content and not studio.library.has(recipe):
        raise BadSetting(
            Message(
                "{file} goes on from a clip that it names by its name only, which may be another one here.",
                file=path.name,
            ),
            Message("Extend the clip that you mean yourself."),
        )
    return recipe


def _render(studio: Engine, take_id: str, dial: float | None) -> Clip:
    job = studio.render(take_id, dial=dial)
    done = terminal.follow(studio, job, "Render")
    words.print(f"Render: forecast {span(*job.plan.seconds('render'))}, took {duration(done.seconds)}", style="dim")
    return studio.library.clip(done.result_id)


def _start(studio: Engine) -> None:
    studio.start()
    if not studio.owns:
        words.print("Another Rushes is running on this data folder; the job goes into its queue.", style="dim")


def _hand_over(video: str, out: Path | None, as_json: bool, document: dict[str, Any]) -> None:
    """Name the finished file, copied to `out` when that was asked for."""
    if out is not None:
        part = out.with_name(out.name + ".part")
        try:
            shutil.copyfile(video, part)
            part.replace(out)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise BadFile(
                Message("The clip could not be copied to {out} ({strerror}).", out=out, strerror=error.strerror),
                Message("It is at {video}.", video=video),
            ) from error
        video = str(out)
    if as_json:
        terminal.print_json(document | {"file": video})
    else:
        print(video)


# ---- extend ----


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
