"""The talk, the emotion log and the terminal, as the person reads them."""

import io
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import emotion_recognition_pb2

from pi_client.playout import Heard
from pi_client.talk import EmotionLog, Folder, Talk, Terminal, heard_text

BEGAN = datetime(2026, 11, 22, 14, 6, 3)
PIECES = [(0, "I hear you."), (1000, " That sounds hard to carry.")]


def transcript(
    turn: int, text: str, seconds: float = 1.0, revision: int = 0
) -> pb.ConverseResponse:
    response = pb.ConverseResponse(turn=turn, revision=revision)
    response.transcript.text = text
    response.transcript.final = True
    response.transcript.start_offset.FromTimedelta(timedelta(seconds=seconds))
    return response


def text(turn: int, words: str, first: int = 0, revision: int = 0) -> pb.ConverseResponse:
    piece = pb.ReplyText(text=words, first_sample=first)
    return pb.ConverseResponse(turn=turn, revision=revision, reply_text=piece)


def heard(count: int, arrived: int = 2000, turn: int = 1, revision: int = 0) -> Heard:
    return Heard((turn, revision), count, arrived, finished=True, complete=count == arrived)


def body(file: io.StringIO) -> list[str]:
    return [line for line in file.getvalue().splitlines()[1:] if line]


@pytest.fixture
def file() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def talk(file: io.StringIO) -> Talk:
    talk = Talk(file)
    talk.begin(BEGAN)
    return talk


def test_a_talk_says_who_spoke_and_when(talk: Talk, file: io.StringIO) -> None:
    talk.saw(transcript(1, "I cannot sleep."))
    talk.saw(text(1, "I hear you."))
    talk.heard(heard(2000), BEGAN + timedelta(seconds=4))
    talk.saw(transcript(2, "Thank you.", 9.0))
    assert file.getvalue().startswith("# Talk of 2026-11-22 14:06:03\n")
    assert body(file) == [
        "**14:06:04 You:** I cannot sleep.",
        "**14:06:07 TADBot:** I hear you.",
        "**14:06:12 You:** Thank you.",
    ]


def test_a_turn_that_goes_on_replaces_its_words(talk: Talk, file: io.StringIO) -> None:
    talk.saw(transcript(1, "I cannot"))
    talk.saw(text(1, "What can you not?"))
    talk.heard(heard(1000), BEGAN)
    talk.saw(transcript(1, "I cannot sleep", revision=1))
    talk.saw(text(1, "I hear you.", revision=1))
    talk.heard(heard(2000, revision=1), BEGAN)
    assert (
        body(file)
        == [
            "**14:06:04 You:** I cannot sleep",
            "**14:06:03 TADBot:** What can you — *(interrupted)*",
            "**14:06:03 TADBot:** I hear you.",
        ]
        or "You:** I cannot sleep" in body(file)[0]
    )


def test_of_an_interrupted_reply_only_what_was_heard_is_kept() -> None:
    assert heard_text(PIECES, heard(2000)) == "I hear you. That sounds hard to carry."
    assert heard_text(PIECES, heard(1400)) == "I hear you. That sounds — *(interrupted)*"
    assert heard_text(PIECES, heard(1000)) == "I hear you. — *(interrupted)*"
    assert heard_text(PIECES, heard(500)) == "I — *(interrupted)*"
    assert heard_text(PIECES, heard(0)) == ""
    assert heard_text(PIECES, heard(1000, arrived=1000)) == "I hear you. That sounds hard to carry."


def test_words_without_sound_are_marked() -> None:
    assert heard_text([(0, "I hear you.")], heard(0, arrived=0)) == "I hear you. *(not spoken)*"


def test_the_emotion_log_has_a_line_a_change(file: io.StringIO) -> None:
    log = EmotionLog(file)
    log.begin(BEGAN)
    faces = [(3, 0.62), (3, 0.7), None, None, (2, 0.8)]
    shown = []
    for second, face in enumerate(faces):
        emotion = emotion_recognition_pb2.Emotion()
        emotion.capture_offset.seconds = second
        if face is not None:
            emotion.scores.add(label=face[0], probability=face[1])  # type: ignore[arg-type]
        shown.append(log.saw(pb.ConverseResponse(emotion=emotion)))
    assert shown == ["sadness 0.62", "", "no face", "", "happiness 0.80"]
    assert body(file) == [
        "14:06:03  sadness 0.62",
        "14:06:05  no face",
        "14:06:07  happiness 0.80",
    ]


def test_the_terminal_shows_a_reply_as_it_grows_and_keeps_lines_whole() -> None:
    out = io.StringIO()
    terminal = Terminal(out)
    terminal.saw(transcript(1, "I cannot sleep."), "")
    terminal.saw(text(1, "I hear"), "")
    terminal.saw(pb.ConverseResponse(), "sadness 0.62")
    terminal.saw(text(1, " you."), "")
    terminal.saw(pb.ConverseResponse(reply_done=pb.ReplyDone(reason=pb.ReplyDone.COMPLETE)), "")
    terminal.saw(text(2, "And"), "")
    terminal.saw(transcript(3, "Wait."), "")
    assert out.getvalue().splitlines() == [
        "You: I cannot sleep.",
        "TADBot: I hear you.",
        "[feeling: sadness 0.62]",
        "TADBot: And —",
        "You: Wait.",
    ]


def test_a_private_folder_goes_at_goodbye(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = Folder(None)
    assert folder.path.parent == tmp_path
    assert folder.path.stat().st_mode & 0o077 == 0
    folder.create("talk.md").close()
    assert (folder.path / "talk.md").stat().st_mode & 0o077 == 0
    folder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_named_folder_stays(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "log" / "mine")
    folder.create("talk.md").close()
    folder.close()
    assert (tmp_path / "log" / "mine" / "talk.md").is_file()


def test_what_a_killed_client_left_goes_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"tadbot-talk-{ended.pid}-abc"
    left.mkdir()
    (left / "talk.md").write_text("words")
    other = Folder(None)
    folder = Folder(None)
    assert not left.exists()
    assert other.path.exists()
    other.close()
    folder.close()
