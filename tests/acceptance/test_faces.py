"""The face engine on real weights and a real face."""

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from server import models
from server.engines import LABELS, Score
from server.engines.emotion_retinaface import RetinaFaceEmotion, aligned, largest_face
from server.errors import EngineError, ModelMissingError
from server.pictures import decode_jpeg, load_picture

FACE = (170, 60, 280, 180)
"""Left, top, right, bottom of the face in the demo picture, forehead to chin."""


@cache
def eyes() -> RetinaFaceEmotion:
    return RetinaFaceEmotion()


@cache
def astronaut() -> Image.Image:
    return Image.fromarray(load_picture(models.path_of("demo-face")))


async def seen(image: Image.Image, *, cropped: bool = False) -> list[Score]:
    return await eyes().recognize(np.array(image.convert("RGB")), cropped=cropped)


async def test_the_demo_face_is_happy() -> None:
    scores = await seen(astronaut())
    assert scores[0].label == "happiness"
    assert len(scores) == 3
    assert {score.label for score in scores} < set(LABELS)
    assert 1.0 >= scores[0].probability >= scores[1].probability >= scores[2].probability >= 0.0
    assert sum(score.probability for score in scores) < 1.0 + 1e-5


@pytest.mark.parametrize("side", [48, 120, 400])
@pytest.mark.parametrize("mode", ["RGB", "L"])
async def test_a_cropped_face_needs_no_detection(side: int, mode: str) -> None:
    face = astronaut().crop(FACE).resize((side, side)).convert(mode)
    assert (await seen(face, cropped=True))[0].label == "happiness"


async def test_a_jpeg_of_a_camera_is_enough() -> None:
    stream = io.BytesIO()
    astronaut().resize((640, 480)).save(stream, "JPEG", quality=80)
    scores = await eyes().recognize(decode_jpeg(stream.getvalue()))
    assert scores[0].label == "happiness"


@pytest.mark.parametrize("angle", [-30, -15, 15, 30])
async def test_a_tilted_head_is_straightened(angle: int) -> None:
    assert (await seen(astronaut().rotate(angle)))[0].label == "happiness"


@pytest.mark.parametrize("size", [(300, 301), (641, 479), (1920, 1080)])
async def test_frames_of_any_size_are_seen(size: tuple[int, int]) -> None:
    assert (await seen(astronaut().resize(size)))[0].label == "happiness"


@pytest.mark.parametrize("seed", range(4))
async def test_there_is_no_face_in_noise(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert await eyes().recognize(noise) == []


@pytest.mark.parametrize("size", [(1, 1), (16, 900), (640, 480)])
async def test_there_is_no_face_in_a_plain_picture(size: tuple[int, int]) -> None:
    assert await seen(Image.new("RGB", size, (90, 120, 150))) == []


@pytest.mark.parametrize("large_is_left", [True, False])
def test_the_largest_of_several_faces_is_judged(large_is_left: bool) -> None:
    places = ((0, 0), (420, 120)) if large_is_left else ((240, 0), (20, 120))
    scene = Image.new("RGB", (640, 480), (90, 120, 150))
    scene.paste(astronaut().resize((400, 400)), places[0])
    scene.paste(astronaut().resize((200, 200)), places[1])
    landmarks = largest_face(eyes()._detector, scene)
    assert landmarks is not None
    left, right = places[0][0], places[0][0] + 400
    assert (landmarks[:, 0] > left).all()
    assert (landmarks[:, 0] < right).all()


def test_an_aligned_face_has_its_eyes_level() -> None:
    tilted = astronaut().rotate(20)
    landmarks = largest_face(eyes()._detector, tilted)
    assert landmarks is not None
    again = largest_face(eyes()._detector, aligned(tilted, landmarks))
    assert again is not None
    assert abs(again[0, 1] - again[1, 1]) < 6


def test_a_file_that_is_no_model_is_an_engine_error(tmp_path: Path) -> None:
    (model,) = models.load_manifest().named("retinaface-mnet025")
    path = tmp_path / model.name / model.files[0].name
    path.parent.mkdir()
    path.write_bytes(bytes(model.size))
    with pytest.raises(EngineError, match="cannot be loaded"):
        RetinaFaceEmotion(models_dir=tmp_path)


def test_missing_weights_say_what_to_pull(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="models pull small"):
        RetinaFaceEmotion(models_dir=tmp_path)


async def test_it_describes_itself_and_warms_up() -> None:
    await eyes().warm_up()
    assert "facemood" in eyes().describe().model
    assert eyes().describe().device == "cpu"
