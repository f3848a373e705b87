"""Pictures that a person brings: opened with suspicion, made plain, kept under the name of their content.

What is kept is a new PNG of the visible pixels: upright (EXIF), first frame, RGB, no alpha, no metadata.
Not covered here: videos and sound.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from engine.errors import BadFile, disk_full

MAX_FILE_BYTES = 64_000_000
MAX_PIXELS = 120_000_000  # a 12k x 10k photograph; a bomb says more
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # sniffed from the content, whatever the name says
REMEDY = "Choose a JPEG, PNG or WebP picture."
ID_LENGTH = 32


def keep_picture(path: Path, folder: Path) -> str:
    """Keep a plain copy of a picture in `folder`; answers its id. Raises BadFile in one sentence."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadFile(f"{path.name} is larger than {MAX_FILE_BYTES // 1_000_000} MB.", "Make it smaller first.")
        png = _plain_png(path.read_bytes(), path.name)
    except OSError as error:
        raise BadFile(f"{path.name} cannot be read ({error.strerror or 'not a picture'}).", REMEDY) from error
    name = hashlib.sha256(png).hexdigest()[:ID_LENGTH]
    try:
        folder.mkdir(exist_ok=True)
        part = folder / f"{name}.part"
        part.write_bytes(png)
        part.replace(picture_path(folder, name))
    except OSError as error:
        raise disk_full(error) from error
    return name


def picture_path(folder: Path, name: str) -> Path:
    """Where a kept picture lies. Ids are checked where they enter (`PictureId`), so this cannot leave `folder`."""
    return folder / f"{name}.png"


def _plain_png(content: bytes, name: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS or min(image.size) < 16:
                    raise BadFile(f"{name} is {image.width} x {image.height} pixels, which no model can use.", REMEDY)
                upright = ImageOps.exif_transpose(image)
                plain = Image.new("RGB", upright.size, "white")
                shown = upright.convert("RGBA")
                plain.paste(shown, mask=shown.getchannel("A"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Warning) as error:
        raise BadFile(f"{name} is not a picture that can be opened.", REMEDY, str(error)) from error
    buffer = io.BytesIO()
    plain.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
