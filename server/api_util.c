#include "server/api_util.h"

#include "lib/file.h"
#include "lib/zst.h"
#include "server/store_artifact.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DIGITS     "0123456789"
#define UNTIL_DAYS 366
#define DAY_MS     (INT64_C(24) * 3600 * 1000)

enum err api_page(const struct http_req *req, int64_t *limit, int64_t *before, struct why *w)
{
	enum err e = http_query_int(req, "limit", 1, 500, 50, limit, w);

	return e == OK ? http_query_int(req, "before", 0, INT64_MAX, INT64_MAX, before, w) : e;
}

json_t *api_list(const char *name, json_t *list, int64_t limit, int64_t last_id)
{
	json_t *o = json_object();

	if ((int64_t)json_array_size(list) < limit)
		json_put(o, "next", NULL);
	else
		json_put_int(o, "next", last_id);
	json_put(o, name, list);
	return o;
}

enum err api_key(const struct http_req *req, const char **key, struct why *w)
{
	const char *s = http_header(req, "Idempotency-Key");
	size_t i;

	*key = s;
	if (!s)
		return OK;
	for (i = 0; s[i] >= ' ' && s[i] < 0x7f; i++)
		;
	if (s[i] || i < 1 || i > 128)
		return err_set(w, ERR_INPUT,
		               "Idempotency-Key: expected 1 to 128 printable characters");
	return OK;
}

enum err api_submission_id(const struct http_req *req, int64_t *id, struct why *w)
{
	enum err e;

	*id = req->id;
	if (*id >= 0)
		return OK;
	e = store_sub_latest(db_reader(req->srv->store), id, w);
	if (e == OK && *id == NONE)
		e = err_set(w, ERR_NOT_FOUND, "no submission has a finished comparison yet");
	return e;
}

enum err api_case(const struct http_req *req, char canon[CASE_TEXT], struct why *w)
{
	const char *text = http_query(req, "case");
	struct bench_case c;
	char err[400];

	if (!text)
		return err_set(w, ERR_INPUT, "case: missing");
	if (case_parse(text, &c, err, sizeof(err)) != 0)
		return err_set(w, ERR_INPUT, "case: %s", err);
	case_format(&c, canon, CASE_TEXT);
	return OK;
}

const char *api_kernel_name(const struct sub_kernels *k, int64_t id)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->at[i].kernel_id == id)
			return k->at[i].name;
	return NULL;
}

enum err api_unpack(const struct http_req *req, const char *sha256, const char *what,
                    size_t packed_max, struct buf *out, struct why *w)
{
	char *path = artifact_path(req->srv->conf.dir, sha256);
	struct buf packed;
	enum err e;

	buf_init(&packed, packed_max);
	e = file_read(path, &packed, w);
	if (e == OK)
		e = zst_unpack(packed.data, packed.len, out, w);
	if (e == ERR_TOO_LARGE)
		e = err_set(w, e, "the %s is larger than %zu bytes: its artifact is %s", what,
		            out->max, sha256);
	if (e == ERR_INPUT)
		e = err_set(w, ERR_UNPROCESSABLE, "the %s's artifact %s is no zstd frame", what,
		            sha256);
	buf_release(&packed);
	free(path);
	return e;
}

enum err api_until(const char *text, int64_t now_ms, const char *again, int64_t *until_ms,
                   struct why *w)
{
	struct tm tm = {.tm_isdst = 0}, back;
	time_t t;

	if (strlen(text) != 10 || strspn(text, DIGITS) != 4 || text[4] != '-' ||
	    strspn(text + 5, DIGITS) != 2 || text[7] != '-' || strspn(text + 8, DIGITS) != 2)
		return err_set(w, ERR_INPUT, "until: expected YYYY-MM-DD, got \"%s\"", text);
	tm.tm_year = (int)strtol(text, NULL, 10) - 1900;
	tm.tm_mon = (int)strtol(text + 5, NULL, 10) - 1;
	tm.tm_mday = (int)strtol(text + 8, NULL, 10);
	back = tm;
	t = timegm(&tm);
	/* It makes 2 March of 30 February. */
	if (tm.tm_mon != back.tm_mon || tm.tm_mday != back.tm_mday)
		return err_set(w, ERR_INPUT, "until: there is no day \"%s\"", text);
	*until_ms = (int64_t)t * 1000 + DAY_MS;
	if (*until_ms <= now_ms)
		return err_set(w, ERR_UNPROCESSABLE, "until: %s is over", text);
	if (*until_ms > now_ms + UNTIL_DAYS * DAY_MS)
		return err_set(w, ERR_UNPROCESSABLE, "until: %s is more than a year away: %s", text,
		               again);
	return OK;
}

enum err api_reason(const char *field, const char *text, struct why *w)
{
	while (isspace((unsigned char)*text))
		text++;
	return *text ? OK : err_set(w, ERR_INPUT, "%s: expected the reason, got blanks", field);
}

const char *api_who(const struct http_req *req)
{
	return req->token_label ? req->token_label : "";
}
