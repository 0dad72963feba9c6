/*
 * git_walk.c - see git_walk.h.
 */
#include "agent/git_walk.h"

#include "agent/git_rules.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S     INT64_C(86400)
#define SOME_DAYS 30          /* of history behind a tip, to begin with */
#define SLOP_DAYS 1           /* that the clocks of people may be apart */
#define STEPS_MAX 8           /* each twice as far back, then all there is */
#define SIDES_MAX (256 << 20) /* bytes of commit ids */
#define PATCHES   500         /* whose ids are made at once */

static enum err gone(struct git *g, const char *since, struct why *w)
{
	return git_theirs(g, err_set(w, ERR_UNPROCESSABLE,
	                             WALK_SINCE "tree \"%s\" has no commit %s any more", g->url,
	                             since));
}

/* ---- history */

/* Seconds since 1970, by whoever committed it. */
static enum err date_of(struct git *g, const char *commit, int64_t *date, struct why *w)
{
	struct argv a = {0};
	struct buf text;
	enum err e;

	buf_init(&text, 64);
	git_begin(g, &a);
	argv_add(&a, "log", "-1", "--no-show-signature", "--format=%ct", commit, "--", NULL);
	e = git_ask(g, &a, &text, w);
	*date = e ? 0 : strtoll(text.data, NULL, 10);
	argv_release(&a);
	buf_release(&text);
	return git_ours(g, e);
}

/* The tree does not have a commit, or gives none by its id. */
static bool refused(const struct why *w)
{
	return strstr(w->text, "not our ref") || strstr(w->text, "unadvertised object");
}

struct ends {
	const char *tip, *ref, *since; /* since NULL: the tip alone */
	bool lost;                     /* the tree does not give `since` any more */
	int64_t from;                  /* history from this second on is here; 0: all of it */
};

/* By ids, or (by_ref) the branch. ERR_IO with git's own word. */
static enum err fetch_from(struct git *g, const struct ends *x, bool by_ref, struct why *w)
{
	struct argv a = {0};
	enum err e = git_begin_fetch(g, &a, w);

	if (x->from > 0)
		argv_addf(&a, "--shallow-since=@%" PRId64, x->from);
	else
		argv_addf(&a, "--depth=%d", 0x7fffffff); /* git's word for all of it */
	argv_add(&a, "--", g->url, NULL);
	if (by_ref)
		argv_addf(&a, "+%s:refs/other/asked", x->ref);
	else
		argv_addf(&a, "+%s:refs/foldwatch/%s", x->tip, x->tip);
	if (!by_ref && x->since && !x->lost)
		argv_addf(&a, "+%s:refs/foldwatch/%s", x->since, x->since);
	if (!e)
		e = git_run(g, &a, "fetch", w);
	argv_release(&a);
	return e;
}

/* Nothing is cut off. */
static bool is_whole(const struct git *g)
{
	char *path = path_join(g->mirror, "shallow");
	bool cut = path_exists(path);

	free(path);
	return !cut;
}

static enum err deepen(struct git *g, struct ends *x, struct why *w)
{
	enum err e = git_tidy_cuts(g, w);

	/* A web server that knows nothing of git can give all there is, and no more of it. */
	if (e || is_whole(g))
		return e;
	e = fetch_from(g, x, false, w);
	if (e == ERR_IO && refused(w) && x->since && !x->lost) {
		x->lost = true;
		e = fetch_from(g, x, false, w);
	}
	if (e == ERR_IO && refused(w))
		e = fetch_from(g, x, true, w);
	/* The oldest servers know no such question. */
	if (e == ERR_IO && strstr(w->text, "does not support --shallow-since")) {
		x->from = 0;
		e = fetch_from(g, x, true, w);
	}
	return e ? git_blamed(g, e, w) : OK;
}

/* Of a line "COMMIT DATE PARENT...". */
static void look_at(const char *line, size_t n, int64_t *oldest, bool *orphan)
{
	char *end;
	int64_t date = strtoll(line + 40, &end, 10);

	if (date < *oldest)
		*oldest = date;
	*orphan |= end + 1 >= line + n;
}

/*
 * Is what leads to one of the two and not to the other all here, and surely so?
 * None of it may lack its parents. And what was cut off behind the other side must be older
 * than all of it: else it might lead there as well.
 */
static enum err is_cut(struct git *g, const struct ends *x, bool *cut, int64_t *oldest,
                       struct why *w)
{
	bool orphan = false;
	struct argv a = {0};
	struct buf sides;
	const char *line;
	size_t n;
	enum err e;

