/*
 * result.c - see result.h.
 */
#include "agent/result.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES RESULT_MAX

static enum err line_parse(const char *line, size_t len, json_t **o, struct why *w)
{
	enum err e = json_parse(line, len, LINE_BYTES, o, w);

	if (!e && !json_is_object(*o)) {
		json_decref(*o);
		*o = NULL;
		e = err_set(w, ERR_INPUT, "expected an object");
	}
	return e;
}

static bool type_is(const json_t *o, const char *type)
{
	return str_eq(json_str(o, "type", ""), type);
}

/* The last line and where it begins. */
static enum result_state check_end(const char *data, size_t len, size_t *end_at, struct result *r,
                                   struct why *w)
{
	size_t at = len - 1;
	json_t *end = NULL;
	uint32_t crc;
	char hex[9];
	enum result_state s = RESULT_PROVED;

	if (data[len - 1] != '\n') {
		err_set(w, ERR_INPUT, "the result is torn: its last line has no end");
		return RESULT_TORN;
	}
	while (at > 0 && data[at - 1] != '\n')
		at--;
	*end_at = at;
	if (line_parse(data + at, len - at - 1, &end, w) || !type_is(end, "end")) {
		json_decref(end);
		err_set(w, ERR_INPUT, "the result is torn: it has no end line");
		return RESULT_TORN;
	}
	crc = crc32_add(0, data, at);
	snprintf(hex, sizeof(hex), "%08x", crc);
	if (json_int(end, "bytes", -1) != (int64_t)at) {
		err_set(w, ERR_INPUT,
		        "the result is torn: its end line counts %" PRId64
		        " bytes before it, there are %zu",
		        json_int(end, "bytes", -1), at);
		s = RESULT_TORN;
	} else if (!str_eq(json_str(end, "crc32", ""), hex)) {
		err_set(w, ERR_INPUT, "the result is torn: its CRC is %s, its end line says \"%s\"",
		        hex, json_str(end, "crc32", ""));
		s = RESULT_TORN;
	}
	r->runs = json_int(end, "runs", -1);
	r->taint_after = json_int(end, "taint", 0);
	json_decref(end);
	return s;
}

static bool id_listed(const json_t *ids, const char *id)
{
	size_t i, n = json_array_size(ids);

	for (i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(ids, i));

		if (s && str_eq(s, id))
			return true;
	}
	return false;
}

static enum result_state check_begin(const struct result_want *want, const struct result *r,
                                     struct why *w)
{
	const char *nonce = json_str(r->begin, "nonce", ""),
	           *id = json_str(r->begin, "build_id", "");

	if (!str_eq(nonce, want->nonce)) {
		err_set(w, ERR_INPUT, "the result answers nonce \"%.32s\", this boot's is \"%s\"",
		        nonce, want->nonce);
		return RESULT_FOREIGN;
	}
	if (!*id) {
		err_set(w, ERR_INPUT,
		        "the kernel that booted does not tell its build-id, so that it is not "
		        "proved to be the one asked for");
		return RESULT_OTHER_KERNEL;
	}
	if (!id_listed(want->build_ids, id)) {
		err_set(w, ERR_INPUT,
		        "the kernel that booted has build-id %.64s, which the image that was asked "
		        "for does not carry",
		        id);
		return RESULT_OTHER_KERNEL;
	}
	if (json_int(r->begin, "format", 0) != 1) {
		err_set(w, ERR_INPUT, "the result has format %" PRId64 ", expected 1",
		        json_int(r->begin, "format", 0));
		return RESULT_MALFORMED;
	}
	if (!str_eq(json_str(r->begin, "metric", ""), want->metric)) {
		err_set(w, ERR_INPUT, "the result is in \"%.32s\", asked for was \"%s\"",
		        json_str(r->begin, "metric", ""), want->metric);
		return RESULT_MALFORMED;
	}
	return RESULT_PROVED;
}

/* Every line between the first and the last is one run. */
static enum result_state check_runs(const char *data, size_t from, size_t to, struct result *r,
                                    struct why *w)
{
	int64_t runs = 0, number = 2;

	for (; from < to; number++) {
		const char *end = memchr(data + from, '\n', to - from);
		size_t n = (size_t)(end - (data + from));
		struct why inner;
		json_t *o = NULL;
		bool ok;

		ok = !line_parse(data + from, n, &o, &inner) && type_is(o, "run");
		if (ok && str_eq(json_str(o, "state", ""), "valid"))
			r->valid_runs++;
		if (!ok) {
			err_set(w, ERR_INPUT, "line %" PRId64 " of the result is no run%s%.300s",
			        number, o ? "" : ": ", o ? "" : inner.text);
			json_decref(o);
			return RESULT_MALFORMED;
		}
		json_decref(o);
		runs++;
		from += n + 1;
	}
	if (runs != r->runs) {
		err_set(w, ERR_INPUT,
		        "the result is torn: %" PRId64 " runs, its end line counts %" PRId64, runs,
		        r->runs);
		return RESULT_TORN;
	}
	return RESULT_PROVED;
}

enum result_state result_check(const char *data, size_t len, const struct result_want *want,
                               struct result *r, struct why *w)
{
	const char *first;
	enum result_state s;
	size_t end_at, n;

	*r = (struct result){.runs = -1};
	if (!len) {
		err_set(w, ERR_INPUT, "the guest wrote no result");
		return RESULT_NONE;
	}
	first = memchr(data, '\n', len);
	n = first ? (size_t)(first - data) : len;
	if (first && !line_parse(data, n, &r->begin, NULL) && !type_is(r->begin, "begin")) {
		json_decref(r->begin);
		r->begin = NULL;
	}
	if (r->begin)
		r->taint_before = json_int(r->begin, "taint", 0);
	s = check_end(data, len, &end_at, r, w);
	if (s != RESULT_PROVED)
		return s;
	if (!r->begin || end_at <= n) {
		err_set(w, ERR_INPUT, "the result has no begin line");
		return RESULT_MALFORMED;
	}
	s = check_begin(want, r, w);
	return s == RESULT_PROVED ? check_runs(data, n + 1, end_at, r, w) : s;
}

void result_release(struct result *r)
{
	json_decref(r->begin);
	*r = (struct result){.runs = -1};
}

void taint_letters(int64_t taint, char out[8])
{
	static const struct {
		int bit;
		char letter;
	} bits[] = {{4, 'M'}, {5, 'B'}, {7, 'D'}, {9, 'W'}, {14, 'L'}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if (taint & (INT64_C(1) << bits[i].bit))
			*out++ = bits[i].letter;
	}
	*out = '\0';
}
