/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "launch/audit_chain.c"

#include "common/attr.h"
#include "common/hash.h"
#include "launch/audit_copy.c"

/*
 * Three rows of a stream "golden" as PostgreSQL 15 sealed and copied them:
 * nulls, UTF-8 outside the basic plane, control characters, empty texts,
 * times before 2000 and before 1970, the largest and a negative number.
 */
static const char site[] = "02b76c27-ba7d-4bef-b6ff-2eb172996e8a";
static const char golden[] =
	/* clang-format off */
	"5047434f50590aff0d0a000000000000000000001400000006676f6c64656e000000"
	"0800000000000000010000000800000000000001dc000000202dcaa2b7150d02007a"
	"cd69b9c96356e4088c0dc43d59160e679ed96a66794a3600000020ca7ef7ba2ea6e5"
	"5b03a42f912ca89296431b1ca46a222ce215e4d9be71c74a15000000080000000000"
	"0001dc00000006676f6c64656e00000008ffffffffffffffffffffffff000000016c"
	"0000000161000000026f6bffffffffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffff001400000006676f6c64656e00000008000000000000000200"
	"00000800000000000001dd00000020ca7ef7ba2ea6e55b03a42f912ca89296431b1c"
	"a46a222ce215e4d9be71c74a150000002090f0b9f87389eb57ed98002577e96cbc8d"
	"cbd407e563ffcda33bd20d83e6ff4f0000000800000000000001dd00000006676f6c"
	"64656e000000080002eb8aeba69b41000000047a6fc3ab00000011746f6c6c776174"
	"63685f636f6e736f6c6500000008646973636c6f7365000000026f6b000000087fff"
	"ffffffffffff00000008ffffffffffffffff000000000000000974616209616e6401"
	"7f000000067472696167650000000e63616c6c65722c2c63616c6c6565000000202d"
	"711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881000000"
	"12c2a320e282ac20e6bca2e5ad9720f09f939e001400000006676f6c64656e000000"
	"0800000000000000030000000800000000000001de0000002090f0b9f87389eb57ed"
	"98002577e96cbc8dcbd407e563ffcda33bd20d83e6ff4f00000020ef6df4c7f7d04f"
	"a0b0bf907225aae0ba9c00fd53ab84b0e11556ec5ff5b6fc6c000000080000000000"
	"0001de00000006676f6c64656e00000008fffb83f0f27b40000000000974776f0a6c"
	"696e6573000000000000000000000000ffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffff00000258c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9"
	"c3a9ffff";
/* clang-format on */

enum { ROWS = 3 };

struct copy {
	uint8_t *bytes; /* freed by close_copy */
	size_t n;
	struct sv row[ROWS][AUDIT_COLS];
};

static void cut(struct copy *c)
{
	struct sv in = {(const char *)c->bytes, c->n};
	size_t took;

	assert_int_equal(copy_header(in, &took), COPY_OK);
	for (size_t i = 0; i <= ROWS; i++) {
		struct sv end[AUDIT_COLS];

		in.p += took;
		in.n -= took;
		assert_int_equal(copy_row(in, i < ROWS ? c->row[i] : end,
					  AUDIT_COLS, &took),
				 i < ROWS ? COPY_OK : COPY_END);
	}
}

static void open_copy(struct copy *c)
{
	c->n = strlen(golden) / 2;
	c->bytes = malloc(c->n);
	assert_non_null(c->bytes);
	assert_true(hex_parse(sv_of(golden), c->bytes, c->n));
	cut(c);
}

static void close_copy(struct copy *c)
{
	free(c->bytes);
}

static enum chain_rc run(const struct copy *c, const size_t *order, size_t n,
			 const char *of)
{
	struct audit_chain a;
	enum chain_rc worst = CHAIN_OK;

	audit_chain_begin(&a, of);
	for (size_t i = 0; i < n; i++) {
		enum chain_rc rc = audit_chain_add(&a, c->row[order[i]]);

		if (worst == CHAIN_OK)
			worst = rc;
	}
	return worst;
}

static void rows_of_sql_are_sealed_alike(void **state)
{
	struct audit_chain a;
	struct copy c;

	(void)state;
	open_copy(&c);
	audit_chain_begin(&a, site);
	for (size_t i = 0; i < ROWS; i++) {
		assert_int_equal(audit_chain_add(&a, c.row[i]), CHAIN_OK);
		assert_int_equal(a.seq, i + 1);
		assert_memory_equal(a.hash, c.row[i][LINK_HASH].p, AUDIT_HASH);
	}
	assert_string_equal(a.stream, "golden");
	close_copy(&c);
}

