"""The page's address: which port, and what is said when it is taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from engine import BadSetting, InUse
from ui.page import server


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_the_next_free_port_is_taken_and_said(
    taken: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "PREFERRED_PORT", taken)
    listener, port = server._listen(None, server.ADDRESS)
    with listener:
        assert port > taken
        assert listener.getsockname() == ("127.0.0.1", port)
    assert str(port) in capsys.readouterr().out


def test_a_port_that_was_asked_for_is_not_swapped_for_another(taken: int) -> None:
    with pytest.raises(InUse, match=str(taken)):
        server._listen(taken, server.ADDRESS)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "80a", "1e3"])
def test_what_is_no_port_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GRADIO_SERVER_PORT", text)
    with pytest.raises(BadSetting):
        server._asked(None)


def test_the_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_PORT", "1234")
    assert (server._asked(4321), server._asked(None)) == (4321, 1234)
