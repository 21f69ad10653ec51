"""The gRPC server: it listens at once, and lets people in when the house is ready."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tadbot.v1 import (
    companion_pb2_grpc,
    emotion_recognition_pb2_grpc,
    language_model_pb2_grpc,
    speech_to_text_pb2_grpc,
    text_to_speech_pb2_grpc,
)

from server.engines import Generation
from server.errors import ConfigError, RequestError
from server.service.companion import CompanionService
from server.service.emotion_recognition import EmotionRecognitionService
from server.service.errors import abort
from server.service.house import House
from server.service.language_model import LanguageModelService
from server.service.speech_to_text import SpeechToTextService
from server.service.text_to_speech import TextToSpeechService

LONGEST_MESSAGE = 1024 * 1024
"""Bytes of a request: four times the largest picture."""
OPTIONS = (
    # Without this two servers could share a port, and a person would reach either.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", LONGEST_MESSAGE),
    # A client that vanished without a word is noticed after some 20 s.
    ("grpc.keepalive_time_ms", 15_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)
SERVICES = tuple(
    f"tadbot.v1.{name}"
    for name in (
        "Companion",
        "SpeechToText",
        "EmotionRecognition",
        "LanguageModel",
        "TextToSpeech",
    )
)
"""Full names of the contract's services."""


class Rooms(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The contract's services; until they are furnished every call gets UNAVAILABLE."""

    def __init__(self) -> None:
        self._handlers: list[grpc.GenericRpcHandler] = []

    def furnish(self, house: House) -> None:
        """Adds all services over the engines of a house."""
        llm = house.settings.llm
        defaults = Generation(llm.max_tokens, llm.temperature)
        engines = house.engines
        companion_pb2_grpc.add_CompanionServicer_to_server(CompanionService(house), self)
        speech_to_text_pb2_grpc.add_SpeechToTextServicer_to_server(
            SpeechToTextService(engines.stt), self
        )
        emotion_recognition_pb2_grpc.add_EmotionRecognitionServicer_to_server(
            EmotionRecognitionService(engines.emotion), self
        )
        language_model_pb2_grpc.add_LanguageModelServicer_to_server(
            LanguageModelService(engines.llm, defaults), self
        )
        text_to_speech_pb2_grpc.add_TextToSpeechServicer_to_server(
            TextToSpeechService(engines.tts), self
        )

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Takes a service's handlers, as a grpc server does."""
        self._handlers += handlers

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Does nothing: the generic handlers are the same."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Finds the handler of a call."""
        for one in self._handlers:
            if (found := one.service(handler_call_details)) is not None:
                return found
        _, service, _ = (*handler_call_details.method.split("/"), "", "")[:3]
        if not self._handlers and service in SERVICES:
            return grpc.stream_stream_rpc_method_handler(_refuse)
        return None


async def _refuse(requests: Any, context: grpc.aio.ServicerContext) -> NoReturn:
    await abort(context, RequestError("MODELS_LOADING", "The models are still loading."))


class Doorkeeper:
    """The door of a house."""

    def __init__(self, listen: str) -> None:
        """listen: HOST:PORT or unix:PATH. Raises ConfigError beyond loopback."""
        check_listen(listen)
        self._listen = listen
        self._rooms = Rooms()
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(options=OPTIONS)
        self.address = listen
        """Where it really listens: the port is known after `start`."""

    async def start(self) -> None:
        """Listens, and says NOT_SERVING. Raises ConfigError if the address is in use."""
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        for name in ("", *SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server.add_generic_rpc_handlers((self._rooms,))
        names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        try:
            port = self._server.add_insecure_port(self._listen)
        except RuntimeError as error:
            raise ConfigError(
                f"The address {self._listen} is in use or cannot be bound; stop what listens "
                "there, or choose another with --listen."
            ) from error
        if not self._listen.startswith("unix:"):
            self.address = f"{self._listen.rpartition(':')[0]}:{port}"
        await self._server.start()

    async def let_in(self, house: House) -> None:
        """Opens the rooms, and says SERVING."""
        self._rooms.furnish(house)
        for name in ("", *SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_s: float) -> None:
        """Says NOT_SERVING, lets talks end for a while, then ends them."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_s)


def check_listen(listen: str) -> None:
    """Raises ConfigError unless an address is a unix socket or on loopback."""
    if listen.startswith("unix:"):
        return
    host, _, port = listen.rpartition(":")
    if not port.isdigit() or int(port) > 65_535 or not host:
        raise ConfigError(f"The address {listen!r} is neither HOST:PORT nor unix:PATH.")
    if host not in ("localhost", "[::1]") and not host.startswith("127."):
        raise ConfigError(
            f"The server does not listen on {host}: without tokens and TLS it is for loopback "
            "only. Use 127.0.0.1, and from another machine a tunnel such as ssh -L."
        )
