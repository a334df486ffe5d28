# Everything runs in .venv, which is made here from a Python >= 3.11 with venv and whatever pip can reach.
# Another interpreter: make PYTHON=python3.13 test

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
TOOLS := iptables-restore:iptables nft:nftables ipset:ipset nfacct:nfacct unbound:unbound kubectl:kubernetes-client
DEMO := $(BIN)/svcdoctor diagnose web --lab selector-typo

.DEFAULT_GOAL := help
.PHONY: help demo test tools lint bench docs clean

help:
	@echo "make demo    diagnose a broken Service of the embedded lab"
	@echo "make test    lint, then every test"
	@echo "make lint    ruff, mypy and the import contracts"
	@echo "make bench   measure, and compare with the goals"
	@echo "make docs    write docs/findings.md anew from the rules"
	@echo "make clean   remove .venv and all caches"

demo: $(READY)
	@echo '$$ $(DEMO)'
	@$(DEMO); code=$$?; [ $$code -eq 1 ] || { echo "demo: exit code $$code, where 1 (findings) was expected" >&2; exit 1; }

test: lint tools
	$(BIN)/python -m pytest -n auto

# What tests ask for beside Python. Where it can't be installed, the tests that need it are skipped, and say so.
tools:
	@missing=$$(for pair in $(TOOLS); do command -v $${pair%%:*} >/dev/null || echo $${pair##*:}; done | sort -u | tr '\n' ' '); \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing $$missing"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null 2>&1 \
			|| echo "could not be installed: $$missing; the tests that need them are skipped"; \
	else \
		echo "not here: $$missing; the tests that need them are skipped (as root on Debian they would be installed)"; \
	fi

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(READY)
	$(BIN)/python -m benchmarks

docs: $(READY)
	$(BIN)/python -m svcdoctor.report.findings > docs/findings.new
	mv docs/findings.new docs/findings.md

clean:
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist
	find svcdoctor tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer, or say make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$($(PYTHON) --version) is too old: svcdoctor needs 3.11 or newer, try make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv: install it, on Debian with apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing svcdoctor and its tools into .venv"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch $@
