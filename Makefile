# SPDX-License-Identifier: Apache-2.0
# "make run" and "make check" are all one needs; see README.md.
BUILD    ?= build
CC       ?= gcc
PREFIX   ?= /usr/local
CONF     ?= config

PG_HEADERS := $(shell pg_config --includedir 2>/dev/null)
CPPFLAGS += -I. $(addprefix -isystem ,$(PG_HEADERS)) -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
WARN      = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wconversion -Wno-sign-conversion
HARDEN    = -fstack-protector-strong -fstack-clash-protection -fPIE \
            -fcf-protection
CFLAGS   ?= -O2 -g
ALL_CFLAGS = -std=c11 $(CFLAGS) $(WARN) $(HARDEN) $(EXTRA_CFLAGS)
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(EXTRA_LDFLAGS)
ifdef CI
ALL_CFLAGS += -Werror
endif

# --as-needed: a program is linked with what it calls of these, no more.
LIBS      = -lpcap -lzmq -levent -lyaml -ljansson -lsodium -lz -lcurl -lpq
PROGRAMS  = collector analyzer alerter launch
src_of    = $(sort $(wildcard $(1)/*.c $(1)/*/*.c))
objs_of   = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/main.c,$(call src_of,$(1))))

BINS      = $(BUILD)/tollwatch-collector $(BUILD)/tollwatch-analyzer \
            $(BUILD)/tollwatch-alerter $(BUILD)/tollwatch

all: $(BINS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# One archive a folder: a program links its own and common's, nothing else.
define archive
$(BUILD)/lib$(1).a: $(call objs_of,$(1))
	@rm -f $$@
	ar crs $$@ $$^
endef
$(foreach p,common $(PROGRAMS),$(eval $(call archive,$(p))))

$(BUILD)/tollwatch-collector: $(BUILD)/obj/collector/main.o $(BUILD)/libcollector.a $(BUILD)/libcommon.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(BUILD)/tollwatch-analyzer: $(BUILD)/obj/analyzer/main.o $(BUILD)/libanalyzer.a $(BUILD)/libcommon.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(BUILD)/tollwatch-alerter: $(BUILD)/obj/alerter/main.o $(BUILD)/libalerter.a $(BUILD)/libcommon.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(BUILD)/tollwatch: $(BUILD)/obj/launch/main.o $(BUILD)/liblaunch.a $(BUILD)/libcommon.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
	@ln -sfn $(BUILD)/tollwatch tollwatch

# Both install the packages they lack; offline when none is missing.
run:
	@tests/support/packages.sh run
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	@./tollwatch run --config $(CONF)
check:
	@tests/support/packages.sh check
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	@tests/run.sh

include tests/tests.mk

# The tables of docs/configuration.md, from the schemas.
docs: $(BUILD)/tollwatch-collector $(BUILD)/tollwatch-analyzer $(BUILD)/tollwatch-alerter
	@BUILD=$(BUILD) tests/support/configuration.sh >$(BUILD)/configuration.md
	@cp $(BUILD)/configuration.md docs/configuration.md

# clang-format, cppcheck and clang-tidy over every C file.
lint:
	@tests/support/packages.sh lint
	@tests/support/lint.sh

format:
	clang-format -i $$(git ls-files '*.c' '*.h')
clean:
	rm -rf build tollwatch

-include $(shell find $(BUILD)/obj $(BUILD)/test -name '*.d' 2>/dev/null)
.PHONY: all run check docs lint format clean
.DELETE_ON_ERROR:
