"""Consents given, taken back and told by voice; it does not know how they are kept to."""

import re

from server.scripts import Consents, Line, Now
from server.scripts.asking import Asking, Question
from server.scripts.words import ASK, MAY, any_of, asks, core

CAMERA, MEMORY, EMOTION_LOG, SHARE = "camera", "memory", "emotion-log", "share"
ALL = frozenset({CAMERA, MEMORY, EMOTION_LOG, SHARE})
ERASING = frozenset({MEMORY, EMOTION_LOG})
"""Taken back, these erase what was kept under them."""
NO_EMOTIONS = "This house recognises no emotions, so that has no use here. I leave it off."
CAMERA_OFF = "The camera is off; I do not look at you any more."
_OR_NO = "Yes or no?"
_GIVE = {
    CAMERA: "Shall I see by your face, through the camera, how you feel? No picture is kept.",
    MEMORY: "Shall I keep what we say, on the machine I run on, until you tell me to forget it?",
    EMOTION_LOG: "Shall I keep the feelings that I see on your face, until you tell me to stop?",
    SHARE: "Shall your therapist be allowed to read what I keep, until you take that back?",
}
_GIVEN = {
    CAMERA: "I look now. Say: stop watching me, and I stop at once.",
    MEMORY: "From now on I keep what we say. You can always tell me to forget it.",
    EMOTION_LOG: "From now on I keep the feelings that I see. I see them only with the camera on.",
    SHARE: "Your therapist may read what I keep. Say: stop sharing, and it ends.",
}
_HELD = {
    CAMERA: "I am looking already. Say: stop watching me, and I stop at once.",
    MEMORY: "I keep what we say already. You can always tell me to forget it.",
    EMOTION_LOG: "I keep the feelings that I see already. You can always tell me to stop.",
    SHARE: "Your therapist may read it already. Say: stop sharing, and it ends.",
}
_TAKE = {
    MEMORY: "I will stop, and that also erases what I kept of our talks.",
    EMOTION_LOG: "I will stop, and that also erases the feelings that I kept.",
}
_TAKE_UNHELD = {
    MEMORY: "I am not keeping what we say. I can erase what I may have kept of earlier talks.",
    EMOTION_LOG: "I am not keeping your feelings. I can erase those that I may have kept earlier.",
}
_TAKEN = {
    MEMORY: "I no longer keep what we say, and I erased {rows}.",
    EMOTION_LOG: "I no longer keep your feelings, and I erased {rows}.",
    SHARE: "Nobody else may read what I keep from now on.",
}
_ALL_BACK = "I will take it all back, and that also erases what I kept."
_ALL_TAKEN = "The camera is off, I keep nothing more, and I erased {rows}."
_STILL_SEEN = "I could not turn it off just now, I am sorry. Please cover the camera."

# What is asked for.

_TALK = any_of(
    r"(?:this|the|our|my) (?:talks?|conversations?|chats?|words|sessions?)",
    r"what (?:i|we) (?:say|talk about|discuss|tell you)|everything i (?:say|tell you)",
    r"what (?:i'm|i am|we're|we are) (?:saying|telling you|talking about)",
)
_ALL_OF_IT = rf"(?:{_TALK}|this|all of this|any of this|everything|my (?:log|logs|data|diary))"
_IT = rf"(?:{_ALL_OF_IT}|it|that|them)"
_FEELINGS = r"(?:my|the) (?:feelings?|emotions?|moods?)"
_HELPER = any_of(
    r"therapist|doctor|counsell?or|psychologist|psychiatrist|nurse|gp|clinician",
    r"psychotherapist|social worker",
)
_READER = rf"(?:my|the) {_HELPER}"
_CAMERA = r"(?:the|my|your|that|this) camera"
_LOG = r"(?:(?:the|an|my) )?(?:emotion|mood|feelings?) (?:log|diary)"
_KEEP = r"(?:keep|save|store|remember)"
_NOTE = r"(?:keep|save|store|remember|log|note|record|track|keep track of|keep a log of|write down)"
_LOOK = r"(?:watch|look at|film|see)"
_NOT = r"(?:don't|not|never|stop trying to)"
_I_DO_NOT_WANT = r"i (?:don't|do not) want"
_MUST_NOT = r"you (?:may not|must not|mustn't|(?:are not|aren't) allowed to)"
_READ = r"(?:read|see|look at|have|know|hear)"
_ABOUT = r"(?:about|of|on|from) (?:me|us|our talks)"


