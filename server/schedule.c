/* schedule.c - the way of a submission: resolve, build, boot. */
#include "server/schedule.h"

#include "lib/hash.h"
#include "lib/mem.h"
#include "server/store_bisect.h"
#include "server/store_board.h"
#include "server/store_layout.h"
#include "server/store_track.h"
#include "server/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Order within a submission. */
#define SEQ_BUILD 1000

void schedule_domain(const char *submitter, const char *tree, char out[17])
{
	struct hash *h = hash_new();
	char hex[SHA256_HEX];

	hash_add(h, submitter, strlen(submitter) + 1);
	hash_add(h, tree ? tree : "", tree ? strlen(tree) : 0);
	hash_final(h, hex);
	memcpy(out, hex, 16);
	out[16] = '\0';
}

void schedule_kernel_key(const char *commit, const char *config_sha256, bool whole,
                         const char *toolchain, const char *compiler, const char *domain,
                         int64_t salt, char out[65])
{
	char *text = xasprintf("kernel\n%d\n%s\n%s\n%d\n%s\n%s\n%s\n%lld\n", BUILD_RECIPE, commit,
	                       config_sha256, whole, toolchain, compiler, domain, (long long)salt);

	hash_block(text, strlen(text), out);
	free(text);
}

void schedule_layout_key(const char *key, int64_t layout, char out[65])
{
	char *text = xasprintf("layout\n%s\n%lld\n", key, (long long)layout);

	hash_block(text, strlen(text), out);
	free(text);
}

void schedule_image_key(const char *image, char out[65])
{
	char *text = xasprintf("image\n%s\n", image);

	hash_block(text, strlen(text), out);
	free(text);
}

/* ---- resolve */

/* A commit of a series that was sent as a bundle is in no tree: what came with it says all
 * that an agent could. */
static enum err known_commit(struct db *db, struct pool *p, const struct sub *s,
                             struct sub_kernel *k, struct why *w)
{
	struct series own = {0};
	struct series_patch x;
	enum err e;

	if (!hex_is(k->ref, 40))
		return OK;
	/* The base of one is looked up all the same: its patches come with it. */
	e = store_series_get(db, s->id, p, &own, w);
	if (e != OK || own.is)
		return e;
	e = store_series_commit(db, s->submitter, k->tree, k->ref, p, &x, w);
	if (e != OK || !x.commit)
		return e;
	k->state = "resolving";
	k->commit = x.commit;
	k->subject = x.subject;
	k->source = x.source;
	return store_sub_kernel_known(db, s->id, k->pos, x.commit, x.subject, x.source, w);
}

static enum err want_commit(struct db *db, struct pool *p, const struct sub *s,
                            struct sub_kernel *k, const struct sub_kernels *all, int64_t now_ms,
                            struct why *w)
{
	struct job j = job_blank();
	bool offered = false;
	char domain[17];
	int64_t id = NONE;
	enum err e = sched_base_of(db, p, s->id, k, all, &j.base_of, w);

	if (e != OK || str_eq(k->state, "failed"))
		return e;
	if (!k->base_of)
		e = known_commit(db, p, s, k, w);
	if (e != OK || k->commit)
		return e;
	k->state = "resolving";
	k->why = NULL;
	if (k->base_of && !j.base_of)
		return store_sub_kernel_set(db, s->id, k->pos, k->state, NULL, NULL, NULL, NONE, w);
	/* Kernels of one tree and ref share the look-up, so they get one commit. */
	e = store_job_resolving(db, s->id, k->tree, k->ref, j.base_of, &id, w);
	if (e == OK && id == NONE) {
		schedule_domain(s->submitter, k->tree, domain);
		j.kind = "resolve";
		j.urgency = s->priority;
		j.seq = k->pos;
		j.submission = s->id;
		j.name = k->name;
		j.domain = domain;
		j.tree = k->tree;
		j.ref = k->ref;
		e = store_job_add(db, &j, now_ms, &id, w);
	}
	if (e == OK)
		e = store_tree_offered(db, k->tree, &offered, w);
	/* It waits, and says for what: an agent may come. */
	k->why = offered ? NULL
	                 : pool_fmt(p, "no agent that builds may fetch from \"%s\" yet", k->tree);
	return e == OK ? store_sub_kernel_set(db, s->id, k->pos, k->state, k->why, NULL, NULL, NONE,
	                                      w)
	               : e;
}

