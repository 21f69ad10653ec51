"""The contract: its code is what the generator makes of it, and its numbers are frozen."""

import subprocess
import sys
from pathlib import Path

from tadbot.v1 import emotion_recognition_pb2

from server.engines import LABELS
from tests.generate import PROTOS, ROOT, generate

GENERATED = "*_pb2*.py*"


def test_the_committed_code_is_what_the_protos_generate(tmp_path: Path) -> None:
    generate(tmp_path)
    made = {str(one.relative_to(tmp_path)): one for one in tmp_path.rglob(GENERATED)}
    kept = {
        str(one.relative_to(PROTOS)): one
        for one in PROTOS.rglob(GENERATED)
        if "__pycache__" not in one.parts
    }
    assert sorted(made) == sorted(kept)
    changed = [name for name in made if made[name].read_bytes() != kept[name].read_bytes()]
    assert changed == [], "run `make proto`"


def test_the_contract_is_lint_clean_and_every_part_of_it_has_a_comment(tmp_path: Path) -> None:
    assert "COMMENTS" in (PROTOS / "buf.yaml").read_text()
    buf = Path(sys.executable).parent / "buf"
    lint = subprocess.run([buf, "lint", "protos"], cwd=ROOT, capture_output=True, text=True)
    assert (lint.returncode, lint.stdout) == (0, "")


def test_the_labels_are_those_of_raf_db_and_frozen() -> None:
    label = emotion_recognition_pb2.Emotion.Label
    assert dict(label.items()) == {
        "LABEL_UNSPECIFIED": 0,
        "NEUTRAL": 1,
        "HAPPINESS": 2,
        "SADNESS": 3,
        "SURPRISE": 4,
        "FEAR": 5,
        "DISGUST": 6,
        "ANGER": 7,
    }
    assert [label.Value(one.upper()) for one in LABELS] == list(range(1, 8))
