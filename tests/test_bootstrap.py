"""bootstrap.py as people run it: real uv, real environments, tiny wheels made here, no network.

Not covered here: Windows and macOS themselves (their rows of the table are), a really full disk, and the pip way to uv.
"""

import ast
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bootstrap
from bootstrap import Machine, SetupError, choose_torch

SOURCE = Path(bootstrap.__file__)
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
real_uv = pytest.mark.skipif(UV is None or os.name == "nt", reason="needs the uv that bootstrap.py brings, and POSIX")


def nvidia(system, card, capability, driver, arch="x86_64"):
    return Machine(system, arch, "nvidia", card, capability, driver)


MACHINES = [
    (nvidia("Windows", "GeForce GTX 980", (5, 2), (576, 88)), "cu126"),
    (nvidia("Windows", "GeForce GTX 1080", (6, 1), (560, 94)), "cu126"),
    (nvidia("Linux", "GeForce GTX 1060", (6, 1), (580, 95)), "cu126"),
    (nvidia("Linux", "Tesla V100", (7, 0), (570, 86)), "cu126"),
    (nvidia("Windows", "GeForce GTX 1660 SUPER", (7, 5), (580, 88)), "cu130"),
    (nvidia("Linux", "GeForce RTX 2080 Ti", (7, 5), (550, 54)), "cu126"),
    (nvidia("Windows", "GeForce RTX 3060", (8, 6), (551, 86)), "cu126"),
    (nvidia("Windows", "GeForce RTX 4090", (8, 9), (581, 15)), "cu130"),
    (nvidia("Linux", "RTX 6000 Ada Generation", (8, 9), (590, 44, 1)), "cu130"),
    (nvidia("Linux", "H100 80GB HBM3", (9, 0), (570, 86)), "cu126"),
    (nvidia("Linux", "H100 80GB HBM3", (9, 0), (580, 65, 6)), "cu130"),
    (nvidia("Windows", "GeForce RTX 5090", (12, 0), (581, 15)), "cu130"),
    (nvidia("Windows", "GeForce RTX 5090", (12, 0), (572, 16)), "cu130"),
    (nvidia("Linux", "GeForce RTX 5070", (12, 0), (570, 133)), "cu129"),
    (nvidia("Linux", "GB10", (12, 1), (580, 95), arch="arm64"), "cu130"),
    (nvidia("Linux", "GeForce GTX 680", (3, 0), (470, 256)), "cpu"),
    (nvidia("Windows", "GeForce GTX 1070", None, (471, 11)), "cu126"),
    (nvidia("Windows", "A card of tomorrow", None, (640, 1)), "cu130"),
    (nvidia("Linux", "", None, None), "cpu"),
    (Machine("Linux", "x86_64", "amd", "RX 7900 XTX", gfx="gfx1100"), "rocm7.2"),
    (Machine("Linux", "x86_64", "amd", "RX 9070", gfx="gfx1201"), "rocm7.2"),
    (Machine("Linux", "x86_64", "amd", "Ryzen graphics", gfx="gfx1036"), "cpu"),
    (Machine("Windows", "x86_64", "amd", "RX 7900 XTX"), "cpu"),
    (Machine("Windows", "x86_64", "intel"), "cpu"),
    (Machine("Linux", "x86_64", "intel"), "cpu"),
    (Machine("Linux", "x86_64"), "cpu"),
    (Machine("Windows", "x86_64"), "cpu"),
    (Machine("Linux", "arm64"), "cpu"),
    (Machine("Darwin", "arm64", version=(15, 1)), "default"),
]
REFUSED = [
    (Machine("Darwin", "x86_64", version=(14, 6)), "Intel Mac"),
    (Machine("Darwin", "arm64", version=(13, 7)), "macOS 14"),
    (Machine("Windows", "arm64"), "Windows on ARM"),
    (Machine("Linux", "32-bit i686"), "Linux, 32-bit i686"),
]


