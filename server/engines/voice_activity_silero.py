"""Voice activity by Silero on onnxruntime, behind an energy gate."""

from pathlib import Path
from typing import Any

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, VOICE_WINDOW, Description, Samples
from server.engines.worker import Worker
from server.errors import EngineError

CONTEXT = 64
"""Samples of the window before that Silero wants in front of each window (at 16 kHz)."""
GATE = 10 ** (-60 / 20)
"""Windows whose RMS is under -60 dB of full scale are silence without asking the model; a
whisper at a microphone is some -45 dB."""
RESET_AFTER = 32
"""Gated windows in a row (1 s) after which the model's state begins anew."""


class SileroTrack:
    """One person's voice activity: the model's state between windows."""

    def __init__(self, session: Any, worker: Worker) -> None:
        self._session = session
        self._worker = worker
        self._rest: Samples = np.zeros(0, np.float32)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._context: Samples = np.zeros(CONTEXT, np.float32)
        self._gated = 0

    async def feed(self, samples: Samples) -> list[float]:
        """Judges every whole window; quiet ones never reach the model."""
        sound = np.concatenate([self._rest, samples])
        count = len(sound) // VOICE_WINDOW
        self._rest = sound[count * VOICE_WINDOW :]
        if not count:
            return []
        windows = sound[: count * VOICE_WINDOW].reshape(count, VOICE_WINDOW)
        if float(np.sqrt((windows**2).mean(axis=1)).max()) < GATE:
            self._pass_quiet(windows)
            return [0.0] * count
        return await self._worker.run(self._judge, windows)

    def _pass_quiet(self, windows: Samples) -> None:
        self._gated += len(windows)
        if self._gated >= RESET_AFTER:
            self._begin_anew()
        self._context = windows[-1, -CONTEXT:]

    def _judge(self, windows: Samples) -> list[float]:
        self._gated = 0
        before = np.concatenate([self._context[None], windows[:-1, -CONTEXT:]])
        inputs = {"input": np.hstack([before, windows]), "h": self._h, "c": self._c}
        try:
            probabilities, self._h, self._c = self._session.run(None, inputs)
        except Exception as error:
            raise EngineError("Voice activity failed.") from error
        self._context = windows[-1, -CONTEXT:]
        return [float(one) for one in probabilities.reshape(-1)]


class SileroVoiceActivity:
    """Silero v6 in one onnxruntime session that all tracks share."""

    def __init__(self, model: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._worker = Worker("voice-activity")
        self._model = model
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )

    def describe(self) -> Description:
        """Names the engine."""
        return Description("silero", self._model.stem, "cpu")

    def open(self) -> SileroTrack:
        """Begins a new stream of sound."""
        return SileroTrack(self._session, self._worker)

    async def warm_up(self) -> None:
        """Judges a quarter of a second of noise."""
        noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE_HERTZ // 4)
        await self.open().feed(noise.astype(np.float32))

    async def close(self) -> None:
        """Ends the thread."""
        await self._worker.close()
