"""All that is written of a talk on this side; it does not know where it goes from here."""

import logging
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta

from tadbot.v1 import companion_pb2 as pb

from pi_client.config import Options
from pi_client.events import Events
from pi_client.reply import Heard
from pi_client.talk import EmotionLog, Folder, Talk, Terminal

_log = logging.getLogger(__name__)


class Record:
    """Writes events, talk, emotion log and terminal, and keeps the time since `open`.

    stack: closes them. Raises ClientError if something cannot be written.
    """

    def __init__(self, options: Options, stack: ExitStack) -> None:
        self._began = time.monotonic()
        self._events = stack.enter_context(closing(Events(options.events, self.elapsed_s)))
        folder = stack.enter_context(closing(Folder(options.log_dir)))
        if not folder.kept:
            _log.warning("Until goodbye the talk can be read in %s.", folder.path)
        stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"
        talk = Talk(folder.create(f"talk-{stamp}.md"))
        self._talk = stack.enter_context(closing(talk))
        emotions = EmotionLog(folder.create(f"emotions-{stamp}.txt"))
        self._emotions = stack.enter_context(closing(emotions))
        self._terminal = Terminal(sys.stdout)
        self._notices: set[str] = set()

    def elapsed_s(self) -> float:
        """Returns the seconds since `open`."""
        return time.monotonic() - self._began

    def at_s(self, monotonic: float) -> float:
        """Turns a time of the machine's clock into seconds since `open`."""
        return monotonic - self._began

    def began(self) -> None:
        """Says that `open` is being sent now."""
        self._began = time.monotonic()
        began_at = datetime.now()
        self._talk.begin(began_at)
        self._emotions.begin(began_at)

    def saw(self, response: pb.ConverseResponse) -> None:
        """Writes what a response means to the person."""
        self._events.saw(response)
        self._talk.saw(response)
        self._terminal.saw(response, self._emotions.saw(response))
        if response.WhichOneof("event") == "notice" and response.notice.code not in self._notices:
            # Once each: a camera in the dark would say the same twice a second.
            self._notices.add(response.notice.code)
            _log.warning("%s: %s", response.notice.code, response.notice.message)

    def heard(self, heard: Heard, sample_rate_hertz: int) -> None:
        """Writes how much of a reply was heard."""
        self._events.played(heard.key[0], heard.sample_count, heard.finished)
        self._talk.heard(heard, datetime.now() - _duration(heard, sample_rate_hertz))

    def barge_in(self, action: str, sample: int) -> None:
        """Writes what the client did by itself with the reply that plays."""
        self._events.barge_in(action, sample)

    def ended(self) -> None:
        """Ends what is shown of a reply: nothing more comes of it."""
        self._terminal.end_reply(" —")

    def server_lost(self, level: pb.RiskLevel.ValueType) -> None:
        """Writes and shows that the server went. level: the last of this talk."""
        self._events.server_lost(level)
        self.say("The connection to the server is lost.")

    def help_line(self, texts: Sequence[str], cause: str, seconds: float) -> None:
        """Writes and shows the help line that is played now; see `Events.help_line_played`."""
        self._events.help_line_played(cause, seconds)
        for text in texts:
            self.say(f"TADBot: {text}")

    def say(self, line: str) -> None:
        """Shows the person a line at once, also in the middle of a reply."""
        self._terminal.end_reply(" —")
        self._terminal.line(line)


def _duration(heard: Heard, sample_rate_hertz: int) -> timedelta:
    return timedelta(seconds=heard.sample_count / sample_rate_hertz)