/* ---- build */

static enum err add_build(struct db *db, const struct sub *s, const struct sub_kernel *k,
                          const char *domain, const char *compiler, int64_t kernel, int64_t now_ms,
                          struct why *w)
{
	struct job j = job_blank();
	int64_t id;

	j.kind = "build";
	j.urgency = s->priority;
	j.seq = SEQ_BUILD + k->pos;
	j.submission = s->id;
	j.kernel = kernel;
	j.name = k->name;
	j.domain = domain;
	j.tree = k->tree;
	j.ref = k->ref;
	j.toolchain = k->toolchain;
	j.compiler = compiler;
	return store_job_add(db, &j, now_ms, &id, w);
}

/* The kernel that stands in a layout, or one that is to be built. `key` is of
 * layout 0. */
static enum err want_layout(struct db *db, struct pool *p, const struct sub *s,
                            const struct sub_kernel *k, const char *compiler, const char *key,
                            int64_t layout, struct kernel *out, int64_t now_ms, struct why *w)
{
	char domain[17], own[65];
	int64_t id;
	enum err e;

	schedule_domain(s->submitter, k->tree, domain);
	if (layout)
		schedule_layout_key(key, layout, own);
	e = store_kernel_by_key(db, layout ? own : key, &id, w);
	if (e == OK && id != NONE)
		return store_kernel_get(db, id, p, out, w);
	if (e != OK)
		return e;
	*out = (struct kernel){.key = layout ? own : key,
	                       .domain = domain,
	                       .tree = k->tree,
	                       .commit = k->commit,
	                       .subject = k->subject,
	                       .config_sha256 = k->config_sha256,
	                       .config_name = k->config_name,
	                       .config_whole = k->config_whole,
	                       .toolchain = k->toolchain,
	                       .compiler = compiler,
	                       .state = "building",
	                       .image_bytes = NONE,
	                       .objects = NONE,
	                       .seconds = NAN,
	                       .layout = layout,
	                       .family = layout ? key : NULL,
	                       .created_ms = now_ms};
	e = store_kernel_add(db, out, &id, w);
	out->id = id;
	return e == OK ? add_build(db, s, k, domain, compiler, id, now_ms, w) : e;
}

/* A commit is known: take the kernel that stands, or have it built; its relinks
 * behind it, which use its objects. */
static enum err want_kernel(struct db *db, struct pool *p, const struct sub *s,
                            struct sub_kernel *k, int64_t now_ms, struct why *w)
{
	struct kernel have = {0};
	const char *compiler;
	char key[65], domain[17];
	int64_t layout;
	enum err e;

	e = store_toolchain_compiler(db, k->toolchain, p, &compiler, w);
	if (e != OK)
		return e;
	if (!compiler) {
		k->why = pool_fmt(p, "no agent that builds offers the toolchain \"%s\" yet",
		                  k->toolchain);
		return store_sub_kernel_set(db, s->id, k->pos, "resolving", k->why, NULL, NULL,
		                            NONE, w);
	}
	schedule_domain(s->submitter, k->tree, domain);
	/* A commit that only its words or its date tell from an earlier version's is that
	 * one's kernel. */
	schedule_kernel_key(k->source ? k->source : k->commit, k->config_sha256, k->config_whole,
	                    k->toolchain, compiler, domain, s->rebuild ? s->id : 0, key);
	e = want_layout(db, p, s, k, compiler, key, 0, &have, now_ms, w);
	/* What only validates, or is only built, is not measured. */
	for (layout = 1; e == OK && k->validates == NONE && !k->built_only && layout < s->layouts;
	     layout++) {
		struct kernel relinked = {0};

		e = want_layout(db, p, s, k, compiler, key, layout, &relinked, now_ms, w);
		if (e == OK)
			e = store_layout_add(db, s->id, k->pos, layout, relinked.id, w);
	}
	if (e != OK)
		return e;
	k->state = s->layouts > 1 && !k->built_only ? "building" : have.state;
	k->kernel_id = have.id;
	k->kernel_state = have.state;
	return store_sub_kernel_set(db, s->id, k->pos, k->state, NULL, NULL, NULL, have.id, w);
}

