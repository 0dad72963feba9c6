/* tracks_walk.c - which commits of a walk are points. */
#include "server/tracks.h"

#include "lib/mem.h"

static struct track_point point_at(const struct walk *k, size_t i, int64_t position,
                                   const char *kind, int64_t now_ms)
{
	return (struct track_point){.position = position,
	                            .commit = k->commit[i].commit,
	                            .kind = kind,
	                            .walk = k->id,
	                            .walk_position = (int64_t)i + 1,
	                            .submission = NONE,
	                            .seen_ms = now_ms};
}

static bool is_point(const struct track *t, const struct walk *k, size_t i)
{
	const struct walk_commit *c = &k->commit[i];

	if (i == k->count - 1)
		return true;
	if (str_eq(t->mode, "all"))
		return c->parents < 2 && c->patch_id;
	return str_eq(t->mode, "merges") && c->parents > 1 && c->mainline;
}

/* A merge, or a commit that changes nothing, is no point where all others are; as the tip
 * it is what the branch is, so it is one wherever it stands. */
static enum err grown(struct db *db, const struct track *t, const struct walk *k, int64_t last,
                      int64_t now_ms, struct why *w)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < k->count; i++) {
		struct track_point x;

		if (!is_point(t, k, i))
			continue;
		x = point_at(k, i, last + k->omitted + (int64_t)i + 1,
		             i == k->count - 1 ? "tip" : "commit", now_ms);
		e = store_point_add(db, t->id, &x, w);
	}
	return e;
}

/* The new tip against the old one, with the merge base beside it. */
static enum err rebased(struct db *db, struct pool *p, const struct track *t, const struct walk *k,
                        int64_t last, int64_t now_ms, struct why *w)
{
	int64_t suspects = 0;
	struct track_point tip, base = {.position = last + 1,
	                                .commit = k->base,
	                                .kind = "base",
	                                .walk = k->id,
	                                .walk_position = NONE,
	                                .rebased = true,
	                                .submission = NONE,
	                                .seen_ms = now_ms};
	bool has_base = k->base && k->count;
	enum err e = has_base ? store_point_add(db, t->id, &base, w) : OK;

	for (size_t i = 0; i < k->count; i++)
		suspects += !k->commit[i].known && k->commit[i].parents < 2;
	if (k->count)
		tip = point_at(k, k->count - 1, last + has_base + k->omitted + (int64_t)k->count,
		               "tip", now_ms);
	else /* it moved back */
		tip = (struct track_point){.position = last + 1,
		                           .commit = k->tip,
		                           .kind = "tip",
		                           .walk = k->id,
		                           .walk_position = NONE,
		                           .submission = NONE,
		                           .seen_ms = now_ms};
	tip.rebased = true;
	tip.note = !k->count ? "moved back"
	           : !k->base
	                   ? "it has no commit in common with the point before"
	                   : pool_fmt(p, "rebased: %lld of its %lld commits are new to the branch",
	                              (long long)suspects,
	                              (long long)k->count + (long long)k->omitted);
	return e == OK ? store_point_add(db, t->id, &tip, w) : e;
}

enum err tracks_take_walk(struct db *db, struct pool *p, struct track *t, struct walk *k,
                          int64_t now_ms, struct why *w)
{
	struct track_point newest;
	int64_t last;
	enum err e = store_point_before(db, t->id, INT64_MAX, false, p, &newest, w);

	if (e != OK)
		return e;
	last = newest.position == NONE ? 0 : newest.position;
	t->tip = k->tip;
	/* Seen already, whatever was asked. */
	if (newest.position != NONE && str_eq(newest.commit, k->tip))
		return OK;
	if (!k->since) {
		struct track_point tip = point_at(k, 0, last + 1, "tip", now_ms);

		if (newest.position != NONE) {
			tip.rebased = true;
			tip.note = pool_fmt(p,
			                    "the tree has lost %.12s, the point before: what lies "
			                    "between is not known",
			                    newest.commit);
		}
		return store_point_add(db, t->id, &tip, w);
	}
	return k->linear ? grown(db, t, k, last, now_ms, w) : rebased(db, p, t, k, last, now_ms, w);
}
