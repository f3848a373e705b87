"""Pictures that a person brings come out plain; what is not one, or lies, gets one sentence and leaves no trace."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from engine import BadFile, Engine, Request
from engine.media.images import keep_picture, picture_path
from engine.schema.errors import BadSetting

RED, BLUE = (200, 20, 20), (20, 20, 200)


def two_tone() -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (64, 32), RED)
    image.paste(BLUE, (32, 0, 64, 32))
    return image


def save(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def kept(path: Path, tmp_path: Path) -> Image.Image:
    with Image.open(picture_path(tmp_path / "kept", keep_picture(path, tmp_path / "kept"))) as image:
        image.load()
        assert image.mode == "RGB" and not image.getexif() and not image.info.get("exif")
        return image


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif", "gif", "bmp", "tiff"])
def test_every_usual_format_is_taken(kind: str, tmp_path: Path) -> None:
    image = kept(save(two_tone(), tmp_path / f"a.{kind}", format=kind), tmp_path)
    assert image.size == (64, 32)
    assert np.abs(np.array(image.getpixel((4, 16))) - RED).max() < 12


def test_a_camera_on_its_side_is_set_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    image = kept(save(two_tone(), tmp_path / "a.jpg", exif=exif), tmp_path)
    assert image.size == (32, 64)
    assert np.abs(np.array(image.getpixel((16, 4))) - RED).max() < 12


@pytest.mark.parametrize(
    "make",
    [
        lambda: two_tone().convert("CMYK"),
        lambda: two_tone().convert("L"),
        lambda: two_tone().convert("P"),
        lambda: Image.fromarray(np.full((32, 64), 40_000, np.uint16)),
    ],
    ids=["CMYK", "grey", "palette", "16 bit"],
)
def test_every_colour_mode_becomes_rgb(make: Callable[[], Image.Image], tmp_path: Path) -> None:
    image = make()
    assert kept(save(image, tmp_path / ("a.tiff" if image.mode == "CMYK" else "a.png")), tmp_path).size == (64, 32)


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_a_colour_profile_is_obeyed_and_a_lying_one_is_ignored(mode: str, tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tmp!", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmp!", b"bXYZ", 1)
    if mode == "RGB":
        image = kept(save(two_tone(), tmp_path / "a.png", icc_profile=swapped), tmp_path)
        assert np.abs(np.array(image.getpixel((4, 16))) - BLUE).max() < 12  # what this profile calls red is blue
    lying = kept(save(two_tone().convert(mode), tmp_path / "b.tiff", icc_profile=b"nonsense" * 20), tmp_path)
    assert np.abs(np.array(lying.getpixel((4, 16))) - RED).max() < 12


def test_a_depth_map_of_16_bits_keeps_its_greys(tmp_path: Path) -> None:
    depth = np.tile(np.linspace(0, 65_535, 64).astype(np.uint16), (32, 1))
    image = kept(save(Image.fromarray(depth), tmp_path / "a.png"), tmp_path)
    assert [image.getpixel((x, 5))[0] for x in (0, 32, 63)] == pytest.approx([0, 130, 255], abs=2)


@pytest.mark.parametrize(
    ("values", "greys"),
    [((0.0, 0.5, 1.0), (0, 127, 255)), ((2.0, 6.0, 10.0), (0, 127, 255)), ((-1.0, 0.0, 1.0), (0, 127, 255))],
    ids=["0 to 1", "metres", "around 0"],
)
def test_a_depth_map_of_floats_is_scaled(values: tuple[float, ...], greys: tuple[int, ...], tmp_path: Path) -> None:
    depth = np.repeat(np.array(values, np.float32), 16)[None].repeat(32, 0)
    depth[0, 0] = np.nan
    image = kept(save(Image.fromarray(depth), tmp_path / "a.tif"), tmp_path)
    assert [image.getpixel((x, 5))[0] for x in (8, 24, 40)] == pytest.approx(greys, abs=1)


def test_a_picture_as_a_phone_takes_it_is_read(tmp_path: Path) -> None:
    image = kept(Path(__file__).parent / "pictures" / "two_tone.heic", tmp_path)
    assert image.size == (64, 32) and np.abs(np.array(image.getpixel((4, 16))) - RED).max() < 12


def test_a_picture_above_pillows_warning_and_below_our_limit_opens(tmp_path: Path) -> None:
    large = Image.new("1", (10_000, 9_500))
    assert large.width * large.height > Image.MAX_IMAGE_PIXELS
    assert kept(save(large, tmp_path / "a.png"), tmp_path).size == (10_000, 9_500)


FALSE_FRIENDS = {
    "pointer of a large file": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "login page": b"\n<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
    "RED camera": b"\0\0\1\0RED2" + b"\0" * 200,
}


@pytest.mark.parametrize("what", FALSE_FRIENDS)
@pytest.mark.parametrize("name", ["a.png", "a.mp4", "a.safetensors", "a.gguf"])
def test_what_a_file_is_instead_is_said(what: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FALSE_FRIENDS[what])
    with Engine(tmp_path / "home") as engine, pytest.raises(BadFile, match=what):
        match name:
            case "a.png":
                engine.media.keep_picture(tmp_path / name)
            case "a.mp4":
                engine.media.keep_video(tmp_path / name)
            case "a.safetensors":
                engine.keep_lora(tmp_path / name)
            case _:
                engine.models.reusable(tmp_path / name)


def test_a_picture_that_is_too_small_says_how_small_it_may_be(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="is 8 x 8 pixels, which is too small: 16 x 16 is the least"):
        keep_picture(save(Image.new("RGB", (8, 8)), tmp_path / "a.png"), tmp_path / "kept")


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    assert kept(save(image, tmp_path / "a.png"), tmp_path).getpixel((5, 5)) == (255, 255, 255)


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (32, 32), RED), Image.new("RGB", (32, 32), BLUE)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert kept(path, tmp_path).getpixel((5, 5))[0] > 150


def bomb(width: int, height: int) -> bytes:
    """A PNG header that claims a size, with next to nothing behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def truncated_jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()[:3000]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("text.png", b"I am no picture"),
        ("script.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("page.jpg", b"<html><script>alert(1)</script></html>"),
        ("bomb.png", bomb(60_000, 60_000)),
        ("lying.png", bomb(500, 500)),
        ("tiny.png", bomb(1, 1)),
        ("cut.jpg", truncated_jpeg()),
        ("video.png", b"\0\0\0\x20ftypisom" + b"\0" * 100),
        ("postscript.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"),
    ],
)
def test_what_is_no_picture_is_refused_and_leaves_no_trace(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadFile) as refusal:
        keep_picture(tmp_path / name, tmp_path / "kept")
    assert name in refusal.value.cause and refusal.value.remedy
    assert not (tmp_path / "kept").exists()


def test_a_missing_or_huge_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        keep_picture(tmp_path / "missing.png", tmp_path)
    for never_ending in (Path("/dev/zero"), tmp_path):
        with pytest.raises(BadFile, match="no file"):
            keep_picture(never_ending, tmp_path)
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(65_000_000)
    with pytest.raises(BadFile, match="larger than"):
        keep_picture(tmp_path / "huge.png", tmp_path)


def test_the_same_picture_is_kept_once(tmp_path: Path) -> None:
    path = save(two_tone(), tmp_path / "a.png")
    assert keep_picture(path, tmp_path / "kept") == keep_picture(path, tmp_path / "kept")
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 31, "A" * 32, "0" * 32 + "/x", ""])
def test_a_picture_is_named_by_its_content_only(name: str) -> None:
    with pytest.raises(ValueError):
        Request(prompt="a ball", pictures={"image": name})


def test_a_model_without_pictures_refuses_one(tmp_path: Path) -> None:
    with Engine(tmp_path) as studio, pytest.raises(BadSetting, match="starting picture"):
        studio.plan(
            Request(
                prompt="a red ball", pictures={"image": studio.media.keep_picture(save(two_tone(), tmp_path / "a.png"))}
            )
        )
