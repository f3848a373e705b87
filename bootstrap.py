"""Makes Rushes' Python environment, then runs what follows in it. Standard library only.

    python3 bootstrap.py app.py                  set up if needed, then open the studio
    python3 bootstrap.py app.py make "..."       set up if needed, then any command of the studio
    python3 bootstrap.py -m pytest               set up if needed, with what tests and checks use too, then the tests
    python3 bootstrap.py                         set up only
    python3 bootstrap.py --torch                 say which torch build this machine gets, and why; installs nothing
    python3 bootstrap.py --check [...]           also run the self-check (`app.py doctor`) if it has not passed yet
    python3 bootstrap.py --repair [...]          install everything afresh
    python3 bootstrap.py --update                newest version; goes back to the one you had if that fails

Run by the Python inside `.venv` (Pinokio makes one, without pip) it fills that one, otherwise it makes `.venv`.
RUSHES_TORCH=cpu (or another build) overrides the choice of torch. All talk goes to stderr: stdout is the app's.

It does not survive two things: a killed uv starts a half-downloaded file again (whole ones are kept), and on Windows
a set-up that was killed may leave its uv running, which the next one cannot wait for.
"""

import sys

# Nothing above this and nothing in the file's grammar is newer than Python 3.6, so that an old one can say this.
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    import shutil

    other = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    remedy = "Use the one you have: %s bootstrap.py" % other[0] if other else "Install Python 3.12 from python.org."
    sys.exit("Rushes needs Python 3.11 to 3.13, this is %d.%d.\n%s" % (sys.version_info[:2] + (remedy,)))

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements.txt"
DEV_REQUIREMENTS = ROOT / "requirements-dev.txt"  # what only these use, and nobody who makes clips needs:
DEV_MODULES = re.compile(r"(pytest|coverage|ruff|mypy|benchmarks|starter|tests|docs)(\.|$)")
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STATE = VENV / "setup.json"  # what is installed; written last
UNFINISHED = VENV / "unfinished"  # there while an install changes the environment
CHECKED = VENV / "installed.json"  # the self-check passed; Pinokio's menu looks for it
TORCH = "2.13.0"
UV = "0.13.8"
TORCH_INDEX = "https://download.pytorch.org/whl"  # asked whether it answers; uv itself knows it by --torch-backend
PROBE_SECONDS = 5


class SetupError(Exception):
    """Something a person can mend: the cause, and the one thing to do."""

    def __init__(self, cause: str, remedy: str, untouched: bool = False):
        super().__init__(cause)
        self.cause, self.remedy, self.untouched = cause, remedy, untouched  # untouched: the environment is as it was


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- Which torch ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machine:
    """What decides the torch build. Of several cards the one to use counts; None and "" mean unknown."""

    system: str  # Linux, Windows, Darwin
    arch: str  # x86_64, arm64
    gpu: str = "none"  # nvidia, amd, intel, none
    card: str = ""
    capability: tuple[int, ...] | None = None  # NVIDIA's compute capability
    version: tuple[int, ...] | None = None  # of NVIDIA's driver, or of macOS
    gfx: str = ""  # AMD's name for the chip
    free_gb: float = 0.0


@dataclass(frozen=True)
class TorchChoice:
    build: str  # as uv's --torch-backend calls it, or "default": whatever the ordinary index has
    reason: str
    advice: str = ""


@dataclass(frozen=True)
class Rule:
    """One row of the table. An empty field fits every machine; a range is (from, below) and needs a known value."""

    build: str  # "" refuses the machine: the reason is the cause, the advice the remedy
    reason: str
    advice: str = ""
    system: str = ""
    arch: str = ""
    gpu: str = ""
    capability: tuple[tuple[int, ...], tuple[int, ...]] | tuple[()] = ()
    version: tuple[tuple[int, ...], tuple[int, ...]] | tuple[()] = ()
    gfx: tuple[str, ...] = ()

    def fits(self, machine: Machine) -> bool:
        same = all(getattr(self, name) in ("", getattr(machine, name)) for name in ("system", "arch", "gpu"))
        return (
            same
            and within(machine.capability, self.capability)
            and within(machine.version, self.version)
            and (not self.gfx or machine.gfx in self.gfx)
        )


def within(value: tuple[int, ...] | None, bounds: tuple[tuple[int, ...], ...]) -> bool:
    return not bounds or (value is not None and bounds[0] <= value < bounds[1])


