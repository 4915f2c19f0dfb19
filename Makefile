# make test, make reproduce, make docs and make notebook set up .venv by themselves; make bench, gpu, references, training,
# dist, oldest and browser set up a .venv of their own.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
BENCH := experiments/benchmarks
TRAINING := experiments/training
CUDA ?= 12

.PHONY: test reproduce docs notebook bench gpu references training dist oldest browser fuzz check clean

test: check
	$(BIN)/python -m pytest -n 2 --dist loadfile

MINUTES ?= 10
SEED ?= 0
fuzz: .venv/installed
	$(BIN)/python tests/fuzz/fuzz.py --minutes $(MINUTES) --seed $(SEED)

reproduce: .venv/installed
	$(BIN)/spikesim reproduce --quick

notebook: .venv/installed
	$(BIN)/python docs/notebooks/refresh.py

# The site, into site/: any warning and any link that leads nowhere is an error. LINKS=1 asks the network for external ones, too.
docs: .venv/installed
	$(BIN)/python -m sphinx -c docs -d site/.doctrees -W -n --keep-going -q . site
	$(if $(LINKS),$(BIN)/python -m sphinx -c docs -d site/.doctrees -b linkcheck -q . site/.linkcheck)
	@echo "site/index.html; links to the outside, not checked unless LINKS=1: site/external-links.txt"

bench: .venv-bench/installed
	PYTHONPATH=experiments .venv-bench/bin/python -m benchmarks.run $(if $(QUICK),--quick --figures figures/quick)

gpu: .venv-gpu/installed
	.venv-gpu/bin/python experiments/gpu.py $(if $(QUICK),--quick --figures figures/quick)

references: .venv-references/installed
	.venv-references/bin/python -m pytest tests/references

training: .venv-training/installed
	PYTHONPATH=experiments .venv-training/bin/python -m training.run $(if $(QUICK),--quick)

dist: .venv-dist/installed
	rm -rf dist build
	.venv-dist/bin/python -m build
	.venv-dist/bin/twine check --strict dist/*
	PYTHON=$(PYTHON) tests/packaging/install.sh dist/*.whl
	PYTHON=$(PYTHON) tests/packaging/install.sh dist/*.tar.gz

# QUICK=1: what reads files, prints, exports and compiles, some minutes. Without it, every test.
QUICKLY := tests/test_packaging.py tests/test_help.py tests/test_readme.py tests/test_arrays.py tests/test_model.py \
	tests/test_polar.py tests/test_predict.py tests/recorded tests/filters tests/signal/test_head.py tests/sweep/test_export.py \
	tests/sweep/test_spec.py

oldest: .venv-oldest/installed
	.venv-oldest/bin/python -m pytest -n 2 --dist loadfile $(if $(QUICK),$(QUICKLY))

browser: .venv-browser/installed
	.venv-browser/bin/python -m pytest tests/browser

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,test-gpu,docs]'
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

.venv-dist/installed: pyproject.toml
	$(PYTHON) -m venv .venv-dist
	.venv-dist/bin/pip install --quiet --disable-pip-version-check 'build>=1.2' 'twine>=6.1'
	touch $@

.venv-oldest/installed: pyproject.toml constraints/oldest.txt
	python3.11 -m venv .venv-oldest
	.venv-oldest/bin/pip install --quiet --disable-pip-version-check --upgrade pip
	.venv-oldest/bin/pip install --quiet --disable-pip-version-check --constraint constraints/oldest.txt --editable '.[test,test-gpu]'
	touch $@

.venv-browser/installed: pyproject.toml
	$(PYTHON) -m venv .venv-browser
	.venv-browser/bin/pip install --quiet --disable-pip-version-check --editable '.[browser]'
	touch $@

clean:
	rm -rf .venv .venv-* build dist results figures/quick site jupyter_execute
