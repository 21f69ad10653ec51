"""A server that hangs is noticed, and one that is only slow is not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import companion_pb2_grpc

from pi_client import pulse
from pi_client.errors import ClientError
from pi_client.pulse import Pulse

Answer = Callable[[Any], Coroutine[Any, Any, pb.DescribeResponse]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "_EVERY_S", 0.05)
    monkeypatch.setattr(pulse, "_ANSWER_S", 0.1)


class Asked(companion_pb2_grpc.CompanionServicer):
    """A server that answers as it is told."""

    def __init__(self, answer: Answer) -> None:
        self.questions = 0
        self.metadata: dict[str, str] = {}
        self._answer = answer

    async def Describe(self, request: Any, context: Any) -> Any:
        self.questions += 1
        self.metadata = {str(key): str(value) for key, value in context.invocation_metadata()}
        return await self._answer(context)


@asynccontextmanager
async def asking(answer: Answer) -> AsyncIterator[tuple[Asked, Pulse]]:
    server = grpc.aio.server()
    asked = Asked(answer)
    companion_pb2_grpc.add_CompanionServicer_to_server(asked, server)  # type: ignore[no-untyped-call, unused-ignore]
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    async with grpc.aio.insecure_channel(address) as channel:
        stub = companion_pb2_grpc.CompanionStub(channel)
        yield asked, Pulse(stub, address, [("authorization", "Bearer abc")])
    await server.stop(None)


async def follow(one: Pulse, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await one.follow()


async def answer(context: Any) -> pb.DescribeResponse:
    return pb.DescribeResponse()


async def refuse(context: Any) -> pb.DescribeResponse:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "Who are you?")
    raise AssertionError


async def hang(context: Any) -> pb.DescribeResponse:
    await asyncio.sleep(60)
    raise AssertionError


@pytest.mark.parametrize("how", [answer, refuse])
async def test_a_server_that_answers_anything_is_there(how: Answer) -> None:
    async with asking(how) as (asked, one):
        with pytest.raises(TimeoutError):
            await follow(one, 0.5)
    assert asked.questions >= 3
    assert asked.metadata["authorization"] == "Bearer abc"


async def test_a_server_that_leaves_two_questions_unanswered_is_lost() -> None:
    async with asking(hang) as (asked, one):
        with pytest.raises(ClientError, match="does not answer any more"):
            await follow(one, 5)
    assert asked.questions == 2


async def test_one_question_unanswered_is_no_loss() -> None:
    async def hang_now_and_then(context: Any) -> pb.DescribeResponse:
        if asked.questions % 2:
            await asyncio.sleep(60)
        return pb.DescribeResponse()

    async with asking(hang_now_and_then) as (asked, one):
        with pytest.raises(TimeoutError):
            await follow(one, 0.8)
    assert asked.questions >= 4


async def test_a_server_that_speaks_is_not_asked() -> None:
    async def speak(one: Pulse) -> None:
        while True:
            one.saw()
            await asyncio.sleep(0.01)

    async with asking(hang) as (asked, one):
        speaking = asyncio.create_task(speak(one))
        with pytest.raises(TimeoutError):
            await follow(one, 0.5)
        speaking.cancel()
    assert asked.questions == 0


async def test_nobody_at_the_other_end_is_lost() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:9") as channel:
        one = Pulse(companion_pb2_grpc.CompanionStub(channel), "127.0.0.1:9", [])
        with pytest.raises(ClientError):
            await follow(one, 5)
