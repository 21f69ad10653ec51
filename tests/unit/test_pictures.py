"""Pictures that are read, and pictures that are refused."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from server.errors import PictureError
from server.pictures import ENOUGH, JPEG_LIMIT_BYTES, decode_jpeg, load_picture


def jpeg(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def gradient(width: int, height: int) -> Image.Image:
    row = np.linspace(0, 255, width, dtype=np.uint8)
    return Image.fromarray(np.dstack([np.tile(row, (height, 1))] * 3))


def test_a_jpeg_becomes_rgb_pixels() -> None:
    picture = decode_jpeg(jpeg(Image.new("RGB", (64, 48), (200, 10, 20))))
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8
    assert np.abs(picture[20, 20].astype(int) - (200, 10, 20)).max() < 8


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_become_rgb(mode: str) -> None:
    assert decode_jpeg(jpeg(gradient(64, 48).convert(mode))).shape == (48, 64, 3)


def test_text_is_refused() -> None:
    with pytest.raises(PictureError, match="not a JPEG"):
        decode_jpeg(b"hello, this is no picture")


def test_nothing_is_refused() -> None:
    with pytest.raises(PictureError):
        decode_jpeg(b"")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_jpeg_is_refused(share: float) -> None:
    data = jpeg(gradient(320, 240))
    with pytest.raises(PictureError, match="cut short"):
        decode_jpeg(data[: int(len(data) * share)])


def test_a_png_is_no_jpeg() -> None:
    stream = io.BytesIO()
    gradient(8, 8).save(stream, "PNG")
    with pytest.raises(PictureError, match="not a JPEG"):
        decode_jpeg(stream.getvalue())


def test_20000_pixels_wide_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    data = jpeg(Image.new("L", (20_000, 40)))

    def decoded(*_: object) -> None:
        raise AssertionError("the pixels were decoded")

    monkeypatch.setattr(Image.Image, "convert", decoded)
    with pytest.raises(PictureError, match="20000 x 40"):
        decode_jpeg(data)


def test_a_small_file_that_claims_to_be_huge_is_refused() -> None:
    data = bytearray(jpeg(Image.new("L", (16, 16))))
    size = data.index(b"\xff\xc0") + 5
    data[size : size + 4] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(PictureError, match="smaller"):
        decode_jpeg(bytes(data))


def test_more_than_256_kib_is_refused() -> None:
    with pytest.raises(PictureError, match=str(JPEG_LIMIT_BYTES)):
        decode_jpeg(b"\xff\xd8\xff" + bytes(JPEG_LIMIT_BYTES))


def test_large_jpegs_are_decoded_smaller() -> None:
    height, width, _ = decode_jpeg(jpeg(gradient(2560, 1920))).shape
    assert (width, height) == ENOUGH


def test_the_rotation_in_the_exif_data_is_honoured() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_jpeg(jpeg(gradient(64, 48), exif=exif)).shape == (64, 48, 3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "I;16"])
def test_a_file_of_any_kind_is_read(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "face.png"
    Image.new(mode, (9, 7)).save(path)
    assert load_picture(path).shape == (7, 9, 3)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"nowhere\.png"):
        load_picture(tmp_path / "nowhere.png")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        load_picture(tmp_path)


def test_a_file_of_noise_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    path.write_bytes(zlib.compress(bytes(1000)))
    with pytest.raises(PictureError, match="not a picture"):
        load_picture(path)
