# A newcomer types `make demo` and `make test`; `make help` lists the rest. Needed: Python 3.11 or later, make, PyPI; g++ for cuda-emulated.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
TF_READY := .venv-tf/.ready
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n auto --dist worksteal
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

# An interpreter that has real TensorFlow; name your own, or an environment is made for it.
ifndef GPERSIST_TF_PYTHON
GPERSIST_TF_PYTHON := $(CURDIR)/.venv-tf/bin/python
TF_NEEDED := $(TF_READY)
endif

.DEFAULT_GOAL := help
.PHONY: help venv demo test slow check format docs interop cuda-emulated docker-check docker-image test-all bench graph-bench gpu-bench clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

venv: $(READY)  ## .venv, with everything for development

demo: $(READY)  ## the main job: train, save in the background, be killed in the middle of it, resume, verify
	$(BIN)/gpersist demo

# What Python compiles is kept, whatever the environment says: else each process that the tests start compiles everything anew.
test slow interop test-all: export PYTHONDONTWRITEBYTECODE :=
# A product's threads wait for each other, many times as long where there are as many test processes as processors.
test test-all: export OPENBLAS_NUM_THREADS ?= 1

test: $(READY)  ## the tests, but for those that are slow
	$(PYTEST) -m "not slow" $(PARALLEL)

slow: $(READY)  ## the slow tests
	$(PYTEST) -m slow

check: $(READY) docker-check  ## style, types, layers, generated files, container files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python protos/build.py --check

format: $(READY)  ## mend what can be mended of the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## write what is generated in README.md and docs/
	$(BIN)/python -m tests.docs.write

interop: $(READY) $(TF_NEEDED)  ## the tests that ask real TensorFlow, which gets an environment of its own
	GPERSIST_TF_PYTHON=$(GPERSIST_TF_PYTHON) $(PYTEST) -m interop

cuda-emulated: $(READY)  ## the CUDA tests: real CuPy on an emulated CUDA runtime: plain, lazy, and with random delays
	$(BIN)/python tests/cudasim/build.py
	.cudasim/python -m pytest -m cuda --ignore=tests/ops
	.cudasim/python -m pytest -m cuda $(PARALLEL) tests/ops
	CUDASIM_LAZY_MS=500 .cudasim/python -m pytest -m cuda --ignore=tests/ops
	CUDASIM_DELAY_US=2000 .cudasim/python -m pytest -m cuda tests/cuda
	$(BIN)/python tests/cudasim/build.py --tsan

docker-check: $(READY)  ## style of the container files
	$(BIN)/hadolint docker/Dockerfile.cpu docker/Dockerfile.cuda
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml
	$(BIN)/mypy --strict docker/train.py docker/healthcheck.py

docker-image:  ## builds the CPU image and trains in it, stopped and resumed; by root, with buildah, podman, crun, mmdebstrap
	docker/verify.sh

test-all: test check interop cuda-emulated slow  ## what CI runs

graph-bench: $(READY) $(TF_NEEDED)  ## graphs, sessions and the Saver beside TensorFlow's own
	GPERSIST_TF_PYTHON=$(GPERSIST_TF_PYTHON) $(BIN)/python -m benchmarks.graph

bench: $(READY) $(TF_NEEDED)  ## against raw write(2) and read(2), and the peers that are installed
	GPERSIST_TF_PYTHON=$(GPERSIST_TF_PYTHON) $(BIN)/python -m benchmarks.cpu

gpu-bench: $(READY)  ## on a real GPU, with a CuPy installed in .venv: bandwidths, hold-ups, peers
	$(BIN)/python -m benchmarks.gpu

clean:  ## remove the environments and everything else that is made here
	rm -rf .venv .venv-tf .cudasim .containers .demo .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python $(PIP_INSTALL) --editable '.[dev]'
	touch $@

$(TF_READY): pyproject.toml
	test -x .venv-tf/bin/python || $(PYTHON) -m venv .venv-tf
	.venv-tf/bin/python $(PIP_INSTALL) --editable '.[interop]'
	touch $@
