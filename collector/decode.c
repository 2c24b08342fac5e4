/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/calls.h"
#include "collector/cdr/reader.h"
#include "collector/retime.h"
#include "collector/source/pcap.h"
#include "common/mem.h"
#include "common/wire.h"

enum { DIALOGS_MAX = 200000, OUT_BUFFER = 1 << 20 };

enum format { FORMAT_PCAP, FORMAT_CDR, FORMAT_JSON };

struct decoder {
	const struct decode_opts *o;
	struct calls *calls;
	struct retime *retime; /* --live: the present CDR file */
	struct json json;
	struct pcap_source *pcap; /* goes on while the source is the same */
	char pcap_name[16];
	uint64_t events, files, rejected, bytes;
	struct rejects rejects;
	struct {
		struct wire_header h;
		struct event ev[WIRE_EVENTS_MAX];
	} batch;
	uint64_t seq; /* of the first event in the batch */
	uint32_t n;   /* in the batch */
};

/* One file to read: its name and the source it is part of. */
struct input {
	const char *path;
	char source[16];
	enum format format;
	const struct source_conf *conf; /* NULL ok */
};

static void flush_wire(struct decoder *d)
{
	if (d->n == 0)
		return;
	wire_header(&d->batch.h, WIRE_EVENTS, SV("decode"), 1, d->seq, d->n);
	fwrite(&d->batch, 1, sizeof(d->batch.h) + d->n * EVENT_SIZE, stdout);
	d->seq += d->n;
	d->n = 0;
}

/* Events as they come out in the end. */
static void put_event(void *arg, const struct event *ev)
{
	struct decoder *d = arg;

	d->events++;
	if (d->calls) {
		calls_add(d->calls, ev);
	} else if (d->o->wire) {
		d->batch.ev[d->n] = *ev;
		d->batch.ev[d->n].boot = 1;
		d->batch.ev[d->n].seq = d->seq + d->n;
		if (++d->n == WIRE_EVENTS_MAX)
			flush_wire(d);
	} else if (d->o->json) {
		event_json(ev, &d->json);
		json_line(&d->json, stdout);
	} else {
		event_table_line(ev, stdout);
	}
}

static const struct resolver *resolver_of(const struct input *in,
					  struct resolver *bare)
{
	if (in->conf)
		return &in->conf->resolver;
	*bare = (struct resolver){.source = in->source};
	return bare;
}

static struct hash_key key_of(const struct decoder *d)
{
	return d->o->conf ? d->o->conf->key : hash_public_key;
}

static bool decode_pcap(struct decoder *d, const struct input *in,
			struct err *e)
{
	enum pcap_source_rc rc;
	struct resolver bare;
	struct event ev;

	if (d->pcap && strcmp(d->pcap_name, in->source) != 0) {
		pcap_source_free(d->pcap);
		d->pcap = NULL;
	}
	memcpy(d->pcap_name, in->source, sizeof(d->pcap_name));
	if (!d->pcap)
		d->pcap = pcap_source_new(&(struct pcap_source_opts){
			.source = d->pcap_name,
			.key = key_of(d),
			.resolver = resolver_of(in, &bare),
			.dialogs_max = d->o->conf ? d->o->conf->dialogs_max
						  : DIALOGS_MAX,
			.max_call_us = d->o->conf ? d->o->conf->max_call_us : 0,
		});
	if (!pcap_source_open(d->pcap, in->path, e))
		return false;
	while ((rc = pcap_source_next(d->pcap, &ev, e)) == PCAP_SOURCE_EVENT)
		put_event(d, &ev);
	return rc == PCAP_SOURCE_END;
}

static FILE *open_input(const char *path, struct err *e)
{
	FILE *f;

	if (strcmp(path, "-") == 0)
		return stdin;
	f = fopen(path, "re");
	if (!f)
		err_set(e, "%s: %s", path, strerror(errno));
	return f;
}

/* The profile that a name stands for; NULL and true for Asterisk. */
static bool find_profile(const struct decode_opts *o, const char *name,
			 const struct profile **out, struct err *e)
{
	*out = NULL;
	if (strcmp(name, "asterisk") == 0)
		return true;
	if (strcmp(name, "csv") == 0) {
		*out = &profile_csv;
		return true;
	}
	for (size_t i = 0; o->conf && i < o->conf->n_profiles; i++)
		if (strcmp(o->conf->profile[i].name, name) == 0)
			*out = &o->conf->profile[i];
	return *out || err_set(e,
			       "no format '%s': pcap, asterisk, csv, jsonl or "
			       "a profile of the config",
			       name);
}

