/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_ROTA_H
#define ALERTER_ROTA_H

#include "alerter/config.h"

/*
 * Who is on call at an instant.  Rotations hand over at the same local time
 * whatever the clocks do: "every 1w from 2026-01-05 17:30" is every Monday
 * 17:30 in the site's time zone, in winter and in summer.
 */

/* The person whose turn it is; NULL before the first hand-over. */
const struct person *rota_at(const struct alerter_conf *a,
			     const struct schedule *s, int64_t t_us);

/* First instant after t at which rota_at changes; INT64_MAX: never. */
int64_t rota_next(const struct alerter_conf *a, const struct schedule *s,
		  int64_t t_us);

/* Whom a step tells at t; NULL: nobody. */
const struct person *step_person(const struct alerter_conf *a,
				 const struct step *s, int64_t t_us);

/* "02:25" of the site's local time, or with date "Sat 17 Jan 02:25" when the
 * local date differs from that of now. */
void local_text(const struct alerter_conf *a, int64_t t_us, int64_t now_us,
		char *out, size_t size);

#endif
