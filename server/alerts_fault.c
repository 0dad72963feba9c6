/* alerts_fault.c - alerts of faults that a kernel's log shows. */
#include "server/alerts.h"

#include "lib/mem.h"
#include "server/store_alert_track.h"

#include <math.h>

struct faulty {
	struct pool *pool;
	struct boot boot;
	struct sub_kernel kernel; /* what its submission calls it; name NULL: nothing */
	struct known_faults known;
	struct mutes mutes;
};

static enum err load_faulty(struct db *db, int64_t boot, int64_t now_ms, struct faulty *f,
                            struct why *w)
{
	struct sub_kernels kernels = {0};
	enum err e = store_boot_get(db, boot, f->pool, &f->boot, w);

	if (e == OK && f->boot.submission != NONE)
		e = store_sub_all_kernels(db, f->boot.submission, f->pool, &kernels, w);
	for (size_t i = 0; e == OK && i < kernels.count; i++)
		if (kernels.at[i].kernel_id == f->boot.kernel && !f->kernel.name)
			f->kernel = kernels.at[i];
	if (e == OK)
		e = store_known_list(db, NULL, f->pool, &f->known, w);
	return e == OK ? store_mute_list(db, now_ms, f->pool, &f->mutes, w) : e;
}

static bool is_known(const struct faulty *f, const char *signature)
{
	for (size_t i = 0; i < f->known.count; i++) {
		const struct known_fault *k = &f->known.at[i];

		if (k->ended_id == NONE && str_eq(k->signature, signature) &&
		    f->boot.created_ms < k->until_ms && alerts_matches(k->board, f->boot.board) &&
		    alerts_of_branch(f->pool, k->branch, f->kernel.tree, f->kernel.branch))
			return true;
	}
	return false;
}

/* A mute of cases says nothing about faults. */
static int64_t fault_muted_by(const struct faulty *f)
{
	for (size_t i = 0; i < f->mutes.count; i++) {
		const struct mute *m = &f->mutes.at[i];

		if (!m->case_glob && alerts_matches(m->board, f->boot.board) &&
		    alerts_of_branch(f->pool, m->branch, f->kernel.tree, f->kernel.branch))
			return m->id;
	}
	return NONE;
}

static void add_board(const struct faulty *f, struct alert_cells *cells)
{
	*(struct alert_cell *)pool_push(f->pool, (void **)&cells->at, &cells->count,
	                                sizeof(*cells->at)) =
	        (struct alert_cell){.submission = f->boot.submission,
	                            .boot = f->boot.id,
	                            .board = f->boot.board,
	                            .base_mean = NAN,
	                            .mean = NAN,
	                            .change = NAN,
	                            .low = NAN,
	                            .high = NAN,
	                            .boots = NONE,
	                            .mute = fault_muted_by(f)};
}

static enum err make_fault(struct db *db, const struct faulty *f, const struct fault_row *r,
                           const char *cause, int64_t now_ms, struct why *w)
{
	struct alert_cells cells = {0};
	struct alert a = {.kind = "fault",
	                  .cause = cause,
	                  .title = pool_fmt(f->pool, "new kernel fault %s on %s", r->signature,
	                                    f->boot.board),
	                  .submission = f->boot.submission,
	                  .kernel = f->kernel.name,
	                  .boot = f->boot.id,
	                  .signature = r->signature,
	                  .state = "new",
	                  .created_ms = now_ms};
	const char *why =
	        pool_fmt(f->pool, "boot %lld on %s showed it%s%s", (long long)f->boot.id,
	                 f->boot.board, r->place ? ", at " : "", r->place ? r->place : "");
	int64_t id;
	enum err e = store_alert_add(db, &a, &id, w);

	add_board(f, &cells);
	if (e == OK)
		e = store_alert_cells_set(db, id, &cells, w);
	return e == OK ? alerts_step(db, id, NULL, "new", why, NULL, now_ms, w) : e;
}

/* On one more board; and after it was fixed, in a kernel that came since. */
static enum err seen_again(struct db *db, const struct faulty *f, int64_t id, int64_t now_ms,
                           struct why *w)
{
	struct alert_cells cells = {0};
	struct alert a = {0};
	int64_t since = 0;
	bool there = false, backward = false, left = false, over = false;
	enum err e = store_alert_get(db, id, f->pool, &a, w);

	if (e == OK)
		e = store_alert_cells(db, id, f->pool, &cells, w);
	if (e != OK)
		return e;
	for (size_t i = 0; i < cells.count; i++)
		there |= str_eq(cells.at[i].board, f->boot.board);
	if (!there) {
		add_board(f, &cells);
		e = store_alert_cells_set(db, id, &cells, w);
	}
	if (e == OK)
		e = alerts_over(db, &a, &left, &over, w);
	if (e != OK || !over)
		return e;
	/* A commit that is looked up because it is old was built late, not made late. */
	if (f->boot.submission != NONE)
		e = store_alert_backward(db, f->boot.submission, &backward, w);
	if (e != OK || backward)
		return e;
	/* Where nobody said that it is gone, any boot since says that it is there. */
	e = left ? OK : store_alert_kernel_since(db, f->boot.kernel, &since, w);
	if (e != OK || (!left && since <= a.changed_ms) || f->boot.created_ms <= a.changed_ms)
		return e;
	return alerts_step(db, id, a.state, "new",
	                   pool_fmt(f->pool, "boot %lld on %s showed it again%s",
	                            (long long)f->boot.id, f->boot.board,
	                            left ? "" : ", in a kernel that came since"),
	                   NULL, now_ms, w);
}

enum err alerts_placed(struct db *db, int64_t boot, const struct fault_rows *rows, int64_t now_ms,
                       struct why *w)
{
	struct faulty f = {.pool = pool_new()};
	size_t i, o;
	enum err e = load_faulty(db, boot, now_ms, &f, w);

	for (i = 0; e == OK && !f.boot.imported && i < rows->count; i++) {
		const struct fault_row *r = &rows->at[i];
		const char *cause = pool_fmt(f.pool, "fault/%s", r->signature);
		int64_t id;

		for (o = 0; o < i && !str_eq(rows->at[o].signature, r->signature); o++)
			;
		if (o < i || is_known(&f, r->signature))
			continue;
		e = store_alert_by_cause(db, cause, &id, w);
		if (e == OK)
			e = id == NONE ? make_fault(db, &f, r, cause, now_ms, w)
			               : seen_again(db, &f, id, now_ms, w);
	}
	pool_free(f.pool);
	return err_at(w, e, "alerts of boot %lld", (long long)boot);
}