# torch 2.13.0 exists as these and no others (cu128 ended with 2.11): pytorch/pytorch issues 178665 and 190355 and the
# indexes themselves. cu129 is for Linux only. Which cards each holds: RELEASE.md, "PyTorch CUDA Support Matrix".
BUILDS = ("cpu", "cu126", "cu129", "cu130", "cu132", "rocm7.1", "rocm7.2", "xpu", "default")
ROCM_GFX = (
    "gfx900",
    "gfx906",
    "gfx908",
    "gfx90a",
    "gfx942",
    "gfx950",
    "gfx1030",
    "gfx1100",
    "gfx1101",
    "gfx1102",
    "gfx1150",
    "gfx1151",
    "gfx1200",
    "gfx1201",
)
OLD, NEW = (0,), (999,)
NEW_DRIVER = "A driver of version 580 or newer (nvidia.com/drivers) gives a newer build: start Rushes again after it."
WAIT_DRIVER = "Install NVIDIA driver 580 or newer (nvidia.com/drivers); until then Rushes uses the processor, slowly."
SLOW = "so everything runs on the processor, which is slow"

RULES = (  # the first row that fits decides
    Rule(
        "",
        "This Python is for Intel Macs, and torch %s no longer exists for those." % TORCH,
        "On a Mac with an Apple chip use Python 3.12 from python.org. An Intel Mac cannot run Rushes.",
        system="Darwin",
        arch="x86_64",
    ),
    Rule(
        "",
        "This macOS is too old: torch %s needs macOS 14." % TORCH,
        "Update macOS, then try again.",
        system="Darwin",
        version=(OLD, (14,)),
    ),
    Rule("default", "Apple chip: the ordinary macOS build uses its GPU (Metal).", system="Darwin", arch="arm64"),
    Rule(
        "",
        "This Python is for Windows on ARM, and torch %s does not exist for it." % TORCH,
        "Install the ordinary 64-bit (x64) Python 3.12 from python.org: Windows on ARM runs it.",
        system="Windows",
        arch="arm64",
    ),
    Rule(
        "cpu",
        "{card} is older than any torch build still supports, " + SLOW + ".",
        gpu="nvidia",
        capability=(OLD, (5,)),
    ),
    Rule(
        "cu126",
        "{card} is from before the RTX 20 series, which CUDA 13 left out; CUDA 12.6 still has it.",
        gpu="nvidia",
        arch="x86_64",
        capability=((5,), (7, 5)),
        version=((525,), NEW),
    ),
    Rule(
        "cu130",
        "{card} with driver {version}: the CUDA 13.0 build.",
        gpu="nvidia",
        capability=((7, 5), NEW),
        version=((580,), NEW),
    ),
    Rule(
        "cu129",
        "{card} needs CUDA 12.8 or newer and driver {version} stops before 13.",
        NEW_DRIVER,
        system="Linux",
        arch="x86_64",
        gpu="nvidia",
        capability=((10,), NEW),
        version=((570,), (580,)),
    ),
    Rule(
        "cu130",
        "{card} needs the CUDA 13.0 build, and driver {version} is too old for it.",
        WAIT_DRIVER,
        gpu="nvidia",
        capability=((10,), NEW),
    ),
    Rule(
        "cu126",
        "Driver {version} of {card} is older than CUDA 13 needs: the CUDA 12.6 build.",
        NEW_DRIVER,
        gpu="nvidia",
        version=((525,), (580,)),
    ),
    Rule(
        "cu126",
        "Driver {version} of {card} is too old for any torch build still made.",
        WAIT_DRIVER,
        gpu="nvidia",
        version=(OLD, (525,)),
    ),
    Rule("cu130", "{card} with driver {version}: the CUDA 13.0 build.", gpu="nvidia", version=((580,), NEW)),
    Rule(
        "cpu",
        "There is an NVIDIA card, but its driver does not answer, " + SLOW + ".",
        "Install NVIDIA's driver (nvidia.com/drivers) and start Rushes again.",
        gpu="nvidia",
    ),
    Rule(
        "rocm7.2",
        "{card} ({gfx}): AMD's ROCm 7.2 build has it.",
        system="Linux",
        arch="x86_64",
        gpu="amd",
        gfx=ROCM_GFX,
    ),
    Rule(
        "cpu",
        "PyTorch has no build for AMD cards on Windows, " + SLOW + ".",
        "On Linux many AMD cards are used.",
        system="Windows",
        gpu="amd",
    ),
    Rule(
        "cpu",
        "{card} {gfx} is not one that PyTorch's ROCm 7.2 build has, " + SLOW + ".",
        "If you know that it works on yours (HSA_OVERRIDE_GFX_VERSION), set RUSHES_TORCH=rocm7.2.",
        gpu="amd",
    ),
    Rule(
        "cpu",
        "Intel graphics have not been tried with Rushes, " + SLOW + ".",
        "To try an Arc card, set RUSHES_TORCH=xpu.",
        gpu="intel",
    ),
    Rule("cpu", "No graphics card that torch can use was found, " + SLOW + ".", arch="x86_64"),
    Rule("cpu", "No graphics card that torch can use was found, " + SLOW + ".", arch="arm64"),
    Rule("", "torch does not exist for this kind of computer ({system}, {arch}).", "Use a 64-bit computer and Python."),
)
DISK_GB = {"cpu": 4, "default": 4, "cu": 10, "rocm": 22, "xpu": 10}  # cpu measured; the others estimates, rounded up
INSTEAD = {  # what the default index has in place of the build that was chosen
    "Linux": "That is the CUDA 13.0 build: some 3 GB to download, and it uses no card older than RTX 20 or on a driver "
    "older than 580.",
    "Windows": "That build is for the processor only: A GRAPHICS CARD WILL NOT BE USED.",
    "Darwin": "",
}


