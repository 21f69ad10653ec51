"""The safety plan on the person's own machine."""

import stat
from pathlib import Path

import pytest
from tadbot.v1 import companion_pb2 as pb

from pi_client import plan
from pi_client.__main__ import main
from pi_client.config import parse
from pi_client.errors import ClientError

MADE = pb.SafetyPlan(
    steps=[
        pb.SafetyPlan.Step(title="How I notice", text="I stop eating"),
        pb.SafetyPlan.Step(title="What I can do", text=""),
        pb.SafetyPlan.Step(title="Who I can ask", text="my sister Zoë"),
    ]
)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the plan is kept, in a folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "tadbot" / "plan.json"


def test_the_plan_is_shown_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    plan.keep(MADE)
    assert main(["plan"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Your safety plan",
        "",
        "1. How I notice",
        "   I stop eating",
        "",
        "2. What I can do",
        "   -",
        "",
        "3. Who I can ask",
        "   my sister Zoë",
    ]


def test_a_plan_takes_the_place_of_the_last_and_is_the_persons_own(kept: Path) -> None:
    plan.keep(MADE)
    plan.keep(pb.SafetyPlan(steps=MADE.steps[:1]))
    assert plan.read() == [plan.Step("How I notice", "I stop eating")]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(kept.parent.iterdir()) == [kept]


def test_a_plan_without_steps_removes_the_file(kept: Path) -> None:
    plan.keep(MADE)
    for _ in range(2):
        plan.keep(pb.SafetyPlan())
        assert not kept.exists()


def test_without_a_plan_one_sentence_says_how_to_make_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan"]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert "No safety plan is kept here" in shown.err


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"steps": [{"title": "My sister"',
        "[]",
        "7",
        "[" * 100_000,
        '{"steps": []}',
        '{"steps": "My sister"}',
        '{"steps": ["My sister"]}',
        '{"steps": [{"title": "My sister"}]}',
        '{"steps": [{"title": "My sister", "text": 7}]}',
        '{"steps": [{"title": null, "text": "My sister"}]}',
    ],
)
def test_a_plan_that_makes_no_sense_is_told_in_one_sentence_without_its_words(
    kept: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.parent.mkdir()
    kept.write_text(text)
    assert main(["plan"]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert f"{kept} cannot be read" in shown.err
    assert "sister" not in shown.err


def test_a_plan_that_may_not_be_read_is_told_with_the_reason(kept: Path) -> None:
    kept.mkdir(parents=True)
    with pytest.raises(ClientError, match="Is a directory"):
        plan.read()


def test_what_would_move_the_cursor_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    step = pb.SafetyPlan.Step(title="How\nI notice", text="\x1b[2Jgone\r")
    plan.keep(pb.SafetyPlan(steps=[step]))
    assert main(["plan"]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["1. How I notice", "   [2Jgone"]


def test_the_flags_of_a_talk_are_as_before_and_do_not_mix_with_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parse(["plan"]).command == "plan"
    assert parse(["--list-devices"]).list_devices
    assert parse(["--standalone"]).command == ""
    for wrong in (["--standalone", "plan"], ["plan", "--standalone"], ["plans"]):
        with pytest.raises(SystemExit) as ended:
            parse(wrong)
        assert ended.value.code == 2
    capsys.readouterr()
    with pytest.raises(SystemExit):
        parse(["--help"])
    assert "tadbot-pi plan\n" in capsys.readouterr().out
