"""Each stage alone, over real gRPC."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from tadbot.v1 import emotion_recognition_pb2 as emotion_pb2
from tadbot.v1 import (
    emotion_recognition_pb2_grpc,
    language_model_pb2_grpc,
    sound_pb2,
    speech_to_text_pb2_grpc,
    text_to_speech_pb2_grpc,
)
from tadbot.v1 import language_model_pb2 as llm_pb2
from tadbot.v1 import speech_to_text_pb2 as stt_pb2
from tadbot.v1 import text_to_speech_pb2 as tts_pb2

from server.engines import Generation, Message, Samples, Usage
from server.engines.fake import (
    TONE_SAMPLES,
    FakeLanguageModel,
    FakeTextToSpeech,
    hear_tones,
    speak_tones,
)
from server.errors import EngineError, VoiceUnknownError
from server.sound import to_pcm, to_samples
from tests.integration.house import PATIENCE_S, Served, reason, served, silence
from tests.integration.test_converse import jpeg

INVALID = grpc.StatusCode.INVALID_ARGUMENT
EMOTION = emotion_pb2.Emotion


class Tuned(FakeLanguageModel):
    """Says what it was asked for, waits where it is told to, fails where it is told to."""

    def __init__(self) -> None:
        self.asked: list[Generation] = []
        self.stopped = 0

    async def stream(
        self, messages: Sequence[Message], generation: Generation, usage: Usage | None = None
    ) -> AsyncGenerator[str, None]:
        self.asked.append(generation)
        try:
            async for piece in super().stream(messages, generation, usage):
                yield piece
            if messages[-1].content == "fail":
                raise EngineError
            if messages[-1].content == "wait":
                await asyncio.Event().wait()
        except (GeneratorExit, asyncio.CancelledError):
            self.stopped += 1
            raise


class Picky(FakeTextToSpeech):
    """Knows one voice, and cannot say one word."""

    async def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
        if voice not in ("", "anna"):
            raise VoiceUnknownError
        if text == "unspeakable":
            raise EngineError
        async for sound in super().stream(text, voice):
            yield sound


@pytest.fixture
async def house() -> AsyncIterator[Served]:
    async with served(llm=Tuned(), tts=Picky()) as made:
        yield made


async def answers(call: Any, *requests: Any) -> list[Any]:
    """Sends requests, half-closes and reads to the end."""
    async with asyncio.timeout(PATIENCE_S):
        for request in requests:
            await call.write(request)
        await call.done_writing()
        got = []
        while (answer := await call.read()) is not grpc.aio.EOF:
            got.append(answer)
        return got


async def refusal(call: Any, *requests: Any) -> tuple[grpc.StatusCode, str]:
    """Sends requests that are refused; gives the status and its reason."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await answers(call, *requests)
    return refused.value.code(), reason(refused.value)


# Speech to text.


def hears(house: Served) -> Any:
    return speech_to_text_pb2_grpc.SpeechToTextStub(house.channel).Recognize()  # type: ignore[no-untyped-call]


def stt_open(rate: int = 16_000) -> stt_pb2.SpeechToTextRecognizeRequest:
    audio_format = sound_pb2.AudioFormat(sample_rate_hertz=rate)
    opened = stt_pb2.SpeechToTextOpen(audio_format=audio_format, language="en")
    return stt_pb2.SpeechToTextRecognizeRequest(open=opened)


def sound(samples: Samples | bytes) -> stt_pb2.SpeechToTextRecognizeRequest:
    pcm = samples if isinstance(samples, bytes) else to_pcm(samples)
    return stt_pb2.SpeechToTextRecognizeRequest(audio=sound_pb2.AudioChunk(pcm=pcm))


END = stt_pb2.SpeechToTextRecognizeRequest(end=stt_pb2.EndOfUtterance())


async def test_each_end_and_the_half_close_give_a_final_transcript(house: Served) -> None:
    first, second = speak_tones("One thing."), speak_tones("Another.")
    got = await answers(hears(house), stt_open(), sound(first), END, END, sound(second))
    transcripts = [one.transcript for one in got]
    assert [one.text for one in transcripts if one.final] == ["One thing.", "", "Another."]
    assert [one.text for one in transcripts if not one.final] == ["One thing.", "Another."]
    last = transcripts[-1]
    assert last.language == "en"
    assert last.start_offset.ToMicroseconds() == len(first) * 1_000_000 // 16_000
    assert last.end_offset.ToMicroseconds() == (len(first) + len(second)) * 1_000_000 // 16_000


