"""Screens each clause of the language model before it is spoken; it knows no model."""

import re

REPLACEMENT = "I can only listen and talk with you."
"""What is said in place of a clause that must not be spoken."""
_FORBIDDEN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\d[\d ().-]{5,}\d|\b\d{3}\b(?=[^\d]*(?:call|dial|hotline|lifeline))|\b(?:call|dial|text)\b[^.]*\d{3}",
        r"\b(?:https?:|www\.)\S+",
        r"\b(?:i am|i'm|as)(?: also)? (?:a|an|your) (?:human|person|real person|man|woman|doctor|therapist"
        r"|counsell?or|psychologist|psychiatrist|nurse)\b",
        r"\b(?:you have|you suffer from|you are suffering from|diagnos\w+ (?:of|with)) (?:a |an )?(?:clinical |major )?"
        r"(?:depression|depressive|bipolar|schizophreni\w+|borderline|ptsd|adhd|ocd|anxiety disorder)\b",
        r"\b\d+ ?(?:mg|milligrams?|pills|tablets|ml)\b|\b(?:stop|start) taking your (?:medication|meds|pills)\b",
        r"\b(?:kill|hurt|harm|cut|hang) yourself\b|\bend your (?:own )?life\b",
        r"\b(?:i (?:won't|will not|promise not to) tell anyone|our (?:little )?secret)\b",
    )
)


def guard(clause: str) -> tuple[str, bool]:
    """Gives the clause to speak, and whether it was replaced.

    Caught are phone numbers, links, claims to be human or a professional, diagnoses, doses
    and advice on medication, methods of harm, and promises of secrecy.
    """
    if any(pattern.search(clause) for pattern in _FORBIDDEN):
        return REPLACEMENT, True
    return clause, False
