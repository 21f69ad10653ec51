"""The truth about what is speaking, and what it records, for whoever asks; it knows no model."""

import re

from server.safety import DISCLOSURE
from server.scripts import Line, Now
from server.scripts.consents import kept
from server.scripts.words import asks

NEVER_STORED = "Sound and pictures are never stored."
_HOW = (
    r"(?:(?:really|actually|even|just|only|some kind of|some sort of|like|maybe|possibly|secretly"
    r"|a|an|my|the|one|any|also|not) )*"
)
_MACHINE = (
    r"(?:machine|robot|bot|chat ?bot|computer(?: program)?|program|ai|a i|artificial intelligence"
    r"|software|app|recording|language model|llm|voice assistant|artificial|automated)"
)
_SOMEONE = (
    r"(?:(?:real|live|living|actual) (?:person|human|human being|man|woman)|human(?: being)?|person"
    r"|man|woman)"
)
_ALIVE = r"(?:real|alive|conscious|sentient)"
_HELPER = (
    r"(?:(?:real|trained|licensed|qualified) )?(?:therapist|psychotherapist|doctor|psychologist"
    r"|psychiatrist|counsell?or|nurse|social worker|professional|licensed|qualified|clinician)"
)
_TAG = r"(?: (?:right|aren't you|are you|isn't it|huh|or what|or not|yes or no|correct))*"
_THING = rf"(?:{_MACHINE}|{_SOMEONE}|{_HELPER}|{_ALIVE})"
_OR = rf"(?: or {_HOW}{_THING})"
_YOU_ARE = (
    r"(?:are you|aren't you|am i (?:talking|speaking|chatting) (?:to|with)"
    r"|is this(?= (?:\w+ )?(?:a|an|my) ))"
)
_TOLD = r"(?:you're|you are|i(?:'m| am) (?:talking|speaking) to)"


def _whether(thing: str) -> re.Pattern[str]:
    """Makes the pattern of the question whether this is such a thing, alone or with a tag."""
    told = rf"{_TOLD} {_HOW}{thing} (?:right|aren't you|are you|isn't it|huh|correct)"
    return re.compile(rf"{_YOU_ARE} {_HOW}{thing}{_TAG}|{told}")


_ASKS_EITHER = re.compile(rf"{_YOU_ARE} {_HOW}(?:{_THING}{_OR}+|{_ALIVE}){_TAG}")
_ASKS_MACHINE = _whether(_MACHINE)
_ASKS_PERSON = _whether(rf"(?:{_SOMEONE}|{_HELPER})")
_ASKS_SOMEONE = re.compile(
    rf"is there {_HOW}{_SOMEONE} (?:there|here|behind (?:this|you)|on the other (?:end|side))"
)
_ASKS_WHO = re.compile(
    r"(?:who|what) (?:exactly )?are you(?: (?:exactly|really|anyway))?"
    r"|who(?: is|'s) (?:this|there|speaking)"
    r"|who am i (?:talking|speaking) (?:to|with)|what(?: is|'s) your name|what are you called"
    r"|(?:are you|is this) (?:siri|alexa|chat ?gpt|google|copilot|gemini)"
)
_ASKS_RECORDING = re.compile(
    r"(?:are|do|will|did) you (?:recording|record|taping|tape|filming|film)(?: (?:me|this|us"
    r"|everything"
    r"|what i say|my voice|(?:this|our|the) (?:talk|conversation)|all (?:of )?this))?"
    r"|is this (?:being )?(?:recorded|taped|filmed)|am i being (?:recorded|filmed|taped)"
    r"|(?:are|is) (?:you|this|my (?:voice|sound|face)) (?:being )?(?:recorded|stored|saved)"
    r"|(?:please )?(?:stop|don't) record(?:ing)?(?: (?:me|this|my voice))?"
    r"|do you (?:keep|store|save) (?:the |my |any )?(?:sound|voice|recordings?|pictures?|audio"
    r"|video)"
    r"|are you (?:always )?listening(?: (?:to me )?(?:all the time|always))"
    r"|is (?:anyone|anybody|someone|somebody) (?:else listening(?: in)?|listening in)"
    r"|who(?: is|'s)? else (?:is )?listening(?: in)?"
    r"|who (?:else )?can (?:hear|read|see|listen to) (?:this|what (?:i|we) say|our (?:talks?"
    r"|conversation))"
    r"|who else can (?:hear|see) (?:me|us)"
)


class Honesty:
    """Says that this is a machine whenever somebody asks."""

    def begin(self, words: str, now: Now) -> Line | None:
        """Answers at once; it has no second line."""
        if asks(_ASKS_RECORDING, words):
            return Line(f"{NEVER_STORED} {kept(now.consents)}")
        for pattern, beginning in (
            (_ASKS_EITHER, "It is good that you ask."),
            (_ASKS_MACHINE, "Yes, I am."),
            (_ASKS_PERSON, "No, and it is good that you ask."),
            (_ASKS_SOMEONE, "No, it is only me."),
            (_ASKS_WHO, "I am TADBot."),
        ):
            if asks(pattern, words):
                return Line(f"{beginning} {DISCLOSURE}", discloses=True)
        return None

    def go_on(self, words: str, now: Now) -> Line | None:
        """Has nothing more to say."""
        return None
