# What a newcomer and the checks call. Everything lives in .venv; nothing outside the folder is
# touched but the weights and the database, which lie in ~/.local/share/tadbot.
PYTHON ?= python3
BIN := .venv/bin
LOCK := requirements.lock
BENCH ?= house

.PHONY: setup install demo test check lock proto bench clean

setup: install  ## .venv and the small weights
	@$(BIN)/tadbot-server models pull small

install: .venv/installed

.venv/installed: pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "TADBot needs Python 3.11 to 3.13; set PYTHON=…" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## a question through client and server, then by SQL; DEMO=live uses your devices
	@$(BIN)/python -m tests.demo $(DEMO)

test: setup  ## all tests: unit, integration, acceptance
	@$(BIN)/python -m pytest tests

check: install  ## style, types, contract
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/buf lint protos
	@$(BIN)/buf breaking protos --against protos/released.binpb

bench: setup  ## make bench BENCH=faces
	@$(BIN)/python -m tests.benchmarks.$(BENCH)

proto: install  ## the contract's code anew
	@$(BIN)/python -m tests.generate

lock: install  ## the locks anew, after a change of pyproject.toml
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tests.lock

clean:
	rm -rf .venv demo-out bench-results.jsonl
