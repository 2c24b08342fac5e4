# SPDX-License-Identifier: Apache-2.0
# A unit test includes the .c it tests, so that statics are in reach; the
# rest comes out of the archives of the folders it is named for:
# tests/unit/FOLDER/test_x.c links libFOLDER.a and libcommon.a.
UNIT      = $(patsubst tests/%.c,$(BUILD)/test/%,$(sort $(wildcard tests/unit/*/test_*.c)))
folder_of = $(word 3,$(subst /, ,$(1)))

define unit_rule
$(BUILD)/test/$(1): tests/$(1).c $(BUILD)/lib$(2).a $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(LDFLAGS) $$< \
		$(if $(filter-out common,$(2)),$(BUILD)/lib$(2).a) $(BUILD)/libcommon.a $(LIBS) -lcmocka -o $$@
endef
$(foreach t,$(patsubst tests/%.c,%,$(wildcard tests/unit/*/test_*.c)),$(eval $(call unit_rule,$(t),$(word 2,$(subst /, ,$(t))))))

# make unit T=common/test_sv runs one.
unit: $(if $(T),$(BUILD)/test/unit/$(T),$(UNIT))
	@fail=0; for t in $^; do case $$t in *.a) continue;; esac; \
		"$$t" >"$$t.log" 2>&1 || { fail=1; cat "$$t.log"; }; done; exit $$fail

# The same with address and undefined-behaviour sanitizers.
asan:
	$(MAKE) BUILD=build/asan EXTRA_CFLAGS="$(SANITIZE)" \
		EXTRA_LDFLAGS="-fsanitize=address,undefined" unit

# What tests/run.sh runs and counts by itself.
unit-build: $(UNIT)
asan-build:
	$(MAKE) BUILD=build/asan EXTRA_CFLAGS="$(SANITIZE)" \
		EXTRA_LDFLAGS="-fsanitize=address,undefined" unit-build

# A fuzz target names the archive it wants in line 2: /* folder: common */
# "fuzz-replay" runs each over its corpus with gcc and sanitizers; "fuzz" looks
# for new inputs with libFuzzer (clang).
FUZZ      = $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 20
FUZZ_MAIN ?= tests/fuzz/replay.c
SANITIZE  = -fsanitize=address,undefined -fno-sanitize-recover=all \
            -fno-omit-frame-pointer
fuzz_folder = $(shell sed -n '2s|^/\* folder: \([a-z]*\) \*/$$|\1|p' tests/fuzz/$(1).c)

define fuzz_rule
$(BUILD)/test/fuzz/$(1): tests/fuzz/$(1).c $(FUZZ_MAIN) $(BUILD)/lib$(2).a $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) $$< $(FUZZ_MAIN) \
		$(if $(filter-out common,$(2)),$(BUILD)/lib$(2).a) $(BUILD)/libcommon.a $(LIBS) -o $$@
endef
$(foreach t,$(FUZZ),$(eval $(call fuzz_rule,$(t),$(call fuzz_folder,$(t)))))

replay-here: $(patsubst %,$(BUILD)/test/fuzz/%,$(FUZZ))
	@for t in $(FUZZ); do $(BUILD)/test/fuzz/$$t tests/fuzz/corpus/$$t/* \
		>$(BUILD)/test/fuzz/$$t.log 2>&1 || \
		{ cat $(BUILD)/test/fuzz/$$t.log; exit 1; }; done

fuzz-here: $(patsubst %,$(BUILD)/test/fuzz/%,$(FUZZ))
	@for t in $(FUZZ); do mkdir -p $(BUILD)/found/$$t; \
		$(BUILD)/test/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) \
		-artifact_prefix=$(BUILD)/found/ -verbosity=0 -timeout=10 \
		-print_final_stats=1 $(BUILD)/found/$$t \
		tests/fuzz/corpus/$$t || exit 1; done

fuzz-replay:
	$(MAKE) BUILD=build/asan EXTRA_CFLAGS="$(SANITIZE)" \
		EXTRA_LDFLAGS="-fsanitize=address,undefined" replay-here
fuzz:
	$(MAKE) BUILD=build/fuzz CC=clang FUZZ_MAIN= \
		EXTRA_CFLAGS="$(SANITIZE) -fsanitize=fuzzer-no-link" \
		EXTRA_LDFLAGS="-fsanitize=address,undefined,fuzzer" fuzz-here

.PHONY: unit asan unit-build asan-build replay-here fuzz-here fuzz-replay fuzz

# SIP messages a second beside what bounds them; wants libosip2-dev.
BENCH_CALLS ?= 50000
$(BUILD)/test/bench_sip: tests/bench/bench_sip.c tests/bench/bench_osip.c $(BUILD)/libcollector.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -losipparser2 -o $@
bench-sip: $(BUILD)/test/bench_sip
	$< --generate $(BENCH_CALLS) $(BUILD)/bench_sip.pcap
	$< $(BUILD)/bench_sip.pcap
.PHONY: bench-sip

# A million random events against a brute-force recount; the engine's speed.
$(BUILD)/test/oracle: tests/replay/oracle.c
$(BUILD)/test/bench_engine: tests/bench/bench_engine.c
$(BUILD)/test/oracle $(BUILD)/test/bench_engine: $(BUILD)/libanalyzer.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(LDFLAGS) $(filter %.c,$^) \
		$(BUILD)/libanalyzer.a $(BUILD)/libcommon.a $(LIBS) -o $@
oracle: $(BUILD)/test/oracle
	$<
bench-engine: $(BUILD)/test/bench_engine
	$<

# Both, the whole collector, and the way from the wire to a page, in one table
# and about BENCH_SECONDS.
BENCH_SECONDS ?= 60
bench:
	@tests/support/packages.sh bench
	@$(MAKE) --no-print-directory -s -j$$(nproc) all $(BUILD)/test/sink \
		$(BUILD)/test/bench_sip $(BUILD)/test/bench_engine
	@BUILD=$(BUILD) tests/bench/bench.sh $(BENCH_SECONDS)
.PHONY: oracle bench-engine bench

# Audited disclosures a second, on the disk of the build.
bench-disclose: $(BUILD)/tollwatch
	BUILD=$(BUILD) tests/bench/disclose.sh
.PHONY: bench-disclose

# The alerter's store with an outbox of its own, for tests/sql.
$(BUILD)/test/ship: tests/sql/ship.c $(BUILD)/libalerter.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# Receivers and a sender for the system tests of paging.
$(BUILD)/test/sink: tests/support/sink.c $(BUILD)/liblaunch.a $(BUILD)/libcommon.a
$(BUILD)/test/send: tests/support/send.c $(BUILD)/libalerter.a $(BUILD)/libcommon.a
$(BUILD)/test/sink $(BUILD)/test/send:
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS) $^ $(LIBS) -o $@
support-build: $(BUILD)/test/sink $(BUILD)/test/send
.PHONY: support-build

# Stands in for the analyzer.
$(BUILD)/test/inject: tests/support/inject.c $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS) $^ $(LIBS) -o $@
support-build: $(BUILD)/test/inject

# kill -9 at random for SOAK_SECONDS at most.
KILLS ?= 500
SOAK_SECONDS ?= 3600
soak: all
	KILLS=$(KILLS) SOAK_SECONDS=$(SOAK_SECONDS) tests/system/kill.sh
.PHONY: soak

# The private PostgreSQL alone.
$(BUILD)/test/cluster: tests/sql/cluster.c $(BUILD)/liblaunch.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
