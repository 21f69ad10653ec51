"""Weights: pulled, checked, resumed, and refused when they are not what they should be."""

import contextlib
import hashlib
import io
import json
import socket
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from server import download, models
from server.convert import convert
from server.errors import ConfigError, ModelMissingError, TadbotError

WHEEL = "tiny_voice-1.0-py3-none-any.whl"
FIRST, SECOND = b"first half " * 9000, b"second half"
TOML = """
[sets]
small = ["voice", "face"]
[wheels.tiny-voice]
version = "1.0"
file = "{wheel}"
size = {wheel_size}
sha256 = "{wheel_sha256}"
[models.voice]
about = "speaks"
source = "pypi"
licence = "MIT"
[[models.voice.files]]
name = "model.bin"
size = {size}
sha256 = "{sha256}"
from = ["tiny-voice:tiny/part1", "tiny-voice:tiny/part2"]
[[models.voice.files]]
name = "config.json"
size = 2
sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
from = ["tiny-voice:tiny/config.json"]
[models.face]
about = "sees"
source = "hub"
licence = "MIT"
repository = "someone/face"
revision = "0123456789abcdef"
[[models.face.files]]
name = "face.onnx"
size = 4
sha256 = "{face_sha256}"
from = ["onnx/face.onnx"]
"""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wheel() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("tiny/part1", FIRST)
        archive.writestr("tiny/part2", SECOND)
        archive.writestr("tiny/config.json", "{}")
    return stream.getvalue()


