/* result.c - foldbench's JSON Lines into a boot and its runs. */
#include "server/result.h"

#include "lib/case.h"
#include "lib/conf.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/zst.h"
#include "server/run_line.h"
#include "server/samples.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (8u << 20)
#define RUN_MAX        999
#define WINDOWS_MAX    1000 /* in a sample (docs/foldbench-format.md) */

/* One case of the plan, and which of its runs came. */
struct planned {
	const char *text;
	int64_t runs, iterations, warmup;
	bool *came;
};

/* A `run` line, decoded; what it points to is the tree's. */
struct line {
	const char *type, *case_text, *metric, *unit, *better, *why;
	int64_t run, warmup, batch, windows, empty_window;
	int state;
	json_t *samples, *evidence;
};

struct reading {
	struct pool *p;
	const struct result_want *want;
	struct boot *b;
	struct planned *plan;
	size_t cases;
	int64_t line;
	struct zst_packer *packer;
	struct run_line cut; /* of the line being read */
	/* The last line that was parsed: most differ only in what was cut. */
	json_t *last;
	const char *last_rest;
	size_t last_len;
	struct line last_in;
	json_t *guest; /* what `begin` says of the conditions */
};

/* Fields that are not ours to know (a newer foldbench) are no errors here. */
static void drop_unknown(json_t *o, const struct json_field *fields)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe (o, next, key, value) {
		const struct json_field *f = fields;

		while (f->name && strcmp(f->name, key) != 0)
			f++;
		if (!f->name)
			json_object_del(o, key);
	}
}

/* ---- the end line */

struct end {
	const char *type, *crc32;
	int64_t runs, taint, bytes;
};

static const struct json_field end_fields[] = {
        {"type", JSON_STR, offsetof(struct end, type), JSON_MUST, 1, 16, NULL},
        {"runs", JSON_INT, offsetof(struct end, runs), JSON_MUST, 0, 1000000, NULL},
        {"taint", JSON_INT, offsetof(struct end, taint), 0, -1, INT64_MAX, NULL},
        {"bytes", JSON_INT, offsetof(struct end, bytes), JSON_MUST, 0, INT64_MAX, NULL},
        {"crc32", JSON_STR, offsetof(struct end, crc32), JSON_MUST, 8, 8, NULL},
        {0},
};

/* Where the last line begins; `len` when the text does not end in a newline. */
static size_t last_line(const char *text, size_t len)
{
	size_t at;

	if (!len || text[len - 1] != '\n')
		return len;
	for (at = len - 1; at > 0 && text[at - 1] != '\n'; at--)
		;
	return at;
}

static const char *check_end(struct pool *p, const char *text, size_t len, size_t *body,
                             struct end *end)
{
	json_t *o = NULL;
	struct why w;
	char crc[16];
	const char *torn = NULL;

	*body = last_line(text, len);
	if (*body == len || json_parse(text + *body, len - *body - 1, 4096, &o, &w) != OK ||
	    !json_is_object(o) || !str_eq(json_str(o, "type", NULL), "end")) {
		torn = "the result has no end line: it is torn";
	} else {
		drop_unknown(o, end_fields);
		if (json_decode(o, "end", end_fields, end, &w) != OK)
			torn = pool_fmt(p, "the result's end line cannot be read: %s", w.text);
	}
	if (!torn) {
		snprintf(crc, sizeof(crc), "%08x", crc32_add(0, text, *body));
		if (end->bytes != (int64_t)*body)
			torn = pool_fmt(p, "the result is torn: %zu bytes came, its end says %lld",
			                *body, (long long)end->bytes);
		else if (strcmp(crc, end->crc32) != 0)
			torn = pool_fmt(p, "the result is torn: its CRC is %s, its end says %s",
			                crc, end->crc32);
	}
	json_decref(o);
	return torn;
}

/* ---- the plan */

