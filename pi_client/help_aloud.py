"""`tadbot-pi help-line`: shows and says the help line that is kept, without any server."""

import logging
import time
from contextlib import closing

import numpy as np

from pi_client.errors import ClientError
from pi_client.help import Help
from pi_client.playout import Playout
from pi_client.sound import BLOCK_S, BLOCK_SAMPLES, Samples, silence
from pi_client.speaker import open_speaker

_log = logging.getLogger(__name__)

# What a sound card holds when it is closed is not heard any more.
_AFTER_S = 0.4
# A sound card that takes nothing is waited for so long beyond the line itself.
_LATE_S = 5.0


def help_aloud(speaker: str) -> None:
    """Shows whom to call, and says it where it is kept as sound. speaker: as `--speaker`.

    Where it cannot be said it was shown, which a warning tells.
    """
    kept = Help()
    print(kept.numbers, flush=True)
    sound = kept.sound(kept.sample_rate_hertz, only_numbers=True)
    if not len(sound) or speaker == "none":
        return
    try:
        _play(sound, kept.sample_rate_hertz, speaker)
    except ClientError as error:
        _log.warning("%s The help line can only be read.", error)


def _play(sound: Samples, sample_rate_hertz: int, name: str) -> None:
    playout = Playout()
    playout.sample_rate_hertz = sample_rate_hertz
    playout.say(np.concatenate([sound, silence(round(_AFTER_S * sample_rate_hertz))]))
    blocks = round((len(sound) / sample_rate_hertz + _LATE_S) / BLOCK_S)
    with closing(open_speaker(name, playout, None)) as speaker:
        speaker.start()
        for block in range(blocks):
            # A file has no clock of its own; a sound card has, and takes no notice.
            speaker.advance(block * BLOCK_SAMPLES)
            if not playout.saying:
                return
            time.sleep(BLOCK_S)
