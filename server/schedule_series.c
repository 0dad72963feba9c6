/* schedule_series.c - the kernels that a patch series has once its patches are known. */
#include "server/schedule.h"

#include "lib/mem.h"

#include <string.h>

struct rows {
	struct db *db;
	struct pool *p;
	int64_t sub;
	const struct series *series;
	const struct sub_kernel *base;
	int64_t pos; /* of the next kernel */
};

static const char *mark_at(const struct series *s, int64_t position)
{
	size_t i;

	for (i = 0; i < s->marks; i++)
		if (s->mark[i].position == position)
			return s->mark[i].name;
	return NULL;
}

/* The mark's word; `tip`; else p01 .. p25. */
static const char *name_of(const struct rows *r, int64_t position)
{
	const char *mark = mark_at(r->series, position);
	int64_t last = (int64_t)r->series->count;

	if (mark)
		return mark;
	if (position == last)
		return "tip";
	return pool_fmt(r->p, "p%0*lld", last > 99 ? 3 : 2, (long long)position);
}

static bool is_booted(const struct series *s, int64_t position)
{
	return s->every || position == (int64_t)s->count || mark_at(s, position);
}

static enum err add(struct rows *r, int64_t position, struct sub_kernel *k, struct why *w)
{
	const struct series_patch *patch = &r->series->patch[position - 1];

	k->pos = r->pos++;
	k->patches = position;
	k->tree = r->base->tree;
	k->ref = NULL; /* the tree has none for it */
	k->toolchain = r->base->toolchain;
	k->commit = patch->commit;
	k->source = patch->source;
	k->subject = patch->subject;
	k->kernel_id = NONE;
	k->state = "resolving"; /* its commit is known: schedule_advance() has it built */
	return store_sub_kernel_add(r->db, r->sub, k, w);
}

/* In the base's configuration, those that are booted or those that are not. */
static enum err add_prefixes(struct rows *r, bool booted, struct why *w)
{
	int64_t i;
	enum err e = OK;

	for (i = 1; e == OK && i <= (int64_t)r->series->count; i++) {
		struct sub_kernel k = {.name = name_of(r, i),
		                       .config_sha256 = r->base->config_sha256,
		                       .config_name = r->base->config_name,
		                       .config_whole = r->base->config_whole,
		                       .validates = NONE,
		                       .built_only = !booted};

		if (is_booted(r->series, i) == booted)
			e = add(r, i, &k, w);
	}
	return e;
}

/* "contpte-n.config" -> "contpte-n.config", as far as a kernel's name may have it. */
static const char *plain(struct pool *p, const char *name)
{
	char *s = pool_strn(p, name, strnlen(name, 24)), *c;

	for (c = s; *c; c++)
		if (!strchr("._+-", *c) && !(*c >= '0' && *c <= '9') &&
		    !((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z'))
			*c = '-';
	return s;
}

static enum err add_tip_config(struct rows *r, struct why *w)
{
	const struct series *s = r->series;
	int64_t last = (int64_t)s->count;
	struct sub_kernel k = {.config_sha256 = s->tip_config,
	                       .config_name = s->tip_config_name,
	                       .config_whole = s->tip_config_whole,
	                       .validates = NONE};

	if (!s->tip_config)
		return OK;
	k.name = pool_fmt(r->p, "%s+%s", name_of(r, last), plain(r->p, s->tip_config_name));
	return add(r, last, &k, w);
}

static enum err add_check(struct rows *r, int64_t tip, struct why *w)
{
	const struct series *s = r->series;
	int64_t last = (int64_t)s->count;
	struct sub_kernel k = {.config_sha256 = s->check_config,
	                       .config_name = s->check_config_name,
	                       .validates = tip};

	if (!s->check_config)
		return OK;
	k.name = pool_fmt(r->p, "%s (validation)", name_of(r, last));
	return add(r, last, &k, w);
}

/* A sentence where the series cannot be measured as asked, or NULL. */
static const char *fault(struct pool *p, const struct series *s)
{
	size_t i, booted = 1 + (s->tip_config != NULL);

	if (!s->count)
		return "the agent cannot bring a patch series: it is of an older version";
	if (!s->bundle)
		return "the agent left no bundle of the patches that it applied";
	for (i = 0; i < s->marks; i++)
		if (s->mark[i].position > (int64_t)s->count)
			return pool_fmt(p, "mark \"%s\" is at patch %lld of %zu", s->mark[i].name,
			                (long long)s->mark[i].position, s->count);
	for (i = 1; i <= s->count; i++)
		booted += is_booted(s, (int64_t)i);
	if (booted > SERIES_MEASURED_MAX)
		return pool_fmt(p,
		                "%zu kernels would be booted: more than %d are not; boot marks "
		                "instead of all prefixes",
		                booted, SERIES_MEASURED_MAX);
	return NULL;
}

enum err sched_series_kernels(struct db *db, struct pool *p, int64_t sub,
                              const struct sub_kernel *base, const struct series *s,
                              const char **why_not, struct why *w)
{
	struct rows r = {.db = db, .p = p, .sub = sub, .series = s, .base = base, .pos = 1};
	int64_t tip;
	enum err e;

	*why_not = fault(p, s);
	if (*why_not)
		return OK;
	e = store_series_resolved(db, sub, s, w);
	if (e == OK)
		e = add_prefixes(&r, true, w);
	tip = r.pos - 1;
	if (e == OK)
		e = add_tip_config(&r, w);
	if (e == OK)
		e = add_check(&r, tip, w);
	/* Last, since boots do not wait for their builds. */
	return e == OK ? add_prefixes(&r, false, w) : e;
}