/* Of its relinks: *open, some are being built; *failed, why one could not be. */
static enum err layouts_yet(struct db *db, struct pool *p, const struct sub *s,
                            const struct sub_kernel *k, bool *open, const char **failed,
                            struct why *w)
{
	struct sub_layouts l = {0};
	size_t i;
	enum err e = s->layouts > 1 ? store_layouts(db, s->id, p, &l, w) : OK;

	*open = false;
	*failed = NULL;
	for (i = 0; e == OK && i < l.count; i++) {
		if (l.at[i].pos != k->pos)
			continue;
		*open |= str_eq(l.at[i].state, "building");
		if (!*failed && str_eq(l.at[i].state, "failed"))
			*failed = pool_fmt(p, "layout %lld: %s", (long long)l.at[i].layout,
			                   l.at[i].why ? l.at[i].why : "no reason given");
	}
	return e;
}

static enum err built_yet(struct db *db, struct pool *p, const struct sub *s, struct sub_kernel *k,
                          struct why *w)
{
	struct kernel have;
	const char *failed;
	bool open = false;
	enum err e;

	if (!str_eq(k->kernel_state, "ready") && !str_eq(k->kernel_state, "failed"))
		return OK;
	e = store_kernel_get(db, k->kernel_id, p, &have, w);
	if (e == OK)
		e = layouts_yet(db, p, s, k, &open, &failed, w);
	if (e != OK || (open && str_eq(have.state, "ready")))
		return e;
	k->state = failed ? "failed" : have.state;
	k->why = str_eq(have.state, "failed") ? have.why : failed;
	return store_sub_kernel_set(db, s->id, k->pos, k->state, k->why, NULL, NULL, NONE, w);
}

/* ---- the whole */

/* What waits for it in a track goes on. */
enum err sched_sub_ends(struct db *db, int64_t sub, const char *state, const char *why,
                        int64_t now_ms, struct why *w)
{
	enum err e = store_sub_state(db, sub, state, why, now_ms, w);

	return e == OK ? store_track_wake_sub(db, sub, now_ms, w) : e;
}

static enum err base_failed(struct db *db, struct pool *p, const struct sub *s,
                            const struct sub_kernel *base, int64_t now_ms, struct why *w)
{
	struct series series;
	enum err e = store_series_get(db, s->id, p, &series, w);

	/* A series that was never resolved: it may be any patch, or the base. */
	return e != OK ? e
	               : sched_sub_ends(db, s->id, "failed",
	                                series.is && !series.count
	                                        ? base->why
	                                        : pool_fmt(p, "baseline \"%s\": %s", base->name,
	                                                   base->why),
	                                now_ms, w);
}

/* All kernels that are booted are ready or failed: is there anything to boot? `building`
 * others are not there yet, and a submission ends behind them. */
static enum err kernels_settled(struct db *db, struct pool *p, const struct sub *s,
                                const struct sub_kernels *k, size_t building, int64_t now_ms,
                                struct why *w)
{
	const struct sub_kernel *base = &k->at[s->baseline], *failed = NULL;
	size_t i, ready = 0, compared = 0;

	for (i = 0; i < k->count; i++) {
		if (k->at[i].validates != NONE || k->at[i].built_only)
			continue;
		compared++;
		if (str_eq(k->at[i].state, "ready"))
			ready++;
		else if (!failed)
			failed = &k->at[i];
	}
	if (building && (!str_eq(base->state, "ready") || (ready == 1 && compared > 1)))
		return str_eq(s->state, "building")
		               ? OK
		               : store_sub_state(db, s->id, "building", NULL, NONE, w);
	if (!str_eq(base->state, "ready"))
		return base_failed(db, p, s, base, now_ms, w);
	if (ready == 1 && compared > 1)
		return sched_sub_ends(db, s->id, "failed",
		                      pool_fmt(p, "kernel \"%s\": %s", failed->name, failed->why),
		                      now_ms, w);
	if (!s->planned) {
		const char *commit;
		bool same;
		/* A bisection has its answer already. */
		enum err e = store_bisect_same(db, s->id, p, &same, &commit, w);

		if (e == OK && same)
			return schedule_spare(
			        db, s->id,
			        pool_fmt(p, "its binary is that of %.12s: not booted", commit),
			        now_ms, w);
		if (e == OK)
			e = sched_lay_boots(db, p, s, k, now_ms, w);
		if (e != OK)
			return e;
	} else {
		enum err e = sched_lay_steps(db, p, s, k, now_ms, w);

		if (e != OK)
			return e;
	}
	return str_eq(s->state, "booting") ? OK
	                                   : store_sub_state(db, s->id, "booting", NULL, NONE, w);
}

