# The developer's entry points. `make` alone lists them.
# Paths in here are relative, so that a checkout in a folder with spaces in its name works.

.DEFAULT_GOAL := help
SHELL := /bin/sh
# A PYTHONPATH or PYTHONHOME of the caller would put other packages before the pinned ones.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PYTHONNOUSERSITE := 1
# Empty: the Python of .venv, else the first suitable one on PATH.
PYTHON ?=
export PYTHON
DEVICE ?= auto
# `yes`: GFPGAN and its torch in the environment for a CPU, too (5 GB more); the GPU's has them.
GFPGAN ?= no
ARGS ?=
TESTARGS ?=
# How many processes share the tests; 0 for none but pytest's own, as a debugger needs it.
WORKERS ?= auto
BIN := .venv/bin

# Which environment: the GPU one where an NVIDIA GPU answers, unless DEVICE says. Asked once, and only if it matters.
HAS_GPU = $(eval HAS_GPU := $(shell PATH="$$PATH:/usr/lib/wsl/lib"; nvidia-smi -L 2>/dev/null | grep -c '^GPU '))$(HAS_GPU)
FLAVOUR = $(if $(filter auto,$(DEVICE)),$(if $(filter-out 0,$(HAS_GPU)),gpu,cpu),$(if $(filter cpu gpu,$(DEVICE)),$(DEVICE),$(error DEVICE=$(DEVICE) is unknown; use auto, cpu or gpu)))
LAB = $(FLAVOUR)$(if $(filter yes,$(GFPGAN)),$(if $(filter cpu,$(FLAVOUR)),-gfpgan),$(if $(filter-out no,$(GFPGAN)),$(error GFPGAN=$(GFPGAN) is unknown; use yes or no)))
# Where the labs compute. In the CPU environment it is the CPU, also where the library would find a GPU that nvidia-smi does
# not show (a driver without the tool): nothing in there computes on it.
RUN_ON = $(if $(filter cpu,$(FLAVOUR)),cpu,$(DEVICE))
DEV = $(if $(filter gpu,$(FLAVOUR)),dev-gpu,dev)
# `w251lab setup` makes the Triton server's environment with the uv that made the lab's.
SERVER_SETUP = PATH="$$PATH:$$PWD/.tools/bin" $(BIN)/w251lab setup --device $(FLAVOUR)

.PHONY: help env dev run test lint lab serve release bench lock hooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo "Variables: DEVICE=auto|cpu|gpu  GFPGAN=no|yes  PYTHON=python3.12  ARGS='...' (for the verb)  TESTARGS='...' (for pytest)  WORKERS=2"

env: ## set up what the labs need: .venv and the Triton server's .venv-server
	@sh environments/setup.sh $(LAB)
	@$(SERVER_SETUP)

dev: ## set up what the tests need as well
	@sh environments/setup.sh $(DEV)
	@$(SERVER_SETUP)

run: env ## run every lab's solution here, score it, print the table, write report/
	$(BIN)/w251lab check --device $(RUN_ON) --report report $(ARGS)

test: lint ## check the style, the types, the notebooks and the releases, then run the tests
	$(BIN)/python -m pytest $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS) --dist loadfile --no-loadscope-reorder) $(TESTARGS) $(if $(filter-out 0,$(WORKERS)),|| $(BIN)/python tests/alone.py $$?)

lint: dev ## check the style, the types, the notebooks and the releases
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/w251lab tidy --check
	$(BIN)/w251lab release --check
	$(BIN)/w251lab list --update README.md --check

lab: env ## open JupyterLab on labs/
	PATH="$$PWD/$(BIN):$$PATH" $(BIN)/jupyter lab --ServerApp.root_dir=labs $(ARGS)

serve: env ## serve the models in this terminal
	$(BIN)/w251lab serve $(ARGS)

release: env ## make labs/ and the README's table from solutions/
	$(BIN)/w251lab release $(ARGS)
	$(BIN)/w251lab list --update README.md

bench: dev ## measure against the peers; BENCH=benchmarks/NAME.py for another script
	@set -e; for script in $(or $(BENCH),benchmarks/triton_vs_direct.py); do echo "== $$script"; $(BIN)/python "$$script" $(ARGS); done

lock: ## pin the environments again from pyproject.toml; ARGS=--upgrade for the newest versions
	sh environments/setup.sh lock $(ARGS)

hooks: dev ## have git run the checks before each commit
	$(BIN)/pre-commit install

clean: ## remove the environments, the caches and report/; never a student's work or the gradebook
	rm -rf .venv .venv-server .tools report dist .mypy_cache .pytest_cache .ruff_cache .nbgrader.log
	find $(wildcard w251lab tests benchmarks environments) -name __pycache__ -type d -prune -exec rm -rf {} +
