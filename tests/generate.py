"""`make proto`: generates the contract's code; a test compares it with what is committed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"


def generate(out: Path) -> None:
    """Writes messages, stubs and their types into a folder."""
    plugins = Path(sys.executable).parent
    files = sorted(str(one.relative_to(PROTOS)) for one in PROTOS.rglob("*.proto"))
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{PROTOS}",
        f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
        *(f"--{kind}_out={out}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")),
        *files,
    ]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    generate(PROTOS)
