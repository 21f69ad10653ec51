"""The moments that the law asks about leave a line in the audit, and never stop a talk."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from tadbot.v1 import companion_pb2 as pb

from server.consent import Keeper
from server.engines import Engines
from server.engines.fake import (
    FakeLanguageModel,
    FakeSpeechToText,
    FakeTextToSpeech,
    FakeVoiceActivity,
)
from server.errors import StoreError
from server.outbox import Outbox
from server.reply import Reply
from server.safety import Assessment
from server.session_log import SessionLog
from server.speaking import Saying
from server.store import (
    CLAUSE_REPLACED,
    CODES,
    CONSENT_GIVEN,
    CONSENT_TAKEN_BACK,
    DISCLOSED,
    EMOTION_LOG,
    ERASED,
    HELPED,
    MEMORY,
    RISK,
    Session,
)
from server.store.in_memory import InMemoryStore
from server.turns import Said

NOW = datetime.now(UTC)


class Away(InMemoryStore):
    """A store whose audit can be away."""

    away = False

    async def audit(self, code: str, level: str, at: datetime, session_id: UUID | None) -> None:
        if self.away:
            raise StoreError
        await super().audit(code, level, at, session_id)


@dataclass
class Talk:
    """A log over a store, and the person's side of it."""

    log: SessionLog
    store: Away
    session: Session

    async def say(self, words: str, level: str, turn: int = 1) -> None:
        said = Said(turn, words, assessment=Assessment(level, "plan"))
        await self.log.person(said, NOW)

    async def lines(self) -> dict[tuple[str, str], int]:
        """Ends the talk and counts the lines of the audit by code and level."""
        await self.log.close("")
        return {(one.code, one.level): one.count for one in await self.store.audit_counts()}


async def a_talk(*consents: str) -> Talk:
    async def send(response: pb.ConverseResponse) -> None:
        pass

    store, session = Away(), Session(uuid4(), NOW, person="anna")
    keeper = Keeper(store, session, consents)
    await keeper.open()
    return Talk(SessionLog(keeper, session.id, Outbox(send)), store, session)


async def _send(**event: object) -> None:
    pass


def a_saying() -> Saying:
    engines = Engines(
        FakeVoiceActivity(), FakeSpeechToText(), None, FakeLanguageModel(), FakeTextToSpeech(), None
    )
    return Saying(1, Reply(engines, _send))


async def test_the_codes_are_those_that_old_lines_have() -> None:
    assert CODES == (
        "risk", "helped", "clause_replaced", "disclosed", "consent_given", "consent_taken_back",
        "erased",
    )  # fmt: skip


@pytest.mark.parametrize("consents", [(), (MEMORY,)])
async def test_danger_and_help_are_noted_with_their_level(consents: tuple[str, ...]) -> None:
    talk = await a_talk(*consents)
    await talk.say("words", "high")
    talk.log.helped("high")
    talk.log.helped("imminent")
    assert await talk.lines() == {(RISK, "high"): 1, (HELPED, "high"): 1, (HELPED, "imminent"): 1}


async def test_each_replaced_clause_is_noted() -> None:
    talk = await a_talk()
    for count in (0, 2, 1):
        talk.log.clause_replaced(count)
    assert await talk.lines() == {(CLAUSE_REPLACED, "none"): 3}


async def test_a_disclosure_is_noted_once_for_each_reply_that_was_heard() -> None:
    talk = await a_talk()
    first, second = a_saying(), a_saying()
    for saying in (first, first, second, first):
        talk.log.disclosed(saying)
    assert await talk.lines() == {(DISCLOSED, "none"): 2}


async def test_a_consent_given_and_taken_back_is_noted() -> None:
    talk = await a_talk()
    await talk.log.consent(MEMORY, granted=True)
    await talk.log.consent(MEMORY, granted=True)
    await talk.log.consent("camera", granted=True)
    await talk.log.consent("camera", granted=False)
    assert await talk.lines() == {(CONSENT_GIVEN, "none"): 2, (CONSENT_TAKEN_BACK, "none"): 1}


async def test_a_consent_taken_back_that_erases_is_an_erasure_too() -> None:
    talk = await a_talk(MEMORY, EMOTION_LOG)
    assert await talk.log.consent(MEMORY, granted=False) == 0
    assert await talk.log.consent(EMOTION_LOG, granted=False) > 0
    assert await talk.lines() == {(CONSENT_TAKEN_BACK, "none"): 2, (ERASED, "none"): 1}


async def test_an_erasure_is_noted_without_a_name() -> None:
    talk = await a_talk(MEMORY)
    await talk.say("words", "none")
    assert (await talk.log.forget_span(None, None)).erased_rows == 1
    receipt = await talk.log.forget_person()
    assert (receipt.erased_rows > 0, receipt.remains) == (True, "")
    assert await talk.lines() == {(ERASED, "none"): 2}
    assert {name for name, count in (await talk.store.counts()).items() if count} == {"audit"}


async def test_an_audit_that_fails_stops_neither_the_talk_nor_its_end() -> None:
    talk = await a_talk(MEMORY)
    talk.store.away = True
    await talk.say("words", "imminent")
    talk.log.helped("imminent")
    talk.log.clause_replaced(1)
    talk.log.disclosed(a_saying())
    await talk.log.consent(EMOTION_LOG, granted=True)
    await talk.log.forget_person()
    assert await talk.lines() == {}


async def test_a_line_that_could_not_be_written_is_written_later() -> None:
    talk = await a_talk()
    talk.store.away = True
    await talk.say("words", "concern")
    talk.log.helped("high")
    with pytest.raises(StoreError):
        await talk.log.forget_span(None, None)
    talk.store.away = False
    talk.log.clause_replaced(1)
    assert await talk.lines() == {
        (CLAUSE_REPLACED, "none"): 1,
        (HELPED, "high"): 1,
        (RISK, "concern"): 1,
    }