def choose_torch(machine: Machine, override: str = "") -> TorchChoice:
    if override and override not in BUILDS:
        raise SetupError(
            f"RUSHES_TORCH is {override!r}, and torch {TORCH} has no such build.",
            f"Remove it, or set it to one of: {', '.join(BUILDS)}.",
        )
    if override:
        return TorchChoice(override, "RUSHES_TORCH asks for it.")
    rule = next(rule for rule in RULES if rule.fits(machine))
    words = {
        "card": machine.card or "The graphics card",
        "gfx": machine.gfx,
        "system": machine.system,
        "arch": machine.arch,
        "version": ".".join(map(str, machine.version or ())),
    }
    if not rule.build:
        raise SetupError(rule.reason.format(**words), rule.advice)
    return TorchChoice(rule.build, rule.reason.format(**words), rule.advice)


KNOWN = {"cu126": ((5,), (10,)), "cu129": ((7, 5), NEW), "cu130": ((7, 5), NEW), "cu132": ((7, 5), NEW)}  # capabilities
GOOD = (8,)  # from here on cards compute bfloat16


def knows(build: str, capability: tuple[int, ...] | None) -> bool:
    """Whether a torch build has code for a card of this compute capability."""
    return capability is None or build not in KNOWN or within(capability, KNOWN[build])


def preference(capability: tuple[int, ...] | None, free_gb: float) -> tuple[bool, float, tuple[int, ...]]:
    """The card to use of several is the one with the highest: one that computes bfloat16, then by what is free."""
    return capability is None or capability >= GOOD, free_gb, capability or ()


# --- What the machine has ---------------------------------------------------------------------------------------------


def numbers(text: str) -> tuple[int, ...] | None:
    return tuple(int(part) for part in re.findall(r"\d+", text)) or None


def contents(pattern: str) -> list[str]:
    """The text of every readable file that the pattern names (under / only: /sys and /proc)."""
    found = []
    for path in sorted(Path("/").glob(pattern)):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace").strip())
    return found


def nvidia_cards() -> list[Machine]:
    """One Machine per card, as nvidia-smi tells them. Drivers before 510 do not know `compute_cap`."""
    folders = (
        os.environ.get("PATH", "")
        + os.pathsep
        + os.pathsep.join((r"C:\Windows\System32", r"C:\Program Files\NVIDIA Corporation\NVSMI", "/usr/lib/wsl/lib"))
    )
    program = shutil.which("nvidia-smi", path=folders)
    if not program:
        return []
    for fields in ("name,driver_version,memory.free,compute_cap", "name,driver_version,memory.free"):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(
                [program, "--query-gpu=" + fields, "--format=csv,noheader,nounits"],
                capture_output=True, text=True, errors="replace", timeout=20,
            )  # fmt: skip
            rows = [line.split(", ") for line in done.stdout.splitlines() if ", " in line]
            if done.returncode == 0 and rows:
                return [nvidia_card(*row) for row in rows]
    return []


