# A video, or a folder of pictures, to subtitles, JSON lines and a contact sheet.
#
#     make -f pipelines/annotate.mk VIDEO='my dive.mp4' MODEL=reef.safetensors [CAPTIONER=words.safetensors] [OUT='my dive']
#
# Products in OUT (default: the video's name without its ending, in this directory): labels.sb (the annotated stream, without
# pictures), NAME.vtt, labels.jsonl, contact.png. Intermediate streams are light: JPEG pictures, no tensors.
# A change of a parameter or of a file makes again what depends on it, and nothing else. Names may hold spaces: they are
# data in *.param files, never targets. In MODEL and CAPTIONER too.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

FPS ?= 1
SHORT ?= 480
SHOW ?= 24
TOP ?= 3
MIN_PROB ?= 0
CAPTIONER ?=
export VIDEO MODEL CAPTIONER FPS SHORT SHOW TOP MIN_PROB
# BIN: where the programs are, if not on PATH.
ifneq ($(BIN),)
export PATH := $(abspath $(BIN)):$(PATH)
endif
THIS := $(abspath $(firstword $(MAKEFILE_LIST)))

ifndef INSIDE

ifeq ($(VIDEO),)
$(error VIDEO= is needed: the video, or folder of pictures, to annotate)
endif
ifeq ($(MODEL),)
$(error MODEL= is needed: a classifier that sb-train made)
endif
# A dollar sign in a name is a dollar sign; and what the command line set reaches the inner make by the environment alone.
override VIDEO := $(value VIDEO)
override MODEL := $(value MODEL)
override CAPTIONER := $(value CAPTIONER)
override OUT := $(value OUT)
MAKEOVERRIDES :=
export OUT
.PHONY: all
# Paths are made absolute and everything else happens inside OUT, where names are fixed.
all:
	@file=$$(basename "$$VIDEO"); name=$${file%.*}; out=$${OUT:-$$name}; \
	for f in "$$VIDEO" "$$MODEL" $${CAPTIONER:+"$$CAPTIONER"}; do [ -e "$$f" ] || { echo "annotate: $$f: no such file" >&2; exit 1; }; done; \
	mkdir -p "$$out"; \
	export VIDEO=$$(realpath "$$VIDEO") MODEL=$$(realpath "$$MODEL") NAME="$$name" CAPTIONER=$${CAPTIONER:+$$(realpath "$$CAPTIONER")} INSIDE=1; \
	$(MAKE) --no-print-directory -C "$$out" -f '$(THIS)' products

else

.PHONY: products FORCE
products: labels.vtt labels.jsonl contact.png
	@cmp -s labels.vtt "$$NAME.vtt" || cp labels.vtt "$$NAME.vtt"

# What a stage depends on beyond its input: written only when the content changes.
identity = stat -L -c '%s %Y' "$(1)" && printf '%s\n' "$(1)"
define param
$(1).param: FORCE
	@{ $(2); } >$$@.new; if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi
endef
$(eval $(call param,frames,$(call identity,$$$$VIDEO); echo "$$$$FPS $$$$SHORT"))
$(eval $(call param,labels,$(call identity,$$$$MODEL); echo "$$$$TOP $$$$MIN_PROB"))
$(eval $(call param,captions,if [ -n "$$$$CAPTIONER" ]; then $(call identity,$$$$CAPTIONER); fi))
$(eval $(call param,contact,echo "$$$$SHOW"))
FORCE:

frames.sb: frames.param
	sb-frames --fps "$$FPS" --size "$$SHORT" --encode jpeg -o $@ -- "$$VIDEO"

classified.sb: frames.sb labels.param
	sb-tensorize -m "$$MODEL" $< | sb-classify -m "$$MODEL" --top "$$TOP" --min-prob "$$MIN_PROB" --embed --drop tensor -o $@

captioned.sb: classified.sb captions.param
	if [ -n "$$CAPTIONER" ]; then sb-tensorize -m "$$CAPTIONER" $< | sb-caption -m "$$CAPTIONER" --drop tensor -o $@; else cp $< $@; fi

labels.vtt: captioned.sb
	sb-export vtt -o $@ $<
labels.jsonl: captioned.sb
	sb-export jsonl -o $@ $<
# The sheet shows a diverse few.
contact.png: captioned.sb contact.param
	sb-dedup $< | sb-cluster -k 8 --select "$$SHOW" | sb-export contact -o $@

endif
