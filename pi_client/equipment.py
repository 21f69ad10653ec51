"""What one talk hears, speaks and sees with, opened as the person named it."""

import logging
from contextlib import ExitStack, closing
from dataclasses import dataclass

from pi_client.config import Options
from pi_client.echo import EchoPath
from pi_client.help_key import HelpKey
from pi_client.microphone import Microphone, is_sound_file, open_microphone
from pi_client.playout import Playout
from pi_client.rights import Rights
from pi_client.sight import Sight
from pi_client.speaker import Speaker, open_speaker

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Devices:
    """What a talk hears, speaks and sees with, and the key that asks for help."""

    microphone: Microphone
    playout: Playout
    speaker: Speaker
    sight: Sight
    help_key: HelpKey | None = None


def open_devices(options: Options, rights: Rights, stack: ExitStack) -> Devices:
    """Opens what the person named and agreed to; `stack` closes it.

    Raises ClientError if something cannot be opened; no server knows of it by then.
    """
    help_key = stack.enter_context(closing(HelpKey()))
    live = not is_sound_file(options.microphone)
    audible = options.speaker != "none" and not is_sound_file(options.speaker)
    echo = EchoPath() if live and audible else None
    playout = Playout()
    microphone = stack.enter_context(closing(open_microphone(options.microphone, echo)))
    speaker = stack.enter_context(closing(open_speaker(options.speaker, playout, echo)))
    sight = stack.enter_context(closing(Sight(options.camera)))
    if "camera" in rights.consents:
        sight.open()
    elif options.camera != "none":
        _log.warning(
            "The camera stays closed until you agree, by voice or with `--consent camera`."
        )
    return Devices(microphone, playout, speaker, sight, help_key)
