"""Measures a frame's way through the face engine: `make bench BENCH=faces`.

Appends a JSON line for each figure to bench-results.jsonl. The baseline of every figure is
what finding the face costs alone, on the same core in the same run.
"""

import asyncio
import io
import time
from collections.abc import Awaitable, Callable

import numpy as np
from PIL import Image

from server import models
from server.engines.emotion_retinaface import RetinaFaceEmotion, aligned, largest_face
from server.pictures import decode_jpeg, load_picture
from tests.benchmarks import results

SAMPLES = 100


async def timed(work: Callable[[], Awaitable[object] | object]) -> np.ndarray:
    """Runs `work` SAMPLES times and returns the milliseconds of each, shape (SAMPLES,)."""
    times = []
    for index in range(SAMPLES + 5):
        begin = time.perf_counter()
        result = work()
        if isinstance(result, Awaitable):
            await result
        if index >= 5:
            times.append(1000 * (time.perf_counter() - begin))
    return np.array(times)


def report(figure: str, value: float, against: float | None) -> None:
    """Reports milliseconds a frame."""
    results.report("faces", figure, value, "ms", against, SAMPLES)


async def main() -> None:
    engine = RetinaFaceEmotion(threads=1)
    await engine.warm_up()
    image = Image.fromarray(load_picture(models.path_of("demo-face"))).resize((640, 480))
    frame, stream = np.array(image), io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    landmarks = largest_face(engine._detector, image)
    assert landmarks is not None
    face = np.array(aligned(image, landmarks))

    found = await timed(lambda: largest_face(engine._detector, image))
    baseline = float(np.median(found))
    report("find the face, 640x480, median", baseline, None)
    works: dict[str, Callable[[], Awaitable[object] | object]] = {
        "decode the JPEG, 640x480": lambda: decode_jpeg(stream.getvalue()),
        "align": lambda: aligned(image, landmarks),
        "judge a cropped face": lambda: engine.recognize(face, cropped=True),
        "whole frame, 640x480": lambda: engine.recognize(frame),
    }
    for name, work in works.items():
        times = await timed(work)
        report(f"{name}, median", float(np.median(times)), baseline)
        report(f"{name}, p95", float(np.percentile(times, 95)), baseline)
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main())
