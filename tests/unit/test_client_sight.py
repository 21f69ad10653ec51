"""The camera opens and closes as the person agrees."""

import time
from pathlib import Path

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb

from pi_client.sight import Sight

cv2 = pytest.importorskip("cv2")


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "face.jpg"
    cv2.imwrite(str(path), np.zeros((48, 64, 3), dtype=np.uint8))
    return path


def receipt(*consents: "pb.Consent.ValueType") -> pb.ConverseResponse:
    return pb.ConverseResponse(consent_receipt=pb.ConsentReceipt(consents=consents))


def next_picture(sight: Sight) -> bytes:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if (taken := sight.take()) is not None:
            return taken[1]
        time.sleep(0.01)
    raise AssertionError("no picture came")


def test_a_receipt_opens_and_closes_the_camera(face: Path) -> None:
    sight = Sight(str(face))
    sight.start()
    assert sight.take() is None
    for _ in range(2):
        sight.saw(receipt(pb.MEMORY, pb.CAMERA))
        assert next_picture(sight) == face.read_bytes()
        # A receipt of something else leaves it open.
        sight.saw(receipt(pb.CAMERA))
        assert next_picture(sight) == face.read_bytes()
        sight.saw(receipt(pb.MEMORY))
        assert sight.take() is None
    sight.close()


def test_a_picture_that_waits_is_not_shown_once_it_is_taken_back(face: Path) -> None:
    sight = Sight(str(face))
    sight.open()
    camera = sight._camera
    assert camera is not None
    sight.start()
    next_picture(sight)
    time.sleep(0.7)  # The next one waits by now.
    sight.saw(receipt())
    assert sight.take() is None
    assert camera.take() is None
    camera._thread.join(1)
    assert not camera._thread.is_alive()


def test_without_a_camera_named_none_is_opened() -> None:
    sight = Sight("none")
    sight.open()
    sight.saw(receipt(pb.CAMERA))
    sight.start()
    assert sight.take() is None
    sight.close()


def test_a_camera_that_cannot_be_opened_is_told_once_and_the_talk_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sight = Sight(str(tmp_path / "nothing.jpg"))
    for consents in ((pb.CAMERA,), (pb.CAMERA, pb.MEMORY)):
        sight.saw(receipt(*consents))
    sight.close()
    (told,) = [record.getMessage() for record in caplog.records]
    assert "There is no picture" in told
    assert "The talk goes on without pictures." in told
