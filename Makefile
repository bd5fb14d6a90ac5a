# make demo     the lab from end to end: data, model, errors, neighbours, map, report in demo/
# make test     everything that CI runs: lint, types, tests, documentation
# make bench    the models beside those of other libraries, which it installs in .venv-bench
# make install  the environment alone, in .venv

PYTHON ?= python3
BIN := .venv/bin
# TensorFlow speaks of its optimisations on standard error; nobody here needs to know.
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo bench test quick lint types tests notebook docs install clean

demo: .venv/installed
	$(BIN)/tastemap lab --out demo/

# BENCH="--quick", or any other options of benchmarks/leaderboard.py.
bench: .venv/installed .venv-bench/installed
	$(BIN)/python benchmarks/leaderboard.py $(BENCH)

# One that does not install is no error: its row says why.
.venv-bench/installed: benchmarks/peers/install.py $(wildcard benchmarks/peers/constraints-*.txt)
	$(BIN)/python benchmarks/peers/install.py --environments .venv-bench
	@touch $@

test: lint types docs-check tests notebook

install: .venv/installed

# Lint, types and the tests that take no seconds: for working.
quick: lint types .venv/developing
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

lint: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/developing
	$(BIN)/mypy

tests: .venv/developing
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup

# The committed notebook, executed again from the first cell to the last.
notebook: .venv/developing
	$(BIN)/python notebooks/execute.py --check notebooks/lab.ipynb

# The pages that are made from the code.
docs: .venv/developing
	$(BIN)/python docs/generate.py

docs-check: .venv/developing
	$(BIN)/python docs/generate.py --check

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tastemap needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[lab,serve,tune]"
	@touch $@

.venv/developing: .venv/installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[all]" --group dev
	@touch $@

clean:
	rm -rf .venv .venv-bench demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
