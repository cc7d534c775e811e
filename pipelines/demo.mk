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
FRAMES ?= 3000
SIZE ?= 96
DURATION ?= 60
VIT ?= --arch dim=128,depth=5,heads=4 --patch 12
CLASSIFIER ?= --epochs 20 --lr 0.001 --flip --shift 0.1 --scale 0.15
WORDS ?= --epochs 20 --lr 0.001
HERE := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))
# BIN: where the programs are, if not on PATH.
ifneq ($(BIN),)
export PATH := $(abspath $(BIN)):$(PATH)
endif

.PHONY: demo FORCE
demo: $(OUT)/score.json $(OUT)/dive.truth.sb
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
	@printf '%s\n' '$(FRAMES) $(SIZE) $(DURATION) $(VIT) $(CLASSIFIER) $(WORDS)' >$@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

# Pictures come and go in a pipe: only their tensors are kept.
$(OUT)/tensors.sb: $(OUT)/recipe.param
	sb-synth frames -n $(FRAMES) --size 320x180 --seed 1 | sb-split --parts train=0.8,val=0.08,test=0.12 | sb-tensorize --size $(SIZE) --fit stretch --drop image -o $@
$(OUT)/reef.safetensors: $(OUT)/tensors.sb
	sb-train $(VIT) $(CLASSIFIER) -o $@ $< >$(OUT)/reef.jsonl
$(OUT)/words.safetensors: $(OUT)/tensors.sb $(OUT)/reef.safetensors
	sb-train --task caption $(VIT) --init $(OUT)/reef.safetensors $(WORDS) -o $@ $< >$(OUT)/words.jsonl
$(OUT)/score.json: $(OUT)/reef.safetensors $(OUT)/tensors.sb
	sb-split -q --part test $(OUT)/tensors.sb | sb-classify -m $< --score $@ -o /dev/null
$(OUT)/dive.mp4 $(OUT)/dive.truth.sb &: $(OUT)/recipe.param
	sb-synth video --seconds $(DURATION) --size 1280x720 --seed 99 --truth $(OUT)/dive.truth.sb -o $(OUT)/dive.mp4
