"""A safety plan by voice: made, read, changed, deleted; and whom the person trusts."""

from dataclasses import replace

import pytest

from server.safety import help_lines
from server.scripts import STEPS, Keep, Line, Now, Plan
from server.scripts.asking import LATER, UNDONE
from server.scripts.contact import NEVER_CALLS
from server.scripts.plan import (
    BEGINNING,
    CONTACT,
    DELETED,
    GOING_ON,
    KEPT,
    LEFT_OUT,
    MADE,
    MOST_CHARACTERS,
    NO_PLAN,
    NOT_KEPT,
    NOTHING,
    QUESTIONS,
    STOPPED,
    Planning,
)

FULL = Plan(
    (
        "I stop answering messages.",
        "a walk to the river",
        "the café, my choir",
        "my sister Anna",
        "Dr Moss",
        "the pills stay at my sister's",
    )
)
PART = Plan((*FULL.texts[:2], "", "", "", ""))
MAKES = [
    "Make a safety plan.",
    "Let's make a plan for bad days.",
    "safety plan",
    "uh could you help me make a safety plan please",
    "TADBot, can we make a plan for when it gets bad?",
    "I'd like to make a safety plan",
    "I need a safety plan.",
    "let's go on with the safety plan",
    "I think I need a safety plan.",
    "can you help me with a safety plan",
    "It was such a long week and I have told you about my marriage and my son and the house and "
    "all that, and I think I am ready for it now. Can we make a safety plan?",
]
READS = [
    "Read my plan.",
    "what is my plan",
    "What's my plan?",
    "could you read me my safety plan",
    "Tell me my plan.",
    "read my safety plan back to me please",
]
CHANGES = {
    2: ["Change step three.", "change step 3", "please change the third step", "redo step free"],
    1: ["change step to", "Change step two, please."],
    CONTACT: ["Change whom I can ask.", "change who I can call", "I want to change step four"],
    4: ["change the help lines"],
    0: ["change how I notice that it gets worse"],
}
DELETES = ["Delete my plan.", "please erase my safety plan", "forget my plan"]
ASKS_WHOM = [
    "Who can I call?",
    "who can I ask for help",
    "uh whom can I talk to",
    "Who could I turn to when it gets bad?",
    "who is my trusted person",
]
NOTHING_BEGUN = [
    "we made a plan for dinner",
    "let's make a plan for dinner",
    "Let's make a plan.",
    "I have a plan",
    "My plan is to go home.",
    "what's the plan",
    "What's your plan?",
    "my doctor says I need a safety plan",
    "The plan failed.",
    "forget the plan",
    "change the channel",
    "I want to change",
    "step three was hard",
    "Who can I ask about my taxes?",
    "who can I trust with this secret of mine that is so old",
    "who could do this to me",
    "He is the one I trust.",
    "You are the only one I trust.",
    "Nobody is someone I can call.",
    "My mother isn't the one I trust",
    "I don't think my sister is the one I trust.",
    "God is the only one I trust",
    "My sister told me that he is the one I trust",
    "call my sister",
    "My old friend from the school down by the big river is the one I trust",
    "I trust you the most.",
    "that was the end of it, my plan, you know",
    "stop",
    "yes",
    "",
]


def begun(words: str, now: Now | None = None) -> tuple[Planning, Line]:
    script = Planning()
    line = script.begin(words, now or Now())
    assert line is not None, words
    return script, line


def made(*answers: str, now: Now | None = None) -> list[Line]:
    """Makes a plan, with the plan known to the script as far as it was to be kept."""
    now = now or Now()
    script, line = begun("make a safety plan", now)
    lines = [line]
    for words in answers:
        assert lines[-1].waits
        answered = script.go_on(words, now)
        assert answered is not None
        lines.append(answered)
        if isinstance(answered.wish, Keep):
            now = replace(now, plan=answered.wish.plan)
    return lines


@pytest.mark.parametrize("words", MAKES)
def test_it_begins_with_the_first_step(words: str) -> None:
    _, line = begun(words)
    assert line == Line(f"{BEGINNING} {QUESTIONS[0]}", waits=True)


def test_each_answer_is_kept_and_leads_to_the_next_step() -> None:
    lines = made(*FULL.texts)
    for number, line in enumerate(lines[1:6], start=1):
        assert line.say.endswith(QUESTIONS[number])
        assert line.waits
        assert line.wish == Keep(Plan((*FULL.texts[:number], *[""] * (6 - number))))
    assert lines[-1].wish == Keep(FULL)
    assert not lines[-1].waits


