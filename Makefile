# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOMS := helixpost domain wording knowledge bot mailer web demo

.PHONY: demo test check format lock locales clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	$(BIN)/helixpost demo

test: $(VENV)/.installed
	$(BIN)/pytest --numprocesses auto

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# What the templates say, gathered for the translators; existing translations are kept.
locales: $(VENV)/.installed
	$(BIN)/pybabel --quiet extract --omit-header --no-location --sort-output -F locales/babel.cfg -o locales/helixpost.pot .
	for language in sl bg es pt it; do \
	  $(BIN)/pybabel --quiet update --no-fuzzy-matching --omit-header -i locales/helixpost.pot -d locales -D helixpost -l $$language; \
	done

lock: $(VENV)/.installed
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --extra dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) var build *.egg-info
