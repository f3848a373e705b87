"""The door, attacked: what may be asked for, how much may be brought, and what every answer carries."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine import MAX_LORA_BYTES, MAX_PICTURE_BYTES, MAX_VIDEO_BYTES, Engine
from tests.ui.conftest import PORT, SAME, TAKE, Knock, knock_at, put_take
from ui.page.middleware.access import LARGER_BODIES, Door, Rules

# ---- what they may ask for ----

CLOSED = [
    "/gradio_api/file=/etc/passwd",
    "/gradio_api/file/etc/passwd",
    "/gradio_api/file=C:\\Windows\\win.ini",
    "/file=/etc/passwd",
    "/gradio_api/proxy=https://evil.example/",
    "/gradio_api/upload",
    "/gradio_api/vibe-edit/",
    "/gradio_api/component_server",
    "/gradio_api/stream/x",
    "/gradio_api/openapi.json",
    "/monitoring",
    "/login",
    "/docs",
    "/static/../../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/etc/passwd",
    "/static/%252e%252e/%252e%252e/etc/passwd",
    "/assets/..%5c..%5cwindows",
    "//evil.example/",
    "/media/take/..%2f..%2frushes.sqlite3",
    "/media/take/../../rushes.sqlite3",
    "/media/take/%2e%2e",
    "/media/take/%2fetc%2fpasswd",
    "/media/take/C%3A%5CWindows%5Cwin.ini",
    "/media/take/%5c%5cevil.example%5cshare%5cx",
    f"/media/take/{TAKE}/latents.safetensors",
    f"/media/take/{TAKE}/take.json",
    f"/media/take/{TAKE}%00.mp4",
    f"/media/clip/{TAKE}",
    "/media/take/last",
    "/media/take/red-ball",
    "/media/model/starter",
    "/media/video/0123",
    "/media/video/..%2f0123456789abcdef0123456789abcdef",
    "/preset/tier/..%2f..%2frushes.sqlite3",
    "/preset/tier/nothing.toml",
    "/preset/model/starter.toml",
    "/bring/",
    "/bring/model",
    "/bring/lora/../video",
    f"/media/peek/{TAKE}/take.safetensors",
    "/media/peek/../peek-001.webp",
    f"/media/peek/{TAKE}/peek-..%2ftake.webp",
    "/media/take/",
]


@pytest.mark.parametrize("path", CLOSED)
def test_what_the_page_does_not_need_is_not_there(knock: Knock, path: str) -> None:
    status, _, body = knock(path, SAME)
    assert status == 404
    assert b"root:" not in body and b"secret" not in body


def test_a_take_is_served_by_its_name(knock: Knock) -> None:
    status, answer, body = knock(f"/media/take/{TAKE}", SAME)
    assert (status, answer["content-type"], len(body)) == (200, "video/mp4", 100)
    assert knock(f"/media/take/{TAKE}/poster", SAME)[2] == b"jpeg"


def test_a_player_can_seek(knock: Knock) -> None:
    status, answer, body = knock(f"/media/take/{TAKE}", {**SAME, "range": "bytes=10-14"})
    assert (status, answer["content-range"], body) == (206, "bytes 10-14/100", b"01234")


def test_a_link_out_of_the_data_folder_is_not_followed(engine: Engine, knock: Knock, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    video = put_take(engine, "linked-take") / "take.mp4"
    video.unlink()
    try:
        video.symlink_to(secret)
    except OSError:
        pytest.skip("this system lets this user make no links")
    assert knock("/media/take/linked-take", SAME)[0] == 404


@pytest.mark.parametrize("kind", ["picture", "video"])
def test_a_link_under_the_name_of_what_was_brought_is_not_followed(
    kind: str, engine: Engine, knock: Knock, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    engine.places.media.mkdir(exist_ok=True)
    own, linked = (engine.places.media / f"{name * 32}.{'mp4' if kind == 'video' else 'png'}" for name in "ab")
    own.write_bytes(b"mine")
    try:
        linked.symlink_to(tmp_path / "secret")
    except OSError:
        pytest.skip("this system lets this user make no links")
    try:
        assert knock(f"/media/{kind}/{'a' * 32}", SAME)[::2] == (200, b"mine")
        assert knock(f"/media/{kind}/{'b' * 32}", SAME)[0] == 404
    finally:
        own.unlink()
        linked.unlink()


# ---- how much they may bring ----


@pytest.mark.parametrize("path", ["/mcp", "/gradio_api/queue/join", "/gradio_api/run/plan"])
def test_json_that_is_nested_without_end_is_refused_before_it_is_parsed(path: str, knock: Knock) -> None:
    headers = {**SAME, "content-type": "application/json"}
    assert knock(path, headers, method="POST", body=(b"[" * 100_000,))[0] == 400


@pytest.mark.parametrize("length", ["99000000", "9" * 5000, "-1", "1,1", "0x10", "\xb2"])
def test_a_large_or_senseless_announcement_is_refused(knock: Knock, length: str) -> None:
    headers = {**SAME, "content-length": length}
    assert knock("/gradio_api/queue/join", headers, method="POST")[0] == 413


@pytest.mark.parametrize("length", [None, "10"])
def test_a_large_body_is_cut_off_when_the_announcement_is_missing_or_a_lie(knock: Knock, length: str | None) -> None:
    headers = {**SAME, "content-type": "application/json"} | ({"content-length": length} if length else {})
    body = (b'{"data": ["', *[b"x" * 100_000] * 20, b'"]}')
    assert knock("/gradio_api/queue/join", headers, method="POST", body=body)[0] == 413


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/bring/picture", 2_000_000, 200), ("/bring/video", 2_000_000, 200), ("/bring/lora", 2_000_000, 200),
     ("/bring/preset", 2_000_000, 413), ("/config", 2_000_000, 413)],
)  # fmt: skip
def test_only_pictures_videos_and_loras_may_be_large(path: str, size: int, status: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    chunks = tuple(b"x" * 100_000 for _ in range(size // 100_000))
    assert knock_at(Door(app, Rules.of_this_machine(PORT)), path, SAME, "POST", chunks)[0] == status


def test_a_picture_that_never_ends_is_cut_off(knock: Knock, engine: Engine) -> None:
    chunks = tuple(b"x" * 1_000_000 for _ in range(MAX_PICTURE_BYTES // 1_000_000 + 2))
    assert knock("/bring/picture", SAME, "POST", chunks)[0] == 413
    assert not list(engine.places.staging.iterdir())


@pytest.mark.parametrize(
    ("path", "most"), [("picture", MAX_PICTURE_BYTES), ("video", MAX_VIDEO_BYTES), ("lora", MAX_LORA_BYTES)]
)
def test_what_is_announced_as_larger_than_any_such_file_is_refused_at_once(knock: Knock, path: str, most: int) -> None:
    assert knock(f"/bring/{path}", {**SAME, "content-length": str(most + 1)}, "POST")[0] == 413


@pytest.mark.parametrize("path", ["/bring/video", "/bring/lora"])
def test_a_file_that_never_ends_is_cut_off_and_leaves_nothing(
    knock: Knock, engine: Engine, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setitem(LARGER_BODIES, path, 3_000_000)  # of gigabytes
    assert knock(path, SAME, "POST", tuple(b"x" * 1_000_000 for _ in range(5)))[0] == 413
    assert not list(engine.places.staging.iterdir())


@pytest.mark.parametrize("path", ["/bring/video", "/bring/lora"])
@pytest.mark.parametrize(
    "body", [b"", b"GIF89a", b"<svg onload=alert(1)>", b"\x80\x05pickle", b"#EXTM3U\nfile:///etc/passwd"]
)
def test_what_is_no_video_and_no_lora_is_refused_in_a_sentence(
    knock: Knock, engine: Engine, path: str, body: bytes
) -> None:
    status, _, text = knock(f"{path}?name=holiday.mp4", SAME, "POST", (body,))
    assert status == 400 and b"holiday.mp4" in text and str(engine.places.home).encode() not in text
    assert not list(engine.places.staging.iterdir())
    assert not list(engine.places.loras.glob("*")) and not list(engine.places.media.glob("*"))


NAMES = ["../../evil.png", "..%2f..%2fevil.png", "C:%5CWindows%5Cevil.png", "%00", "a" * 3000, "..",
         "/etc/passwd", "%22%3Cb%3E",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_leads_nowhere(knock: Knock, engine: Engine, name: str) -> None:
    before = sorted(engine.places.home.rglob("*"))
    status, _, text = knock(f"/bring/picture?name={name}", SAME, "POST", (b"no picture",))
    assert status == 400 and len(text) < 400
    assert sorted(engine.places.home.rglob("*")) == before


@pytest.mark.parametrize("body", [b"", b"GIF89a", b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n" + b"0" * 200])
def test_what_is_no_picture_is_refused_in_a_sentence(knock: Knock, engine: Engine, body: bytes) -> None:
    status, _, text = knock("/bring/picture", SAME, "POST", (body,))
    assert (
        status == 400 and (b"picture" in text or b"is empty" in text) and str(engine.places.home).encode() not in text
    )
    assert not list(engine.places.staging.iterdir())


# ---- what every answer carries ----


@pytest.mark.parametrize("path", ["/", "/config", f"/media/take/{TAKE}", "/nothing"])
def test_every_answer_is_sealed(knock: Knock, path: str) -> None:
    answer = knock(path, SAME)[1]
    policy = answer["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "default-src 'self'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["x-frame-options"] == "DENY"
    assert "server" not in answer


def test_the_page_allows_its_own_scripts_only_and_anew_each_time(knock: Knock) -> None:
    pages = [knock("/", SAME) for _ in range(2)]
    nonces = [answer["content-security-policy"].partition("'nonce-")[2].partition("'")[0] for _, answer, _ in pages]
    assert nonces[0] != nonces[1]
    for nonce, (_, answer, body) in zip(nonces, pages, strict=True):
        assert body.count(b"<script") == body.count(f'<script nonce="{nonce}"'.encode()) > 0
        assert int(answer["content-length"]) == len(body)


def test_the_style_fetches_nothing_from_elsewhere(knock: Knock) -> None:
    styles = knock("/theme.css", SAME)[2]
    assert b"@import" not in styles
    assert not re.search(rb"url\([\"']?\s*(https?:)?//", styles)
