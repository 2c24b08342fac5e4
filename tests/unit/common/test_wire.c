/* SPDX-License-Identifier: Apache-2.0 */
#include "common/wire.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROOM = WIRE_BATCH_MAX + 4096 };

struct batch {
	_Alignas(8) struct wire_header h;
	char rest[ROOM];
};

static void sizes_are_those_of_the_records(void **state)
{
	/* clang-format off */
	static const struct { int kind; uint32_t size; uint16_t version; } row[] = {
		{WIRE_EVENTS,   256,  1},
		{WIRE_FINDINGS, 1568, 1},
		{WIRE_EXPOSURE, 168,  1},
		{WIRE_CONTROL,  104,  1},
		{WIRE_TICK,     0,    1},
		{WIRE_CONFIG,   64,   1},
		{WIRE_HELLO,    0,    1},
		{WIRE_ACK,      0,    1},
		{WIRE_NACK,     0,    1},
		{0,             0,    0},
		{7,             0,    0},
		{19,            0,    0},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		enum wire_kind kind = (enum wire_kind)row[i].kind;

		assert_int_equal(wire_record_size(kind), row[i].size);
		assert_int_equal(wire_record_version(kind), row[i].version);
	}
}

static void header_bytes_are_golden(void **state)
{
	/* clang-format off */
	static const uint8_t want[WIRE_HEADER] = {
		'T', 'W', 'B', '1', 1, 0, 1, 0,
		3, 0, 0, 0, 0, 1, 0, 0,
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
		0xd4, 0xc3, 0xb2, 0xa1, 0, 0, 0, 0,
		's', 'b', 'c', '-', '1',
	};
	/* clang-format on */
	struct wire_header h;

	(void)state;
	wire_header(&h, WIRE_EVENTS, SV("sbc-1"), 0xa1b2c3d4,
		    0x0102030405060708, 3);
	assert_memory_equal(&h, want, sizeof(want));
}

struct change {
	size_t offset; /* in the header */
	uint8_t size;
	uint64_t value;
	enum wire_rc rc;
};

static void one_wrong_field_is_refused(void **state)
{
#define F(field)                                                               \
	offsetof(struct wire_header, field),                                   \
		sizeof(((struct wire_header *)0)->field)
	/* clang-format off */
	static const struct change row[] = {
		{F(magic), WIRE_MAGIC, WIRE_OK},
		{F(magic), 0, WIRE_BAD_MAGIC},
		{F(magic), 0x32425754, WIRE_BAD_MAGIC},
		{F(version), 0, WIRE_BAD_VERSION},
		{F(version), 2, WIRE_BAD_VERSION},
		{F(kind), 0, WIRE_BAD_KIND},
		{F(kind), 99, WIRE_BAD_KIND},
		{F(kind), WIRE_FINDINGS, WIRE_BAD_SIZE},
		{F(record_size), 0, WIRE_BAD_SIZE},
		{F(record_size), 255, WIRE_BAD_SIZE},
		{F(record_size), UINT32_MAX, WIRE_BAD_SIZE},
		{F(count), 3, WIRE_SHORT},
		{F(count), WIRE_EVENTS_MAX, WIRE_SHORT},
		{F(count), WIRE_EVENTS_MAX + 1, WIRE_BAD_SIZE},
		{F(count), 0x01000000, WIRE_BAD_SIZE},
		{F(count), UINT32_MAX, WIRE_BAD_SIZE},
		{F(cursor_len), 6, WIRE_SHORT},
		{F(cursor_len), WIRE_BATCH_MAX - WIRE_HEADER - 512, WIRE_SHORT},
		{F(cursor_len), WIRE_BATCH_MAX - WIRE_HEADER - 511, WIRE_BAD_SIZE},
		{F(cursor_len), UINT32_MAX, WIRE_BAD_SIZE},
		{F(seq), UINT64_MAX - 2, WIRE_OK},
		{F(seq), UINT64_MAX - 1, WIRE_BAD_SIZE},
		{F(seq), UINT64_MAX, WIRE_BAD_SIZE},
	};
	/* clang-format on */
#undef F
	static struct batch b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct wire_view v;
		/* two events and five bytes of cursor */
		struct sv buf = {(const char *)&b, WIRE_HEADER + 512 + 5};

		wire_header(&b.h, WIRE_EVENTS, SV("x"), 1, 1, 2);
		b.h.cursor_len = 5;
		memcpy((char *)&b.h + row[i].offset, &row[i].value,
		       row[i].size);
		assert_int_equal(wire_check(buf, &v), row[i].rc);
	}
}

