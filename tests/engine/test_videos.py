"""Videos that a person brings come out plain and at their own times; what is not one gets one sentence and no trace."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine import BadFile
from engine.media import videos
from engine.media.images import video_path
from engine.media.videos import facts, keep_video, sampled

RED, BLUE = (200, 20, 20), (20, 20, 200)


def film(path: Path, times: Sequence[float], size: tuple[int, int] = (64, 32), codec: str = "libx264") -> Path:
    """A video whose picture number n is as bright as 10 n, seen from its time on; the left half is redder."""
    with av.open(str(path), "w") as container:
        rate = round(1 / (times[1] - times[0]))  # so long the last picture is seen
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 9000)
        if codec == "libx264":
            stream.options = {"crf": "1"}
        for number, time in enumerate(times):
            pixels = np.full((size[1], size[0], 3), 10 * (number % 25), np.uint8)
            pixels[:, : size[0] // 2, 0] = 200
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(time * 9000), Fraction(1, 9000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def kept(path: Path, tmp_path: Path) -> Path:
    return video_path(tmp_path / "kept", keep_video(path, tmp_path / "kept"))


def brightness(images: Any) -> list[int]:
    """The number of each picture, read back from its right half."""
    return [round(np.asarray(image)[:, -8:, 1].mean() / 10) for image in images]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx264"),
        ("a.ts", "libx264"),
        ("a.webm", "libvpx-vp9"),
        ("a.avi", "mpeg4"),
    ],
)
def test_every_usual_container_is_taken(name: str, codec: str, tmp_path: Path) -> None:
    found = facts(kept(film(tmp_path / name, [n / 10 for n in range(10)], codec=codec), tmp_path))
    assert (found.width, found.height) == (64, 32) and found.seconds == pytest.approx(1.0, abs=0.11)


def test_pictures_come_at_the_models_rate_whatever_the_videos(tmp_path: Path) -> None:
    path = kept(film(tmp_path / "a.mp4", [n / 20 for n in range(20)]), tmp_path)
    assert brightness(sampled(path, 10, 99)) == list(range(0, 20, 2))
    assert brightness(sampled(path, 40, 6)) == [0, 0, 1, 1, 2, 2]


def test_a_variable_frame_rate_keeps_each_pictures_own_time(tmp_path: Path) -> None:
    path = kept(film(tmp_path / "a.mp4", [0, 0.1, 0.5, 0.6, 0.7]), tmp_path)
    assert brightness(sampled(path, 10, 7)) == [0, 1, 1, 1, 1, 2, 3]


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_phone_on_its_side_is_set_upright(turned: int, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [0, 0.1, 0.2])
    turn(path, turned)
    (first, *_) = sampled(kept(path, tmp_path), 10, 1)
    assert first.size == ((64, 32) if turned == 180 else (32, 64))
    left_of_source = {90: (16, 4), 180: (60, 16), 270: (16, 60)}[turned]  # clockwise: left goes up, right, down
    assert first.getpixel(left_of_source)[0] > 150


def turn(path: Path, clockwise: int) -> None:
    """Write a rotation into the track's matrix, as a phone does."""
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[clockwise]
    plain = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    matrix = struct.pack(">9i", cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    content = path.read_bytes()
    track = content.index(b"tkhd")
    at = content.index(plain, track)
    path.write_bytes(content[:at] + matrix + content[at + len(matrix) :])


def test_sound_and_metadata_are_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = "where I live"
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 32
        sound: Any = container.add_stream("aac", rate=24_000)
        for number in range(10):
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
            noise = av.AudioFrame.from_ndarray(np.zeros((1, 2400), np.float32), format="fltp", layout="mono")
            noise.sample_rate, noise.pts = 24_000, number * 2400
            container.mux(sound.encode(noise))
        container.mux(stream.encode())
        container.mux(sound.encode())
    with av.open(str(kept(path, tmp_path))) as container:
        assert not container.streams.audio and "comment" not in container.metadata


def talking(path: Path, seconds: int, click: float) -> Path:
    """A film of five pictures a second, picture n as bright as n, silent but for a click."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=5, options={"crf": "1"})
        stream.width = stream.height = 32
        sound: Any = container.add_stream("aac", rate=24_000, layout="stereo")
        samples = np.zeros((2, 24_000 * seconds), np.float32)
        samples[:, round(click * 24_000) :][:, :200] = np.sin(np.arange(200) / 2)
        for number in range(5 * seconds):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
        whole = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        whole.sample_rate, whole.pts, whole.time_base = 24_000, 0, Fraction(1, 24_000)
        container.mux(sound.encode(whole))
        container.mux(sound.encode())
    return path


@pytest.mark.parametrize(("seconds", "click"), [(8, 5.0), (40, 33.0)])
def test_of_what_a_clip_goes_on_from_the_end_is_kept_with_its_sound(seconds: int, click: float, tmp_path: Path) -> None:
    file = talking(tmp_path / "talk.mov", seconds, click)
    name = keep_video(file, tmp_path / "kept", ending=True)
    assert name != keep_video(file, tmp_path / "kept") == keep_video(file, tmp_path / "kept")
    with av.open(str(video_path(tmp_path / "kept", name))) as container:
        pictures = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    with av.open(str(video_path(tmp_path / "kept", name))) as container:
        frames = list(container.decode(audio=0))
        heard = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)[0]
    assert pictures[-1] == pytest.approx(5 * seconds - 1, abs=1.5)  # its very last one
    before = seconds - len(pictures) / 5  # what was left out
    assert (before == 0) == (seconds < 30) and len(pictures) / 5 <= 30
    assert (frames[0].time + np.abs(heard).argmax() / 24_000) == pytest.approx(click - before, abs=0.02)


def test_sound_that_cannot_be_played_is_a_sentence_and_nothing_is_kept(tmp_path: Path) -> None:
    file = talking(tmp_path / "talk.mp4", 4, 1.0)
    with av.open(str(file)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    content = bytearray(file.read_bytes())
    for at, size in places:
        content[at : at + size] = b"\xff" * size
    file.write_bytes(content)
    with pytest.raises(BadFile, match=r"The sound of talk.mp4 cannot be played"):
        keep_video(file, tmp_path / "kept", ending=True)
    assert not list((tmp_path / "kept").glob("*"))


def test_what_is_long_fast_or_large_is_bounded(tmp_path: Path) -> None:
    path = kept(film(tmp_path / "a.mp4", [*(n / 240 for n in range(48)), 29.0, 31.0], (2560, 64)), tmp_path)
    found = facts(path)
    assert (found.width, found.height) == (1920, 48) and found.seconds <= 30.1
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 0.2 * 60 + 1


def test_a_video_that_would_take_hours_to_read_is_kept_as_far_as_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "MAX_PIXELS_READ", 5 * 64 * 32)
    found = facts(kept(film(tmp_path / "a.mp4", [n / 10 for n in range(20)]), tmp_path))
    assert found.seconds == pytest.approx(0.5, abs=0.01)


def test_the_same_video_is_kept_once_and_its_colours_hold(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [0, 0.1, 0.2])
    one = kept(path, tmp_path)
    first, written = one.read_bytes(), one.stat().st_ino
    assert kept(path, tmp_path) == one and len(list((tmp_path / "kept").iterdir())) == 1
    assert one.read_bytes() == first and one.stat().st_ino == written  # nothing is encoded twice
    left, right = (np.asarray(next(sampled(one, 10, 1)))[16, at] for at in (10, 55))
    assert np.abs(left.astype(int) - (200, 0, 0)).max() < 16 and right.max() < 16


def playlist(scheme: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{scheme}\n#EXT-X-ENDLIST\n".encode()


def cut(tmp_path: Path) -> bytes:
    whole = film(tmp_path / "whole.mkv", [n / 10 for n in range(40)], (256, 256)).read_bytes()
    return whole[:1500]


BOMB = b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + b"\x00\x00\x00,\0\0\0\0\x60\xea\x60\xea\0\x02\x02D\x01\0;"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"I am no video"),
        ("page.mp4", b"<html><script>alert(1)</script></html>"),
        ("playlist.mp4", playlist("/etc/passwd")),
        ("network.m3u8", playlist("http://127.0.0.1:9/a.ts")),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        ("header.mp4", b"\0\0\0\x20ftypisom" + b"\0" * 100),
        ("endless.mp4", b"\xff\xff\xff\xffftypisom" + b"\0" * 100),
        ("picture.mp4", b"\x89PNG\r\n\x1a\n" + b"\0" * 64),
        ("cut.mkv", cut),
        ("bomb.gif", BOMB),
    ],
)
def test_what_is_no_video_is_refused_and_leaves_no_trace(name: str, content: Any, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content(tmp_path) if callable(content) else content)
    with pytest.raises(BadFile) as refusal:
        keep_video(tmp_path / name, tmp_path / "kept")
    assert name in refusal.value.cause and refusal.value.remedy
    assert not list((tmp_path / "kept").glob("*"))


def test_a_sound_file_has_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        sound: Any = container.add_stream("aac", rate=24_000)
        noise = av.AudioFrame.from_ndarray(np.zeros((1, 24_000), np.float32), format="fltp", layout="mono")
        noise.sample_rate = 24_000
        container.mux(sound.encode(noise))
        container.mux(sound.encode())
    with pytest.raises(BadFile, match="no pictures"):
        keep_video(path, tmp_path / "kept")


def test_a_missing_or_enormous_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        keep_video(tmp_path / "missing.mp4", tmp_path)
    with pytest.raises(BadFile, match="no file"):
        keep_video(Path("/dev/zero"), tmp_path)
    with (tmp_path / "huge.mp4").open("wb") as file:
        file.truncate(4_100_000_000)
    with pytest.raises(BadFile, match="larger than"):
        keep_video(tmp_path / "huge.mp4", tmp_path)
