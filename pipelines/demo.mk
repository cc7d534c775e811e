# The whole of SeaBot in some minutes on two cores, from nothing: a synthetic data set, a classifier and a captioner trained on it, and
# a dive that neither of them saw turned into subtitles, JSON lines and a contact sheet, in OUT (default: demo).
#
#     make -f pipelines/demo.mk [OUT=demo] [BIN=build/bin]

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

OUT ?= demo
SIZE ?= 96
CROPS ?= 4000
FRAMES ?= 8000
DURATION ?= 60
VIT ?= --arch dim=128,depth=5,heads=4 --patch 12 --batch 32
AUGMENT ?= --flip --shift 0.15 --scale 0.2
EPOCHS_CROPS ?= 5
EPOCHS_FRAMES ?= 8
EPOCHS_WORDS ?= 8
HERE := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))
# BIN: where the programs are, if not on PATH.
ifneq ($(BIN),)
export PATH := $(abspath $(BIN)):$(PATH)
endif

.PHONY: demo FORCE
demo: $(OUT)/score.json $(OUT)/words.safetensors $(OUT)/dive.truth.sb
	@$(MAKE) --no-print-directory -f $(HERE)annotate.mk VIDEO=$(OUT)/dive.mp4 MODEL=$(OUT)/reef.safetensors CAPTIONER=$(OUT)/words.safetensors OUT=$(OUT)/dive
	@echo
	@awk -F'[:,]' '{ printf "held-out accuracy of the classifier: %.3f on %d frames of dives it never saw\n\n", $$4, $$2 }' $(OUT)/score.json
	@echo 'three captions of the dive, beside the truth:'
	@paste <(sb-export csv -q --columns pts,caption $(OUT)/dive/captioned.sb) <(sb-export csv -q --columns caption $(OUT)/dive.truth.sb) | tr -d '\r"' | \
	    awk -F'\t' -v n=$(DURATION) 'NR == 1 + int(n / 6) || NR == 1 + int(n / 2) || NR == 1 + int(5 * n / 6) { at = $$1; sub(",.*", "", at); sub("[^,]*,", "", $$1); \
	        printf "  at %2d s  said:  %s\n           truth: %s\n", at, $$1, $$2 }'
	@echo
	@ls -sh $(OUT)/dive.mp4 $(OUT)/dive/dive.vtt $(OUT)/dive/labels.jsonl $(OUT)/dive/contact.png

$(OUT)/recipe.param: FORCE
	@mkdir -p $(OUT)
	@printf '%s\n' '$(SIZE) $(CROPS) $(FRAMES) $(DURATION) $(VIT) $(AUGMENT) $(EPOCHS_CROPS) $(EPOCHS_FRAMES) $(EPOCHS_WORDS)' >$@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

# Pictures come and go in a pipe: only their tensors are kept. Each set is of dives of its own.
tensorize = sb-tensorize --size $(SIZE) --fit stretch --drop image -o $@
parts = sb-split --parts train=0.88,val=0.04,test=0.08
$(OUT)/crops.sb: $(OUT)/recipe.param
	sb-synth frames --crops -n $(CROPS) --seed 1 | $(tensorize)
$(OUT)/frames.sb: $(OUT)/recipe.param
	sb-synth frames --labelled -n $(FRAMES) --size 320x180 --seed 2 | $(parts) | $(tensorize)
$(OUT)/scenes.sb: $(OUT)/recipe.param
	sb-synth frames -n $(FRAMES) --size 320x180 --seed 3 | $(parts) | $(tensorize)

# What it learns on crops, where animals fill the picture, it takes to whole frames, and from there to sentences.
$(OUT)/crops.safetensors: $(OUT)/crops.sb
	sb-train $(VIT) --epochs $(EPOCHS_CROPS) --lr 0.001 --warmup 1 $(AUGMENT) -o $@ $< >$(OUT)/crops.jsonl
$(OUT)/reef.safetensors: $(OUT)/frames.sb $(OUT)/crops.safetensors
	sb-train $(VIT) --epochs $(EPOCHS_FRAMES) --lr 0.001 --warmup 0.5 $(AUGMENT) --init $(OUT)/crops.safetensors -o $@ $< >$(OUT)/reef.jsonl
$(OUT)/words.safetensors: $(OUT)/scenes.sb $(OUT)/reef.safetensors
	sb-train --task caption $(VIT) --epochs $(EPOCHS_WORDS) --lr 0.001 --warmup 0.5 --init $(OUT)/reef.safetensors -o $@ $< >$(OUT)/words.jsonl
$(OUT)/score.json: $(OUT)/reef.safetensors $(OUT)/frames.sb
	sb-split -q --part test $(OUT)/frames.sb | sb-classify -m $< --score $@ -o /dev/null
$(OUT)/dive.mp4 $(OUT)/dive.truth.sb &: $(OUT)/recipe.param
	sb-synth video --seconds $(DURATION) --size 1280x720 --seed 2 --truth $(OUT)/dive.truth.sb -o $(OUT)/dive.mp4