static bool cdr_opts(struct decoder *d, const struct input *in,
		     struct cdr_reader_opts *r, struct err *e)
{
	r->detect = !d->o->as && !in->conf;
	if (d->o->as)
		return find_profile(d->o, d->o->as, &r->profile, e);
	if (in->conf && in->conf->kind == SOURCE_FILE)
		r->profile = in->conf->profile;
	else
		r->detect = true;
	return true;
}

static bool read_cdr(struct decoder *d, struct cdr_reader *r, struct err *e)
{
	enum reader_rc rc;
	struct event ev;

	while ((rc = cdr_reader_next(r, &ev, e)) == READER_EVENT) {
		if (d->retime)
			retime_add(d->retime, &ev);
		else
			put_event(d, &ev);
	}
	if (d->retime)
		retime_flush(d->retime, put_event, d);
	d->bytes += cdr_reader_offset(r);
	return rc == READER_END;
}

static bool decode_cdr(struct decoder *d, const struct input *in, FILE *f,
		       struct err *e)
{
	struct cdr_clock clock = {.zone = NULL};
	struct hash_key key = key_of(d);
	struct zone *zone = NULL;
	struct resolver bare;
	struct cdr_reader *r;
	struct cdr_reader_opts o = {
		.path = in->path,
		.source = in->source,
		.key = &key,
		.resolver = resolver_of(in, &bare),
		.clock = &clock,
		.rejects = &d->rejects,
		.finite = true,
	};
	bool ok;

	if (!cdr_opts(d, in, &o, e))
		return false;
	if (in->conf && in->conf->zone)
		clock.zone = in->conf->zone;
	else if (zone_new(&zone, "Europe/London", e))
		clock.zone = zone;
	else
		return false;
	if (!cdr_reader_new(&r, f, &o, e)) {
		zone_free(zone);
		return false;
	}
	ok = read_cdr(d, r, e);
	cdr_reader_free(r);
	zone_free(zone);
	if (clock.in_utc > 0)
		fprintf(stderr,
			"%s: the ids prove %llu rows to be in UTC, not in "
			"the zone of the source\n",
			in->path, (unsigned long long)clock.in_utc);
	return ok;
}

/* JSON Lines of events, as "decode --json" writes them. */
static bool decode_json(struct decoder *d, const struct input *in, FILE *f,
			struct err *e)
{
	char *line = NULL;
	size_t size = 0;
	uint64_t number = 0;
	ssize_t n;
	bool ok = true;

	while (ok && (n = getline(&line, &size, f)) > 0) {
		struct sv text = sv_trim((struct sv){line, (size_t)n});
		struct event ev;

		number++;
		d->bytes += (uint64_t)n;
		if (text.n == 0)
			continue;
		ok = event_from_json(text, &ev, e);
		if (ok)
			put_event(d, &ev);
		else
			err_prefix(e, "%s:%llu", in->path,
				   (unsigned long long)number);
	}
	free(line);
	fclose(f);
	return ok;
}

/* By the first bytes; text is JSON Lines or CSV. */
static enum format detect(FILE *f)
{
	static const uint8_t magic[][4] = {
		{0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4},
		{0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
		{0x0a, 0x0d, 0x0d, 0x0a},
	};
	int c[4];
	uint8_t b[4] = {0};
	int n = 0;

	while (n < 4 && (c[n] = getc(f)) != EOF) {
		b[n] = (uint8_t)c[n];
		n++;
	}
	/* glibc takes back what was read within its buffer */
	for (int i = n; i > 0; i--)
		ungetc(c[i - 1], f);
	for (size_t i = 0; n == 4 && i < ARRAY_LEN(magic); i++)
		if (memcmp(b, magic[i], 4) == 0)
			return FORMAT_PCAP;
	return b[0] == '{' ? FORMAT_JSON : FORMAT_CDR;
}

static enum format format_of(const struct decode_opts *o, FILE *f)
{
	if (!o->as)
		return detect(f);
	if (strcmp(o->as, "pcap") == 0)
		return FORMAT_PCAP;
	return strcmp(o->as, "jsonl") == 0 || strcmp(o->as, "json") == 0
		       ? FORMAT_JSON
		       : FORMAT_CDR;
}

/* "SOURCE=FILE": a name of at most 15 bytes, and no file is called so. */
static bool split_source(const char *arg, struct input *in)
{
	const char *eq = strchr(arg, '=');
	size_t n = eq ? (size_t)(eq - arg) : 0;

	in->path = arg;
	if (n == 0 || n >= sizeof(in->source) || memchr(arg, '/', n) ||
	    access(arg, F_OK) == 0)
		return false;
	memcpy(in->source, arg, n);
	in->path = eq + 1;
	return true;
}

static void name_source(const struct decode_opts *o, bool named,
			struct input *in)
{
	const char *base = strrchr(in->path, '/');
	enum source_kind kind =
		in->format == FORMAT_PCAP ? SOURCE_PCAP : SOURCE_FILE;

