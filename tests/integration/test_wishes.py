"""What a person can ask for by voice in a talk: rights, a plan, the truth, and to go."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb

from server.answering import GREETING, GREETING_AGAIN
from server.engines import Samples
from server.engines.fake import FakeTextToSpeech, hear_tones
from server.errors import EngineError
from server.safety import DISCLOSURE, LOST, help_lines
from server.scripts.age import QUESTION
from tests.integration.house import Served, Talker, served

HIGH = "I want to kill myself"
SKIP = "skip this one"
PLAN = ("I stop eating", "walking the dog", SKIP, "my sister Jo", "my doctor", SKIP)


@pytest.fixture
async def house() -> AsyncIterator[Served]:
    async with served() as one:
        yield one


async def rows(house: Served) -> dict[str, int]:
    return {name: n for name, n in (await house.store.counts()).items() if n and name != "audit"}


def consents(talker: Talker) -> list[list[int]]:
    return [list(one.consent_receipt.consents) for one in talker.all("consent_receipt")]


async def test_memory_is_given_by_voice_after_one_question_and_taken_back(house: Served) -> None:
    async with house.talk() as talker:
        assert "?" in await talker.ask("Please remember our talk")
        assert consents(talker) == []
        await talker.ask("Yes please")
        assert consents(talker) == [[pb.MEMORY]]
        await talker.ask("I walked to the sea today")
        await talker.until(lambda: talker.all("turn_saved"))
        assert "?" in await talker.ask("Stop remembering me")
        told = await talker.ask("Yes please do")
        assert consents(talker)[-1] == []
        await talker.goodbye()
    assert any(character.isdigit() for character in told)
    assert await rows(house) == {}


async def test_the_camera_is_closed_at_once_at_any_level(house: Served) -> None:
    async with house.talk(pb.CAMERA) as talker:
        await talker.ask(HIGH)
        await talker.ask("Stop watching me")
        assert consents(talker) == [[]]
        assert talker.all("risk")[-1].risk.level == pb.HIGH


@pytest.mark.parametrize("answer", ["Yes please do", "No thank you"])
async def test_everything_is_erased_after_one_question(house: Served, answer: str) -> None:
    async with house.talk(pb.MEMORY) as talker:
        await talker.ask("I walked to the sea today")
        await talker.until(lambda: talker.all("turn_saved"))
        await talker.ask("Delete everything about me")
        assert talker.all("erasure_receipt") == []
        await talker.ask(answer)
        assert len(talker.all("erasure_receipt")) == (answer == "Yes please do")
        await talker.goodbye()
    assert (await rows(house) == {}) == (answer == "Yes please do")


async def test_while_danger_is_near_nothing_is_erased_by_voice(house: Served) -> None:
    async with house.talk(pb.MEMORY) as talker:
        await talker.ask(HIGH)
        await talker.ask("Delete everything about me")
        await talker.ask("Yes please do")
        assert talker.all("erasure_receipt") == []
        await talker.goodbye()
    assert (await rows(house))["turns"] == 6


@pytest.mark.parametrize("before", [(), (HIGH,)])
async def test_it_says_what_it_is_whenever_asked(house: Served, before: tuple[str, ...]) -> None:
    async with house.talk() as talker:
        for words in before:
            await talker.ask(words)
        assert DISCLOSURE in await talker.ask("Are you a real person?")


async def test_goodbye_is_easy_and_names_help_where_danger_is_near(house: Served) -> None:
    async with house.talk(country="GB") as talker:
        assert "?" not in await talker.ask("Good night now")
        await talker.ask(HIGH)
        last = await talker.ask("I have to go now, bye")
        assert help_lines("GB").spoken in last
        assert "?" not in last


async def test_the_age_is_asked_once_after_some_answers_and_told_to_the_client(
    house: Served,
) -> None:
    async with house.talk(minor=None) as talker:
        said = [await talker.ask(words) for words in ("Hello there", "I had soup", "It was nice")]
        assert [QUESTION in one for one in said] == [False, False, True]
        await talker.ask("I am fifteen")
        assert [one.age_noted.minor for one in talker.all("age_noted")] == [True]
        for words in ("I like maths", "And I like drawing", "And I like cats"):
            assert QUESTION not in await talker.ask(words)


async def test_who_needs_help_is_not_asked_for_their_age(house: Served) -> None:
    async with house.talk(minor=None) as talker:
        for words in ("Hello there", "I had soup", HIGH, "It was nice", "And more of it"):
            assert QUESTION not in await talker.ask(words)


async def make_plan(talker: Talker) -> None:
    await talker.ask("Let's make a safety plan")
    for words in PLAN:
        await talker.ask(words)


async def test_a_plan_is_kept_sent_and_there_next_time(house: Served) -> None:
    async with house.talk(pb.MEMORY) as talker:
        await make_plan(talker)
        plan = talker.all("safety_plan")[-1].safety_plan
        assert [step.text for step in plan.steps][3] == "my sister Jo"
        assert len(plan.steps) == 6
        assert all(step.title for step in plan.steps)
        await talker.goodbye()
    async with house.talk(pb.MEMORY) as talker:
        sent = await talker.first("safety_plan")
        assert sent.safety_plan == plan
        assert "sister Jo" in await talker.ask("Who can I call?")


async def test_without_the_consent_a_plan_ends_with_the_talk(house: Served) -> None:
    async with house.talk() as talker:
        await make_plan(talker)
        assert talker.all("safety_plan") == []
        assert "sister Jo" in await talker.ask("Read my plan")
        await talker.goodbye()
    assert await rows(house) == {}


async def test_a_plan_is_dropped_where_memory_is_taken_back(house: Served) -> None:
    async with house.talk(pb.MEMORY) as talker:
        await make_plan(talker)
        await talker.send(consent_change=pb.ConsentChange(revoked=[pb.MEMORY]))
        await talker.until(lambda: not talker.all("safety_plan")[-1].safety_plan.steps)
        await talker.goodbye()
    assert await rows(house) == {}


async def test_danger_in_the_midst_of_an_exercise_comes_first(house: Served) -> None:
    async with house.talk(country="GB") as talker:
        await talker.ask("Help me calm down")
        assert "Samaritans" in await talker.ask(HIGH)


@pytest.mark.parametrize("agreed", [True, False])
async def test_the_level_is_carried_into_the_next_talk_with_consent_only(
    house: Served, agreed: bool
) -> None:
    given = [pb.MEMORY] if agreed else []
    async with house.talk(*given) as talker:
        await talker.ask(HIGH)
        await talker.goodbye()
    async with house.talk(*given, told=timedelta(days=3)) as talker:
        await talker.first("reply_done", turn=0)
        assert talker.reply(0) == (GREETING_AGAIN if agreed else GREETING)
        await talker.ask("I had soup today")
        level = talker.all("risk")[-1].risk.level
    assert level == (pb.HIGH if agreed else pb.NONE)


ABUSE = "My husband hits me every night"


async def test_one_word_turns_the_talk_to_the_weather_until_the_person_is_alone(
    house: Served,
) -> None:
    async with house.talk(country="GB") as talker:
        assert "safe" in await talker.ask(ABUSE)
        for words in ("Nice weather today", "What is that machine", ABUSE):
            said = await talker.ask(words)
            assert "9 9 9" not in said
            assert "safe" not in said
        assert "safe" in await talker.ask("I am alone again")
        # What was noticed meanwhile is answered now.
        assert "9 9 9" in await talker.ask("It was a long day")


async def test_elsewhere_the_weather_is_the_weather(house: Served) -> None:
    async with house.talk() as talker:
        assert "You said" in await talker.ask("What about the weather")


async def test_a_client_gets_the_help_that_it_keeps_once(house: Served) -> None:
    async with house.talk(country="GB") as talker:
        sent = (await talker.first("help_lines")).help_lines
        assert "1 1 6" in sent.text
        assert sent.pcm
        assert [one.number for one in sent.lines] == ["999", "116 123"]
        assert sent.lines[0].emergency
    async with house.talk(country="GB", help_lines_version=sent.version) as talker:
        await talker.ask("I had soup today")
        assert talker.all("help_lines") == []
    async with house.talk(country="US", help_lines_version=sent.version) as talker:
        assert (await talker.first("help_lines")).help_lines.country == "US"


async def test_the_numbers_can_be_played_without_the_word_that_the_server_is_gone(
    house: Served,
) -> None:
    async with house.talk(country="GB") as talker:
        sent = (await talker.first("help_lines")).help_lines
        await talker.goodbye()
    whole = np.frombuffer(sent.pcm, "<i2").astype(np.float32) / 32768
    assert hear_tones(whole[: sent.numbers_first_sample]) == LOST
    numbers = hear_tones(whole[sent.numbers_first_sample :])
    assert numbers.startswith("If you are in danger, call 9 9 9")
    assert sent.text.startswith(LOST)


async def test_the_greeting_does_not_wait_for_the_help_that_is_kept() -> None:
    class Noting(FakeTextToSpeech):
        def __init__(self) -> None:
            self.said: list[str] = []

        async def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
            self.said.append(text)
            await asyncio.sleep(0.01)
            async for sound in super().stream(text, voice):
                yield sound

    voice = Noting()
    async with served(tts=voice) as house, house.talk(country="GB", told=None) as talker:
        await talker.first("help_lines")
        await talker.goodbye()
    greeting = [text for text in voice.said if text in GREETING]
    assert len(greeting) > 1
    assert voice.said[: len(greeting)] == greeting
    assert voice.said[len(greeting)] == LOST


async def test_without_a_voice_the_help_comes_as_text() -> None:
    class Mute(FakeTextToSpeech):
        async def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
            raise EngineError("no voice today")
            yield

    async with served(tts=Mute()) as house, house.talk(country="GB") as talker:
        sent = (await talker.first("help_lines")).help_lines
        assert (sent.pcm, "1 1 6" in sent.text) == (b"", True)


async def test_a_minor_in_danger_hears_of_the_line_for_children(house: Served) -> None:
    lines = help_lines("GB")
    async with house.talk(country="GB", minor=None) as talker:
        assert lines.children_spoken in await talker.ask("I am fifteen and I want to kill myself")
        assert [one.age_noted.minor for one in talker.all("age_noted")] == [True]
    async with house.talk(country="GB", minor=True) as talker:
        assert lines.children_spoken in await talker.ask(HIGH)
