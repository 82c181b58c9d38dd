# Everything that is done with this repository. GNU make; needs Python 3.11 or newer with venv.
# The project is installed "editable": after a change of the code nothing has to be installed again.

PYTHON ?= python3
PIP = .venv/bin/python -m pip --disable-pip-version-check
UV_VERSION = 0.13.9

.PHONY: help demo test test-all soak bench train lint lock wheel browser clean
.DELETE_ON_ERROR:

help:
	@echo "make demo      replay the sample meeting as though live and open the dashboard"
	@echo "make test      every check and test; make test-all adds the slow ones"
	@echo "make lint      ruff and mypy alone"
	@echo "make soak      an hour of listening to servers at which something fails every minute (SECONDS=600: shorter)"
	@echo "make bench     the benchmarks of docs/benchmarks.md"
	@echo "make train     train the models that are shipped"
	@echo "make lock      renew the lock files of requirements"
	@echo "make wheel     build a wheel in dist/"

# What make demo passes on: make demo DEMO="--speed 1000 --port 8600"
DEMO ?=

demo: .venv/installed
	@exec .venv/bin/backchannel demo $(DEMO)

test: .venv/dev-installed browser lint
	@.venv/bin/python -m pytest -p tests.own_coverage -m "not slow"

test-all: .venv/dev-installed browser lint
	@.venv/bin/python -m pytest -p tests.own_coverage

lint: .venv/dev-installed
	@echo "Checking style and types (ruff, mypy --strict)"
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/mypy

soak: .venv/dev-installed
	@SOAK_SECONDS=$(or $(SECONDS),3600) .venv/bin/python -m pytest -s tests/collector/test_soak.py -k an_hour

bench: .venv/dev-installed browser
	@.venv/bin/python -m bench $(BENCH)

# All models, some two hours, or those named: make train MODELS="sentiment themes"
train: .venv/train/installed
	@.venv/train/bin/python -m training $(MODELS)

wheel: .venv/installed
	@$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

# Exact pins with the hashes of every file of a release, for Python 3.11 to 3.13 on any machine.
lock:
	@$(PYTHON) -m venv .venv/lock
	@.venv/lock/bin/python -m pip --disable-pip-version-check install --quiet uv==$(UV_VERSION)
	@$(LOCK) --group pyproject.toml:build pyproject.toml --output-file requirements.lock
	@$(LOCK) --group pyproject.toml:dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(LOCK) --group pyproject.toml:train pyproject.toml --constraint requirements.lock \
		--output-file requirements-train.lock

LOCK = .venv/lock/bin/uv --quiet --no-config pip compile --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up Python in .venv (some minutes the first time, seconds from then on)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev-installed: .venv/installed requirements-dev.lock
	@echo "Adding the tools for tests"
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.venv/train/installed: requirements-train.lock
	@echo "Setting up Python for training in .venv/train (torch is large)"
	@$(PYTHON) -m venv .venv/train
	@.venv/train/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes \
		-r requirements-train.lock
	@touch $@

browser:
	@for name in chromium google-chrome chrome; do \
		command -v $$name >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium, which the tests of the dashboard need"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	else \
		echo "The tests of the dashboard need a browser: install Chromium or Chrome" \
			"(on Debian: sudo apt-get install chromium) and run make again."; \
		exit 1; \
	fi