	if (!named && o->source) {
		snprintf(in->source, sizeof(in->source), "%s", o->source);
		named = true;
	}
	if (o->conf) {
		in->conf =
			named ? collector_conf_find(o->conf, in->source, kind)
			      : NULL;
		if (!in->conf)
			in->conf = collector_conf_find(o->conf, NULL, kind);
	}
	if (named)
		return;
	base = base ? base + 1 : in->path;
	snprintf(in->source, sizeof(in->source), "%.15s",
		 in->conf ? in->conf->name : base);
}

static bool decode_file(struct decoder *d, const char *arg, struct err *e)
{
	struct input in = {.source = ""};
	bool named = split_source(arg, &in);
	FILE *f = open_input(in.path, e);

	if (!f)
		return false;
	d->files++;
	in.format = format_of(d->o, f);
	name_source(d->o, named, &in);
	if (in.format == FORMAT_PCAP) {
		if (f != stdin)
			fclose(f);
		return decode_pcap(d, &in, e);
	}
	if (in.format == FORMAT_JSON)
		return decode_json(d, &in, f, e);
	return decode_cdr(d, &in, f, e);
}

static void put_count(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_int(j, (int64_t)v);
}

static void pcap_stats(const struct decoder *d, struct json *j)
{
	struct pcap_source_stats s = pcap_source_stats(d->pcap);

	put_count(j, "frames", s.frames);
	put_count(j, "time_jumps", s.time_jumps);
	json_key(j, "packet");
	json_open(j, '{');
	for (int i = 0; i < PACKET_RCS; i++)
		put_count(j, packet_rc_name((enum packet_rc)i), s.packet[i]);
	json_close(j, '}');
	json_key(j, "sip");
	json_open(j, '{');
	for (int i = 0; i < SIP_RCS; i++)
		put_count(j, sip_rc_name((enum sip_rc)i), s.sip[i]);
	json_close(j, '}');
	json_key(j, "dialog");
	json_open(j, '{');
	for (int i = 0; i < DIALOG_RCS; i++)
		put_count(j, dialog_rc_name((enum dialog_rc)i), s.dialog.rc[i]);
	put_count(j, "setups", s.dialog.setups);
	put_count(j, "answers", s.dialog.answers);
	put_count(j, "ends", s.dialog.ends);
	put_count(j, "given_up", s.dialog.given_up);
	put_count(j, "bye_refused", s.dialog.refused);
	put_count(j, "registers", s.dialog.registers);
	put_count(j, "open", s.dialog.calls);
	json_close(j, '}');
}

static void print_stats(struct decoder *d)
{
	struct json *j = &d->json;

	json_open(j, '{');
	put_count(j, "files", d->files);
	put_count(j, "events", d->events);
	put_count(j, "bytes", d->bytes);
	if (d->calls)
		put_count(j, "calls", calls_count(d->calls));
	put_count(j, "rejected", d->rejects.total);
	json_key(j, "rejects");
	json_open(j, '{');
	for (int i = 1; i < CDR_RC_COUNT; i++)
		if (d->rejects.n[i])
			put_count(j, cdr_rc_text((enum cdr_rc)i),
				  d->rejects.n[i]);
	json_close(j, '}');
	if (d->pcap)
		pcap_stats(d, j);
	json_close(j, '}');
	json_line(j, stderr);
}

static void finish(struct decoder *d)
{
	if (d->calls)
		calls_print(d->calls, stdout, d->o->json);
	flush_wire(d);
	if (d->o->stats)
		print_stats(d);
	calls_free(d->calls);
	retime_free(d->retime);
	pcap_source_free(d->pcap);
	json_free(&d->json);
	rejects_close(&d->rejects);
	free(d);
}

bool decode(const struct decode_opts *o, struct err *e)
{
	struct decoder *d = xcalloc(1, sizeof(*d));
	bool ok;

	d->o = o;
	d->seq = 1;
	if (o->calls && !o->wire)
		d->calls = calls_new();
	if (o->live)
		d->retime = retime_new();
	setvbuf(stdout, NULL, _IOFBF, OUT_BUFFER);
	ok = rejects_open(&d->rejects, NULL, "", e);
	if (ok && !d->calls && !o->wire && !o->json)
		event_table_header(stdout);
	for (int i = 0; ok && i < o->n_files; i++)
		ok = decode_file(d, o->files[i], e);
	finish(d);
	if (fflush(stdout) != 0 && ok)
		return err_set(e, "stdout: %s", strerror(errno));
	return ok;
}
