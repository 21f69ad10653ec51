"""Says the help line without the server: on its key, and when the server goes.

It does not know how the server went, or what it said.
"""

import asyncio

import numpy as np
from tadbot.v1 import companion_pb2 as pb

from pi_client.errors import ClientError
from pi_client.help import Help
from pi_client.help_key import HOW, HelpKey
from pi_client.microphone import Microphone
from pi_client.playout import Playout
from pi_client.record import Record
from pi_client.sound import BLOCK_S, BLOCK_SAMPLES, silence
from pi_client.speaker import Speaker

# How long the key still works after the server went, where a person is at the microphone.
_STAY_S = 60.0
# What a sound card holds when it is closed is not heard any more.
_AFTER_S = 0.4


class Alone:
    """Follows a talk for its level and its help lines, and speaks where the server cannot.

    stays: whether somebody is there who may want the key after the server went.
    """

    def __init__(
        self,
        microphone: Microphone,
        playout: Playout,
        speaker: Speaker,
        key: HelpKey | None,
        record: Record,
        stays: bool,
    ) -> None:
        self._microphone = microphone
        self._playout = playout
        self._speaker = speaker
        self._key = key
        self._record = record
        self._stays = stays
        self._help = Help()
        self._level = pb.RISK_LEVEL_UNSPECIFIED
        self._opened = asyncio.Event()
        self._lost = False
        self._closed = False
        self._interrupts = False
        self._samples = 0
        self._deaf = False

    @property
    def help_version(self) -> str:
        """Which help lines are kept here, for the server to know."""
        return self._help.version

    def saw(self, response: pb.ConverseResponse) -> None:
        """Takes note of a response, after the speaker was started for it."""
        match response.WhichOneof("event"):
            case "opened":
                self._opened.set()
            case "closed":
                self._closed = True
            case "risk":
                self._level = response.risk.level
            case "help_lines":
                self._help.keep(response.help_lines)

    def interrupts(self) -> bool:
        """Whether the server is still to be told that the key was pressed; true but once."""
        interrupts, self._interrupts = self._interrupts, False
        return interrupts

    async def follow_key(self) -> None:
        """Speaks whenever the key is pressed, until it is cancelled."""
        while self._key is not None:
            await self._key.wait()
            if not self._opened.is_set():
                self._record.say(self._help.numbers)
            # Before that there is no speaker to speak with.
            await self._opened.wait()
            self._interrupts = True
            self._speak("key")

    def talk_failed(self) -> None:
        """Shows whom to call, where a talk could not begin, or ends after danger."""
        if not self._closed and (not self._opened.is_set() or self._level >= pb.CONCERN):
            self._record.say(self._help.numbers)

    async def server_went(self, stop: asyncio.Event) -> None:
        """Says that the server is gone, and what helps now; ends early where `stop` is set.

        A talk that had ended loses nothing; one that had not begun could not be in danger.
        """
        if self._closed or not self._opened.is_set():
            self.talk_failed()
            return
        self._lost = True
        self._record.server_lost(self._level)
        if self._level >= pb.CONCERN:
            self._speak("server_lost")
        else:
            self._record.say(f"For the help line, {HOW}; or start `tadbot-pi help-line`.")
        ends_at = asyncio.get_running_loop().time() + (_STAY_S if self._stays else 0.0)
        if self._stays:
            self._record.say(f"The help key works for {_STAY_S:.0f} s more; Ctrl-C ends it now.")
        while not stop.is_set():
            if self._key is not None and self._key.taken():
                self._speak("key")
            if not self._playout.saying and asyncio.get_running_loop().time() >= ends_at:
                return
            await self._go_on()

    def _speak(self, cause: str) -> None:
        """Says the help line; one that is being said is not begun anew."""
        if self._playout.saying:
            return
        rate = self._playout.sample_rate_hertz
        sound = self._help.sound(rate, only_numbers=not self._lost)
        texts = [self._help.text, self._help.numbers] if self._lost else [self._help.numbers]
        # In digits it is read better; where nothing is kept both are the same.
        self._record.help_line(list(dict.fromkeys(texts)), cause, len(sound) / rate)
        # Also without sound: the reply that plays stands aside for what is to be read.
        self._playout.say(np.concatenate([sound, silence(round(_AFTER_S * rate))]))

    async def _go_on(self) -> None:
        """Lets a block of time go by, by the microphone's clock while it has one."""
        if not self._deaf:
            try:
                first_sample, _ = await self._microphone.read()
                self._samples = first_sample + BLOCK_SAMPLES
            except ClientError:
                self._deaf = True
        if self._deaf:
            await asyncio.sleep(BLOCK_S)
            self._samples += BLOCK_SAMPLES
        if self._deaf or not self._microphone.behind:
            self._speaker.advance(self._samples)
