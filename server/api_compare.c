/* api_compare.c - comparisons: as JSON as they were stored, or rendered. */
#include "server/api_util.h"
#include "server/verdict.h"

#include "lib/report/report.h"

#include <string.h>

#define TEXT_MAX (16u << 20)

enum format { FORMAT_JSON, FORMAT_CSV, FORMAT_MARKDOWN, FORMAT_TEXT };

static const struct {
	const char *word, *type, *sent;
} formats[] = {
        [FORMAT_JSON] = {"json", "application/json", "application/json"},
        [FORMAT_CSV] = {"csv", "text/csv", "text/csv; charset=utf-8"},
        [FORMAT_MARKDOWN] = {"markdown", "text/markdown", "text/markdown; charset=utf-8"},
        [FORMAT_TEXT] = {"text", "text/plain", "text/plain; charset=utf-8"},
};

/* ?format=, or the first type of Accept that we have, or JSON. */
static enum err choose_format(const struct http_req *req, enum format *out, struct why *w)
{
	const char *word = http_query(req, "format"), *accept, *at, *first = NULL;
	size_t i;

	*out = FORMAT_JSON;
	for (i = 0; word && i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].word, word) == 0) {
			*out = (enum format)i;
			return OK;
		}
	if (word)
		return err_set(w, ERR_INPUT,
		               "format: expected json, csv, markdown or text, got \"%s\"", word);
	accept = http_header(req, "Accept");
	for (i = 0; accept && i < ARRAY_SIZE(formats); i++) {
		at = strstr(accept, formats[i].type);
		if (at && (!first || at < first)) {
			first = at;
			*out = (enum format)i;
		}
	}
	return OK;
}

/* `view` NULL: as it is stored. */
static enum err stored_json(struct http_req *req, int64_t id, const struct verdict_view *view,
                            struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct judged v;
	bool found = false;
	char *text;
	enum err e;

	r->type = formats[FORMAT_JSON].sent;
	buf_init(&r->body, TEXT_MAX);
	e = view ? OK : store_cmp_body(db, id, &r->body, &found, w);
	if (e == OK && !found) {
		e = view ? verdict_compute_view(db, id, view, &v, w)
		         : verdict_compute(db, id, &v, w);
		if (e == OK) {
			text = compare_json(v.cmp);
			buf_adds(&r->body, text);
			free(text);
		}
		verdict_release(&v);
	}
	if (e == OK && r->body.full)
		e = err_set(w, ERR_TOO_LARGE, "the comparison is larger than %u bytes", TEXT_MAX);
	return e;
}

/* The comparison to be rendered; cmp_free() it. */
static enum err load(struct db *db, int64_t id, const struct verdict_view *view, struct cmp **out,
                     struct why *w)
{
	struct judged v;
	enum err e;

	if (!view)
		return verdict_load(db, id, out, w);
	e = verdict_compute_view(db, id, view, &v, w);
	*out = v.cmp;
	v.cmp = NULL;
	verdict_release(&v);
	return e;
}

static enum err rendered(struct http_req *req, int64_t id, const struct verdict_view *view,
                         enum format format, enum report_table table, struct http_resp *r,
                         struct why *w)
{
	struct report_opts opts = {0};
	const char *url = req->srv->conf.public_url;
	char *address = url ? xasprintf("%s/#/submission/%lld", url, (long long)id) : NULL;
	struct cmp *c;
	enum err e = load(db_reader(req->srv->store), id, view, &c, w);

	opts.address = address;
	if (e == OK) {
		buf_init(&r->body, TEXT_MAX);
		r->type = formats[format].sent;
		if (format == FORMAT_CSV)
			report_csv(c, &r->body);
		else if (format == FORMAT_MARKDOWN)
			report_markdown(c, table, &opts, &r->body);
		else
			report_text(c, table, &opts, &r->body);
		if (r->body.full)
			e = err_set(w, ERR_TOO_LARGE, "the tables are larger than %u bytes",
			            TEXT_MAX);
	}
	cmp_free(c);
	free(address);
	return e;
}

static enum err read_view(struct http_req *req, struct verdict_view *view, struct why *w)
{
	const char *across = http_query(req, "across"), *against = http_query(req, "against");

	if (across && !str_eq(across, "true") && !str_eq(across, "false"))
		return err_set(w, ERR_INPUT, "across: expected true or false, got \"%s\"", across);
	if (against && !str_eq(against, "baseline") && !str_eq(against, "previous"))
		return err_set(w, ERR_INPUT, "against: expected baseline or previous, got \"%s\"",
		               against);
	view->across = str_eq(across, "true");
	view->previous = str_eq(against, "previous");
	return OK;
}

enum err comparison_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	const char *word = http_query(req, "table");
	struct verdict_view asked = {0}, *view = NULL;
	enum report_table table = REPORT_ALL;
	enum format format;
	int64_t id;
	enum err e = choose_format(req, &format, w);

	if (e == OK && word && !report_table_parse(word, &table))
		e = err_set(w, ERR_INPUT,
		            "table: expected all, reply, commit, cover or summary, got \"%s\"",
		            word);
	if (e == OK)
		e = read_view(req, &asked, w);
	if (asked.across || asked.previous)
		view = &asked;
	if (e == OK)
		e = api_submission_id(req, &id, w);
	if (e == OK)
		e = db_snapshot(db, w);
	if (e != OK)
		return e;
	e = format == FORMAT_JSON ? stored_json(req, id, view, r, w)
	                          : rendered(req, id, view, format, table, r, w);
	db_snapshot_end(db);
	if (e == OK)
		http_resp_header(r, "Vary", "Accept");
	return e;
}