/* The server wrote the plan itself: what cannot be read is a bug. */
static void read_plan(struct reading *r, const char *plan)
{
	char *copy = xstrdup(plan), *save = NULL, *line;

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct planned *c;
		char *word, *more = NULL;

		if (line[0] == '#')
			continue;
		c = pool_push(r->p, (void **)&r->plan, &r->cases, sizeof(*c));
		c->text = pool_str(r->p, strtok_r(line, " ", &more));
		c->runs = 1;
		c->iterations = 5;
		c->warmup = 1;
		while ((word = strtok_r(NULL, " ", &more))) {
			char *value = strchr(word, '=');
			int64_t n;

			if (!value || int_parse(value + 1, 0, 1000000, &n, NULL) != OK)
				err_bug("plan: \"%s\"", word);
			if (str_starts(word, "runs="))
				c->runs = n;
			else if (str_starts(word, "iterations="))
				c->iterations = n;
			else if (str_starts(word, "warmup="))
				c->warmup = n;
		}
		c->came = pool_alloc(r->p, (size_t)c->runs * sizeof(*c->came));
	}
	free(copy);
}

static struct planned *planned_case(struct reading *r, const char *text, int64_t *hint)
{
	size_t i;

	/* Runs come in the plan's order: look where the last one was. */
	for (i = 0; i < r->cases; i++) {
		size_t at = ((size_t)*hint + i) % r->cases;

		if (strcmp(r->plan[at].text, text) == 0) {
			*hint = (int64_t)at;
			return &r->plan[at];
		}
	}
	return NULL;
}

/* ---- begin */

struct begin {
	const char *type, *nonce, *bench, *build_id, *boot_id, *release, *version, *machine,
	        *metric, *cmdline;
	int64_t format, page_size, block_size, phase_pages, taint;
	json_t *env;
};

static const struct json_field begin_fields[] = {
        {"type", JSON_STR, offsetof(struct begin, type), JSON_MUST, 1, 16, NULL},
        {"format", JSON_INT, offsetof(struct begin, format), JSON_MUST, 1, 1, NULL},
        {"nonce", JSON_STR, offsetof(struct begin, nonce), JSON_NULLOK, 0, 64, NULL},
        {"bench", JSON_STR, offsetof(struct begin, bench), JSON_NULLOK, 0, 128, NULL},
        {"build_id", JSON_STR, offsetof(struct begin, build_id), JSON_NULLOK, 0, 128, NULL},
        {"boot_id", JSON_STR, offsetof(struct begin, boot_id), JSON_NULLOK, 0, 128, NULL},
        {"release", JSON_STR, offsetof(struct begin, release), JSON_NULLOK, 0, 256, NULL},
        {"version", JSON_STR, offsetof(struct begin, version), JSON_NULLOK, 0, 256, NULL},
        {"machine", JSON_STR, offsetof(struct begin, machine), JSON_NULLOK, 0, 64, NULL},
        {"metric", JSON_STR, offsetof(struct begin, metric), JSON_MUST, 1, 64, NULL},
        {"page_size", JSON_INT, offsetof(struct begin, page_size), JSON_NULLOK, 0, 1 << 20, NULL},
        {"block_size", JSON_INT, offsetof(struct begin, block_size), JSON_NULLOK, 0, 1 << 30, NULL},
        {"phase_pages", JSON_INT, offsetof(struct begin, phase_pages), JSON_NULLOK, -1, 1 << 30,
         NULL},
        {"taint", JSON_INT, offsetof(struct begin, taint), JSON_NULLOK, -1, INT64_MAX, NULL},
        {"cmdline", JSON_STR, offsetof(struct begin, cmdline), JSON_NULLOK, 0, 16384, NULL},
        {"env", JSON_OBJ, offsetof(struct begin, env), JSON_NULLOK, 0, 0, NULL},
        {0},
};

