# make test and make reproduce set up .venv by themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: test reproduce check clean

test: check
	$(BIN)/python -m pytest -n 2 --dist loadfile

reproduce: .venv/installed
	$(BIN)/spikesim reproduce --quick

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -rf .venv results figures/quick
