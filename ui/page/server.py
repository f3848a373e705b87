"""The page's address: one fixed port on this machine, so that bookmarks keep working; uvicorn behind our own door."""

from __future__ import annotations

import gc
import http.client
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

from engine import BadSetting, Engine, InUse, Message, RushesError
from ui.page.middleware import lan_auth
from ui.page.middleware.access import Door, Rules
from ui.page.middleware.connections import PatientProtocol
from ui.page.middleware.lan_auth import Lock
from ui.texts import LAN, SERVER

PREFERRED_PORT = 7433
NEXT_PORTS = 50
RETRY_SECONDS = 5.0  # to start the workers on a disk that was full
ADDRESS = "127.0.0.1"  # this machine only
EVERYWHERE = "0.0.0.0"  # noqa: S104 - every network of this machine, when it is shared


def serve(engine: Engine, port: int | None, shared: bool = False) -> None:
    """Open the studio and stay until Ctrl-C or SIGTERM. Closes the engine. Raises InUse or BadSetting.

    `shared`: let other machines of the home network in, with the password in RUSHES_PASSWORD.
    """
    lock, homes = _sharing() if shared else (None, [])
    listener, chosen = _listen(_asked(port), EVERYWHERE if lock else ADDRESS)
    try:
        from ui.page.app import application  # Gradio: seconds; a port in use is said at once

        site = application(engine, LAN.banner if lock else "")
        config = uvicorn.Config(
            Door(site.app, _rules(chosen, homes, lock)),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            http=PatientProtocol,
        )
        server = _Server(config, site.leave)
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, server.handle_exit)  # a closed terminal
        greeting = threading.Thread(target=_greet, args=(engine, server, chosen), name="greeting", daemon=True)
        greeting.start()
        server.run(sockets=[listener])
        greeting.join()  # it may be starting the engine at this moment
    finally:
        listener.close()
        engine.close()
        print(SERVER.closed)


def _sharing() -> tuple[Lock, list[str]]:
    """The lock and this machine's addresses at home. Raises BadSetting when one of them is missing."""
    lock, homes = lan_auth.lock_from_environment(), lan_auth.addresses()
    if not homes:
        raise BadSetting(Message.of(LAN.nowhere), Message.of(LAN.nowhere_remedy))
    return lock, homes


def _rules(port: int, homes: list[str], lock: Lock | None) -> Rules:
    if lock is None:
        return Rules.of_this_machine(port, frames=_frames())
    print(LAN.shared.format(urls=", ".join(f"http://{home}:{port}" for home in homes)), flush=True)
    return Rules.at_home(port, homes, lock)


class _Server(uvicorn.Server):
    """Leaves on Ctrl-C or SIGTERM: ends the streams of open tabs, and does not raise the signal again, so that the
    engine is closed in order."""

    def __init__(self, config: uvicorn.Config, leave: Callable[[], None]) -> None:
        super().__init__(config)
        self._leave = leave

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leave()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _greet(engine: Engine, server: uvicorn.Server, port: int) -> None:
    """Say where the page is once it answers; only then start the workers, which would slow the first page down."""
    while not server.should_exit:
        try:
            connection = http.client.HTTPConnection(ADDRESS, port, timeout=30)
            connection.request("HEAD", "/")
            if connection.getresponse().status == 200:
                break
        except OSError:
            time.sleep(0.02)
    if server.should_exit:
        return
    gc.collect()
    gc.freeze()  # what was imported stays: to look through it again and again would delay forecasts by some 100 ms
    print(SERVER.open.format(url=f"http://{ADDRESS}:{port}"), flush=True)
    if os.environ.get("RUSHES_PRINT_URL") == "1":
        print(f"APP_URL=<http://{ADDRESS}:{port}>", flush=True)
    told = ""
    while not server.should_exit:
        try:
            engine.start()
            engine.downloads.start()  # what was cut off goes on
            engine.warm_up()
            break
        except RushesError as error:  # the page stays: looking, planning and deleting need no worker
            if str(error) != told:
                print(error, file=sys.stderr, flush=True)
            told = str(error)
            time.sleep(RETRY_SECONDS)


def _frames() -> tuple[str, ...]:
    """RUSHES_FRAMED_BY: the origins of a launcher that shows the page inside its own, as Pinokio does."""
    origins = os.environ.get("RUSHES_FRAMED_BY", "").split()
    return tuple(origin for origin in origins if re.fullmatch(r"https?://[a-z0-9.-]+(:\d{1,5})?", origin))


def _asked(port: int | None) -> int | None:
    """The port that was asked for by name: the argument, else GRADIO_SERVER_PORT, which Pinokio sets."""
    if port is None:
        text = os.environ.get("GRADIO_SERVER_PORT", "").strip()
        if not text:
            return None
        port = int(text) if text.isdecimal() else -1
    if not 1 <= port <= 65535:
        raise BadSetting(Message.of(SERVER.bad_port), Message.of(SERVER.bad_port_remedy))
    return port


def _listen(asked: int | None, address: str) -> tuple[socket.socket, int]:
    """A listening socket on the asked port, or on the preferred one or the next free one after it."""
    candidates = [asked] if asked else range(PREFERRED_PORT, PREFERRED_PORT + NEXT_PORTS)
    for port in candidates:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would let two programs share one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(128)
        except OSError:
            listener.close()
            continue
        if port != candidates[0]:
            print(SERVER.next_port.format(taken=PREFERRED_PORT, port=port))
        return listener, port
    if asked:
        raise InUse(Message.of(SERVER.port_taken.format(port=asked)), Message.of(SERVER.port_taken_remedy))
    raise InUse(Message.of(SERVER.no_port), Message.of(SERVER.port_taken_remedy))
