"""Companion: whole conversations, and what the server says of itself."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import grpc
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import companion_pb2_grpc

from server.consent import Keeper
from server.conversation import Conversation, Shared
from server.errors import ClientGoneError, RequestError, SessionUnknownError, TadbotError
from server.kept_help import KeptHelp
from server.rights import CONSENTS
from server.safety import help_lines
from server.scripts.reminders import OF_DAYS
from server.service.errors import abort
from server.service.house import House
from server.service.requests import check_open
from server.store import Session
from server.turns import Guest

log = logging.getLogger("tadbot.service")

PACES = {
    pb.Open.PACE_UNSPECIFIED: "normal",
    pb.Open.SLOW: "slow",
    pb.Open.NORMAL: "normal",
    pb.Open.QUICK: "quick",
}
PERSON = "local"
"""Whoever talks on loopback or a unix socket."""
WRITE_TIMEOUT_S = 20.0
"""Longest that a response waits for a client which reads nothing."""


class CompanionService(companion_pb2_grpc.CompanionServicer):
    """Serves conversations, as many at a time as there are seats."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._shared = Shared(house.engines, house.settings, KeptHelp(house.engines.tts))
        self._talks = 0

    async def Converse(  # type: ignore[override]
        self,
        request_iterator: AsyncIterator[pb.ConverseRequest],
        context: grpc.aio.ServicerContext,
    ) -> None:
        """Holds a conversation; see the contract."""
        try:
            if self._talks >= self._house.settings.server.max_sessions:
                raise RequestError("SEATS_TAKEN", "Every seat is taken; try again later.")
            self._talks += 1
            try:
                await self._converse(request_iterator, context)
            finally:
                self._talks -= 1
        except ClientGoneError as error:
            log.info("a talk was given up: %s", error)
            # No status would arrive; gRPC takes this for the end of the call.
            raise asyncio.CancelledError from error
        except TadbotError as error:
            await abort(context, error)

    async def _converse(
        self, requests: AsyncIterator[pb.ConverseRequest], context: grpc.aio.ServicerContext
    ) -> None:
        first = await anext(aiter(requests), None)
        if first is None or first.WhichOneof("event") != "open":
            raise RequestError("NOT_OPEN", "The first message is not `open`.")
        check_open(first.open)
        keeper, guest = await self._welcome(first.open)
        country = first.open.country or self._house.settings.conversation.country
        lines = help_lines(country, self._house.help)
        conversation = Conversation(self._shared, keeper, guest, lines)

        async def send(response: pb.ConverseResponse) -> None:
            try:
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    await context.write(response)
            except (TimeoutError, grpc.aio.BaseError) as error:
                raise ClientGoneError from error

        log.info("a talk begins; %d of them now", self._talks)
        try:
            await conversation.run(requests, send)
        finally:
            log.info("a talk has ended")

    async def _welcome(self, opening: pb.Open) -> tuple[Keeper, Guest]:
        """Finds out who talks, what may be kept, and what they talked of before."""
        resumed = await self._resume(opening) if opening.HasField("resume") else None
        now = datetime.now(UTC)
        session = resumed or Session(
            id=uuid4(),
            started_at=now,
            person=PERSON,
            device=opening.device_id,
            country=opening.country.upper(),
            language=opening.language[:2].lower(),
            time_zone=opening.time_zone,
        )
        keeper = Keeper(self._house.store, session, [CONSENTS[one] for one in opening.consents])
        await keeper.open()
        turns = tuple(await self._house.store.history(session.id)) if resumed else ()
        told = await keeper.last_disclosure()
        if opening.HasField("last_disclosure"):
            client = opening.last_disclosure.ToDatetime(UTC)
            told = max(told, client) if told else client
            told = told if told <= now else None
        guest = Guest(
            session_id=session.id,
            started_at=session.started_at,
            language=opening.language,
            time_zone=opening.time_zone,
            help_lines_version=opening.help_lines_version,
            carried_risk=await keeper.carried_risk(),
            minor=opening.minor if opening.HasField("minor") else await keeper.minor(),
            talk_days=await keeper.talk_days(now - timedelta(days=OF_DAYS)),
            pace=PACES.get(opening.pace, "normal"),
            may_see=pb.CAMERA in opening.consents,
            disclosed_at=told,
            resumed=turns,
            sample_count=opening.resume.sample_count,
        )
        return keeper, guest

    async def _resume(self, opening: pb.Open) -> Session:
        try:
            session = await self._house.store.session(UUID(opening.resume.session_id))
        except ValueError as error:
            raise SessionUnknownError from error
        if session is None or session.person != PERSON:
            raise SessionUnknownError
        return session

    async def Describe(
        self, request: pb.DescribeRequest, context: grpc.aio.ServicerContext
    ) -> pb.DescribeResponse:
        """Lists the engines."""
        response = pb.DescribeResponse(server_version=self._house.version)
        for seam, engine in vars(self._house.engines).items():
            if engine is not None:
                said = engine.describe()
                response.engines.add(
                    seam=seam, name=said.name, model=said.model, device=said.device
                )
        return response

    async def Forget(
        self, request: pb.ForgetRequest, context: grpc.aio.ServicerContext
    ) -> pb.ForgetResponse:
        """Erases a session; erasing it again is not an error."""
        try:
            receipt = await self._house.store.forget_session(_uuid(request.session_id))
        except TadbotError as error:
            await abort(context, error)
        return pb.ForgetResponse(erased_rows=sum(receipt.erased.values()))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise RequestError("SESSION_ID", "`session_id` is not a UUID.") from error
