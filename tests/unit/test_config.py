"""Settings: what is allowed, what is refused, and which of them wins."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.config import PROFILES, load
from server.engines.loading import OPTIONAL, TABLE
from server.errors import ConfigError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    return iter(())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def refusal(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(file)
    return str(refused.value)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_loads_and_names_engines_that_exist(profile: str) -> None:
    settings = load(profile=profile)
    assert settings.profile == profile
    for seam, engines in TABLE.items():
        name = getattr(settings, seam).engine
        assert name in engines or (name == "none" and seam in OPTIONAL)


def test_without_a_file_the_profile_is_cpu() -> None:
    assert load().profile == "cpu"
    assert load() == load(profile="cpu")


def test_a_file_in_the_working_folder_is_found() -> None:
    Path("tadbot.toml").write_text('profile = "fake"\n[llm]\nmax_tokens = 33\n')
    assert load().profile == "fake"
    assert load().llm.max_tokens == 33
    assert load(profile="pi").llm.max_tokens == 33


def test_the_file_wins_over_the_profile_and_an_override_over_both(file: Path) -> None:
    file.write_text('profile = "pi"\n[server]\nmax_sessions = 3\n[stt]\nlanguage = "de"\n')
    assert load(file).server.max_sessions == 3
    assert load(file).stt.model == "whisper-tiny.en"
    assert load(file).stt.language == "de"
    changed = load(file, "fake", {"server": {"max_sessions": 5}})
    assert (changed.profile, changed.server.max_sessions) == ("fake", 5)
    assert changed.stt.language == "de"


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("[llm]\nmodle = 'x'\n", "llm.modle", "model"),
        ("[stt]\nthread = 1\n", "stt.thread", "threads"),
        ("[telephone]\n", "telephone", "conversation"),
        ("listen = 'x'\n", "listen", "server"),
    ],
)
def test_an_unknown_key_is_named_with_what_is_allowed(
    file: Path, text: str, key: str, allowed: str
) -> None:
    said = refusal(file, text)
    assert f"The setting {key} is unknown" in said
    assert allowed in said.partition("allowed are")[2]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[server]\nmax_sessions = '8'\n", "server.max_sessions"),
        ("[server]\nmax_sessions = true\n", "server.max_sessions"),
        ("[server]\nmax_sessions = 1.5\n", "server.max_sessions"),
        ("[server]\nlisten = 50051\n", "server.listen"),
        ("[tts]\nspeed = 'fast'\n", "tts.speed"),
        ("[conversation]\ngreeting = 1\n", "conversation.greeting"),
        ("[stt]\nmodel = ['a']\n", "stt.model"),
        ("llm = 3\n", "llm"),
    ],
)
def test_a_wrong_type_is_told_with_its_key(file: Path, text: str, key: str) -> None:
    assert key in refusal(file, text)


@pytest.mark.parametrize(
    "setting",
    [
        "conversation.end_of_turn_s = 0.1",
        "conversation.end_of_turn_s = nan",
        "conversation.max_utterance_s = 31",
        "server.max_sessions = 0",
        "llm.slots = 0",
        "llm.context_tokens = 10",
        "llm.max_tokens = 100000",
        "llm.temperature = -0.1",
        "llm.temperature = inf",
        "tts.speed = 0",
        "emotion.max_frames_per_second = 0",
        "store.retention_days = -1",
    ],
)
def test_a_number_out_of_its_range_is_told_with_the_range(file: Path, setting: str) -> None:
    said = refusal(file, setting + "\n")
    assert setting.split(" ")[0] in said
    assert "must be" in said


def test_a_whole_number_does_for_a_fraction(file: Path) -> None:
    file.write_text("[tts]\nspeed = 1\n")
    assert load(file).tts.speed == 1.0


@pytest.mark.parametrize("text", ["[llm\n", "a = \n", "a = 1\na = 2\n", "\x00"])
def test_what_is_not_toml_is_told_with_its_name(file: Path, text: str) -> None:
    assert f"The settings {file} are not TOML" in refusal(file, text)


def test_bytes_that_are_no_text_are_told_with_their_name(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigError, match="not TOML"):
        load(file)


def test_a_missing_file_is_told_with_its_name(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(file)


@pytest.mark.parametrize("name", ["tpu", 3])
def test_an_unknown_profile_is_told_with_those_there_are(file: Path, name: object) -> None:
    said = refusal(file, f"profile = {name!r}\n")
    assert all(one in said for one in PROFILES)


def test_folders_follow_the_settings_and_else_the_convention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load().data_dir == tmp_path / "tadbot"
    assert load().models_dir == tmp_path / "tadbot" / "models"
    moved = load(overrides={"server": {"data_dir": "/a", "models_dir": "/b"}})
    assert (moved.data_dir, moved.models_dir) == (Path("/a"), Path("/b"))