static void orders_that_are_told(void **state)
{
	static const struct {
		size_t order[4], n;
		const char *of;
		enum chain_rc rc;
	} row[] = {
		{{0, 1, 2}, 3, site, CHAIN_OK},
		{{0, 1, 2},
		 3,
		 "12b76c27-ba7d-4bef-b6ff-2eb172996e8a",
		 CHAIN_PREV},		      /* of another site */
		{{1, 2}, 2, site, CHAIN_GAP}, /* the first is gone */
		{{0, 2}, 2, site, CHAIN_GAP},
		{{0, 2, 1}, 3, site, CHAIN_GAP},
		{{0, 1, 1}, 3, site, CHAIN_ORDER},
		{{0, 0}, 2, site, CHAIN_ORDER},
		{{0, 1}, 2, site, CHAIN_OK}, /* the tail: for a checkpoint */
	};
	struct copy c;

	(void)state;
	open_copy(&c);
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		assert_int_equal(run(&c, row[i].order, row[i].n, row[i].of),
				 row[i].rc);
	close_copy(&c);
}

/* Every bit of every column of every row. */
static void every_bit_counts(void **state)
{
	static const size_t order[] = {0, 1, 2};
	struct copy c;

	(void)state;
	open_copy(&c);
	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < AUDIT_COLS; k++)
			for (size_t bit = 0; bit < 8 * c.row[i][k].n; bit++) {
				uint8_t *b =
					(uint8_t *)(uintptr_t)c.row[i][k].p +
					bit / 8;

				*b = (uint8_t)(*b ^ (1 << bit % 8));
				if (run(&c, order, ROWS, site) == CHAIN_OK)
					fail_msg("row %zu column %zu bit %zu",
						 i, k, bit);
				*b = (uint8_t)(*b ^ (1 << bit % 8));
			}
	assert_int_equal(run(&c, order, ROWS, site), CHAIN_OK);
	close_copy(&c);
}

/* Null for a value, empty for null, a byte less. */
static void every_length_counts(void **state)
{
	static const size_t order[] = {0, 1, 2};
	struct copy c;

	(void)state;
	open_copy(&c);
	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < AUDIT_COLS; k++) {
			struct sv was = c.row[i][k];

			c.row[i][k] = was.p ? (struct sv){NULL, 0} : SV("");
			assert_int_not_equal(run(&c, order, ROWS, site),
					     CHAIN_OK);
			if (was.n > 0) {
				c.row[i][k] = (struct sv){was.p, was.n - 1};
				assert_int_not_equal(run(&c, order, ROWS, site),
						     CHAIN_OK);
			}
			c.row[i][k] = was;
		}
	close_copy(&c);
}

static void what_is_without_the_other(void **state)
{
	struct audit_chain a;
	struct copy c;

	(void)state;
	open_copy(&c);
	audit_chain_begin(&a, site);
	for (int k = LINK_STREAM; k <= LINK_HASH; k++)
		c.row[1][k] = (struct sv){NULL, 0};
	for (int k = EVENT_ID; k < AUDIT_COLS; k++)
		c.row[2][k] = (struct sv){NULL, 0};
	assert_int_equal(audit_chain_add(&a, c.row[0]), CHAIN_OK);
	assert_int_equal(audit_chain_add(&a, c.row[1]), CHAIN_NO_LINK);
	assert_int_equal(audit_chain_add(&a, c.row[2]), CHAIN_NO_EVENT);
	close_copy(&c);
}

/* A copy that is cut anywhere asks for more, and never reads beyond. */
static void copies_come_in_pieces(void **state)
{
	struct sv col[AUDIT_COLS];
	struct copy c;
	size_t took, head;

	(void)state;
	open_copy(&c);
	assert_int_equal(copy_header((struct sv){(char *)c.bytes, c.n}, &head),
			 COPY_OK);
	for (size_t n = 0; n < head; n++) {
		char *exact = malloc(n + 1);

		memcpy(exact, c.bytes, n);
		assert_int_equal(copy_header((struct sv){exact, n}, &took),
				 COPY_MORE);
		free(exact);
	}
	for (size_t n = 0;; n++) {
		char *exact = malloc(n + 1);
		enum copy_rc rc;

		memcpy(exact, c.bytes + head, n);
		rc = copy_row((struct sv){exact, n}, col, AUDIT_COLS, &took);
		free(exact);
		if (rc == COPY_OK)
			break;
		assert_int_equal(rc, COPY_MORE);
	}
	assert_int_equal(copy_row(SV("\0\3"), col, AUDIT_COLS, &took),
			 COPY_BAD_COLUMNS);
	assert_int_equal(copy_row(SV("\0\1\x7f\0\0\0"), col, 1, &took),
			 COPY_BAD_LENGTH);
	assert_int_equal(copy_header(SV("PGCOPX"), &took), COPY_BAD_START);
	close_copy(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_sql_are_sealed_alike),
		cmocka_unit_test(orders_that_are_told),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(every_length_counts),
		cmocka_unit_test(what_is_without_the_other),
		cmocka_unit_test(copies_come_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
