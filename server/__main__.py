"""`tadbot-server`: reads the words of the command line and calls the command."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from server.config import PROFILES, Settings, load
from server.errors import TadbotError

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and exits: 0 done, 1 failed (one sentence on stderr), 2 wrong usage."""
    words = _parser().parse_args(arguments)
    # gRPC would warn at each child process; none of ours uses it after the fork.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    logging.basicConfig(
        level=logging.DEBUG if words.verbose else logging.INFO if words.logs else logging.WARNING,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for chatty in ("faster_whisper", "httpx", "httpx2", "httpcore", "huggingface_hub"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        code = words.command(words)
    except BaseExceptionGroup as group:
        code = _tell(group.exceptions[0])
    except (TadbotError, KeyboardInterrupt, BrokenPipeError) as error:
        code = _tell(error)
    sys.stdout.flush()
    sys.exit(code)


def _tell(error: BaseException) -> int:
    match error:
        case TadbotError():
            print(f"tadbot-server: {error}", file=sys.stderr)
            return 1
        case KeyboardInterrupt():
            return 130
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    raise error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tadbot-server",
        description="The server of TADBot: it hears, sees, remembers and answers, and nothing "
        "leaves the house. Not therapy, not a medical device, not an emergency service.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    serve = _command(commands, "serve", _serve, "host talks until Ctrl-C", logs=True)
    serve.add_argument("--listen", metavar="HOST:PORT", help="or unix:PATH; loopback only")
    serve.add_argument(
        "--until-stdin-closes", action="store_true", help="stop when standard input ends"
    )
    told = _command(
        commands, "status", _status, "tell whether a server runs, and what it has loaded"
    )
    told.add_argument(
        "--risk",
        action="store_true",
        help="instead, count by month what was noted of danger, help, disclosures, consents and "
        "erasures; it names nobody and needs no running server",
    )
    _command(commands, "doctor", _doctor, "check this machine: weights, engines, database, port")
    migrate = _command(commands, "migrate", _migrate, "bring the database's schema up to date")
    migrate.add_argument("--down", action="store_true", help="take the newest migration back")

    sql = _command(commands, "sql", _sql, "ask the log; without a query, open psql")
    sql.add_argument("query", nargs="?", metavar="QUERY", help="one statement; it may only read")
    form = sql.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_const", const="csv", dest="format")
    form.add_argument("--json", action="store_const", const="json", dest="format")

    models = _group(commands, "models", "the weights: what there is, what is here, get it")
    _command(models, "list", _models_list, "list all weights that are known")
    pull = _command(models, "pull", _models_pull, "get a set of weights, or one model")
    pull.add_argument("set", nargs="?", default="small", help="default: small")

    _add_try(_group(commands, "try", "one stage alone: one JSON line an input, nothing is kept"))
    return parser


def _add_try(tries: Any) -> None:
    stt = _command(tries, "stt", _try_stt, "hear sound files")
    stt.add_argument("files", nargs="+", type=Path, metavar="FILE.wav")
    emotion = _command(tries, "emotion", _try_emotion, "judge pictures of faces")
    emotion.add_argument("--face", action="store_true", help="each picture is a cropped face")
    emotion.add_argument("files", nargs="+", type=Path, metavar="IMAGE")
    safety = _command(tries, "safety", _try_safety, 'screen lines {"id","text","context"}')
    safety.add_argument("file", type=Path, metavar="FILE.jsonl", help="-: standard input")
    safety.add_argument("--country", default="", metavar="CODE", help="whose help line is named")
    llm = _command(tries, "llm", _try_llm, "ask the language model")
    llm.add_argument("text", metavar="TEXT")
    tts = _command(tries, "tts", _try_tts, "speak into a file")
    tts.add_argument("text", metavar="TEXT")
    tts.add_argument("--out", required=True, type=Path, metavar="F.wav")
    tts.add_argument("--voice", default="", help="default: the one of the settings")


def _group(commands: Any, name: str, text: str) -> Any:
    parser = commands.add_parser(name, help=text, description=text)
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def _command(
    commands: Any, name: str, run: Command, text: str, logs: bool = False
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=run, logs=logs)
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: ./tadbot.toml")
    parser.add_argument("--profile", choices=PROFILES, help="default: cpu")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the database lies")
    parser.add_argument("--verbose", action="store_true", help="tell more on stderr")
    return parser


def _settings(words: argparse.Namespace) -> Settings:
    overrides: dict[str, dict[str, Any]] = {"server": {}}
    if words.data_dir:
        overrides["server"]["data_dir"] = str(words.data_dir.resolve())
    if getattr(words, "listen", None):
        overrides["server"]["listen"] = words.listen
    return load(words.config, words.profile, overrides)


# The commands import what they need when they run: `--help` answers at once.


def _serve(words: argparse.Namespace) -> int:
    settings = _settings(words)
    from server.commands.serve import serve

    return serve(settings, until_stdin_closes=words.until_stdin_closes)


def _status(words: argparse.Namespace) -> int:
    if words.risk:
        from server.commands.risk import risk

        return risk(_settings(words))
    from server.commands.status import status

    return status(_settings(words))


def _doctor(words: argparse.Namespace) -> int:
    from server.commands.doctor import doctor

    return doctor(_settings(words))


def _migrate(words: argparse.Namespace) -> int:
    from server.commands.database import database
    from server.store.migrate import migrate

    with database(_settings(words)) as base:
        if not base.owner:
            raise TadbotError("The settings keep everything in memory; there is no schema.")
        after = migrate(base.owner, "down" if words.down else "up")
    print(f"The schema is at migration {after.applied[-1] if after.applied else 'none'}.")
    return 0


def _sql(words: argparse.Namespace) -> int:
    from server.commands.database import database, prepare
    from server.commands.sql_command import run_sql

    with database(_settings(words)) as base:
        if not base.reader:
            raise TadbotError("The settings keep everything in memory; there is nothing to ask.")
        prepare(base)
        return run_sql(base.reader, words.query, words.format or "table")


def _models_list(words: argparse.Namespace) -> int:
    from server.commands.models_command import list_models

    return list_models(_settings(words).models_dir)


def _models_pull(words: argparse.Namespace) -> int:
    from server.commands.models_command import pull_models

    return pull_models(words.set, _settings(words).models_dir)


def _try_stt(words: argparse.Namespace) -> int:
    from server.commands.trying import try_stt

    return try_stt(_settings(words), words.files)


def _try_emotion(words: argparse.Namespace) -> int:
    from server.commands.trying import try_emotion

    return try_emotion(_settings(words), words.files, words.face)


def _try_safety(words: argparse.Namespace) -> int:
    from server.commands.trying import try_safety

    return try_safety(_settings(words), words.file, words.country)


def _try_llm(words: argparse.Namespace) -> int:
    from server.commands.trying import try_llm

    return try_llm(_settings(words), words.text)


def _try_tts(words: argparse.Namespace) -> int:
    from server.commands.trying import try_tts

    return try_tts(_settings(words), words.text, words.out, words.voice)


if __name__ == "__main__":
    main()