def _asked(*ways: str) -> re.Pattern[str]:
    return re.compile(any_of(*ways))


_TO_GIVE = {
    CAMERA: _asked(
        rf"{MAY}{_LOOK} (?:me|my face)(?: (?:through|with|by) {_CAMERA})?",
        rf"{MAY}use {_CAMERA}|{ASK}(?:start|use) {_CAMERA}|camera on|{ASK}look at my face",
        rf"{ASK}(?:turn|switch|put) (?:on {_CAMERA}|{_CAMERA} (?:back )?on)",
    ),
    MEMORY: _asked(
        rf"(?:{MAY}|{ASK}){_KEEP} (?:{_TALK}|this)|you (?:can|may) remember me|memory on",
        rf"{ASK}(?:turn|switch) on (?:your|the) memory",
    ),
    EMOTION_LOG: _asked(
        rf"(?:{MAY}|{ASK}){_NOTE} {_FEELINGS}|{ASK}keep {_LOG}",
        rf"{ASK}(?:turn|switch) on {_LOG}|{_LOG} on",
    ),
    SHARE: _asked(
        rf"(?:{MAY}|{ASK})(?:share|show) (?:{_IT}|{_FEELINGS}) (?:with|to) {_READER}",
        rf"(?:{MAY}|{ASK})show {_READER} {_IT}|{MAY}tell {_READER}(?: {_IT}| about {_IT})?",
        rf"{ASK}(?:let|allow) {_READER}(?: to)? {_READ} (?:{_IT}|{_FEELINGS})",
        rf"my {_HELPER} (?:can|may|is allowed to) (?:read|see) (?:{_ALL_OF_IT}|{_FEELINGS})",
        rf"i(?:'d| would)? (?:want|like) my {_HELPER} to (?:read|see) (?:{_ALL_OF_IT}|{_FEELINGS})",
    ),
}
_TO_TAKE = {
    CAMERA: _asked(
        rf"{ASK}(?:stop|quit) (?:watching|looking at|filming|spying on|staring at)(?: me"
        r"| my face)?",
        rf"{ASK}{_NOT} (?:watch|film|spy on|stare at) (?:me|my face)"
        rf"|{_MUST_NOT} {_LOOK} me",
        rf"{ASK}(?:turn|switch|shut|put) (?:off {_CAMERA}|{_CAMERA} off)|(?:no )?camera off"
        r"|no camera",
        rf"{ASK}(?:close|stop|disable) {_CAMERA}|{_I_DO_NOT_WANT} {_CAMERA}(?: on)?",
        rf"i want {_CAMERA} off",
        rf"would you mind (?:turning|switching) (?:off {_CAMERA}|{_CAMERA} off)",
        rf"{_I_DO_NOT_WANT} (?:you to {_LOOK} me|to be (?:watched|filmed)(?: by you)?)",
    ),
    MEMORY: _asked(
        rf"{ASK}stop (?:remembering|keeping|saving|storing) (?:me|{_IT}|things about me)",
        rf"{ASK}stop remembering",
        rf"(?:{ASK}{_NOT}|{_MUST_NOT}|{_I_DO_NOT_WANT} you to) {_KEEP} "
        rf"(?:me|{_TALK}|this|any of this|anything (?:i say|about me))",
        rf"{ASK}(?:turn|switch) off (?:your|the) memory|memory off",
    ),
    EMOTION_LOG: _asked(
        rf"{ASK}stop (?:keeping|saving|storing|remembering|logging|noting|recording|tracking"
        rf"|keeping track of|keeping a log of) {_FEELINGS}",
        rf"(?:{ASK}{_NOT}|{_MUST_NOT}|{_I_DO_NOT_WANT} you to) {_NOTE} {_FEELINGS}",
        rf"{ASK}(?:turn|switch) off {_LOG}|{_LOG} off|{ASK}stop {_LOG}|no {_LOG}",
    ),
    SHARE: _asked(
        rf"{ASK}stop sharing(?: {_IT}| {_FEELINGS})?(?: with (?:{_READER}|anyone|anybody))?",
        rf"(?:{ASK}{_NOT}|{_MUST_NOT}|{_I_DO_NOT_WANT} you to) (?:share|show) "
        rf"(?:{_IT}|{_FEELINGS}|anything)(?: (?:with|to) (?:{_READER}|anyone|anybody))?",
        rf"(?:{ASK}{_NOT} let|{_I_DO_NOT_WANT}) {_READER}(?: to)? {_READ} (?:{_IT}|{_FEELINGS})",
        rf"{_READER} (?:can't|may not|must not|shouldn't|isn't allowed to) {_READ} "
        rf"(?:{_IT}|{_FEELINGS})",
    ),
}
_NO_LOOK = re.compile(rf"{ASK}{_NOT} look(?: at (?:me|my face))?")
"""Only as all of the words: "don't look at me, I don't know" is none."""
_TO_TAKE_ALL = _asked(
    r"i (?:take back|withdraw|revoke) (?:everything i (?:allowed|agreed to)"
    r"|(?:all |all of )?(?:my |the )?(?:consents?|permissions?)(?: i gave(?: you)?)?)"
)
_TO_TELL = _asked(
    r"what (?:do you|are you|have you|did you) (?:keep|keeping|kept|store|storing|stored|save"
    r"|saving"
    rf"|saved|record|recording)(?: {_ABOUT})?",
    rf"what do you (?:know|remember) {_ABOUT}",
    rf"what(?:'s| is) (?:kept|stored|saved)(?: {_ABOUT})?|is {_CAMERA} on",
    rf"(?:do|are|will) you (?:keep|keeping|store|storing|save|saving) {_IT}",
    r"what (?:have i|did i) (?:agreed|agree|consented|consent) to|(?:are you watching"
    r"|can you see) me",
)