@pytest.mark.parametrize(("machine", "build"), MACHINES, ids=lambda value: getattr(value, "card", None))
def test_each_machine_gets_its_torch_and_is_told_why(machine, build):
    choice = choose_torch(machine)
    assert choice.build == build and choice.reason.endswith(".") and "{" not in choice.reason


@pytest.mark.parametrize(("machine", "words"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_machine_without_torch_is_told_what_to_do(machine, words):
    with pytest.raises(SetupError) as caught:
        choose_torch(machine)
    assert words in caught.value.cause and caught.value.remedy


def test_every_row_of_the_table_decides_for_some_machine():
    deciding = {next(rule for rule in bootstrap.RULES if rule.fits(machine)) for machine, _ in MACHINES + REFUSED}
    assert [rule for rule in bootstrap.RULES if rule not in deciding] == []


@real_uv
def test_uv_knows_every_build():
    known = subprocess.run([UV, "pip", "install", "--help"], capture_output=True, text=True).stdout
    assert [build for build in bootstrap.BUILDS if build != "default" and build not in known] == []


def test_the_override_wins_and_a_build_that_does_not_exist_is_refused():
    assert choose_torch(Machine("Linux", "x86_64"), "cu126").build == "cu126"
    with pytest.raises(SetupError, match="cu128"):
        choose_torch(Machine("Linux", "x86_64"), "cu128")


@pytest.mark.parametrize("version", ["3.6", "3.8", "3.10", "3.14"])
def test_another_python_gets_a_plain_word(version):
    ast.parse(SOURCE.read_text(), feature_version=(3, 6))
    pyenv = (path for path in Path.home().glob(f".pyenv/versions/{version}*/bin/python"))
    python = next(pyenv, None) or shutil.which("python" + version)
    if python is None or subprocess.run([python, "-c", ""], capture_output=True).returncode != 0:
        pytest.skip(f"no Python {version} here; its grammar was checked")
    done = subprocess.run([python, str(SOURCE)], capture_output=True, text=True)
    assert done.returncode == 1 and f"Rushes needs Python 3.11 to 3.13, this is {version}." in done.stderr


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("error: failed to write: No space left on device (os error 28)", "disk is full"),
        ("error: Failed to fetch: `http://x/`\n dns error: failed to lookup address", "cannot be reached"),
        ("/usr/bin/python3: No module named ensurepip", "without pip"),
        ("invalid peer certificate: UnknownIssuer", "does not trust"),
        ("No solution found when resolving dependencies", "cannot be had"),
        ("Zugriff: Access is denied. (os error 5)", "may not be changed"),
        ("[WinError 32] The process cannot access the file", "may not be changed"),
        ("Failed to download `tiny==1.0`\n Hash mismatch for `tiny==1.0`", "is not the one"),
        ("something new", "Installing failed"),
    ],
)
def test_failures_are_told_in_plain_words(text, cause):
    error = bootstrap.explain(text, "Installing")
    assert cause in error.cause and error.remedy


@pytest.mark.parametrize(
    ("words", "dev"),
    [
        ("-m pytest -q tests/engine", True),
        ("-m ruff check .", True),
        ("-m mypy", True),
        ("-m coverage report", True),
        ("-m benchmarks.kept --write", True),
        ("-m starter.judge", True),
        ("-m tests.golden.record", True),
        ("-m docs.screenshots.shoot", True),
        ("app.py", False),
        ("app.py make pytest", False),
        ("-c pass", False),
        ("-m", False),
        ("-m pip list", False),
        ("-m engine.worker", False),
        ("-m pytestfoo", False),
        ("", False),
    ],
)
def test_only_tests_checks_and_measurements_get_the_tools_for_them(words, dev):
    assert bootstrap.needs_dev(words.split()) is dev


def test_too_little_disk_is_said_before_anything_is_downloaded(monkeypatch):
    monkeypatch.setitem(bootstrap.DISK_GB, "cpu", 10**9)
    with pytest.raises(SetupError, match="needs about 1000000000 GB"):
        bootstrap.check_room("cpu")


