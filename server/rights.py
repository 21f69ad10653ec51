"""What a person may change in mid-talk about what is kept: consents and erasures.

It reads the contract's wishes and answers with receipts; it does not know how rows are kept.
"""

from datetime import UTC, datetime

from tadbot.v1 import companion_pb2 as pb

from server.errors import RequestError, StoreError
from server.outbox import Outbox
from server.session_log import SessionLog

CONSENTS: dict[pb.Consent.ValueType, str] = {
    pb.CAMERA: "camera",
    pb.MEMORY: "memory",
    pb.EMOTION_LOG: "emotion-log",
    pb.SHARE: "share",
}
"""The contract's consents by the names that the Keeper knows."""


class Rights:
    """The wishes of one person."""

    def __init__(self, log: SessionLog, outbox: Outbox, may_see: bool) -> None:
        self._log = log
        self._outbox = outbox
        self.may_see = may_see
        """Whether the camera may be looked through."""

    async def change_consents(self, turn: int, change: pb.ConsentChange) -> None:
        """Gives consents or takes them back, and sends the receipt."""
        if not CONSENTS.keys() >= {*change.granted, *change.revoked}:
            raise RequestError("CONSENT", "A consent is not set, or unknown.")
        erased = 0
        try:
            for consent in change.revoked:
                erased += await self._log.consent(CONSENTS[consent], granted=False)
            for consent in change.granted:
                await self._log.consent(CONSENTS[consent], granted=True)
        except StoreError:
            await self._outbox.notice(turn, "STORE_FAILED", "A consent was not written.")
        if pb.CAMERA in (*change.granted, *change.revoked):
            self.may_see = pb.CAMERA in change.granted
        held = [key for key, name in CONSENTS.items() if name in self._log.consents]
        if self.may_see:
            held.append(pb.CAMERA)
        receipt = pb.ConsentReceipt(consents=sorted(held), erased_rows=erased)
        await self._outbox.put(turn, consent_receipt=receipt)

    async def erase(self, turn: int, erase: pb.Erase) -> bool:
        """Erases what is kept, and sends the receipt; returns whether it was everything."""
        everything = False
        match erase.WhichOneof("target"):
            case "span":
                receipt = await self._log.forget_span(*_bounds(erase.span))
            case "everything" if erase.everything:
                receipt = await self._log.forget_person()
                everything = True
            case "topic":
                sentence = "Erasing by topic is not offered yet."
                await self._outbox.notice(turn, "ERASE_UNSUPPORTED", sentence)
                return False
            case _:
                raise RequestError("ERASE", "`erase` names nothing to erase.")
        await self._outbox.put(turn, erasure_receipt=receipt)
        return everything


def _bounds(span: pb.Erase.Span) -> tuple[datetime | None, datetime | None]:
    try:
        begin = span.start_time.ToDatetime(UTC) if span.HasField("start_time") else None
        end = span.end_time.ToDatetime(UTC) if span.HasField("end_time") else None
    except (ValueError, OverflowError) as error:
        raise RequestError("ERASE", "A time of the span to erase is out of range.") from error
    return begin, end
