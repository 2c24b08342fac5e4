/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/roster.h"

#include "common/clock.h"

static void contact_json(const struct contact *c, struct json *j)
{
	json_open(j, '{');
	json_key(j, "channel");
	json_str(j, sv_of(channel_name(c->channel)));
	json_key(j, "target");
	json_str(j, sv_of(c->target));
	json_key(j, "after_s");
	json_int(j, c->after_us / SEC_US);
	json_close(j, '}');
}

static void person_json(const struct person *p, struct json *j)
{
	json_open(j, '{');
	json_key(j, "id");
	json_str(j, sv_of(p->id));
	json_key(j, "name");
	json_str(j, sv_of(p->name));
	json_key(j, "login");
	json_str_or_null(j, sv_of(p->login));
	json_key(j, "contacts");
	json_open(j, '[');
	for (size_t k = 0; k < p->n_contacts; k++)
		contact_json(&p->contact[k], j);
	json_close(j, ']');
	json_close(j, '}');
}

void roster_json(const struct alerter_conf *a, struct json *j)
{
	json_open(j, '[');
	for (size_t i = 0; i < a->n_people; i++)
		person_json(&a->person[i], j);
	json_close(j, ']');
}
