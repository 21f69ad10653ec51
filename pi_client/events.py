"""Writes what happens as JSON, a line an event; it does not know what the events mean."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from tadbot.v1 import companion_pb2 as pb

from pi_client.errors import ClientError

# Times are told to a tenth of a millisecond.
_DIGITS = 4
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class Events:
    """Writes one line for each response, and for what the client itself does.

    clock: seconds since `open`. path: None writes nothing. Only the owner may read the file,
    for it holds the person's words.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._file: TextIO | None = None
        self._reply_rate_hertz = 0
        if path is not None:
            try:
                self._file = os.fdopen(os.open(path, _FLAGS, 0o600), "w", encoding="utf-8")
            except OSError as error:
                raise ClientError(
                    f"The events cannot be written to {path} ({error.strerror}); "
                    "name another place."
                ) from error

    def saw(self, response: pb.ConverseResponse) -> None:
        """Writes a response under the name that it has in the contract."""
        name = response.WhichOneof("event")
        if self._file is None or name is None:
            return
        fields = as_fields(getattr(response, name))
        if name == "opened":
            self._reply_rate_hertz = response.opened.reply_format.sample_rate_hertz
        if name == "reply_audio" and self._reply_rate_hertz:
            samples = len(response.reply_audio.pcm) // 2
            fields["seconds"] = round(samples / self._reply_rate_hertz, _DIGITS)
        place = {
            "turn": response.turn,
            "revision": response.revision,
            "sequence": response.sequence,
        }
        self._write(name, {**place, **fields})

    def played(self, turn: int, sample_count: int, finished: bool) -> None:
        """Writes how much of a reply was heard, as the server is told."""
        self._write("played", {"turn": turn, "sample_count": sample_count, "finished": finished})

    def barge_in(self, action: str, sample: int) -> None:
        """Writes what the client did by itself, because the person spoke or was quiet again.

        action: "duck", "hold" or "resume". sample: of the microphone, heard by then; the place
        in a speaker's file from which it stands there. What the server tells the speaker to do
        is written as `speaker`.
        """
        self._write("barge_in", {"action": action, "sample": sample})

    def server_lost(self, level: pb.RiskLevel.ValueType) -> None:
        """Writes that the server went in the middle of the talk. level: the last of this talk."""
        self._write("server_lost", {"level": pb.RiskLevel.Name(level).lower()})

    def help_line_played(self, cause: str, seconds: float) -> None:
        """Writes that the kept help line begins.

        cause: "key" or "server_lost". seconds: how long it is; 0.0 is one that is only shown.
        """
        self._write("help_line_played", {"cause": cause, "seconds": round(seconds, _DIGITS)})

    def close(self) -> None:
        """Ends the file. Closing twice is not an error."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, name: str, fields: dict[str, Any]) -> None:
        if self._file is not None:
            line = {"t": round(self._clock(), _DIGITS), "event": name, **fields}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()


def as_fields(message: Message) -> dict[str, Any]:
    """Turns a message into what JSON can hold.

    Enums become their names in lower case, durations seconds, timestamps RFC 3339; bytes
    become `bytes`, their length. Fields that can be absent and are, are left out.
    """
    fields: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        if field.type == FieldDescriptor.TYPE_BYTES:
            fields["bytes"] = len(value)
        elif field.is_repeated:
            fields[field.name] = [_as_value(field, item) for item in value]
        else:
            fields[field.name] = _as_value(field, value)
    return fields


def _as_value(field: Any, value: Any) -> Any:
    if isinstance(value, Duration):
        return round(value.ToTimedelta().total_seconds(), 6)
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Message):
        return as_fields(value)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name.lower() if known is not None else value
    if isinstance(value, float):
        # A float of the contract has seven digits; Python would print sixteen.
        return float(f"{value:.7g}")
    return value