class Consenting:
    """Gives consents and takes them back, after asking where it matters."""

    def __init__(self) -> None:
        self._asking = Asking()

    def begin(self, words: str, now: Now) -> Line | None:
        """Takes what is taken back before what is given: who asks for less gets it."""
        if asks(_TO_TAKE_ALL, words):
            return self._take_all(now)
        for consent, pattern in _TO_TAKE.items():
            if asks(pattern, words) or (consent == CAMERA and _NO_LOOK.fullmatch(core(words))):
                return self._take(consent, now)
        for consent, pattern in _TO_GIVE.items():
            if asks(pattern, words):
                return self._give(consent, now)
        return Line(kept(now.consents)) if asks(_TO_TELL, words) else None

    def go_on(self, words: str, now: Now) -> Line | None:
        """Follows the answer to its question."""
        return self._asking.answer(words, now)

    def again(self, now: Now) -> Line | None:
        """Asks what was put off while danger was near."""
        return self._asking.again(now)

    def _take(self, consent: str, now: Now) -> Line:
        wish = Consents(revoked=frozenset({consent}))
        if consent == CAMERA:
            return Line(CAMERA_OFF, wish, _STILL_SEEN)
        done = Line(_TAKEN[consent], wish)
        if consent not in ERASING:
            return done
        means = (_TAKE if consent in now.consents else _TAKE_UNHELD)[consent]
        return self._asking.ask(Question(f"{means} Shall I, yes or no?", done, True), now)

    def _take_all(self, now: Now) -> Line:
        done = Line(_ALL_TAKEN, Consents(revoked=ALL), _STILL_SEEN)
        line = self._asking.ask(Question(f"{_ALL_BACK} Shall I, yes or no?", done, True), now)
        if line.waits:
            return line
        # What erases nothing does not wait.
        wish = Consents(revoked=ALL - ERASING)
        return Line(f"The camera is off, and nobody may read. {line.say}", wish, _STILL_SEEN)

    def _give(self, consent: str, now: Now) -> Line:
        if consent in {CAMERA, EMOTION_LOG} and not now.emotions:
            return Line(NO_EMOTIONS)
        if consent in now.consents:
            return Line(_HELD[consent])
        done = Line(_GIVEN[consent], Consents(granted=frozenset({consent})))
        return self._asking.ask(Question(f"{_GIVE[consent]} {_OR_NO}", done), now)


def kept(consents: frozenset[str]) -> str:
    """Says in plain words what is kept of a person, and who may read it."""
    names = {MEMORY: "what we say", EMOTION_LOG: "the feelings that I see on your face"}
    things = " and ".join(name for consent, name in names.items() if consent in consents)
    said = (
        f"I keep {things}, until you tell me to forget."
        if things
        else "I keep nothing of you after goodbye."
    )
    if things and SHARE in consents:
        said += " Your therapist may read it."
    seen = "I look through the camera, but keep no picture." if CAMERA in consents else ""
    return f"{said} {seen or 'The camera is off.'}"
