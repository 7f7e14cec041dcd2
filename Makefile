# Everything is set up in .venv, from requirements.lock alone. Pre-commit and CI call these targets.
PYTHON ?= python3.11
BIN := .venv/bin
# Some machines forbid .pyc files; imports are then two to four times slower.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help test-slow test-long chaos audit sbom run serve-flows remote prove test setup lint types layers pytest reproduce lock clean
.DEFAULT_GOAL := help

help:  ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup  ## the main job: from the batches to a registered champion
	@$(BIN)/perennial run

serve-flows: setup  ## monitoring and training by themselves: Prefect on 127.0.0.1, until Ctrl-C
	@exec $(BIN)/python flows/serving.py

test: lint types layers pytest  ## everything that CI checks, but for the fresh clone

setup: .venv/ready  ## the virtual environment, from the lock

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "Setting up .venv from requirements.lock, once: about two minutes"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lint: setup  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup  ## mypy, strict
	@$(BIN)/mypy

layers: setup  ## import-linter
	@$(BIN)/lint-imports --no-logo

pytest: setup  ## the tests alone
	@$(BIN)/python -m pytest

remote: setup  ## what DVC's remote takes beside the lock: make remote EXTRA=s3 (gs, azure, ssh)
	@mkdir -p .perennial && $(BIN)/python -m pip freeze --exclude-editable > .perennial/constraints.txt
	@$(BIN)/python -m pip install --quiet --constraint .perennial/constraints.txt "dvc[$(EXTRA)]"

test-slow: setup  ## end to end, minutes each: kills, retraining in CI and by Prefect, gates, replay
	@$(BIN)/python -m pytest -m "slow and not long"

test-long: setup  ## the proofs too long for each commit
	@$(BIN)/python -m pytest -m long

prove: setup  ## planted bad candidates and 200 good ones through the gates: about 11 minutes
	@$(BIN)/perennial prove-gates

chaos: setup  ## at least 50 kills, each finished by the same command: make chaos SEED=7
	@$(BIN)/python -m tests.e2e.chaos --seed $(or $(SEED),1)

audit: setup  ## known vulnerabilities of what the lock installs; offline it says so
	@$(BIN)/python supply_chain/audit.py

sbom: setup  ## a CycloneDX bill of materials of .venv: .perennial/sbom.cdx.json
	@mkdir -p .perennial
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file .perennial/sbom.cdx.json .venv
	@echo .perennial/sbom.cdx.json

lock:  ## resolve requirements.lock anew (needs uv)
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-strip-extras --upgrade --extra dask --extra flows --extra onnx --extra postgres --extra prov \
	  --extra dev pyproject.toml -o requirements.lock

clean:  ## forget caches and local state, but not the registry
	rm -rf .pytest_cache .mypy_cache .ruff_cache .perennial/validations .perennial/derived .perennial/studies

reproduce: setup  ## the DAG here must end with the committed dvc.lock and reports
	@$(BIN)/python -c 'import json; assert json.load(open("champion.json"))["digest"] is None, \
	  "champion.json names a champion: run this in a clone where it names nobody"'
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dvc repro
	@git diff --exit-code --stat dvc.lock reports
