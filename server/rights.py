"""What a person may change in mid-talk about what is kept: consents, erasures, a plan, their age.

They ask through the contract or by voice, and get receipts; it does not know how rows are kept.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tadbot.v1 import companion_pb2 as pb

from server.consent import Keeper
from server.errors import RequestError, StoreError
from server.outbox import Outbox
from server.scripts import STEPS, Age, Consents, Erase, Keep, Plan, Stop, Wish
from server.session_log import SessionLog
from server.store import MEMORY

CONSENTS: dict[pb.Consent.ValueType, str] = {
    pb.CAMERA: "camera",
    pb.MEMORY: "memory",
    pb.EMOTION_LOG: "emotion-log",
    pb.SHARE: "share",
}
"""The contract's consents by the names that the Keeper knows."""


class Rights:
    """The wishes of one person. minor: whether they said that they are one; None: not known."""

    def __init__(
        self, keeper: Keeper, log: SessionLog, outbox: Outbox, may_see: bool, minor: bool | None
    ) -> None:
        self._keeper = keeper
        self._log = log
        self._outbox = outbox
        self.may_see = may_see
        """Whether the camera may be looked through."""
        self.minor = minor
        self.plan = Plan()
        """The safety plan, kept or not."""

    @property
    def consents(self) -> frozenset[str]:
        """What is agreed to now, by the names of `CONSENTS`."""
        return self._log.consents | ({"camera"} if self.may_see else set())

    async def open(self) -> None:
        """Reads what is kept of the person, and sends the plan to who keeps it for them."""
        try:
            self.plan = Plan(await self._keeper.plan())
        except StoreError:
            await self._outbox.notice(0, "STORE_FAILED", "The safety plan was not read.")
            return
        if self.plan:
            await self._send_plan(0)

    async def fulfil(self, turn: int, wish: Wish) -> int | None:
        """Does what was asked for by voice.

        Returns how many rows that erased; None where the database failed.
        """
        now = datetime.now(UTC)
        try:
            match wish:
                case Consents(granted, revoked):
                    return await self._change(turn, granted, revoked)
                case Erase(None):
                    return await self._erase_everything(turn)
                case Erase(float() | int() as newest_s):
                    receipt = await self._log.forget_span(now - timedelta(seconds=newest_s), None)
                    await self._outbox.put(turn, erasure_receipt=receipt)
                    return receipt.erased_rows
                case Age(minor):
                    self.minor = minor
                    await self._keeper.keep_minor(minor)
                    await self._outbox.put(turn, age_noted=pb.AgeNoted(minor=minor))
                case Keep(plan):
                    self.plan = plan
                    await self._keep_plan(turn)
                case Stop():
                    pass
        except StoreError:
            await self._outbox.notice(turn, "STORE_FAILED", "A wish was not written.")
            return None
        return 0

    async def change_consents(self, turn: int, change: pb.ConsentChange) -> None:
        """Gives consents or takes them back, and sends the receipt."""
        if not CONSENTS.keys() >= {*change.granted, *change.revoked}:
            raise RequestError("CONSENT", "A consent is not set, or unknown.")
        granted = [CONSENTS[one] for one in change.granted]
        revoked = [CONSENTS[one] for one in change.revoked]
        try:
            await self._change(turn, granted, revoked)
        except StoreError:
            await self._outbox.notice(turn, "STORE_FAILED", "A consent was not written.")

    async def _change(self, turn: int, granted: Iterable[str], revoked: Iterable[str]) -> int:
        """Follows a change, and tells of it, even if the database fails."""
        granted, revoked = set(granted), set(revoked)
        if "camera" in granted | revoked:
            self.may_see = "camera" in granted
        erased = 0
        try:
            for name in sorted(revoked):
                erased += await self._log.consent(name, granted=False)
            for name in sorted(granted):
                await self._log.consent(name, granted=True)
            if MEMORY in granted and self.plan:
                await self._keep_plan(turn)
            if MEMORY in revoked and self.plan:
                self.plan = Plan()
                await self._send_plan(turn)
        finally:
            held = [key for key, name in CONSENTS.items() if name in self.consents]
            receipt = pb.ConsentReceipt(consents=sorted(held), erased_rows=erased)
            await self._outbox.put(turn, consent_receipt=receipt)
        return erased

    async def _erase_everything(self, turn: int) -> int:
        receipt = await self._log.forget_person()
        await self._outbox.put(turn, erasure_receipt=receipt)
        self.plan = Plan()
        await self._send_plan(turn)
        return receipt.erased_rows

    async def _keep_plan(self, turn: int) -> None:
        await self._keeper.keep_plan(self.plan.texts, datetime.now(UTC))
        if self._keeper.keeps(MEMORY):
            await self._send_plan(turn)

    async def _send_plan(self, turn: int) -> None:
        """Sends the plan; without steps the client drops its own."""
        steps = zip(STEPS, self.plan.texts, strict=True) if self.plan else ()
        made = [pb.SafetyPlan.Step(title=title, text=text) for title, text in steps]
        await self._outbox.put(turn, safety_plan=pb.SafetyPlan(steps=made))

    async def erase(self, turn: int, erase: pb.Erase) -> bool:
        """Erases what is kept, and sends the receipt; returns whether it was everything."""
        match erase.WhichOneof("target"):
            case "span":
                receipt = await self._log.forget_span(*_bounds(erase.span))
            case "everything" if erase.everything:
                await self._erase_everything(turn)
                return True
            case "topic":
                sentence = "Erasing by topic is not offered yet."
                await self._outbox.notice(turn, "ERASE_UNSUPPORTED", sentence)
                return False
            case _:
                raise RequestError("ERASE", "`erase` names nothing to erase.")
        await self._outbox.put(turn, erasure_receipt=receipt)
        return False


def _bounds(span: pb.Erase.Span) -> tuple[datetime | None, datetime | None]:
    try:
        begin = span.start_time.ToDatetime(UTC) if span.HasField("start_time") else None
        end = span.end_time.ToDatetime(UTC) if span.HasField("end_time") else None
    except (ValueError, OverflowError) as error:
        raise RequestError("ERASE", "A time of the span to erase is out of range.") from error
    return begin, end