async def test_silence_has_no_words(house: Served) -> None:
    got = await answers(hears(house), stt_open(), sound(silence(1)), END)
    assert [(one.transcript.text, one.transcript.final) for one in got] == [("", True)]


async def test_nothing_after_open_is_answered_with_nothing(house: Served) -> None:
    assert await answers(hears(house), stt_open()) == []


@pytest.mark.parametrize(
    ("requests", "why"),
    [
        ([], "NOT_OPEN"),
        ([END], "NOT_OPEN"),
        ([stt_pb2.SpeechToTextRecognizeRequest()], "NOT_OPEN"),
        ([stt_open(), stt_open()], "SECOND_OPEN"),
        ([stt_open(), stt_pb2.SpeechToTextRecognizeRequest()], "EMPTY_REQUEST"),
        ([stt_open(), sound(b"\0\0\0")], "ODD_BYTES"),
        ([stt_open(), sound(bytes(64 * 1024 + 2))], "CHUNK_TOO_LONG"),
        ([stt_open(0)], "SAMPLE_RATE"),
        ([stt_open(44_100)], "SAMPLE_RATE"),
    ],
)
async def test_hearing_refuses_a_broken_contract(
    house: Served, requests: list[Any], why: str
) -> None:
    assert await refusal(hears(house), *requests) == (INVALID, why)


async def test_an_utterance_may_not_grow_without_end(house: Served) -> None:
    piece = sound(silence(2))
    exhausted = (grpc.StatusCode.RESOURCE_EXHAUSTED, "UTTERANCE_TOO_LONG")
    assert await refusal(hears(house), stt_open(), *[piece] * 31) == exhausted
    got = await answers(hears(house), stt_open(), *[*[piece] * 30, END] * 2)
    assert len(got) == 2


# Emotion.


def sees(house: Served) -> Any:
    stub = emotion_recognition_pb2_grpc.EmotionRecognitionStub(house.channel)  # type: ignore[no-untyped-call]
    return stub.Recognize()


def emotion_open(cropped: bool = False) -> emotion_pb2.EmotionRecognitionRecognizeRequest:
    opened = emotion_pb2.EmotionRecognitionOpen(cropped=cropped)
    return emotion_pb2.EmotionRecognitionRecognizeRequest(open=opened)


def picture(data: bytes, at_ms: int = 0) -> emotion_pb2.EmotionRecognitionRecognizeRequest:
    frame = emotion_pb2.VideoFrame(jpeg=data)
    frame.capture_offset.FromMilliseconds(at_ms)
    return emotion_pb2.EmotionRecognitionRecognizeRequest(frame=frame)


async def test_every_picture_is_judged_in_its_order(house: Served) -> None:
    colours = [(20, 200, 20), (200, 20, 20), (0, 0, 0)]
    pictures = [picture(jpeg(colour), 100 * place) for place, colour in enumerate(colours)]
    got = [one.emotion for one in await answers(sees(house), emotion_open(), *pictures)]
    assert [one.capture_offset.ToMilliseconds() for one in got] == [0, 100, 200]
    assert [one.scores[0].label for one in got[:2]] == [EMOTION.HAPPINESS, EMOTION.ANGER]
    assert [len(one.scores) for one in got] == [3, 3, 0]
    assert got[2].face_condition == EMOTION.NO_FACE


async def test_a_cropped_face_is_judged_without_looking_for_one(house: Served) -> None:
    (got,) = await answers(sees(house), emotion_open(cropped=True), picture(jpeg((0, 0, 0))))
    assert len(got.emotion.scores) == 3


@pytest.mark.parametrize("data", [b"", b"this is text", jpeg()[:300], bytes(300_000)])
async def test_an_unreadable_picture_is_answered_and_the_next_is_judged(
    house: Served, data: bytes
) -> None:
    got = await answers(sees(house), emotion_open(), picture(data), picture(jpeg()))
    assert got[0].unreadable.startswith("The picture")
    assert len(got[1].emotion.scores) == 3


