# foldwatch. `make run` does the main job, `make check` runs every test.
#
# Rooms are picked up by wildcard: a new file in lib/, server/, agent/, cli/ or
# bench/ is built, and a new ROOM/test/test_NAME.c or tests/NAME.test.sh is run,
# without touching this file.

BUILD   ?= build
ifeq ($(origin CC),default)
CC      := gcc
endif
CROSS   ?= aarch64-linux-gnu-
PKGS    := libmicrohttpd sqlite3 jansson libcurl gnutls gsl libarchive libzstd libelf libdw zlib
WARN    := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
           -Wwrite-strings -Wvla -Wformat=2 -Wundef
# CI turns warnings into errors; a newer compiler's new warning must not stop a user.
WERROR  := $(if $(CI),-Werror)
CSTD    := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
OPT     ?= -O2 -g
HARDEN  := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fno-strict-aliasing -fno-common
SAN     ?=
VERSION := 0.1

# V=1 shows the commands
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# Asked for once, and only by what compiles; a missing package is told in one sentence.
pkg_ask     = $(if $(shell pkg-config --exists $(PKGS) 2>/dev/null && echo yes),$(shell pkg-config $(1) $(PKGS)),$(error \
              foldwatch: libraries are missing (one of $(PKGS), or pkg-config): `make deps` installs them))
PKG_CFLAGS  = $(eval PKG_CFLAGS := $(call pkg_ask,--cflags))$(PKG_CFLAGS)
PKG_LIBS    = $(eval PKG_LIBS := $(call pkg_ask,--libs) -lm -lpthread)$(PKG_LIBS)

CFLAGS_ALL = $(CSTD) $(WARN) $(WERROR) $(OPT) $(if $(SAN),$(SAN),$(HARDEN)) -I. -I$(BUILD)/gen \
             -DFOLDWATCH_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(SAN) $(LDFLAGS)

