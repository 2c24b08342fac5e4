/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch-analyzer: events in, findings and exposure out. */
#include <stdio.h>
#include <string.h>

#include "analyzer/backtest.h"
#include "analyzer/check.h"
#include "analyzer/explain.h"
#include "analyzer/run.h"
#include "analyzer/why.h"
#include "common/attr.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"run", run_main},
	{"backtest", backtest_main},
	{"check-config", check_config_main},
	{"document-config", document_config_main},
	{"explain", explain_main},
	{"why", why_main},
};

int main(int argc, char **argv)
{
	if (argc >= 2)
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			if (strcmp(argv[1], commands[i].name) == 0)
				return commands[i].main(argc - 1, argv + 1);
	fputs("usage: tollwatch-analyzer run|backtest|check-config|explain|"
	      "why ...\n",
	      stderr);
	return 2;
}
