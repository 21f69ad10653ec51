"""Sounds that are no clear words, made from seeded noise: coughs, throats, whispers, a room."""

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, Samples
from tests.benchmarks.scenes import SPEECH_DBFS, Clip, clip

ROOM_DBFS = -65.0
"""RMS of a quiet room."""
COUGH_DBFS = SPEECH_DBFS + 3
COUGH_HERTZ = ((500, 250), (1500, 500), (2800, 700), (4500, 1500))
"""Middle and width of the bands of a cough: an open throat and rushing air."""
THROAT_HERTZ = ((350, 200), (900, 300), (2200, 600))
WHISPER_WINDOW, WHISPER_HOP = 512, 128
WHISPER_SMOOTHING = 24
"""Cepstral coefficients kept: the shape of the mouth without the pitch of the voice."""


def room(seconds: float, seed: int = 0) -> Samples:
    """Gives the faint noise of a room, with less of it the higher it is."""
    count = round(seconds * SAMPLE_RATE_HERTZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum /= np.sqrt(1 + np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HERTZ) / 500)
    noise = np.fft.irfft(spectrum, count)
    return (noise / noise.std() * 10 ** (ROOM_DBFS / 20)).astype(np.float32)


def cough(seed: int) -> Clip:
    """One to three coughs: a burst, rushing air, now and then some voice at its end."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        burst = _decaying(rng, COUGH_HERTZ, rng.uniform(0.05, 0.08), 0.02)
        air = 0.35 * _decaying(rng, COUGH_HERTZ, rng.uniform(0.1, 0.2), 0.12)
        parts += [burst, air]
        if rng.random() < 0.5:
            parts.append(0.2 * _rough_voice(rng, rng.uniform(0.05, 0.09), rng.uniform(110, 220)))
        parts.append(np.zeros(int(rng.uniform(0.06, 0.2) * SAMPLE_RATE_HERTZ)))
    return clip(f"cough {seed}", "", _padded(np.concatenate(parts)), COUGH_DBFS)


def throat_clearing(seed: int) -> Clip:
    """A rough, low rasp that swells and fades, once or twice."""
    rng = np.random.default_rng(1000 + seed)
    parts = []
    for _ in range(int(rng.integers(1, 3))):
        duration = rng.uniform(0.25, 0.5)
        rasp = _rough_voice(rng, duration, rng.uniform(60, 100))
        air = _shaped(rng, len(rasp), THROAT_HERTZ)
        swell = np.sin(np.pi * np.linspace(0, 1, len(rasp))) ** 0.7
        parts += [swell * (rasp / rasp.std() + 0.7 * air / air.std())]
        parts.append(np.zeros(int(rng.uniform(0.05, 0.12) * SAMPLE_RATE_HERTZ)))
    return clip(f"throat {seed}", "", _padded(np.concatenate(parts)))


def whispered(one: Clip, below_db: float = 20.0, seed: int = 0) -> Clip:
    """Says a clip again without voice: noise through the same mouth, quieter.

    The spectral envelope of each 32 ms, smoothed through its cepstrum, is laid over noise; low
    tones, which are mostly voice, are turned down.
    """
    noise = np.random.default_rng(seed).standard_normal(len(one.samples)).astype(np.float32)
    window = np.hanning(WHISPER_WINDOW)
    tilt = np.minimum(1, np.fft.rfftfreq(WHISPER_WINDOW, 1 / SAMPLE_RATE_HERTZ) / 800)
    out = np.zeros(len(noise))
    for at in range(0, len(noise) - WHISPER_WINDOW, WHISPER_HOP):
        part = slice(at, at + WHISPER_WINDOW)
        envelope = _envelope(one.samples[part] * window)
        spectrum = np.fft.rfft(noise[part] * window) * envelope * tilt
        out[part] += np.fft.irfft(spectrum, WHISPER_WINDOW) * window
    name = f"whispered, {one.name}"
    return clip(name, one.text, out.astype(np.float32), SPEECH_DBFS - below_db)


def _envelope(frame: Samples) -> Samples:
    cepstrum = np.fft.irfft(np.log(np.abs(np.fft.rfft(frame)) + 1e-5))
    cepstrum[WHISPER_SMOOTHING:-WHISPER_SMOOTHING] = 0
    return np.asarray(np.exp(np.fft.rfft(cepstrum).real), dtype=np.float32)


def _shaped(rng: np.random.Generator, count: int, bands: tuple[tuple[int, int], ...]) -> Samples:
    """Noise within bands."""
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HERTZ)
    shape = sum(np.exp(-0.5 * ((hertz - middle) / width) ** 2) for middle, width in bands)
    shaped: Samples = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * shape, count)
    return shaped


def _decaying(
    rng: np.random.Generator, bands: tuple[tuple[int, int], ...], seconds: float, tau_s: float
) -> Samples:
    count = int(seconds * SAMPLE_RATE_HERTZ)
    decay = np.exp(-np.arange(count) / (tau_s * SAMPLE_RATE_HERTZ))
    # 2 ms: as sharp as a throat opens.
    attack = np.minimum(1, np.arange(count) / (0.002 * SAMPLE_RATE_HERTZ))
    noise = _shaped(rng, count, bands)
    rough: Samples = noise / noise.std() * decay * attack
    return rough


def _rough_voice(rng: np.random.Generator, seconds: float, pitch_hertz: float) -> Samples:
    """Pulses at an unsteady pitch through the bands of a throat."""
    count = int(seconds * SAMPLE_RATE_HERTZ)
    pulses = np.zeros(count)
    at = 0.0
    while at < count:
        pulses[int(at)] = rng.uniform(0.6, 1)
        at += SAMPLE_RATE_HERTZ / pitch_hertz * rng.uniform(0.8, 1.2)
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HERTZ)
    shape = sum(np.exp(-0.5 * ((hertz - middle) / width) ** 2) for middle, width in THROAT_HERTZ)
    voice: Samples = np.fft.irfft(np.fft.rfft(pulses) * shape, count)
    return voice


def _padded(sound: Samples) -> Samples:
    edge = np.zeros(SAMPLE_RATE_HERTZ // 50)
    return np.concatenate([edge, sound, edge]).astype(np.float32)
