"""The texts that an utterance is read as: alone, in parts, after others; it judges nothing."""

from collections.abc import Sequence

LONGEST = 100
"""Characters of an earlier line that are looked at, from its end."""
WHOLE_WORDS = 50
"""Longest utterance that is read as a whole: in a longer one a single sentence would drown."""
PART_WORDS, STEP_WORDS = 40, 30
"""Length of a part of a longer one, and how far the next part begins behind it."""
MOST_PARTS = 8
"""Parts that are read, the newest: some 250 words. Patterns see all of them."""


def texts(text: str, context: Sequence[str]) -> list[str]:
    """Gives the texts whose meaning is judged, those of the words alone first; [] for no words.

    context: earlier lines, oldest first, each beginning with `U: ` or `A: `.
    """
    words = text.split()
    if not any(character.isalnum() for character in text):
        return []
    if not is_whole(text):
        starts = range(0, len(words) - PART_WORDS + STEP_WORDS, STEP_WORDS)
        parts = [" ".join(words[start : start + PART_WORDS]) for start in starts]
        return parts[-MOST_PARTS:]
    after = in_context(text, context)
    return [text, after] if after else [text]


def is_whole(text: str) -> bool:
    """Whether words are read as a whole, and after what was said; else they are read in parts."""
    return len(text.split()) <= WHOLE_WORDS


def in_context(text: str, context: Sequence[str]) -> str:
    """Joins the newest line of the person, the newest of the companion, and the words.

    Gives "" where nothing was said before.
    """
    own = next((line[2:].strip() for line in reversed(context) if line.startswith("U:")), "")
    asked = next((line[2:].strip() for line in reversed(context) if line.startswith("A:")), "")
    if not own and not asked:
        return ""
    return f"I said: {own[-LONGEST:]} You said: {asked[-LONGEST:]} I say: {text}"
