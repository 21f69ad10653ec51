"""Events as JSON, a line each."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import emotion_recognition_pb2, sound_pb2

from pi_client.errors import ClientError
from pi_client.events import Events, as_fields


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_event_of_the_contract_is_written_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    events = Events(path, lambda: 1.5)
    names = [field.name for field in pb.ConverseResponse.DESCRIPTOR.oneofs_by_name["event"].fields]
    for number, name in enumerate(names, 1):
        response = pb.ConverseResponse(sequence=number, turn=2, revision=1)
        getattr(response, name).SetInParent()
        events.saw(response)
    written = lines(path)
    assert [line["event"] for line in written] == names
    assert [line["sequence"] for line in written] == list(range(1, len(names) + 1))
    assert all((line["t"], line["turn"], line["revision"]) == (1.5, 2, 1) for line in written)
    assert path.stat().st_mode & 0o077 == 0
    events.close()


def test_a_line_can_be_read_before_the_file_is_closed(tmp_path: Path) -> None:
    events = Events(tmp_path / "e.jsonl", lambda: 0.0)
    events.played(3, 4410, finished=True)
    assert lines(tmp_path / "e.jsonl") == [
        {"t": 0.0, "event": "played", "turn": 3, "sample_count": 4410, "finished": True}
    ]
    events.close()


def test_what_the_client_does_by_itself_has_a_name_of_its_own(tmp_path: Path) -> None:
    events = Events(tmp_path / "e.jsonl", lambda: 2.0)
    events.barge_in("duck", 32768)
    assert lines(tmp_path / "e.jsonl") == [
        {"t": 2.0, "event": "barge_in", "action": "duck", "sample": 32768}
    ]
    assert "barge_in" not in pb.ConverseResponse.DESCRIPTOR.fields_by_name
    events.close()


def test_values_become_what_json_can_hold() -> None:
    emotion = emotion_recognition_pb2.Emotion(face_condition=1)
    emotion.scores.add(label=3, probability=0.62)
    emotion.capture_offset.FromTimedelta(timedelta(seconds=2.25))
    assert as_fields(emotion) == {
        "capture_offset": 2.25,
        "scores": [{"label": "sadness", "probability": 0.62}],
        "face_condition": "one_face",
    }
    latency = pb.TurnLatency()
    latency.first_sound.FromMilliseconds(731)
    assert as_fields(latency) == {"first_sound": 0.731}
    assert as_fields(pb.Risk(level=pb.HIGH, reason="plan")) == {"level": "high", "reason": "plan"}
    receipt = pb.ConsentReceipt(consents=[pb.CAMERA, pb.EMOTION_LOG])
    assert as_fields(receipt)["consents"] == ["camera", "emotion_log"]


def test_sound_is_told_by_its_length(tmp_path: Path) -> None:
    events = Events(tmp_path / "e.jsonl", lambda: 0.0)
    opened = pb.Opened(reply_format=sound_pb2.AudioFormat(sample_rate_hertz=16000))
    events.saw(pb.ConverseResponse(opened=opened))
    audio = sound_pb2.AudioChunk(first_sample=1600, pcm=bytes(3200))
    events.saw(pb.ConverseResponse(turn=1, reply_audio=audio))
    line = lines(tmp_path / "e.jsonl")[1]
    assert (line["first_sample"], line["seconds"], line["bytes"]) == (1600, 0.1, 3200)
    assert "pcm" not in line
    events.close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="cannot be written"):
        Events(tmp_path / "none" / "e.jsonl", lambda: 0.0)
