# Everything runs in .venv, which scripts/setup makes and keeps up to date.
SHELL := /bin/bash
export WHALEFALL_DEV ?= 1
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONUNBUFFERED := 1
# npm, which fetches two old servers for the tests, trusts what the machine trusts.
CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt)
ifneq ($(CERTIFICATES),)
export NODE_EXTRA_CA_CERTS ?= $(CERTIFICATES)
endif
ARGS ?=

.PHONY: help setup setup-demo setup-test demo serve worker test fuzz fuzz-privileges lint audit messages screenshots bench stop clean

help:  ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup:  ## make .venv and install what running needs
	@scripts/setup run

setup-demo:
	@scripts/setup demo

setup-test:
	@scripts/setup test

demo: setup-demo  ## four database servers (two of them simulated), read and classified, the result shown
	@python -m demo

serve: setup-demo  ## the admin and the API on the demo's data, with a worker; PORT=8000; Ctrl-C ends it
	@python -m demo serve

worker: setup  ## only the worker that runs tasks and schedules
	@python manage.py qcluster

test: setup-test  ## every test; ARGS="-k name" goes to pytest
	@python -m pytest -n 2 --dist loadgroup $(ARGS)

fuzz: setup-test  ## requests made from the OpenAPI schema, some minutes; WHALEFALL_FUZZ=20 of them for each endpoint, WHALEFALL_FUZZ_ONLY=pattern
	@WHALEFALL_FUZZ=$${WHALEFALL_FUZZ:-20} python -m pytest tests/fuzz -n 0 $(ARGS)

fuzz-privileges: setup-test  ## random worlds of grants on every server, against its own answers; WHALEFALL_WORLDS=20 on each
	@WHALEFALL_WORLDS=$${WHALEFALL_WORLDS:-20} python -m pytest tests/live/postgresql/test_random_worlds.py tests/live/mysql/test_random_worlds.py -n 2 --dist loadgroup $(ARGS)

lint: setup-test  ## ruff, the layers, mypy
	ruff check .
	ruff format --check .
	@if [ -f ../shared/tools/house.py ]; then python ../shared/tools/house.py; fi
	mypy .

messages: setup  ## collect new texts into locale/; ARGS=check names what is not translated
	@python scripts/messages $(or $(ARGS),update)

screenshots: setup-test  ## pictures for docs/guide.md, of what make serve shows
	@python scripts/screenshots

audit: setup-test  ## known weaknesses of the packages in .venv, as PyPI or OSV tell; 3: neither can be had
	@python -m pip --disable-pip-version-check install -q 'pip-audit>=2.9,<3' || echo "pip-audit cannot be had"
	@python scripts/audit

bench: setup  ## measure; prints counts and ratios
	@python -m bench $(ARGS)

stop:  ## end the store and everything the demo started
	@if [ -x .venv/bin/python ]; then python -m demo stop; fi

clean: stop  ## stop, then remove .venv and all data under var/ (the store and its history as well)
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis
