"""The person's own record: the talk, as Markdown, and the emotion log; it sends nothing."""

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import emotion_recognition_pb2 as emotion_pb

from pi_client.errors import ClientError
from pi_client.reply import Heard, Key

_INTERRUPTED = "*(interrupted)*"
_NOT_SPOKEN = "*(not spoken)*"
# What a private folder's name begins with; the client's process number follows.
_PRIVATE = "tadbot-talk-"


class Folder:
    """Where the record is kept: the person's folder, or a private one that goes at goodbye.

    log_dir: None makes a folder that only its owner can read, in memory where the system
    offers that.
    """

    def __init__(self, log_dir: Path | None) -> None:
        self.kept = log_dir is not None
        try:
            if log_dir is not None:
                log_dir.mkdir(parents=True, exist_ok=True)
                self.path = log_dir
            else:
                _sweep(_runtime_dir())
                prefix = f"{_PRIVATE}{os.getpid()}-"
                self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=_runtime_dir()))
        except OSError as error:
            raise ClientError(
                f"The talk cannot be kept in {log_dir} ({error.strerror}); name another folder."
            ) from error

    def create(self, name: str) -> TextIO:
        """Creates a file that only its owner can read. Raises ClientError if it cannot."""
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
            return os.fdopen(os.open(self.path / name, flags, 0o600), "w+", encoding="utf-8")
        except OSError as error:
            raise ClientError(
                f"The talk cannot be written to {self.path} ({error.strerror}); "
                "name another folder with --log-dir."
            ) from error

    def close(self) -> None:
        """Deletes a folder that was not to be kept. Closing twice is not an error."""
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)


def _runtime_dir() -> str:
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return folder if folder and os.access(folder, os.W_OK) else tempfile.gettempdir()


def _sweep(parent: str) -> None:
    """Deletes what clients left that could not say goodbye: nobody wanted it kept."""
    for folder in Path(parent).glob(f"{_PRIVATE}*-*"):
        number = folder.name.removeprefix(_PRIVATE).partition("-")[0]
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid() and number.isdigit() and not _runs(int(number)):
                shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@dataclass
class _Entry:
    at: datetime
    speaker: str
    text: str


