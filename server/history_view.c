/* history_view.c - segments, their chain, their points or buckets. */
#include "server/history_view.h"

#include "lib/mem.h"
#include "server/store_reference.h"

#include <math.h>

#define NIGHTS 7 /* of the reference, on each side of a border */

/* What a series is beside its environment, once: "det, instructions, contpte-y". */
static const char *name_of(struct pool *p, const struct history *h)
{
	return pool_fmt(p, "%s, %s%s%s", h->key.board, h->key.metric, h->config_name ? ", " : "",
	                h->config_name ? h->config_name : "");
}

static bool same_line(const struct history *a, const struct history *b)
{
	return str_eq(a->key.board, b->key.board) && str_eq(a->key.metric, b->key.metric) &&
	       str_eq(a->key.config, b->key.config);
}

static enum err one_line(const struct histories *l, const struct history_filter *f, struct pool *p,
                         struct why *w)
{
	const char *names = NULL;
	size_t lines = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (i && same_line(&l->at[i - 1], &l->at[i]))
			continue;
		if (lines++ < 8)
			names = names ? pool_fmt(p, "%s; %s", names, name_of(p, &l->at[i]))
			              : name_of(p, &l->at[i]);
	}
	if (!lines)
		return err_set(w, ERR_NOT_FOUND, "track %lld has no such history of %s",
		               (long long)f->track, f->case_text);
	return lines == 1 ? OK
	                  : err_set(w, ERR_INPUT,
	                            "%s has %zu histories: name board, metric and config of one "
	                            "(%s%s)",
	                            f->case_text, lines, names, lines > 8 ? "; ..." : "");
}

/* ---- the chain */

static double mean_of(const struct reference_numbers *l, int64_t reference)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		if (l->at[i].reference == reference && l->at[i].value > 0) {
			sum += log(l->at[i].value);
			n++;
		}
	return n ? exp(sum / (double)n) : NAN;
}

/* What a number of the one environment would be in the other. */
static enum err ratio(struct db *db, struct pool *p, const struct history *from,
                      const struct history *to, double *out, struct why *w)
{
	const struct series_key *a = &from->key, *b = &to->key;
	struct reference_numbers before = {0}, after = {0};
	enum err e = store_reference_numbers(db, a->board, a->env_id, a->case_text, a->metric, true,
	                                     NIGHTS, p, &before, w);

	if (e == OK)
		e = store_reference_numbers(db, b->board, b->env_id, b->case_text, b->metric, false,
		                            NIGHTS, p, &after, w);
	*out = NAN;
	for (size_t i = 0; e == OK && i < before.count && isnan(*out); i++)
		*out = mean_of(&after, before.at[i].reference) /
		       mean_of(&before, before.at[i].reference);
	return e;
}

static enum err chain(struct db *db, struct pool *p, struct history_view *v, struct why *w)
{
	enum err e = OK;

	if (v->count)
		v->at[v->count - 1].scale = 1;
	for (size_t i = v->count; e == OK && i-- > 1;) {
		double r;

		e = ratio(db, p, &v->at[i - 1].h, &v->at[i].h, &r, w);
		v->at[i - 1].scale = r * v->at[i].scale;
	}
	return e;
}

/* ---- points */

static enum err load(struct db *db, struct pool *p, const struct history_asked *a,
                     struct segment *s, int64_t width, struct why *w)
{
	int64_t counted = 0;
	enum err e = OK;

	if (!width)
		return store_history_read(db, s->h.id, a->from, a->until, HISTORY_POINTS_MAX, p,
		                          &s->shown, w);
	/* Borders of buckets are those of the whole, so that segments share them. */
	for (int64_t at = s->first - s->first % width; e == OK && at <= s->last; at += width) {
		struct history_bucket b = {.from = at < a->from ? a->from : at,
		                           .until = at + width - 1 > a->until ? a->until
		                                                              : at + width - 1};

		e = store_history_bucket(db, s->h.id, &b, w);
		counted += b.n;
		if (e == OK && b.n)
			*(struct history_bucket *)pool_push(p, (void **)&s->bucket, &s->buckets,
			                                    sizeof(b)) = b;
	}
	s->points = counted;
	return e;
}

/* The positions of a bucket; 0: points are answered. */
static int64_t width_of(const struct history_asked *a, const struct history_view *v)
{
	int64_t most = a->buckets == NONE ? HISTORY_POINTS_MAX : a->buckets;
	int64_t n = a->buckets == NONE ? HISTORY_BUCKETS : a->buckets;
	int64_t first = INT64_MAX, last = 0;

	if (v->points <= most && v->points <= HISTORY_POINTS_MAX)
		return 0;
	for (size_t i = 0; i < v->count; i++) {
		first = v->at[i].first < first ? v->at[i].first : first;
		last = v->at[i].last > last ? v->at[i].last : last;
	}
	n = (last - first) / n + 1;
	/* Whole blocks, where it is about that large. */
	return n < HISTORY_BLOCK ? n : (n + HISTORY_BLOCK - 1) / HISTORY_BLOCK * HISTORY_BLOCK;
}

static enum err extents(struct db *db, const struct history_asked *a, const struct histories *l,
                        struct pool *p, struct history_view *v, struct why *w)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < l->count; i++) {
		struct segment s = {.h = l->at[i], .scale = NAN};
		bool whole = a->from <= 0 && a->until == INT64_MAX;

		e = store_history_extent(db, s.h.id, a->from, a->until,
		                         whole ? 1 : HISTORY_POINTS_MAX + 1, &s.first, &s.last,
		                         &s.points, w);
		if (whole)
			s.points = s.h.points;
		v->points += s.points;
		*(struct segment *)pool_push(p, (void **)&v->at, &v->count, sizeof(s)) = s;
	}
	return e;
}

/* Segments of which nothing was asked for go, once they have done their part in the chain. */
static void leave_out(struct history_view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->count; i++)
		if (v->at[i].points)
			v->at[n++] = v->at[i];
	v->count = n;
}

enum err history_view(struct db *db, const struct history_asked *a, struct pool *p,
                      struct history_view *out, struct why *w)
{
	struct histories l = {0};
	int64_t width;
	size_t i;
	enum err e = store_history_list(db, &a->f, p, &l, w);

	*out = (struct history_view){0};
	if (e == OK)
		e = one_line(&l, &a->f, p, w);
	if (e == OK)
		e = extents(db, a, &l, p, out, w);
	if (e == OK)
		e = chain(db, p, out, w);
	if (e != OK)
		return e;
	leave_out(out);
	width = width_of(a, out);
	out->bucketed = width != 0;
	for (i = 0; e == OK && i < out->count; i++) {
		struct segment *s = &out->at[i];

		out->points -= s->points;
		e = load(db, p, a, s, width, w);
		out->points += s->points;
		if (e == OK)
			e = store_history_changed(db, s->h.id, a->from, a->until, !width,
			                          HISTORY_CHANGES_MAX, p, &s->changes, w);
	}
	return e == OK ? store_history_faults(db, a->f.track, l.at[0].key.board, a->from, a->until,
	                                      HISTORY_CHANGES_MAX, p, &out->faults, w)
	               : e;
}