def nvidia_card(name: str, driver: str, free_mib: str, capability: str = "") -> Machine:
    """GB10 says "[N/A]" of its memory, which is the computer's."""
    free = numbers(free_mib)
    return Machine("", "", "nvidia", name, numbers(capability), numbers(driver), free_gb=free[0] / 1000 if free else 0)


def amd_chips() -> list[str]:
    """gfx names from the kernel: 110001 there is gfx1101, 90010 is gfx90a; 0 is the processor."""
    nodes = "\n".join(contents("sys/class/kfd/kfd/topology/nodes/*/properties"))
    values = [int(value) for value in re.findall(r"gfx_target_version (\d+)", nodes)]
    return [f"gfx{value // 10000}{value // 100 % 100:x}{value % 100:x}" for value in values if value]


def display_names() -> str:
    """The makers of the display adapters, as text to search: PCI ids on Linux, driver names on Windows."""
    if sys.platform != "win32":
        return " ".join(contents("sys/class/drm/card*/device/vendor"))
    import winreg

    names, key = [], r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
    for index in range(8):
        with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"%s\%04d" % (key, index)) as card:
            names.append(str(winreg.QueryValueEx(card, "DriverDesc")[0]))
    return " ".join(names)


def find_machine() -> Machine:
    system, arch = platform.system(), platform.machine().lower()
    if system == "Windows":  # an x64 Python on ARM Windows reports the machine, not itself
        import sysconfig

        arch = sysconfig.get_platform()[len("win-") :]
    arch = {"amd64": "x86_64", "aarch64": "arm64"}.get(arch, arch) if sys.maxsize > 2**32 else "32-bit " + arch
    if system == "Darwin":
        return Machine(system, arch, version=numbers(platform.mac_ver()[0]))
    cards = nvidia_cards()
    if cards:
        best = max(cards, key=lambda card: preference(card.capability, card.free_gb))
        return Machine(system, arch, "nvidia", best.card, best.capability, best.version)
    names, chips = display_names(), amd_chips()
    gfx = next((chip for chip in chips if chip in ROCM_GFX), chips[0] if chips else "")
    for gpu, pattern in (("nvidia", "0x10de|nvidia"), ("amd", "0x1002|amd|radeon"), ("intel", "0x8086|intel")):
        if re.search(pattern, names, re.I) or (gpu == "amd" and gfx):
            return Machine(system, arch, gpu, "This AMD card" if gpu == "amd" else "", gfx=gfx if gpu == "amd" else "")
    return Machine(system, arch)


def hardware_mark() -> str:
    """Changes when a card or its driver does. Read at every start, so it only looks at a few small files."""
    marks = sorted(contents("sys/class/drm/card*/device/vendor")) + contents("proc/driver/nvidia/version")
    for path in (r"C:\Windows\System32\nvcuda.dll", "/usr/lib/wsl/lib/libcuda.so.1"):
        with contextlib.suppress(OSError):
            marks.append(str(os.stat(path).st_mtime_ns))
    return " ".join(marks)


# --- Is it already there? ---------------------------------------------------------------------------------------------


def stamp() -> str:
    """One hash of all that the environment depends on: versions, machine, where it lies and which Python it uses."""
    parts = [TORCH, UV, hardware_mark(), os.environ.get("RUSHES_TORCH", ""), str(VENV), os.path.realpath(PYTHON)]
    return hashlib.sha256("\0".join(parts).encode() + REQUIREMENTS.read_bytes()).hexdigest()


def dev_stamp() -> str:
    return hashlib.sha256(DEV_REQUIREMENTS.read_bytes()).hexdigest()


def needs_dev(arguments: list[str]) -> bool:
    """Whether what is to be run is a test, a check or a measurement."""
    return arguments[:1] == ["-m"] and DEV_MODULES.match("".join(arguments[1:2])) is not None


def read_json(path: Path) -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def write_json(path: Path, value: dict[str, str]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, path)


def is_fresh(dev: bool) -> bool:
    state = read_json(STATE)
    as_it_should_be = PYTHON.exists() and not UNFINISHED.exists() and state.get("stamp") == stamp()
    return as_it_should_be and (not dev or state.get("dev") == dev_stamp())


