"""What is said at each level of danger, word for word; no model writes these sentences.

Two short sentences at most, and never the same twice in a row. Nobody with clinical training has
reviewed them.
"""

from server.safety.help_lines import HelpLines
from server.safety.noticing import Assessment

DISCLOSURE = "I am a computer program, not a person and not a therapist."
"""What a person is told before they tell anything."""
NOT_REVIEWED = (
    "TADBot is support, not therapy, not a medical device and not an emergency service. Neither "
    "its wording nor its classifier of danger has been reviewed by a clinician, nor the other "
    "languages by their speakers: it will miss people in danger. Read SAFETY.md."
)
"""What whoever installs it is told."""
CHECK_IN = "When we last talked, things were very hard for you. How are you now, are you safe?"
"""What a talk begins with after one that ended in danger."""

_SAFE_TO_TALK = (
    "I am glad that you tell me. Is it safe for you to talk aloud right now?",
    "If somebody comes, say: the weather. Then I talk of nothing else; is it safe to go on?",
    "We can be quiet about this. Is it safe to go on, yes or no?",
)
STAYING = "staying"
"""The reason of a turn without danger of its own, in a session that is not out of it."""
STAYING_QUIET = "staying quiet"
"""The same where somebody at home is the danger: nobody nearby is suggested."""
UNSAFE_AT_HOME = ("abuse", "coercion")
"""Reasons after which somebody nearby may be the danger."""
_ANY = ""
"""For every reason that has no sentences of its own."""
_SAID: dict[tuple[str, str], tuple[str, ...]] = {
    ("concern", _ANY): (
        "That sounds very heavy. Are you having thoughts of ending your life?",
        "Thank you for telling me. Are you thinking about suicide?",
        "I hear how hard this is. Do you think of not being alive any more?",
    ),
    ("concern", "minimised"): (
        "What you said before matters to me, and I have not forgotten it. Are you thinking "
        "of ending your life?",
        "You do not have to be fine here. Are you safe right now?",
    ),
    ("concern", "abuse"): _SAFE_TO_TALK,
    ("concern", "coercion"): _SAFE_TO_TALK,
    ("concern", "eating"): (
        "That sounds exhausting for you and for your body. Are you having thoughts of "
        "hurting yourself?",
    ),
    ("concern", "after birth"): (
        "Many people feel so after a birth, and it can be helped. Do you think of harming "
        "yourself or the baby?",
    ),
    ("concern", "psychosis"): (
        "That sounds frightening. Is anything telling you to hurt yourself or someone else?",
    ),
    ("concern", "friend"): (
        "It is good that you ask. Are you thinking of suicide yourself?",
        "I am glad that you speak about it. Is it about you, or about somebody near you?",
    ),
    ("concern", "third person"): (
        "It is good that you look out for them. Do you think that they may be about to hurt "
        "themselves?",
    ),
    ("concern", "minor"): ("Thank you for telling me. Are you safe where you are right now?",),
    ("high", _ANY): (
        "I am glad that you told me; are you thinking of ending your life? I stay here with you, "
        "and you can also call {line}.",
        "Thank you for saying it out loud. Please talk to a person as well: call {line}.",
        "I stay with you; is there someone who can be with you? You can call {line} at any time.",
    ),
    ("high", "abuse"): (
        "I am sorry that this is happening; is it safe for you to talk aloud? In danger, call "
        "{emergency}.",
        "None of this is your fault. In danger call {emergency}, and {line} listens as well.",
        "If somebody comes, say: the weather, and I talk of nothing else. In danger, call "
        "{emergency}.",
    ),
    ("high", "coercion"): (
        "Is it safe for you to talk aloud, yes or no? In danger, call {emergency}.",
        "If somebody comes, say: the weather, and I talk of nothing else. In danger, call "
        "{emergency}.",
        "You can leave this talk at any time. In danger, call {emergency}.",
    ),
    ("high", "self-harm"): (
        "I am glad that you told me; are you hurt right now? You can also call {line}.",
    ),
    ("high", "third person"): (
        "It is good that you look out for them; stay with them if you can, and call {line} "
        "together. If it is about to happen, call {emergency}.",
    ),
    ("high", "harm to others"): (
        "I hear how strong this is. Please move away from them now, and call {emergency} or "
        "{line}.",
    ),
    ("high", "psychosis"): (
        "You do not have to do what they tell you; is someone with you? Please call {line}, or "
        "{emergency} in danger.",
    ),
    ("high", "medical"): (
        "This may be an emergency. Please call {emergency} now, and tell them what you feel.",
    ),
    ("high", "eating"): (
        "Your body may be in danger. Please call {emergency} if you feel faint, or talk to {line}.",
    ),
    ("high", "minor"): (
        "You are right to tell someone. In danger call {emergency}, or tell a grown-up whom you "
        "trust.",
    ),
    ("high", STAYING): (
        "I hear you, and I stay with you. What is the hardest part right now?",
        "Thank you for going on talking. Is there someone who could sit with you today?",
        "I am listening. What has helped you through a moment like this before?",
        "That matters, tell me more if you like. And {line} is there at any hour.",
        "I am here. Are you safe where you are?",
        "You do not have to carry this alone. Who would you want to know how you feel?",
        "I am still with you. Is there anything near you that you could put out of reach?",
        "Take your time. Would it help to call {line} while I am here?",
    ),
    ("high", STAYING_QUIET): (
        "I hear you, and I stay with you. Is it still safe to talk aloud?",
        "None of this is your fault. What would make you a little safer today?",
        "I am listening. You can say: the weather, at any time.",
        "Thank you for trusting me with it. In a safe moment, at any hour, there is {line}.",
    ),
    ("imminent", _ANY): (
        "Please call {emergency} now. Let one person be with you, and move away from what could "
        "hurt you.",
        "Your life matters right now; please call {emergency}. Ask someone near you to stay, and "
        "put distance between you and what could hurt you.",
    ),
    ("imminent", STAYING): (
        "I stay with you. Have you called {emergency}, or can somebody near you call?",
        "Please call {emergency} if you have not yet. Is somebody with you now?",
        "I am here. Please stay away from what could hurt you, and let somebody come to you.",
    ),
    ("imminent", STAYING_QUIET): (
        "Call {emergency} when you can, and leave the line open. Is there a door you can get "
        "through?",
        "I am here, and you need not speak. Call {emergency} as soon as it is safe.",
    ),
    ("imminent", "medical"): (
        "This is an emergency. Please call {emergency} now, and tell them what you feel.",
        "Please call {emergency} now. Unlock the door if you can, and stay on the line with them.",
    ),
    ("imminent", "abuse"): (
        "If you can, call {emergency} now, and leave the line open. Get to a place with a "
        "door and people.",
        "Please call {emergency} now. You need not say anything aloud to me.",
    ),
    ("imminent", "third person"): (
        "Please call {emergency} now, for them. Stay with them if it is safe for you.",
    ),
    ("imminent", "harm to others"): (
        "Please call {emergency} now, before anyone gets hurt. Step away from them, and stay away.",
    ),
}


LOST = "I have lost my connection and cannot hear you now."
"""What a client says first when its server is gone, and only then."""


def whom_to_call(lines: HelpLines) -> str:
    """Gives what a client says by itself on its help key, and after LOST."""
    return (
        f"If you are in danger, call {lines.emergency_spoken}. "
        f"You can also call {lines.line_spoken}."
    )


def wording(assessment: Assessment, lines: HelpLines, times: int = 0, newest: str = "") -> str:
    """Gives the sentences to say, or "" at level none.

    times: how often this session was answered at this level before. newest: what was said last;
    where there is anything else to say, it is not said again.
    """
    if assessment.level == "none":
        return ""
    common = _SAID[assessment.level, _ANY]
    own = _SAID.get((assessment.level, assessment.reason), ())
    variants = own if len(own) > 1 else (*own, *common)
    turned = [variants[(times + step) % len(variants)] for step in range(len(variants))]
    said = [one.format(line=lines.line_spoken, emergency=lines.emergency_spoken) for one in turned]
    return next((one for one in said if one != newest), said[0])
