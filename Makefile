# lariat: an engine for regularised learning. `make help` lists what can be made.
#
# Options, as in `make ARCH=x86-64-v3` or `make install PREFIX=/opt/lariat`:
ARCH    ?= native
PREFIX  ?= /usr/local
DESTDIR ?=
OPT     ?= -O3
B       ?= build
SPEC    ?= spec
CC      := gcc

# How C is compiled -----------------------------------------------------------------------
WARN  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion \
         -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef -Wvla \
         -Wno-unused-parameter -Wno-missing-field-initializers -Werror
FLOAT := -fno-math-errno -fno-trapping-math -ffp-contract=off
FLAGS := -std=c11 -D_GNU_SOURCE $(OPT) -g -march=$(ARCH) $(FLOAT) -fopenmp -fPIC \
         -fno-semantic-interposition $(SAN) $(WARN) -MMD -MP -Isrc $(CPPFLAGS) $(CFLAGS)
LINK  := $(CC) $(OPT) -fopenmp $(SAN) $(LDFLAGS)

# Asked for inside recipes only, when `setup` has installed what answers. The OpenMP build of
# OpenBLAS is named by its folder: another build may stand beside it as the system's default.
blas_pc = PKG_CONFIG_PATH=/usr/lib/$$($(CC) -print-multiarch)/openblas-openmp/pkgconfig \
          pkg-config openblas
BLAS_H  = $(shell $(blas_pc) --cflags)
BLAS    = $(shell $(blas_pc) --libs) -Wl,-rpath,$(shell $(blas_pc) --variable=libdir)
LUA_H   = $(shell pkg-config --cflags lua5.4)
LIBS    = $(BLAS) -lcjson -lz -lm

# What a goal needs from Debian is installed before anything else is done ------------------
APT_build    := gcc libc6-dev pkg-config liblua5.4-dev libopenblas-openmp-dev zlib1g-dev \
                libedit-dev libedit2 libcjson-dev
APT_specs    := $(APT_build) lua5.4 lua-busted
APT_demo     := $(APT_build)
APT_check    := $(APT_build)
APT_bench    := $(APT_build)
APT_test     := $(APT_specs)
APT_asan     := $(APT_specs)
APT_ubsan    := $(APT_specs)
APT_tsan     := $(APT_specs)
APT_memcheck := $(APT_specs) valgrind
APT_luacheck := lua-check
APT_layout   := clang-format
APT_cppcheck := cppcheck
APT_tidy     := $(APT_build) clang-tidy
APT_lint     := $(APT_luacheck) $(APT_layout) $(APT_cppcheck) $(APT_tidy)
APT_format   := clang-format
APT_doc      := lua-ldoc
APT_setup    := $(sort $(APT_memcheck) $(APT_lint) $(APT_doc))
APT   := $(sort $(foreach goal,$(MAKECMDGOALS),$(APT_$(goal))))
SETUP := $(if $(APT),setup)

