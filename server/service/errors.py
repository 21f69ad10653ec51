"""From the server's errors to canonical statuses with an ErrorInfo; it knows no service."""

import logging
from typing import NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from server.errors import (
    ConfigError,
    EngineError,
    ModelMissingError,
    PictureError,
    RequestError,
    SessionUnknownError,
    StoreError,
    TadbotError,
)

log = logging.getLogger("tadbot.service")

DOMAIN = "tadbot"
STATUS: dict[type[TadbotError], grpc.StatusCode] = {
    RequestError: grpc.StatusCode.INVALID_ARGUMENT,
    PictureError: grpc.StatusCode.INVALID_ARGUMENT,
    SessionUnknownError: grpc.StatusCode.NOT_FOUND,
    EngineError: grpc.StatusCode.INTERNAL,
    StoreError: grpc.StatusCode.UNAVAILABLE,
    ModelMissingError: grpc.StatusCode.UNAVAILABLE,
    ConfigError: grpc.StatusCode.FAILED_PRECONDITION,
}
"""The status of each error; what is not listed is INTERNAL."""
REASONS: dict[type[TadbotError], str] = {
    PictureError: "PICTURE_UNREADABLE",
    SessionUnknownError: "SESSION_UNKNOWN",
    EngineError: "ENGINE_FAILED",
    StoreError: "STORE_FAILED",
}


BY_REASON = {
    "MODELS_LOADING": grpc.StatusCode.UNAVAILABLE,
    "SEATS_TAKEN": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "UTTERANCE_TOO_LONG": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "NO_EMOTION_ENGINE": grpc.StatusCode.UNIMPLEMENTED,
}
"""Reasons of a RequestError whose status is not INVALID_ARGUMENT."""


async def abort(context: grpc.aio.ServicerContext, error: TadbotError) -> NoReturn:
    """Ends a call with the error's status, message and ErrorInfo."""
    reason = error.reason if isinstance(error, RequestError) else REASONS.get(type(error), "FAULT")
    code = BY_REASON.get(reason) or STATUS.get(type(error), grpc.StatusCode.INTERNAL)
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN))
    number, _ = code.value
    status = status_pb2.Status(code=number, message=str(error), details=[detail])
    assert number != code_pb2.OK
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    log.info("a call ended with %s %s", code.name, reason)
    await context.abort(code, str(error))
    raise AssertionError("abort returns never")
