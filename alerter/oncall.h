/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_ONCALL_H
#define ALERTER_ONCALL_H

/* oncall [--config DIR] [--at T] [--json]: who is on call then, until when,
 * who is next, and whom the steps of each family would tell. */
int oncall_main(int argc, char **argv);

#endif