	*cut = false;
	*oldest = INT64_MAX;
	if (is_whole(g))
		return OK;
	buf_init(&sides, SIDES_MAX);
	git_begin(g, &a);
	argv_add(&a, "log", "--no-show-signature", "--format=%H %ct %P", NULL);
	argv_addf(&a, "%s...%s", x->tip, x->since);
	argv_add(&a, "--", NULL);
	e = git_ask(g, &a, &sides, w);
	for (line = sides.data; !e && sides.len && *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (n > 41)
			look_at(line, n, oldest, &orphan);
	}
	*cut = orphan || sides.full || *oldest < x->from + SLOP_DAYS * DAY_S;
	argv_release(&a);
	buf_release(&sides);
	return git_ours(g, e);
}

static enum err have_since(struct git *g, const struct ends *x, struct why *w)
{
	enum err e = git_is_here(g, x->since) ? OK : git_fetch(g, x->since, NULL, w);

	return e && g->fail == FAIL_BUILD ? gone(g, x->since, w) : e;
}

/* How far back the mirror's history goes; 0: all of it is here; -1: that was never said. */
static int64_t depth_read(struct git *g)
{
	char *path = path_join(g->mirror, "foldwatch-depth");
	struct buf b;
	int64_t from = -1;

	buf_init(&b, 64);
	if (!file_read(path, &b, NULL) && b.len)
		from = strtoll(b.data, NULL, 10);
	buf_release(&b);
	free(path);
	return from;
}

/* It only grows, so that what one walk brought no other cuts off and brings again. */
static enum err depth_write(struct git *g, int64_t from, struct why *w)
{
	char *path = path_join(g->mirror, "foldwatch-depth"), text[32];
	enum err e;

	snprintf(text, sizeof(text), "%" PRId64 "\n", from > 0 ? from : 0);
	e = file_write(path, text, strlen(text), 0600, w);
	free(path);
	return git_ours(g, e);
}

static enum err begin_from(struct git *g, struct ends *x, int64_t *tip_date, struct why *w)
{
	int64_t since_date = INT64_MAX, known = depth_read(g);
	enum err e = date_of(g, x->tip, tip_date, w);

	if (!e && x->since)
		e = date_of(g, x->since, &since_date, w);
	x->from = (*tip_date < since_date ? *tip_date : since_date) - SOME_DAYS * DAY_S;
	if (known >= 0 && known < x->from)
		x->from = known;
	return e;
}

/* `from` at least twice as far from the tip, and behind the oldest that is known. */
static int64_t further(int64_t from, int64_t tip_date, int64_t oldest)
{
	int64_t twice = from - (tip_date - from);

	oldest -= (SLOP_DAYS + 1) * DAY_S;
	return twice < oldest ? twice : oldest;
}

static enum err history(struct git *g, struct ends *x, struct why *w)
{
	int64_t tip_date, oldest;
	bool cut = false;
	int step;
	enum err e = have_since(g, x, w);

	if (!e)
		e = begin_from(g, x, &tip_date, w);
	for (step = 0; !e; step++) {
		e = deepen(g, x, w);
		if (!e)
			e = depth_write(g, x->from, w);
		if (!e)
			e = is_cut(g, x, &cut, &oldest, w);
		/* What leads to a commit that the tree has lost comes from nowhere: all of the
		 * history would not join the two. */
		if (!cut || x->from <= 0 || (x->lost && step == STEPS_MAX / 2))
			break;
		x->from = step < STEPS_MAX ? further(x->from, tip_date, oldest) : 0;
	}
	return !e && cut ? gone(g, x->since, w) : e;
}

/* ---- what lies between */

static enum err find_base(struct git *g, const char *tip, const char *since, char base[41],
                          struct why *w)
{
	struct argv a = {0};
	struct buf text;

	(void)w;
	buf_init(&text, 4096);
	git_begin(g, &a);
	argv_add(&a, "merge-base", since, tip, NULL);
	/* It ends with 1 where there is none; a mirror that is damaged fails the next word. */
	base[0] = '\0';
	if (!git_ask(g, &a, &text, NULL) && text.len >= 40) {
		memcpy(base, text.data, 40);
		base[40] = '\0';
	}
	argv_release(&a);
	buf_release(&text);
	return OK;
}

