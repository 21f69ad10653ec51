"""What the language model reads."""

from itertools import pairwise

from server.engines import LABELS, Message
from server.prompt import (
    FEELING_FROM,
    HISTORY_STEP,
    HISTORY_TURNS,
    MEMORY_CHARACTERS,
    PERSONA,
    Exchange,
    Situation,
    fold_system,
    in_view,
    messages,
)

TALK = [Exchange(f"I said {number}.", f"You answered {number}.") for number in range(1, 10)]


def test_the_persona_comes_first_and_the_words_last() -> None:
    chat = messages(Situation("I am tired.", TALK[:2]))
    assert chat[0] == Message("system", PERSONA)
    assert [one.role for one in chat[1:]] == ["user", "assistant"] * 2 + ["user"]
    assert chat[-1] == Message("user", "I am tired.")


def test_the_beginning_stays_the_same_from_turn_to_turn() -> None:
    first = messages(Situation("Words 1.", TALK[:2], "sadness", 0.9, ["I have a dog."]))
    second = messages(Situation("Words 2.", TALK[:3], "anger", 0.8, ["I have a cat."]))
    assert second[: len(first) - 1] == first[:-1]


def test_what_was_seen_and_recalled_stands_only_in_the_last_message() -> None:
    chat = messages(Situation("I am fine.", TALK[:3], "sadness", 0.9, ["My dog died."]))
    text = chat[-1].content
    assert text.endswith("\nI am fine.")
    assert text.index("My dog died.") < text.index("sad")
    assert "can be wrong" in text
    assert not any("dog" in one.content or "sad" in one.content for one in chat[1:-1])


def test_only_the_newest_exchanges_are_seen_again() -> None:
    chat = messages(Situation("More.", TALK))
    assert len(chat) == 2 * HISTORY_TURNS + 2
    assert chat[1].content == TALK[-HISTORY_TURNS].person


def test_the_oldest_exchanges_go_some_at_a_time() -> None:
    talk = [Exchange(f"I said {number}.", "Yes.") for number in range(30)]
    views = [in_view(talk[:count]) for count in range(30)]
    assert all(min(HISTORY_TURNS, count) <= len(view) for count, view in enumerate(views))
    assert max(map(len, views)) < HISTORY_TURNS + HISTORY_STEP
    begins = [view[0] for view in views[1:]]
    changes = sum(one != other for one, other in pairwise(begins))
    assert changes == (29 - HISTORY_TURNS) // HISTORY_STEP


def test_an_answer_that_nobody_heard_keeps_the_roles_in_turn() -> None:
    chat = messages(Situation("Hello?", [Exchange("Are you there?", "")]))
    assert [one.role for one in chat] == ["system", "user", "assistant", "user"]
    assert chat[2].content


def test_a_feeling_that_is_a_guess_or_neutral_is_not_told() -> None:
    assert (
        "look"
        in messages(Situation("Hm.", feeling="fear", feeling_probability=FEELING_FROM))[-1].content
    )
    for feeling, probability in (("fear", FEELING_FROM - 0.01), ("neutral", 0.99), ("", 0.0)):
        chat = messages(Situation("Hm.", feeling=feeling, feeling_probability=probability))
        assert chat[-1].content == "Hm."


def test_every_label_but_neutral_has_a_word() -> None:
    told = [messages(Situation("Hm.", feeling=label, feeling_probability=1)) for label in LABELS]
    assert sum("may look" in chat[-1].content for chat in told) == len(LABELS) - 1


def test_a_long_memory_is_cut_at_a_word() -> None:
    memory = "something\nhappened " * 40
    text = messages(Situation("Hm.", memories=[memory]))[-1].content
    assert len(text) < MEMORY_CHARACTERS + 60
    assert "happened …" in text or "something …" in text
    assert text.count("\n") == 1


def test_the_same_situation_gives_the_same_prompt() -> None:
    situation = Situation("Hm.", TALK, "fear", 0.9, ["A memory."])
    assert messages(situation) == messages(situation)


def test_a_system_message_folds_into_the_first_of_the_user() -> None:
    chat = [Message("system", "Be kind."), Message("user", "Hi."), Message("assistant", "Hello.")]
    assert fold_system(chat) == [Message("user", "Be kind.\n\nHi."), chat[2]]
    assert fold_system(chat[:1]) == [Message("user", "Be kind.")]
    assert fold_system(chat[1:]) == chat[1:]
    assert fold_system([]) == []


def test_a_long_talk_stays_within_the_context() -> None:
    history = [Exchange(f"{place} " + "word " * 100, "yes " * 60) for place in range(6)]
    chat = messages(Situation("And now?", history=history), most_characters=2000)
    assert sum(len(one.content) for one in chat) <= 2000
    assert [one.content[0] for one in chat if one.role == "user"] == ["4", "5", "A"]
    assert len(messages(Situation("And now?", history=history), most_characters=0)) == 2
