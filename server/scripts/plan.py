"""A safety plan, made step by step by voice, read, changed and deleted.

It calls nobody, and does not know where a plan is kept.
"""

import re

from server.scripts import STEPS, Keep, Line, Now, Plan
from server.scripts.asking import UNDONE, Asking, Question
from server.scripts.contact import NEVER_CALLS, asks_whom, named, suggested
from server.scripts.words import ASK, WE, any_of, asks, core, cut, says

CONTACT = 3
"""The step that says whom to ask."""
MOST_CHARACTERS = 300
"""Of one step; longer ones are cut at a word."""
READ_CHARACTERS = 80
"""Of one step when the plan is read aloud."""
QUESTIONS = (
    "How do you notice that it is getting worse?",
    "What can you do by yourself that helps a little?",
    "Which people or places take your mind off it?",
    "Who is someone you could ask for help?",
    "Which doctor, therapist or help line could you turn to?",
    "How can you keep out of reach what could hurt you?",
)
BEGINNING = "We take six short steps; say skip or stop whenever you like."
GOING_ON = "We go on where we left off; say skip or stop whenever you like."
NO_HURRY = "Take your time."
NO_PLAN = "There is no plan yet. Say: make a safety plan, and we make one together."
MADE = "You have a plan already. Say: read my plan, or: change step one."
LEFT_OUT = "That is all right."
NOTHING = "All right, we leave it for another day."
STOPPED = "All right, we stop here, and what we have stays."
KEPT = "It is kept, and you can read it on your device at any time, even without me."
NOT_KEPT = (
    "It stays only until goodbye. Say: remember this talk, and it is kept, to read on your device."
)
DELETE = "Shall I delete your whole plan, for good? Yes or no?"
DELETED = "Your plan is deleted. We can make a new one whenever you like."
_THANKS = ("Thank you.", "Good.", "That is good to know.", "Thank you.", "Good.", "Thank you.")
_KEEP_FAILED = "I could not keep that just now, but I still know it."
_NUMBERS = {
    word: step
    for step, words in enumerate(
        (
            "one 1 first won",
            "two 2 second to too",
            "three 3 third free tree",
            "four 4 fourth for",
            "five 5 fifth",
            "six 6 sixth",
        )
    )
    for word in words.split()
}
_NAMES = (
    r"(?:how i notice.*|(?:the |my )?(?:warning )?signs?)",
    r"(?:what i can do.*)",
    r"(?:(?:the |my )?people and places|(?:the |my )?distractions?)",
    r"(?:who(?:m)? (?:i|to) (?:can |could )?(?:ask|call)(?: for help)?"
    r"|my (?:(?:trusted|emergency|safe) )?(?:person|contact))",
    r"(?:(?:the |my )?(?:professionals?|help ?lines?|doctors?)(?: and help ?lines?)?)",
    r"(?:(?:how i keep|what is|what's).* (?:out of reach|safe).*)",
)
"""Ways to name a step besides its number."""
_BAD = r"(?:bad|hard|worse|dark|rough|difficult|wrong)"
_A_PLAN = any_of(
    r"(?:safety|crisis) plan",
    rf"plan for (?:the |my |when (?:it|things) (?:gets?|goes?|is|are) )?{_BAD}"
    r"(?: (?:days?|times?|moments?|nights?|ones))?",
)
_MY_PLAN = r"(?:my (?:safety |crisis )?plan|(?:the|our) (?:safety|crisis) plan)"
_MAKE = any_of(
    r"make|create|write|build|do|start|begin|set up|work on|try|have",
    r"go on with|continue(?: with)?|finish|complete",
)
_TO_MAKE = re.compile(
    rf"(?:{WE}|{ASK}|i (?:want|need|would like|'d like) )(?:{_MAKE} )?(?:(?:me|us) )?"
    rf"(?:(?:a|the|my|our|another|that) )?(?:new )?{_A_PLAN}(?: with me| together)?"
)
_READ = r"(?:read|tell|show|say|hear|repeat|go (?:through|over)|what(?:'s| is)(?: in)?)"
_TO_READ = re.compile(
    any_of(
        rf"(?:{ASK}|{WE}){_READ}(?: me)?(?: out)? {_MY_PLAN}"
        r"(?: (?:back|to me|out loud|aloud|again|say))*",
        rf"what does {_MY_PLAN} say",
    )
)
_CHANGE = rf"(?:{ASK}|{WE})(?:change|redo|edit|update|correct|replace|fix)"
_OF_PLAN = r"(?: (?:of|in) (?:my|the) plan)?"
_TO_CHANGE_NUMBER = re.compile(
    rf"{_CHANGE} (?:the )?(?:(?:step|number|point|part)(?: number)? (?P<n>\w+)"
    rf"|(?P<nth>\w+) (?:step|point|part)){_OF_PLAN}"
)
_TO_CHANGE = tuple(re.compile(rf"{_CHANGE} {name}{_OF_PLAN}") for name in _NAMES)
_TO_DELETE = re.compile(
    rf"(?:{ASK}|{WE})(?:delete|erase|remove|forget|clear|throw away) (?:all of )?{_MY_PLAN}"
)
_MURMURS = re.compile(r"^(?:(?:uh+|um+|er|h?mm+|well|so|okay|ok)\b[, .]*)+", re.IGNORECASE)


