"""What is agreed to and told by voice, kept by the client from talk to talk."""

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tadbot.v1 import companion_pb2 as pb

from pi_client import plan, state
from pi_client.rights import Rights


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client's state file, in a folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "tadbot" / "client.json"


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder that may be read, but not written to."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_STATE_HOME", folder)
        state.write_consents(["camera"])
        file = Path(folder) / "tadbot" / "client.json"
        for path, mode in ((file, 0o644), (file.parent, 0o555), (Path(folder), 0o755)):
            path.chmod(mode)
        mine = os.geteuid()
        if mine == 0:
            # The root user may write everywhere, so it is somebody else meanwhile.
            os.seteuid(65534)
        yield file
        os.seteuid(mine)
        file.parent.chmod(0o755)


def write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def receipt(*consents: "pb.Consent.ValueType") -> pb.ConverseResponse:
    return pb.ConverseResponse(consent_receipt=pb.ConsentReceipt(consents=consents))


def opened(rights: Rights) -> pb.Open:
    opening = pb.Open()
    rights.tell(opening)
    return opening


def test_what_is_given_by_voice_is_sent_next_time_with_what_the_flag_names() -> None:
    Rights(["camera"]).saw(receipt(pb.CAMERA, pb.MEMORY))
    assert state.read_consents() == {"memory"}
    assert list(opened(Rights(["share"])).consents) == [pb.MEMORY, pb.SHARE]


def test_what_the_flag_names_is_not_kept_as_given_by_voice(kept: Path) -> None:
    Rights(["memory"]).saw(receipt(pb.MEMORY))
    assert not kept.exists()


def test_what_is_taken_back_is_sent_no_more_in_this_run_and_again_where_the_flag_names_it() -> None:
    state.write_consents(["camera", "memory"])
    rights = Rights(["camera"])
    rights.saw(receipt(pb.MEMORY))
    assert list(opened(rights).consents) == [pb.MEMORY]
    assert state.read_consents() == {"memory"}
    assert Rights([]).consents == {"memory"}
    assert Rights(["camera"]).consents == {"memory", "camera"}


def test_what_the_flag_named_and_is_given_again_by_voice_is_kept() -> None:
    rights = Rights(["memory"])
    rights.saw(receipt())
    rights.saw(receipt(pb.MEMORY))
    assert rights.consents == state.read_consents() == {"memory"}


def test_a_consent_that_this_client_does_not_know_is_left_alone() -> None:
    response = receipt(pb.MEMORY)
    response.consent_receipt.consents.append(77)  # type: ignore[arg-type]
    rights = Rights([])
    rights.saw(response)
    assert rights.consents == state.read_consents() == {"memory"}


@pytest.mark.parametrize("minor", [True, False])
def test_the_age_is_sent_next_time_and_never_where_it_is_not_known(minor: bool) -> None:
    rights = Rights([])
    assert not opened(rights).HasField("minor")
    rights.saw(pb.ConverseResponse(age_noted=pb.AgeNoted(minor=minor)))
    for opening in (opened(rights), opened(Rights([]))):
        assert opening.HasField("minor")
        assert opening.minor == minor


def test_keys_of_other_versions_stay_and_the_file_is_the_persons_own(kept: Path) -> None:
    write(kept, '{"last_disclosure": "2026-11-22", "colour": ["red"]}')
    left_behind = kept.with_suffix(".new")
    left_behind.write_text("half")
    left_behind.chmod(0o644)
    state.write_consents({"memory", "camera"})
    state.write_minor(True)
    assert json.loads(kept.read_text()) == {
        "last_disclosure": "2026-11-22",
        "colour": ["red"],
        "consents": ["camera", "memory"],
        "minor": True,
    }
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(kept.parent.iterdir()) == [kept]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"consents": "camera", "minor": "yes", "last_disclosure": 7}',
        '{"consents": {"camera": true}, "minor": 1, "last_disclosure": null}',
        '{"consents": [["camera"], 7, null, "everything"], "minor": null}',
    ],
)
def test_a_file_that_makes_no_sense_agrees_to_nothing_and_is_written_anew(
    kept: Path, text: str
) -> None:
    write(kept, text)
    rights = Rights([])
    assert opened(rights) == pb.Open()
    assert state.read_last_disclosure() is None
    rights.saw(receipt(pb.MEMORY))
    assert state.read_consents() == {"memory"}


def test_bytes_that_are_no_text_agree_to_nothing(kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_bytes(b'{"consents": ["camera\xff"]}')
    assert opened(Rights([])) == pb.Open()


def test_the_person_is_told_what_counts_from_an_earlier_talk(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state.write_consents(["camera", "memory"])
    Rights(["memory"])
    assert [record.getMessage() for record in caplog.records] == [
        "You agreed to this by voice, and can take it back so: camera."
    ]


def test_where_nothing_can_be_written_it_counts_for_this_talk_and_is_told_once(
    read_only: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rights = Rights(["camera"])
    for _ in range(2):
        rights.saw(receipt(pb.CAMERA, pb.MEMORY))
        assert rights.consents == {"camera", "memory"}
        rights.saw(receipt())
        assert rights.consents == frozenset()
    rights.saw(pb.ConverseResponse(safety_plan=pb.SafetyPlan(steps=[pb.SafetyPlan.Step()])))
    told = [record.getMessage() for record in caplog.records]
    assert [str(read_only.parent) in line for line in told] == [True, True]
    assert "this talk only" in told[0]
    assert state.read_consents() == {"camera"}
    assert not plan.plan_file().exists()