def venv_python_works() -> bool:
    """False when the folder was moved or the Python it was made with is gone or is another one now."""
    code = "import sys, sysconfig; print(sys.prefix, sysconfig.get_path('purelib'), *sys.version_info[:2], sep='\\n')"
    try:
        done = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, timeout=60)
    except OSError:
        return False
    lines = done.stdout.splitlines()
    moved = read_json(STATE).get("root", str(VENV)) != str(VENV)
    return (
        done.returncode == 0
        and len(lines) == 4
        and os.path.realpath(lines[0]) == os.path.realpath(VENV)
        and Path(lines[1]).is_dir()
        and (3, 11) <= (int(lines[2]), int(lines[3])) <= (3, 13)
        and not moved
    )


def site_packages() -> Path:
    return next(iter(VENV.glob("lib/python3*/site-packages")), VENV / "Lib" / "site-packages")


@contextlib.contextmanager
def only_one() -> Iterator[int]:
    """Lets one set-up at a time into .venv. The lock is the system's, so a killed set-up leaves none behind; on Linux
    and macOS its uv inherits it, so that the next set-up waits for an orphan that is still writing."""
    try:
        VENV.mkdir(exist_ok=True)
        lock = os.open(VENV / "setup.lock", os.O_RDWR | os.O_CREAT)
    except PermissionError as error:
        raise SetupError(
            f"Rushes may not write in its own folder ({ROOT}).",
            "Move the folder to a place of your own, such as your home folder.",
        ) from error
    try:
        told = False
        while not try_lock(lock):
            if not told:
                say("Another set-up of Rushes is running here; waiting for it to end ...")
            told = True
            time.sleep(0.3)
        yield lock
    finally:
        os.close(lock)


def try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# --- Installing -------------------------------------------------------------------------------------------------------

# What a failed program's text means: (pattern, cause, remedy, whether the environment is as it was before).
FAILURES = (
    (
        r"no space left|os error 28\b|os error 112\b|errno 28|not enough space",
        "The disk is full.",
        "Free some space, then start again.",
        False,
    ),
    (
        r"no module named '?\"?(ensurepip|venv)",
        "This Python came without pip, which Debian and Ubuntu ship separately.",
        "Run: sudo apt install python3-venv - then start again.",
        True,
    ),
    (
        r"hash mismatch",
        "A package that was downloaded is not the one that Rushes was tested with.",
        "Start again; if it stays so, something between you and the package index changes what you download.",
        True,
    ),
    (
        r"certificate verify failed|unknownissuer|invalid peer certificate",
        "The package index showed a certificate that this machine does not trust.",
        "Behind a company network, set UV_SYSTEM_CERTS=1 and start again.",
        True,
    ),
    (
        r"dns error|error sending request|failed to fetch|could not connect|connection refused|network is unreachable|"
        r"name resolution|newconnectionerror|proxyerror|timed out|failed to download",
        "The package index cannot be reached.",
        "Check the internet connection, then start again: what is already downloaded is kept.",
        True,
    ),
    (
        r"no solution found|no matching distribution",
        "A package that Rushes needs cannot be had for this machine.",
        "Read the lines above; please report them if they make no sense.",
        True,
    ),
    (
        r"permission denied|access is denied|being used by another|os error (5|13|32)\b|winerror (5|32)\b|errno 13",
        "A file in .venv may not be changed.",
        "Close Rushes everywhere, then start again.",
        False,
    ),
)


def explain(text: str, doing: str) -> SetupError:
    for pattern, cause, remedy, untouched in FAILURES:
        if re.search(pattern, text, re.I):
            return SetupError(cause, remedy, untouched)
    return SetupError(f"{doing} failed.", "Read the lines above. To install everything afresh: bootstrap.py --repair")


