"""Decides when a recording has been answered; it does not wait itself."""

from tadbot.v1 import companion_pb2 as pb

from pi_client.reply import Key

# So long after the last word the server may still be deciding whether it was the last.
_SETTLING_S = 2.5
# Without any reply the talk ends after this long.
_NO_REPLY_S = 15.0


class Progress:
    """Follows a talk far enough to know whether anything is still to come.

    A recording has been answered when it ended at least 2.5 s ago, at least one turn of the
    person's was answered, the newest turn of which words were heard has its `reply_done`,
    all sound has been played and told, and the server listens. The words that the server says
    before the first turn (turn 0) are no answer. Failing that, it ends when for 15 s after the
    recording nothing of a reply came and nothing was played.
    """

    def __init__(self) -> None:
        self._heard: Key | None = None
        self._answered: Key | None = None
        self._activity = pb.State.LISTENING
        self._last_reply_at = 0.0

    def saw(self, response: pb.ConverseResponse, now: float) -> None:
        """Takes note of a response that came at `now`, in seconds of any one clock."""
        key = (response.turn, response.revision)
        match response.WhichOneof("event"):
            case "transcript":
                self._hear(key, response.transcript.text, response.transcript.final)
            case "reply_text" | "reply_audio":
                self._last_reply_at = now
                self._hear(key, "reply", False)
            case "reply_done":
                self._last_reply_at = now
                self._hear(key, "reply", False)
                if key[0] > 0:
                    self._answered = max(self._answered or key, key)
            case "state":
                self._activity = response.state.activity

    def over(self, now: float, ended_at: float, playing: bool) -> bool:
        """Whether the talk can end, `ended_at` being when the recording did."""
        if playing:
            self._last_reply_at = now
            return False
        if now - max(ended_at, self._last_reply_at) >= _NO_REPLY_S:
            return True
        return self._settled() and now - ended_at >= _SETTLING_S

    def _settled(self) -> bool:
        if self._heard is None or self._answered is None:
            return False
        return self._answered >= self._heard and self._activity == pb.State.LISTENING

    def _hear(self, key: Key, text: str, final: bool) -> None:
        if key[0] == 0:
            return
        if text:
            self._heard = max(self._heard or key, key)
        elif final and self._heard == key:
            # It was no word after all, and nobody answers it.
            self._heard = self._answered