class Talk:
    """Writes who said what and when, as it is said; of a reply only what was heard."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._began_at = datetime.now()
        self._turn = 0
        self._turn_offset = 0
        # Of this turn only: its words are written anew when the person goes on speaking.
        self._entries: list[_Entry] = []
        # Of replies that have not ended: where each piece begins, and what it says.
        self._pieces: dict[Key, list[tuple[int, str]]] = {}
        self._last_ended: Key = (-1, 0)

    def begin(self, at: datetime) -> None:
        """Begins the record. at: when `open` was sent, by the wall clock."""
        self._began_at = at
        self._file.write(f"# Talk of {at:%Y-%m-%d %H:%M:%S}\n\n")
        self._file.flush()
        self._turn_offset = self._file.tell()

    def saw(self, response: pb.ConverseResponse) -> None:
        """Takes words from a response."""
        match response.WhichOneof("event"):
            case "transcript" if response.transcript.final and response.transcript.text:
                at = self._began_at + response.transcript.start_offset.ToTimedelta()
                self._person_said(response.turn, at, response.transcript.text)
            case "reply_text":
                key = (response.turn, response.revision)
                if key > self._last_ended:
                    piece = (response.reply_text.first_sample, response.reply_text.text)
                    self._pieces.setdefault(key, []).append(piece)

    def heard(self, heard: Heard, began_at: datetime) -> None:
        """Writes a reply when it has ended. began_at: when its sound began."""
        if not heard.finished:
            return
        self._last_ended = max(self._last_ended, heard.key)
        pieces = self._pieces.pop(heard.key, [])
        text = heard_text(pieces, heard)
        if text:
            self._add(_Entry(began_at, "TADBot", text))

    def close(self) -> None:
        """Ends the file. Closing twice is not an error."""
        self._file.close()

    def _person_said(self, turn: int, at: datetime, text: str) -> None:
        if turn != self._turn:
            self._turn, self._entries = turn, []
            self._turn_offset = self._file.seek(0, os.SEEK_END)
        earlier = [entry for entry in self._entries if entry.speaker == "You"]
        for entry in earlier:
            entry.text = text
        if earlier:
            self._write_turn()
        else:
            self._add(_Entry(at, "You", text))

    def _add(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._write_turn()

    def _write_turn(self) -> None:
        self._file.seek(self._turn_offset)
        self._file.truncate()
        for entry in self._entries:
            self._file.write(f"**{entry.at:%H:%M:%S} {entry.speaker}:** {entry.text}\n\n")
        self._file.flush()


def heard_text(pieces: list[tuple[int, str]], heard: Heard) -> str:
    """Returns the words of a reply that were heard, and a mark where it was interrupted.

    pieces: the sample at which each begins, and its text, in order. A piece that was cut is
    shortened to as many words as the sound that was heard is a part of its sound; where that
    is not known, because it is the last, it counts as not heard.
    "" where nothing was heard.
    """
    whole = "".join(text for _, text in pieces).strip()
    if heard.complete:
        return f"{whole} {_NOT_SPOKEN}" if whole and not heard.sample_count else whole
    words = ""
    for index, (begin, text) in enumerate(pieces):
        end = pieces[index + 1][0] if index + 1 < len(pieces) else heard.arrived
        if end <= begin or heard.sample_count <= begin:
            break
        part = min((heard.sample_count - begin) / (end - begin), 1.0)
        spoken = text.split()
        words += text if part == 1.0 else " " + " ".join(spoken[: int(part * len(spoken))])
    return f"{words.strip()} — {_INTERRUPTED}" if words.strip() else ""


class EmotionLog:
    """Writes a line each time the feeling on the face changes."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._began_at = datetime.now()
        self._last = ""

    def begin(self, at: datetime) -> None:
        """Begins the record. at: when `open` was sent, by the wall clock."""
        self._began_at = at
        self._file.write(f"Feelings on the face, {at:%Y-%m-%d %H:%M:%S}. ")
        self._file.write("Guessed by a model, often wrongly; the number is its own probability.\n")
        self._file.flush()

    def saw(self, response: pb.ConverseResponse) -> str:
        """Writes the feeling of an `emotion` response if it is a new one.

        Returns what is new as a person reads it, such as `sadness 0.62`; "" where nothing is.
        """
        if response.WhichOneof("event") != "emotion":
            return ""
        emotion = response.emotion
        label, shown = _seen(emotion)
        if label == self._last:
            return ""
        self._last = label
        at = self._began_at + emotion.capture_offset.ToTimedelta()
        self._file.write(f"{at:%H:%M:%S}  {shown}\n")
        self._file.flush()
        return shown

    def close(self) -> None:
        """Ends the file. Closing twice is not an error."""
        self._file.close()


def _seen(emotion: emotion_pb.Emotion) -> tuple[str, str]:
    """Returns the label that decides whether something changed, and how it is shown."""
    if emotion.scores:
        best = emotion.scores[0]
        label = emotion_pb.Emotion.Label.Name(best.label).lower()
        return label, f"{label} {best.probability:.2f}"
    dark = emotion.face_condition == emotion_pb.Emotion.TOO_DARK
    label = "too dark" if dark else "no face"
    return label, label


class Terminal:
    """Shows the talk to the person, a line each; a reply grows on its line as it comes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._replying = False
        self._later: list[str] = []

    def saw(self, response: pb.ConverseResponse, feeling: str) -> None:
        """Shows a response. feeling: what is new on the face, or ""."""
        match response.WhichOneof("event"):
            case "transcript" if response.transcript.final and response.transcript.text:
                self.end_reply(" —")
                self.line(f"You: {response.transcript.text.strip()}")
            case "reply_text":
                text = response.reply_text.text
                self._print(text if self._replying else f"TADBot: {text.lstrip()}")
                self._replying = True
            case "reply_done":
                interrupted = response.reply_done.reason == pb.ReplyDone.INTERRUPTED
                self.end_reply(" —" if interrupted else "")
        if feeling:
            self.line(f"[feeling: {feeling}]")

    def line(self, text: str) -> None:
        """Shows one line, after the reply that is being shown."""
        if self._replying:
            self._later.append(text)
        else:
            self._print(text + "\n")

    def end_reply(self, mark: str = "") -> None:
        """Ends the line of a reply, and shows what waited for it. A no-op without a reply."""
        if not self._replying:
            return
        self._replying = False
        waiting, self._later = self._later, []
        self._print("\n".join([mark, *waiting]) + "\n")

    def _print(self, text: str) -> None:
        # Nobody may be reading any more; the talk itself goes on.
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()
