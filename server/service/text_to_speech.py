"""TextToSpeech: the voice alone."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
from tadbot.v1 import sound_pb2, text_to_speech_pb2_grpc
from tadbot.v1 import text_to_speech_pb2 as pb

from server.engines import TextToSpeech
from server.errors import RequestError, TadbotError, VoiceUnknownError
from server.service.errors import abort
from server.sound import to_pcm

LONGEST_CLAUSE = 2_000
"""Characters."""
CHUNK_S = 0.2


class TextToSpeechService(text_to_speech_pb2_grpc.TextToSpeechServicer):
    """Serves one voice engine."""

    def __init__(self, engine: TextToSpeech) -> None:
        self._engine = engine

    async def Synthesize(  # type: ignore[override]
        self,
        request_iterator: AsyncIterator[pb.SynthesizeRequest],
        context: grpc.aio.ServicerContext,
    ) -> None:
        """Speaks clauses; see the contract."""
        try:
            await self._synthesize(request_iterator, context)
        except TadbotError as error:
            await abort(context, error)

    async def _synthesize(
        self, requests: AsyncIterator[pb.SynthesizeRequest], context: grpc.aio.ServicerContext
    ) -> None:
        first = await anext(aiter(requests), None)
        if first is None or first.WhichOneof("event") != "open":
            raise RequestError("NOT_OPEN", "The first message is not `open`.")
        rate = self._engine.sample_rate_hertz
        opened = pb.SynthesizeOpened(audio_format=sound_pb2.AudioFormat(sample_rate_hertz=rate))
        await context.write(pb.SynthesizeResponse(opened=opened))
        count = number = 0
        async for request in requests:
            match request.WhichOneof("event"):
                case "clause":
                    number += 1
                    count = await self._speak(request.clause, first.open.voice, count, context)
                    done = pb.ClauseDone(clause=number)
                    await context.write(pb.SynthesizeResponse(clause_done=done))
                case "open":
                    raise RequestError("SECOND_OPEN", "`open` came a second time.")
                case _:
                    raise RequestError("EMPTY_REQUEST", "A request names no event.")

    async def _speak(
        self, clause: str, voice: str, count: int, context: grpc.aio.ServicerContext
    ) -> int:
        if len(clause) > LONGEST_CLAUSE:
            raise RequestError("CLAUSE_TOO_LONG", f"A clause has over {LONGEST_CLAUSE} characters.")
        step = int(CHUNK_S * self._engine.sample_rate_hertz)
        try:
            async with aclosing(self._engine.stream(clause, voice)) as sounds:
                async for sound in sounds:
                    for begin in range(0, len(sound), step):
                        part = sound[begin : begin + step]
                        chunk = sound_pb2.AudioChunk(first_sample=count, pcm=to_pcm(part))
                        await context.write(pb.SynthesizeResponse(audio=chunk))
                        count += len(part)
        except VoiceUnknownError as error:
            raise RequestError("VOICE_UNKNOWN", str(error)) from error
        return count
