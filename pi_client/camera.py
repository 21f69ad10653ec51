"""Where pictures come from: a file, a folder, a video or a camera; newest only.

Everything slow happens in a thread of its own, so that sound never waits.
"""

import itertools
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

from pi_client.errors import ClientError
from pi_client.jpeg import encoded, fits, fitted, opencv

_log = logging.getLogger(__name__)

# Two frames a second are as many as the server looks at.
FRAME_INTERVAL_S = 0.5
# How long `close` waits for a picture that is being taken.
_CLOSE_S = 2.0
_IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}
_WIDTH_PIXELS, _HEIGHT_PIXELS = 640, 480
# Asked of a camera: more than are sent, so that the newest is new; few, so that taking them
# costs little.
_CAMERA_FRAMES_A_SECOND = 5
# A camera's driver holds this many pictures at most; one that waited comes within 20 ms.
_MOST_QUEUED = 8
_QUEUED_GRAB_S = 0.02

# Yields the JPEG that the camera shows now; ends where there are no more.
Source: TypeAlias = Iterator[bytes]


class Camera:
    """Takes two pictures a second and keeps the newest until somebody takes it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._newest: tuple[float, bytes] | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tadbot-camera", daemon=True)

    def start(self) -> None:
        """Begins to take pictures. Starting twice is not an error."""
        if self._thread.ident is None:
            self._thread.start()

    def take(self) -> tuple[float, bytes] | None:
        """Returns the newest picture and when it was taken (`time.monotonic`), but once."""
        with self._lock:
            newest, self._newest = self._newest, None
            return None if self._closing.is_set() else newest

    def stop(self) -> None:
        """Shows nothing from now on, and lets go of the camera without waiting for that."""
        self._closing.set()

    def close(self) -> None:
        """Stops and lets go of the camera. Closing twice is not an error."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        due = time.monotonic()
        try:
            for jpeg in self._source:
                if self._closing.is_set():
                    break
                with self._lock:
                    self._newest = (time.monotonic(), jpeg)
                due = max(due + FRAME_INTERVAL_S, time.monotonic())
                if self._closing.wait(due - time.monotonic()):
                    break
        except Exception as error:
            # A thread has nobody above it, and the talk can go on.
            reason = str(error) if isinstance(error, ClientError) else "The camera failed."
            _log.warning("%s The talk goes on without pictures.", reason)
        finally:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()


def open_camera(name: str) -> Camera | None:
    """Opens what a person named: `default`, `none`, an image, a folder of them, or a video.

    Raises ClientError if there is no such thing or it cannot be read.
    """
    return None if name == "none" else Camera(_source(name))


def open_camera_later(name: str, last: Camera | None) -> Camera:
    """Makes a camera that is opened when it starts, in its own thread.

    What cannot be opened is told by a warning. last: is let go of first, if there is one.
    """

    def pictures() -> Source:
        if last is not None:
            last.close()
        yield from _source(name)

    return Camera(pictures())


def _source(name: str) -> Source:
    if name == "default":
        return _default_camera()
    if name.startswith("/dev/video"):
        return _opencv_camera(name)
    path = Path(name)
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise ClientError(f"There is no picture, folder or video {path}; correct its name.")
    if path.suffix.lower() in _IMAGES:
        return _image(path)
    return _video(path)


def _image(path: Path) -> Source:
    jpeg = _read(path)
    if jpeg is None:
        raise ClientError(f"The picture {path} cannot be read; give a JPEG or PNG.")
    return itertools.repeat(jpeg)


def _read(path: Path) -> bytes | None:
    try:
        return fitted(path.read_bytes())
    except OSError as error:
        raise ClientError(f"The picture {path} cannot be read ({error.strerror}).") from error


def _folder(path: Path) -> Source:
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _IMAGES)
    if not files:
        raise ClientError(f"The folder {path} holds no pictures; name another one.")

    def pictures() -> Source:
        # One picture is in memory at a time, however many there are.
        unreadable: set[Path] = set()
        while len(unreadable) < len(files):
            for file in files:
                jpeg = _read(file)
                if jpeg is not None:
                    yield jpeg
                elif file not in unreadable:
                    unreadable.add(file)
                    _log.warning("The picture %s cannot be read and is left out.", file)

    return pictures()


def _video(path: Path) -> Source:
    cv2 = opencv()
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise ClientError(f"{path} is not a picture or video that can be read; name another one.")

    def pictures() -> Source:
        frames_between = max(round((capture.get(cv2.CAP_PROP_FPS) or 25) * FRAME_INTERVAL_S), 1)
        try:
            while True:
                done, pixels = capture.read()
                if not done:
                    return
                jpeg = encoded(pixels)
                if jpeg is not None:
                    yield jpeg
                for _ in range(frames_between - 1):
                    capture.grab()
        finally:
            capture.release()

    return pictures()


def _default_camera() -> Source:
    try:
        import picamera2
    except ImportError:
        return _opencv_camera(0)
    return _raspberry_camera(picamera2)


def _raspberry_camera(library: Any) -> Source:
    try:
        camera = library.Picamera2()
        size = {"size": (_WIDTH_PIXELS, _HEIGHT_PIXELS)}
        camera.configure(camera.create_still_configuration(main=size))
        camera.start()
    except (RuntimeError, IndexError) as error:
        raise ClientError("No camera answers; plug it in, or use --camera none.") from error

    def pictures() -> Source:
        try:
            while True:
                jpeg = BytesIO()
                camera.capture_file(jpeg, format="jpeg")
                yield jpeg.getvalue()
        finally:
            camera.close()

    return pictures()


def _opencv_camera(which: int | str) -> Source:
    cv2 = opencv()
    capture = cv2.VideoCapture(which)
    if not capture.isOpened():
        raise ClientError("No camera answers; plug it in, or use --camera none.")
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, _WIDTH_PIXELS)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, _HEIGHT_PIXELS)
    capture.set(cv2.CAP_PROP_FPS, _CAMERA_FRAMES_A_SECOND)
    # The camera's own JPEG passes through untouched, where it makes one.
    own_jpeg = capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    return _captured(capture, own_jpeg)


def _captured(capture: Any, own_jpeg: bool) -> Source:
    try:
        while True:
            _skip_waiting(capture)
            done, picture = capture.retrieve()
            if not done:
                raise ClientError("The camera gives no pictures any more; plug it in again.")
            jpeg: bytes | None = picture.tobytes() if own_jpeg else encoded(picture)
            if jpeg is not None and fits(jpeg):
                yield jpeg
            elif own_jpeg:
                # It makes no JPEG, or too large a one: from now on OpenCV does.
                capture.set(opencv().CAP_PROP_CONVERT_RGB, 1)
                own_jpeg = False
    finally:
        capture.release()


def _skip_waiting(capture: Any) -> None:
    """Takes the newest picture: a camera queues what nobody fetched, and that comes at once."""
    for _ in range(_MOST_QUEUED):
        since = time.monotonic()
        if not capture.grab() or time.monotonic() - since > _QUEUED_GRAB_S:
            return


def list_cameras() -> str:
    """Returns the cameras that the system knows, a line each, as a person reads them."""
    names = []
    for device in sorted(Path("/sys/class/video4linux").glob("video*")):
        with suppress(OSError):
            names.append(f"  /dev/{device.name}: {(device / 'name').read_text().strip()}")
    return "\n".join(["Cameras:", *(names or ["  none"])])
