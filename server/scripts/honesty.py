"""The truth about what is speaking, and what it records, for whoever asks; it knows no model."""

import re

from server.safety import DISCLOSURE
from server.scripts import Line, Now
from server.scripts.consents import kept
from server.scripts.words import any_of, asks, core

NEVER_STORED = "Sound and pictures are never stored."
_HOW = (
    r"(?:(?:really|actually|even|just|only|some kind of|some sort of|like|maybe|possibly|secretly"
    r"|a|an|my|the|one|any|also|not) )*"
)
_MACHINE = any_of(
    r"machine|robot|bot|chat ?bot|computer(?: program)?|program|ai|a i|artificial intelligence",
    r"software|app|recording|language model|llm|voice assistant|artificial|automated",
)
_SOMEONE = any_of(
    r"(?:real|live|living|actual) (?:person|human|human being|man|woman)",
    r"human(?: being)?|person|man|woman",
)
_ALIVE = r"(?:real|alive|conscious|sentient)"
_HELPER = any_of(
    r"(?:(?:real|trained|licensed|qualified) )?(?:therapist|psychotherapist|doctor|psychologist)",
    r"(?:(?:real|trained|licensed|qualified) )?(?:psychiatrist|counsell?or|nurse|social worker)",
    r"professional|licensed|qualified|clinician",
)
_TAG = r"(?: (?:right|aren't you|are you|isn't it|huh|or (?:what|not|something)|yes or no|correct))"
_THING = any_of(_MACHINE, _SOMEONE, _HELPER, _ALIVE)
_OR = rf"(?: or {_HOW}{_THING})"
_ARE_YOU = any_of(
    r"are you|aren't you|am i (?:talking|speaking|chatting) (?:to|with)",
    r"is this(?= (?:\w+ )?(?:a|an|my) )",
)
_YOU_ARE = r"(?:you're|you are|i(?:'m| am) (?:talking|speaking) to)"
_ASKS_EITHER = re.compile(rf"{_ARE_YOU} {_HOW}(?:{_THING}{_OR}+|{_ALIVE}){_TAG}*")
_ASKS_MACHINE = re.compile(
    any_of(rf"{_ARE_YOU} {_HOW}{_MACHINE}{_TAG}*", rf"{_YOU_ARE} {_HOW}{_MACHINE}{_TAG}+")
)
_SAYS_MACHINE = re.compile(rf"{_YOU_ARE} {_HOW}{_MACHINE}")
"""Only as all of the words: "you're a machine, you would not know" is none."""
_ASKS_PERSON = re.compile(
    any_of(
        rf"{_ARE_YOU} {_HOW}(?:{_SOMEONE}|{_HELPER}){_TAG}*",
        rf"{_YOU_ARE} {_HOW}(?:{_SOMEONE}|{_HELPER}){_TAG}+",
    )
)
_ASKS_SOMEONE = re.compile(
    rf"is there {_HOW}{_SOMEONE} (?:there|here|behind (?:this|you)|on the other (?:end|side))"
)
_ASKS_WHO = re.compile(
    any_of(
        r"(?:who|what) (?:exactly )?are you(?: (?:exactly|really|anyway))?",
        r"who(?: is|'s) (?:this|there|speaking)|who am i (?:talking|speaking) (?:to|with)",
        r"what(?: is|'s) your name|what are you called",
        r"(?:are you|is this) (?:siri|alexa|chat ?gpt|google|copilot|gemini)",
    )
)
_TALK = r"(?:this|what (?:i|we) say|(?:this|our|the) (?:talks?|conversations?)|all (?:of )?this)"
_RECORD = r"(?:recording|record|taping|tape|filming|film)"
_ASKS_RECORDING = re.compile(
    any_of(
        rf"(?:are|do|will|did) you {_RECORD}(?: (?:me|us|everything|my voice|{_TALK}))?",
        rf"(?:is|are) (?:{_TALK}|my (?:voice|face)) (?:being )?(?:recorded|taped|filmed|stored)",
        r"am i being (?:recorded|filmed|taped)",
        r"(?:please )?(?:stop|don't) record(?:ing)?(?: (?:me|this|my voice))?",
        r"do you (?:keep|store|save) (?:the |my |any )?"
        r"(?:sound|voice|recordings?|pictures?|audio|video)",
        r"are you (?:always )?listening(?: (?:to me )?(?:all the time|always))",
        r"is (?:anyone|anybody|someone|somebody) (?:else listening(?: in)?|listening in)",
        r"who(?: is|'s)? else (?:is )?listening(?: in)?|who else can (?:hear|see) (?:me|us)",
        rf"who (?:else )?can (?:hear|read|see|listen to) {_TALK}",
    )
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
            says = pattern is _ASKS_MACHINE and _SAYS_MACHINE.fullmatch(core(words))
            if says or asks(pattern, words):
                return Line(f"{beginning} {DISCLOSURE}", discloses=True)
        return None

    def go_on(self, words: str, now: Now) -> Line | None:
        """Has nothing more to say."""
        return None
