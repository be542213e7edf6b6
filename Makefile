# What a developer types. Needs `python3` (3.11 or newer) and `make`; everything else lands in .venv.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Processes that run tests: one waits for containers most of the time.
JOBS ?= 2
UV = $(shell command -v uv || echo $(BIN)/uv)
# The first Python that is new enough and can make virtual environments.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$name -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$name && break; done)
LOCK = $(UV) pip compile pyproject.toml --group dev --python-version 3.11 --universal --generate-hashes \
  --no-emit-index-url --no-header --quiet --output-file requirements.lock

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

.PHONY: install
install: $(READY) ## Install everything, pinned by hash, into .venv

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer with venv was found; Debian: apt-get install python3-venv" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || test -x $(BIN)/uv || { \
	  sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt; }
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: check
check: lint ## The gate: format, lint, types, imports, unit and contract tests
	$(BIN)/pytest -q tests/unit tests/contract

.PHONY: lint
lint: $(READY) ## The part of the gate that runs nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test
test: $(READY) ## All tests that this machine can run; says at the end what it could not, and why
	$(BIN)/pytest --numprocesses $(JOBS) --dist loadscope

.PHONY: images
images: $(READY) ## Make the stand-ins of the official images that the stack's tests run on where no registry can be reached
	tests/images/compose.sh
	tests/images/build.sh

.PHONY: format
format: $(READY) ## Format the code and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: demo
demo: $(READY) ## Back up, wreck, restore and undo a real PostgreSQL through Prefect; KEEP=1 leaves it up
	$(BIN)/pawpaw demo $(if $(KEEP),--keep)

.PHONY: demo-stop
demo-stop: $(READY) ## End a demo that was kept
	$(BIN)/pawpaw demo-stop

.PHONY: up
up: $(READY) ## Bring the shop's whole stack up on Docker: .env with random secrets, images, containers, demo goods
	$(BIN)/pawpaw up $(if $(DOMAIN),--domain $(DOMAIN))

.PHONY: down
down: $(READY) ## Stop the stack and keep its data
	$(BIN)/pawpaw down

.PHONY: bench
bench: $(READY) ## Measure against `pg_dump | gzip` and `gunzip | psql`; writes benchmarks/README.md
	$(BIN)/python -m benchmarks

.PHONY: soak
soak: $(READY) ## Kill backups and restores at random steps, their undoing, deploys and rotations at every one, deploy and prune twenty times
	$(BIN)/python -m benchmarks.soak
	PAWPAW_SOAK=1 $(BIN)/pytest $$(grep -rlw SOAK tests --include='test_*.py')

.PHONY: lock
lock: $(READY) ## Write requirements.lock from pyproject.toml; UPGRADE=1 takes the newest versions that fit
	$(LOCK) $(if $(UPGRADE),--upgrade)
