"""What several services check in a request; it knows no engine."""

import re

from tadbot.v1 import companion_pb2, sound_pb2

from server.conversation import FARTHEST
from server.engines import SAMPLE_RATE_HERTZ
from server.errors import RequestError
from server.rights import CONSENTS

_DEVICE = re.compile(r"[a-z0-9-]{1,63}")
_COUNTRY = re.compile(r"([A-Za-z]{2})?")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?")
_SHORT = 64
"""Characters of the free fields of `open`."""


def check_format(audio_format: sound_pb2.AudioFormat) -> None:
    """Raises RequestError unless the sound is 16 kHz."""
    rate = audio_format.sample_rate_hertz
    if rate != SAMPLE_RATE_HERTZ:
        raise RequestError(
            "SAMPLE_RATE", f"The sound has {rate} Hz; the server hears {SAMPLE_RATE_HERTZ} Hz."
        )


def check_open(opening: companion_pb2.Open) -> None:
    """Raises RequestError if a field of a conversation's `open` breaks its limits."""
    check_format(opening.audio_format)
    if not _DEVICE.fullmatch(opening.device_id):
        raise RequestError("DEVICE_ID", "`device_id` is not 1 to 63 of a-z, 0-9 and -.")
    if not _COUNTRY.fullmatch(opening.country):
        raise RequestError("COUNTRY", "`country` is not an ISO 3166-1 alpha-2 code.")
    if not _LANGUAGE.fullmatch(opening.language):
        raise RequestError("LANGUAGE", "`language` is not a BCP 47 tag.")
    if max(len(opening.time_zone), len(opening.client_version)) > _SHORT:
        raise RequestError("FIELD_TOO_LONG", f"A field of `open` has over {_SHORT} characters.")
    if not CONSENTS.keys() >= {*opening.consents}:
        raise RequestError("CONSENT", "A consent is not set, or unknown.")
    if opening.resume.sample_count > FARTHEST:
        raise RequestError("FIRST_SAMPLE", "The `sample_count` to resume from is out of range.")
    try:
        opening.last_disclosure.ToDatetime()
    except (ValueError, OverflowError) as error:
        raise RequestError("LAST_DISCLOSURE", "`last_disclosure` is out of range.") from error
