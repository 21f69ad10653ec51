"""LanguageModel: the language model alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
from tadbot.v1 import language_model_pb2 as pb
from tadbot.v1 import language_model_pb2_grpc

from server.engines import Generation, LanguageModel, Message
from server.errors import EngineError, RequestError, TadbotError
from server.outbox import whole
from server.service.errors import abort

MOST_TOKENS = 2048
LONGEST_PROMPT = 100_000
"""Characters of all messages together."""
_ROLES = {
    pb.ChatMessage.SYSTEM: "system",
    pb.ChatMessage.USER: "user",
    pb.ChatMessage.ASSISTANT: "assistant",
}


class LanguageModelService(language_model_pb2_grpc.LanguageModelServicer):
    """Serves one language model."""

    def __init__(self, engine: LanguageModel, defaults: Generation) -> None:
        self._engine = engine
        self._defaults = defaults

    async def Generate(  # type: ignore[override]
        self,
        request_iterator: AsyncIterator[pb.GenerateRequest],
        context: grpc.aio.ServicerContext,
    ) -> None:
        """Answers prompts; see the contract."""
        task: asyncio.Task[None] | None = None
        try:
            number = 0
            async for request in request_iterator:
                await _stop(task)
                match request.WhichOneof("event"):
                    case "prompt":
                        number += 1
                        chat, generation = self._read(request.prompt)
                        task = asyncio.create_task(self._answer(number, chat, generation, context))
                    case "stop":
                        task = None
                    case _:
                        raise RequestError("EMPTY_REQUEST", "A request names no event.")
            if task is not None:
                await task
        except TadbotError as error:
            await abort(context, error)
        finally:
            await _stop(task)

    def _read(self, prompt: pb.Prompt) -> tuple[list[Message], Generation]:
        if not prompt.messages or any(one.role not in _ROLES for one in prompt.messages):
            raise RequestError("PROMPT", "A prompt has no messages, or one without a role.")
        if sum(len(one.content) for one in prompt.messages) > LONGEST_PROMPT:
            raise RequestError("PROMPT_TOO_LONG", f"A prompt has over {LONGEST_PROMPT} characters.")
        if prompt.max_tokens > MOST_TOKENS or not 0 <= prompt.temperature <= 2:
            raise RequestError("PROMPT", "`max_tokens` or `temperature` is out of its range.")
        chat = [Message(_ROLES[one.role], one.content) for one in prompt.messages]  # type: ignore[arg-type]
        warm = prompt.HasField("temperature")
        return chat, Generation(
            max_tokens=prompt.max_tokens or self._defaults.max_tokens,
            temperature=prompt.temperature if warm else self._defaults.temperature,
            seed=prompt.seed if prompt.HasField("seed") else None,
        )

    async def _answer(
        self,
        number: int,
        chat: list[Message],
        generation: Generation,
        context: grpc.aio.ServicerContext,
    ) -> None:
        reason = pb.GenerationDone.STOPPED
        try:
            async with aclosing(self._engine.stream(chat, generation)) as pieces:
                async for piece in pieces:
                    await whole(context.write(pb.GenerateResponse(prompt=number, piece=piece)))
            reason = pb.GenerationDone.COMPLETE
        except EngineError:
            reason = pb.GenerationDone.FAILED
        finally:
            done = pb.GenerationDone(reason=reason)
            await whole(context.write(pb.GenerateResponse(prompt=number, done=done)))


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # of a client that is gone
