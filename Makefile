# make demo   the embedded demo, end to end          make test   all tests
# make help   the other targets

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV ?= .venv
PY ?= $(VENV)/bin/python
CUDA ?= 0
PIP = $(PY) -m pip install --disable-pip-version-check --quiet --quiet
STAMP = $(VENV)/.installed
SNAKEMAKE = $(PY) -m snakemake --profile $${SNAKEMAKE_PROFILE:-local}

.PHONY: help environment install demo restore push test test-faults lint format schemas lock clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

environment: $(STAMP) ## create .venv from the locks (CUDA=1: torch with hashes, for NVIDIA GPUs)

$(STAMP): requirements.txt requirements-torch.txt requirements-cuda.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else "ReproID needs Python 3.11, found %d.%d. Install it, or name one: make PYTHON=/path/to/python3.11" % v)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python has no venv module: apt-get install python3-venv"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(MAKE) --no-print-directory install
	@touch $@

install:
	@echo "Installing the locked environment (1 to 2 minutes, and as long as the download takes) ..."
	@$(PIP) --no-deps --require-hashes -r requirements.txt
	@if [ "$(CUDA)" = 1 ]; then $(PIP) --no-deps --require-hashes -r requirements-cuda.txt; else $(PIP) -r requirements-torch.txt; fi
	@$(PIP) --no-deps --no-build-isolation --editable .

demo: environment ## run the suite of params.yaml (as shipped: the demo) and make the report
	@$(SNAKEMAKE) all
	@echo "The report: $(CURDIR)/reports/index.html"

restore: environment ## after a fresh clone: fetch results from the DVC remote, mark them current, verify them
	@$(PY) -m dvc pull
	@$(PY) tools/mark_current.py
	@$(PY) -m reproid verify

push: environment ## push results to the DVC remote; restricted data sets to remotes in .dvc/private-remotes alone
	@$(PY) -m reproid push

test: environment lint ## run every test
	@$(PY) -m pytest

test-faults: environment ## kill -9 at 20 random moments: half an hour (see docs/faults.md)
	@REPROID_FAULT_KILLS=20 $(PY) -m pytest tests/workflow/test_faults.py

lint: environment ## formatting, style, types, workflow, schemas
	@$(PY) -m ruff format --check --quiet . && $(PY) -m ruff check --quiet .
	@$(PY) -m mypy --no-error-summary
	@$(VENV)/bin/snakefmt --check Snakefile workflow
	@said=$$($(PY) -m snakemake --lint 2>&1) || { echo "$$said"; exit 1; }

format: environment ## format Python and Snakemake files
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix . && $(VENV)/bin/snakefmt Snakefile workflow

schemas: environment ## export the JSON schemas of the YAML files
	@$(PY) -m reproid catalog schema --out schemas

lock: ## resolve requirements.in anew (needs uv)
	@$(PYTHON) tools/lock.py

clean: ## remove what Snakemake made: results, rendered data, reports (not the environment)
	@$(PY) -m snakemake --cores 1 --delete-all-output
