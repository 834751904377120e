# Two commands matter: `make demo` runs Shoal, `make test` runs its tests. `make help` lists all.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
# Name another interpreter with `make demo PYTHON=/path/to/python3.12`.
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14
TEST_PROCESSES ?= 2

# Values for checks that load the settings of production, where nothing has a default.
PRODUCTION := SHOAL_MODE=production SITE_URL=https://shoal.example ALLOWED_HOSTS=shoal.example \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	FIELD_KEYS=$$($(BIN)/python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())') \
	DATABASE_URL=postgresql://localhost/shoal REDIS_URL=redis://localhost:6379/0 \
	DEFAULT_FROM_EMAIL=hello@shoal.example

.DEFAULT_GOAL := help
.PHONY: help demo test bench requirements clean check \
	check-style check-format check-types check-imports check-templates check-migrations \
	check-deploy check-yaml

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-18s %s\n' "$$name" "$$text"; done

demo: $(VENV)/run.stamp ## Run Shoal with its own database and content (PORT=8000, FRESH=1 starts over)
	@$(BIN)/python manage.py demo --port $(PORT) $(if $(FRESH),--fresh)

# Groups (tests that share something costly) begin first and stay in one process each; all others
# go one by one to whichever process is free, so neither waits long for the other at the end.
test: $(VENV)/dev.stamp ## Run the tests (ARGS="-k chat" chooses)
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadgroup $(ARGS)

bench: $(VENV)/dev.stamp ## Measure against a hello-world view (ARGS="tests/bench/bench_fanout.py" chooses)
	$(BIN)/pytest $(if $(findstring tests/bench,$(ARGS)),,tests/bench) -o python_files='bench_*.py' -o python_functions='bench_*' -q -s $(ARGS)

check: check-style check-format check-types check-imports check-templates check-migrations check-deploy check-yaml ## Run every check below

check-style: $(VENV)/dev.stamp ## Rules of style (ruff)
	$(BIN)/ruff check .

check-format: $(VENV)/dev.stamp ## Formatting (ruff)
	$(BIN)/ruff format --check .

check-types: $(VENV)/dev.stamp ## Types (mypy)
	SHOAL_MODE=test $(BIN)/mypy .

check-imports: $(VENV)/dev.stamp ## Borders between domains and features (import-linter)
	$(BIN)/lint-imports

check-templates: $(VENV)/dev.stamp ## Templates (djade)
	find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --target-version 5.2 --check

check-migrations: $(VENV)/dev.stamp ## No migration is missing
	SHOAL_MODE=test $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

check-deploy: $(VENV)/dev.stamp ## Production settings (Django's deployment checks)
	@echo manage.py check --deploy --fail-level WARNING
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

check-yaml: $(VENV)/dev.stamp ## docker-compose.yml (yamllint, Compose's own schema)
	$(BIN)/yamllint --strict docker-compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

requirements: $(VENV)/dev.stamp ## Export the pinned requirement files from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile pyproject.toml $(PIN) --output-file requirements/run.txt
	UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile pyproject.toml --group dev $(PIN) --output-file requirements/dev.txt

# For every platform, with hashes, naming no package index.
PIN := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links $(UPGRADE)

clean: ## Remove the virtual environment and the caches (the demo's content stays)
	rm -rf $(VENV) staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/run.stamp: requirements/run.txt requirements/install.py
	@$(call with_python,requirements/install.py run)

$(VENV)/dev.stamp: requirements/dev.txt requirements/install.py
	@$(call with_python,requirements/install.py dev)

# Take the first interpreter that runs and is new enough.
define with_python
for python in $(PYTHONS); do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		VENV="$(CURDIR)/$(VENV)" exec "$$python" $(1); \
	fi; \
done; \
echo "Shoal needs Python 3.11 or newer, and none of these is: $(PYTHONS)" >&2; \
echo "($$(python3 --version 2>&1 || echo no python3)). Install one, or name it: make demo PYTHON=/path/to/python3.12" >&2; \
exit 1
endef
