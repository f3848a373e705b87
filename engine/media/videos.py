"""Videos that a person brings: opened with suspicion, made plain, kept under the name of their content.

What is kept is a new MP4 of the visible pictures at their own times: upright, square pixels, at most 1920 a side, 30
seconds and 60 pictures a second, near-lossless H.264, no sound, no metadata. Models read it at their own frame rate.
Of a video that a clip goes on from, it is the end, with its sound.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from engine.durable_files import written
from engine.media import mistaken_files
from engine.media.audio import Soundtrack
from engine.media.images import BACKGROUND, ID_LENGTH, check_file, video_path
from engine.schema import VideoFacts
from engine.schema.errors import BadFile, not_written
from engine.schema.message import Message

MAX_FILE_BYTES = 4_000_000_000
MAX_PIXELS = 36_000_000  # 8K
MAX_SIDE, MIN_SIDE = 1920, 16
MAX_SECONDS, MAX_FPS = 30, 60
ROOM_SECONDS = 0.5  # of an ending, so that its very last picture is among those kept
MAX_FRAMES_READ, MAX_PIXELS_READ = 20_000, 20_000_000_000  # 30 s of the fastest camera, and of the largest (4K)
CLOCK = 90_000  # ticks a second of what is kept
# By content, whatever the name says; no playlists, which name other files and addresses.
READING = {"format_whitelist": "mov,matroska,avi,mpegts,mpeg,gif,ogg,flv,asf", "protocol_whitelist": "file"}
SEE_THROUGH = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
HDR_NOTE = "HDR, brought to BT.709"
WRITING = {"crf": "10", "preset": "veryfast", "x264-params": "mbtree=0:bframes=0"}
REMEDY = Message("Choose an MP4, MOV, WebM, MKV or AVI video.")


class Shown(NamedTuple):
    """A picture, from when it is seen and how long, in seconds: upright RGB. `from_hdr`: brought down from it."""

    time: float
    seconds: float
    picture: Image.Image
    from_hdr: bool = False


KEPT_AS = b"2"  # one more when a video is kept otherwise than before, so that it is read again when it comes again
# By the rounded matrix of the display, which says where right and down come to lie.
TURNS = {
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}
LYING = {turn for (a, *_), turn in TURNS.items() if not a}


class TooSmall(Exception):
    """A video of this size, in pixels."""


def keep_video(path: Path, folder: Path, ending: bool = False, background: str = BACKGROUND) -> str:
    """Keep a plain copy of a video in `folder`; answers its id. Raises BadFile in one sentence.

    `ending`: of its last seconds, with their sound.
    """
    try:
        check_file(path, MAX_FILE_BYTES)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        digest.update(KEPT_AS)
        if ending:
            digest.update(b"the ending")
        if background != BACKGROUND:
            digest.update(background.encode())
        name = digest.hexdigest()[:ID_LENGTH]
    except OSError as error:
        raise BadFile(
            Message(
                "{file} cannot be read ({strerror}).", file=path.name, strerror=error.strerror or Message("not a video")
            ),
            REMEDY,
        ) from error
    kept = video_path(folder, name)
    if kept.is_file():
        kept.touch()  # it came just now
        return name
    since = _ending(path) if ending else None
    if told := mistaken_files.reason(path):
        raise BadFile(*told)
    pictures = _plain_pictures(path, since, background)
    try:
        first = next(pictures)  # refused here, before anything is written
    except TooSmall as error:
        width, height = error.args[0]
        raise BadFile(
            Message(
                "{file} is {width} x {height} pixels, which is too small: {min_side} x {min_side} is the least.",
                file=path.name,
                width=width,
                height=height,
                min_side=MIN_SIDE,
            ),
            Message("Choose a larger video."),
        ) from error
    sound = None if since is None else Soundtrack(path, READING, since, MAX_SECONDS)
    try:
        folder.mkdir(exist_ok=True)
        with written(kept) as part:
            write(itertools.chain([first], pictures), part, sound)
    except OSError as error:
        raise not_written(error) from error
    return name


def facts(kept: Path) -> VideoFacts:
    """Size and length of a kept video. Raises BadFile when it is gone."""
    import av

    try:
        with av.open(str(kept)) as container:
            stream = container.streams.video[0]
            seconds = float((stream.duration or 0) * (stream.time_base or 0))
            size = {"width": stream.width, "height": stream.height, "seconds": round(seconds, 3)}
            return VideoFacts(**size, from_hdr=container.metadata.get("comment") == HDR_NOTE)
    except (OSError, av.FFmpegError, IndexError) as error:
        raise BadFile(
            Message("A video of this shot is no longer there."), Message("Choose the video again."), str(error)
        ) from error


def sampled(kept: Path, fps: int, count: int) -> Iterator[Image.Image]:
    """Up to `count` pictures of a kept video, `fps` a second, each the one that is seen at that moment."""
    import av

    from engine.media import colours

    seconds = facts(kept).seconds
    with av.open(str(kept)) as container:
        coming = iter(container.decode(container.streams.video[0]))
        shown = ahead = next(coming)
        start = ahead.time
        for moment in (number / fps for number in range(count)):
            if moment and moment + 0.5 / fps > seconds:
                return
            while ahead is not None and ahead.time - start <= moment + 1e-6:
                shown, ahead = ahead, next(coming, None)
            yield colours.picture(shown)


def _ending(path: Path) -> float:
    """The time of the first picture of a file's last seconds, by its own clock. Raises BadFile."""
    import av

    try:
        with av.open(str(path.absolute()), options=READING) as container:
            length, start = (container.duration or 0) / av.time_base, (container.start_time or 0) / av.time_base
            since = start + length - MAX_SECONDS + ROOM_SECONDS
            container.seek(int(max(since, start) * av.time_base))
            times = (frame.time or 0.0 for frame in container.decode(video=0))
            found = next((time for time in times if length <= MAX_SECONDS or time >= since), None)
    except (OSError, av.FFmpegError, ValueError, IndexError) as error:
        raise BadFile(
            Message("{file} is not a video that can be played.", file=path.name), REMEDY, str(error)
        ) from error
    if found is None or not length:
        raise BadFile(
            Message("{file} does not say how long it is, so its end cannot be found.", file=path.name),
            Message("Export it as MP4."),
        )
    return found