def test_the_probe_says_why_an_index_does_not_answer():
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200 if self.path == "/cpu/torch/" else 404)
            self.end_headers()

        def log_message(self, *words):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert bootstrap.probe(address + "/cpu/torch/") == ""
        assert "Not Found" in bootstrap.probe(address + "/cu999/torch/")
        server.shutdown()
    assert "refused" in bootstrap.probe(address + "/cpu/torch/")


# --- Real environments ------------------------------------------------------------------------------------------------


def wheel(folder, name, version, body=""):
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", body or f"__version__ = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


class House:
    """A folder of Rushes with two tiny packages instead of a hundred, and no way to the network."""

    def __init__(self, folder):
        self.root, self.wheels = folder / "rushes", folder / "wheels"
        self.root.mkdir()
        self.wheels.mkdir()
        shutil.copy(SOURCE, self.root)
        (folder / "offline.toml").write_text("no-index = true\n")
        wheel(self.wheels, "torch", "2.13.0+cpu")
        wheel(self.wheels, "tiny", "1.0")
        wheel(self.wheels, "tiny", "2.0")
        wheel(self.wheels, "pytest", "1.0", "print('tested')\n")  # stands for all that only tests use
        self.need("tiny==1.0")
        self.need("pytest==1.0", "requirements-dev.txt")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_", "RUSHES_"))}
        self.env.update(
            PATH=f"{Path(UV).parent}:/usr/bin:/bin",
            PIP_FIND_LINKS=str(self.wheels),
            RUSHES_TORCH="cpu",
            UV_CACHE_DIR=str(folder / "cache"),
            HTTPS_PROXY="http://127.0.0.1:9",
            UV_HTTP_RETRIES="0",
            UV_DEFAULT_INDEX="http://127.0.0.1:9/simple",
            UV_CONFIG_FILE=str(folder / "offline.toml"),
        )

    def need(self, line, file="requirements.txt"):
        wheel = self.wheels / f"{line.replace('==', '-')}-py3-none-any.whl"
        digest = hashlib.sha256(wheel.read_bytes() if wheel.exists() else b"").hexdigest()
        (self.root / file).write_text(f"{line} --hash=sha256:{digest}\n")

    def start(self, *arguments, python=sys.executable, **env):
        command = [str(python), str(self.root / "bootstrap.py"), *arguments]
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments, **options):
        child = self.start(*arguments, **options)
        out, err = child.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    def versions(self):
        done = self.run("-c", "import torch, tiny; print(torch.__version__, tiny.__version__)")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), done.stderr


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@real_uv
def test_a_bare_folder_becomes_an_environment_and_stays_quiet_afterwards(house):
    versions, talk = house.versions()
    assert versions == "2.13.0+cpu 1.0" and "3/3" in talk
    assert house.versions() == ("2.13.0+cpu 1.0", "")
    assert house.run("-c", "import sys; sys.exit(7)").returncode == 7


@real_uv
def test_changed_requirements_are_installed(house):
    house.versions()
    house.need("tiny==2.0")
    versions, talk = house.versions()
    assert versions == "2.13.0+cpu 2.0" and "is there already" in talk


def installed(house):
    return {path.name.partition("-")[0] for path in house.root.glob(".venv/lib/*/site-packages/*.dist-info")}


@real_uv
def test_the_tools_for_tests_come_with_the_first_test_and_nothing_else_then(house):
    house.versions()
    assert "pytest" not in installed(house)
    (house.wheels / "tiny-1.0-py3-none-any.whl").unlink()
    shutil.rmtree(house.env["UV_CACHE_DIR"])  # so that anything but pytest could not be installed anew
    done = house.run("-m", "pytest")
    assert (done.returncode, done.stdout) == (0, "tested\n") and "is there already" in done.stderr, done.stderr
    assert house.run("-m", "pytest").stderr == "" and house.versions() == ("2.13.0+cpu 1.0", "")


