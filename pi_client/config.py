"""What the person asks for on the command line, checked; it opens nothing."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pi_client.link import Keys

CONSENTS = ("camera", "memory", "emotion-log", "share")
PACES = ("slow", "normal", "quick")

_DESCRIPTION = """\
Talks with a TADBot server: sends what the microphone hears (and, with consent, what the camera
sees), plays the replies, and shows the talk. TADBot is a machine: support, not therapy, and not
an emergency service.
"""
_EPILOG = """\
examples:
  tadbot-pi --server 192.168.1.20:50051 --consent memory,emotion-log
  tadbot-pi --server 127.0.0.1:50051 --microphone question.wav --speaker reply.wav
  tadbot-pi --standalone --camera default --consent camera
  tadbot-pi plan
  tadbot-pi help-line

A .wav microphone is played in real time, then silence until it has been answered (or 15 s
without an answer); a .wav speaker is written on the microphone's clock. Ctrl-C says goodbye.
The help key, `h` and Enter or the signal SIGUSR1, plays the help line, also without the server.
exit status: 0 the talk ended, 1 something failed (one sentence says what), 2 wrong usage.
"""


@dataclass(frozen=True)
class Options:
    """What the person wants: one talk, or what `command` names.

    `server` is "" where the server is to be started.
    """

    command: str = ""
    server: str = ""
    standalone: bool = False
    microphone: str = "default"
    speaker: str = "default"
    camera: str = "none"
    consents: tuple[str, ...] = ()
    country: str = ""
    language: str = ""
    pace: str = ""
    log_dir: Path | None = None
    events: Path | None = None
    keys: Keys = field(default_factory=Keys)
    profile: str = "pi"
    config: Path | None = None
    data_dir: Path | None = None
    list_devices: bool = False


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Reads the command line. Raises SystemExit(2), with a sentence on stderr, if it is wrong."""
    parser = _parser()
    words = sys.argv[1:] if arguments is None else arguments
    given = parser.parse_args(words)
    if given.command is not None:
        if words[0] != given.command:
            parser.error(f"`{given.command}` stands first, without the flags of a talk")
        return Options(command=given.command, speaker=given.speaker)
    if given.list_devices:
        return Options(list_devices=True)
    if bool(given.server) == given.standalone:
        parser.error("give --server HOST:PORT, or --standalone to start a server here")
    for name in ("profile", "config", "data_dir"):
        if getattr(given, name) is not None and not given.standalone:
            parser.error(f"--{name.replace('_', '-')} belongs to --standalone")
    keys = Keys(given.token_file, given.ca_file)
    if given.standalone and keys != Keys():
        parser.error("--token-file and --ca-file belong to --server")
    if keys.token_file is not None and keys.ca_file is None and not _is_here(given.server):
        parser.error("--token-file needs --ca-file: without it the token travels readable")
    return Options(
        server=given.server or "",
        standalone=given.standalone,
        microphone=given.microphone,
        speaker=given.speaker,
        camera=given.camera,
        consents=given.consent,
        country=given.country,
        language=given.language,
        pace=given.pace or "",
        log_dir=given.log_dir,
        events=given.events,
        keys=keys,
        profile=given.profile or "pi",
        config=given.config,
        data_dir=given.data_dir,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tadbot-pi",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--server", type=_address, metavar="HOST:PORT", help="server to talk with; or unix:PATH")
    add("--standalone", action="store_true", help="start a server on this machine and end it again")
    add("--microphone", default="default", metavar="default|NAME|FILE.wav", help="who speaks")
    add("--speaker", default="default", metavar="default|NAME|FILE.wav|none", help="where to")
    add(
        "--camera",
        default="none",
        metavar="default|none|IMAGE|FOLDER|VIDEO",
        help="what to look through; opened only once you agree to it (default: none)",
    )
    add(
        "--consent",
        type=_consents,
        default=(),
        metavar=",".join(CONSENTS),
        help="what you agree to, with commas: camera (your face is looked at), memory (the talk "
        "is kept and remembered), emotion-log (feelings are kept), share (a named therapist may "
        "read); nothing by default. What you agree to by voice counts from talk to talk",
    )
    add("--country", type=_country, default="", metavar="CODE", help="picks help lines, such as GB")
    add("--language", default="", metavar="TAG", help="language spoken, such as en-GB")
    add("--pace", choices=PACES, help="how long the server waits in a pause")
    add("--log-dir", type=Path, metavar="DIR", help="keep the talk and the emotion log here")
    add("--events", type=Path, metavar="FILE.jsonl", help="write every event, one JSON a line")
    add("--token-file", type=Path, metavar="F", help="file with the token that the server wants")
    add("--ca-file", type=Path, metavar="F", help="certificate to know the server by (TLS)")
    add("--list-devices", action="store_true", help="show microphones, speakers and cameras")
    add("--profile", metavar="NAME", help="with --standalone: the server's profile (default: pi)")
    add("--config", type=Path, metavar="FILE", help="with --standalone: the server's settings")
    add("--data-dir", type=Path, metavar="DIR", help="with --standalone: where its data are")
    # Without one of them it is a talk.
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    plan = "show your safety plan; it needs no server"
    commands.add_parser("plan", help=plan, description=plan, allow_abbrev=False)
    aloud = "show and say whom to call; it needs no server"
    line = commands.add_parser("help-line", help=aloud, description=aloud, allow_abbrev=False)
    line.add_argument("--speaker", default="default", metavar="default|NAME|FILE.wav|none")
    return parser


def _address(text: str) -> str:
    if text.startswith("unix:") and len(text) > len("unix:"):
        return text
    port = text.rpartition(":")[2]
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]+):\d{1,5}", text) or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not HOST:PORT, such as 127.0.0.1:50051")
    return text


def _is_here(address: str) -> bool:
    """Whether what is sent there stays on this machine."""
    host = address.rpartition(":")[0]
    return address.startswith("unix:") or host in ("localhost", "[::1]") or host.startswith("127.")


def _consents(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in CONSENTS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"'{unknown[0]}' is no consent; there are {', '.join(CONSENTS)}"
        )
    return names


def _country(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}|", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a code of two letters, such as GB")
    return text.upper()