def _plain_pictures(path: Path, since: float | None, background: str) -> Iterator[Shown]:
    """What is kept of a file, from a time of its own clock on. Raises BadFile; always gives at least one picture."""
    import av

    try:
        with av.open(str(path.absolute()), options=READING) as container:
            if not container.streams.video:
                raise BadFile(Message("{file} has no pictures in it.", file=path.name), REMEDY)
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise BadFile(
                    Message("{file} is recorded in a format that cannot be played here.", file=path.name),
                    Message("Export it as MP4 with H.264."),
                )
            if not 0 < stream.width * stream.height <= MAX_PIXELS:
                size = f"{stream.width} x {stream.height}"
                raise BadFile(
                    Message("{file} is {size} pixels, which no model can use.", file=path.name, size=size), REMEDY
                )
            frames = _decoded(container, stream)
            if since is not None:
                container.seek(int(max(since, 0) * av.time_base))
                frames = (frame for frame in frames if (frame.time or 0.0) >= since)
            end = yield from _thinned(_whole(frames), _square(stream), background)
            claimed = min((container.duration or 0) / av.time_base, MAX_SECONDS - (ROOM_SECONDS if since else 0))
            if claimed - end > max(1.0, claimed / 2):
                raise BadFile(
                    Message("{file} ends long before its end: it was cut short.", file=path.name),
                    Message("Copy or export it again."),
                )
    except (OSError, av.FFmpegError, ValueError, IndexError, MemoryError) as error:
        raise BadFile(
            Message("{file} is not a video that can be played.", file=path.name), REMEDY, str(error)
        ) from error


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Its frames, with what can be seen through where the file has it."""
    import av

    limit = {"max_pixels": str(MAX_PIXELS)}  # of every frame, whatever the first says
    deep = SEE_THROUGH.get(stream.codec_context.name)
    if deep is None or stream.metadata.get("alpha_mode") != "1":
        stream.codec_context.options = limit
        yield from container.decode(stream)
        return
    decoder = av.CodecContext.create(deep, "r")  # FFmpeg's own decoder leaves the second layer out
    decoder.options = limit
    for packet in container.demux(stream):
        for frame in decoder.decode(packet):
            frame.time_base = frame.time_base or stream.time_base
            yield frame


def _whole(frames: Iterator[Any]) -> Iterator[Any]:
    """Pictures that a camera recorded as two halves, one after the other, without the combs that those would leave."""
    import av

    graph, shape = None, None
    for frame in frames:
        if graph is None and not frame.interlaced_frame:
            yield frame
            continue
        if graph and shape != (frame.width, frame.height, frame.format.name):  # as a broadcast may change it midway
            graph.push(None)
            yield from _filtered(graph, av)
            graph = None
        shape = frame.width, frame.height, frame.format.name
        graph = graph or _deinterlacing(frame)
        graph.push(frame)
        yield from _filtered(graph, av)
    if graph:
        graph.push(None)
        yield from _filtered(graph, av)


def _deinterlacing(frame: Any) -> Any:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    whole = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    source.link_to(whole)
    whole.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _filtered(graph: Any, av: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return


def _thinned(frames: Iterator[Any], wider: Fraction, background: str) -> Generator[Shown, None, float]:
    """What is kept of the decoded frames: the first seconds, no more than `MAX_FPS`, in the size of the first.

    Returns the time at which the last one ends.
    """
    from engine.media import colours  # brings PyAV

    start, last, end, size = None, -1.0, 0.0, None
    read = 0
    for number, frame in enumerate(frames):
        start = frame.time if start is None else start
        time = (frame.time or 0.0) - (start or 0.0)
        read += frame.width * frame.height
        if time >= MAX_SECONDS or number >= MAX_FRAMES_READ or read > MAX_PIXELS_READ:
            return MAX_SECONDS
        seconds = float((frame.duration or 0) * frame.time_base)
        end = time + seconds
        if time < last + 1 / (MAX_FPS + 1):
            continue
        upright = colours.picture(frame, background)
        turn = _turn(frame)
        upright = upright if turn is None else upright.transpose(turn)
        size = size or _kept_size(upright, 1 / wider if turn in LYING else wider)
        last = time
        yield Shown(time, seconds, upright.resize(size, Image.Resampling.LANCZOS), colours.is_hdr(frame))
    if last < 0:
        raise ValueError("no picture could be decoded")
    return end


def _turn(frame: Any) -> Image.Transpose | None:
    """How a picture must be turned or mirrored to be seen as a player shows it, by the matrix that the file has."""
    from av.sidedata.sidedata import Type

    told = frame.side_data.get(Type.DISPLAYMATRIX)
    if told is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(told))
    most = max(map(abs, (a, b, c, d)))
    return TURNS.get(tuple(round(number / most) for number in (a, b, c, d))) if most else None


def _square(stream: Any) -> Fraction:
    """How much wider its pixels are than high; old camcorders have such."""
    ratio = stream.sample_aspect_ratio
    return Fraction(ratio) if ratio and Fraction(1, 4) <= ratio <= 4 else Fraction(1)


def _kept_size(upright: Image.Image, wider: Fraction) -> tuple[int, int]:
    """Even sides, square pixels, none above `MAX_SIDE`."""
    height, width = upright.height, float(upright.width * wider)
    scale = min(1.0, MAX_SIDE / max(width, height))
    sides = [round(side * scale / 2) * 2 for side in (width, height)]
    if min(sides) < MIN_SIDE:
        raise TooSmall(upright.size)
    return sides[0], sides[1]


def write(pictures: Iterator[Shown], path: Path, sound: Soundtrack | None = None) -> None:
    """Pictures of one size at their times, near-lossless; `sound` beside them."""
    import av
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream: Any = None
        lengths: dict[int, int] = {}
        for shown in pictures:
            if stream is None:
                stream = container.add_stream("libx264", rate=MAX_FPS, options=WRITING)
                if shown.from_hdr:
                    container.metadata["comment"] = HDR_NOTE  # for `facts`
                stream.width, stream.height = shown.picture.size
                stream.pix_fmt = "yuv420p"
                stream.time_base = stream.codec_context.time_base = Fraction(1, CLOCK)
                stream.color_range, stream.colorspace = ColorRange.MPEG, Colorspace.ITU709
                stream.color_primaries, stream.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
                if sound:
                    sound.announce(container)
            frame = av.VideoFrame.from_image(shown.picture).reformat(
                format="yuv420p", src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG,
                dst_colorspace=Colorspace.ITU709,
            )  # fmt: skip
            frame.pts, frame.time_base = round(shown.time * CLOCK), Fraction(1, CLOCK)
            lengths[frame.pts] = round(shown.seconds * CLOCK)
            _mux(container, stream.encode(frame), lengths)
        _mux(container, stream.encode(), lengths)
        if sound:
            sound.write(container)


def _mux(container: Any, packets: Any, lengths: dict[int, int]) -> None:
    """The encoder forgets how long a picture is seen, which for the last one nothing else says."""
    for packet in packets:
        packet.duration = lengths[packet.pts]
        container.mux(packet)