@real_uv
def test_tools_that_changed_matter_to_tests_only(house):
    house.run("-m", "pytest")
    wheel(house.wheels, "pytest", "2.0", "print('tested anew')\n")
    house.need("pytest==2.0", "requirements-dev.txt")
    assert house.versions()[1] == ""
    assert house.run("-m", "pytest").stdout == "tested anew\n"
    house.need("tiny==2.0")
    assert house.versions()[0] == "2.13.0+cpu 2.0"
    assert house.run("-m", "pytest").stdout == "tested anew\n"
    assert house.run("-m", "pytest").stderr == ""


@real_uv
def test_an_environment_of_the_version_with_one_list_is_taken_over(house):
    """That one had every package in requirements.txt, without hashes, and a stamp of that file."""
    one_list = "".join((house.root / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
    separate, file = house.root.joinpath("requirements.txt").read_text(), house.root / "requirements.txt"
    file.write_text(one_list)
    house.versions()
    assert "dev" not in json.loads((house.root / ".venv/setup.json").read_text())
    file.write_text(separate)
    (house.wheels / "tiny-1.0-py3-none-any.whl").unlink()
    (house.wheels / "pytest-1.0-py3-none-any.whl").unlink()
    shutil.rmtree(house.env["UV_CACHE_DIR"])
    versions, talk = house.versions()
    assert versions == "2.13.0+cpu 1.0" and talk.count("Set up in") == 1
    assert house.versions()[1] == "" and "pytest" in installed(house)  # what is there stays
    assert house.run("-m", "pytest").stdout == "tested\n" and house.run("-m", "pytest").stderr == ""


@real_uv
def test_a_package_that_is_not_the_one_that_was_tested_is_refused(house):
    wheel(house.wheels, "tiny", "1.0", "raise SystemExit('not what was locked')\n")
    done = house.run("-c", "")
    assert done.returncode == 1 and "is not the one" in done.stderr, done.stderr
    house.need("tiny==2.0")
    assert house.versions()[0] == "2.13.0+cpu 2.0"


@real_uv
def test_all_is_compiled_when_it_is_installed(house):
    for folder in ("engine", "ui"):
        (house.root / folder / "deep").mkdir(parents=True)
        (house.root / folder / "deep" / "module.py").write_text("")
    house.run(PYTHONDONTWRITEBYTECODE="1")
    tag = sys.implementation.cache_tag
    own = [house.root / f"{folder}/deep/__pycache__/module.{tag}.pyc" for folder in ("engine", "ui")]
    packages = next(house.root.glob(".venv/lib/*/site-packages"))
    theirs = [packages / f"__pycache__/{name}.{tag}.pyc" for name in ("torch", "tiny")]
    assert [path for path in own + theirs if not path.exists()] == []


@real_uv
def test_a_killed_install_is_done_again(house):
    child = house.start("-c", "")
    while not (house.root / ".venv/unfinished").exists():
        assert child.poll() is None
        time.sleep(0.005)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    house.need("tiny==2.0")
    versions, talk = house.versions()
    assert versions == "2.13.0+cpu 2.0" and "interrupted" in talk


@real_uv
def test_a_half_written_package_does_not_survive(house):
    house.versions()
    (house.root / ".venv/unfinished").touch()
    next(house.root.glob(".venv/lib/*/site-packages/tiny.py")).unlink()  # its dist-info still looks complete
    assert house.versions()[0] == "2.13.0+cpu 1.0"


@real_uv
def test_two_at_once_do_not_break_each_other(house):
    both = [house.start("-c", "import torch, tiny"), house.start("-c", "import torch, tiny")]
    talks = [child.communicate(timeout=60)[1] for child in both]
    assert [child.returncode for child in both] == [0, 0], talks
    assert sum("Set up in" in talk for talk in talks) == 1


@real_uv
def test_a_moved_folder_is_made_anew(house):
    house.versions()
    house.root = house.root.rename(house.root.with_name("moved"))
    versions, talk = house.versions()
    assert versions == "2.13.0+cpu 1.0" and "making it anew" in talk


@real_uv
def test_an_environment_whose_python_is_gone_is_made_anew(house):
    house.versions()
    for link in house.root.glob(".venv/bin/python*"):
        link.unlink()
        link.symlink_to("/nowhere/python3")
    versions, talk = house.versions()
    assert versions == "2.13.0+cpu 1.0" and "making it anew" in talk


@real_uv
def test_an_index_that_does_not_answer_gives_the_default_build_loudly(house):
    (house.wheels / "torch-2.13.0+cpu-py3-none-any.whl").unlink()
    wheel(house.wheels, "torch", "2.13.0")
    versions, talk = house.versions()
    assert versions == "2.13.0 1.0" and "!!! The PyTorch index cannot be reached" in talk and "CUDA 13.0" in talk
    assert house.versions()[1] == ""


@real_uv
def test_offline_says_so_and_leaves_the_old_environment_working(house):
    house.versions()
    house.need("missing==1.0")
    done = house.run("-c", "", UV_CONFIG_FILE=os.devnull)
    assert done.returncode == 1 and "The package index cannot be reached" in done.stderr
    house.need("tiny==1.0")
    assert house.versions() == ("2.13.0+cpu 1.0", "")


@real_uv
def test_python_without_pip_gets_a_plain_word(house, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nclass Debian:\n    def find_spec(name, *rest):\n        if name == 'ensurepip':\n"
        "            raise ModuleNotFoundError('No module named ensurepip')\nsys.meta_path.insert(0, Debian)\n"
    )
    done = house.run(PATH="/usr/bin:/bin", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1 and "apt install python3-venv" in done.stderr


@real_uv
def test_the_environment_that_pinokio_made_is_filled(house):
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, house.root / ".venv"], check=True)
    done = house.run("-c", "import torch, tiny, sys; print(sys.prefix)", python=house.root / ".venv/bin/python")
    assert done.stdout.strip() == str(house.root / ".venv"), done.stderr


@real_uv
def test_the_self_check_must_pass_before_the_marker_is_written(house):
    marker, doctor = house.root / ".venv/installed.json", house.root / "app.py"
    doctor.write_text("raise SystemExit('the doctor found something')")
    done = house.run("--check", RUSHES_PRINT_RESULT="1")
    assert done.returncode == 1 and not marker.exists() and "RUSHES_RESULT=<The self-check found" in done.stdout
    doctor.write_text("import tiny")
    done = house.run("--check", RUSHES_PRINT_RESULT="1")
    assert json.loads(marker.read_text())["torch"] == "cpu" and done.stdout == "RUSHES_RESULT=<ok>\n"


@real_uv
def test_an_update_that_does_not_work_is_taken_back(house, tmp_path):
    def git(folder, *words):
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *words]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()

    def publish(requirement, app):
        house.need(requirement)
        (house.root / "app.py").write_text(app)
        git(house.root, "add", "-A")
        git(house.root, "commit", "-qm", requirement)

    (house.root / ".gitignore").write_text("/.venv/\n__pycache__/\n")
    git(house.root, "init", "-q")
    publish("tiny==1.0", "import tiny")
    git(tmp_path, "clone", "-q", "rushes", "copy")
    origin, house.root = house.root, tmp_path / "copy"
    assert house.run("--check").returncode == 0
    house.root = origin
    publish("tiny==2.0", "raise SystemExit('broken')")
    house.root = tmp_path / "copy"
    done = house.run("--update")
    assert done.returncode == 1 and "The one you had is back" in done.stderr
    assert house.versions() == ("2.13.0+cpu 1.0", "") and (house.root / ".venv/installed.json").exists()
    house.root = origin
    publish("tiny==2.0", "import tiny")
    house.root = tmp_path / "copy"
    assert house.run("--update").returncode == 0
    assert house.versions() == ("2.13.0+cpu 2.0", "")