static bool among(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static enum err read_begin(struct reading *r, json_t *o, struct result_head *head, struct why *w)
{
	struct begin in = {.taint = NONE};
	const struct result_want *want = r->want;
	struct boot *b = r->b;
	enum err e;

	if (!str_eq(json_str(o, "type", NULL), "begin"))
		return err_set(w, ERR_UNPROCESSABLE, "type: expected \"begin\" in the first line");
	drop_unknown(o, begin_fields);
	e = json_decode(o, "", begin_fields, &in, w);
	if (e != OK)
		return ERR_UNPROCESSABLE;
	if (want->nonce && !str_eq(in.nonce, want->nonce))
		return err_set(w, ERR_UNPROCESSABLE, "nonce: expected \"%s\", got \"%s\"",
		               want->nonce, in.nonce ? in.nonce : "");
	if (want->build_ids && want->build_ids[0] &&
	    (!in.build_id || !in.build_id[0] || !among(want->build_ids, in.build_id)))
		return err_set(w, ERR_UNPROCESSABLE,
		               "build_id: expected one of \"%s\", got \"%s\": another kernel ran",
		               want->build_ids, in.build_id ? in.build_id : "");
	if (want->metric && !str_eq(in.metric, want->metric))
		return err_set(w, ERR_UNPROCESSABLE, "metric: expected \"%s\", got \"%s\"",
		               want->metric, in.metric);
	b->nonce = pool_str(r->p, in.nonce);
	b->build_id = pool_str(r->p, in.build_id);
	b->boot_uuid = pool_str(r->p, in.boot_id);
	b->bench = pool_str(r->p, in.bench);
	b->metric = pool_str(r->p, in.metric);
	if (in.taint != NONE && b->taint_before == NONE)
		b->taint_before = in.taint;
	if (head) {
		head->release = pool_str(r->p, in.release);
		head->version = pool_str(r->p, in.version);
		head->machine = pool_str(r->p, in.machine);
	}
	json_put_str(r->guest, "machine", in.machine);
	json_put_str(r->guest, "release", in.release);
	json_put_int(r->guest, "page_size", in.page_size);
	json_put_int(r->guest, "block_size", in.block_size);
	json_put_str(r->guest, "cmdline", in.cmdline);
	json_put(r->guest, "env", json_incref(in.env));
	return OK;
}

/* ---- runs */

static const char *const states[] = {"valid", "skip", "invalid", NULL};
enum { STATE_VALID, STATE_SKIP, STATE_INVALID };

static const struct json_field run_fields[] = {
        {"type", JSON_STR, offsetof(struct line, type), JSON_MUST, 1, 16, NULL},
        {"case", JSON_STR, offsetof(struct line, case_text), JSON_MUST, 1, CASE_TEXT - 1, NULL},
        {"run", JSON_INT, offsetof(struct line, run), JSON_MUST, 0, RUN_MAX, NULL},
        {"state", JSON_WORD, offsetof(struct line, state), JSON_MUST, 0, 0, states},
        {"why", JSON_STR, offsetof(struct line, why), JSON_NULLOK, 0, 4096, NULL},
        {"metric", JSON_STR, offsetof(struct line, metric), JSON_NULLOK, 1, 64, NULL},
        {"unit", JSON_STR, offsetof(struct line, unit), JSON_NULLOK, 1, 64, NULL},
        {"better", JSON_STR, offsetof(struct line, better), JSON_NULLOK, 1, 16, NULL},
        {"warmup", JSON_INT, offsetof(struct line, warmup), JSON_NULLOK, 0, 1000, NULL},
        {"batch", JSON_INT, offsetof(struct line, batch), JSON_NULLOK, 0, INT64_MAX, NULL},
        {"windows", JSON_INT, offsetof(struct line, windows), JSON_NULLOK, 1, WINDOWS_MAX, NULL},
        {"empty_window", JSON_INT, offsetof(struct line, empty_window), JSON_NULLOK, INT64_MIN + 1,
         INT64_MAX, NULL},
        {"samples", JSON_ARR, offsetof(struct line, samples), JSON_NULLOK, 0, SAMPLES_MAX, NULL},
        {"evidence", JSON_OBJ, offsetof(struct line, evidence), JSON_NULLOK, 0, 0, NULL},
        {0},
};

static bool top_has(const json_t *o, const char *key, json_type type)
{
	const json_t *v = json_object_get(o, key);

	return v && json_typeof(v) == type;
}

/* What was taken may have stood inside something: then it is not ours. */
static bool all_at_top(const struct run_line *c, const json_t *o)
{
	return (!c->has_samples || top_has(o, "samples", JSON_ARRAY)) &&
	       (!c->evidence || top_has(o, "evidence", JSON_OBJECT)) &&
	       (!c->case_text || top_has(o, "case", JSON_STRING)) &&
	       (!c->has_run || top_has(o, "run", JSON_INTEGER));
}

static enum err parse_line(struct reading *r, const char *line, size_t len, json_t **out,
                           struct why *w)
{
	struct run_line *c = &r->cut;
	enum err e;

	e = json_parse(c->rest, c->rest_len, LINE_MAX_BYTES, out, w);
	if (c->rest == line)
		return e;
	if (e == OK && all_at_top(c, *out)) {
		if (c->case_text)
			json_put_str(*out, "case", c->case_text);
		if (c->has_run)
			json_put_int(*out, "run", c->run);
		return OK;
	}
	json_decref(*out);
	c->has_samples = c->has_run = false;
	c->evidence = c->case_text = NULL;
	c->rest = line;
	return json_parse(line, len, LINE_MAX_BYTES, out, w);
}

static size_t sample_count(const struct reading *r, const struct line *in)
{
	return r->cut.has_samples ? r->cut.samples : json_array_size(in->samples);
}

static enum err read_samples(struct reading *r, const struct line *in, struct run_row *row,
                             struct why *w)
{
	size_t i, n = sample_count(r, in);
	int64_t *v = r->cut.sample, *own = NULL;
	enum err e = OK;

	if (!r->cut.has_samples)
		v = own = xcalloc(n ? n : 1, sizeof(*v));
	for (i = 0; e == OK && own && i < n; i++) {
		const json_t *x = json_array_get(in->samples, i);

		if (!json_is_integer(x) || json_integer_value(x) < 0)
			e = err_set(w, ERR_UNPROCESSABLE,
			            "samples[%zu]: expected a whole number from 0", i);
		own[i] = json_integer_value(x);
	}
	if (e == OK)
		e = samples_pack(r->packer, r->p, v, n, &row->samples, &row->samples_len, w);
	if (e == OK) {
		row->count = (int64_t)n;
		samples_number(v, n, (size_t)in->warmup, row);
	}
	free(own);
	return e;
}

static enum err check_valid(struct reading *r, const struct line *in, const struct planned *c,
                            struct why *w)
{
	size_t n = sample_count(r, in);
	struct boot *b = r->b;

	if (!in->samples)
		return err_set(w, ERR_UNPROCESSABLE, "samples: missing in a valid run");
	if (!str_eq(in->metric, b->metric))
		return err_set(w, ERR_UNPROCESSABLE, "metric: expected \"%s\", got \"%s\"",
		               b->metric, in->metric ? in->metric : "");
	if (c && in->warmup != c->warmup)
		return err_set(w, ERR_UNPROCESSABLE, "warmup: expected %lld as planned, got %lld",
		               (long long)c->warmup, (long long)in->warmup);
	if (c && (int64_t)n != c->warmup + c->iterations)
		return err_set(w, ERR_UNPROCESSABLE, "samples: expected %lld as planned, got %zu",
		               (long long)c->warmup + (long long)c->iterations, n);
	if ((int64_t)n <= in->warmup)
		return err_set(w, ERR_UNPROCESSABLE,
		               "samples: expected more than the %lld of the warm-up, got %zu",
		               (long long)in->warmup, n);
	if (in->better && !str_eq(in->better, "less") && !str_eq(in->better, "more"))
		return err_set(w, ERR_UNPROCESSABLE,
		               "better: expected \"less\" or \"more\", got \"%s\"", in->better);
	if ((b->unit && in->unit && !str_eq(b->unit, in->unit)) ||
	    (b->better && in->better && !str_eq(b->better, in->better)))
		return err_set(w, ERR_UNPROCESSABLE,
		               "unit: the runs of one boot differ in unit or in what is better");
	if (in->unit && !b->unit)
		b->unit = pool_str(r->p, in->unit);
	if (in->better && !b->better)
		b->better = pool_str(r->p, in->better);
	return OK;
}

static enum err check_case(struct reading *r, const struct line *in, int64_t *hint,
                           struct planned **c, struct why *w)
{
	struct bench_case parsed;
	char text[CASE_TEXT], err[400];
	size_t i;

	*c = NULL;
	if (r->want->plan) {
		*c = planned_case(r, in->case_text, hint);
		if (!*c)
			return err_set(w, ERR_UNPROCESSABLE, "case: \"%s\" is not in the plan",
			               in->case_text);
		if (in->run >= (*c)->runs)
			return err_set(w, ERR_UNPROCESSABLE,
			               "run: %lld of \"%s\" is not in the plan", (long long)in->run,
			               in->case_text);
		if ((*c)->came[in->run])
			return err_set(w, ERR_UNPROCESSABLE,
			               "run: %lld of \"%s\" stands there twice", (long long)in->run,
			               in->case_text);
		(*c)->came[in->run] = true;
		return OK;
	}
	if (case_parse(in->case_text, &parsed, err, sizeof(err)) != 0)
		return err_set(w, ERR_UNPROCESSABLE, "case: %s", err);
	case_format(&parsed, text, sizeof(text));
	if (strcmp(text, in->case_text) != 0)
		return err_set(w, ERR_UNPROCESSABLE, "case: expected its canonical form \"%s\"",
		               text);
	for (i = 0; i < r->b->runs.count; i++)
		if (r->b->runs.at[i].number == in->run &&
		    strcmp(r->b->runs.at[i].case_text, text) == 0)
			return err_set(w, ERR_UNPROCESSABLE,
			               "run: %lld of \"%s\" stands there twice", (long long)in->run,
			               text);
	return OK;
}

static enum err decode_run(json_t *o, struct line *in, struct why *w)
{
	*in = (struct line){.batch = NONE, .windows = 1, .empty_window = NONE};
	if (!str_eq(json_str(o, "type", NULL), "run"))
		return err_set(w, ERR_UNPROCESSABLE, "type: expected \"run\"");
	drop_unknown(o, run_fields);
	return json_decode(o, "", run_fields, in, w) == OK ? OK : ERR_UNPROCESSABLE;
}

/* What is left of this line is what was left of the last. */
static bool is_like_last(const struct reading *r)
{
	const struct run_line *c = &r->cut;

	return r->last && c->case_text && c->has_run && c->run <= RUN_MAX &&
	       c->rest_len == r->last_len && memcmp(c->rest, r->last_rest, c->rest_len) == 0;
}

static void keep_last(struct reading *r, json_t *o, const struct line *in)
{
	json_decref(r->last);
	r->last = r->cut.case_text && r->cut.has_run ? json_incref(o) : NULL;
	r->last_rest = r->cut.rest;
	r->last_len = r->cut.rest_len;
	r->last_in = *in;
}

static enum err take_run(struct reading *r, const struct line *given, int64_t *hint, struct why *w)
{
	struct line in = *given;
	struct planned *c;
	struct run_row *row;
	char *evidence;
	enum err e;

	e = check_case(r, &in, hint, &c, w);
	if (e == OK && in.state == STATE_VALID)
		e = check_valid(r, &in, c, w);
	if (e == OK && in.state != STATE_VALID && (!in.why || !in.why[0]))
		e = err_set(w, ERR_UNPROCESSABLE, "why: missing in a run that is %s",
		            states[in.state]);
	if (e == OK && in.state != STATE_VALID && sample_count(r, &in))
		e = err_set(w, ERR_UNPROCESSABLE, "samples: a run that is %s has none",
		            states[in.state]);
	if (e != OK)
		return e;
	row = pool_push(r->p, (void **)&r->b->runs.at, &r->b->runs.count, sizeof(*row));
	row->case_text = c ? c->text : pool_str(r->p, in.case_text);
	row->number = in.run;
	row->state = states[in.state];
	row->why = in.state == STATE_VALID ? NULL : pool_str(r->p, in.why);
	row->warmup = in.warmup;
	row->batch = in.batch;
	row->windows = in.windows;
	row->empty_window = in.empty_window;
	if (r->cut.evidence) {
		row->evidence = r->cut.evidence;
	} else if (in.evidence) {
		evidence = json_text(in.evidence);
		row->evidence = pool_str(r->p, evidence);
		free(evidence);
	}
	return in.state == STATE_VALID ? read_samples(r, &in, row, w) : OK;
}

static enum err all_came(const struct reading *r, const struct end *end, struct why *w)
{
	size_t i;
	int64_t run;

	if (end->runs != (int64_t)r->b->runs.count)
		return err_set(w, ERR_UNPROCESSABLE, "runs: %zu came, the end says %lld",
		               r->b->runs.count, (long long)end->runs);
	for (i = 0; i < r->cases; i++)
		for (run = 0; run < r->plan[i].runs; run++)
			if (!r->plan[i].came[run])
				return err_set(w, ERR_UNPROCESSABLE,
				               "runs: run %lld of \"%s\" is missing",
				               (long long)run, r->plan[i].text);
	return OK;
}

static enum err read_line(struct reading *r, const char *line, size_t len, struct result_head *head,
                          int64_t *hint, struct why *w)
{
	json_t *o = NULL;
	struct line in;
	enum err e;

	run_line_cut(r->p, line, len, &r->cut);
	if (r->line > 1 && is_like_last(r)) {
		in = r->last_in;
		in.case_text = r->cut.case_text;
		in.run = r->cut.run;
		return take_run(r, &in, hint, w);
	}
	e = parse_line(r, line, len, &o, w);
	if (e == OK && !json_is_object(o))
		e = err_set(w, ERR_UNPROCESSABLE, "expected an object");
	if (e == OK && r->line == 1) {
		e = read_begin(r, o, head, w);
	} else if (e == OK) {
		e = decode_run(o, &in, w);
		if (e == OK)
			keep_last(r, o, &in);
		if (e == OK)
			e = take_run(r, &in, hint, w);
	}
	json_decref(o);
	return e;
}

/* ---- the whole */

enum err result_read(struct pool *p, const char *text, size_t len, const struct result_want *want,
                     struct boot *b, struct result_head *head, const char **torn, struct why *w)
{
	struct reading r = {.p = p, .want = want, .b = b, .guest = json_object()};
	struct end end = {.taint = NONE};
	size_t at = 0, body = 0;
	int64_t hint = 0;
	enum err e = OK;

	*torn = check_end(p, text, len, &body, &end);
	if (*torn)
		goto out;
	if (want->plan)
		read_plan(&r, want->plan);
	r.packer = samples_packer();
	while (e == OK && at < body) {
		const char *nl = memchr(text + at, '\n', body - at);
		size_t n = nl ? (size_t)(nl - (text + at)) : body - at;

		r.line++;
		e = read_line(&r, text + at, n, head, &hint, w);
		at += n + 1;
	}
	if (e == OK && r.line == 0)
		e = err_set(w, ERR_UNPROCESSABLE, "the begin line is missing");
	if (e != OK) {
		err_at(w, e, "result:%lld", (long long)(r.line ? r.line : 1));
		e = ERR_UNPROCESSABLE;
		goto out;
	}
	e = all_came(&r, &end, w);
	if (e != OK)
		err_at(w, e, "result:%lld", (long long)r.line + 1);
	if (end.taint != NONE && b->taint_after == NONE)
		b->taint_after = end.taint;
	if (e == OK) {
		char *guest = json_canonical(r.guest);

		b->env = pool_str(p, guest);
		free(guest);
	}
out:
	zst_packer_free(r.packer);
	free(r.cut.sample);
	json_decref(r.last);
	json_decref(r.guest);
	return e;
}