def test_where_keeping_fails_the_plan_goes_on() -> None:
    line = made("I stop answering")[-1]
    assert line.failed.endswith(QUESTIONS[1])


def test_there_is_one_question_for_each_step() -> None:
    assert len(QUESTIONS) == len(STEPS) == len(Plan().texts)
    assert all(one.count("?") == 1 and one.endswith("?") for one in QUESTIONS)


def test_at_the_end_it_is_read_back() -> None:
    said = made(*FULL.texts)[-1].say
    for title, text in zip(STEPS, FULL.texts, strict=True):
        assert f"{title}: {text.rstrip('.')}." in said


def test_it_says_plainly_whether_it_stays() -> None:
    assert made(*FULL.texts)[-1].say.endswith(NOT_KEPT)
    kept = made(*FULL.texts, now=Now(consents=frozenset({"memory"})))[-1].say
    assert kept.endswith(KEPT)


@pytest.mark.parametrize("words", ["Skip.", "next", "nothing", "I don't know", "skip it please"])
def test_a_step_may_be_left_out(words: str) -> None:
    lines = made(words, "a walk")
    assert lines[1] == Line(f"{LEFT_OUT} {QUESTIONS[1]}", failed=lines[1].failed, waits=True)
    assert lines[2].wish == Keep(Plan(("", "a walk", "", "", "", "")))


def test_a_plan_without_any_answer_is_none() -> None:
    assert made(*["skip"] * 6)[-1] == Line(NOTHING)
    assert made("stop")[-1] == Line(NOTHING)


@pytest.mark.parametrize(
    "words", ["Stop.", "let's stop here", "that's enough", "I'm done", "not now"]
)
def test_stop_ends_it_and_keeps_what_there_is(words: str) -> None:
    line = made("I stop answering", words)[-1]
    assert line.wish == Keep(Plan(("I stop answering", "", "", "", "", "")))
    assert line.say == f"{STOPPED} {NOT_KEPT}"
    assert not line.waits


@pytest.mark.parametrize("words", ["Repeat, please.", "what?", "could you say that again"])
def test_a_question_is_asked_again(words: str) -> None:
    assert made("skip", words)[-1] == Line(QUESTIONS[1], waits=True)


@pytest.mark.parametrize("words", ["Okay.", "yes", "hmm", "let me think", "give me a moment"])
def test_who_thinks_is_given_time_and_nothing_is_written_down(words: str) -> None:
    line = made(words)[-1]
    assert line.say.endswith(QUESTIONS[0])
    assert line.wish is None
    assert line.waits


def test_a_long_answer_is_cut_at_a_word() -> None:
    text = "walking " * 60
    wish = made("skip", text)[-1].wish
    assert isinstance(wish, Keep)
    assert len(wish.plan.texts[1]) <= MOST_CHARACTERS
    assert set(wish.plan.texts[1].split()) == {"walking"}
    one_word = made("x" * 400)[-1].wish
    assert isinstance(one_word, Keep)
    assert len(one_word.plan.texts[0]) == MOST_CHARACTERS


def test_murmurs_are_no_part_of_the_plan() -> None:
    wish = made("Um, well,  I stop\nanswering.")[-1].wish
    assert wish == Keep(Plan(("I stop answering.", "", "", "", "", "")))


def test_words_in_braces_are_not_taken_for_a_count() -> None:
    line = made("skip", "{x} and {rows:9}", now=Now())[-1]
    assert line.told(3) == line.say


def test_a_plan_that_was_broken_off_goes_on_at_its_first_open_step() -> None:
    script, line = begun("make a safety plan", Now(plan=PART))
    assert line.say == f"{GOING_ON} {QUESTIONS[2]}"
    following = script.go_on("my choir", Now(plan=PART))
    assert following is not None
    assert following.wish == Keep(Plan((*PART.texts[:2], "my choir", "", "", "")))


def test_a_whole_plan_is_not_made_twice() -> None:
    assert begun("make a safety plan", Now(plan=FULL))[1] == Line(MADE)


@pytest.mark.parametrize("level", ["none", "high", "imminent"])
@pytest.mark.parametrize("words", READS)
def test_it_is_read_at_any_level(words: str, level: str) -> None:
    line = begun(words, Now(plan=PART, level=level))[1]
    assert FULL.texts[1] in line.say
    assert STEPS[2] not in line.say
    assert not line.waits
    assert begun(words)[1] == Line(NO_PLAN)


def test_what_is_read_is_short() -> None:
    long = Plan(("walking " * 30,) * 6)
    assert len(begun("read my plan", Now(plan=long))[1].say) < 900


