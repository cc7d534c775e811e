# SeaBot. `make help` says what there is to make.

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash -o pipefail
.DELETE_ON_ERROR:
.SUFFIXES:

PREFIX ?= /usr/local
libdir ?= $(PREFIX)/lib
mandir ?= $(PREFIX)/share/man
docdir ?= $(PREFIX)/share/doc/seabot
bashdir ?= $(PREFIX)/share/bash-completion/completions
zshdir ?= $(PREFIX)/share/zsh/site-functions
comma := ,
B := build$(if $(SAN),-san)

CC := gcc
OPT := $(if $(SAN),-O1 -fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer,-O2)
WERROR := $(if $(CI),-Werror)
CFLAGS ?= -g
CPPFLAGS += -D_GNU_SOURCE -Ilib -I. -MMD -MP
ALL_CFLAGS = -std=c11 -Wall -Wextra $(WERROR) $(OPT) -fno-math-errno -fPIC -pthread -ffile-prefix-map=$(CURDIR)=. $(CFLAGS)
LDFLAGS += $(OPT) -pthread -Wl,-z,relro

# ---- what is built ---------------------------------------------------------------------------------------------------
# A folder of lib/ is an archive. Programs name all of them: the linker takes the objects that a program uses and, by
# --as-needed, only the shared libraries that those need.
FOLDERS := $(notdir $(patsubst %/,%,$(wildcard lib/*/)))
BACKENDS := null ref
ARCHIVES := $(FOLDERS:%=$B/lib%.a) $(BACKENDS:%=$B/kernels-%.a)
TOOLS := $(patsubst tools/%.c,$B/bin/%,$(wildcard tools/sb-*.c))
X86 := $(filter x86_64,$(shell uname -m))
# On another processor than x86-64 there is ref alone.
# With nvcc (on PATH, in $CUDA_HOME or /usr/local/cuda; NVCC= is without) and cuBLASLt's header there is cuda, too.
NVCC := $(firstword $(shell command -v nvcc) $(wildcard $(CUDA_HOME:%=%/bin/nvcc) /usr/local/cuda/bin/nvcc))
CUDA_HEADERS := $(patsubst %/cublasLt.h,%,$(firstword $(wildcard $(patsubst %,%/cublasLt.h,$(CUDA_HOME:%=%/include) /usr/local/cuda/include /usr/include))))
CUDA := $(if $(NVCC),$(if $(SAN),,$(CUDA_HEADERS)))
$(if $(NVCC),$(if $(CUDA_HEADERS),,$(info nvcc is there, but no cublasLt.h: built without the cuda plugin. NVIDIA's package libcublas-dev has it.)))
PLUGINS := $(if $(X86),$B/bin/seabot-cpu.so) $(if $(CUDA),$B/bin/seabot-cuda.so)
# The CUDA kernels' stand-in for a GPU wants a C++ compiler.
STAND_IN := $(if $(X86),$(shell command -v g++))
UNIT := $(patsubst tests/test_%.c,$B/tests/test_%,$(filter-out $(if $(STAND_IN),,tests/test_cusim.c),$(wildcard tests/test_*.c)))
HELPERS := $(patsubst tests/make_%.c,$B/tests/make_%,$(wildcard tests/make_*.c)) $B/tests/faults.so \
           $(if $(STAND_IN),$B/cusim/seabot-cuda.so $B/cusim/libcuda.so.1 $B/tests/cusim_huge)
BENCH := $(patsubst tests/bench/%.c,$B/bench/%,$(wildcard tests/bench/bench_*.c))
# What goes to a GPU machine: KIT is made and packed by tests/gpu/make-kit.
KIT := $B/seabot-gpu-kit
KIT_MODELS := model net net_flight net_self resnet
KIT_BENCH := $(filter-out pipe kmeans,$(patsubst tests/bench/bench_%.c,%,$(wildcard tests/bench/bench_*.c)))
KIT_BIN := $(patsubst %,$(KIT)/bin/sb-%,train classify caption cluster export check) $(patsubst %,$(KIT)/bin/test_%,backend $(KIT_MODELS)) \
           $(KIT_BENCH:%=$(KIT)/bin/bench_%)
HELPERS += $(if $(CUDA),$(KIT_BIN))
# What msgpack-c's version 6 (Debian 13) calls msgpack-c was msgpackc before.
MSGPACK := $(if $(filter /%,$(shell $(CC) -print-file-name=libmsgpack-c.so 2>/dev/null)),-lmsgpack-c,-lmsgpackc)
LDLIBS := -Wl,--start-group $(ARCHIVES) -Wl,--end-group -Wl,--as-needed -lavfilter -lavformat -lavcodec -lswscale -lavutil -lpng -lz -ljpeg \
          $(MSGPACK) -lxxhash -ljansson -lpcre2-8 -lcsv -lexpat -lyaml -ldl -lm
objects = $(patsubst %.c,$B/%.o,$(wildcard $(1)/*.c))

.PHONY: all help check check-san check-gpu bench-gpu gpu-kit demo bench fuzz install deb check-deb uninstall packages deps deps-test clean
all: $(TOOLS) $(PLUGINS)
	@:

define archive
$B/$(1).a: $(call objects,$(2))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call archive,lib$(f),lib/$(f))))
$(foreach k,$(BACKENDS),$(eval $(call archive,kernels-$(k),kernels/$(k))))

$B/kernels/%.o $B/lib/media/sea_%.o: OPT += $(if $(SAN),,-O3)
$B/lib/media/sea_%.o: ALL_CFLAGS += -fno-trapping-math
$B/kernels/cpu/%.o: ALL_CFLAGS += -fvisibility=hidden -fopenmp -fno-trapping-math -ffp-contract=fast
$B/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

link = @mkdir -p $(@D); echo "  LINK  $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)
$B/bin/sb-%: $B/tools/sb-%.o $(ARCHIVES)
	$(link)
$B/tests/%: $B/tests/%.o $(ARCHIVES)
	$(link) -lcmocka
$B/tests/test_choice $B/tests/test_video: $B/tests/clip.o
$B/tests/test_backend $(KIT)/bin/test_backend: $(patsubst %.c,$B/%.o,$(wildcard tests/op_*.c))
$(patsubst %,$B/tests/test_%,model_file names gpt2) $(KIT_MODELS:%=$B/tests/test_%) $(KIT_MODELS:%=$(KIT)/bin/test_%): $B/tests/model_cases.o
$(foreach b,vit shares turns files,$B/bench/bench_$b $(KIT)/bin/bench_$b): $B/tests/bench/vit.o
$B/bench/%: $B/tests/bench/%.o $(ARCHIVES)
	$(link)
# The kit's have their libraries beside them; --disable-new-dtags: those of the plugins, too.
$(KIT)/bin/%: LDFLAGS += -s -Wl,--disable-new-dtags,-rpath,'$$ORIGIN/../lib'
$(KIT)/bin/sb-%: $B/tools/sb-%.o $(ARCHIVES)
	$(link)
$(KIT)/bin/test_%: $B/tests/test_%.o $(ARCHIVES)
	$(link) -lcmocka
$(KIT)/bin/bench_%: $B/tests/bench/bench_%.o $(ARCHIVES)
	$(link)
# Where CUDA's headers are, what calls cuBLASLt is held to an imitation of it on the CPU.
$B/kernels/cuda/%.o $B/tests/test_cuda_%.o $B/tests/cublaslt_fake.o: CPPFLAGS += $(if $(CUDA_HEADERS),-DSB_CUDA_HEADERS) $(patsubst %,-isystem %,$(filter-out /usr/include,$(CUDA_HEADERS)))
$B/tests/test_cuda_matmul: $(if $(CUDA_HEADERS),$B/tests/cublaslt_fake.o $B/kernels/cuda/matmul.o $B/kernels/cuda/choose.o)
$B/tests/faults.so: tests/faults.c
	@mkdir -p $(@D)
	@$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -O2 -fPIC -shared -o $@ $< -ldl
# A plugin shows one symbol of its own, and nothing of the program. In the cpu's, device.c and what calls oneDNN run on any x86-64; the loops
# are compiled for AVX2 (v3), for AVX-512 (v4) and for AVX-512 with bf16, each set linked into one object that shows its table alone.
CPU_ANY := $(patsubst %,$B/kernels/cpu/%.o,device plan matmul convolution)
CPU_LOOPS := $(filter-out $(CPU_ANY),$(call objects,kernels/cpu))
$B/kernels/cpu/v3/%.o: ALL_CFLAGS += -march=x86-64-v3 -DSB_CPU_TABLE=sb_cpu_ops_v3
$B/kernels/cpu/v4/%.o: ALL_CFLAGS += -march=x86-64-v4 -mprefer-vector-width=512 -DSB_CPU_TABLE=sb_cpu_ops_v4
$B/kernels/cpu/bf16/%.o: ALL_CFLAGS += -march=x86-64-v4 -mavx512bf16 -mprefer-vector-width=512 -DSB_CPU_TABLE=sb_cpu_ops_bf16
define cpu_level
$B/kernels/cpu/$(1)/%.o: kernels/cpu/%.c
	@mkdir -p $$(@D)
	@echo "  CC    $$< ($(1))"
	@$$(CC) $$(CPPFLAGS) $$(ALL_CFLAGS) -c -o $$@ $$<
$B/kernels/cpu-$(1).o: $(CPU_LOOPS:$B/kernels/cpu/%=$B/kernels/cpu/$(1)/%)
	@$$(LD) -r -o $$@ $$^
	@objcopy --keep-global-symbol=sb_cpu_ops_$(1) $$@
endef
$(foreach v,v3 v4 bf16,$(eval $(call cpu_level,$v)))
$B/bin/seabot-cpu.so: $(CPU_ANY) $B/kernels/cpu-v3.o $B/kernels/cpu-v4.o $B/kernels/cpu-bf16.o $B/libbase.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -shared -o $@ $^ -fopenmp -Wl,--exclude-libs,ALL -ldnnl -lm
# The cuda's holds machine code for each of CUDA_ARCHS and PTX of CUDA_PTX, which the driver compiles for what is newer. CUDA_ARCHS=release:
# for all that is sold since 2020. It needs libc and ld.so alone; CUDA's other libraries are opened by name.
CUDA_RELEASE := 80 86 89 90 100 120
CUDA_ARCHS := 80 90
CUDA_ALL = $(if $(filter release,$(CUDA_ARCHS)),$(CUDA_RELEASE),$(CUDA_ARCHS))
CUDA_PTX = $(if $(filter release,$(CUDA_ARCHS)),$(lastword $(CUDA_RELEASE)),$(firstword $(CUDA_ALL)))
NVCC_FLAGS = -O3 -std=c++17 $(if $(CI),-Werror all-warnings) -Xcompiler -fPIC$(comma)-fvisibility=hidden$(comma)-fno-threadsafe-statics$(comma)-fno-exceptions$(comma)-fno-rtti \
             -Xcompiler -Wall$(comma)-Wextra $(foreach a,$(CUDA_ALL),-gencode arch=compute_$a$(comma)code=sm_$a) -gencode arch=compute_$(CUDA_PTX)$(comma)code=compute_$(CUDA_PTX) \
             $(if $(filter release,$(CUDA_ARCHS)),--compress-mode=size)
# What was compiled for other GPUs is compiled again.
$(if $(CUDA),$(shell mkdir -p $B/kernels && { echo '$(CUDA_ALL)' | cmp -s - $B/kernels/cuda.archs || echo '$(CUDA_ALL)' >$B/kernels/cuda.archs; }))
$B/kernels/cuda/%.cu.o: kernels/cuda/%.cu $B/kernels/cuda.archs
	@mkdir -p $(@D)
	@echo "  NVCC  $<"
	@$(NVCC) $(CPPFLAGS) -MF $(@:.o=.d) $(NVCC_FLAGS) -c -o $@ $<
$B/kernels/cuda/%.o: ALL_CFLAGS += -fvisibility=hidden
$B/bin/seabot-cuda.so: $(call objects,kernels/cuda) $(patsubst %,$B/%.o,$(wildcard kernels/cuda/*.cu)) $B/libbase.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -shared -o $@ $^ -Wl,--exclude-libs,ALL -Wl,-z,defs -L$(dir $(realpath $(NVCC)))../lib64 -lcudart_static -lrt -lpthread -ldl -lm
# The CUDA sources on the CPU, for the tests: tests/cusim is a stand-in for the CUDA execution model, tests/cuda_fake for
# device, driver and NVIDIA's libraries.
# Never sanitised: ASan does not know fibers.
CUSIM := $B/cusim
CUSIM_MODEL = $(patsubst %,$(CUSIM)/%.o,$(wildcard tests/cusim/*.cpp))
CUSIM_OBJECTS = $(CUSIM_MODEL) $(patsubst %,$(CUSIM)/%.o,$(wildcard kernels/cuda/*.cu tests/cuda_fake/*.cpp) \
                $(patsubst %,kernels/cuda/%.c,device transfer repeat table))
CUSIM_CHECKS := alignment,bounds,integer-divide-by-zero,shift,signed-integer-overflow
CUSIM_FLAGS := -g -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-unknown-pragmas -DSB_CUSIM
$(CUSIM)/%.c.o: %.c
	@mkdir -p $(@D)
	@$(CC) -std=c11 $(CPPFLAGS) $(CUSIM_FLAGS) $(WERROR) -c -o $@ $<
$(CUSIM)/%.o: %
	@mkdir -p $(@D)
	@echo "  CUSIM $<"
	@g++ -x c++ -std=c++17 -fno-exceptions -fno-rtti $(CPPFLAGS) $(CUSIM_FLAGS) $(WERROR) \
	    $(if $(filter %.cu,$<),-fsanitize=$(CUSIM_CHECKS) -fsanitize-undefined-trap-on-error) -c -o $@ $<
$(CUSIM)/seabot-cuda.so: $(CUSIM_OBJECTS) $B/kernels-ref.a $B/libbase.a
	@g++ -shared -o $@ $^ -Wl,--exclude-libs,ALL $(if $(SAN),,-Wl,-z,defs) -lm
$B/tests/test_cusim: LDLIBS += -lstdc++
$B/tests/test_cusim: $(CUSIM)/tests/cusim_faults.cu.o $(patsubst %,$(CUSIM)/tests/cuda_fake/%.cpp.o,guarded launch runtime) $(CUSIM_MODEL)
$(CUSIM)/libcuda.so.1: tests/cuda_fake/driver.c
	@mkdir -p $(@D)
	@$(CC) -shared -fPIC -Wl,-soname,libcuda.so.1 -o $@ $<
.SECONDARY:
-include $(shell find $B -name '*.d' 2>/dev/null)

# Completion, out of the option tables that the programs print.
COMPLETION := $B/completion/seabot $B/completion/_seabot
$B/completion/options: $(TOOLS)
	@mkdir -p $(@D)
	@for t in $(TOOLS); do $$t --list-options || exit 1; done >$@
$B/completion/seabot: completion/bash.awk completion/seabot.bash $B/completion/options
	@awk -v rest=completion/seabot.bash -f $< $B/completion/options >$@
$B/completion/_seabot: completion/zsh.awk $B/completion/options
	@awk -f $^ >$@

# ---- what is needed --------------------------------------------------------------------------------------------------
DEBIAN := gcc libc6-dev libmsgpack-dev libxxhash-dev libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libavfilter-dev libpng-dev zlib1g-dev \
          libjpeg-dev libdnnl-dev libjansson-dev libpcre2-dev libcsv-dev libexpat1-dev libyaml-dev
# Slurm's daemons are for one test; nobody's own machine gets them.
DEBIAN_TEST := g++ libcmocka-dev bats mandoc jq tzdata $(if $(CI),slurmctld slurmd slurm-client munge)
packages:
	@echo $(DEBIAN)
deps:
	@tests/install-packages $(DEBIAN)
deps-test:
	@tests/install-packages $(DEBIAN) $(DEBIAN_TEST)

# ---- what is done ----------------------------------------------------------------------------------------------------
JOBS := -j$(shell nproc)
check: deps-test
	@$(MAKE) $(JOBS) --no-print-directory all $(UNIT) $(HELPERS) $(COMPLETION)
	@tests/run $B $(UNIT) $(wildcard tests/*.bats)
check-san:
	@$(MAKE) --no-print-directory SAN=1 check
demo: deps
	@$(MAKE) $(JOBS) --no-print-directory all
	@$(MAKE) --no-print-directory -f pipelines/demo.mk BIN=$(CURDIR)/$B/bin
bench: deps
	@$(MAKE) $(JOBS) --no-print-directory all $(BENCH)
	@tests/bench/run $B $(PARTS)
gpu-kit: all $(KIT_BIN)
	@$(if $(CUDA),tests/gpu/make-kit $B $(KIT),echo 'the GPU kit needs nvcc and cublasLt.h' >&2; exit 1)
check-gpu: gpu-kit
	@$(KIT)/check-gpu $B/check-gpu
bench-gpu: gpu-kit
	@$(KIT)/bench-gpu $B/bench-gpu
fuzz: $(patsubst tests/fuzz_%.c,$B/fuzz_%,$(wildcard tests/fuzz_*.c))
# What a stranger's file goes through is instrumented; the rest comes from the archives.
FUZZED := annotation/* base/* join/* media/exif* media/picture media/picture_note media/picture_peek media/png media/jpeg media/orient media/resize* media/thumb media/transform stream/* formats/csv_columns formats/csv_read formats/url formats/yaml_file formats/nav* formats/safetensors* formats/json_file formats/cell* formats/names formats/jsonl formats/text formats/label_map select/where* select/rename preprocess/* text/* weights/* nn/model* nn/param
$B/fuzz_%: tests/fuzz_%.c $(wildcard $(FUZZED:%=lib/%.c)) $(ARCHIVES)
	@mkdir -p $(@D)
	clang -std=c11 -D_GNU_SOURCE -Ilib -I. -g -O1 -fsanitize=fuzzer,address,undefined -o $@ $(filter %.c,$^) $(LDLIBS) -lpthread

install: all $(COMPLETION)
	install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(libdir)/seabot $(PREFIX)/share/seabot $(bashdir) $(zshdir) $(docdir)/examples $(addprefix $(mandir)/man,1 5 7))
	install -s $(TOOLS) $(DESTDIR)$(PREFIX)/bin
	$(if $(PLUGINS),install -s $(PLUGINS) $(DESTDIR)$(libdir)/seabot)
	install -m 644 pipelines/*.mk $(DESTDIR)$(PREFIX)/share/seabot
	install pipelines/*.sh $(DESTDIR)$(PREFIX)/share/seabot
	install examples/* $(DESTDIR)$(docdir)/examples
	install -m 644 $B/completion/seabot $(DESTDIR)$(bashdir)
	for t in $(notdir $(TOOLS)); do ln -sf seabot $(DESTDIR)$(bashdir)/$$t; done
	install -m 644 $B/completion/_seabot $(DESTDIR)$(zshdir)
	for s in 1 5 7; do install -m 644 man/*.$$s $(DESTDIR)$(mandir)/man$$s; done
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(notdir $(TOOLS))) $(addprefix $(DESTDIR)$(mandir)/man1/,$(notdir $(wildcard man/*.1)))
	rm -f $(DESTDIR)$(mandir)/man5/sb-stream.5 $(addprefix $(DESTDIR)$(mandir)/man7/,seabot.7 seabot-season.7)
	rm -f $(addprefix $(DESTDIR)$(bashdir)/,seabot $(notdir $(TOOLS))) $(DESTDIR)$(zshdir)/_seabot
	rm -rf $(addprefix $(DESTDIR),$(libdir)/seabot $(PREFIX)/share/seabot $(docdir))
# Debian packages of what install installs, into $B.
VERSION := $(shell sed -n 's/^.define SB_VERSION "\(.*\)"/\1/p' lib/base/opt.h)
MAINTAINER ?= $(or $(DEBFULLNAME),SeaBot maintainers) <$(or $(DEBEMAIL),root@localhost)>
deb: all $(COMPLETION)
	+@VERSION='$(VERSION)' MAINTAINER='$(MAINTAINER)' packaging/make-deb $B
check-deb: deb
	@packaging/check-deb $B/*_$(VERSION)_*.deb
clean:
	rm -rf build build-san

help:
	@echo 'make              build the programs into build/bin (the packages of "make deps" must be there)'
	@echo 'make deps         install what is missing of the Debian packages it builds with'
	@echo 'make demo         set up, build, and turn a synthetic dive into labelled, captioned, subtitled footage in demo/'
	@echo 'make check        set up, build, run all tests;  make check-san: the same under ASan and UBSan'
	@echo 'make bench        rates of the stages, and beside their peers; PARTS="pipe torch": only those of tests/bench'
	@echo 'make check-gpu    hold the CUDA backend to the reference, PyTorch and the CPU on this machine'"'"'s GPU'
	@echo 'make bench-gpu    SeaBot beside PyTorch on this machine'"'"'s GPU, and where a step'"'"'s time goes'
	@echo 'make gpu-kit      pack what these two run into build/seabot-gpu-kit.tar.gz, for a GPU machine with CUDA'"'"'s libraries and python3'
	@echo 'make fuzz         build the fuzzers of the stream, of safetensors and of tables (needs clang)'
	@echo 'make deb          pack that as Debian packages into build/;  make check-deb: try them in a clean chroot (as root)'
	@echo 'make install      into PREFIX=$(PREFIX);  make uninstall;  make clean'
	@echo 'SAN=1             build with ASan and UBSan into build-san/;  CI=1: warnings are errors'
