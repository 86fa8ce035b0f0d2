# netmon. `make demo` shows it at work, `make test` proves it; each does all of its own set-up.
SHELL := /bin/sh
PY := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.cache/tools/usr/bin:$(PATH):/usr/sbin:/sbin
DEMO_ARGS ?=
TEST_ARGS ?=
# Most tests wait for daemons, and a file's tests share what they set up: two files at a time. The lab's
# routers and daemons have the machine to themselves afterwards.
TEST_JOBS ?= 2

.PHONY: help demo test lint types generated lab lock clean

help:
	@echo 'make demo   a toy province at work: the page is at http://127.0.0.1:9877 (DEMO_ARGS="--duration 60")'
	@echo 'make test   every check and test (TEST_ARGS="-k judge")'
	@echo 'make lab    a province of real routers in network namespaces (root)'
	@echo 'make lock   bring requirements/*.txt up to date with pyproject.toml'

demo:
	@scripts/setup run
	@exec .venv/bin/netmon demo $(DEMO_ARGS)

test: lint types generated
	$(PY) -m pytest -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder --ignore=tests/lab \
		$(TEST_ARGS) || [ $$? = 5 ]  # 5: none was chosen
	$(PY) -m pytest tests/lab $(TEST_ARGS) || [ $$? = 5 ]

lint: .setup-test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m codespell_lib README.md CHANGELOG.md docs netmon exporters grafana lab benchmarks scripts tests
	.venv/bin/lint-imports

types: .setup-test
	$(PY) -m mypy

generated: .setup-test
	$(PY) scripts/generate.py --check

lab: .setup-test
	$(PY) -m lab up

lock: .setup-test
	$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--extra build pyproject.toml -o requirements/run.txt
	$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--extra build --extra dev pyproject.toml -c requirements/run.txt -o requirements/test.txt

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage

.PHONY: .setup-test
.setup-test:
	@scripts/setup test