def uv_environment() -> dict[str, str]:
    """A courtesy to people with a folder of wheels or a mirror: what pip is told with these, uv is told too."""
    env = {**os.environ, "NO_COLOR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}
    env["PYC_INVALIDATION_MODE"] = "CHECKED_HASH"  # files keep the time of their wheel, by which no change is seen
    env.pop("UV_TORCH_BACKEND", None)  # the table above decides, RUSHES_TORCH overrides
    for pip, uv in (("PIP_FIND_LINKS", "UV_FIND_LINKS"), ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")):
        if os.environ.get(pip):
            env.setdefault(uv, ",".join(os.environ[pip].split()))
    return env


def watched(command: list[str], doing: str, lock: int) -> str:
    """Runs a program, shows its lines as they come and a sign of life when none do; returns its text."""
    import queue
    import threading

    begun, free = time.monotonic(), shutil.disk_usage(ROOT).free
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        env=uv_environment(),
        pass_fds=(lock,) if os.name != "nt" else (),
    )
    lines: queue.Queue[str] = queue.Queue()

    def pump() -> None:
        for line in child.stdout or ():
            lines.put(line)
        lines.put("")

    threading.Thread(target=pump, daemon=True).start()
    seen = []
    while True:
        try:
            line = lines.get(timeout=10)
        except queue.Empty:
            written = max(0, free - shutil.disk_usage(ROOT).free) / 1e9
            say(f"    ... {doing}: {time.monotonic() - begun:.0f} s, {written:.1f} GB written so far")
            continue
        if not line:
            break
        seen.append(line)
        if not re.match(r" [+-] ", line):  # uv's list of a hundred names tells nobody anything
            say("    " + line.rstrip())
    if child.wait() != 0:
        raise explain("".join(seen), doing)
    return "".join(seen)


def check_room(build: str) -> None:
    need = next(gb for prefix, gb in DISK_GB.items() if build.startswith(prefix))
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < need:
        raise SetupError(
            f"The disk that holds Rushes has {free:.1f} GB free, and setting up needs about {need} GB.",
            "Free some space or move the Rushes folder to a larger disk, then start again.",
            True,
        )


def empty(folder: Path, keep: tuple[str, ...] = ()) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def prepare_venv() -> None:
    """Leaves a working .venv: untouched, emptied of packages (an interrupted install) or made anew (a broken one)."""
    inside = os.path.realpath(sys.prefix) == os.path.realpath(VENV)  # our own Python: it cannot delete itself
    if inside or venv_python_works():
        if UNFINISHED.exists():
            say("Starting over with what is downloaded (the last set-up was interrupted, or --repair).")
            empty(site_packages())
            STATE.unlink(missing_ok=True)
        return
    if (VENV / "pyvenv.cfg").exists():
        say("The environment was moved, or its Python is gone: making it anew.")
    try:
        import venv

        empty(VENV, keep=("setup.lock",))
        venv.EnvBuilder(symlinks=os.name != "nt").create(VENV)
    except (ImportError, OSError, subprocess.CalledProcessError) as error:
        raise explain(str(error), "Making the environment") from error


def find_uv(lock: int) -> str:
    """The pinned uv: from PATH or .venv if it is there, else installed into .venv (by another uv, or by pip)."""
    own = PYTHON.with_name("uv.exe" if os.name == "nt" else "uv")
    found = shutil.which("uv")
    for program in (str(own), found):
        if program and Path(program).exists():
            done = subprocess.run([program, "--version"], capture_output=True, text=True)
            if done.stdout.split()[1:2] == [UV]:
                return program
    say("1/3  Getting the installer (uv)")
    if found:
        watched([found, "pip", "install", "--python", str(PYTHON), f"uv=={UV}"], "Getting uv", lock)
    else:
        if not (site_packages() / "pip").is_dir():
            watched([str(PYTHON), "-m", "ensurepip", "--default-pip"], "Making pip", lock)
        watched([str(PYTHON), "-m", "pip", "install", "-q", f"uv=={UV}"], "Getting uv", lock)
    return str(own)


def probe(url: str) -> str:
    """Why the address does not answer, or "". In a thread, because looking up a name knows no time limit."""
    import threading
    import urllib.request

    answer = [f"no answer within {PROBE_SECONDS} s"]

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PROBE_SECONDS).close()
            answer[0] = ""
        except (OSError, ValueError) as error:
            answer[0] = str(getattr(error, "reason", error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS + 1)
    return answer[0]


def torch_request(choice: TorchChoice, machine: Machine) -> list[str]:
    """What uv is asked for. A wheel of the right build in a folder of the person's own needs no index."""
    if choice.build == "default":
        return [f"torch=={TORCH}"]
    exact = f"torch=={TORCH}+{choice.build}"
    python = "cp%s%s" % re.findall(r"(?m)^version\w* *= *(\d+)\.(\d+)", (VENV / "pyvenv.cfg").read_text())[0]
    for folder in uv_environment().get("UV_FIND_LINKS", "").split(","):
        names = [path.name for path in Path(folder).glob(f"torch-{TORCH}+{choice.build}-*.whl")]
        if folder and any(re.search(f"-({python}|py3)-", name) for name in names):
            say(f"     (from {folder})")
            return [exact]
    trouble = probe(f"{TORCH_INDEX}/{choice.build}/torch/")
    if not trouble:
        return [exact, "--torch-backend", choice.build]
    say(
        f"\n     !!! The PyTorch index cannot be reached ({trouble}).\n"
        f"     !!! Taking torch from the default index instead of the {choice.build} build.\n"
        f"     !!! {INSTEAD[machine.system]}\n     !!! To try again another day: bootstrap.py --repair\n"
    )
    check_room("cu" if machine.system == "Linux" else "cpu")
    return [f"torch=={TORCH}"]


def install(lock: int, machine: Machine, choice: TorchChoice, dev: bool) -> None:
    there = read_json(STATE).get("torch") == choice.build and any(site_packages().glob(f"torch-{TORCH}*.dist-info"))
    if not there:
        check_room(choice.build)
    # The first start would otherwise compile 15,000 files, and where nothing may be written every start would.
    pip = [find_uv(lock), "pip", "install", "--python", str(PYTHON), "--compile-bytecode"]
    if there:
        say(f"2/3  torch {TORCH} ({choice.build}) is there already")
    else:
        say(f"2/3  torch {TORCH}, {choice.build} build: {choice.reason}")
        if choice.advice:
            say("     " + choice.advice)
        # What it brings is held to the versions and hashes that are locked; it has none itself, see pyproject.toml.
        locked = ["--constraints", str(REQUIREMENTS), "--reinstall-package", "torch"]
        watched([*pip, *torch_request(choice, machine), *locked], "Installing torch", lock)
        STATE.unlink(missing_ok=True)  # from here on the old state is no longer true
    say("3/3  Everything else" + (", and what tests and checks use" if dev else ""))
    files = [REQUIREMENTS, DEV_REQUIREMENTS] if dev else [REQUIREMENTS]
    rest = [argument for file in files for argument in ("-r", str(file))]
    # The files name all that belongs to them.
    watched([*pip, *rest, "--no-deps", "--require-hashes"], "Installing the rest", lock)
    compile_own()


def compile_own() -> None:
    """Also where PYTHONDONTWRITEBYTECODE is set, as for the packages. Where it cannot, Rushes starts more slowly."""
    own = [str(ROOT / name) for name in ("engine", "ui", "bootstrap.py")]
    subprocess.call([str(PYTHON), "-m", "compileall", "-qq", *own], stdout=subprocess.DEVNULL)


def set_up(dev: bool) -> None:
    """Makes the environment what it should be. Cheap when it already is. What is no longer asked for stays in it: a
    person may have put something beside it, such as a faster attention."""
    if is_fresh(dev):
        return
    with only_one() as lock:
        if is_fresh(dev):  # the set-up that we waited for did it
            return
        begun = time.monotonic()
        say(f"Setting up Rushes in {VENV} (Python {platform.python_version()}, {platform.system()})")
        machine = find_machine()
        choice = choose_torch(machine, os.environ.get("RUSHES_TORCH", ""))
        prepare_venv()
        UNFINISHED.touch()
        try:
            install(lock, machine, choice, dev)
        except SetupError as error:
            if error.untouched:
                UNFINISHED.unlink()
            raise
        state = {"stamp": stamp(), "root": str(VENV), "torch": choice.build}
        write_json(STATE, {**state, "dev": dev_stamp()} if dev else state)
        UNFINISHED.unlink()
        say(f"Set up in {time.monotonic() - begun:.0f} s.")


# --- Self-check, update, running --------------------------------------------------------------------------------------


def self_check() -> None:
    """Runs `app.py doctor` once per environment; Pinokio's menu shows Start when it has passed."""
    if read_json(CHECKED).get("stamp") == stamp():
        return
    CHECKED.unlink(missing_ok=True)
    compile_own()  # an update may have brought new files and no new package
    say("Checking that everything works (app.py doctor)")
    if subprocess.call([str(PYTHON), str(ROOT / "app.py"), "doctor"]) != 0:
        raise SetupError("The self-check found a problem.", "Do what it says above, then try again.")
    write_json(CHECKED, {"stamp": stamp(), "torch": read_json(STATE)["torch"]})


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, "git", stderr=done.stderr)
    return done.stdout.strip()