async def test_a_picture_of_an_absurd_time_is_refused(house: Served) -> None:
    frame = emotion_pb2.VideoFrame(jpeg=jpeg())
    frame.capture_offset.seconds = 2**62
    request = emotion_pb2.EmotionRecognitionRecognizeRequest(frame=frame)
    assert await refusal(sees(house), emotion_open(), request) == (INVALID, "CAPTURE_OFFSET")


@pytest.mark.parametrize(
    ("requests", "why"),
    [
        ([], "NOT_OPEN"),
        ([picture(b"")], "NOT_OPEN"),
        ([emotion_open(), emotion_open()], "SECOND_OPEN"),
        ([emotion_open(), emotion_pb2.EmotionRecognitionRecognizeRequest()], "EMPTY_REQUEST"),
    ],
)
async def test_seeing_refuses_a_broken_contract(
    house: Served, requests: list[Any], why: str
) -> None:
    assert await refusal(sees(house), *requests) == (INVALID, why)


async def test_a_server_without_eyes_offers_no_seeing() -> None:
    async with served(overrides={"emotion": {"engine": "none"}}) as house:
        code, why = await refusal(sees(house), emotion_open())
        assert (code, why) == (grpc.StatusCode.UNIMPLEMENTED, "NO_EMOTION_ENGINE")


# The language model.


def thinks(house: Served) -> Any:
    return language_model_pb2_grpc.LanguageModelStub(house.channel).Generate()  # type: ignore[no-untyped-call]


def prompt(text: str, role: Any = llm_pb2.ChatMessage.USER, **fields: Any) -> Any:
    message = llm_pb2.ChatMessage(role=role, content=text)
    return llm_pb2.GenerateRequest(prompt=llm_pb2.Prompt(messages=[message], **fields))


STOP = llm_pb2.GenerateRequest(stop=llm_pb2.Stop())
COMPLETE, STOPPED, FAILED = (
    llm_pb2.GenerationDone.COMPLETE,
    llm_pb2.GenerationDone.STOPPED,
    llm_pb2.GenerationDone.FAILED,
)


def texts(got: list[Any]) -> dict[int, str]:
    numbers = dict.fromkeys(one.prompt for one in got)
    return {number: "".join(one.piece for one in got if one.prompt == number) for number in numbers}


def ends(got: list[Any]) -> list[tuple[int, int]]:
    return [(one.prompt, one.done.reason) for one in got if one.HasField("done")]


async def pieces_until(call: Any, text: str) -> None:
    got = ""
    async with asyncio.timeout(PATIENCE_S):
        while not got.endswith(text):
            got += (await call.read()).piece


async def test_a_prompt_is_answered_in_pieces(house: Served) -> None:
    got = await answers(thinks(house), prompt("Hello"))
    assert texts(got) == {1: "You said: Hello. How does that feel?"}
    assert ends(got) == [(1, COMPLETE)]
    assert len(got) > 2


async def test_stop_ends_the_answer(house: Served) -> None:
    call = thinks(house)
    await call.write(prompt("wait"))
    await pieces_until(call, "feel?")
    await call.write(STOP)
    got = await answers(call, STOP, prompt("Hello"))
    assert ends(got) == [(1, STOPPED), (2, COMPLETE)]
    assert house.house.engines.llm.stopped == 1  # type: ignore[attr-defined]


async def test_a_new_prompt_ends_the_one_before(house: Served) -> None:
    call = thinks(house)
    await call.write(prompt("wait"))
    await pieces_until(call, "feel?")
    got = await answers(call, prompt("Hello"))
    assert ends(got) == [(1, STOPPED), (2, COMPLETE)]
    assert texts(got)[2] == "You said: Hello. How does that feel?"


async def test_a_model_that_fails_leaves_the_stream_open(house: Served) -> None:
    call = thinks(house)
    await call.write(prompt("fail"))
    await pieces_until(call, "feel?")
    assert (await call.read()).done.reason == FAILED
    assert ends(await answers(call, prompt("Hello"))) == [(2, COMPLETE)]


