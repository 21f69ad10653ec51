"""Talks on the real small models: one engine speaks, the other listens."""

from pathlib import Path

import jiwer
import pytest

from server import models
from server.config import Settings
from server.engines import SAMPLE_RATE_HERTZ
from server.engines.loading import load_engine
from server.sound import read_sound
from tests.acceptance.house import House, plain, recording, served, talk

WORST_WER = 0.10
"""The word error rate that a hearer of clear speech may have."""


async def _hear(file: Path) -> str:
    engine = load_engine("stt", Settings())
    recognition = engine.open()
    await recognition.feed(read_sound(file, SAMPLE_RATE_HERTZ))
    heard = await recognition.settle()
    await engine.close()
    return str(heard.text)


async def test_a_question_is_heard_seen_answered_and_logged(house: House, tmp_path: Path) -> None:
    said = "I had a really long day, and I miss my sister Anna."
    microphone = await recording(tmp_path / "question.wav", 7.5, said, 0.5)
    face = models.path_of("demo-face")
    consents = ["--consent", "camera,memory,emotion-log"]
    done = talk(["--server", house.address], microphone, tmp_path, "--camera", str(face), *consents)

    assert jiwer.wer(plain(said), plain(done.words)) <= WORST_WER
    session = done.of("opened")[0]["session_id"]
    turn = done.of("transcript")[-1]["turn"]
    spoken = f"{done.reply(0)} {done.reply(turn)}"
    assert "not a therapist" in done.reply(0)
    assert jiwer.wer(plain(spoken), plain(await _hear(done.speaker))) <= 0.25

    latency = done.of("turn_latency")[0]
    stages = ("end_of_turn", "speech_to_text", "recall", "first_clause", "text_to_speech")
    assert all(latency[stage] > 0 for stage in stages)
    assert latency["first_sound"] > latency["end_of_turn"]
    assert done.of("turn_saved")

    rows = house.sql(f"select * from session_log where session_id = '{session}' order by turn")
    person = [row for row in rows if row["speaker"] == "person"]
    tadbot = [row for row in rows if row["speaker"] == "tadbot" and row["turn"] == turn]
    assert [row["text"] for row in person] == [done.words]
    assert person[0]["emotion"] == "happiness"
    assert tadbot[0]["text"] == done.reply(turn).strip()
    assert tadbot[0]["heard_fraction"] == pytest.approx(1)
    feelings = house.sql(f"select label from emotion_timeline where session_id = '{session}'")
    assert {row["label"] for row in feelings} == {"happiness"}
    times = house.sql(f"select * from latency_log where session_id = '{session}'")
    assert times[0]["first_sound_ms"] == pytest.approx(1000 * latency["first_sound"], abs=1)
    assert times[0]["prompt_tokens"] == latency["prompt_tokens"]
    assert 0 < times[0]["cached_tokens"] < times[0]["prompt_tokens"]


async def test_danger_gets_the_help_line_of_the_country(house: House, tmp_path: Path) -> None:
    microphone = await recording(tmp_path / "danger.wav", 0.5, "I want to kill myself.", 0.5)
    words = ["--country", "GB", "--consent", "memory"]
    done = talk(["--server", house.address], microphone, tmp_path, *words)

    turn = done.of("risk")[0]["turn"]
    assert done.of("risk")[0]["level"] == "high"
    assert "Samaritans" in done.reply(turn)
    assert "Samaritans" in await _hear(done.speaker)
    session = done.of("opened")[0]["session_id"]
    events = house.sql(f"select level, said from risk_events where session_id = '{session}'")
    assert events == [{"level": "high", "said": done.words}]


async def test_without_consent_nothing_is_left(house: House, tmp_path: Path) -> None:
    microphone = await recording(tmp_path / "secret.wav", 0.5, "Nobody may know this.", 0.5)
    face = models.path_of("demo-face")
    where = ["--server", house.address]
    done = talk(where, microphone, tmp_path, "--camera", str(face), "--consent", "camera")

    session = done.of("opened")[0]["session_id"]
    assert done.words
    assert done.of("emotion")
    for view in ("session_log", "emotion_timeline", "session_summary", "latency_log"):
        assert house.sql(f"select * from {view} where session_id = '{session}'") == []


async def test_speech_over_a_reply_stops_it(tmp_path: Path) -> None:
    first, second = "Tell me something about the sea.", "No, wait, tell me about the woods."
    microphone = await recording(tmp_path / "interruption.wav", 0.5, first, 4.5, second, 0.5)
    words = ["--consent", "memory"]
    # A house of its own: where danger was near before, it would speak in writing.
    with served(tmp_path / "data") as house:
        done = talk(["--server", house.address], microphone, tmp_path, *words)

        session = done.of("opened")[0]["session_id"]
        spoken = {one["turn"]: one for one in done.of("reply_done")}
        assert max(spoken) >= 2
        assert any(one["action"] == "stop" and one["turn"] == 2 for one in done.of("speaker"))
        rows = house.sql(
            f"select heard_fraction from session_log where session_id = '{session}'"
            " and turn = 1 and speaker = 'tadbot'"
        )
        assert 0 < rows[0]["heard_fraction"] < 1
