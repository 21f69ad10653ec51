"""The command line, and what the client knows of its machine."""

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from pi_client import state
from pi_client.__main__ import main
from pi_client.config import parse
from pi_client.devices import sound_library
from pi_client.errors import ClientError

SERVER = ["--server", "127.0.0.1:50051"]


def test_a_talk_needs_nothing_but_a_server() -> None:
    options = parse(SERVER)
    assert (options.microphone, options.speaker, options.camera) == ("default", "default", "none")
    assert options.consents == ()


def test_consents_are_a_list_with_commas() -> None:
    assert parse([*SERVER, "--consent", "camera, memory,camera"]).consents == ("camera", "memory")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [*SERVER, "--standalone"],
        [*SERVER, "--consent", "everything"],
        [*SERVER, "--country", "Britain"],
        [*SERVER, "--pace", "hasty"],
        [*SERVER, "--profile", "cpu"],
        [*SERVER, "--colour", "red"],
        ["--server", "127.0.0.1"],
        ["--server", "host:port"],
        ["--server", "host:99999"],
        ["--server", "192.168.1.2:50051", "--token-file", "token"],
        ["--standalone", "--token-file", "token"],
    ],
)
def test_a_wrong_command_line_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert "tadbot-pi: error: " in capsys.readouterr().err


@pytest.mark.parametrize("address", ["pi.local:50051", "[::1]:50051", "unix:/run/tadbot/s"])
def test_a_server_is_a_host_and_port_or_a_socket(address: str) -> None:
    assert parse(["--server", address]).server == address


def test_help_explains_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for word in ("--server", "--standalone", "--consent", "--events", "--list-devices", "15 s"):
        assert word in shown


def test_the_client_loads_no_model_and_no_device_library() -> None:
    script = "import sys, pi_client.__main__; print('\\n'.join(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    loaded = {name.partition(".")[0] for name in shown.stdout.splitlines()}
    heavy = {"onnxruntime", "torch", "transformers", "faster_whisper", "ctranslate2", "xllamacpp"}
    heavy |= {"cv2", "server", "psycopg", "sounddevice", "samplerate", "pywebrtc_audio"}
    assert loaded & heavy == set()
    assert "pi_client" in loaded


def test_the_machines_name_fits_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Anna's Pi_4", "pi", "---", "x" * 80, "ÄÖ"):
        monkeypatch.setattr("socket.gethostname", lambda name=name: name)
        assert re.fullmatch(r"[a-z0-9-]{1,63}", state.device_id())
    monkeypatch.setattr("socket.gethostname", lambda: "Anna's Pi_4")
    assert state.device_id() == "anna-s-pi-4"


def test_the_day_of_the_disclosure_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state.read_last_disclosure() is None
    state.write_last_disclosure(date(2026, 11, 22))
    assert state.read_last_disclosure() == date(2026, 11, 22)
    kept = tmp_path / "tadbot" / "client.json"
    assert json.loads(kept.read_text()) == {"last_disclosure": "2026-11-22"}
    kept.write_text("{")
    assert state.read_last_disclosure() is None
    kept.write_text("[]")
    assert state.read_last_disclosure() is None


def test_a_missing_sound_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Missing:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(ClientError, match="sudo apt install libportaudio2"):
        sound_library()
    assert main(["--list-devices"]) == 1
    shown = capsys.readouterr()
    assert "Cameras:" in shown.out
    assert "libportaudio2" in shown.err
