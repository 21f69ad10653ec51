"""Turns the bytes of a picture into pixels, or refuses them; it does not know faces."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from server.engines import Picture
from server.errors import PictureError

JPEG_LIMIT_BYTES = 256 * 1024
"""Largest picture that a client may send."""
JPEG_SIDE_LIMIT = 4096
"""Largest declared width or height, pixels, of a client's picture: a small file can claim to
be huge and would take the server's memory."""
FILE_SIDE_LIMIT = 16_384
"""The same for a file that a person names."""
ENOUGH = (640, 480)
"""A JPEG that is larger is decoded at 1/2, 1/4 or 1/8, but never below this."""


def decode_jpeg(data: bytes) -> Picture:
    """Decodes a client's picture.

    Rotates it as its EXIF data says. Large ones come back smaller, see ENOUGH.
    Returns uint8, shape (height, width, 3), RGB, whatever the file's colours are.
    Raises PictureError if it is not a JPEG, is cut short, or is over one of the limits.
    """
    if len(data) > JPEG_LIMIT_BYTES:
        raise PictureError(
            f"The picture has {len(data)} bytes; send a JPEG of at most {JPEG_LIMIT_BYTES}."
        )
    if not data.startswith(b"\xff\xd8\xff"):
        raise PictureError("The picture is not a JPEG; send one of at most 256 KiB.")
    return _decode(io.BytesIO(data), "the JPEG", JPEG_SIDE_LIMIT, ("JPEG",))


def load_picture(path: Path) -> Picture:
    """Reads a picture of any kind that Pillow knows from a file.

    Returns uint8, shape (height, width, 3), RGB, rotated as its EXIF data says.
    Raises PictureError, naming the file, if it is missing or cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"The picture {path} cannot be read: {error.strerror}.") from error
    return _decode(io.BytesIO(data), str(path), FILE_SIDE_LIMIT, None)


def _decode(
    stream: io.BytesIO, name: str, side_limit: int, formats: tuple[str, ...] | None
) -> Picture:
    try:
        with Image.open(stream, formats=formats) as image:
            if max(image.size) > side_limit:
                raise PictureError(
                    f"The picture has {image.width} x {image.height} pixels, "
                    f"more than {side_limit} a side; send a smaller one."
                )
            image.draft(None, ENOUGH)
            return np.array(ImageOps.exif_transpose(image).convert("RGB"), dtype=np.uint8)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(
            f"The picture has more than {side_limit} pixels a side; send a smaller one."
        ) from error
    except Exception as error:
        # Pillow's readers raise whatever strange bytes lead them to, not one kind of error.
        raise PictureError(
            f"The picture cannot be decoded; {name} is cut short or not a picture."
        ) from error
