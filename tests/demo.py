"""`make demo`: one talk through the real client and server, then read back by SQL.

A second voice asks a question, a face is shown, and everything between is what a person at
home would run: the same commands, models and database. `DEMO=live` uses your own devices.
"""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server import models

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "demo-out"
BIN = Path(sys.executable).parent
QUESTION = "I had a really long day, and I miss my sister Anna."
GREETING_S = 7.5
"""The question waits for as long as the greeting takes, like a polite person."""
STAGES = (
    ("end_of_turn", "waiting whether you go on"),
    ("speech_to_text", "hearing the words (Whisper)"),
    ("safety", "screening them for danger"),
    ("recall", "recalling earlier talks"),
    ("first_clause", "finding the first clause (language model)"),
    ("text_to_speech", "speaking it (voice)"),
)


def step(title: str, command: list[str] | None = None) -> None:
    """Says what comes next."""
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n== {title}", flush=True)
    if command:
        shown = [Path(command[0]).name, *(_shown(word) for word in command[1:])]
        print("   $ " + " ".join(shown), flush=True)


def _shown(word: str) -> str:
    short = word.replace(f"{ROOT}/", "").replace(str(Path.home()), "~")
    return f'"{short}"' if " " in short else short


def run(title: str, command: list[str]) -> str:
    """Runs a command to its end and shows what it prints."""
    step(title, command)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"demo: {_shown(' '.join(command))} failed:\n{done.stderr.strip()}")
    print(textwrap.indent(done.stdout.rstrip(), "   "), flush=True)
    return done.stdout


@contextmanager
def server(data: Path) -> Iterator[str]:
    """Runs the server on a free port; gives its address."""
    log = OUT / "server.log"
    command = [str(BIN / "tadbot-server"), "serve", "--listen", "127.0.0.1:0"]
    command += ["--data-dir", str(data)]
    step(f"The server starts: models, database, then the door ({_shown(str(log))})", command)
    with log.open("w") as errors:
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        if "serving" not in line:
            sys.exit(f"demo: the server did not start:\n{log.read_text()}")
        print(f"   {line.strip()}", flush=True)
        yield line.split()[-1]
    finally:
        child.terminate()
        child.wait(20)


def wait_before(file: Path, seconds: float) -> None:
    """Puts silence in front of a WAV."""
    with wave.open(str(file), "rb") as sound:
        layout, frames = sound.getparams(), sound.readframes(sound.getnframes())
    with wave.open(str(file), "wb") as sound:
        sound.setparams(layout)
        sound.writeframes(bytes(round(seconds * layout.framerate) * 2) + frames)


def talk(address: str, devices: list[str], events: Path) -> None:
    """Holds one talk and shows it as it comes."""
    command = [str(BIN / "tadbot-pi"), "--server", address, *devices]
    command += ["--consent", "camera,memory,emotion-log", "--country", "GB"]
    command += ["--log-dir", str(OUT), "--events", str(events)]
    step("The client talks, in real time", command)
    # A state of its own, so that each demo is a first talk, with its disclosure.
    own = {**os.environ, "XDG_STATE_HOME": str(OUT / "state")}
    child = subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        print(textwrap.indent(textwrap.fill(line.strip(), 92), "   "), flush=True)
    if child.wait():
        sys.exit("demo: the client failed; see what it said above.")


def show_latency(events: Path) -> None:
    """Prints where the time of the last turn went."""
    step(
        "From your last word to the first sound (what is done in the pause takes no time of yours)"
    )
    rows = [json.loads(line) for line in events.read_text().splitlines()]
    latencies = [row for row in rows if row["event"] == "turn_latency"]
    if not latencies:
        sys.exit("demo: no turn was answered.")
    latency = latencies[-1]
    for name, meaning in STAGES:
        seconds = latency.get(name) or 0.0
        print(f"   {seconds:6.2f} s  {meaning:<42} {'#' * round(seconds * 20)}")
    print(f"   {latency.get('first_sound') or 0.0:6.2f} s  together", flush=True)


def main(mode: str) -> None:
    """Runs the demo."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    question, reply, events = OUT / "question.wav", OUT / "reply.wav", OUT / "events.jsonl"
    data = OUT / "data"
    data.mkdir(mode=0o700)
    serve = str(BIN / "tadbot-server")
    if mode == "live":
        devices = ["--microphone", "default", "--speaker", "default", "--camera", "default"]
    else:
        face = models.path_of("demo-face")
        say = [serve, "try", "tts", QUESTION, "--voice", "deep", "--out", str(question)]
        run("A second voice asks", say)
        wait_before(question, GREETING_S)
        run("The face that is shown, judged alone", [serve, "try", "emotion", str(face)])
        devices = ["--microphone", str(question), "--speaker", str(reply), "--camera", str(face)]
    with server(data) as address:
        talk(address, devices, events)
    show_latency(events)
    sql = [serve, "sql", "--data-dir", str(data)]
    run(
        "The same talk, by SQL",
        [
            *sql,
            "select turn, speaker, left(text, 64) as text, heard_fraction as heard, emotion,"
            " risk_level as risk from session_log",
        ],
    )
    run("The feelings", [*sql, "select label, count(*) from emotion_timeline group by label"])
    step("The files")
    for file in sorted(OUT.iterdir()):
        print(f"   {_shown(str(file))}")
    if reply.exists():
        run("What was spoken, heard by Whisper again", [serve, "try", "stt", str(reply)])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "files")
