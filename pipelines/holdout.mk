# How well can these labelled pictures be told apart? Trains on some groups (tracks, dives), tests on groups held out.
#
#     make -f pipelines/holdout.mk PICTURES=f4k GROUP_REGEX='fish_([0-9]+)_' [SEEDS='0 1 2'] [EPOCHS=150] [OUT=holdout]
#
# PICTURES is a folder with a folder for each class. Each seed seeds both the split (70/15/15 by group) and the training. Prints top-1
# and macro-F1 on the held-out groups for each seed, and their means; OUT/seed-N/ keeps tensors.sb, model.safetensors,
# metrics.jsonl and score.json.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PICTURES ?=
GROUP_REGEX ?=
SEEDS ?= 0 1 2
OUT ?= holdout
SIZE ?= 64
EPOCHS ?= 150
ARCH ?= dim=128,depth=6,heads=4
PATCH ?= 8
BATCH ?= 32
# f32, so that figures compare between machines.
RECIPE ?= --precision f32 --lr 0.001 --warmup 10 --decay 0.05 --flip --rotate 15 --scale 0.2 --shift 0.1 --colour 0.2 --smooth 0.1 --drop-path 0.1
export PICTURES GROUP_REGEX
# BIN: where the programs are, if not on PATH.
ifneq ($(BIN),)
export PATH := $(abspath $(BIN)):$(PATH)
endif

ifeq ($(PICTURES),)
$(error PICTURES= is needed: a folder with a folder of pictures for each class)
endif
ifeq ($(GROUP_REGEX),)
$(error GROUP_REGEX= is needed: what in a file's name is its track or dive)
endif

.PHONY: all FORCE
.SECONDARY:
all: $(SEEDS:%=$(OUT)/seed-%/score.json)
	@awk -F'[:,]' '{ split(FILENAME, part, "seed-"); sub("/.*", "", part[2]); \
	    printf "seed %s: top-1 %.4f, macro-F1 %.4f on %d pictures of held-out groups\n", part[2], $$4, $$6, $$2; top += $$4; f1 += $$6; n++ } \
	    END { printf "mean:   top-1 %.4f, macro-F1 %.4f over %d seeds\n", top / n, f1 / n, n }' $^

$(OUT)/data.param: FORCE
	@mkdir -p $(OUT)
	@printf '%s\n' "$$PICTURES" "$$GROUP_REGEX" '$(SIZE)' >$@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(OUT)/recipe.param: FORCE
	@mkdir -p $(OUT)
	@printf '%s\n' '$(ARCH) $(PATCH) $(EPOCHS) $(BATCH) $(RECIPE)' >$@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

$(OUT)/pictures.sb: $(OUT)/data.param
	sb-import folders --group-regex "$$GROUP_REGEX" -o $@ -- "$$PICTURES"
$(OUT)/seed-%/tensors.sb: $(OUT)/pictures.sb
	mkdir -p $(@D)
	sb-split --stratify --seed $* $< | sb-tensorize --size $(SIZE) --fit stretch --drop image -o $@
$(OUT)/seed-%/model.safetensors: $(OUT)/seed-%/tensors.sb $(OUT)/recipe.param
	sb-train --arch $(ARCH) --patch $(PATCH) --epochs $(EPOCHS) --batch $(BATCH) $(RECIPE) --seed $* -o $@ $< >$(@D)/metrics.jsonl
$(OUT)/seed-%/score.json: $(OUT)/seed-%/model.safetensors
	sb-split --part test $(@D)/tensors.sb | sb-classify -m $< --score $@ -o /dev/null