/* Patches that are too large together have no ids: that costs a name, not the walk. */
static enum err patch_ids(struct git *g, struct git_list *l, struct why *w)
{
	size_t i;
	enum err e = OK;

	for (i = 0; !e && i < l->count; i += PATCHES) {
		size_t until = i + PATCHES < l->count ? i + PATCHES : l->count;

		step_progress(g->step, "walk", (int64_t)i, (int64_t)l->count);
		e = git_patch_ids(g, l, i, until, w);
		if (e == ERR_TOO_LARGE)
			e = OK;
	}
	return e;
}

static int by_patch(const void *a, const void *b)
{
	const struct git_entry *x = a, *y = b;

	return memcmp(x->patch_id, y->patch_id, 40);
}

static enum err mark_known(struct git *g, const char *since, size_t limit, struct git_walk *out,
                           struct why *w)
{
	struct git_list other = {0};
	size_t i;
	enum err e;

	if (out->linear)
		return OK;
	e = git_list(g, since, out->tip, limit, &other, w);
	if (!e)
		e = patch_ids(g, &other, w);
	if (!e && other.count)
		qsort(other.at, other.count, sizeof(*other.at), by_patch);
	for (i = 0; !e && other.count && i < out->commits.count; i++)
		out->known[i] = out->commits.at[i].patch_id[0] &&
		                bsearch(&out->commits.at[i], other.at, other.count,
		                        sizeof(*other.at), by_patch);
	git_list_release(&other);
	return e;
}

/* Parents stand before their children. */
static void mark_mainline(struct git_walk *out)
{
	const char *next = out->tip;
	size_t i;

	out->mainline = xcalloc(out->commits.count + 1, sizeof(*out->mainline));
	for (i = out->commits.count; i-- > 0;) {
		if (!str_eq(out->commits.at[i].commit, next))
			continue;
		out->mainline[i] = true;
		next = out->commits.at[i].parent;
	}
}

static enum err between(struct git *g, const char *since, size_t limit, struct git_walk *out,
                        struct why *w)
{
	struct git_list *l = &out->commits;
	int64_t all = 0;
	enum err e = find_base(g, out->tip, since, out->base, w);

	out->linear = str_eq(out->base, since);
	if (!e)
		e = git_count(g, out->tip, since, &all, w);
	if (!e && all)
		e = git_list(g, out->tip, since, limit, l, w);
	if (!e)
		e = patch_ids(g, l, w);
	mark_mainline(out);
	out->omitted = all - (int64_t)l->count;
	out->known = xcalloc(l->count + 1, sizeof(*out->known));
	if (!e)
		e = mark_known(g, since, limit, out, w);
	return e == ERR_UNPROCESSABLE ? git_theirs(g, e) : git_ours(g, e);
}

/* ---- the whole */

static enum err tip_alone(struct git *g, const char *ref, struct git_walk *out, struct why *w)
{
	struct ends x = {.tip = out->tip, .ref = ref};

	struct why ignored;
	int64_t date;
	enum err e;

	/* For the day on which it is rebased; where that fails, the day will tell. */
	if (!begin_from(g, &x, &date, &ignored) && !deepen(g, &x, &ignored))
		(void)depth_write(g, x.from, &ignored);
	out->known = xcalloc(1, sizeof(*out->known));
	e = git_list(g, out->tip, NULL, 1, &out->commits, w);
	mark_mainline(out);
	return git_ours(g, e);
}

enum err git_walk(struct git *g, const char *ref, const char *since, size_t limit,
                  struct git_walk *out, struct why *w)
{
	struct ends x = {.tip = out->tip, .ref = ref, .since = since};
	enum err e;

	if (since && !git_is_commit(since))
		return git_theirs(
		        g, err_set(w, ERR_INPUT, "\"%.64s\" is no commit id of 40 digits", since));
	e = git_resolve(g, ref, out->tip, w);
	if (!e)
		e = git_fetch(g, out->tip, ref, w);
	if (e)
		return e;
	if (!since)
		return tip_alone(g, ref, out, w);
	if (!str_eq(since, out->tip)) {
		e = history(g, &x, w);
		return e ? e : between(g, since, limit, out, w);
	}
	snprintf(out->base, sizeof(out->base), "%s", since);
	out->linear = true;
	return OK;
}

void git_walk_release(struct git_walk *k)
{
	git_list_release(&k->commits);
	free(k->known);
	free(k->mainline);
	*k = (struct git_walk){0};
}
