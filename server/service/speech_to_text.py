"""SpeechToText: the recogniser alone."""

from collections.abc import AsyncIterator

import grpc
from tadbot.v1 import speech_to_text_pb2 as pb
from tadbot.v1 import speech_to_text_pb2_grpc

from server.engines import SAMPLE_RATE_HERTZ, SpeechToText
from server.errors import RequestError, TadbotError
from server.service.errors import abort
from server.service.requests import check_format
from server.sound import to_samples

LONGEST_S = 60
"""Longest utterance: twice what Whisper hears at a time."""


class SpeechToTextService(speech_to_text_pb2_grpc.SpeechToTextServicer):
    """Serves one recogniser."""

    def __init__(self, engine: SpeechToText) -> None:
        self._engine = engine

    async def Recognize(  # type: ignore[override]
        self,
        request_iterator: AsyncIterator[pb.SpeechToTextRecognizeRequest],
        context: grpc.aio.ServicerContext,
    ) -> None:
        """Recognises utterances; see the contract."""
        try:
            await self._recognize(request_iterator, context)
        except TadbotError as error:
            await abort(context, error)

    async def _recognize(
        self,
        requests: AsyncIterator[pb.SpeechToTextRecognizeRequest],
        context: grpc.aio.ServicerContext,
    ) -> None:
        language = await _opened(requests)
        recognition = self._engine.open(language)
        start = count = 0
        async for request in requests:
            match request.WhichOneof("event"):
                case "audio":
                    samples = to_samples(request.audio.pcm)
                    count += len(samples)
                    if count - start > LONGEST_S * SAMPLE_RATE_HERTZ:
                        raise RequestError(
                            "UTTERANCE_TOO_LONG", f"An utterance is longer than {LONGEST_S} s."
                        )
                    if text := await recognition.feed(samples):
                        await context.write(_transcript(text, "", start, count, final=False))
                case "end":
                    heard = await recognition.settle()
                    await context.write(
                        _transcript(heard.text, heard.language, start, count, final=True)
                    )
                    recognition, start = self._engine.open(language), count
                case "open":
                    raise RequestError("SECOND_OPEN", "`open` came a second time.")
                case _:
                    raise RequestError("EMPTY_REQUEST", "A request names no event.")
        if count > start:
            heard = await recognition.settle()
            await context.write(_transcript(heard.text, heard.language, start, count, final=True))


async def _opened(requests: AsyncIterator[pb.SpeechToTextRecognizeRequest]) -> str:
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("event") != "open":
        raise RequestError("NOT_OPEN", "The first message is not `open`.")
    check_format(first.open.audio_format)
    return first.open.language[:2].lower()


def _transcript(
    text: str, language: str, start: int, end: int, *, final: bool
) -> pb.SpeechToTextRecognizeResponse:
    transcript = pb.Transcript(text=text, final=final, language=language)
    transcript.start_offset.FromMicroseconds(start * 1_000_000 // SAMPLE_RATE_HERTZ)
    transcript.end_offset.FromMicroseconds(end * 1_000_000 // SAMPLE_RATE_HERTZ)
    return pb.SpeechToTextRecognizeResponse(transcript=transcript)
