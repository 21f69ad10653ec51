"""What the person agreed to, told of their age and planned, kept from talk to talk.

It follows what the server confirms; it does not know what was said.
"""

import logging
from collections.abc import Callable, Iterable

from tadbot.v1 import companion_pb2 as pb

from pi_client import plan, state

_log = logging.getLogger(__name__)

_CONSENTS: dict[str, pb.Consent.ValueType] = {
    "camera": pb.CAMERA,
    "memory": pb.MEMORY,
    "emotion-log": pb.EMOTION_LOG,
    "share": pb.SHARE,
}


class Rights:
    """The consents of this talk: those on the command line, and those given by voice earlier.

    given: those on the command line.
    """

    def __init__(self, given: Iterable[str]) -> None:
        self._by_voice = state.read_consents() & _CONSENTS.keys()
        self._held = self._by_voice | set(given)
        self._minor = state.read_minor()
        self._faults: set[str] = set()
        if earlier := self._by_voice - set(given):
            _log.warning(
                "You agreed to this by voice, and can take it back so: %s.",
                ", ".join(name for name in _CONSENTS if name in earlier),
            )

    @property
    def consents(self) -> frozenset[str]:
        """What is agreed to now. What was taken back in this run is not, whoever named it."""
        return self._held

    def tell(self, opening: pb.Open) -> None:
        """Puts what is agreed to, and what is known of the age, into an `open`."""
        opening.consents.extend(sorted(_CONSENTS[name] for name in self._held))
        if self._minor is not None:
            opening.minor = self._minor

    def saw(self, response: pb.ConverseResponse) -> None:
        """Keeps what a response says of the person's rights, if it says anything."""
        match response.WhichOneof("event"):
            case "consent_receipt":
                held = response.consent_receipt.consents
                self._follow(frozenset(name for name, key in _CONSENTS.items() if key in held))
            case "age_noted":
                self._minor = minor = response.age_noted.minor
                self._keep("What you said of your age", lambda: state.write_minor(minor))
            case "safety_plan":
                made = response.safety_plan
                self._keep("Your safety plan as it is now", lambda: plan.keep(made))

    def _follow(self, held: frozenset[str]) -> None:
        """Adds what is new to what was given by voice, and drops what is no more."""
        by_voice = (self._by_voice & held) | (held - self._held)
        self._held = held
        if by_voice != self._by_voice:
            self._by_voice = by_voice
            self._keep("What you agreed to by voice", lambda: state.write_consents(by_voice))

    def _keep(self, what: str, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            if what not in self._faults:
                self._faults.add(what)
                _log.warning(
                    "%s cannot be written to %s (%s); it counts for this talk only.",
                    *(what, state.state_dir(), error.strerror),
                )