@pytest.mark.parametrize(
    ("step", "words"), [(step, one) for step, said in CHANGES.items() for one in said]
)
def test_one_step_is_asked_anew(step: int, words: str) -> None:
    now = Now(plan=FULL)
    script, line = begun(words, now)
    assert line.say.endswith(QUESTIONS[step])
    assert FULL.texts[step] in line.say
    assert line.waits
    done = script.go_on("something new", now)
    assert done is not None
    texts = list(FULL.texts)
    texts[step] = "something new"
    assert done.wish == Keep(Plan(tuple(texts)))
    assert "something new" in done.say
    assert not done.waits


@pytest.mark.parametrize("words", ["Stop.", "leave it", "skip"])
def test_a_change_that_is_stopped_changes_nothing(words: str) -> None:
    now = Now(plan=FULL)
    script, _ = begun("change step one", now)
    line = script.go_on(words, now)
    assert line is not None
    assert line.say in (UNDONE, LEFT_OUT)
    assert line.wish is None
    assert not line.waits


@pytest.mark.parametrize("words", DELETES)
def test_it_is_deleted_after_one_question(words: str) -> None:
    now = Now(plan=FULL)
    script, line = begun(words, now)
    assert line.waits
    assert line.wish is None
    assert script.go_on("yes", now) == Line(DELETED, Keep(Plan()))
    script, _ = begun(words, now)
    assert script.go_on("no", now) == Line(UNDONE)
    script, _ = begun(words, now)
    assert script.go_on("my sister called", now) is None
    assert begun(words)[1] == Line(NO_PLAN)


@pytest.mark.parametrize("level", ["high", "imminent"])
def test_near_danger_it_is_not_deleted_but_asked_again_later(level: str) -> None:
    script, line = begun(DELETES[0], Now(plan=FULL, level=level))
    assert line == Line(LATER)
    again = script.again(Now(plan=FULL))
    assert again is not None
    assert again.behind
    assert script.go_on("yes", Now(plan=FULL)) == Line(DELETED, Keep(Plan()))


@pytest.mark.parametrize("words", ASKS_WHOM)
def test_who_asks_whom_to_call_hears_whom_they_trust(words: str) -> None:
    line = begun(words, Now(plan=FULL))[1]
    assert "my sister Anna" in line.say
    assert NEVER_CALLS in line.say
    assert not line.waits


@pytest.mark.parametrize("words", ASKS_WHOM)
def test_who_named_nobody_is_asked_and_hears_of_the_help_line(words: str) -> None:
    script, line = begun(words, Now(lines=help_lines("GB")))
    assert "Samaritans" in line.say
    assert NEVER_CALLS in line.say
    assert line.waits
    done = script.go_on("My neighbour Jo.", Now())
    assert done is not None
    assert done.wish == Keep(Plan(("", "", "", "My neighbour Jo.", "", "")))
    assert "My neighbour Jo" in done.say
    assert begun(words)[1].waits


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("My sister is the one I trust.", "My sister"),
        ("uh, my sister Anna is the one I trust most", "my sister Anna"),
        ("My trusted person is Dr. Moss.", "Dr Moss"),
        ("My trusted person is my brother Ravi.", "my brother Ravi"),
        ("my emergency contact is Aunt Mary", "Aunt Mary"),
        ("The person I can call is my friend Lee.", "my friend Lee"),
        ("My mum and dad are the ones I can talk to.", "My mum and dad"),
        ("My friend Lee is somebody I can call", "My friend Lee"),
        ("I trust my sister the most.", "my sister"),
    ],
)
def test_whom_the_person_trusts_is_said_back_and_kept(words: str, who: str) -> None:
    line = begun(words)[1]
    assert who in line.say
    assert NEVER_CALLS in line.say
    assert line.wish == Keep(Plan(("", "", "", who, "", "")))


def test_trust_told_by_the_way_adds_and_a_plain_name_replaces() -> None:
    now = Now(plan=FULL)
    added = begun("My brother is the one I trust", now)[1].wish
    assert isinstance(added, Keep)
    assert added.plan.contact == "my sister Anna; My brother"
    named = begun("My trusted person is my brother", now)[1].wish
    assert isinstance(named, Keep)
    assert named.plan.contact == "my brother"
    assert Planning().begin("My sister Anna is the one I trust", now) is None


@pytest.mark.parametrize("words", NOTHING_BEGUN)
def test_ordinary_talk_begins_nothing(words: str) -> None:
    assert Planning().begin(words, Now()) is None
    assert Planning().begin(words, Now(plan=FULL)) is None
