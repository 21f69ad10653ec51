"""EmotionRecognition: the face alone."""

from collections.abc import AsyncIterator

import grpc
from tadbot.v1 import emotion_recognition_pb2 as pb
from tadbot.v1 import emotion_recognition_pb2_grpc

from server.engines import EmotionRecognizer
from server.errors import PictureError, RequestError, TadbotError
from server.pictures import decode_jpeg
from server.seeing import Sight, captured_at_s, emotion_message
from server.service.errors import abort


class EmotionRecognitionService(emotion_recognition_pb2_grpc.EmotionRecognitionServicer):
    """Serves one recogniser of emotions."""

    def __init__(self, engine: EmotionRecognizer | None) -> None:
        self._engine = engine

    async def Recognize(  # type: ignore[override]
        self,
        request_iterator: AsyncIterator[pb.EmotionRecognitionRecognizeRequest],
        context: grpc.aio.ServicerContext,
    ) -> None:
        """Judges pictures; see the contract."""
        try:
            await self._recognize(request_iterator, context)
        except TadbotError as error:
            await abort(context, error)

    async def _recognize(
        self,
        requests: AsyncIterator[pb.EmotionRecognitionRecognizeRequest],
        context: grpc.aio.ServicerContext,
    ) -> None:
        if self._engine is None:
            raise RequestError("NO_EMOTION_ENGINE", "This server recognises no emotions.")
        first = await anext(aiter(requests), None)
        if first is None or first.WhichOneof("event") != "open":
            raise RequestError("NOT_OPEN", "The first message is not `open`.")
        async for request in requests:
            match request.WhichOneof("event"):
                case "frame":
                    answer = await self._judge(self._engine, request.frame, first.open.cropped)
                    await context.write(answer)
                case "open":
                    raise RequestError("SECOND_OPEN", "`open` came a second time.")
                case _:
                    raise RequestError("EMPTY_REQUEST", "A request names no event.")

    async def _judge(
        self, engine: EmotionRecognizer, frame: pb.VideoFrame, cropped: bool
    ) -> pb.EmotionRecognitionRecognizeResponse:
        at_s = captured_at_s(frame)
        try:
            picture = decode_jpeg(frame.jpeg)
        except PictureError as error:
            return pb.EmotionRecognitionRecognizeResponse(unreadable=str(error))
        scores = await engine.recognize(picture, cropped=cropped)
        emotion = emotion_message(Sight(at_s, tuple(scores)))
        return pb.EmotionRecognitionRecognizeResponse(emotion=emotion)
