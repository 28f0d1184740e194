# The words everybody uses. `make demo` and `make test` work from a fresh clone.
PYTHON ?= python3
VENV := .venv/bin

# Tests that start the whole product; the others need not be read to find them.
E2E = $(sort $(shell grep -rlE --include='test_*.py' 'mark\.e2e' tests))
# What failed is asked once more, alone: on a full machine a real deadline of a real process can pass. What fails
# again is a failure; what passed only now stays named above, and is to be mended.
AGAIN = $(VENV)/pytest --last-failed --last-failed-no-failures none --maxfail 3
# What one process has compiled is there for the next, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test check lint types front collect install bench soak fuzz clean

demo: install ## the scripted show: everything runs, nothing to set up
	@$(VENV)/simulcast demo

test: ## everything CI runs
	@$(PYTHON) scripts/install.py --tests
	@$(MAKE) --no-print-directory check
	@$(VENV)/pytest -m e2e $(E2E) || $(AGAIN) -m e2e $(E2E)

check: ## format, lint, types, architecture, docs, front end and all tests but the long ones
	@$(MAKE) --no-print-directory --output-sync=target -j 2 types lint front collect
	@$(VENV)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not e2e and not soak" \
		|| $(AGAIN) -m "not e2e and not soak"

lint:
	@$(VENV)/ruff format --check . && $(VENV)/ruff check .

types:
	@$(VENV)/mypy

front:
	@$(VENV)/python scripts/npm.py run --silent check
	@$(VENV)/python scripts/npm.py test --silent

collect: ## beside the types: the three who run the tests find them compiled, and say what is wrong with them
	@$(VENV)/pytest --collect-only tests >/dev/null || true

install: ## into .venv; skipped when nothing changed
	@$(PYTHON) scripts/install.py

bench: ## every promise measured beside a peer; fails when a bar was not reached
	@$(PYTHON) scripts/install.py --bench
	@failed=0; for name in relay hls whep glass holds gateway chat links analytics; do $(VENV)/simulcast bench $$name || failed=1; done; exit $$failed

soak: ## long runs: trouble for the media worker, ten minutes in every player, a thousand drops; SOAK_SECONDS=120 for a first look
	@$(PYTHON) scripts/install.py --soak
	@$(VENV)/pytest -m soak tests/soak tests/cdn tests/e2e/test_paying.py tests/e2e/test_storm.py tests/hub/orders/test_channels.py tests/hub/payments/test_card_fields.py

fuzz: ## a minute of made-up bytes for the RTMP parsers; what it finds stays in data/fuzz
	@$(PYTHON) scripts/install.py --tests
	@mkdir -p data/fuzz
	@$(VENV)/python -m tests.fuzz.fuzz_rtmp -max_total_time=$${FUZZ_SECONDS:-60} data/fuzz tests/fuzz/corpus/rtmp

clean: ## everything made here
	rm -rf .venv .stamps dashboards/node_modules dashboards/dist data