class Planning:
    """Asks for each step that is open, and has what there is kept after each answer.

    So nothing is lost where the talk is broken off, or danger comes between.
    """

    def __init__(self) -> None:
        self._asking = Asking()
        self._plan = Plan()
        self._open: list[int] = []
        """Steps that are still to be asked for; the first is being asked for."""
        self._makes = False
        """Whether the whole plan is being made, and not one step changed."""

    def begin(self, words: str, now: Now) -> Line | None:
        """Makes, reads, changes or deletes a plan, or tells whom to ask."""
        if asks(_TO_DELETE, words):
            self._take([], now)
            question = Question(DELETE, Line(DELETED, Keep(Plan())), erases=True)
            return self._asking.ask(question, now) if now.plan else Line(NO_PLAN)
        if asks(_TO_READ, words) or core(words) == "my plan":
            return Line(_read(now.plan) or NO_PLAN)
        if (step := _step_to_change(words)) is not None:
            self._take([step], now)
            return Line(f"{_so_far(now.plan, step)}{QUESTIONS[step]}", waits=True)
        if asks_whom(words):
            self._take([] if now.plan.contact else [CONTACT], now)
            return Line(suggested(now.plan.contact, now.lines), waits=not now.plan.contact)
        if (line := _contact(words, now.plan)) is not None:
            return line
        return self._make(now) if asks(_TO_MAKE, words, however_long=True) else None

    def go_on(self, words: str, now: Now) -> Line | None:
        """Takes any words for the answer to the step that is being asked for."""
        if not self._open:
            return self._asking.answer(words, now)
        question = QUESTIONS[self._open[0]]
        if says("stop", words):
            return self._stop(now)
        if says("again", words):
            return Line(question, waits=True)
        if says("thinking", words):
            return Line(f"{NO_HURRY} {question}", waits=True)
        step = self._open.pop(0)
        if says("skip", words):
            return self._next(LEFT_OUT, now)
        text = cut(_MURMURS.sub("", words.strip()), MOST_CHARACTERS)
        self._plan = _with(self._plan, step, text)
        return self._next(_THANKS[step] if self._makes else _told(step, text), now)

    def again(self, now: Now) -> Line | None:
        """Asks what was put off while danger was near."""
        return self._asking.again(now)

    def _take(self, open_steps: list[int], now: Now, makes: bool = False) -> None:
        self._plan, self._open, self._makes = now.plan, open_steps, makes

    def _make(self, now: Now) -> Line:
        self._take([step for step, text in enumerate(now.plan.texts) if not text], now, makes=True)
        if not self._open:
            return Line(MADE)
        begins = GOING_ON if now.plan else BEGINNING
        return Line(f"{begins} {QUESTIONS[self._open[0]]}", waits=True)

    def _next(self, said: str, now: Now) -> Line:
        wish = Keep(self._plan) if self._plan != now.plan else None
        if self._open:
            question = QUESTIONS[self._open[0]]
            failed = f"{_KEEP_FAILED} {question}"
            return Line(f"{said} {question}", wish, failed, waits=True)
        if not self._makes:
            return Line(said, wish, _KEEP_FAILED)
        if not self._plan:
            return Line(NOTHING)
        say = f"This is your plan. {_read(self._plan)} {_kept(now)}"
        return Line(say, Keep(self._plan), f"{_KEEP_FAILED} {_read(self._plan)}")

    def _stop(self, now: Now) -> Line:
        self._open = []
        if not self._makes:
            return Line(UNDONE)
        if not self._plan:
            return Line(NOTHING)
        return Line(f"{STOPPED} {_kept(now)}", Keep(self._plan), _KEEP_FAILED)


def _contact(words: str, plan: Plan) -> Line | None:
    """Takes whom the person trusts into the plan."""
    who, only = named(words)
    if not who or (not only and who.casefold() in plan.contact.casefold()):
        return None
    text = who if only or not plan.contact else f"{plan.contact}; {who}"
    wish = Keep(_with(plan, CONTACT, cut(text, MOST_CHARACTERS)))
    return Line(f"I noted whom you can ask: {who}. {NEVER_CALLS}.", wish, _KEEP_FAILED)


def _step_to_change(words: str) -> int | None:
    if match := asks(_TO_CHANGE_NUMBER, words):
        return _NUMBERS.get(match["n"] or match["nth"])
    return next((step for step, one in enumerate(_TO_CHANGE) if asks(one, words)), None)


def _with(plan: Plan, step: int, text: str) -> Plan:
    return Plan((*plan.texts[:step], text, *plan.texts[step + 1 :]))


def _told(step: int, text: str) -> str:
    return f"{STEPS[step]}: {cut(text, READ_CHARACTERS).rstrip('.!?,;: ')}."


def _read(plan: Plan) -> str:
    return " ".join(_told(step, text) for step, text in enumerate(plan.texts) if text)


def _so_far(plan: Plan, step: int) -> str:
    return f"Until now: {cut(text, READ_CHARACTERS)}. " if (text := plan.texts[step]) else ""


def _kept(now: Now) -> str:
    return KEPT if "memory" in now.consents else NOT_KEPT
