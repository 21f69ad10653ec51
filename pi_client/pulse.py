"""Notices a server that hangs while its line holds; it does not know what the talk is about.

A program that stands still breaks no line: its system goes on taking what is sent. So where
nothing has come for a while, the server is asked whether it is there.
"""

import asyncio

import grpc
import grpc.aio
from tadbot.v1 import companion_pb2 as pb

from pi_client.errors import ClientError
from pi_client.link import Stub

# How often it is asked. The question costs about a millisecond.
_EVERY_S = 2.0
# A server on a busy Pi answers within a second; two of these in a row are no accident. So a
# server that hangs is noticed within 8 s, and a client that slept itself asks once more.
_ANSWER_S = 3.0
_MOST_UNANSWERED = 2
# All other statuses are an answer, too: somebody made it.
_NO_ANSWER = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)


class Pulse:
    """Asks one server, for as long as a talk with it goes on.

    metadata: what the call of the talk carries to be let in.
    """

    def __init__(self, stub: Stub, address: str, metadata: list[tuple[str, str]]) -> None:
        self._stub = stub
        self._address = address
        self._metadata = metadata
        self._came = False

    def saw(self) -> None:
        """Takes note that something came: whoever speaks is there."""
        self._came = True

    async def follow(self) -> None:
        """Asks until it is cancelled. Raises ClientError when the server does not answer."""
        unanswered = 0
        while unanswered < _MOST_UNANSWERED:
            if unanswered == 0:
                await asyncio.sleep(_EVERY_S)
            answered, self._came = self._came, False
            if answered or await self._answers() or self._came:
                unanswered = 0
            else:
                unanswered += 1
        raise ClientError(
            f"The server at {self._address} does not answer any more; look at its log, and start "
            "it again."
        )

    async def _answers(self) -> bool:
        try:
            await self._stub.Describe(
                pb.DescribeRequest(), timeout=_ANSWER_S, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            return error.code() not in _NO_ANSWER
        return True