# What there is ---------------------------------------------------------------------------
# A file that includes core/real.h is compiled for float32 and float64; one that includes
# core/number.h for int64 as well. A line `LAR_ENTRY(kind, name)` puts a file in a registry.
sources   = $(sort $(wildcard $(1:%=src/%/*.c)))
including = $(shell grep -lE '^\#include "$(1)"' $(2) /dev/null)
objects   = $(patsubst src/%.c,$(B)/%$(2).o,$(1))

FLOORS  := core kern op grad nn loss penalty optim train family solver glm io
CORE_C  := $(call sources,$(FLOORS))
MAP_C   := $(call including,core/number.h,$(CORE_C))
REAL_C  := $(filter-out $(MAP_C),$(call including,core/real.h,$(CORE_C)))
ONCE_C  := $(filter-out $(MAP_C) $(REAL_C),$(CORE_C))
CORE    := $(call objects,$(ONCE_C)) $(B)/gen/entries.o $(call objects,$(MAP_C),.i64) \
           $(foreach r,.f32 .f64,$(call objects,$(REAL_C) $(MAP_C),$(r)))
BIND    := $(call objects,$(call sources,bind)) $(B)/gen/baked.o
MAIN    := $(call objects,$(call sources,main))
BAKED   := $(sort $(shell find lua -type f ! -name config.ld ! -name '*.md' 2>/dev/null))
ENTRIES := $(sort $(shell grep -hoE '^LAR_ENTRY\([a-z]+, *[a-z0-9_]+\)' $(CORE_C) /dev/null | \
                          sed -E 's/LAR_ENTRY.(.*), *(.*)./\1.\2/'))
PRODUCT := $(B)/liblariat.a $(B)/liblariat.so $(B)/lariat.so $(if $(MAIN),$(B)/bin/lariat)

all: $(PRODUCT) ## libraries, the Lua module and the program, into build/

# Compiling -------------------------------------------------------------------------------
Q := $(if $(V),,@)
define compile
@printf '  cc    %s\n' '$(@:$(B)/%=%)'
@mkdir -p $(@D)
$(Q)$(CC) $(FLAGS) $(EXTRA) $(1) -c -o $@ $<
endef

$(B)/core/%.o $(B)/kern/%.o: EXTRA = $(BLAS_H)
$(B)/bind/%.o $(B)/main/%.o: EXTRA = -fvisibility=hidden $(LUA_H)

$(B)/%.o:     src/%.c $(B)/gen/flags.note; $(call compile)
$(B)/%.f32.o: src/%.c $(B)/gen/flags.note; $(call compile,-DLAR_REAL_F32)
$(B)/%.f64.o: src/%.c $(B)/gen/flags.note; $(call compile,-DLAR_REAL_F64)
$(B)/%.i64.o: src/%.c $(B)/gen/flags.note; $(call compile,-DLAR_REAL_I64)
$(B)/gen/%.o: $(B)/gen/%.c $(B)/gen/flags.note; $(call compile)
$(B)/gen/baked.o: EXTRA = -fvisibility=hidden
$(B)/gen/baked.o: $(BAKED)

# A note is rewritten only when what it says changes: another option, or a file that came or
# went, rebuilds what depends on it and no more.
note = @mkdir -p $(@D); echo '$(strip $(1))' | cmp -s - $@ || echo '$(strip $(1))' > $@
$(B)/gen/flags.note: FORCE | $(SETUP)
	$(call note,$(CC) $(FLAGS) $(LDFLAGS))
$(B)/gen/objects.note: FORCE
	$(call note,$(CORE) $(BIND) $(MAIN))
$(B)/gen/entries.note: FORCE
	$(call note,$(ENTRIES))
$(B)/gen/baked.note: FORCE
	$(call note,$(BAKED))

# The registries: lar_ops, lar_layers ..., each ended by NULL.
registry = if [ -f src/$(3) ]; then \
  printf '\#include "$(3)"\n'; \
  for e in $(names); do printf 'extern const lar_$(1) lar_$(1)_%s;\n' $$e; done; \
  printf 'extern const lar_$(1) *const lar_$(2)[];\nconst lar_$(1) *const lar_$(2)[] = {'; \
  for e in $(names); do printf '&lar_$(1)_%s, ' $$e; done; printf 'NULL};\n'; fi;
names = $(patsubst $(1).%,%,$(filter $(1).%,$(ENTRIES)))
$(B)/gen/entries.c: $(B)/gen/entries.note Makefile
	@{ echo '#include <stddef.h>'; \
	   $(call registry,op,ops,op/op.h) $(call registry,layer,layers,nn/nn.h) \
	   $(call registry,loss,losses,loss/loss.h) \
	   $(call registry,penalty,penalties,penalty/penalty.h) \
	   $(call registry,rule,rules,optim/optim.h) \
	   $(call registry,family,families,family/family.h) \
	   $(call registry,solver,solvers,solver/solver.h) } > $@

# The Lua library and its data, baked in: a table of names and bytes (bind/baked.h).
$(B)/gen/baked.c: $(B)/gen/baked.note Makefile
	@printf '%s\n' $(BAKED:lua/%=%) | awk ' \
	  NF { name[++n] = $$0 } \
	  END { print "#include \"bind/baked.h\"\n\n__asm__(\".section .rodata\\n\""; \
	    for (i = 1; i <= n; i++) printf "  \".balign 16\\nlb_baked_%d: .incbin \\\"lua/%s\\\"\\n" \
	      "lb_baked_%d_end: .byte 0\\n\"\n", i, name[i], i; \
	    print "  \".previous\");\n\n#pragma GCC visibility push(hidden)"; \
	    for (i = 1; i <= n; i++) printf "extern const char lb_baked_%d[], lb_baked_%d_end[];\n", i, i; \
	    print "#pragma GCC visibility pop\n\nconst struct lb_baked lb_baked_files[] = {"; \
	    for (i = 1; i <= n; i++) printf "  {\"%s\", lb_baked_%d, lb_baked_%d_end},\n", name[i], i, i; \
	    print "  {NULL, NULL, NULL}\n};" }' > $@

# Linking ---------------------------------------------------------------------------------
$(B)/liblariat.a: $(CORE) $(B)/gen/objects.note
	@printf '  ar    %s\n' '$@'
	$(Q)rm -f $@ && $(AR) rcs $@ $(CORE)

$(B)/liblariat.so: $(CORE) $(B)/gen/objects.note
	@printf '  ld    %s\n' '$@'
	@echo '{ global: lar_*; local: *; };' > $(B)/gen/liblariat.map
	$(Q)$(LINK) -shared -Wl,-Bsymbolic,-soname,liblariat.so,--version-script=$(B)/gen/liblariat.map \
	  $(if $(SAN),,-Wl$(,)-z$(,)defs) -o $@ $(CORE) $(LIBS)

# Lua unloads its modules when it closes; the thread pool would lose the code it stands in.
$(B)/lariat.so: $(BIND) $(B)/liblariat.a
	@printf '  ld    %s\n' '$@'
	$(Q)$(LINK) -shared -Wl,-Bsymbolic,--exclude-libs,ALL,-z,nodelete -o $@ $(BIND) \
	  $(B)/liblariat.a $(LIBS)
	@! nm -D --defined-only $@ | grep -E ' [A-Z] ' | grep -v ' luaopen_'

# The program holds the whole of Lua, used here or not, for C modules that it loads.
$(B)/bin/lariat: $(MAIN) $(BIND) $(B)/liblariat.a
	@printf '  ld    %s\n' '$@'
	@mkdir -p $(@D)
	$(Q)$(LINK) -Wl,-E,--exclude-libs,liblariat.a -o $@ $(MAIN) $(BIND) $(B)/liblariat.a \
	  -Wl,--whole-archive -l:liblua5.4.a -Wl,--no-whole-archive $(LIBS) -ldl

# Running ---------------------------------------------------------------------------------
setup: ## install what any goal needs (apt-get); `demo` and `test` do it for themselves
	@.ci/setup $(APT)
demo: all ## the textbook experiment, then the digits
	"$(B)/bin/lariat" examples/01-textbook.lua
	"$(B)/bin/lariat" examples/02-digits.lua

# Specs find the module, their helpers, and under LARIAT_BUILD the program.
busted   = LUA_PATH='./?.lua;spec/?.lua;;' LUA_CPATH='$(B)/?.so;;' LARIAT_BUILD='$(B)' \
           .ci/specs $(1) /usr/bin/busted -o spec/support/tally.lua $(BUSTED) $(SPEC)
variant  = +@$(MAKE) --no-print-directory B=build/$@ OPT=-O1 \
           SAN='$(1) -fno-omit-frame-pointer -Wno-maybe-uninitialized' RUN='$(2)' $(3) specs

test: all ## every spec under lua5.4; one file or folder with SPEC=
	@$(call busted,lua5.4)
specs: $(B)/bin/lariat
	@$(call busted,$(RUN) $(B)/bin/lariat)
asan: | $(SETUP) ## the specs under the address sanitizer, leaks included
	$(call variant,-fsanitize=address,LSAN_OPTIONS=suppressions=.ci/lsan.supp:print_suppressions=0)
ubsan: | $(SETUP) ## the specs under the undefined behaviour sanitizer
	$(call variant,-fsanitize=undefined -fno-sanitize-recover=all,UBSAN_OPTIONS=print_stacktrace=1)
# The thread sanitizer holds signals back until the next system call; it knows the thread pool
# by core/par.c, and is told nothing of OpenBLAS.
tsan: | $(SETUP) ## the specs under the thread sanitizer
	$(call variant,-fsanitize=thread,TSAN_OPTIONS=ignore_noninstrumented_modules=1,\
	  BUSTED=--exclude-tags=interrupt)
memcheck: | $(SETUP) ## the specs under valgrind (slow)
	$(call variant,,OMP_NUM_THREADS=1 OPENBLAS_CORETYPE=Haswell valgrind -q \
	  --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
	  --error-exitcode=99,ARCH=x86-64-v3)

check: all ## build and run the C example against the static and the shared library
	@mkdir -p $(B)/embed
	$(Q)$(CC) -std=c11 $(OPT) $(WARN) -Isrc -o $(B)/embed/static examples/07-embed.c \
	  $(B)/liblariat.a -fopenmp $(LIBS)
	$(Q)$(CC) -std=c11 $(OPT) $(WARN) -Isrc -o $(B)/embed/shared examples/07-embed.c \
	  -L$(B) -llariat -lm -Wl,-rpath,'$$ORIGIN/..'
	"$(B)/embed/static"
	"$(B)/embed/shared"

bench: all ## measure speed
	@set -e; for f in spec/bench/*.lua; do echo "== $$f"; $(B)/bin/lariat "$$f"; done

# Keeping the house -----------------------------------------------------------------------
C_FILES = $(sort $(shell find src examples -name '*.[ch]'))
lint: luacheck layout cppcheck tidy ## every linter
luacheck: | $(SETUP)
	luacheck --no-color -q .
layout: | $(SETUP)
	@clang-format --dry-run -Werror $(C_FILES) && echo 'clang-format: clean'
cppcheck: | $(SETUP)
	@cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr \
	  $(addprefix --suppress=,missingIncludeSystem memleak uninitvar invalidFunctionArg) \
	  --error-exitcode=1 -Isrc src && echo 'cppcheck: clean'
tidy: $(B)/gen/flags.note
	@printf '%s\n' $(filter %.c,$(C_FILES)) | xargs -P 2 -I{} clang-tidy --quiet {} \
	  -- -std=c11 -D_GNU_SOURCE -fopenmp -Isrc $(BLAS_H) $(LUA_H) 2>/dev/null \
	  && echo 'clang-tidy: clean'
format: | $(SETUP) ## lay out the C code
	clang-format -i $(C_FILES)
doc: | $(SETUP) ## the manual of the Lua library, into build/doc
	ldoc -q -c lua/config.ld -d $(B)/doc lua

# Installing ------------------------------------------------------------------------------
# The installed lariat.h is one file: what it includes of ours is put in its place.
TO = "$(DESTDIR)$(PREFIX)
install: all ## into PREFIX (/usr/local), below DESTDIR if given
	install -d $(TO)/bin" $(TO)/lib/lua/5.4" $(TO)/include"
	install $(B)/bin/lariat $(TO)/bin/lariat"
	install -m 644 $(B)/liblariat.a $(B)/liblariat.so $(TO)/lib"
	install -m 644 $(B)/lariat.so $(TO)/lib/lua/5.4/lariat.so"
	awk 'function put(f, l) { if (f in seen) return; seen[f]; while ((getline l < f) > 0) \
	  if (split(l, q, "\"") > 2 && l ~ /^#include "/) put("src/" q[2]); else print l; close(f) } \
	  BEGIN { put("src/lariat.h") }' > $(TO)/include/lariat.h"
uninstall: ## remove what install put there
	rm -f $(TO)/bin/lariat" $(TO)/lib/liblariat.a" $(TO)/lib/liblariat.so" \
	  $(TO)/lib/lua/5.4/lariat.so" $(TO)/include/lariat.h"

clean: ## remove build/
	rm -rf build
help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

, := ,
FORCE:
.PHONY: all setup demo test specs asan ubsan tsan memcheck check bench lint luacheck layout \
        cppcheck tidy format doc install uninstall clean help FORCE
.DELETE_ON_ERROR:
-include $(sort $(wildcard $(B)/*/*.d))
