# Everything a newcomer, a maintainer or CI runs. `make help` lists it.
PYTHON ?= python3.11
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Pyserini's own requirements hold torch and much else that BM25 does not use: only its jar is wanted.
PYSERINI := pyserini==1.6.0

DEMO := .venv-demo
DEV := .venv

export HF_HUB_OFFLINE ?= 1
.DEFAULT_GOAL := help
.PHONY: help demo test types lint unit wheel schemas golden cassette hooks clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

demo: $(DEMO)/.installed  ## Set up what BM25 needs, and run the embedded default
	$(DEMO)/bin/lrat-bench run

$(DEMO)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python $(PIP_INSTALL) --editable '.[bm25]'
	$(DEMO)/bin/python $(PIP_INSTALL) --no-deps $(PYSERINI)
	touch $@

$(DEV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python $(PIP_INSTALL) --upgrade 'pip>=25.1'
	# torch first and by itself, so that the pinned version decides which build of it comes.
	$(DEV)/bin/python $(PIP_INSTALL) torch
	$(DEV)/bin/python $(PIP_INSTALL) --editable '.[all]' --group dev
	touch $@

test: $(DEV)/.installed lint types unit  ## Set up the whole environment; lint, type-check and test

lint: $(DEV)/.installed  ## Style, formatting, and the rooms' import rules
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/lint-imports

types: $(DEV)/.installed  ## Type-check package and tests
	$(DEV)/bin/mypy

unit: $(DEV)/.installed  ## The test suite
	$(DEV)/bin/pytest

wheel: $(DEV)/.installed  ## Build the wheel, and use it in an empty environment outside the checkout
	PYTHON=$(DEV)/bin/python bash tests/wheel.sh

schemas: $(DEV)/.installed  ## Write docs/schemas anew from the record models
	$(DEV)/bin/python -m lrat_bench.report.schemas docs/schemas

golden: $(DEV)/.installed  ## Write the golden request bodies anew, from what is sent now
	$(DEV)/bin/pytest -q tests/agent/test_golden_bodies.py --golden

cassette: $(DEV)/.installed  ## Record the cassette that CI replays, against a model server on this machine
	PYTHONPATH=tests/support $(DEV)/bin/python tests/support/record_cassette.py $$(mktemp -d)/run

hooks: $(DEV)/.installed  ## Run lint and formatting before each commit
	$(DEV)/bin/pre-commit install

clean:  ## Remove environments and caches of tools
	rm -rf $(DEMO) $(DEV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
