"""Pictures, and what is sent of them."""

import time
from pathlib import Path

import numpy as np
import pytest

from pi_client.camera import open_camera
from pi_client.errors import ClientError
from pi_client.jpeg import fits, fitted, size_of

cv2 = pytest.importorskip("cv2")


def draw(path: Path, width: int, height: int, noise: bool = False) -> bytes:
    random = np.random.default_rng(1)
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    if noise:
        picture = random.integers(0, 255, picture.shape, dtype=np.uint8)
    cv2.imwrite(str(path), picture)
    return path.read_bytes()


def test_the_size_of_a_jpeg_is_read_from_its_header(tmp_path: Path) -> None:
    assert size_of(draw(tmp_path / "a.jpg", 640, 480)) == (640, 480)
    assert size_of(draw(tmp_path / "a.png", 640, 480)) == (0, 0)
    assert size_of(b"\xff\xd8") == (0, 0)
    assert size_of(b"") == (0, 0)


def test_a_jpeg_within_the_limits_is_sent_as_it_is(tmp_path: Path) -> None:
    picture = draw(tmp_path / "a.jpg", 640, 480)
    assert fitted(picture) is picture


@pytest.mark.parametrize(
    ("name", "width", "height"), [("a.png", 320, 240), ("a.jpg", 5000, 40), ("a.jpg", 1920, 1080)]
)
def test_any_other_picture_is_made_to_fit(
    tmp_path: Path, name: str, width: int, height: int
) -> None:
    made = fitted(draw(tmp_path / name, width, height, noise=True))
    assert made is not None
    assert fits(made)
    assert size_of(made)[0] / size_of(made)[1] == pytest.approx(width / height, rel=0.3)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"These are words.")
    with pytest.raises(ClientError, match=r"a\.jpg cannot be read"):
        open_camera(str(tmp_path / "a.jpg"))
    (tmp_path / "b.mp4").write_bytes(b"These are words.")
    with pytest.raises(ClientError, match="not a picture or video"):
        open_camera(str(tmp_path / "b.mp4"))
    with pytest.raises(ClientError, match="There is no"):
        open_camera(str(tmp_path / "none.jpg"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ClientError, match="holds no pictures"):
        open_camera(str(tmp_path / "empty"))


def test_without_a_camera_there_is_none() -> None:
    assert open_camera("none") is None


def taken(name: Path, count: int) -> list[bytes]:
    camera = open_camera(str(name))
    assert camera is not None
    camera.start()
    pictures: list[bytes] = []
    give_up = time.monotonic() + 5.0
    while len(pictures) < count and time.monotonic() < give_up:
        if (newest := camera.take()) is not None:
            pictures.append(newest[1])
        time.sleep(0.01)
    camera.close()
    return pictures


def test_a_folder_is_shown_in_the_order_of_its_names_again_and_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = draw(tmp_path / "1.jpg", 32, 32)
    second = draw(tmp_path / "2.jpg", 48, 32)
    (tmp_path / "3.jpg").write_bytes(b"These are words.")
    (tmp_path / "notes.txt").write_text("none")
    assert taken(tmp_path, 3) == [first, second, first]
    assert "3.jpg cannot be read" in caplog.text


def test_a_video_is_shown_by_its_own_clock(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for grey in range(0, 200, 20):
        video.write(np.full((48, 64, 3), grey, dtype=np.uint8))
    video.release()
    pictures = taken(path, 2)
    greys = [cv2.imdecode(np.frombuffer(p, np.uint8), 0).mean() for p in pictures]
    assert greys == pytest.approx([0, 100], abs=6)


def test_only_the_newest_picture_is_kept(tmp_path: Path) -> None:
    draw(tmp_path / "1.jpg", 32, 32)
    second = draw(tmp_path / "2.jpg", 48, 32)
    camera = open_camera(str(tmp_path))
    assert camera is not None
    began = time.monotonic()
    camera.start()
    time.sleep(0.75)
    newest = camera.take()
    assert newest is not None
    assert newest[1] == second
    assert began + 0.4 < newest[0] <= time.monotonic()
    assert camera.take() is None
    camera.close()