async def test_a_client_that_hangs_up_stops_the_model(house: Served) -> None:
    model: Any = house.house.engines.llm
    call = thinks(house)
    await call.write(prompt("wait"))
    await pieces_until(call, "feel?")
    call.cancel()
    async with asyncio.timeout(PATIENCE_S):
        while not model.stopped:
            await asyncio.sleep(0.01)
    assert ends(await answers(thinks(house), prompt("Hello"))) == [(1, COMPLETE)]


async def test_settings_of_a_prompt_win_over_the_servers(house: Served) -> None:
    await answers(thinks(house), prompt("Hello", max_tokens=7, temperature=0, seed=3))
    await answers(thinks(house), prompt("Hello"))
    asked = house.house.engines.llm.asked  # type: ignore[attr-defined]
    settings = house.house.settings.llm
    assert asked == [
        Generation(max_tokens=7, temperature=0, seed=3),
        Generation(max_tokens=settings.max_tokens, temperature=settings.temperature),
    ]


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (llm_pb2.GenerateRequest(), "EMPTY_REQUEST"),
        (llm_pb2.GenerateRequest(prompt=llm_pb2.Prompt()), "PROMPT"),
        (prompt("x", role=llm_pb2.ChatMessage.ROLE_UNSPECIFIED), "PROMPT"),
        (prompt("x", role=99), "PROMPT"),
        (prompt("x", max_tokens=2049), "PROMPT"),
        (prompt("x", temperature=2.1), "PROMPT"),
        (prompt("x", temperature=-1), "PROMPT"),
        (prompt("x", temperature=float("nan")), "PROMPT"),
        (prompt("x" * 100_001), "PROMPT_TOO_LONG"),
    ],
)
async def test_thinking_refuses_a_broken_contract(house: Served, request_: Any, why: str) -> None:
    assert await refusal(thinks(house), prompt("Hello"), request_) == (INVALID, why)


# The voice.


def speaks(house: Served) -> Any:
    return text_to_speech_pb2_grpc.TextToSpeechStub(house.channel).Synthesize()  # type: ignore[no-untyped-call]


def tts_open(voice: str = "") -> tts_pb2.SynthesizeRequest:
    return tts_pb2.SynthesizeRequest(open=tts_pb2.SynthesizeOpen(voice=voice))


def clause(text: str) -> tts_pb2.SynthesizeRequest:
    return tts_pb2.SynthesizeRequest(clause=text)


@pytest.mark.parametrize("voice", ["", "anna"])
async def test_clauses_are_spoken_one_after_another(house: Served, voice: str) -> None:
    spoken = [clause("Hello there, friend."), clause(""), clause("How are you?")]
    got = await answers(speaks(house), tts_open(voice), *spoken)
    assert got[0].opened.audio_format.sample_rate_hertz == 16_000
    assert [one.clause_done.clause for one in got if one.HasField("clause_done")] == [1, 2, 3]
    chunks = [one.audio for one in got if one.HasField("audio")]
    lengths = [len(one.pcm) // 2 for one in chunks]
    assert [one.first_sample for one in chunks] == [
        sum(lengths[:place]) for place in range(len(chunks))
    ]
    assert sum(lengths) == TONE_SAMPLES * len("Hello there, friend.How are you?")
    samples = np.concatenate([to_samples(one.pcm) for one in chunks])
    assert hear_tones(samples) == "Hello there, friend.How are you?"


@pytest.mark.parametrize(
    ("requests", "why"),
    [
        ([], "NOT_OPEN"),
        ([clause("Hello")], "NOT_OPEN"),
        ([tts_open(), tts_open()], "SECOND_OPEN"),
        ([tts_open(), tts_pb2.SynthesizeRequest()], "EMPTY_REQUEST"),
        ([tts_open(), clause("x" * 2001)], "CLAUSE_TOO_LONG"),
        ([tts_open("nobody"), clause("Hello")], "VOICE_UNKNOWN"),
    ],
)
async def test_speaking_refuses_a_broken_contract(
    house: Served, requests: list[Any], why: str
) -> None:
    assert await refusal(speaks(house), *requests) == (INVALID, why)


async def test_a_voice_that_fails_ends_the_stream_with_its_reason(house: Served) -> None:
    got = await refusal(speaks(house), tts_open(), clause("unspeakable"))
    assert got == (grpc.StatusCode.INTERNAL, "ENGINE_FAILED")
