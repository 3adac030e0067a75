# Everything runs in an environment of its own, made by the first target that needs it.
#
#   make demo PYTHON=python3.12 VENV=/tmp/venv    another interpreter, another place

PYTHON ?= python3
VENV ?= .venv

bin := $(VENV)/bin
ready := $(VENV)/.ready
# Nothing is installed whose bytes were not known when the lock files were made. That goes for what builds, too: pip's
# isolated builds would fetch their backends without looking at any hash. Sources are built for what has no wheel only.
# Python compiles what is imported when it first is; to compile all of it beforehand takes 30 s more.
pip := -m pip install --disable-pip-version-check --quiet --no-compile
install := $(bin)/python $(pip) --no-build-isolation
locked := $(install) --require-hashes --only-binary :all:

# What builds the documentation is pinned as well, and has an environment of its own.
site := $(VENV)-docs
site-ready := $(site)/.ready

# So has what the benchmarks compare with.
peers := $(VENV)-peers
peers-ready := $(peers)/.ready
bench := $(bin)/python -m benchmarks
# What CI measures: what takes seconds, and needs no peers.
small := $(bench) refresh swaps search --scale small

.PHONY: demo test test-system lint format tables docs recording picture bench bench-small bench-baseline lock clean help

demo: $(ready) ## index, publish, hydrate, search and hot-swap before your eyes, in some two minutes
	$(bin)/pycontextify demo --docs README.md --docs docs

test: $(ready) ## run every test that needs no Debian packages, as many at a time as there are processors
	$(bin)/python -m pytest --numprocesses auto --dist worksteal

test-system: $(ready) ## run those that do, which are installed as root, and the slow ones; screenshots go to build/screenshots
	tests/system/packages
	$(bin)/python -m pytest -m system tests/system tests/crash --numprocesses auto --dist worksteal

lint: $(ready) ## check style, types and who imports whom
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports

format: $(ready) ## put the code into the house's form
	$(bin)/ruff check --fix
	$(bin)/ruff format

tables: $(ready) ## write what comes from the code into the README and into docs/
	$(bin)/python -m docs.tables

docs: $(site-ready) ## build the documentation into build/site, strictly: a dead link or a page nobody finds fails
	NO_MKDOCS_2_WARNING=1 $(site)/bin/python -m mkdocs build --strict --quiet
	$(PYTHON) .ci/site.py build/site

recording: $(ready) ## run the session that the README shows, and draw it
	$(bin)/python -m docs.record

picture: $(ready) ## take the README's picture of a real server's status page, light and dark; needs Chromium
	$(bin)/python -m docs.picture

bench: ## measure everything against ordinary tools and peers, in a quarter of an hour; write tables and plots
	$(MAKE) --no-print-directory --jobs 2 $(ready) $(peers-ready)
	benchmarks/packages
	$(bench) --peers $(peers)/bin/python --write benchmarks/results/full.json
	$(peers)/bin/python -m benchmarks.plots benchmarks/results/full.json docs/images
	$(bin)/python -m docs.tables

bench-small: $(ready) ## measure some of it on small indexes; a ratio that is 25% worse than the last committed one fails
	benchmarks/packages
	$(small) --compare benchmarks/results/small.json

bench-baseline: $(ready) ## measure the same, and keep the ratios for bench-small to compare with
	benchmarks/packages
	$(small) --write benchmarks/results/small.json

lock: ## pin everything anew where pyproject.toml asks for it, with the hash of every file (LOCK=--upgrade: the newest)
	locks/lock $(LOCK)

clean: ## remove the environment and every cache
	rm -rf $(VENV) $(site) $(peers) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

$(ready): pyproject.toml locks/build.txt locks/project.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] + ": try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(locked) --requirement locks/build.txt
	$(locked) --no-binary forbiddenfruit --requirement locks/project.txt
	$(install) --no-deps --editable .
	$(bin)/python -m pip check --disable-pip-version-check
	@touch $@

$(site-ready): locks/docs.txt
	$(PYTHON) -m venv $(site)
	$(site)/bin/python $(pip) --require-hashes --only-binary :all: --requirement locks/docs.txt
	@touch $@

$(peers-ready): locks/peers.txt
	$(PYTHON) -m venv $(peers)
	$(peers)/bin/python $(pip) --require-hashes --only-binary :all: --requirement locks/peers.txt
	@touch $@
