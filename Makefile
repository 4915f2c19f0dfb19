# make test and make reproduce set up .venv by themselves, make bench sets up .venv-bench, make gpu .venv-gpu,
# make references .venv-references.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
BENCH := experiments/benchmarks
TRAINING := experiments/training
CUDA ?= 12

.PHONY: test fuzz reproduce bench gpu references training check clean

test: check
	$(BIN)/python -m pytest -n 2 --dist loadfile

MINUTES ?= 10
SEED ?= 0
fuzz: .venv/installed
	$(BIN)/python tests/fuzz/fuzz.py --minutes $(MINUTES) --seed $(SEED)

reproduce: .venv/installed
	$(BIN)/spikesim reproduce --quick

bench: .venv-bench/installed
	PYTHONPATH=experiments .venv-bench/bin/python -m benchmarks.run $(if $(QUICK),--quick --figures figures/quick)

gpu: .venv-gpu/installed
	.venv-gpu/bin/python experiments/gpu.py $(if $(QUICK),--quick --figures figures/quick)

references: .venv-references/installed
	.venv-references/bin/python -m pytest tests/references

training: .venv-training/installed
	PYTHONPATH=experiments .venv-training/bin/python -m training.run $(if $(QUICK),--quick)

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,test-gpu]'
	touch $@

.venv-bench/installed: pyproject.toml $(BENCH)/constraints.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --constraint $(BENCH)/constraints.txt --editable '.[bench]'
	touch $@

.venv-gpu/installed: pyproject.toml $(BENCH)/constraints.txt
	$(PYTHON) -m venv .venv-gpu
	.venv-gpu/bin/pip install --quiet --disable-pip-version-check --constraint $(BENCH)/constraints.txt nvidia-cuda-nvdisasm --editable '.[bench,gpu-cu$(CUDA)]'
	touch $@

.venv-references/installed: pyproject.toml $(BENCH)/constraints.txt
	$(PYTHON) -m venv .venv-references
	.venv-references/bin/pip install --quiet --disable-pip-version-check --constraint $(BENCH)/constraints.txt --editable '.[references,test]'
	touch $@

.venv-training/installed: pyproject.toml $(TRAINING)/constraints.txt
	$(PYTHON) -m venv .venv-training
	.venv-training/bin/pip install --quiet --disable-pip-version-check --constraint $(TRAINING)/constraints.txt --editable '.[training]'
	touch $@

clean:
	rm -rf .venv .venv-bench .venv-gpu .venv-references .venv-training results figures/quick
