/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch-alerter: findings in, incidents and pages out. */
#include <stdio.h>
#include <string.h>

#include "alerter/check.h"
#include "alerter/oncall.h"
#include "alerter/run.h"
#include "common/attr.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"run", run_main},
	{"check-config", check_config_main},
	{"document-config", document_config_main},
	{"oncall", oncall_main},
};

int main(int argc, char **argv)
{
	if (argc >= 2)
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			if (strcmp(argv[1], commands[i].name) == 0)
				return commands[i].main(argc - 1, argv + 1);
	fputs("usage: tollwatch-alerter "
	      "run|check-config|document-config|oncall "
	      "...\n",
	      stderr);
	return 2;
}
