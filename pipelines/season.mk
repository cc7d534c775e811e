# A season: every video that a table names, each to frames without duplicates, labelled where there is a model, and a diverse pick of all.
#
#     make -f pipelines/season.mk DIVES=dives.tsv OUT=season [MODEL=reef.safetensors] [NAV=track.csv] -j4
#     make -f pipelines/season.mk ... SCALE=slurm [SLURM_ARGS='--gres=gpu:1 --time=2:00:00']
#
# seabot-season(7) says what the table holds, what the products are, and what happens to damaged videos and to those still being
# copied. Everything may be killed and started again. Paths and names of dives are data, in videos/NAME/video, never targets.
#
# A run lists the table, makes each video's own products (on a cluster a task of an array each, see slurm.sh), gathers which came
# of it, and makes what depends on the videos before. The last two wait for nobody: a video that fails is listed, no more.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

OUT ?= season
NAV ?=
MODEL ?=
FPS ?= 1
SHORT ?= 480
FRAMES ?=
DEDUP ?=
TOP ?= 3
MIN_PROB ?= 0
DEVICE ?= auto
PICK ?= 200
CLUSTERS ?= 8
SETTLE ?= 60
SCALE ?=
SLURM_ARGS ?=
# One model is loaded at a time on a host; on a cluster GPUs are Slurm's to give.
GPU_LOCK ?= $(if $(filter slurm,$(SCALE)),,/tmp/seabot-gpu-$(shell id -u).lock)
# A dollar sign in a name is a dollar sign.
override DIVES := $(value DIVES)
override OUT := $(value OUT)
override NAV := $(value NAV)
override MODEL := $(value MODEL)
export DIVES OUT NAV MODEL FPS SHORT FRAMES DEDUP TOP MIN_PROB DEVICE PICK CLUSTERS SETTLE SCALE SLURM_ARGS GPU_LOCK
# BIN: where the programs are, if not on PATH.
ifneq ($(BIN),)
export PATH := $(abspath $(BIN)):$(PATH)
endif
export SEASON_MK := $(abspath $(firstword $(MAKEFILE_LIST)))
HERE := $(dir $(SEASON_MK))

ifndef INSIDE

ifeq ($(DIVES),)
$(error DIVES= is needed: a table of videos with the columns dive, camera, start and path)
endif
ifeq ($(OUT),)
$(error OUT= names no folder)
endif
MAKEOVERRIDES :=
# make -n submits nothing.
DRY = $(findstring n,$(firstword -$(MAKEFLAGS)))
.PHONY: all
# Everything happens inside OUT. Programs inherit the lock: it is held until the last of a killed run has ended.
all:
	@for f in "$$DIVES" $${NAV:+"$$NAV"} $${MODEL:+"$$MODEL"}; do [ -f "$$f" ] || { echo "season: $$f: no such file" >&2; exit 1; }; done; \
	mkdir -p -- "$$OUT"; unset CDPATH; \
	export INSIDE=1 DIVES=$$(realpath -- "$$DIVES") NAV=$${NAV:+$$(realpath -- "$$NAV")} MODEL=$${MODEL:+$$(realpath -- "$$MODEL")}; \
	cd -- "$$OUT"; [ -e .lock ] || [ ! -e videos ] || { echo "season: $$OUT/videos: it is there, and is no season's" >&2; exit 1; }; \
	exec 9<>.lock; \
	flock -n 9 || { echo "season: $$OUT: another run is at work there" >&2; exit 1; }; \
	'$(HERE)season.sh' list; \
	if [ "$$SCALE" = slurm ]; then exec 9>&-; exec $(if $(DRY),'$(HERE)season.sh' todo,'$(HERE)slurm.sh'); fi; \
	$(MAKE) --no-print-directory -f '$(SEASON_MK)' videos; \
	'$(HERE)season.sh' gather; \
	$(MAKE) --no-print-directory -f '$(SEASON_MK)' season; \
	'$(HERE)season.sh' end

else

.PHONY: videos season
.SECONDARY:
# Spools are as large as what is kept: there is room where that is.
TMPDIR ?= .
export TMPDIR

# ---- each video by itself --------------------------------------------------------------------------------------------
# begin VIDEO STAGE: what is said from there on is kept, and if the recipe fails, that is the video's problem and not make's.
begin = . '$(HERE)season.sh'; begin $*
videos: $(patsubst %,videos/%/unlike.sb,$(shell cat .ready))
	@:

videos/%/frames.sb: videos/%/frames.param
	@$(begin) frames; \
	sb-frames --fps "$$FPS" --size "$$SHORT" --encode jpeg $$FRAMES --source "$$source" $${dive:+--dive "$$dive"} \
	    $${start:+--start-time "$$start" --zone Z} $${NAV:+--nav "$$NAV"} -o $@.new -- "$$path"; \
	settled; unstopped; mv $@.new $@

# What is one picture after another in a video goes before its pictures are looked at by a model.
videos/%/unlike.sb: videos/%/frames.sb videos/%/unlike.param
	@[ -e $< ] || exit 0; $(begin) labels; \
	if [ -z "$$MODEL" ]; then rm -f $(@D)/labels.vtt*; sb-dedup $$DEDUP -o $@ $<; exit; fi; \
	sb-dedup $$DEDUP $< | sb-tensorize -m "$$MODEL" | $${GPU_LOCK:+flock "$$GPU_LOCK"} \
	    sb-classify -m "$$MODEL" --top "$$TOP" --min-prob "$$MIN_PROB" --device "$$DEVICE" --embed --drop tensor -o $@

# ---- the videos together ---------------------------------------------------------------------------------------------
# A video is held against all before it in the table. DONE are those that are there; each waits for the one before (chain.mk).
DONE := $(shell cat .done 2>/dev/null)
KEPT := $(DONE:%=videos/%/kept.sb)
-include chain.mk
season: $(foreach p,csv jsonl $(if $(MODEL),vtt),$(DONE:%=videos/%/labels.$p)) $(if $(DONE),season.csv pick.png)
	@:

videos/%/kept.sb: videos/%/unlike.sb videos/%/kept.param
	@before=$$(sed '/^$*$$/,$$d; s|.*|videos/&/kept.hashes|' .done); \
	[ -z "$$before" ] || sb-cat -q -o $(@D)/before.hashes $$before; \
	sb-dedup -q $$DEDUP $${before:+--against $(@D)/before.hashes} --save-hashes $(@D)/kept.hashes -o $@ $<; \
	rm -f $(@D)/before.hashes

videos/%/labels.csv: videos/%/kept.sb
	@sb-export csv -q -o $@ $<
videos/%/labels.jsonl: videos/%/kept.sb
	@sb-export jsonl -q -o $@ $<
# What is said of a picture holds until another one comes, so without its duration.
videos/%/labels.vtt: videos/%/unlike.sb
	@sb-cat -q --drop duration $< | sb-export vtt -q -o $@

# The pick is made without pictures where there are embeddings: what goes through a pipe is spooled whole.
all_kept = $$(sed 's|.*|videos/&/kept.sb|' .done)
season.csv: $(KEPT) .done
	sb-cat --drop image,embedding $(all_kept) | sb-export csv -o $@
pick.sb: $(KEPT) .done pick.param
	sb-cat $(if $(MODEL),--drop image) $(all_kept) | sb-cluster -k "$$CLUSTERS" --select "$$PICK" --per group --device "$$DEVICE" -o picked.new
	sb-cat $(all_kept) | sb-join --matched --columns cluster,distance -o $@ picked.new
	rm picked.new
pick.png: pick.sb
	sb-export contact --max "$$PICK" -o $@ $<

endif
