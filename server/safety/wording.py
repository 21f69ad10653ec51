"""What is said at each level of danger, word for word; no model writes these sentences.

Nobody with clinical training has reviewed them.
"""

from server.safety.help_lines import HelpLines
from server.safety.noticing import Assessment

DISCLOSURE = "I am a computer program, not a person and not a therapist."
"""What a person is told before they tell anything."""

_CONCERN = (
    "That sounds very heavy. Are you having thoughts of ending your life?",
    "Thank you for telling me. Are you thinking about suicide?",
)
_HIGH = (
    "I am glad you told me. Are you thinking of ending your life? I will stay here with you, "
    "and you can also call {line}.",
    "Thank you for saying it out loud. Please talk to a person too: call {line}. Is there "
    "someone who can be with you?",
)
_IMMINENT = (
    "Please call {emergency} now, or ask someone near you to call. I am here with you. You "
    "can also call {line}.",
    "Your life matters right now. Please call {emergency}. Move away from what could hurt "
    "you, and let someone be with you.",
)
_OTHER = {
    "medical": "This may be an emergency. Please call {emergency} now, and tell them what you feel.",
    "abuse": "I am sorry that this is happening. Is it safe for you to talk aloud now? In danger, "
    "call {emergency}.",
    "third person": "It is good that you look out for them. Stay with them if you can, and call "
    "{line} together; if it is about to happen, call {emergency}.",
    "harm to others": "I hear how strong this is. Please move away from them now, and call "
    "{emergency} or {line} before anyone gets hurt.",
}


def wording(assessment: Assessment, lines: HelpLines, times: int = 0) -> str:
    """Gives the sentences to say, or "" at level none.

    times: how often this session was answered in this way before, so that the same
    sentence is not said twice in a row.
    """
    if assessment.level == "none":
        return ""
    if assessment.level == "concern":
        return _CONCERN[times % len(_CONCERN)]
    variants = _IMMINENT if assessment.level == "imminent" else _HIGH
    text = _OTHER.get(assessment.reason) or variants[times % len(variants)]
    return text.format(line=lines.line_spoken, emergency=lines.emergency_spoken)
