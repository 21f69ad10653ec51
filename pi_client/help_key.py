"""The help key: `h` and Enter, or SIGUSR1 for a button; it does not know what it does."""

import asyncio
import os
import signal
import stat
import sys
from contextlib import suppress

# As the person reads it.
HOW = "type h and Enter, or press the help button"
_WORDS = (b"h", b"help")
# A line that is longer says something else, and its beginning need not be kept.
_LONGEST_LINE = 64
_READ_BYTES = 4096


class HelpKey:
    """Listens for the key in the running loop, until it is closed.

    A press is kept until it is taken, so that one from before the talk is not lost. Standard
    input is read only where it is a terminal or a pipe, and only while it is ours.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pressed = asyncio.Event()
        self._line = b""
        self._input = _standard_input()
        # Windows has neither the signal nor a loop that waits for a terminal.
        with suppress(NotImplementedError, AttributeError):
            self._loop.add_signal_handler(signal.SIGUSR1, self._pressed.set)
        try:
            if self._input is not None:
                self._loop.add_reader(self._input, self._read)
        except (NotImplementedError, OSError):
            self._input = None

    async def wait(self) -> None:
        """Waits until the key is pressed, and takes the press."""
        await self._pressed.wait()
        self._pressed.clear()

    def taken(self) -> bool:
        """Takes a press, if there was one."""
        pressed = self._pressed.is_set()
        self._pressed.clear()
        return pressed

    def close(self) -> None:
        """Listens no more. Closing twice is not an error."""
        self._leave_input()
        with suppress(NotImplementedError, AttributeError):
            self._loop.remove_signal_handler(signal.SIGUSR1)
            # From here on a press comes too late, and must not end the program in its own way.
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    def _read(self) -> None:
        assert self._input is not None
        try:
            # A program in the background that reads its terminal would be stopped by it.
            data = os.read(self._input, _READ_BYTES) if _is_ours(self._input) else b""
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            # At its end it would be readable for ever.
            self._leave_input()
            return
        *lines, rest = (self._line + data).split(b"\n")
        # One byte more than fits, so that its end is not taken for a line of its own.
        self._line = rest[: _LONGEST_LINE + 1]
        if any(line.strip().lower() in _WORDS for line in lines):
            self._pressed.set()

    def _leave_input(self) -> None:
        if self._input is not None:
            self._loop.remove_reader(self._input)
            self._input = None


def _standard_input() -> int | None:
    """Returns standard input, if it is something that a person can type into."""
    # None: it was closed when the program began, and its number may be another file's by now.
    if sys.stdin is None:
        return None
    try:
        number = sys.stdin.fileno()
        mode = os.fstat(number).st_mode
        typed = os.isatty(number) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    except (OSError, ValueError):
        return None
    return number if typed and _is_ours(number) else None


def _is_ours(number: int) -> bool:
    """Whether what is typed is meant for this program: a terminal is its foreground's."""
    if not os.isatty(number):
        return True
    try:
        return os.tcgetpgrp(number) == os.getpgrp()
    except OSError:
        # A terminal that is not this session's cannot stop it either.
        return True
