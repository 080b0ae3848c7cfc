# Every target sets itself up in .venv; only Python 3.11 or 3.12 and a network (the first time) are needed.
#   make demo IMAGES=../shared/data    explains real images as well
#   make test PYTHON=/path/to/python3.12 ARGS="-k geometry"
SHELL := /bin/bash
VENV_PYTHON := .venv/bin/python
WORKERS ?= 2
STUDY_COHORT := --second-mri --lesions 1 3 --seed 4 --patients 39
PYTHON ?=
export PYTHON

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo dicom pacs test fuzz study truth bench pictures package lint clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

demo:  ## explain a generated scan (and the images of IMAGES=folder) into ./demo
	@bash Testing/setup.sh
	@$(VENV_PYTHON) -m PulsarCAMLib.cli demo -o demo --overwrite $(if $(IMAGES),--images "$(IMAGES)") $(ARGS)

# One thread a worker: two workers that each take all cores are slower than one. Each worker begins with its own half of
# the files, so that what a file's tests share is made once, and takes over from the other when it is done.
test:  ## run all tests (ARGS="..." goes to pytest)
	@bash Testing/setup.sh
	@bash Testing/offscreen.sh
	@bash Testing/dicom_peers.sh
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

fuzz:  ## damaged files by chance for every reader, and a table of what came of them (ARGS="--count 20000 --seed N")
	@bash Testing/setup.sh
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) Testing/fuzz.py $(ARGS)

dicom:  ## a DICOM folder in, all DICOM objects out, and what other programs say of them (DICOM=folder, into ./dicom-check)
	@bash Testing/setup.sh
	@bash Testing/dicom_peers.sh
	@$(VENV_PYTHON) Testing/dicom_check.py "$(DICOM)" -o dicom-check

pacs:  ## a real PACS (Orthanc, on this machine only): a study in, fetched, explained, its objects back
	@bash Testing/setup.sh
	@bash Testing/dicom_peers.sh
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) -m pytest -v -rs Testing/Python/cli/commands/test_pacs.py $(ARGS)

# The folder is that of a study: the same command goes on with one that was stopped.
study:  ## judge models on generated lesions, with signal and without, under every protocol (1 to 2 hours; into ./study)
	@bash Testing/setup.sh
	@test -d study/cohort || $(VENV_PYTHON) -m PulsarCAMLib.cli cohort make-synthetic -o study/cohort $(STUDY_COHORT)
	@test -d study/no-signal || $(VENV_PYTHON) -m PulsarCAMLib.cli cohort make-synthetic -o study/no-signal \
	  --difficulty none $(STUDY_COHORT)
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) -m PulsarCAMLib.cli study study/no-signal/cohort.csv -o study/run-no-signal \
	  --protocols paper,patients --trials 20 --controls 5 --jobs $(WORKERS) $(ARGS)
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) -m PulsarCAMLib.cli study study/cohort/cohort.csv -o study/run \
	  --protocols paper,patients,lesions --models cam,radiomics,gradients --controls 5 --jobs $(WORKERS) $(ARGS)

# The folder is that of a run: the same command goes on with one that was stopped.
truth:  ## which map can be believed under which rule of synthetic lesions (hours; ARGS="--patients 20 --members 1" for a short run)
	@bash Testing/setup.sh
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) -m PulsarCAMLib.cli.truth -o truth $(ARGS)

bench:  ## measure against plain PyTorch and the public libraries (ARGS="--keras": Keras too; goes to the benchmark)
	@bash Testing/setup.sh bench $(if $(findstring --keras,$(ARGS)),keras)
	@$(VENV_PYTHON) Testing/Benchmarks/run.py $(ARGS)

pictures:  ## make the pictures of README and documentation anew: the panel beside slice views, drawn without a screen
	@bash Testing/setup.sh
	@bash Testing/offscreen.sh
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) Testing/screenshots.py $(ARGS)

package:  ## make the archives for Slicer's Extensions Manager, "Install from file" (ARGS="--slicer 5.12 --macos REVISION"), into ./dist
	@bash Testing/setup.sh
	@$(VENV_PYTHON) Testing/package.py $(ARGS)

lint:  ## check style, spelling, layers, types, and that the CMake lists are complete
	@bash Testing/setup.sh
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m codespell_lib
	@.venv/bin/lint-imports
	@$(VENV_PYTHON) -m mypy
	@$(VENV_PYTHON) Testing/update_cmake_lists.py --check

clean:  ## remove everything that make has made, .venv too, but not ./study and ./truth (hours of training)
	rm -rf .venv .venv-keras build dist demo dicom-check bench-results *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
