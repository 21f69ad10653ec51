"""The first message of a talk: what the client says of itself and its person."""

from datetime import UTC, datetime

from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client import state
from pi_client.config import Options
from pi_client.rights import Rights
from pi_client.sound import SAMPLE_RATE_HERTZ

_PACES = {
    "": pb.Open.PACE_UNSPECIFIED,
    "slow": pb.Open.SLOW,
    "normal": pb.Open.NORMAL,
    "quick": pb.Open.QUICK,
}


def opening(options: Options, rights: Rights, help_version: str) -> pb.Open:
    """Makes an `open`. help_version: which help lines are kept here; "": none."""
    made = pb.Open(
        device_id=state.device_id(),
        audio_format=sound_pb2.AudioFormat(sample_rate_hertz=SAMPLE_RATE_HERTZ),
        country=options.country,
        language=options.language,
        time_zone=state.time_zone(),
        pace=_PACES[options.pace],
        client_version=state.client_version(),
        help_lines_version=help_version,
    )
    rights.tell(made)
    day = state.read_last_disclosure()
    if day is not None:
        made.last_disclosure.FromDatetime(datetime(day.year, day.month, day.day, tzinfo=UTC))
    return made
