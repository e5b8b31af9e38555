# Thin on purpose: what a target does is in scripts/, and can be run without make.

PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help demo check test test-all fuzz lib bench docs header clean python

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: python  ## build, start an embedded server, and show the main job both ways
	@$(PYTHON) scripts/demo.py

check: python  ## the fast loop: format, lints, types, header, unit and flow tests
	@$(PYTHON) scripts/check.py

test: python  ## everything, on one release wheel; what CI runs
	@$(PYTHON) scripts/test.py

test-all: test  ## test, and what takes longer: 10 GB each way, sanitizers, fuzzing, tests of projects that use requests
	@$(PYTHON) scripts/slow.py
	@$(PYTHON) scripts/sanitize.py
	@$(PYTHON) scripts/fuzz.py --seconds 20
	@$(PYTHON) scripts/suites.py

fuzz: python  ## bytes that nobody would think of, a minute for each target; SECONDS=600 TARGETS="response head"
	@$(PYTHON) scripts/fuzz.py --seconds $(or $(SECONDS),60) $(TARGETS)

lib: python  ## the library for C callers, into build/lib
	@$(PYTHON) scripts/build_core.py build/lib

bench: python  ## the benchmark, against nginx on loopback; writes docs/benchmarks.md
	@$(PYTHON) benchmarks/run.py

docs:  ## the Rust crate's pages, private ones too, into target/doc
	cargo doc --no-deps --document-private-items -p requestx-core

header:  ## write include/requestx.h from requestx-core/src/ffi
	cargo run --quiet --locked -p xtask -- header

clean:  ## remove everything that was built
	cargo clean
	rm -rf build dist .venv-demo .venv-dev .venv-test .mypy_cache .pytest_cache .ruff_cache
	rm -f python/requestx/_native.py python/requestx/librequestx.*

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 8))' || \
	  { echo "Python 3.8 or newer is needed: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
