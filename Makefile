# SeaBot. `make help` says what there is to make.

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash -o pipefail
.DELETE_ON_ERROR:
.SUFFIXES:

PREFIX ?= /usr/local
libdir ?= $(PREFIX)/lib
B := build$(if $(SAN),-san)

CC := gcc
OPT := $(if $(SAN),-O1 -fsanitize=address$(,)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer,-O2)
WERROR := $(if $(CI),-Werror)
CFLAGS ?= -g
CPPFLAGS += -D_GNU_SOURCE -Ilib -I. -MMD -MP
ALL_CFLAGS = -std=c11 -Wall -Wextra $(WERROR) $(OPT) -fno-math-errno -fPIC -pthread $(CFLAGS)
, := ,

DEBIAN := gcc make pkg-config libmsgpack-dev libxxhash-dev libavformat-dev libavcodec-dev libavutil-dev libswscale-dev \
          libpng-dev libjpeg-dev libdnnl-dev libjansson-dev
DEBIAN_TEST := libcmocka-dev bats mandoc jq

# ---- what is built ---------------------------------------------------------------------------------------------------
# A folder of lib/ is an archive; programs name all of them, the linker takes the objects a program uses and, by
# --as-needed, only the shared libraries that those need.
FOLDERS := $(notdir $(patsubst %/,%,$(wildcard lib/*/)))
BACKENDS := null ref
ARCHIVES := $(FOLDERS:%=$B/lib%.a) $(BACKENDS:%=$B/kernels-%.a)
TOOLS := $(patsubst tools/%.c,$B/bin/%,$(wildcard tools/sb-*.c))
UNIT := $(patsubst tests/test_%.c,$B/tests/test_%,$(wildcard tests/test_*.c))
PLUGINS := $(if $(wildcard kernels/cpu/*.c),$B/bin/seabot-cpu.so)
LDLIBS := -Wl,--start-group $(ARCHIVES) -Wl,--end-group -Wl,--as-needed -lavformat -lavcodec -lswscale -lavutil -lpng -ljpeg \
          -lmsgpackc -lxxhash -ljansson -ldl -lm -lpthread
objects = $(patsubst %.c,$B/%.o,$(wildcard $(1)/*.c))

.PHONY: all programs tests
all: programs
programs: $(TOOLS) $(PLUGINS)
tests: $(UNIT)

define archive
$B/$(1).a: $(call objects,$(2)) | $B/
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call archive,lib$(f),lib/$(f))))
$(foreach k,$(BACKENDS),$(eval $(call archive,kernels-$(k),kernels/$(k))))

# The plugin sees one symbol of its own to the outside, and nothing of the program.
$B/bin/seabot-cpu.so: $(call objects,kernels/cpu) $B/libbase.a | $B/bin/
	$(CC) $(OPT) -shared -o $@ $(filter %.o,$^) $B/libbase.a -fopenmp -Wl,--exclude-libs,ALL -ldnnl -lm
$B/kernels/%.o: OPT += $(if $(SAN),,-O3)
$B/kernels/cpu/%.o: ALL_CFLAGS += -fvisibility=hidden -fopenmp -march=x86-64-v3 -ffp-contract=fast

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
$B/bin/sb-%: $B/tools/sb-%.o $(ARCHIVES) | $B/bin/
	$(CC) $(OPT) -pthread -rdynamic -o $@ $< $(LDLIBS)
$B/tests/test_%: $B/tests/test_%.o $(ARCHIVES) | $B/tests/
	$(CC) $(OPT) -pthread -rdynamic -o $@ $< $(LDLIBS) -lcmocka
$B/ $B/bin/ $B/tests/:
	@mkdir -p $@
.SECONDARY:
-include $(shell find $B -name '*.d' 2>/dev/null)
