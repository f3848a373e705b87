"""The sound of a video that a clip goes on from, made plain: AAC, one or two channels, in step with the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.schema.errors import BadFile
from engine.schema.message import Message

RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)  # of AAC; others become the first
REMEDY = Message("Export the video again, or leave its sound out.")


class Soundtrack:
    """What is heard in a file from its time `start` on, for `seconds`; both are of the file's own clock."""

    def __init__(self, path: Path, reading: dict[str, str], start: float, seconds: float) -> None:
        self._path, self._reading, self._start, self._seconds = path, reading, start, seconds
        self._stream: Any = None

    def announce(self, container: Any) -> None:
        """Add its stream, before the first picture is written."""
        with self._opened() as source:
            if source.streams.audio:
                heard = source.streams.audio[0]
                layout = "mono" if heard.codec_context.channels == 1 else "stereo"
                rate = heard.rate if heard.rate in RATES else RATES[0]
                self._stream = container.add_stream("aac", rate=rate, layout=layout)

    def write(self, container: Any) -> None:
        """All of it. Raises BadFile when it cannot be played."""
        import av

        if self._stream is None:
            return
        try:
            with self._opened() as source:
                heard = source.streams.audio[0]
                source.seek(int(max(self._start - 1, 0) / heard.time_base), stream=heard)
                for frame in source.decode(heard):
                    late = (frame.time or 0.0) - self._start
                    if late > self._seconds:
                        break
                    if late >= 0:
                        frame.pts = round(late / frame.time_base)
                        container.mux(self._stream.encode(frame))
            container.mux(self._stream.encode())
        except (av.FFmpegError, ValueError, IndexError) as error:
            raise BadFile(
                Message("The sound of {file} cannot be played.", file=self._path.name), REMEDY, str(error)
            ) from error

    def _opened(self) -> Any:
        import av

        return av.open(str(self._path.absolute()), options=self._reading)
