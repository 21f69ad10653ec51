"""Words by llama.cpp in this process (xllamacpp), with the GGUF's own chat template."""

import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from server.engines import Description, Generation, Message, Usage
from server.engines.worker import Emit, Worker
from server.errors import EngineError

GPU_LAYERS_ALL = 999
"""More than any model has: all layers go to the GPU."""


class LlamaCpp:
    """A GGUF model with a few slots; each keeps the prefix of the prompt it saw last."""

    def __init__(
        self, model: Path, device: str, threads: int, context_tokens: int, slots: int
    ) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_ctx = context_tokens * slots
        params.n_parallel = slots
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.n_gpu_layers = GPU_LAYERS_ALL if device != "cpu" else 0
        # The slots keep their own prefix; copies of old prompts would cost up to 8 GiB.
        params.cache_ram_mib = 0
        params.warmup = False
        params.verbosity = -1
        self._name = model.stem
        self._device = device
        self._worker = Worker("llm", slots)
        try:
            self._model: Any = xllamacpp.Server(params)
        except Exception as error:
            raise EngineError(f"The language model {model} cannot be loaded.") from error

    def describe(self) -> Description:
        """Names the model."""
        return Description("llama_cpp", self._name, self._device)

    async def stream(
        self, messages: Sequence[Message], generation: Generation, usage: Usage | None = None
    ) -> AsyncGenerator[str, None]:
        """Generates token by token; closing stops llama.cpp at the next token."""
        request = _request(messages, generation)

        def generate(emit: Emit[str]) -> None:
            self._generate(request, emit, usage or Usage())

        pieces = self._worker.stream(generate)
        try:
            async for piece in pieces:
                if piece:
                    yield piece
        finally:
            await pieces.aclose()

    async def prefill(self, messages: Sequence[Message]) -> None:
        """Has a slot read the chat, as far as another that begins the same has not."""
        request = _request(messages, Generation(max_tokens=0))

        def read() -> None:
            self._generate(request, lambda piece: False, Usage())

        await self._worker.run(read)

    def _generate(self, request: dict[str, Any], emit: Emit[str], usage: Usage) -> None:
        failures: list[str] = []

        def take(chunk: Any) -> bool:
            if "choices" not in chunk:
                failures.append(str(chunk.get("code", "")) if isinstance(chunk, dict) else "")
                return True
            if timings := chunk.get("timings"):
                usage.cached_tokens = int(timings["cache_n"])
                usage.prompt_tokens = int(timings["cache_n"] + timings["prompt_n"])
            piece = chunk["choices"][0]["delta"].get("content") if chunk["choices"] else None
            return emit(piece or "")

        try:
            self._model.handle_chat_completions(request, take)
        except Exception as error:
            raise EngineError("llama.cpp failed on this prompt.") from error
        if failures:
            raise EngineError(
                f"llama.cpp refused this prompt ({failures[0] or 'no reason given'})."
            )

    async def warm_up(self) -> None:
        """Generates one token."""
        async for _ in self.stream([Message("user", "Hello.")], Generation(max_tokens=1)):
            pass

    async def close(self) -> None:
        """Ends the threads; the model goes with the last reference."""
        await self._worker.close()


def _request(messages: Sequence[Message], generation: Generation) -> dict[str, Any]:
    request: dict[str, Any] = {
        "messages": [{"role": one.role, "content": one.content} for one in messages],
        "max_tokens": generation.max_tokens,
        "temperature": generation.temperature,
        "repeat_penalty": 1.1,
        "stream": True,
        "cache_prompt": True,
        # Else the cost of the prompt comes with the end, which a reply is seldom heard to.
        "timings_per_token": True,
    }
    if generation.seed is not None:
        request["seed"] = generation.seed
    return request


def free_threads() -> int:
    """Counts the threads for a language model: one core stays free for speech.

    With all cores busy llama.cpp falls to under 1 token/s, because its threads wait for
    one another.
    """
    return max(1, len(os.sched_getaffinity(0)) - 1)


def gpu_device() -> str:
    """Names the GPU that this build of llama.cpp would use; "" where there is none."""
    import xllamacpp

    for device in xllamacpp.get_device_info():
        if "GPU" in str(device.get("type", "")).upper():
            return str(device.get("name", "gpu"))
    return ""
