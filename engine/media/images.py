"""Pictures that a person brings: opened with suspicion, made plain, kept under the name of their content.

What is kept is a new PNG of the visible pixels: upright (EXIF), first frame, RGB, no alpha, no metadata. Videos are
kept beside them (`videos`).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import stat
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

import pi_heif  # type: ignore[import-untyped]
from PIL import Image, ImageCms, ImageColor, ImageOps

from engine.durable_files import written
from engine.media import mistaken_files
from engine.schema import Request
from engine.schema.errors import BadFile, BadSetting, not_written
from engine.schema.message import Message

MAX_PICTURE_BYTES = 64_000_000
MAX_PIXELS = 120_000_000  # a 12k x 10k photograph; a bomb says more
BLACK = 8  # what reaches no more than such a part of its range is a depth map and no dark picture
MIN_SIDE = 16
# Sniffed from the content, whatever the name says. HEIF is what phones take.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "HEIF")
REMEDY = Message("Choose a JPEG, PNG or WebP picture.")
ID_LENGTH = 32
BACKGROUND = "#ffffff"  # under what can be seen through, in pictures and in videos, where no other is chosen
FORGOTTEN_AFTER_SECONDS = 24 * 3600  # a page may still hold what was brought yesterday
pi_heif.register_heif_opener(thumbnails=False)


def keep_picture(path: Path, folder: Path, background: str = BACKGROUND) -> str:
    """Keep a plain copy of a picture in `folder`; answers its id. Raises BadFile in one sentence."""
    try:
        check_file(path, MAX_PICTURE_BYTES)
        if told := mistaken_files.reason(path):
            raise BadFile(*told)
        png = _plain_png(path.read_bytes(), path.name, background)
    except OSError as error:
        raise BadFile(
            Message(
                "{file} cannot be read ({strerror}).",
                file=path.name,
                strerror=error.strerror or Message("not a picture"),
            ),
            REMEDY,
        ) from error
    return _keep(png, folder)


def check_file(path: Path, most_bytes: int) -> None:
    """Raises BadFile for what is no ordinary file (a device never ends), and for one that is too large."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise BadFile(Message("{file} is no file.", file=path.name), Message("Choose a picture or a video."))
    if found.st_size > most_bytes:
        raise BadFile(
            Message("{file} is larger than {most_bytes:,} MB.", file=path.name, most_bytes=most_bytes // 1_000_000),
            Message("Make it smaller first."),
        )


def keep_last_picture(video: Path, folder: Path) -> str:
    """Keep the last picture of a clip of ours, so that another shot can start from it; answers its id."""
    import av  # 0.1 s, and only this needs it

    from engine.media import colours

    try:
        with av.open(str(video)) as container:
            *_, last = container.decode(video=0)
    except (OSError, ValueError) as error:  # PyAV's errors are both
        raise BadFile(
            Message("{video} cannot be read as a video.", video=video.name), Message("Choose another clip."), str(error)
        ) from error
    return _keep(_as_png(colours.picture(last)), folder)


def _keep(png: bytes, folder: Path) -> str:
    name = hashlib.sha256(png).hexdigest()[:ID_LENGTH]
    try:
        folder.mkdir(exist_ok=True)
        with written(picture_path(folder, name)) as part:
            part.write_bytes(png)
    except OSError as error:
        raise not_written(error) from error
    return name


def picture_path(folder: Path, name: str) -> Path:
    """Where a kept picture lies. Ids are checked where they enter (`MediaId`), so this cannot leave `folder`."""
    return folder / f"{name}.png"


def video_path(folder: Path, name: str) -> Path:
    """Where a kept video lies."""
    return folder / f"{name}.mp4"


def files_of(request: Request, folder: Path) -> list[Path]:
    """The kept files that a request refers to."""
    pictures = [picture_path(folder, name) for name in request.picture_ids]
    begun = [request.extends.id] if request.extends and request.extends.kind == "video" else []
    return [*pictures, *(video_path(folder, name) for name in (*request.videos.values(), *begun))]


def prune(folder: Path, used: Iterable[Path]) -> int:
    """Remove what is not among `used` and was not brought just now; answers the bytes freed."""
    if not folder.is_dir():
        return 0
    wanted = {path.name for path in used}
    freed = 0
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # it stays until the next start
            found = path.stat()
            if path.name not in wanted and time.time() - found.st_mtime > FORGOTTEN_AFTER_SECONDS:
                path.unlink()
                freed += found.st_size
    return freed


def _plain_png(content: bytes, name: str, background: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit says no more
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _check_size(image.size, name)
                upright = ImageOps.exif_transpose(image)
                return _as_png(over_background(_screen_colours(upright), background))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise BadFile(Message("{name} is not a picture that can be opened.", name=name), REMEDY, str(error)) from error


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise BadFile(
            Message(
                "{name} is {width} x {height} pixels: more than {max_pixels} million are too many.",
                name=name,
                width=width,
                height=height,
                max_pixels=MAX_PIXELS // 1_000_000,
            ),
            Message("Make it smaller first."),
        )
    if min(size) < MIN_SIDE:
        raise BadFile(
            Message(
                "{name} is {width} x {height} pixels, which is too small: {min_side} x {min_side} is the least.",
                name=name,
                width=width,
                height=height,
                min_side=MIN_SIDE,
            ),
            Message("Choose a larger picture."),
        )


def _screen_colours(image: Image.Image) -> Image.Image:
    """RGBA in sRGB, whatever profile and depth the picture came in."""
    if image.mode.startswith("I") or image.mode == "F":  # such as a depth map: Pillow would cut it off at 255
        return _in_256_greys(image).convert("RGBA")
    profile = image.info.get("icc_profile")
    if image.mode == "P" or (image.mode in ("RGB", "L") and "transparency" in image.info):
        image = image.convert("RGBA")  # a profile is of its colours, and would lose what can be seen through
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        with contextlib.suppress(ImageCms.PyCMSError, OSError):  # a profile that lies is ignored, as browsers do
            own, screen = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, own, screen, outputMode=mode) or image
    return image.convert("RGBA")


def _in_256_greys(image: Image.Image) -> Image.Image:
    """A picture of 16 or 32 bits or of floats, scaled by what its numbers usually reach, or by what these do where they
    leave that or stay so far below it that all of it would be black: depths in metres or millimetres. Raises ValueError
    where there is nothing to see."""
    import numpy as np

    values = np.asarray(image, np.float64)
    known = values[np.isfinite(values)]
    if not known.size:
        raise ValueError("none of its numbers is one")
    low, high = known.min(), known.max()
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    usual = 1.0 if image.mode == "F" else 65535.0
    if low < 0 or high > usual:
        if high == low:
            raise ValueError("all of it is the same")
        values, usual = values - low, high - low
    elif image.mode == "I" and high <= 255:  # 8 bits in the space of 32
        usual = 255.0
    elif 0 < high < usual / BLACK:
        usual = high
    return Image.fromarray((values / usual * 255).astype(np.uint8), "L")


def colour(text: str) -> str:
    """A colour as #rrggbb, from that or its English name. Raises BadSetting."""
    try:
        numbers = ImageColor.getrgb(text.strip())[:3]
        if max(numbers) > 255:
            raise ValueError(f"{numbers} is beyond 255")
    except ValueError as error:
        raise BadSetting(
            Message("'{text}' is no colour.", text=text[:20]),
            Message("Write it as #rrggbb, or by a name such as white."),
        ) from error
    return "#{:02x}{:02x}{:02x}".format(*numbers)


def over_background(seen: Image.Image, background: str = BACKGROUND) -> Image.Image:
    """What can be seen through (RGBA), laid over one colour: RGB."""
    plain = Image.new("RGB", seen.size, background)
    plain.paste(seen, mask=seen.getchannel("A"))
    return plain


def _as_png(plain: Image.Image) -> bytes:
    buffer = io.BytesIO()
    plain.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
