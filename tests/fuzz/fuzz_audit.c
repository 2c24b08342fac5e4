/* SPDX-License-Identifier: Apache-2.0 */
/* folder: launch */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launch/audit_chain.h"
#include "launch/audit_copy.h"
#include "launch/checkpoint.h"
#include "launch/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken for a checkpoint is what would be written for it. */
static void checkpoint(struct sv in)
{
	struct checkpoint c;
	char text[CHECKPOINT_TEXT];
	struct err e;

	if (!checkpoint_parse(&c, in, &e))
		return;
	assert(checkpoint_text(&c, text) == in.n);
	assert(memcmp(text, in.p, in.n) == 0);
	assert(!checkpoint_follows(&c, c.previous, &c, &e));
}

/* Nobody guesses a signature. */
static void signature(struct sv in)
{
	static const struct minisign_public key = {.key = {1}};
	char comment[MINISIGN_COMMENT];
	struct err e;

	assert(!minisign_verify(&key, SV("text"), in, comment, &e));
}

/* Columns stay inside their row, and a row inside its bytes. */
static void rows(struct sv in)
{
	struct sv col[AUDIT_COLS];
	struct audit_chain chain;
	size_t took = 0;

	audit_chain_begin(&chain, "02b76c27-ba7d-4bef-b6ff-2eb172996e8a");
	if (copy_header(in, &took) != COPY_OK)
		return;
	do {
		assert(took <= in.n);
		in = (struct sv){in.p + took, in.n - took};
		if (copy_row(in, col, AUDIT_COLS, &took) != COPY_OK)
			return;
		for (int i = 0; i < AUDIT_COLS; i++)
			assert(!col[i].p ||
			       (col[i].p >= in.p &&
				col[i].p + col[i].n <= in.p + took));
		(void)audit_chain_add(&chain, col);
		assert(!*chain.stream || audit_is_stream(sv_of(chain.stream)));
	} while (true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = {(const char *)data, size};

	checkpoint(in);
	signature(in);
	rows(in);
	return 0;
}
