# Everything that can be done with a checkout. Needs make, git and Python 3.11, 3.12 or 3.13 with pip.
FITS = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c "$(FITS)" 2>/dev/null && echo $$p && exit; done; echo python3)
BIN = .venv/bin
# Pip compiles nothing, so that Python must be free to keep what it compiles.
unexport PYTHONDONTWRITEBYTECODE
SAMPLE = examples/earthquakes.csv -d examples/earthquakes.yaml
COMPILE = uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --quiet --group build
.PHONY: help run test test-all lint bench docs lock clean
.DELETE_ON_ERROR:

help: ## say what each command does (this text)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

run: .venv/requirements.lock.installed ## install, then import a real file with three wrong rows as a Prefect flow
	@$(BIN)/lading import $(SAMPLE) --flow; status=$$?; \
	if [ $$status -eq 3 ]; then echo "make: lading ended with 3: the import is finished and some rows failed."; \
	else exit $$status; fi

test: lint ## install, lint and run the quick tests
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow" --hypothesis-profile quick

test-all: lint ## install, lint and run every test, those that start servers too
	@$(BIN)/pytest -q -n 2 --dist worksteal

lint: .venv/requirements-dev.lock.installed ## install and check style, types and who imports whom
	@$(BIN)/ruff check --quiet --output-format concise
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .venv/imports.log || { cat .venv/imports.log; exit 1; }

bench: .venv/requirements-dev.lock.installed ## measure Lading beside others (half an hour); ROWS=100000: small files only (minutes)
	@$(BIN)/python -m benchmarks.run $(if $(ROWS),--rows $(ROWS) --flat-rows 0)

docs: .venv/requirements.lock.installed ## write the parts of the docs that are made from the code
	@$(BIN)/python -m docs.generate

lock: ## make both locks again from pyproject.toml (needs uv)
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## remove the environment and all caches; .lading, your data, stays
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/%.installed: % pyproject.toml deployments/install.py
	@$(PYTHON) deployments/install.py $<