LIB_SRC    := $(wildcard lib/*.c lib/*/*.c)
LIB_SRC    := $(filter-out lib/test/%,$(LIB_SRC))
SERVER_SRC := $(wildcard server/*.c)
AGENT_SRC  := $(wildcard agent/*.c)
CLI_SRC    := $(wildcard cli/*.c)
# foldbench: libc only; lib/case.c is the one file it shares with the rest
BENCH_SRC  := $(wildcard bench/*.c) lib/case.c

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

.DEFAULT_GOAL := programs
PROGRAMS := $(BUILD)/foldwatchd $(BUILD)/foldwatch-agent $(BUILD)/foldwatch $(BUILD)/foldbench \
            $(BUILD)/foldbench-arm64 $(BUILD)/foldwatch-profile.so
.PHONY: programs
programs: $(PROGRAMS)

$(BUILD)/libfoldwatch.a: $(call obj,$(LIB_SRC))
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/foldwatchd: $(call obj,$(SERVER_SRC)) $(BUILD)/libfoldwatch.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/foldwatch-agent: $(call obj,$(AGENT_SRC)) $(BUILD)/libfoldwatch.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/foldwatch: $(call obj,$(CLI_SRC)) $(BUILD)/libfoldwatch.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# What QEMU loads to count instructions by function; its functions are QEMU's own.
$(BUILD)/foldwatch-profile.so: agent/plugin/profile.c agent/plugin/qemu_api.h
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CSTD) $(WARN) $(WERROR) -O2 -g -I. -fPIC -shared -D_GNU_SOURCE -o $@ $<

# foldbench is one static binary, the same for every board of an architecture:
# fixed flags and a build id that depends on its text alone.
BENCH_FLAGS := $(CSTD) $(WARN) $(WERROR) -O2 -g -fno-strict-aliasing -I. \
               -ffile-prefix-map=$(CURDIR)=. -DFOLDWATCH_VERSION='"$(VERSION)"'
$(BUILD)/foldbench: $(patsubst %.c,$(BUILD)/bench-host/%.o,$(BENCH_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) -static -Wl,--build-id=sha1 -o $@ $^ -lm
$(BUILD)/foldbench-arm64: $(patsubst %.c,$(BUILD)/bench-arm64/%.o,$(BENCH_SRC))
	$(call say,LD,$@)
	$(Q)$(CROSS)gcc -static -Wl,--build-id=sha1 -o $@ $^ -lm
$(BUILD)/bench-host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BENCH_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/bench-arm64/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CROSS,$<)
	$(Q)$(CROSS)gcc $(BENCH_FLAGS) -MMD -MP -c -o $@ $<

# schema.sql is compiled into the server as a string.
$(BUILD)/gen/schema_sql.h: schema.sql
	@mkdir -p $(@D)
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $< > $@
$(call obj,$(SERVER_SRC)): $(BUILD)/gen/schema_sql.h

# ---- tests: one cmocka program a ROOM/test/test_*.c, linked with its room but for main.c
ROOMS := lib server agent cli bench
unit_lib_objs    := $(BUILD)/libfoldwatch.a
unit_server_objs := $(filter-out %/main.o,$(call obj,$(SERVER_SRC))) $(BUILD)/libfoldwatch.a
unit_agent_objs  := $(filter-out %/main.o,$(call obj,$(AGENT_SRC))) $(BUILD)/libfoldwatch.a
unit_cli_objs    := $(filter-out %/main.o,$(call obj,$(CLI_SRC))) $(BUILD)/libfoldwatch.a
# helpers of other rooms that a room's tests use beside its own
helpers_server   := lib/test/sink.c
helpers_cli      := server/test/harness.c server/test/fake_agent.c server/test/fake_result.c lib/test/tmpdir.c lib/test/elf_file.c
helpers_bench    := lib/test/tmpdir.c
unit_bench_objs  := $(filter-out %/main.o,$(call obj,$(wildcard bench/*.c))) $(BUILD)/libfoldwatch.a
UNIT_TESTS :=
define room_tests
$(1)_TESTS := $$(patsubst %.c,$(BUILD)/%,$$(wildcard $(1)/test/test_*.c))
UNIT_TESTS += $$($(1)_TESTS)
$$($(1)_TESTS): $(BUILD)/$(1)/test/%: $(BUILD)/obj/$(1)/test/%.o \
		$$(patsubst %.c,$(BUILD)/obj/%.o,$$(filter-out $(1)/test/test_%,$$(wildcard $(1)/test/*.c)) $$(helpers_$(1))) $$(unit_$(1)_objs)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(PKG_LIBS) -lcmocka
endef
$(foreach r,$(ROOMS),$(eval $(call room_tests,$(r))))

# ---- the dashboard: our files and uPlot's, as one directory to serve
WEB_FILES := $(filter-out web/package.json web/package-lock.json,$(wildcard web/*.*))
NPM_CI    := npm ci --no-audit --no-fund --loglevel=error
.PHONY: web
web: $(BUILD)/web/.made
$(BUILD)/web/.made: $(WEB_FILES) $(BUILD)/npm/.run
	@rm -rf $(BUILD)/web && mkdir -p $(BUILD)/web
	cp $(WEB_FILES) $(BUILD)/web/
	cp $(BUILD)/npm/node_modules/uplot/dist/uPlot.esm.js $(BUILD)/web/uplot.js
	cp $(BUILD)/npm/node_modules/uplot/dist/uPlot.min.css $(BUILD)/web/uplot.css
	@touch $@
$(BUILD)/npm/.run: web/package.json web/package-lock.json
	@mkdir -p $(@D)
	cp web/package.json web/package-lock.json $(@D)/
	@cd $(@D) && $(NPM_CI) --omit=dev || { echo 'foldwatch: npm cannot fetch uPlot: no network to the npm registry?' >&2; exit 1; }
	@touch $@
# with Playwright, for tests/
$(BUILD)/npm/.check: web/package.json web/package-lock.json
	@mkdir -p $(@D)
	cp web/package.json web/package-lock.json $(@D)/
	@cd $(@D) && $(NPM_CI) || { echo 'foldwatch: npm cannot fetch Playwright: no network to the npm registry?' >&2; exit 1; }
	@touch $@ $(@D)/.run

.PHONY: run deps
run:
	@MAKE='$(MAKE)' kernel/recipe/run.sh
deps:
	@kernel/recipe/deps.sh $(or $(FOR),check)

# What issue and README promise in numbers; ONLY=NAME for one group of it.
BENCH_LOAD := $(BUILD)/foldwatch-bench
$(BENCH_LOAD): $(call obj,$(wildcard tests/bench/*.c) lib/test/simulate.c) $(unit_server_objs)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)
.PHONY: bench
bench: programs $(BENCH_LOAD)
	@MAKE='$(MAKE)' tests/bench/run.sh

# A second build with sanitizers, of everything but foldbench's static binary.
ASAN  := $(BUILD)/asan
ASANF := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ASAN_TESTS := $(patsubst $(BUILD)/%,$(ASAN)/%,$(UNIT_TESTS))
.PHONY: unit asan-build asan layers lint fmt check tests-build
tests-build: programs $(UNIT_TESTS)
unit: tests-build
	@tests/run.sh $(UNIT_TESTS)
# Warnings are the plain build's business: other optimisation, other guesses.
asan-build:
	+$(MAKE) --no-print-directory CI= BUILD=$(ASAN) SAN='$(ASANF)' OPT='-O1 -g' tests-build
asan: asan-build
	@tests/run.sh $(ASAN_TESTS)
layers: programs
	tests/layers.sh
lint: $(BUILD)/gen/schema_sql.h
	tests/lint.sh
fmt:
	clang-format -i $$(find lib server agent cli bench -name '*.[ch]')

# Everything, from whatever stands: installs, builds, tests. What needs a real
# kernel (test_*_real, foldbench in a guest, explain, plan) is run by whole.test.sh, which builds two,
# and by kernels.test.sh, on others: those of a cache, or with FULL=1 built.
WHOLE_TESTS := $(filter-out tests/foldbench.test.sh tests/explain.test.sh tests/plan.test.sh,$(sort $(wildcard tests/*.test.sh)))
check:
	@kernel/recipe/deps.sh check
	+@$(MAKE) --no-print-directory check-built
.PHONY: check-built
check-built: tests-build $(BENCH_LOAD) web $(BUILD)/npm/.check asan-build
	@tests/run.sh tests/layers.sh tests/lint.sh $(filter-out %_real,$(UNIT_TESTS) $(ASAN_TESTS)) $(WHOLE_TESTS)

# ---- installing: programs side by side with web/ below lib/foldwatch/bin, as
# in build/, so that `foldwatch up` finds everything; links in bin/.
PREFIX  ?= /usr/local
DESTDIR ?=
INSTALL ?= install
ROOT     = $(DESTDIR)$(PREFIX)
INSTALLED := foldwatch foldwatchd foldwatch-agent foldbench foldbench-arm64 foldwatch-profile.so
# of them, what a person calls
CALLED    := $(filter-out foldbench-arm64 foldwatch-profile.so,$(INSTALLED))
.PHONY: install uninstall
install: programs web
	$(call say,INSTALL,$(ROOT))
	$(Q)$(INSTALL) -d $(ROOT)/bin $(ROOT)/lib/foldwatch/bin $(ROOT)/share/foldwatch/web \
		$(ROOT)/share/doc/foldwatch/examples $(ROOT)/share/man/man1 $(ROOT)/share/man/man5 $(ROOT)/share/man/man8
# a new file in the place of the old one: what runs keeps the old
	$(Q)for p in $(INSTALLED); do \
		$(INSTALL) -m 0755 $(BUILD)/$$p $(ROOT)/lib/foldwatch/bin/$$p.new && \
		mv -f $(ROOT)/lib/foldwatch/bin/$$p.new $(ROOT)/lib/foldwatch/bin/$$p || exit 1; \
	done
	$(Q)for p in $(CALLED); do \
		ln -sfn ../lib/foldwatch/bin/$$p $(ROOT)/bin/$$p || exit 1; \
	done
	$(Q)$(INSTALL) -m 0644 $(BUILD)/web/*.* $(ROOT)/share/foldwatch/web/
	$(Q)rm -rf $(ROOT)/share/foldwatch/kernel && cp -R kernel $(ROOT)/share/foldwatch/ && \
		chmod -R u=rwX,go=rX $(ROOT)/share/foldwatch/kernel
	$(Q)ln -sfn ../../../share/foldwatch/web $(ROOT)/lib/foldwatch/bin/web
	$(Q)ln -sfn ../../share/foldwatch/kernel $(ROOT)/lib/foldwatch/kernel
	$(Q)for s in 1 5 8; do $(INSTALL) -m 0644 docs/man/*.$$s $(ROOT)/share/man/man$$s/ || exit 1; done
	$(Q)$(INSTALL) -m 0644 README.md $(wildcard docs/*.md) $(ROOT)/share/doc/foldwatch/
	$(Q)$(INSTALL) -m 0644 $(filter-out %.sh,$(wildcard docs/examples/*)) $(ROOT)/share/doc/foldwatch/examples/
	$(Q)$(INSTALL) -m 0755 $(wildcard docs/examples/*.sh) $(ROOT)/share/doc/foldwatch/examples/
uninstall:
	rm -rf $(ROOT)/lib/foldwatch $(ROOT)/share/foldwatch $(ROOT)/share/doc/foldwatch
	rm -f $(addprefix $(ROOT)/bin/,$(INSTALLED)) $(addprefix $(ROOT)/share/man/man1/,$(notdir $(wildcard docs/man/*.1)))
	rm -f $(addprefix $(ROOT)/share/man/man5/,$(notdir $(wildcard docs/man/*.5))) $(addprefix $(ROOT)/share/man/man8/,$(notdir $(wildcard docs/man/*.8)))

.PHONY: clean
clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
