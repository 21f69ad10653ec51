"""Help that a client keeps for the time without a server: the lines, and the words as sound.

It is spoken once for each country, and shared by all talks. It does not know who keeps it.
"""

import asyncio
import hashlib
import logging
from contextlib import aclosing

import numpy as np
from tadbot.v1 import companion_pb2 as pb

from server.engines import Samples, TextToSpeech
from server.errors import EngineError
from server.reply import split_sentences
from server.safety import LOST, HelpLines, whom_to_call
from server.sound import to_pcm

log = logging.getLogger("tadbot.kept_help")


class KeptHelp:
    """The help of all countries that were asked for so far."""

    def __init__(self, voice: TextToSpeech) -> None:
        self._voice = voice
        self._made: dict[str, pb.HelpLines] = {}
        self._making = asyncio.Lock()

    async def of(self, lines: HelpLines) -> pb.HelpLines:
        """Gives what a client keeps; without sound where the voice fails."""
        async with self._making:
            numbers = whom_to_call(lines)
            text = f"{LOST} {numbers}"
            if (made := self._made.get(text)) is None:
                made = _written(lines, text)
                try:
                    lost, call = await self._speak(LOST), await self._speak(numbers)
                    made.pcm = to_pcm(np.concatenate([lost, call]))
                    made.numbers_first_sample = len(lost)
                    made.audio_format.sample_rate_hertz = self._voice.sample_rate_hertz
                    self._made[text] = made
                except EngineError:
                    # It is tried again for the next talk.
                    log.error("the help line for clients without a server could not be spoken")
                whole = made.SerializeToString(deterministic=True)
                made.version = hashlib.sha256(whole).hexdigest()
            return made

    async def _speak(self, text: str) -> Samples:
        sounds = []
        # A sentence at a time: what a person waits for can be spoken in between.
        for sentence in split_sentences(text):
            async with aclosing(self._voice.stream(sentence.strip())) as stream:
                sounds += [sound async for sound in stream]
        return np.concatenate(sounds) if sounds else np.zeros(0, np.float32)


def _written(lines: HelpLines, text: str) -> pb.HelpLines:
    made = pb.HelpLines(country=lines.country, text=text)
    if lines.emergency:
        made.lines.add(name="emergency", number=lines.emergency, emergency=True)
    made.lines.add(name=lines.name, number=lines.number)
    return made
