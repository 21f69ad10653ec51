"""The line to the server: how it is reached, and its faults in words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from tadbot.v1 import companion_pb2_grpc

from pi_client.errors import ClientError

if TYPE_CHECKING:
    from tadbot.v1.companion_pb2_grpc import CompanionAsyncStub

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


@dataclass(frozen=True)
class Keys:
    """What opens a server that is locked."""

    token_file: Path | None = None
    ca_file: Path | None = None


@asynccontextmanager
async def connect(address: str, keys: Keys) -> AsyncIterator["CompanionAsyncStub"]:
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


def in_words(error: grpc.aio.AioRpcError, address: str) -> ClientError:
    """Turns a status that ended the talk into a sentence."""
    details = (error.details() or "").strip().rstrip(".")
    # A status with details in its trailer is the server's own word; without, the line broke.
    trailer: Any = error.trailing_metadata() or ()
    own_word = any(name == "grpc-status-details-bin" for name, _ in trailer)
    code = error.code()
    if details == _BROKEN_WHILE_SENDING:
        code = grpc.StatusCode.UNAVAILABLE
    match code:
        case grpc.StatusCode.UNAVAILABLE if own_word:
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
