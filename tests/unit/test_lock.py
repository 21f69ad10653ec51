"""The lock: both forms of it agree, and everything in it is pinned by hash."""

import re

from tests.lock import LOCK, PROJECT, constraints, pins

TEXT = LOCK.read_text()


def test_the_lock_and_the_constraints_of_uv_are_the_same() -> None:
    assert pins(TEXT) == constraints(PROJECT.read_text())
    assert len(pins(TEXT)) > 30


def test_every_pin_has_a_hash() -> None:
    blocks = re.split(r"^(?=[\w.-]+==)", TEXT, flags=re.MULTILINE)[1:]
    assert len(blocks) >= len(pins(TEXT))
    bare = [
        one.split(" ")[0] for one in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", one)
    ]
    assert bare == []


def test_nothing_in_the_lock_is_unpinned() -> None:
    line = re.compile(r"(?:[\w.-]+==\S+(?: ; .+)? \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?|)")
    assert [one for one in TEXT.splitlines() if not line.fullmatch(one) and one[0] != "#"] == []


def test_torch_is_in_neither() -> None:
    named = {re.split(r"[=<> ;\[]", one)[0].lower() for one in (*pins(TEXT), *constraints(TEXT))}
    assert not {one for one in named if one.startswith(("torch", "nvidia", "triton"))}
    assert "torch" not in constraints(PROJECT.read_text())


def test_no_address_is_in_the_lock() -> None:
    assert not re.search(r"https?:", TEXT)
    assert "://" not in TEXT
    assert " @ " not in TEXT
