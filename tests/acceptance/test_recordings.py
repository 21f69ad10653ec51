"""Real recordings, sent through client and server, where TADBOT_TEST_SPEECH names a folder."""

import json
import os
from pathlib import Path

import jiwer
import numpy as np
import pytest

from server.sound import read_sound, write_wav
from tests.acceptance.house import House, plain, talk

RATE_HERTZ = 22_050
PAUSE_S = 6.0
"""Long enough that every recording is a turn of its own."""


@pytest.mark.timeout(400)
def test_recordings_are_heard_with_few_errors(house: House, tmp_path: Path) -> None:
    named = os.environ.get("TADBOT_TEST_SPEECH")
    if not named:
        pytest.skip("TADBOT_TEST_SPEECH names no folder of recordings with transcripts.json")
    folder = Path(named)
    transcripts: dict[str, str] = json.loads((folder / "transcripts.json").read_text())
    pause = np.zeros(round(PAUSE_S * RATE_HERTZ), np.float32)
    sounds = [pause]
    for name in sorted(transcripts):
        sounds += [read_sound(folder / name, RATE_HERTZ), pause]
    microphone = tmp_path / "recordings.wav"
    write_wav(microphone, np.concatenate(sounds), RATE_HERTZ)

    done = talk(["--server", house.address], microphone, tmp_path, timeout=390)

    expected = plain(" ".join(transcripts[name] for name in sorted(transcripts)))
    assert jiwer.wer(expected, plain(done.words)) <= 0.10
