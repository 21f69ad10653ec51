"""What an utterance is read as before its meaning is judged."""

import pytest

from server.safety import in_context, readings
from server.safety.reading import LONGEST, MOST_PARTS, PART_WORDS, WHOLE_WORDS

BEFORE = ("U: I lost my job.", "A: That is hard. Are you safe?")


def test_words_are_read_alone_and_after_what_was_said() -> None:
    alone, after = readings("Not really.", BEFORE)
    assert alone == "Not really."
    assert after.endswith("Not really.")
    assert "I lost my job." in after
    assert "Are you safe?" in after


def test_without_anything_before_they_are_read_once() -> None:
    assert readings("Not really.", ()) == ["Not really."]
    assert in_context("Not really.", ()) == ""


@pytest.mark.parametrize("text", ["", "  ", "…", "🙂🙂", "\x00\x07"])
def test_what_has_no_words_is_not_read(text: str) -> None:
    assert readings(text, BEFORE) == []


def test_only_the_newest_lines_of_each_count_and_only_their_ends() -> None:
    lines = ("U: old words", "A: old question", f"U: {'x' * 500} end of mine", "A: newest question")
    after = in_context("yes", lines)
    assert "old" not in after
    assert "end of mine" in after
    assert len(after) < 2 * LONGEST + 60


def test_every_word_of_a_long_turn_is_in_a_part() -> None:
    words = [f"w{number}" for number in range(WHOLE_WORDS + 61)]
    parts = readings(" ".join(words), BEFORE)
    assert {word for part in parts for word in part.split()} == set(words)
    assert all(len(part.split()) <= PART_WORDS for part in parts)


def test_ten_thousand_words_are_read_in_the_newest_few_parts() -> None:
    parts = readings(" ".join(f"w{number}" for number in range(10_000)), ())
    assert len(parts) == MOST_PARTS
    assert parts[-1].endswith("w9999")
