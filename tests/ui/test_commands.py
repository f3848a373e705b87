"""The commands as a person types them: real processes, the real worker, a tiny random model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import APP, Engine, Job, Peek, Request, read_recipe
from tests.conftest import PROMPT
from tests.engine.test_worker import frames_of
from tests.ui.conftest import put_take
from ui import terminal

QUICK = ("--model", "tiny-wan", "--frames", "9", "--seed", "5", "--steps", "2")


def command(home: Path, *words: str, app: tuple[str, ...] = ("app.py",)) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *app, *words], cwd=APP, capture_output=True, text=True, env=environment(home), timeout=200
    )


def environment(home: Path) -> dict[str, str]:
    return os.environ | {"RUSHES_HOME": str(home), "COLUMNS": "200"}


def hearing_ctrl_c() -> None:
    """A test run in the background of a script is started deaf to Ctrl-C, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def document(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_models_are_listed_with_licence_and_use(tiny_home: Path) -> None:
    rows = document(command(tiny_home, "models", "--json"))
    starter = next(row for row in rows if row["id"] == "starter")
    fields = ("id", "name", "family", "repo", "revision", "license", "commercial_use", "inputs", "installed")
    assert all(name in starter for name in fields)
    assert starter["license"] == "Apache-2.0" and starter["commercial_use"] == "yes"
    assert next(row for row in rows if row["id"] == "tiny-wan")["installed"]


def test_the_trash_is_listed_given_back_from_and_emptied_only_with_a_yes(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        for name in (first := "20260101-120000-a-ball-ab12", second := "20260102-120000-a-ball-cd34"):
            put_take(engine, name)
            engine.library.trash.throw(engine.library.take(name))
    listed = document(command(tmp_path, "library", "trash", "--json"))
    assert {row["id"] for row in listed} == {first, second} and all(row["bytes"] > 0 for row in listed)
    assert document(command(tmp_path, "library", "restore", first, "--json")) == {"id": first, "restored": True}
    asked = command(tmp_path, "library", "empty")
    assert asked.returncode == 2 and "--yes" in asked.stderr and (tmp_path / "trash" / second).is_dir()
    assert "are free again" in command(tmp_path, "library", "empty", "--yes").stdout
    assert document(command(tmp_path, "library", "--json"))["takes"][0]["id"] == first
    assert document(command(tmp_path, "library", "mark", first, "--json")) == {"id": first, "favourite": True}
    assert document(command(tmp_path, "library", "--favourites", "--json"))["takes"][0]["favourite"]
    assert command(tmp_path, "library", "mark", "a-ball").returncode == 2


def test_models_live_in_the_folder_that_is_named(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "models"
    found = document(command(home, "models", "folder", str(folder), "--move", "--json"))["folders"]
    assert [place["folder"] for place in found] == [str(folder)] and found[0]["there"]
    assert document(command(home, "models", "folder", "--json"))["folders"][0]["folder"] == str(folder)
    assert command(home, "models", "folder", str(home / "takes")).returncode == 2


def test_a_plan_tells_its_forecast_and_reasons(tiny_home: Path) -> None:
    answer = document(command(tiny_home, "plan", PROMPT, "--json"))
    assert set(answer) == {"plan", "forecast", "reasons", "instead"}
    fields = {
        "verdict",
        "vram_gb",
        "ram_gb",
        "disk_gb",
        "download_gb",
        "take_seconds",
        "render_seconds",
        "loading_seconds",
        "basis",
    }
    assert set(answer["forecast"]) == fields
    assert answer["forecast"]["take_seconds"][0] <= answer["forecast"]["take_seconds"][1]


def test_a_plan_answers_for_a_recorded_machine(tiny_home: Path, tmp_path: Path) -> None:
    machine = document(command(tiny_home, "hardware", "--json"))
    machine["devices"].insert(0, {"id": "cuda:0", "name": "NVIDIA GeForce RTX 3060", "vram_gb": 12.9,
                                  "vram_free_gb": 11.5, "compute_capability": "8.6", "driver": "580.1"})  # fmt: skip
    (tmp_path / "machine.json").write_text(json.dumps(machine))
    answer = document(command(tiny_home, "plan", PROMPT, "--hardware", str(tmp_path / "machine.json"), "--json"))
    assert answer["plan"]["placement"]["device"] == "cuda:0" and answer["plan"]["placement"]["dtype"] == "bfloat16"


@pytest.mark.parametrize(
    ("options", "seen"),
    [(["--offload", "group", "--precision", "fp8"], {"offload": "group", "precision": "fp8"}),
     (["--offload", "none", "--drop-text-encoder"], {"offload": "resident", "text_encoder": "dropped"}),
     (["--tile-vae", "--vae-on-cpu"], {"vae_tiling": True, "vae_on_cpu": True})],
)  # fmt: skip
def test_a_plan_answers_for_a_known_machine_and_a_chosen_placement(
    options: list[str], seen: dict[str, object], tiny_home: Path
) -> None:
    asked = ("plan", "a red ball", "--model", "wan2.1-t2v-1.3b", "--hardware", "rtx-3060", "--json")
    answer = document(command(tiny_home, *asked, *options))
    assert answer["plan"]["placement"]["device"] == "cuda:0" and answer["plan"]["placement"].items() >= seen.items()


def test_a_plan_answers_for_a_render_from_noise_with_its_own_steps_and_inputs(tiny_home: Path) -> None:
    asked = (
        "plan",
        "a red ball",
        "--model",
        "wan2.1-i2v-14b-480p",
        "--hardware",
        "rtx-4090",
        "--image",
        "any.png",
        "--json",
    )
    answer = document(command(tiny_home, *asked, "--from-noise", "--steps", "40", "--take-steps", "6"))
    plan = answer["plan"]
    assert plan["sigma"] == 1.0 and plan["render"]["num_inference_steps"] == 40
    assert plan["take"]["num_inference_steps"] == 6 and plan["pipeline"] == "WanImageToVideoPipeline"
    assert answer["forecast"]["loading_seconds"][1] > 0
    assert command(tiny_home, *asked, "--offload", "all").returncode == 2
    assert command(tiny_home, *asked[:4], "--hardware", "no-such").returncode == 2


def test_a_plan_is_told_in_words_too(tiny_home: Path) -> None:
    done = command(tiny_home, "plan", PROMPT)
    assert done.returncode == 0 and "Take: 96x96" in done.stdout and "comfortable" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("make", ""), "empty"),
        (("make",), "empty"),
        (("make", "a" * 10_000), "10000 characters"),
        (("make", PROMPT, "--model", "nonesuch"), "no model called 'nonesuch'"),
        (("make", PROMPT, "--size", "-100x100"), "cannot make a picture"),
        (("make", PROMPT, "--size", "100000x100000"), "cannot make a picture"),
        (("make", PROMPT, "--size", "wide"), "not a size"),
        (("make", PROMPT, "--frames", "0"), "0 frames"),
        (("make", PROMPT, "--frames", "9999"), "9999 frames"),
        (("make", PROMPT, "--seconds", "nan"), "seconds"),
        (("make", PROMPT, "--aspect", "round"), "no shape called"),
        (("make", PROMPT, "--device", "cuda:9"), "no device called"),
        (("make", PROMPT, "--device", "cpu", "--attention", "_native_flash"), "needs an NVIDIA card"),
        (("make", PROMPT, "--attention", "sage"), "attention"),
        (("make", PROMPT, "--out", "/nonexistent/clip.mp4"), "does not exist"),
        (("make", PROMPT, "--out", "clip.txt"), ".mp4"),
        (("make", PROMPT, "--out", "/proc/clip.mp4"), "cannot be written"),
        (("make", "--recipe", "README.md"), "recipe"),
        (("make", "--recipe", "/nonexistent.mp4"), "cannot be read"),
        (("make", PROMPT, "--recipe", "x.mp4"), "A recipe says everything itself"),
        (("make", "--recipe", "x.mp4", "--seed", "3"), "A recipe says everything itself"),
        (("make", PROMPT, "--model", "wan2.1-i2v-14b-480p", "--image", "/nonexistent.png"), "cannot be read"),
        (("make", PROMPT, "--model", "wan2.1-i2v-14b-480p", "--image", "README.md"), "not a picture"),
        (("make", PROMPT, "--image", "icon.png"), "takes no starting picture"),
        (("make", PROMPT, "--model", "wan2.1-i2v-14b-480p"), "needs a starting picture"),
        (("make", PROMPT, "--video", "icon.png"), "takes no video"),
        (("make", PROMPT, "--model", "wan2.1-vace-14b", "--control", "icon.png"), "not a video"),
        (("make", PROMPT, "--model", "wan2.1-vace-14b", "--mask", "icon.png"), "belong together"),
        (("make", PROMPT, "--model", "wan2.1-vace-14b", "--at", "icon.png"), "no picture at a frame"),
        (("make", PROMPT, "--fit", "stretch"), "crop or pad"),
        (("make", PROMPT, "--look", "nonesuch"), "no 'nonesuch' among the looks"),
        (("make", PROMPT, "--camera", "../../etc"), "'camera'"),
        (("make", PROMPT, "--preset", "nonesuch"), "no 'nonesuch' among the requests"),
        (("make", PROMPT, "--model", "kandinsky5-lite-t2v-5s-distilled", "--faster"), "cannot be made faster"),
        (("make", "--recipe", "x.mp4", "--look", "night"), "A recipe says everything itself"),
        (("make", "--recipe", "x.mp4", "--seed", "0"), "A recipe says everything itself"),
        (("make", "--recipe", "x.mp4", "--mode", "continue"), "A recipe says everything itself"),
        (("presets", "import", "README.md"), "cannot be read"),
        (("presets", "import", "/dev/zero"), "no file"),
        (("presets", "delete", "look", "film-noir"), "comes with Rushes"),
        (("presets", "export", "look", "../../etc"), "among the looks"),
        (("presets", "export", "look", "film-noir", "--out", "/nonexistent"), "does not exist"),
        (("render", "ghost"), "no take called 'ghost'"),
        (("render", "tests/../README.md"), "neither a video nor a recipe"),
        (("render", "../../etc/nothing"), "no take called"),
        (("plan", "\x01"), "control characters"),
        (("models", "reuse", "/nonexistent"), "cannot be found"),
        (("models", "reuse", "icon.png"), "cannot be read"),
        (("models", "reuse", "docs"), "no weights"),
        (("models", "reuse", "docs", "--as", "nonesuch"), "no model called"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = command(tmp_path, *words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
    with Engine(tmp_path) as studio:
        assert not studio.store.jobs() and not studio.library.takes() and not studio.places.media.exists()


def test_bad_input_with_json_is_one_document(tmp_path: Path) -> None:
    done = command(tmp_path, "make", "", "--json")
    assert done.returncode == 2
    assert set(json.loads(done.stdout)["error"]) == {"cause", "remedy"}


def test_a_data_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command(tmp_path / "file" / "below", "library")
    assert done.returncode == 1 and "cannot be used" in done.stderr and "Traceback" not in done.stderr


def test_presets_are_listed_with_what_the_model_can_do(tiny_home: Path) -> None:
    answer = document(command(tiny_home, "presets", "--json"))
    works = {camera["id"]: camera["works"] for camera in answer["cameras"]}
    assert works["pan-left"] and not works["orbit"] and len(answer["looks"]) >= 12


def test_a_plan_with_a_look_and_a_camera_says_what_it_tells_the_model(tiny_home: Path) -> None:
    answer = document(command(tiny_home, "plan", PROMPT, "--look", "film-noir", "--camera", "pan-left", "--json"))
    assert answer["plan"]["prompt"] == f"{PROMPT}. the camera pans left"
    assert any("Film noir changes nothing" in reason["text"] for reason in answer["reasons"])


@pytest.mark.slow
def test_a_saved_request_is_made_again_and_options_change_it(tiny_home: Path, tmp_path: Path) -> None:
    take = document(command(tiny_home, "make", PROMPT, *QUICK, "--camera", "still", "--take-only", "--json"))["take"]
    document(command(tiny_home, "presets", "save", "Ball", take["id"], "--json"))
    again = document(command(tiny_home, "make", "--preset", "ball", "--seed", "9", "--take-only", "--json"))["take"]
    assert again["prompt"] == PROMPT and again["model"] == "tiny-wan" and again["seed"] == 9


@pytest.mark.slow
def test_make_makes_a_take_and_its_render_and_names_the_mp4(tiny_home: Path, tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    answer = document(command(tiny_home, "make", PROMPT, *QUICK, "--out", str(out), "--json"))
    assert answer["file"] == str(out) and answer["clip"]["take_id"] == answer["take"]["id"]
    for made in (answer["take"], answer["clip"]):
        assert 0 < made["forecast_seconds"][0] < made["forecast_seconds"][1] and made["seconds"] > 0
    recipe = read_recipe(out)
    assert recipe.kind == "render" and recipe.plan.seed == 5
    # any take can be approved later, by a part of its name
    later = document(command(tiny_home, "render", answer["take"]["id"], "--json"))
    assert later["clip"]["take_id"] == answer["take"]["id"]
    # and a finished clip repeats itself
    again = document(command(tiny_home, "make", "--recipe", str(out), "--json"))
    assert again["clip"]["seed"] == 5
    listed = document(command(tiny_home, "library", "--json"))
    assert {answer["clip"]["id"], later["clip"]["id"], again["clip"]["id"]} <= {row["id"] for row in listed["clips"]}


@pytest.mark.slow
def test_a_take_is_approved_by_its_file_and_drawn_again_where_it_is_gone(tiny_home: Path, tmp_path: Path) -> None:
    take = document(command(tiny_home, "make", PROMPT, *QUICK, "--take-only", "--json"))["take"]
    friend = tmp_path / "from a friend.mp4"
    shutil.copyfile(tiny_home / "takes" / take["id"] / "take.mp4", friend)
    here = document(command(tiny_home, "render", str(friend), "--json"))
    assert here["take_id"] == take["id"]
    shutil.rmtree(tiny_home / "takes" / take["id"])
    again = document(command(tiny_home, "render", str(friend), "--json"))
    assert again["take_id"] != take["id"]
    assert np.array_equal(frames_of(again["file"]), frames_of(here["file"]))


@pytest.mark.slow
def test_with_json_the_events_of_a_job_are_lines_of_json(tiny_home: Path) -> None:
    done = command(tiny_home, "make", PROMPT, *QUICK, "--json")
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert document(done)["clip"] and {event["stage"] for event in events} == {"take", "render"}
    assert events[-1]["kind"] == "finished"


def test_the_file_of_a_peek_is_named_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Engine(tmp_path) as studio:
        job = Job(id="ball", stage="take", plan=studio.plan(Request(prompt=PROMPT)))
        folder = studio.places.staging / job.id
        folder.mkdir()
        (folder / "peek-001.webp").touch()
        terminal._tell(studio, job, Peek(file="peek-001.webp"))
    told = json.loads(capsys.readouterr().err)
    assert told["kind"] == "peek" and Path(told["file"]).resolve() == (folder / "peek-001.webp").resolve()


@pytest.mark.slow
def test_ctrl_c_stops_the_job_and_leaves(tiny_home: Path) -> None:
    words = [sys.executable, "app.py", "make", PROMPT, "--model", "tiny-wan", "--steps", "200", "--size", "384x384",
             "--frames", "49"]  # fmt: skip
    started = subprocess.Popen(words, cwd=APP, env=environment(tiny_home), preexec_fn=hearing_ctrl_c)
    with started as process, Engine(tiny_home) as looker:
        while not looker.store.jobs("running"):
            time.sleep(0.1)
        (job,) = looker.store.jobs("running")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert looker.store.job(job.id).state == "cancelled"


@pytest.mark.slow
def test_the_doctor_makes_a_real_take(tmp_path: Path) -> None:
    findings = document(command(tmp_path, "doctor", "--json"))
    assert {finding["name"] for finding in findings} >= {"python", "torch", "memory", "disk", "folder", "video", "take"}
    assert all(finding["ok"] for finding in findings)
