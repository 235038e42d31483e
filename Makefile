# `make setup` is called by every other target; its stamp makes the second time quick. Needs Python 3.11, make and git.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp
PEERS := .venv-peers
# Three on two cores: some tests wait for processes that they kill, or for a server.
WORKERS ?= 3
# Which tests `make test` runs, in pytest's words; nothing said: the fast ones. .ci/run says "not browser", all of them.
MARKS ?=
# Kept byte code, even where the environment wants none: else each worker writes every test's asserts anew, 12 s a run.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: setup demo test test-all test-browser chaos deep check bench understanding lock clean

setup: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Plainbill needs Python 3.11 or newer; say which: make PYTHON=/path/to/python3.11"; exit 1; }
ifneq ($(UV),)
	test -x $(BIN)/python || $(UV) venv --python $(PYTHON) $(VENV)
	$(UV) pip install --python $(BIN)/python --compile-bytecode --require-hashes -r requirements-dev.lock
	$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@# Some environments install without byte code; then every start compiles everything again.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q $(VENV)/lib >/dev/null 2>&1 || true
	@touch $(STAMP)

demo: setup
	$(BIN)/plainbill demo

test: setup
	$(PYTEST) $(if $(MARKS),-m "$(MARKS)")

test-all: setup
	$(PYTEST) -m "not browser"

# Debian's Chromium: installed where that may be done, else this fails and says so.
test-browser: setup
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -m browser tests/browser

# The long form of what CI runs briefly: 5,000 messages and 500 charges under hundreds of kills. CHAOS_SEED=N for another.
chaos: setup
	env CHAOS=long $(BIN)/python -m pytest -o faulthandler_timeout=0 -m slow -s tests/chaos

# What CI draws a share of, drawn whole: random requests, histories, years, conversations on the road (tests/depth.py).
deep: setup
	env DEPTH=deep HYPOTHESIS_PROFILE=same $(PYTEST) -o faulthandler_timeout=0 -m "not browser" $$(grep -rl --include="*.py" "^from tests.depth" tests)

check: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .

bench: setup $(PEERS)/.setup-stamp
	$(BIN)/python -m benchmarks

# The ledgers that ours is measured beside, in an environment of their own. Where they cannot be installed the bench
# says so by name, and their lines count as not met.
$(PEERS)/.setup-stamp: requirements-peers.lock
	@rm -rf $(PEERS)
ifneq ($(UV),)
	@$(UV) venv --quiet --python $(PYTHON) $(PEERS) && \
	  $(UV) pip install --quiet --python $(PEERS)/bin/python --no-deps --require-hashes -r requirements-peers.lock && \
	  touch $@ || { rm -rf $(PEERS); echo "The peers of the ledger's benchmark could not be installed."; }
else
	@$(PYTHON) -m venv $(PEERS) && \
	  $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	    -r requirements-peers.lock && \
	  touch $@ || { rm -rf $(PEERS); echo "The peers of the ledger's benchmark could not be installed."; }
endif

# Trains the intent model anew from training/ and measures it: handlers/understanding/model, docs/understanding.md.
understanding: setup
ifneq ($(UV),)
	$(UV) pip install --python $(BIN)/python --require-hashes -r requirements-training.lock
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-training.lock
endif
	$(BIN)/python -m training $(NOISE)

# The locks name no registry and pin every hash. Needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra dev --extra browser pyproject.toml -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra training -c requirements-dev.lock pyproject.toml -o requirements-training.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --override benchmarks/peers/left-out.in benchmarks/peers/peers.in -o requirements-peers.lock

clean:
	rm -rf $(VENV) $(PEERS) var .pytest_cache .mypy_cache .ruff_cache .hypothesis