def update() -> None:
    """Pulls, then lets the new version set itself up and check itself; goes back to the old one if it cannot."""
    if not (ROOT / ".git").exists():
        raise SetupError(
            "This copy of Rushes did not come from git, so it cannot update itself.",
            "Download the newest version and move your data folder into it.",
        )
    again = [sys.executable, str(ROOT / "bootstrap.py"), "--check"]
    quiet = {key: value for key, value in os.environ.items() if key != "RUSHES_PRINT_RESULT"}
    try:
        before = git("rev-parse", "HEAD")
        git("pull", "--ff-only", "--quiet")
        after = git("rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError) as error:
        say("    " + str(getattr(error, "stderr", error)).strip().replace("\n", "\n    "))
        raise SetupError(
            "The newest version could not be fetched; nothing was changed.",
            "Check the internet connection, and that no file of Rushes was edited by hand.",
        ) from error
    say(f"Updated from {before[:8]} to {after[:8]}." if after != before else "This is the newest version.")
    CHECKED.unlink(missing_ok=True)
    if subprocess.call(again, env=quiet) == 0:
        return
    if after == before:
        raise SetupError("Rushes does not pass its self-check.", "Click Install, or run: bootstrap.py --repair --check")
    say(f"Going back to {before[:8]} ...")
    git("reset", "--keep", "--quiet", before)
    if subprocess.call(again, env=quiet) != 0:
        raise SetupError("The update failed, and so does the version before it.", "Click Reset, then Install.")
    raise SetupError("The new version did not work here.", "The one you had is back: use it, and update another day.")


def run(arguments: list[str]) -> int:
    """Becomes the program that was asked for: on Linux and macOS really, on Windows by waiting for it."""
    if arguments[0] == "app.py" and not Path("app.py").exists():
        arguments = [str(ROOT / "app.py"), *arguments[1:]]
    os.environ["PATH"] = str(PYTHON.parent) + os.pathsep + os.environ.get("PATH", "")
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(PYTHON, [str(PYTHON), *arguments])
    child = subprocess.Popen([str(PYTHON), *arguments])
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C reaches the child too: it decides
            return child.wait()


def main(arguments: list[str]) -> int:
    options = set()
    while arguments and arguments[0] in ("--torch", "--check", "--repair", "--update", "--help", "-h"):
        options.add(arguments.pop(0))
    if options & {"--help", "-h"}:
        print(__doc__)
        return 0
    if "--torch" in options:
        choice = choose_torch(find_machine(), os.environ.get("RUSHES_TORCH", ""))
        print(f"torch {TORCH}, {choice.build} build\n{choice.reason}\n{choice.advice}".strip())
        return 0
    if not REQUIREMENTS.exists():
        raise SetupError("The Rushes folder is incomplete.", "Download it again; your data folder can stay.")
    if "--update" in options:
        update()
    if "--repair" in options and VENV.exists():
        UNFINISHED.touch()
    dev = needs_dev(arguments)
    if dev and not DEV_REQUIREMENTS.exists():
        raise SetupError("The Rushes folder is incomplete.", "Download it again; your data folder can stay.")
    set_up(dev)
    if "--check" in options:
        self_check()
    if arguments:
        return run(arguments)
    say("Rushes is ready. Open the studio with: python3 bootstrap.py app.py")
    return 0


if __name__ == "__main__":
    result = "ok"
    try:
        code = main(sys.argv[1:])
    except (SetupError, OSError) as error:
        problem = error if isinstance(error, SetupError) else explain(str(error), "Setting up")
        result, code = f"{problem.cause} {problem.remedy}", 1
        say("\nRushes could not be set up.")
        say(f"  What happened: {problem.cause}\n  What to do:    {problem.remedy}")
        if problem is not error:
            say(f"  In its words:  {error}")
    except KeyboardInterrupt:
        result, code = "It was stopped.", 130
        say("\nStopped. Start again to go on.")
    if os.environ.get("RUSHES_PRINT_RESULT"):  # for Pinokio, which sees only text
        print(f"RUSHES_RESULT=<{result}>", flush=True)
    sys.exit(code)
