# Everything that a person or a machine does with a checkout. `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
BIN := .venv/bin
PYTEST_ARGS ?=
MEASURE_ARGS ?=
# A quarter of the time tests wait for servers: one worker more than there are cores, four at most.
WORKERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 3 ? cores + 1 : 4)))
# What `make quick` runs: the core, the rule language, and the two laws that notice most.
QUICK := tests/unit/core tests/unit/packs tests/architecture/test_sources.py tests/property/test_engine_laws.py \
	tests/property/test_weighing_laws.py
# How large the proof under kills is; `make test` runs a small one, with one broker.
FAULTS_EVENTS ?= 500000
FAULTS_KILLS ?= 100
FAULTS_BROKERS ?= 3
FAULTS_SEED ?= 1
# How many bodies `make fuzz` makes for each decoder, and which.
FUZZ_BODIES ?= 1000000
FUZZ_SEED ?= 1
# How many faults `make mutants` puts in, which, where (modules or folders), and the share that has to be noticed.
MUTANTS ?= 60
MUTANTS_SEED ?= 1
MUTANTS_IN ?=
MUTANTS_BAR ?= 0.95
MUTANTS_UNTIL ?= laws
MUTANTS_ARGS ?=
# Which laws `make laws` tries, and for how long at most.
LAWS ?= tests
LAWS_UNTIL ?= 6h

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Prepare .venv with the pinned packages and the command `nearmiss`
	@PYTHON="$(PYTHON)" scripts/setup.sh

.PHONY: demo
demo: setup ## Run the service with a bundled stream and print where to review (Ctrl-C stops it)
	@$(BIN)/nearmiss demo

.PHONY: system-packages
system-packages:
	@scripts/system-packages.sh

.PHONY: fault-packages
fault-packages:
	@scripts/system-packages.sh faults

.PHONY: lint
lint: setup ## Check style, format and prose
	@$(BIN)/python scripts/prose.py
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; echo "run: make format" >&2; exit 1; }

.PHONY: format
format: setup ## Bring the code into the common format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

.PHONY: types
types: setup ## Check the types
	@$(BIN)/mypy --no-error-summary

.PHONY: layers
layers: setup ## Check that imports point down only
	@report=$$($(BIN)/lint-imports 2>&1) || { echo "$$report" >&2; exit 1; }

# The tests start hundreds of processes: whatever the environment says, what one has compiled serves the next.
test test-faults: export PYTHONDONTWRITEBYTECODE :=

.PHONY: test
test: setup system-packages lint types layers ## Set up whatever the tests need, then check and test everything
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(PYTEST_ARGS)

.PHONY: quick
quick: setup lint types layers ## Check style, types, the core and its laws with few examples, in about a minute
	@$(BIN)/pytest -q -n auto --maxprocesses 2 --dist loadfile --hypothesis-profile=quick $(QUICK) $(PYTEST_ARGS)

.PHONY: test-faults
test-faults: setup system-packages fault-packages ## Kill, hang and cut what runs, by name, and print the figures
	@FAULTS_ALL=1 FAULTS_EVENTS=$(FAULTS_EVENTS) FAULTS_KILLS=$(FAULTS_KILLS) FAULTS_BROKERS=$(FAULTS_BROKERS) \
		FAULTS_SEED=$(FAULTS_SEED) $(BIN)/pytest -m faults -n 0 -v $(PYTEST_ARGS)

.PHONY: fuzz
fuzz: setup ## Mutate bodies and headers for every decoder, a million bodies each (FUZZ_BODIES, FUZZ_SEED)
	@FUZZ_BODIES=$(FUZZ_BODIES) FUZZ_SEED=$(FUZZ_SEED) $(BIN)/pytest tests/fuzz -n auto --dist load -q $(PYTEST_ARGS)

.PHONY: laws
laws: setup system-packages ## Try the laws on a thousand new examples each, for six hours at most (LAWS, LAWS_UNTIL)
	@timeout --signal=INT --kill-after=60 $(LAWS_UNTIL) $(BIN)/pytest -m hypothesis -n auto --dist worksteal \
		--max-worker-restart 0 --hypothesis-profile=deep -o timeout=7200 $(LAWS) $(PYTEST_ARGS)

.PHONY: mutants
mutants: setup ## Put faults into the code, one at a time, and print those that no test notices (MUTANTS, MUTANTS_SEED)
	@$(BIN)/python -m tests.mutation --count $(MUTANTS) --seed $(MUTANTS_SEED) --bar $(MUTANTS_BAR) \
		--until $(MUTANTS_UNTIL) $(MUTANTS_ARGS) $(MUTANTS_IN)

.PHONY: bench
bench: setup ## Measure speed and memory, and print the ratios
	@$(BIN)/python -m tests.bench

.PHONY: soak
soak: setup ## Measure memory over an hour of traffic, days of event time, and after a restart (SOAK_ARGS)
	@MALLOC_ARENA_MAX=2 $(BIN)/python -m tests.bench.soak $(SOAK_ARGS)

.PHONY: measure
measure: setup ## Run the engine over a made-up year and print the figures
	@$(BIN)/nearmiss measure $(MEASURE_ARGS)

.PHONY: recorder
recorder: ## Build an Alertmanager with the event recorder, whose test says otherwise that it did not run (needs Go)
	@scripts/newer-alertmanager.sh

.PHONY: kubernetes
kubernetes: ## Build a kube-apiserver with etcd, whose tests say otherwise that they did not run (needs Go, minutes)
	@scripts/real-kubernetes.sh

.PHONY: docs
docs: setup ## Write the generated tables of the reference pages anew
	@$(BIN)/python scripts/reference.py

.PHONY: pictures
pictures: setup ## Draw README's pictures of queue and draft, light and dark (needs Chromium)
	@NEARMISS_PICTURES=1 $(BIN)/pytest -q -n 0 tests/review/test_pictures.py

.PHONY: lock
lock: setup ## Pin the newest packages that pyproject.toml allows, with hashes (needs uv)
	@command -v uv >/dev/null || { echo "lock: uv is needed; install it with: pipx install uv" >&2; exit 1; }
	@uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
		--no-header --output-file requirements.lock pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
		--no-header --extra dev --output-file requirements-dev.lock pyproject.toml
