"""`tadbot-pi help-line`: whom to call, without any server."""

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.__main__ import main
from pi_client.help import BUILT_IN, Help

NUMBERS = "Whom to call: emergency 999, Samaritans 116 123."
RATE = 8000
LOUD = 1000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def kept() -> None:
    made = pb.HelpLines(text="I have lost my connection.", version="1", numbers_first_sample=100)
    made.lines.add(name="emergency", number="999", emergency=True)
    made.lines.add(name="Samaritans", number="116 123")
    made.pcm = np.full(900, LOUD, dtype="<i2").tobytes()
    made.audio_format.CopyFrom(sound_pb2.AudioFormat(sample_rate_hertz=RATE))
    Help().keep(made)


@pytest.mark.usefixtures("kept")
def test_it_is_shown_and_said_into_the_file_that_is_named(capsys: Any) -> None:
    assert main(["help-line", "--speaker", "out.wav"]) == 0
    assert capsys.readouterr() == (f"{NUMBERS}\n", "")
    with wave.open("out.wav") as file:
        assert file.getframerate() == RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert np.count_nonzero(samples == LOUD) == 800


def test_where_nothing_is_kept_it_is_what_holds_in_most_countries(capsys: Any) -> None:
    assert main(["help-line", "--speaker", "out.wav"]) == 0
    assert capsys.readouterr() == (f"{BUILT_IN}\n", "")
    assert not Path("out.wav").exists()


@pytest.mark.usefixtures("kept")
def test_a_speaker_that_cannot_be_opened_hides_no_number(capsys: Any, caplog: Any) -> None:
    assert main(["help-line", "--speaker", "none/such/folder.wav"]) == 0
    assert capsys.readouterr().out == f"{NUMBERS}\n"
    assert "can only be read" in caplog.text


def test_it_takes_no_flags_of_a_talk(capsys: Any) -> None:
    for words in (["help-line", "--server", "h:1"], ["--server", "h:1", "help-line"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert "tadbot-pi" in capsys.readouterr().err
