"""The camera while it may be looked through, and not a picture longer.

It does not know how a camera works, or who is asked.
"""

from tadbot.v1 import companion_pb2 as pb

from pi_client.camera import Camera, open_camera, open_camera_later


class Sight:
    """Opens and closes what the person named with `--camera`, as they agree.

    name: as `open_camera` takes it; "none" never shows anything.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._camera: Camera | None = None
        self._last: Camera | None = None

    def open(self) -> None:
        """Opens the camera and waits for it. Raises ClientError if it cannot be opened."""
        self._camera = open_camera(self._name)

    def start(self) -> None:
        """Begins to take pictures, if the camera is open."""
        if self._camera is not None:
            self._camera.start()

    def saw(self, response: pb.ConverseResponse) -> None:
        """Follows what the person agrees to; it waits for no device, since sound would too."""
        if response.WhichOneof("event") != "consent_receipt":
            return
        may_see = pb.CAMERA in response.consent_receipt.consents
        if not may_see and self._camera is not None:
            self._camera.stop()
            self._last, self._camera = self._camera, None
        elif may_see and self._camera is None and self._name != "none":
            self._camera = open_camera_later(self._name, self._last)
            self._camera.start()

    def take(self) -> tuple[float, bytes] | None:
        """Returns the newest picture as `Camera.take` does; None while nothing may be seen."""
        return None if self._camera is None else self._camera.take()

    def close(self) -> None:
        """Lets go of the camera, and waits until that is done."""
        for camera in (self._last, self._camera):
            if camera is not None:
                camera.close()
