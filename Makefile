# veridict. Needs Python 3.11 to 3.13, git and make; everything else is installed into this folder.
.DEFAULT_GOAL := help
.PHONY: help run test test-all check bench contracts docs pins flower clean

BIN := .venv/bin
# One more than two cores: many tests wait for other processes.
WORKERS ?= 3
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip install -qq --disable-pip-version-check --constraint constraints.txt

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: .venv/.runtime ## start a node with its dashboard and run the demo
	@$(BIN)/veridict up --demo

test: .venv/.dev node_modules/.ready check ## all checks and tests of a change, under 10 minutes
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

test-all: .venv/.dev node_modules/.ready check ## the slow tests as well, and a hundred kills
	VERIDICT_KILLS=$${VERIDICT_KILLS:-100} $(BIN)/pytest -n $(WORKERS) --dist loadfile -m ""

check: .venv/.dev ## format, lint, types, import rules, committed artifacts, generated docs
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache > .import-linter.log || (cat .import-linter.log; exit 1)
	$(PYTHON) -m tools.compile_contracts --check
	$(PYTHON) -m tools.tables --check

bench: .venv/.dev node_modules/.ready ## measure; writes benchmarks/results/latest.json and its tables
	$(PYTHON) -m benchmarks
	$(PYTHON) -m tools.tables

contracts: .venv/.dev ## compile the contracts into the artifacts that are shipped
	$(PYTHON) -m tools.compile_contracts

docs: .venv/.dev ## regenerate the reference pages
	$(PYTHON) -m tools.tables

pins: .venv/.dev ## write constraints.txt from this environment
	$(PYTHON) -m tools.pins

flower: .flower/.ready ## an environment for Flower, whose pins are not ours (tests, benchmarks)

.flower/.ready:
	$(PYTHON) -m venv .flower
	.flower/bin/pip install -qq --disable-pip-version-check 'flwr>=1.41,<1.42' scikit-learn
	@touch $@

clean: ## remove everything that was installed or built, never the data of a node
	rm -rf .venv .flower node_modules build dist src/*.egg-info .*_cache .hypothesis .import-linter.log
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/.runtime: pyproject.toml constraints.txt
	@test -x $(PYTHON) || { python=$$(tools/find_python.sh) && "$$python" -m venv .venv; }
	@echo "Installing veridict into .venv (once; about a minute)"
	@$(PIP) pip setuptools
	@$(PIP) --no-compile --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.runtime
	@echo "Installing what tests and checks need into .venv (once)"
	@$(PIP) --no-compile --group dev
	@touch $@

node_modules/.ready: package-lock.json
	@tools/test_parts.sh
