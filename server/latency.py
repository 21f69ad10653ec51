"""Where the time of a turn went: from marks to milliseconds; it measures nothing itself."""

from tadbot.v1 import companion_pb2 as pb

from server.engines import Usage
from server.reply import Reply
from server.turns import Said


def measure(said: Said, reply: Reply) -> dict[str, float]:
    """Adds the stages of a reply to those of what it answers.

    Returns milliseconds by the duration fields of `TurnLatency`; a stage that did not run is
    left out. A reply that was begun ahead has the times that its stages took, not those that
    were waited for.
    """
    timing, stages = reply.timing, dict(said.stages)
    ended_at = said.utterance.ended_at if said.utterance is not None else None
    spans = {
        "first_token": (timing.prompt_at, timing.first_piece_at),
        "first_clause": (timing.prompt_at, timing.first_clause_at),
        "text_to_speech": (timing.first_text_at, timing.first_sound_at),
        "first_sound": (ended_at, timing.first_sound_at),
    }
    for name, (begin, end) in spans.items():
        if begin is not None and end is not None:
            stages[name] = 1000 * (end - begin)
    return stages


def message(stages: dict[str, float], usage: Usage) -> pb.TurnLatency:
    """Turns stages, and what the prompt cost, into the contract's words."""
    latency = pb.TurnLatency(prompt_tokens=usage.prompt_tokens, cached_tokens=usage.cached_tokens)
    for name, milliseconds in stages.items():
        getattr(latency, name).FromMicroseconds(int(1000 * milliseconds))
    return latency
