"""The line to the server: how it is reached, and its faults in words."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import grpc
import grpc.aio
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import companion_pb2_grpc

from pi_client.errors import ClientError

# grpc ships no types of its own. What the two are: the stub of `Companion` for asyncio, and
# its stream of `ConverseRequest` one way and `ConverseResponse` the other.
Stub: TypeAlias = Any
Call: TypeAlias = Any

# A server that is there answers a connection within a fraction of this.
_CONNECT_S = 4.0
_OPTIONS = [
    # Where a line breaks without a word, sound that nobody confirms for 10 s ends it. The
    # pings themselves are rarer than servers forbid (one in 5 minutes).
    ("grpc.keepalive_time_ms", 360_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A talk is one stream; a second try would begin another.
    ("grpc.enable_retries", 0),
]
# What grpc.aio says instead of the status if a message was being sent when the line broke.
_BROKEN_WHILE_SENDING = "Internal error from Core"
_REASON_S = 0.2


@dataclass(frozen=True)
class Keys:
    """What opens a server that is locked."""

    token_file: Path | None = None
    ca_file: Path | None = None


@asynccontextmanager
async def connect(address: str, keys: Keys) -> AsyncIterator[Stub]:
    """Reaches the server at HOST:PORT or unix:PATH.

    Raises ClientError if no server is there, or the keys cannot be read.
    """
    if keys.ca_file is None:
        channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
    else:
        authority = _read(keys.ca_file)
        credentials = grpc.ssl_channel_credentials(root_certificates=authority)
        channel = grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
    try:
        await _wait_until_ready(channel, address)
        yield companion_pb2_grpc.CompanionStub(channel)
    finally:
        await channel.close(None)


def metadata(keys: Keys) -> list[tuple[str, str]]:
    """Returns what a call carries to be let in. Raises ClientError if it cannot be read."""
    if keys.token_file is None:
        return []
    token = _read(keys.token_file).decode("ascii", "replace").strip()
    if not token or not token.isprintable() or not token.isascii():
        raise ClientError(f"{keys.token_file} holds no token; ask for a new one.")
    return [("authorization", f"Bearer {token}")]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ClientError(f"{path} cannot be read ({error.strerror}); correct its name.") from error


async def _wait_until_ready(channel: grpc.aio.Channel, address: str) -> None:
    try:
        async with asyncio.timeout(_CONNECT_S):
            state = channel.get_state(try_to_connect=True)
            while state != grpc.ChannelConnectivity.READY:
                if state == grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                    raise ClientError(_nobody(address))
                await channel.wait_for_state_change(state)
                state = channel.get_state(try_to_connect=True)
    except TimeoutError as error:
        raise ClientError(_nobody(address)) from error


def _nobody(address: str) -> str:
    return (
        f"No server answers at {address}; start `tadbot-server serve` there, or correct --server."
    )


async def responses(call: Call, address: str) -> AsyncGenerator[pb.ConverseResponse, None]:
    """Yields what the server sends, until it ends the stream.

    It is to be waiting before anything is sent, to see the reason of a fault.
    Raises ClientError if the stream ends in a fault.
    """
    statuses: list[_Status] = []
    call.add_done_callback(lambda ended: statuses.append(_status(ended)))
    try:
        async for response in call:
            yield response
    except grpc.aio.AioRpcError as error:
        if all(status.details == _BROKEN_WHILE_SENDING for status in statuses):
            # The reason may follow a moment later.
            await asyncio.sleep(_REASON_S)
        # grpc.aio writes this over the reason, or the other way round, as it happens.
        statuses.sort(key=lambda status: status.details == _BROKEN_WHILE_SENDING)
        raise _in_words(statuses[0], address) from error


class _Status(NamedTuple):
    code: grpc.StatusCode
    details: str
    # A server's own word has details in its trailer; without them the line broke.
    own_word: bool


def _status(ended: Call) -> _Status:
    """Returns the status of a call that has ended."""
    trailer = _at_once(ended.trailing_metadata()) or ()
    own_word = any(name == "grpc-status-details-bin" for name, _ in trailer)
    return _Status(_at_once(ended.code()), _at_once(ended.details()) or "", own_word)


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Returns what a coroutine answers that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as answer:
        return answer.value
    raise RuntimeError("The call has not ended.")


def _in_words(status: _Status, address: str) -> ClientError:
    """Turns a status that ended the talk into a sentence."""
    code, details = status.code, status.details.strip().rstrip(".")
    if status.details == _BROKEN_WHILE_SENDING:
        code = grpc.StatusCode.UNAVAILABLE
    match code:
        case grpc.StatusCode.UNAVAILABLE if status.own_word:
            words = f"The server at {address} cannot talk now ({details}); try again in a minute."
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
            words = f"The server at {address} went away; start it again, then start a new talk."
        case grpc.StatusCode.INVALID_ARGUMENT | grpc.StatusCode.FAILED_PRECONDITION:
            words = (
                f"The server at {address} does not take what this client sends ({details}); "
                "use the same version on both sides."
            )
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            words = f"The server at {address} is full ({details}); try again later."
        case grpc.StatusCode.NOT_FOUND:
            words = f"The server at {address} does not know this ({details}); start a new talk."
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            words = (
                f"The server at {address} does not let this client in; give the right --token-file."
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            words = f"What answers at {address} is no TADBot server; correct --server."
        case _:
            words = f"The server at {address} failed ({code.name}: {details}); look at its log."
    return ClientError(words)
