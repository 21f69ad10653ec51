"""Sound that is hard to hear through, from seeded noise; it does not know who hears it."""

import numpy as np

from server.engines import SAMPLE_RATE_HERTZ, Samples

SCALE = (0, 2, 4, 5, 7, 9, 11)
CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))
"""Semitones above the key: the four chords of most songs."""
BEAT_S = 0.6
VOWELS_HERTZ = ((700, 1200, 2600), (300, 2300, 3000), (500, 900, 2400), (350, 800, 2300))
"""Formants: what makes a vowel of a voice."""


def at_level(sound: Samples, dbfs: float) -> Samples:
    """Brings a sound to a level: its RMS below full scale."""
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return (sound * (10 ** (dbfs / 20) / rms)).astype(np.float32)


def noise(seconds: float, dbfs: float, seed: int = 0) -> Samples:
    """Makes white noise: a fan, a tap, an open window."""
    count = round(seconds * SAMPLE_RATE_HERTZ)
    return at_level(np.random.default_rng(seed).standard_normal(count).astype(np.float32), dbfs)


def tone(seconds: float, dbfs: float, hertz: float = 440) -> Samples:
    """Makes a steady sine."""
    return at_level(np.sin(2 * np.pi * hertz * _times(seconds)).astype(np.float32), dbfs)


def music(seconds: float, dbfs: float, seed: int = 0) -> Samples:
    """Plays a song without a singer: chords, a melody, a bass drum and a hi-hat."""
    rng = np.random.default_rng(seed)
    song = np.zeros(round(seconds * SAMPLE_RATE_HERTZ), np.float32)
    for beat in range(int(seconds / BEAT_S)):
        at_s, chord = beat * BEAT_S, CHORDS[beat // 4 % len(CHORDS)]
        if beat % 4 == 0:
            for step in chord:
                _lay(song, at_s, 0.35 * _note(48 + step, 4 * BEAT_S))
        for half in range(2):
            pitch = 72 + int(rng.choice(chord if rng.random() < 0.5 else SCALE))
            _lay(song, at_s + half * BEAT_S / 2, 0.6 * _note(pitch, BEAT_S / 2))
            _lay(song, at_s + half * BEAT_S / 2, 0.2 * _hi_hat(rng))
        if beat % 2 == 0:
            _lay(song, at_s, _drum())
    return at_level(song, dbfs)


def singing(seconds: float, dbfs: float, seed: int = 0) -> Samples:
    """Sings a melody on changing vowels, without a word."""
    rng = np.random.default_rng(seed)
    song = np.zeros(round(seconds * SAMPLE_RATE_HERTZ), np.float32)
    at_s = 0.2
    while at_s < seconds:
        length_s = float(rng.choice([0.2, 0.3, 0.4, 0.6]))
        _lay(song, at_s, _vowel(57 + int(rng.integers(12)), length_s, int(rng.integers(4))))
        at_s += length_s + float(rng.choice([0, 0.05, 0.3]))
    return at_level(song, dbfs)


def distorted(sound: Samples, gain: float) -> Samples:
    """Turns a sound up until it is clipped, as a microphone does that is set too loud."""
    return np.clip(gain * sound, -1, 1).astype(np.float32)


def offset(sound: Samples, by: float) -> Samples:
    """Shifts a sound, as a cheap sound card does whose zero is not zero."""
    return np.clip(sound + np.float32(by), -1, 1).astype(np.float32)


def _times(seconds: float) -> Samples:
    return np.arange(round(seconds * SAMPLE_RATE_HERTZ)) / np.float32(SAMPLE_RATE_HERTZ)


def _lay(song: Samples, at_s: float, sound: Samples) -> None:
    """Adds a sound to a song; what does not fit in is left out."""
    at = round(at_s * SAMPLE_RATE_HERTZ)
    part = song[at : at + len(sound)]
    part += sound[: len(part)]


def _note(pitch: int, seconds: float) -> Samples:
    """A plucked string. pitch: a MIDI number."""
    times = _times(seconds)
    phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * times
    string = sum(np.sin(part * phase) / part**1.3 for part in range(1, 7))
    swell = np.minimum(1, times / 0.01) * np.minimum(1, (seconds - times) / 0.02)
    return np.asarray(string * swell * np.exp(-1.5 * times), dtype=np.float32)


def _drum() -> Samples:
    times = _times(0.2)
    sound = np.sin(2 * np.pi * (50 * times - np.exp(-30 * times))) * np.exp(-12 * times)
    return np.asarray(sound, dtype=np.float32)


def _hi_hat(rng: np.random.Generator) -> Samples:
    times = _times(0.08)
    hiss = np.diff(rng.standard_normal(len(times)), prepend=0) * np.exp(-50 * times)
    return np.asarray(hiss, dtype=np.float32)


def _vowel(pitch: int, seconds: float, which: int) -> Samples:
    times = _times(seconds)
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    vibrato = 1 + 0.01 * np.sin(2 * np.pi * 5.5 * times)
    phase = 2 * np.pi * hertz * np.cumsum(vibrato) / SAMPLE_RATE_HERTZ
    parts = np.arange(1, int(5000 / hertz))
    shape = sum(
        np.exp(-0.5 * ((parts * hertz - formant) / 120) ** 2) for formant in VOWELS_HERTZ[which]
    )
    voice = ((shape + 0.02) / parts) @ np.sin(np.outer(parts, phase))
    swell = np.minimum(1, times / 0.03) * np.minimum(1, (seconds - times) / 0.05)
    return np.asarray(voice * swell, dtype=np.float32)
