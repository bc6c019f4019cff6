# Needs make, git and Python 3.11 or newer; everything else is installed into .venv from the lock files.

PYTHON ?= $(shell for each in python3.13 python3.12 python3.11 python3; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$each; break; }; done)
BIN := .venv/bin
ARGS ?=
# A file's tests stay together: they share servers. Those that measure come after the others, when the machine is theirs.
TESTS = $(if $(ARGS),$(BIN)/python -m pytest $(ARGS),$(BIN)/python -m pytest -n auto --dist loadfile -m "not alone" && $(BIN)/python -m pytest -m alone)

.DEFAULT_GOAL := help
.PHONY: help run webchat test check format bench clean lock install-run install-dev

help: ## say what each target does
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r target words; do printf '%-15s%s\n' "$$target" "$$words"; done

run: install-run ## start a server with an agent to talk to (ARGS="--port 9000" and so on)
	@$(BIN)/python deploy/webchat.py --optional
	@exec $(BIN)/amtrio serve --demo $(ARGS)

webchat: install-run ## build the web client that the server serves at /, if it has changed
	@$(BIN)/python deploy/webchat.py

test: install-dev ## run the tests (ARGS="tests/store -k prune" for some of the server's)
	$(TESTS)
	$(if $(ARGS),,$(BIN)/python deploy/node.py test)

check: install-dev ## everything a change must pass: lint, format, types, import contracts, tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy amtrio tests deploy
	$(BIN)/lint-imports
	$(BIN)/python deploy/node.py lint
	$(TESTS)
	$(BIN)/python deploy/node.py test

format: install-dev ## format the code and repair what the linter can
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: install-dev ## measure a server on this machine
	$(BIN)/python -m tests.bench $(ARGS)

lock: install-dev ## pin the dependencies anew (ARGS=--upgrade for newer ones)
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group build --extra otel --extra otel-grpc --constraint requirements.lock \
		--output-file requirements-otel.lock
	$(LOCK_ONLY) --group webchat --output-file requirements-webchat.lock
	$(LOCK) --group build --group dev --constraint requirements-otel.lock --output-file requirements-dev.lock

clean: ## remove the environment and what tools left behind; your data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist amtrio/webchat
	rm -rf webchat/node_modules webchat/dist webchat/sdk/dist webchat/test-results webchat/playwright-report
	find amtrio tests deploy -name __pycache__ -type d -prune -exec rm -rf {} +

# Universal: one file serves Python 3.11 to 3.13 on every platform. Hashes: pip refuses anything else.
LOCK_ONLY = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(ARGS)
LOCK = $(LOCK_ONLY) pyproject.toml

install-run install-dev: install-%:
	@test -n "$(PYTHON)" || { echo 'amtrio: no Python 3.11 or newer found. Install one, or say make PYTHON=/path/to/it' >&2; exit 1; }
	@$(PYTHON) deploy/install.py $*
