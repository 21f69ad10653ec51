"""Fits pictures into what the server takes; it does not know where they come from."""

from typing import Any

from pi_client.errors import ClientError

# The contract's limits.
LARGEST_JPEG_BYTES = 256 * 1024
LARGEST_SIDE_PIXELS = 4096

# What is made smaller is made this large, and better first: faces need no more.
_SHRUNK_SIDE_PIXELS = 1280
_QUALITIES = (85, 70, 50, 30)
# Markers that begin a frame header, which holds the size: all of SOF but DHT, JPG and DAC.
_SIZE_MARKERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def opencv() -> Any:
    """Returns `cv2`, loaded the first time a picture has to be made.

    Raises ClientError if the extra is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise ClientError(
            "This camera needs OpenCV; install it with `pip install 'tadbot[camera]'`."
        ) from error
    cv2.setNumThreads(1)
    return cv2


def fits(picture: bytes, largest_bytes: int = LARGEST_JPEG_BYTES) -> bool:
    """Whether the picture is a JPEG that can be sent as it is."""
    width, height = size_of(picture)
    return 0 < len(picture) <= largest_bytes and 0 < max(width, height) <= LARGEST_SIDE_PIXELS


def size_of(picture: bytes) -> tuple[int, int]:
    """Returns width and height in pixels, or (0, 0) where this is no JPEG."""
    if picture[:2] != b"\xff\xd8":
        return 0, 0
    place = 2
    while place + 9 <= len(picture) and picture[place] == 0xFF:
        marker = picture[place + 1]
        if marker in _SIZE_MARKERS:
            height = int.from_bytes(picture[place + 5 : place + 7], "big")
            return int.from_bytes(picture[place + 7 : place + 9], "big"), height
        place += 2 + int.from_bytes(picture[place + 2 : place + 4], "big")
    return 0, 0


def fitted(picture: bytes, largest_bytes: int = LARGEST_JPEG_BYTES) -> bytes | None:
    """Returns the picture as a JPEG within the limits; its own bytes where they are already.

    picture: a file's bytes in any format that OpenCV reads.
    None: it cannot be read.
    """
    if fits(picture, largest_bytes):
        return picture
    import numpy as np

    cv2 = opencv()
    # Before it is unpacked: a small file can hold a picture of any size.
    if max(size_of(picture)) > 4 * LARGEST_SIDE_PIXELS:
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(picture, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if pixels is None else encoded(pixels, largest_bytes)


def encoded(pixels: Any, largest_bytes: int = LARGEST_JPEG_BYTES) -> bytes | None:
    """Returns a JPEG of pixels (uint8, BGR, height x width x 3) within the limits, or None."""
    cv2 = opencv()
    height, width = pixels.shape[:2]
    shrink = _SHRUNK_SIDE_PIXELS / max(height, width)
    if shrink < 1:
        size = (max(round(width * shrink), 1), max(round(height * shrink), 1))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    for quality in _QUALITIES:
        done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and len(jpeg) <= largest_bytes:
            return bytes(jpeg)
    return None
