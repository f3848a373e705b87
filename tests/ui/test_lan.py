"""Sharing on the home network: with the password, from this machine's own names, and no other way."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Scope

from engine import APP, BadSetting
from ui.page.middleware.access import Rules, locked_out, refusal_of
from ui.page.middleware.lan_auth import PAUSE_SECONDS, TRIES, Lock, addresses, is_this_machine

PASSWORD = "a few plain words"
HOME = "192.168.1.20"


def basic(password: str, name: str = "anybody") -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def scope(client: str, host: str = f"{HOME}:7433", **headers: str) -> Scope:
    pairs = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "client": (client, 5000),
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
    }  # fmt: skip


@pytest.fixture
def rules() -> Rules:
    return Rules.at_home(7433, [HOME], Lock.of(PASSWORD))


def test_a_machine_of_the_network_comes_in_with_the_password(rules: Rules) -> None:
    assert locked_out(scope("192.168.1.33", authorization=basic(PASSWORD)), rules) is None


@pytest.mark.parametrize(
    "given",
    ["", basic("wrong"), basic(""), "Bearer " + PASSWORD, "Basic !!!", "Basic " + base64.b64encode(b"\xff").decode(),
     basic(PASSWORD + " "), basic(PASSWORD.upper())],
)  # fmt: skip
def test_without_the_password_it_does_not(given: str, rules: Rules) -> None:
    refusal = locked_out(scope("192.168.1.33", authorization=given), rules)
    assert refusal and refusal.status == 401


def test_this_machines_own_tab_needs_none(rules: Rules) -> None:
    assert locked_out(scope("127.0.0.1"), rules) is None and locked_out(scope("::1"), rules) is None


def test_an_unknown_client_counts_as_a_stranger(rules: Rules) -> None:
    nobody = scope("") | {"client": None}
    assert locked_out(nobody, rules)
    assert not is_this_machine("localhost.evil.example")


@pytest.mark.parametrize("host", ["evil.example:7433", f"{HOME}:80", "192.168.1.21:7433", HOME])
def test_a_name_that_is_not_this_machines_is_refused(host: str, rules: Rules) -> None:
    refusal = refusal_of(scope("192.168.1.33", host=host), rules)
    assert refusal and refusal.status == 421


def test_a_foreign_page_is_refused_even_with_the_password(rules: Rules) -> None:
    sent = scope("192.168.1.33", authorization=basic(PASSWORD), origin="http://evil.example")
    refusal = refusal_of(sent, rules)
    assert refusal and refusal.status == 403


def test_guessing_is_slowed_down_and_only_for_who_guesses() -> None:
    now = [100.0]
    lock = Lock.of(PASSWORD)
    lock.clock = lambda: now[0]
    for _ in range(TRIES):
        assert not lock.admits(basic("guess"), "10.0.0.5")
    assert not lock.admits(basic(PASSWORD), "10.0.0.5")  # too late for a while
    assert lock.admits(basic(PASSWORD), "10.0.0.6")
    now[0] += PAUSE_SECONDS + 1
    assert lock.admits(basic(PASSWORD), "10.0.0.5")


def test_a_short_password_is_refused() -> None:
    with pytest.raises(BadSetting):
        Lock.of("short")


def test_addresses_are_private_ones_only() -> None:
    assert all(not address.startswith("127.") for address in addresses())


def command(home: Path, *words: str, **environment: str) -> Any:
    shell = {k: v for k, v in os.environ.items() if k != "RUSHES_PASSWORD"} | {"RUSHES_HOME": str(home)} | environment
    return subprocess.Popen([sys.executable, "app.py", "serve", *words], cwd=APP, env=shell, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


@pytest.mark.parametrize("environment", [{}, {"RUSHES_PASSWORD": "short"}])
def test_sharing_without_a_good_password_does_not_start(environment: dict[str, str], tmp_path: Path) -> None:
    process = command(tmp_path, "--lan", **environment)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "password" in err and "Traceback" not in err


@pytest.mark.slow
@pytest.mark.skipif(not addresses(), reason="this machine is on no private network")
def test_a_shared_studio_asks_the_network_and_not_this_machine(tmp_path: Path) -> None:
    import http.client

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = command(tmp_path, "--lan", "--port", str(port), RUSHES_PASSWORD=PASSWORD)

    def get(address: str, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(address, port, timeout=20)
        connection.request("GET", "/", headers=headers)
        return connection.getresponse()

    try:
        for _ in range(200):
            try:
                own = get("127.0.0.1")
                break
            except OSError:
                time.sleep(0.2)
        page = own.read().decode()
        assert own.status == 200 and "Shared on your home network" in page
        home = addresses()[0]
        asked = get(home)
        assert asked.status == 401 and asked.headers["WWW-Authenticate"].startswith("Basic")
        assert get(home, Authorization=basic(PASSWORD)).status == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