static void every_length_too_short_is_short(void **state)
{
	static struct batch b;
	struct wire_view v;
	size_t whole = WIRE_HEADER + 2 * EVENT_SIZE + 5;

	(void)state;
	wire_header(&b.h, WIRE_EVENTS, SV("x"), 1, 1, 2);
	b.h.cursor_len = 5;
	memcpy(b.rest + 2 * EVENT_SIZE, "abcde", 5);
	for (size_t n = 0; n < whole; n++)
		assert_int_equal(wire_check((struct sv){(char *)&b, n}, &v),
				 WIRE_SHORT);
	/* what follows a batch in a pipe is not part of it */
	for (size_t n = whole; n < whole + 3; n++) {
		assert_int_equal(wire_check((struct sv){(char *)&b, n}, &v),
				 WIRE_OK);
		assert_int_equal(v.size, whole);
		assert_true(sv_eq(v.cursor, SV("abcde")));
		assert_ptr_equal(wire_event(&v, 1), b.rest + EVENT_SIZE);
	}
}

static void credit_is_not_a_number_of_records(void **state)
{
	struct wire_header h;
	struct wire_view v;

	(void)state;
	wire_header(&h, WIRE_ACK, SV("x"), 7, UINT64_MAX, UINT32_MAX);
	assert_int_equal(wire_check((struct sv){(char *)&h, sizeof(h)}, &v),
			 WIRE_OK);
	assert_int_equal(v.size, WIRE_HEADER);
}

static void batches_stand_in_order(void **state)
{
	/* clang-format off */
	static const struct {
		struct wire_mark now, before;
		uint32_t boot; uint64_t seq; uint32_t count;
		enum wire_order order; uint32_t skip;
	} row[] = {
		/* nothing known: anything is next */
		{{0, 0}, {0, 0}, 9, 1,   5, WIRE_NEXT, 0},
		{{0, 0}, {0, 0}, 9, 500, 5, WIRE_NEXT, 0},
		/* the same boot */
		{{9, 10}, {0, 0}, 9, 11,  5, WIRE_NEXT, 0},
		{{9, 10}, {0, 0}, 9, 12,  5, WIRE_GAP, 0},
		{{9, 10}, {0, 0}, 9, 6,   5, WIRE_DUPLICATE, 0},
		{{9, 10}, {0, 0}, 9, 1,   5, WIRE_DUPLICATE, 0},
		{{9, 10}, {0, 0}, 9, 7,   5, WIRE_NEXT, 4},
		{{9, 10}, {0, 0}, 9, 10,  5, WIRE_NEXT, 1},
		{{9, 10}, {0, 0}, 9, 1,   11, WIRE_NEXT, 10},
		/* a cursor without records */
		{{9, 10}, {0, 0}, 9, 11,  0, WIRE_NEXT, 0},
		{{9, 10}, {0, 0}, 9, 10,  0, WIRE_DUPLICATE, 0},
		{{9, 10}, {0, 0}, 9, 12,  0, WIRE_GAP, 0},
		/* another boot begins at 1, whichever number is higher */
		{{9, 10}, {0, 0}, 10, 1,  5, WIRE_NEXT, 0},
		{{9, 10}, {0, 0}, 10, 2,  5, WIRE_GAP, 0},
		{{9, 10}, {0, 0}, 8, 11,  5, WIRE_GAP, 0},
		{{9, 10}, {0, 0}, 8, 1,   5, WIRE_NEXT, 0},
		/* one that was heard before is known as far as it came */
		{{9, 10}, {8, 20}, 8, 16, 5, WIRE_DUPLICATE, 0},
		{{9, 10}, {8, 20}, 8, 19, 5, WIRE_NEXT, 2},
		{{9, 10}, {8, 20}, 8, 22, 5, WIRE_GAP, 0},
		{{9, 10}, {12, 3}, 12, 1, 3, WIRE_DUPLICATE, 0},
		{{9, 0}, {0, 0}, 9, 1,   5, WIRE_NEXT, 0},
		{{9, UINT64_MAX - 1}, {0, 0}, 9, 0, 5, WIRE_DUPLICATE, 0},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct wire_seen seen = {row[i].now, {row[i].before}};
		struct wire_header h;
		uint32_t skip = 77;

		wire_header(&h, WIRE_EVENTS, SV("x"), row[i].boot, row[i].seq,
			    row[i].count);
		assert_int_equal(wire_order(&seen, &h, &skip), row[i].order);
		assert_int_equal(skip, row[i].skip);
	}
}

