"""Sharing on the home network: off unless it is asked for, and then only behind a password.

The browser asks for the password itself (HTTP Basic), so there is no page before it. It travels unencrypted, which is
why this is for a network at home and the page says that it is shared. This machine's own tab needs no password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from engine import BadSetting, Message
from ui.texts import LAN

MIN_PASSWORD = 10
TRIES, PAUSE_SECONDS = 5, 30.0
PASSWORD_VARIABLE = "RUSHES_PASSWORD"


@dataclass
class Lock:
    """A password, and how often somebody tried it in vain. `clock` answers seconds."""

    digest: bytes
    clock: Callable[[], float] = time.monotonic
    failures: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, password: str) -> Lock:
        """Raises BadSetting for one that is too short."""
        if len(password) < MIN_PASSWORD:
            raise BadSetting(Message.of(LAN.short.format(least=MIN_PASSWORD)), Message.of(LAN.short_remedy))
        return cls(_digest(password))

    def admits(self, authorization: str, address: str) -> bool:
        """Whether a request from `address` brings the password. Five wrong tries close the door for a while."""
        recent = [at for at in self.failures.get(address, []) if self.clock() - at < PAUSE_SECONDS]
        self.failures[address] = recent
        if len(recent) >= TRIES:
            return False
        given = _password(authorization)
        if given is not None and hmac.compare_digest(_digest(given), self.digest):
            self.failures.pop(address, None)
            return True
        if given is not None:
            recent.append(self.clock())
        return False


def lock_from_environment() -> Lock:
    """The lock for --lan. Raises BadSetting when there is no password, or a short one."""
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if not password:
        raise BadSetting(Message.of(LAN.missing), Message.of(LAN.missing_remedy))
    return Lock.of(password)


def addresses() -> list[str]:
    """This machine's own IPv4 addresses on private networks."""
    found = (
        address.address
        for network in psutil.net_if_addrs().values()
        for address in network
        if address.family == socket.AF_INET
    )
    return [text for text in found if _is_at_home(text)]


def is_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _is_at_home(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return address.is_private and not address.is_loopback and not address.is_link_local


def _password(authorization: str) -> str | None:
    """The password of a Basic header, whatever the user name; None when there is none."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        return base64.b64decode(coded, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()
