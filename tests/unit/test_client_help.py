"""The help line that is kept on the person's machine."""

from pathlib import Path

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.help import BUILT_IN, Help, packed

TEXT = "You can call Samaritans on 116 123."


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "tadbot" / "help-lines.pb"


def lines(version: str = "1", text: str = TEXT, rate: int = 16000) -> pb.HelpLines:
    pcm = np.arange(1000, dtype="<i2").tobytes()
    audio_format = sound_pb2.AudioFormat(sample_rate_hertz=rate)
    made = pb.HelpLines(
        country="GB", text=text, pcm=pcm, audio_format=audio_format, version=version
    )
    made.lines.add(name="emergency", number="999", emergency=True)
    made.lines.add(name="Samaritans", number="116 123")
    made.numbers_first_sample = 400
    return made


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def is_built_in(found: Help) -> bool:
    return (found.version, found.text, len(found.sound(16000))) == ("", BUILT_IN, 0)


def test_what_is_kept_is_there_in_the_next_talk(file: Path) -> None:
    Help().keep(lines())
    found = Help()
    assert (found.version, found.text) == ("1", TEXT)
    assert found.sound(16000).tolist() == list(range(1000))
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_newer_help_lines_replace_what_was_kept() -> None:
    kept = Help()
    kept.keep(lines("1"))
    kept.keep(lines("2", "You can call 988."))
    assert (kept.version, kept.text) == ("2", "You can call 988.")
    assert (Help().version, Help().text) == ("2", "You can call 988.")


def test_where_none_are_kept_it_is_the_text_that_holds_in_most_countries() -> None:
    assert is_built_in(Help())
    assert "112" in BUILT_IN
    assert "findahelpline.com" in BUILT_IN


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no message at all",
        packed(lines())[:-1],
        changed(packed(lines()), b"116 123", b"116 124"),
        packed(lines(text="")),
        packed(lines(rate=0)),
        packed(lines(text="x" * (8 * 2**20))),
    ],
    ids=["empty", "broken", "cut", "a digit changed", "no words", "no rate", "too large"],
)
def test_a_bad_file_is_as_none_and_the_next_lines_mend_it(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    found = Help()
    assert is_built_in(found)
    found.keep(lines())
    assert Help().version == "1"


def test_a_folder_in_its_place_is_as_none(file: Path) -> None:
    file.mkdir(parents=True)
    found = Help()
    assert is_built_in(found)
    found.keep(lines())
    assert found.text == TEXT
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_bad_lines_do_not_replace_good_ones() -> None:
    kept = Help()
    kept.keep(lines("1"))
    kept.keep(lines("2", text=" "))
    kept.keep(lines("3", rate=0))
    assert (kept.version, Help().version) == ("1", "1")


def test_lines_without_sound_are_kept_to_be_read() -> None:
    kept = Help()
    kept.keep(pb.HelpLines(text=TEXT, version="1"))
    assert (Help().version, Help().text, len(Help().sound(16000))) == ("", TEXT, 0)


def test_a_voice_that_fails_once_takes_no_sound_away() -> None:
    kept = Help()
    kept.keep(lines("1"))
    kept.keep(pb.HelpLines(text=TEXT, version="2"))
    assert (kept.version, len(Help().sound(16000))) == ("1", 1000)
    # But other numbers are not spoken over by the old ones.
    kept.keep(pb.HelpLines(text="You can call 988.", version="3"))
    assert (Help().version, len(Help().sound(16000))) == ("", 0)


def test_the_numbers_are_read_in_digits_and_heard_without_the_word_that_the_server_is_gone() -> (
    None
):
    kept = Help()
    assert kept.numbers == BUILT_IN
    kept.keep(lines())
    assert kept.numbers == "Whom to call: emergency 999, Samaritans 116 123."
    assert kept.sound(16000, only_numbers=True).tolist() == list(range(400, 1000))


def test_a_place_of_the_numbers_beyond_the_sound_is_refused() -> None:
    bad = lines()
    bad.numbers_first_sample = 1000
    kept = Help()
    kept.keep(bad)
    assert is_built_in(kept)


def test_the_sound_comes_at_the_rate_of_the_talk() -> None:
    kept = Help()
    kept.keep(lines(rate=16000))
    assert len(kept.sound(32000)) == pytest.approx(2000, abs=50)
    assert len(kept.sound(8000)) == pytest.approx(500, abs=50)
