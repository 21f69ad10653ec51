"""Three talks from files on the real small models: a pause bridged, a barge-in, a backchannel."""

from pathlib import Path
from typing import Any

from tests.acceptance.house import House, Talk, recording, talk

GREETING_S = 7.5
"""The person waits for as long as the greeting takes."""
PROMPT = "Tell me a long story about a garden."
INTO_REPLY_S = 2.6
"""From the last word of the prompt: the reply has sounded for more than a second by then."""


def finals(done: Talk) -> list[tuple[int, int]]:
    """Lists turn and revision of what was finally understood."""
    return [(one["turn"], one["revision"]) for one in done.of("transcript") if one["final"]]


def actions(done: Talk, event: str) -> list[str]:
    return [one["action"] for one in done.of(event) if one["t"] > GREETING_S]


def ends(done: Talk, turn: int) -> dict[str, Any]:
    """What the client told of a reply when it had ended."""
    (end,) = [one for one in done.of("played") if one["turn"] == turn and one["finished"]]
    return end


async def test_a_pause_of_a_second_and_a_half_is_bridged(house: House, tmp_path: Path) -> None:
    parts = [GREETING_S, "I have been feeling low because", 1.5, "of the noise at night.", 0.5]
    microphone = await recording(tmp_path / "pause.wav", *parts)
    done = talk(["--server", house.address], microphone, tmp_path)
    assert finals(done) == [(1, 0)]
    assert "low" in done.words
    assert "noise" in done.words
    replies = [one["t"] for one in done.of("reply_text") if one["turn"] == 1]
    assert min(replies) >= done.of("transcript")[-1]["t"]


async def test_a_barge_in_stops_the_reply_and_is_answered(house: House, tmp_path: Path) -> None:
    parts = [GREETING_S, PROMPT, INTO_REPLY_S, "Stop, please. I want to talk about my sister.", 0.5]
    microphone = await recording(tmp_path / "barge-in.wav", *parts)
    done = talk(["--server", house.address], microphone, tmp_path)
    assert finals(done) == [(1, 0), (2, 0)]
    assert "sister" in done.words
    assert actions(done, "barge_in")[:2] == ["duck", "hold"]
    assert actions(done, "speaker")[-1] == "stop"
    whole = next(one for one in done.of("reply_done") if one["turn"] == 1)["sample_count"]
    assert ends(done, 1)["sample_count"] < whole
    assert done.reply(2)


async def test_a_backchannel_is_ignored(house: House, tmp_path: Path) -> None:
    parts = [GREETING_S, PROMPT, INTO_REPLY_S, "I see.", 0.5]
    microphone = await recording(tmp_path / "backchannel.wav", *parts)
    done = talk(["--server", house.address], microphone, tmp_path)
    assert finals(done) == [(1, 0)]
    assert actions(done, "barge_in")[0] == "duck"
    assert "stop" not in actions(done, "speaker")
    whole = done.of("reply_done")[-1]["sample_count"]
    assert ends(done, 1)["sample_count"] == whole