static enum err advance(struct db *db, struct pool *p, int64_t sub, int64_t now_ms, struct why *w)
{
	struct sub_kernels k = {0};
	struct sub s;
	size_t i, resolving = 0, building = 0, beside = 0;
	const char *state, *why = NULL;
	enum err e;

	e = store_sub_get(db, sub, p, &s, w);
	if (e != OK || s.ended_ms != NONE)
		return e;
	e = store_sub_all_kernels(db, sub, p, &k, w);
	for (i = 0; e == OK && i < k.count; i++) {
		struct sub_kernel *x = &k.at[i];

		if (str_eq(x->state, "new") || (str_eq(x->state, "resolving") && !x->commit))
			e = want_commit(db, p, &s, x, &k, now_ms, w);
		if (e == OK && str_eq(x->state, "resolving") && x->commit)
			e = want_kernel(db, p, &s, x, now_ms, w);
		if (e == OK && str_eq(x->state, "building"))
			e = built_yet(db, p, &s, x, w);
		if (x->built_only && x->commit) {
			beside += str_eq(x->state, "resolving") || str_eq(x->state, "building");
			continue;
		}
		resolving += str_eq(x->state, "resolving");
		building += str_eq(x->state, "building");
		if (x->why && str_eq(x->state, "resolving"))
			why = x->why;
	}
	if (e != OK)
		return e;
	if (resolving + building == 0)
		return kernels_settled(db, p, &s, &k, beside, now_ms, w);
	state = resolving ? "resolving" : "building";
	if (str_eq(state, s.state) && str_eq(why, s.why))
		return OK;
	return store_sub_state(db, sub, state, why, NONE, w);
}

enum err schedule_advance(struct db *db, int64_t sub, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	enum err e = advance(db, p, sub, now_ms, w);

	pool_free(p);
	return e;
}

static enum err advance_each(struct db *db, const struct ids *subs, int64_t now_ms, struct why *w)
{
	enum err e = OK;
	size_t i;

	for (i = 0; e == OK && i < subs->count; i++)
		e = schedule_advance(db, subs->at[i], now_ms, w);
	return e;
}

enum err schedule_all(struct db *db, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct ids subs = {0};
	enum err e = store_sub_open(db, p, &subs, w);

	if (e == OK)
		e = advance_each(db, &subs, now_ms, w);
	pool_free(p);
	return e;
}

/* ---- ends of jobs */

/* What was asked of the series, with what the agent found. */
static enum err resolved_series(struct db *db, struct pool *p, int64_t sub, const char *commit,
                                const struct series *found, const char **why_not, struct why *w)
{
	struct sub_kernels k = {0};
	struct series s;
	enum err e = store_series_get(db, sub, p, &s, w);

	*why_not = NULL;
	if (e != OK || !s.is)
		return e;
	if (!s.bundle)
		s.bundle = found->bundle;
	s.patch = found->patch;
	s.count = found->count;
	e = store_sub_kernels(db, sub, p, &k, w);
	if (e != OK)
		return e;
	k.at[0].commit = commit;
	return sched_series_kernels(db, p, sub, &k.at[0], &s, why_not, w);
}

enum err schedule_resolved(struct db *db, const struct job *j, const char *commit,
                           const char *subject, const struct series *found, int64_t now_ms,
                           struct why *w)
{
	struct pool *p = pool_new();
	struct sub_kernels k = {0};
	const char *why_not;
	size_t i;
	enum err e = resolved_series(db, p, j->submission, commit, found, &why_not, w);

	if (e == OK && why_not) {
		e = schedule_failed(db, j, "build", why_not, NONE, now_ms, w);
		pool_free(p);
		return e;
	}
	if (e == OK)
		e = store_job_end(db, j->id, "done", NULL, NULL, now_ms, w);
	if (e == OK)
		e = store_sub_all_kernels(db, j->submission, p, &k, w);
	for (i = 0; e == OK && i < k.count; i++)
		if (sched_resolves(j, &k.at[i], &k))
			e = store_sub_kernel_set(db, j->submission, k.at[i].pos, "resolving", NULL,
			                         commit, subject, NONE, w);
	if (e == OK)
		e = schedule_advance(db, j->submission, now_ms, w);
	pool_free(p);
	return e;
}

