# Each command sets up what it needs in .venv; none of them needs another to be run first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517

.PHONY: demo run test fast hindered frameworks check sizes docs image-check clean

demo: $(VENV)/runtime
	$(BIN)/python -m tools.demo

run: $(VENV)/runtime
	$(BIN)/python -m coqui_server.app

test: $(VENV)/tests check
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term

# The tests that need no model, browser, database or process.
fast: $(VENV)/tests
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not (model or browser or database or process)"

# The whole suite on one core beside a busy neighbour: no test may depend on the machine's speed.
hindered: $(VENV)/tests
	taskset -c 0 sh -c 'while :; do :; done & trap "kill $$!" EXIT; $(BIN)/python -m pytest --timeout 600'

# The plug-ins of Pipecat and LiveKit Agents against a daemon; the first time they are installed.
frameworks: $(VENV)/tests
	$(BIN)/python -m tools.frameworks

# How long files and functions are.
sizes: $(VENV)/runtime
	$(BIN)/python -m tools.sizes

check: $(VENV)/tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "The pages are in build/site/index.html. Search needs a web server: python3 -m http.server -d build/site 8080"

# The container image of deploy/Dockerfile, built and tried without a container engine. Only as root.
image-check: $(VENV)/runtime
	command -v debootstrap >/dev/null || sh -c '. tools/debian.sh && debian_install debootstrap'
	$(BIN)/python -m tools.image.check

$(VENV)/runtime: requirements.txt pyproject.toml
	sh tools/setup.sh $(PYTHON) $(VENV)
	@echo "Installing coqui_server into $(VENV); the first time takes about a minute."
	$(PIP) --editable .
	touch $@

$(VENV)/docs: requirements-docs.txt
	sh tools/setup.sh $(PYTHON) $(VENV)
	$(PIP) --requirement requirements-docs.txt
	touch $@

$(VENV)/tests: $(VENV)/runtime $(wildcard requirements-*.txt)
	sh tools/test_packages.sh
	@echo "Installing what the tests need into $(VENV)."
	$(PIP) --editable ".[test]"
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
