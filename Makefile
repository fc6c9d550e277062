# The two commands: `make run` and `make test`. Both set everything up first; the second time that takes a second.
# The rest are parts of them; DESIGN names each.
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# The first Python 3.11 or newer that really runs (a pyenv shim may not).
PYTHON := $(shell for p in "$$PYTHON" python3.11 python3 python3.12 python3.13; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
PREPARE = @$(or $(PYTHON),$(error 需要 Python 3.11 或更新的版本（带 venv）：请安装后再试，Debian 上是 apt install python3 python3-venv。 Python 3.11+ with venv is needed)) setup/prepare.py

HOTLINE := .venv/bin/hotline
PYTEST := OMP_NUM_THREADS=1 .venv/bin/python -m pytest
IN_TWO := -n 2 --dist loadfile
FRONT_DOOR := texts sealing policy_faq actions sms_gateway benchmarks setup tuning
RASA_SIDE := bot texts sealing
TRAINED := bot/example_vectors.npz policy_faq/passages.npz sms_gateway/data/category-weights.npz sms_gateway/triage/weights.npz texts/tuned.npz

.PHONY: run stop reset doctor test setup setup-test lint unit journeys bot browser chaos soak chaos-short soak-short bench bench-long bench-table eval train lock advisories

run:
	$(PREPARE) run
	@exec $(HOTLINE) run

stop: ; @$(HOTLINE) stop
reset: ; @$(HOTLINE) reset
doctor: ; @$(HOTLINE) doctor

setup: ; $(PREPARE) run
setup-test: ; $(PREPARE) test

test: setup-test
	@$(MAKE) lint
	@$(MAKE) unit
	@$(MAKE) journeys
	@$(MAKE) bot
	@$(MAKE) browser
	@$(MAKE) chaos-short
	@$(MAKE) soak-short

lint: setup-test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy $(wildcard $(FRONT_DOOR))
	.venv-rasa/bin/python -m mypy $(RASA_SIDE)
	.venv/bin/lint-imports

# Unit and browser tests run in two processes, each with a PostgreSQL of its own; a file stays in one;
# what measures time has the machine to itself.
unit: setup-test
	$(PYTEST) $(IN_TWO) tests --ignore=tests/journeys --ignore=tests/bot --ignore=tests/browser --ignore=tests/chaos --ignore=tests/benchmarks
	$(PYTEST) tests/benchmarks

journeys: setup-test
	$(PYTEST) tests/journeys

bot: setup-test
	$(PYTEST) tests/bot

browser: setup-test
	$(PYTEST) $(IN_TWO) tests/browser

# Parts of the hotline are killed in the middle of a call: each once, or ROUNDS times.
chaos-short: setup-test
	$(PYTEST) tests/chaos

chaos: setup-test
	ROUNDS=$${ROUNDS:-5} $(PYTEST) tests/chaos

# 200 operator talks, 10 texts a second: nothing lost, nothing reordered, memory flat; MINUTES of it.
soak-short: setup-test
	OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.operators_soak --minutes 2

soak: setup-test
	OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.operators_soak --minutes $${MINUTES:-20} --keep

bench: setup-test
	@.venv/bin/python -m benchmarks $(AREA)

# A million recipients from end to end: a quarter of an hour.
bench-long: setup-test
	@.venv/bin/python -m benchmarks long

bench-table: setup-test
	@.venv/bin/python -m benchmarks.table

eval: setup-test
	@.venv/bin/python -m benchmarks.quality

# Everything that is learned, anew and in order; what it writes is committed. An hour and more on two cores.
train: setup-test
	$(PREPARE) train
	OMP_NUM_THREADS=$${THREADS:-1} .venv-train/bin/python -m tuning.tune --out texts/tuned.npz
	.venv/bin/python -m policy_faq
	.venv/bin/python -m policy_faq.calibrate --write --fit tests/policy_faq/unseen.jsonl --test tests/quality/faq-fresh.jsonl
	.venv/bin/python -m sms_gateway.triage.train --calibrate tests/quality/triage.jsonl tests/quality/triage-fresh.jsonl
	.venv/bin/python -m sms_gateway.departments.learning
	RASA_CACHE_DIRECTORY=var/rasa-cache .venv-rasa/bin/python -m bot.example_vectors
	sha256sum $(TRAINED) > tuning/trained.sha256
	@$(HOTLINE) train

# Both lock files against published advisories; needs the network, so `make test` does not ask.
advisories: setup-test
	@$(HOTLINE) advisories

# Newer versions of everything, locked with hashes and without host names.
lock:
	$(PREPARE) lock