static enum err kernel_changed(struct db *db, int64_t kernel, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct ids subs = {0};
	enum err e = store_sub_of_kernel(db, kernel, p, &subs, w);

	if (e == OK)
		e = advance_each(db, &subs, now_ms, w);
	pool_free(p);
	return e;
}

enum err schedule_built(struct db *db, const struct job *j, const struct kernel *built,
                        int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct kernel asked = {0};
	enum err e = store_kernel_get(db, j->kernel, p, &asked, w);

	pool_free(p);
	/* An agent that knows no layouts would pass off one kernel as several. */
	if (e == OK && asked.layout != built->layout)
		return schedule_failed(db, j, "build", "the agent cannot relink a kernel", NONE,
		                       now_ms, w);
	if (e == OK)
		e = store_job_end(db, j->id, "done", NULL, NULL, now_ms, w);
	if (e == OK)
		e = store_kernel_ready(db, j->kernel, built, w);
	return e == OK ? kernel_changed(db, j->kernel, now_ms, w) : e;
}

enum err schedule_booted(struct db *db, const struct job *j, int64_t boot, bool valid,
                         int64_t now_ms, struct why *w)
{
	enum err e = store_job_end(db, j->id, "done", NULL, NULL, now_ms, w);

	if (e == OK)
		e = store_board_streak(db, j->board, 0, w);
	if (e == OK && j->submission != NONE && !job_is_check(j))
		e = store_boot_link(db, j->submission, boot, false, w);
	(void)valid;
	if (e == OK && job_is_check(j))
		e = sched_check_ended(db, j, now_ms, w);
	if (e == OK && j->submission != NONE)
		e = schedule_advance(db, j->submission, now_ms, w);
	return e;
}

static enum err resolve_failed(struct db *db, const struct job *j, const char *why, int64_t now_ms,
                               struct why *w)
{
	struct pool *p = pool_new();
	struct sub_kernels k = {0};
	size_t i;
	enum err e = store_sub_all_kernels(db, j->submission, p, &k, w);

	for (i = 0; e == OK && i < k.count; i++)
		if (sched_resolves(j, &k.at[i], &k))
			e = store_sub_kernel_set(db, j->submission, k.at[i].pos, "failed", why,
			                         NULL, NULL, NONE, w);
	if (e == OK)
		e = schedule_advance(db, j->submission, now_ms, w);
	pool_free(p);
	return e;
}

static enum err failed(struct db *db, const struct job *j, const char *class, const char *why,
                       int64_t boot, bool vanished, int64_t now_ms, struct why *w)
{
	enum err e = OK;

	if (str_eq(j->kind, "boot")) {
		if (boot != NONE && j->submission != NONE && !job_is_check(j) &&
		    !str_eq(class, "infra"))
			e = store_boot_link(db, j->submission, boot, false, w);
		if (e == OK)
			e = sched_boot_failed(db, j, class, why, vanished, now_ms, w);
		if (e == OK && j->submission != NONE)
			e = schedule_advance(db, j->submission, now_ms, w);
		return e;
	}
	if (str_eq(class, "infra") && j->infra_failures < INFRA_RETRIES)
		return store_job_requeue(db, j->id, why, w);
	e = store_job_end(db, j->id, "failed", class, why, now_ms, w);
	if (e != OK)
		return e;
	if (str_eq(j->kind, "resolve"))
		return resolve_failed(db, j, why, now_ms, w);
	if (str_eq(j->kind, "walk"))
		return walk_failed(db, j, why, now_ms, w);
	e = store_kernel_failed(db, j->kernel, why, w);
	return e == OK ? kernel_changed(db, j->kernel, now_ms, w) : e;
}

enum err schedule_failed(struct db *db, const struct job *j, const char *class, const char *why,
                         int64_t boot, int64_t now_ms, struct why *w)
{
	return failed(db, j, class, why, boot, false, now_ms, w);
}

enum err schedule_expired(struct db *db, int64_t job, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct job j;
	enum err e = store_job_get(db, job, p, &j, w);

	if (e == OK && str_eq(j.state, "leased"))
		e = failed(db, &j, "infra",
		           pool_fmt(p, "agent \"%s\" did not renew the lease of attempt %lld",
		                    j.agent, (long long)j.attempt),
		           NONE, true, now_ms, w);
	pool_free(p);
	return e;
}