static void advance_stands_on_the_last_record(void **state)
{
	struct wire_seen m = {0};
	struct wire_header h;

	(void)state;
	wire_header(&h, WIRE_EVENTS, SV("x"), 3, 1, 5);
	wire_advance(&m, &h);
	assert_int_equal(m.now.boot, 3);
	assert_int_equal(m.now.seq, 5);
	wire_header(&h, WIRE_EVENTS, SV("x"), 3, 6, 0);
	wire_advance(&m, &h);
	assert_int_equal(m.now.seq, 5);
	wire_header(&h, WIRE_EVENTS, SV("x"), 2, 1, 0);
	wire_advance(&m, &h);
	assert_int_equal(m.now.boot, 2);
	assert_int_equal(m.now.seq, 0);
	assert_int_equal(m.before[0].boot, 3);
	assert_int_equal(m.before[0].seq, 5);
}

/* Fifteen boots before the present one are remembered, the oldest go first;
 * one that speaks again is young again. */
static void the_last_boots_are_remembered(void **state)
{
	struct wire_seen m = {0};
	struct wire_header h;
	uint32_t skip;

	(void)state;
	for (uint32_t b = 100; b > 100 - WIRE_BOOTS - 1; b--) {
		wire_header(&h, WIRE_EVENTS, SV("x"), b, 1, 7);
		assert_int_equal(wire_order(&m, &h, &skip), WIRE_NEXT);
		wire_advance(&m, &h);
	}
	wire_header(&h, WIRE_EVENTS, SV("x"), 100, 1, 7);
	assert_int_equal(wire_order(&m, &h, &skip), WIRE_DUPLICATE);
	assert_int_equal(m.now.boot, 100);
	wire_header(&h, WIRE_EVENTS, SV("x"), 5, 1, 7);
	assert_int_equal(wire_order(&m, &h, &skip), WIRE_NEXT);
	wire_advance(&m, &h);
	wire_header(&h, WIRE_EVENTS, SV("x"), 100, 1, 7);
	assert_int_equal(wire_order(&m, &h, &skip), WIRE_DUPLICATE);
	wire_header(&h, WIRE_EVENTS, SV("x"), 99, 2, 7); /* forgotten */
	assert_int_equal(wire_order(&m, &h, &skip), WIRE_GAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_those_of_the_records),
		cmocka_unit_test(header_bytes_are_golden),
		cmocka_unit_test(one_wrong_field_is_refused),
		cmocka_unit_test(every_length_too_short_is_short),
		cmocka_unit_test(credit_is_not_a_number_of_records),
		cmocka_unit_test(batches_stand_in_order),
		cmocka_unit_test(advance_stands_on_the_last_record),
		cmocka_unit_test(the_last_boots_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
