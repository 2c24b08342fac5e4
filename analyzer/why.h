/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_WHY_H
#define ANALYZER_WHY_H

/*
 * tollwatch-analyzer why --config DIR --state DIR [--json] FINDING
 *
 * Replays the archive until the finding fires again, then recounts its
 * limit call by call, by arithmetic of its own over the calls (no rings, no
 * lazy sums), and says whether the sums agree.  FINDING: an id, or its first
 * 4 hex digits or more.  Exit 0 when it agrees, 3 when it does not, 1 when
 * there is no such finding.
 */
int why_main(int argc, char **argv);

#endif
