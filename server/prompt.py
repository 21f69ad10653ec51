"""What the language model reads; training reads the same. It does not know any model.

The order keeps the beginning the same from turn to turn, so that a model which keeps its
prefix reads only what is new: persona, then history, then what was seen and recalled, then
the words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.engines import Message

PERSONA = (
    "You are TADBot, a kind listener for someone in a low moment. You are a computer program, "
    "not a person and not a therapist. Speak plain English, as in a talk: one or two short "
    "sentences, no lists. Say back what the person feels, then ask one gentle question. Give "
    "no diagnosis, no medical advice and no phone numbers."
)
"""Who speaks. Short, because small models lose what is long and a Pi reads it slowly."""
HISTORY_TURNS, HISTORY_STEP = 6, 3
"""Exchanges of the talk that the model sees again, at least; the oldest are left out some at a
time, so that what follows them stays in the model's cache for the turns between."""
MEMORY_CHARACTERS = 160
"""Of one memory; longer ones are cut at a word."""
CHARACTERS_PER_TOKEN = 3
"""Of English in the vocabularies of small models, on the safe side of 4."""
MOST_CHARACTERS = CHARACTERS_PER_TOKEN * 1900
"""Of a prompt, for a context of 2048 tokens."""
FEELING_FROM = 0.5
"""Probability from which a feeling is told to the model; below, it would be a guess."""
_LOOKS = {
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprised",
    "fear": "afraid",
    "disgust": "repelled",
    "anger": "angry",
}


@dataclass(frozen=True)
class Exchange:
    """One earlier turn: what the person said and what they heard of the answer."""

    person: str
    tadbot: str


@dataclass(frozen=True)
class Situation:
    """What is known when a reply is due."""

    words: str
    history: Sequence[Exchange] = ()
    feeling: str = ""
    """A label of LABELS; "" where no face was seen."""
    feeling_probability: float = 0.0
    memories: Sequence[str] = ()
    """Earlier words of this person that are near to these, the nearest first."""


def messages(situation: Situation, most_characters: int = MOST_CHARACTERS) -> list[Message]:
    """Lays out the chat for the model, the newest words last.

    most_characters: of all messages together; the oldest exchanges are left out beyond it.
    """
    notes = _notes(situation)
    newest = f"({' '.join(notes)})\n{situation.words}" if notes else situation.words
    room = most_characters - len(PERSONA) - len(newest)
    chat = [Message("system", PERSONA)]
    for exchange in _newest_within(room, in_view(situation.history)):
        chat.append(Message("user", exchange.person))
        if exchange.tadbot:
            chat.append(Message("assistant", exchange.tadbot))
        else:
            chat.append(Message("assistant", "…"))
    return [*chat, Message("user", newest)]


def in_view(history: Sequence[Exchange]) -> Sequence[Exchange]:
    """Gives the exchanges of a talk that the model sees again, the newest last."""
    over = max(0, len(history) - HISTORY_TURNS)
    return history[over // HISTORY_STEP * HISTORY_STEP :]


def _newest_within(room: int, history: Sequence[Exchange]) -> Sequence[Exchange]:
    for count, exchange in enumerate(reversed(history)):
        room -= len(exchange.person) + len(exchange.tadbot)
        if room < 0:
            return history[len(history) - count :]
    return history


def _notes(situation: Situation) -> list[str]:
    notes = [f'Earlier they told you: "{_shorten(memory)}"' for memory in situation.memories]
    look = _LOOKS.get(situation.feeling, "")
    if look and situation.feeling_probability >= FEELING_FROM:
        notes.append(f"They may look {look}, which can be wrong.")
    return notes


def _shorten(text: str) -> str:
    flat = " ".join(text.split())
    if len(flat) <= MEMORY_CHARACTERS:
        return flat
    return flat[:MEMORY_CHARACTERS].rsplit(" ", 1)[0] + " …"


def fold_system(chat: Sequence[Message]) -> list[Message]:
    """Puts the system message in front of the first user message, for models without one."""
    if not chat or chat[0].role != "system":
        return list(chat)
    first = chat[1] if len(chat) > 1 else Message("user", "")
    return [Message("user", f"{chat[0].content}\n\n{first.content}".strip()), *chat[2:]]
