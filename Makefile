# make demo     the lab from end to end: data, model, errors, neighbours, map, report in demo/
# make test     everything that CI runs: lint, types, tests, documentation
# make bench    the models beside those of other libraries, which it installs in .venv-bench
# make install  the environment alone, in .venv
# make fuzz     damaged input, an hour of each kind: FUZZ_SECONDS
# make soak     servers that are killed, blocked and filled: SOAK_KILLS
# make audit    known vulnerabilities of what is installed
# make lock     versions and hashes of all that is installed, written anew

PYTHON ?= python3
BIN := .venv/bin
# TensorFlow speaks of its optimisations on standard error; nobody here needs to know.
export TF_CPP_MIN_LOG_LEVEL ?= 2

# A file of tests stays on one worker; tests/conftest.py puts those first that take long.
WORKERS := -n 2 --dist loadgroup --no-loadscope-reorder

.PHONY: demo bench test quick lint types tests notebook docs docs-check install clean
.PHONY: fuzz soak audit lock

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
	$(BIN)/python -m pytest -q $(WORKERS) -m "not slow"

lint: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/developing
	$(BIN)/mypy

tests: .venv/developing
	$(BIN)/python -m pytest -q $(WORKERS)

# The committed notebook, executed again from the first cell to the last.
notebook: .venv/developing
	$(BIN)/python notebooks/execute.py --check notebooks/lab.ipynb

# The pages that are made from the code.
docs: .venv/developing
	$(BIN)/python docs/generate.py

docs-check: .venv/developing
	$(BIN)/python docs/generate.py --check

# ---- gates that take longer than CI waits ----

FUZZ_SECONDS ?= 3600
fuzz: .venv/developing
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python tests/fuzz/fuzz.py

SOAK_KILLS ?= 1000
soak: .venv/developing
	$(BIN)/python tests/soak/soak.py --kills $(SOAK_KILLS)

# A package that the database does not name, or a database out of reach, is a failure as well.
audit: .venv-audit/installed
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/developer.txt

# Versions stay where they are, unless LOCK="--upgrade" or LOCK="--upgrade-package NAME" is given.
COMPILE = .venv-audit/bin/uv pip compile --quiet --universal --python-version 3.11.5 \
	--generate-hashes --no-annotate --custom-compile-command "make lock" $(LOCK)
lock: .venv-audit/installed
	$(COMPILE) pyproject.toml --all-extras --group dev --group build -o requirements/developer.txt
	$(COMPILE) pyproject.toml --extra lab --extra serve --extra tune --group build \
		-c requirements/developer.txt -o requirements/user.txt
	$(COMPILE) --group audit -c requirements/developer.txt -o requirements/audit.txt

# ---- environments ----

# Nothing is installed that has no hash in requirements/; the project itself is built by what is.
INSTALL := -m pip install -qq --disable-pip-version-check
SELF := $(INSTALL) --no-deps --no-build-isolation -e .

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5))' || \
		{ echo "this needs Python 3.11.5 or newer; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml requirements/user.txt
	$(BIN)/python $(INSTALL) --require-hashes -r requirements/user.txt
	$(BIN)/python $(SELF)
	@touch $@

.venv/developing: .venv/installed requirements/developer.txt
	$(BIN)/python $(INSTALL) --require-hashes -r requirements/developer.txt
	@touch $@

.venv-audit/installed: requirements/audit.txt
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python $(INSTALL) --require-hashes -r requirements/audit.txt
	@touch $@

clean:
	rm -rf .venv .venv-bench .venv-audit demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