class Index(ThreadingHTTPServer):
    """A package index with one wheel, which can cut connections and forget ranges."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.wheel = wheel()
        self.cut_after: list[int] = []
        self.knows_ranges = True
        self.html = False
        self.starts: list[int] = []
        self.logins: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"


class Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        self.server.logins.append(self.headers["Authorization"])
        if self.path == "/simple/tiny-voice/":
            self._page()
        elif self.path == f"/files/{WHEEL}":
            self._wheel()
        else:
            self.send_error(404)

    def _page(self) -> None:
        if self.server.html:
            kind, body = "text/html", f'<a href="../../files/{WHEEL}#sha256=0">{WHEEL}</a>'
        else:
            kind = "application/vnd.pypi.simple.v1+json"
            body = json.dumps({"files": [{"filename": WHEEL, "url": f"/files/{WHEEL}"}]})
        self._send(200, body.encode(), kind)

    def _wheel(self) -> None:
        wanted = self.headers["Range"] if self.server.knows_ranges else None
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.server.starts.append(start)
        self._send(206 if wanted else 200, self.server.wheel[start:], "application/zip")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind == "application/zip" and self.server.cut_after:
            body = body[: self.server.cut_after.pop(0)]
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Index]:
    server = Index()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    manifest = tmp_path / "models.toml"
    manifest.write_text(
        TOML.format(
            wheel=WHEEL,
            wheel_size=len(server.wheel),
            wheel_sha256=sha256(server.wheel),
            size=len(FIRST + SECOND),
            sha256=sha256(FIRST + SECOND),
            face_sha256=sha256(b"face"),
        )
    )
    monkeypatch.setattr(models, "MANIFEST", manifest)
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    monkeypatch.setenv("PIP_INDEX_URL", server.url)
    yield server
    server.shutdown()
    server.server_close()


def test_every_file_of_the_manifest_is_pinned() -> None:
    manifest = models.load_manifest()
    for model in manifest.models.values():
        assert model.licence
        assert model.files
        for file in model.files:
            assert file.size > 0
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.parts
            if model.source == "hub":
                assert model.repository
                assert len(bytes.fromhex(model.revision)) == 20
            for part in file.parts:
                assert part.member
                if model.source == "pypi":
                    assert part.wheel
                    assert part.wheel.version
                    assert part.wheel.size > 0
                    assert len(bytes.fromhex(part.wheel.sha256)) == 32


def test_the_small_sets_need_no_hub() -> None:
    manifest = models.load_manifest()
    for name in ("small", "pi", "demo"):
        assert {model.source for model in manifest.named(name)} == {"pypi"}
    assert set(manifest.sets["pi"]) <= set(manifest.sets["small"])


def test_the_default_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert models.models_dir() == tmp_path / "tadbot" / "models"


def test_an_unknown_set_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="small"):
        models.load_manifest().named("enormous")


@pytest.mark.parametrize("html", [False, True])
def test_a_pulled_model_is_joined_and_found(index: Index, tmp_path: Path, html: bool) -> None:
    index.html = html
    (done,) = models.pull("voice", tmp_path / "models")
    place = models.path_of("voice", tmp_path / "models")
    assert "tiny-voice 1.0" in done
    assert (place / "model.bin").read_bytes() == FIRST + SECOND
    assert sorted(path.name for path in place.iterdir()) == ["config.json", "model.bin"]
    assert not list((tmp_path / "models" / ".downloads").iterdir())


def test_nothing_is_downloaded_twice(index: Index, tmp_path: Path) -> None:
    models.pull("voice", tmp_path)
    assert models.pull("voice", tmp_path) == ["voice: already there"]
    assert index.starts == [0]


def test_two_pulls_at_once_download_once(index: Index, tmp_path: Path) -> None:
    pulls = [threading.Thread(target=models.pull, args=("voice", tmp_path)) for _ in range(3)]
    for each in pulls:
        each.start()
    for each in pulls:
        each.join()
    assert index.starts == [0]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(index: Index, tmp_path: Path) -> None:
    index.cut_after = [50_000, 10_000]
    models.pull("voice", tmp_path)
    assert index.starts == [0, 50_000, 60_000]


def test_a_pull_that_was_interrupted_resumes(index: Index, tmp_path: Path) -> None:
    index.cut_after = [10_000] * download.TRIES
    with pytest.raises(TadbotError, match="goes on where it stopped"):
        models.pull("voice", tmp_path)
    index.cut_after = []
    models.pull("voice", tmp_path)
    assert index.starts[-1] == 10_000 * download.TRIES


def test_a_server_without_ranges_makes_it_start_clean(index: Index, tmp_path: Path) -> None:
    index.knows_ranges = False
    index.cut_after = [50_000]
    models.pull("voice", tmp_path)
    assert index.starts == [0, 0]


def test_a_wrong_hash_is_refused_and_deleted(index: Index, tmp_path: Path) -> None:
    index.wheel = index.wheel.replace(b"second half", b"wicked half")
    with pytest.raises(ConfigError, match="deleted"):
        models.pull("voice", tmp_path)
    assert not list(tmp_path.rglob("*.whl*"))
    with pytest.raises(ModelMissingError):
        models.path_of("voice", tmp_path)


def test_a_file_that_is_not_what_is_pinned_is_refused(index: Index, tmp_path: Path) -> None:
    models.MANIFEST.write_text(
        models.MANIFEST.read_text().replace(sha256(FIRST + SECOND), sha256(b"else"))
    )
    with pytest.raises(ConfigError, match=r"model\.bin is not what"):
        models.pull("voice", tmp_path)
    assert not list((tmp_path / "voice").iterdir())


def test_a_download_that_never_ends_is_cut(index: Index, tmp_path: Path) -> None:
    index.wheel += bytes(5_000_000)
    with pytest.raises(ConfigError, match="deleted"):
        models.pull("voice", tmp_path)


def test_an_index_without_the_wheel_is_named(index: Index, tmp_path: Path) -> None:
    models.MANIFEST.write_text(models.MANIFEST.read_text().replace(WHEEL, "other.whl"))
    with pytest.raises(ConfigError, match=r"has no file other\.whl"):
        models.pull("voice", tmp_path)


def test_no_network_is_one_sentence(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:secret@127.0.0.1:1/simple")
    with pytest.raises(TadbotError, match="check the network") as caught:
        models.pull("voice", tmp_path)
    assert "secret" not in str(caught.value)


def test_a_private_index_gets_its_login(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("//", "//me:pass%20word@"))
    models.pull("voice", tmp_path)
    assert index.logins == ["Basic bWU6cGFzcyB3b3Jk"] * 2


def test_the_index_of_pips_configuration_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://mirror.example/simple/\n")
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert download.index_url() == "https://mirror.example/simple"


def test_a_full_disk_is_one_sentence(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TadbotError, match="full; make room"):
        models.pull("voice", tmp_path)
    assert not list((tmp_path / "voice").iterdir())


def test_a_missing_model_says_what_to_pull(index: Index, tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"missing .* `tadbot-server models pull small`"):
        models.path_of("voice", tmp_path)


def test_a_half_downloaded_model_says_so(index: Index, tmp_path: Path) -> None:
    models.pull("voice", tmp_path)
    (tmp_path / "voice" / "model.bin").write_bytes(FIRST)
    with pytest.raises(ModelMissingError, match="incomplete"):
        models.path_of("voice", tmp_path)


def test_a_pull_repairs_a_file_that_was_changed(index: Index, tmp_path: Path) -> None:
    models.pull("voice", tmp_path)
    (tmp_path / "voice" / "model.bin").write_bytes(SECOND + FIRST)
    models.pull("voice", tmp_path)
    assert (tmp_path / "voice" / "model.bin").read_bytes() == FIRST + SECOND


def test_a_path_of_the_users_is_a_model(index: Index, tmp_path: Path) -> None:
    own = tmp_path / "mine.gguf"
    own.touch()
    assert models.path_of(str(own), tmp_path / "models") == own
    with pytest.raises(ModelMissingError, match="no file either"):
        models.path_of(str(tmp_path / "other.gguf"), tmp_path / "models")


def test_a_file_of_the_hub_is_verified_and_found(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hub(repository: str, name: str, *, revision: str, local_dir: Path) -> str:
        assert (repository, name, revision[:4]) == ("someone/face", "onnx/face.onnx", "0123")
        local_dir.mkdir(parents=True)
        (local_dir / "face.onnx").write_bytes(b"face")
        return str(local_dir / "face.onnx")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", hub)
    models.pull("face", tmp_path)
    assert models.path_of("face", tmp_path).read_bytes() == b"face"


@pytest.mark.hub
def test_the_hub_has_what_the_manifest_pins(tmp_path: Path) -> None:
    try:
        socket.create_connection(("huggingface.co", 443), timeout=5).close()
    except OSError:
        pytest.skip("no hub can be reached from here")
    for model in models.load_manifest().named("standard"):
        for file in model.files:
            if file.size < 10_000_000:
                got = download.fetch_hub_file(
                    model.repository, file.parts[0].member, model.revision, tmp_path, False
                )
                assert sha256(got.read_bytes()) == file.sha256


def test_the_list_shows_what_is_on_the_disk(index: Index, tmp_path: Path) -> None:
    models.pull("voice", tmp_path)
    voice, face = models.listing(tmp_path)
    assert (voice.state, face.state) == ("on disk", "missing")
    assert voice.sets == ("small",)
    assert face.source == "hub: someone/face@0123456"


def test_weights_in_a_module_are_taken_out_without_running_it() -> None:
    source = b"import sys\nsys.exit('ran')\nWEIGHTS = b'\\x08\\x06onnx'\nraise SystemExit\n"
    assert convert("python-bytes", source) == b"\x08\x06onnx"
    with pytest.raises(ConfigError):
        convert("python-bytes", b"A = b'1'\nB = b'2'\n")
