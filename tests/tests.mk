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
	$(MAKE) BUILD=build/asan EXTRA_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" \
		EXTRA_LDFLAGS="-fsanitize=address,undefined" unit

.PHONY: unit asan
