# Each target sets up the environment; only Python 3.11 to 3.13 and make are needed.

.DEFAULT_GOAL := help
.PHONY: help demo demo-gcp run upgrade ui check test test-long test-faults test-mutations lint bench clean lock snapshot docs screenshots

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell for each in python3 python3.11 python3.12 python3.13; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	&& echo $$each && break; done)

export DAGSTER_DISABLE_TELEMETRY := 1

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 16

demo: $(READY) ## three generated months of every dataset, end to end, offline
	@$(BIN)/python -m taxi_assets demo

demo-gcp: $(READY) ## the same on emulated Cloud Storage and BigQuery
	@$(BIN)/python -m taxi_assets_tests.emulators.install gcs bigquery
	@$(BIN)/python -m taxi_assets_tests.emulators gcs bigquery -- \
		$(BIN)/python -m taxi_assets_tests.emulators.demo

run: $(READY) ## real months: make run DATASETS="green yellow" MONTHS="2024-01:2024-03"
	@$(BIN)/python -m taxi_assets run $(if $(DATASETS),--datasets $(DATASETS)) --months "$(MONTHS)"

upgrade: $(READY) ## materialize the months of an older release again
	@$(BIN)/python -m taxi_assets upgrade

ui: $(READY) ## Dagster's UI and daemon on http://127.0.0.1:3000
	@$(BIN)/python -m taxi_assets ui $(if $(PORT),--port $(PORT))

check: $(READY) ## probe the configured lake, warehouse and source before the first month
	@$(BIN)/python -m taxi_assets check $(ARGS)

test: $(READY) ## the test suite, with emulators on loopback
	@# A missing emulator fails in CI; elsewhere its tests are skipped with the reason.
	@$(BIN)/python -m taxi_assets_tests.emulators.install || test "$$CI" != true
	@$(BIN)/python -m pytest $(ARGS)

test-long: $(READY) ## the tests that take minutes, such as a year of backfills in a real browser
	@$(BIN)/python -m taxi_assets_tests.emulators.install || test "$$CI" != true
	@$(BIN)/python -m pytest -m long $(ARGS)

test-faults: $(READY) ## kills, races, full disks, hostile servers and files: docs/reliability.md
	@$(BIN)/python -m taxi_assets_tests.emulators.install || test "$$CI" != true
	@$(BIN)/python -m taxi_assets_tests.faults --write docs/reliability.md $(ARGS)

test-mutations: $(READY) ## break each rule of the services once, and see its test fail
	@$(BIN)/python -m taxi_assets_tests.emulators.install || test "$$CI" != true
	@$(BIN)/python -m taxi_assets_tests.service_rules.mutations $(ARGS)

lint: $(READY) ## lint, format, types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY) ## 20 million rows through the four assets, compared with plain DuckDB and pandas
	@$(BIN)/python -m benchmarks

screenshots: $(READY) ## take the screenshots of the docs again, in a real browser
	@$(BIN)/python -m taxi_assets_tests.ui.screenshots

snapshot: $(READY) ## write the snapshot of the asset graph again
	@$(BIN)/python -m taxi_assets_tests.assets.graph

docs: $(READY) ## write the generated pages again
	@$(BIN)/python -m taxi_assets.datasets > docs/datasets.md
	@$(BIN)/python -m taxi_assets.settings > docs/settings.md
	@$(BIN)/python -m taxi_assets.grants > docs/grants.md
	@$(BIN)/python -m taxi_assets_tests.service_rules > docs/service-rules.md

lock: $(READY) ## resolve the dependencies again, with hashes
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --extra s3 --extra azure --extra postgres --extra slack \
		--extra msteams --extra server -o requirements.lock pyproject.toml
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --all-extras -c requirements.lock \
		-o requirements-dev.lock pyproject.toml

clean: ## delete all months, including the demo's; keeps the environment
	rm -rf .taxi

$(READY): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is required, and none was found."; exit 1; }
	@echo "Setting up $(VENV) (once, a minute or two) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
