# The words of this project. `make` alone lists them.
# CI runs these words and nothing else (.ci/run).

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# The first of these that is Python 3.11 or newer is used. `make PYTHON=/path/to/python test` overrides it.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
INTEROP := $(VENV)/.interop-installed
# Extra arguments for pytest: `make test ARGS="-k consent -x"`.
ARGS ?=
# `make lock UPGRADE=--upgrade` takes the newest versions that pyproject.toml allows.
UPGRADE ?=
# Processes of the test run.
WORKERS ?= 2
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help demo test check profiles conformance interop browser load laws attack races nightly drill docs lock clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ---- the environment ----

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is missing (none found on PATH); install it or give PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is not Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: the venv module of $(PYTHON) is missing (Debian and Ubuntu: the package python3-venv)" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements/runtime.lock requirements/build.lock pyproject.toml | $(BIN)/python
	@echo "installing what the hub needs to run"
	@$(PIP) install --require-hashes -r requirements/runtime.lock
	@$(PIP) install --require-hashes -r requirements/build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.lock $(RUNTIME)
	@echo "installing what tests and checks need"
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

$(INTEROP): requirements/interop.lock $(DEV)
	@echo "installing the client libraries that are driven against a hub"
	@$(PIP) install --require-hashes -r requirements/interop.lock
	@touch $@

# ---- the words ----

# $(call need,FILE,WHAT): a word whose work is not there says so and fails, it does not pass silently.
define need
	@ls $(1) 2>/dev/null | grep -q . || { echo "make $@: $(2) is missing ($(1))" >&2; exit 1; }
endef

demo: $(RUNTIME)  ## a small invented network plays a referral from shelter to clinic, then keeps serving
	$(call need,referral_hub/cli.py referral_hub/cli/__init__.py,the command line)
	@$(BIN)/referral-hub demo $(ARGS)

test: $(DEV)  ## unit and API tests, on SQLite and on a real PostgreSQL
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: $(DEV)  ## format, lint, types, imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

profiles: $(DEV)  ## write the FHIR profiles' JSON from their FSH sources (needs SUSHI)
	$(call need,scripts/build_profiles.py,the build of the profiles)
	@$(BIN)/python scripts/build_profiles.py $(ARGS)
	@$(BIN)/python scripts/compile_own_definitions.py $(ARGS)

conformance: $(DEV)  ## our suite on this hub, on HAPI, on faulty servers; HL7's validator on all that the hub emits (needs a JDK, Maven)
	@$(BIN)/python -m conformance.faulty --expected conformance/expected
	@$(BIN)/python -m conformance.hl7 $(ARGS)

interop: $(INTEROP)  ## against what others wrote: validators, servers, client libraries
	$(call need,tests/interop/test_*.py,a test of this kind)
	@$(BIN)/python -m pytest tests/interop $(ARGS)

browser: $(INTEROP)  ## the portal in a real browser, with accessibility checks (needs Chromium)
	$(call need,tests/browser/test_*.py,a test of this kind)
	@$(BIN)/python -m pytest tests/browser $(ARGS)

load: $(DEV)  ## speed, as ratios to a control in the same run
	$(call need,tests/load/__main__.py,the measurement)
	@$(BIN)/python -m tests.load $(ARGS)

laws: $(DEV)  ## the laws of consent on 50,000 seeded worlds, those of callers on 500
	@$(BIN)/python -m tests.laws.run_laws $(ARGS)

attack: $(DEV)  ## every side channel and every attack on tokens, row by row, with a report
	@$(BIN)/python -m tests.attack $(ARGS)

races: $(DEV)  ## reads, searches, exports, notifications and deliveries racing withdrawals over several processes
	$(call need,tests/load/races.py,the race)
	@$(BIN)/python -m tests.load.races $(ARGS)

# How much a night tries: `make nightly TRIALS=2000 TOLD=40 WORLDS=20 ARGS="-k twin_asks"` is a look at each piece.
TRIALS ?= 1000000
TOLD ?= 4000
WORLDS ?= 200000

nightly: $(DEV)  ## a night: a million races on each database, 200,000 worlds of callers, every attack with its report
	@$(BIN)/python -m tests.load.races --trials $(TRIALS) --told $(TOLD)
	@$(BIN)/python -m tests.load.races --trials $(TRIALS) --told $(TOLD) --database postgresql
	@$(BIN)/python -m tests.laws.run_laws --callers $(WORLDS) --processes $(WORKERS)
	@$(BIN)/python -m tests.attack --write docs/attacks.md $(ARGS)

drill: $(DEV)  ## kill -9 while the story runs, then look; ARGS="--seconds 40 --database postgresql"
	$(call need,tests/drill/__main__.py,the drill)
	@$(BIN)/python -m tests.drill $(ARGS)

docs: $(DEV)  ## write the parts of docs/ that follow from declarations
	$(call need,scripts/write_docs.py,the script that writes them)
	@$(BIN)/python scripts/write_docs.py $(ARGS)

lock: $(DEV)  ## requirements/*.lock from pyproject.toml; UPGRADE=--upgrade takes newer versions
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) --group dev pyproject.toml --output-file requirements/dev.lock
	@$(BIN)/uv pip compile $(LOCK) $(UPGRADE) --constraint requirements/dev.lock --group interop pyproject.toml --output-file requirements/interop.lock
	@$(BIN)/uv pip compile $(LOCK) --constraint requirements/dev.lock pyproject.toml --output-file requirements/runtime.lock
	@$(BIN)/uv pip compile $(LOCK) --constraint requirements/dev.lock --group build --output-file requirements/build.lock

clean:  ## remove .venv and caches; never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
