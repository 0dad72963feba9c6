/*
 * history.c - a new point of a history of 10, 1,000 and 100,000 points, as the server brings
 * it up to date inside the transaction of its comparison; and a history of 10^6 points, asked
 * for over HTTP and answered as buckets.
 *
 * The points are written as rows, as the server would have written them. What is timed is
 * the server's own history_compared(), and a whole request.
 */
#include "tests/bench/bench.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "server/db.h"
#include "server/history.h"
#include "server/store_alert.h"
#include "server/store_track.h"

#include <stdio.h>
#include <stdlib.h>

#define ADDED 60      /* points that are timed */
#define LONG  1000000 /* points of the history that is asked for */
#define ASKED 40

#define CASE_TEXT "fork/order=0,size=256M"

static void must(enum err e, const struct why *w)
{
	if (e != OK)
		die("%s", w->text);
}

static enum err run_text(struct db *db, void *arg, struct why *w)
{
	return db_run(db_prepare(db, arg), w);
}

/* One statement; @ and # in it are the numbers. */
static void sql(struct db_store *s, const char *text, int64_t a, int64_t b)
{
	struct buf out;
	struct why w;

	buf_init(&out, 1 << 16);
	for (; *text; text++) {
		if (*text == '@' || *text == '#')
			buf_addf(&out, "%lld", (long long)(*text == '@' ? a : b));
		else
			buf_addc(&out, *text);
	}
	must(db_write(s, run_text, out.data, &w), &w);
	buf_release(&out);
}

/* A branch, a board with noise, and a kernel that all points share. */
static void prepare(struct db_store *s)
{
	static const char *const first[] = {
	        "INSERT INTO agent (name, version, builds, seen_ms) VALUES ('h', '1', 1, 1)",
	        "INSERT INTO board (name, agent, kind, labels, metric, deterministic, emulated,"
	        " untrusted, capabilities, description, identity, offered, state) VALUES"
	        " ('hw', 'h', 'self', ' ', 'ns', 0, 0, 1, '{}', '', 'i', 1, 'active')",
	        "INSERT INTO walk (id, submitter, tree, ref, state, asked_ms) VALUES"
	        " (1, 'h', 'https://example.org/linux.git', 'master', 'done', 1)",
	        "INSERT INTO track (id, tree, branch, every_ms, mode, request, config, submitter,"
	        " admin, state, next_ms, wake_ms, created_ms, changed_ms) VALUES (1,"
	        " 'https://example.org/linux.git', 'master', 900000, 'tips', '{}', '\"x\"', 'h',"
	        " 0, 'paused', 1, 1, 1, 1)",
	        "INSERT INTO kernel (id, key, domain, tree, commit_id, config_name, config_whole,"
	        " state, section_hash, created_ms) VALUES (1, 'k', 'd',"
	        " 'https://example.org/linux.git', 'c', 'x', 0, 'ready', 'h', 1)",
	};

	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		sql(s, first[i], 0, 0);
}

#define RANGE                                                             \
	"WITH RECURSIVE n (i) AS (SELECT @ UNION ALL SELECT i + 1 FROM n" \
	" WHERE i < #) "
/* About +-0.25 % of 41 ms. */
#define VALUE "41000000.0 + ((i * 7919) % 1009 - 504) * 200.0"

/* Submissions with finished comparisons of points from..until, each against the one before. */
static void compared(struct db_store *s, int64_t from, int64_t until)
{
	static const char *const rows[] = {
	        RANGE "INSERT INTO submission (id, submitter, content_hash, title, baseline,"
	              " priority, reuse, runs, iterations, warmup, layouts, plan, memory_bytes,"
	              " imported, state, planned, created_ms, ended_ms) SELECT i, 'h', 'h', 't', 0,"
	              " 0, 1, 1, 5, 1, 1, '', 1, 0, 'done', 1, 1, 1 FROM n",
	        RANGE
	        "INSERT INTO submission_kernel (submission_id, pos, name, commit_id,"
	        " config_name, config_whole, kernel_id, state) SELECT i, 0, 'a', 'c' || (i - 1),"
	        " 'x', 0, 1, 'ready' FROM n",
	        RANGE "INSERT INTO submission_kernel (submission_id, pos, name, commit_id,"
	              " config_name, config_whole, kernel_id, state) SELECT i, 1, 'b', 'c' || i,"
	              " 'x', 0, 1, 'ready' FROM n",
	        RANGE "INSERT INTO comparison (submission_id, last_boot, last_known, complete,"
	              " body) SELECT i, 1, 0, 1, '{}' FROM n",
	        RANGE "INSERT INTO cell (submission_id, pos, board, case_text, metric, kernel,"
	              " env_id, mean, base_mean, change, tau, layouts, boots, invalid_boots, runs,"
	              " skewed, verdict, last_boot) SELECT i, 1, 'hw', '" CASE_TEXT
	              "', 'ns', 'b', 'e', " VALUE ", 41000000.0, 0, 0.01, 1, 8, 0, 8, 0, 'same', 1"
	              " FROM n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		sql(s, rows[i], from, until);
}

/* A history that stands, of points 1..n. */
static void stand(struct db_store *s, int64_t n)
{
	static const char *const rows[] = {
	        "INSERT INTO history (id, track_id, board, case_text, metric, config, env_id,"
	        " config_name, unit, deterministic, more_is_better, points, class) VALUES (1, 1,"
	        " 'hw', '" CASE_TEXT "', 'ns', '', 'e', 'x', 'ns', 0, 0, #, 'steady')",
	        RANGE "INSERT INTO history_point (history_id, position, value, spread, boots,"
	              " carried, tau, against, change, low, high, moved, kernel_id, submission_id,"
	              " last_boot) SELECT 1, i, " VALUE
	              ", 0.001, 8, 0, 0.01, i - 1, 0, 0, 0, 0, 1, 1, 1 FROM n",
	        "INSERT INTO history_block (history_id, block, points, low, high, total) SELECT 1,"
	        " position / 256, count(*), min(value), max(value), sum(value) FROM history_point"
	        " GROUP BY position / 256",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		sql(s, rows[i], 1, n);
}

static void points(struct db_store *s, int64_t n)
{
	sql(s,
	    RANGE "INSERT INTO track_point (track_id, position, commit_id, kind, walk_id, rebased,"
	          " submission_id, seen_ms) SELECT 1, i, 'c' || i, 'tip', 1, 0,"
	          " (SELECT id FROM submission WHERE id = i), 1 FROM n",
	    1, n);
}

/* ---- a new point */

struct timed {
	int64_t submission, took_ns;
};

static enum err update(struct db *db, void *arg, struct why *w)
{
	struct timed *t = arg;
	int64_t began = clock_mono_ns();
	enum err e = history_compared(db, t->submission, true, 1, w);

	t->took_ns = clock_mono_ns() - began;
	return e;
}

static double updated(int64_t n)
{
	char *dir = xasprintf("%s/history-%lld", settings.work, (long long)n), *path;
	double took[ADDED];
	int64_t stood = 0;
	struct db_store *s;
	struct why w;

	must(dir_make(dir, 0700, &w), &w);
	path = path_join(dir, "foldwatch.db");
	must(db_open(path, 1, &s, &w), &w);
	prepare(s);
	compared(s, n, n + ADDED); /* the newest that stands is one of them */
	stand(s, n);
	points(s, n + ADDED);
	for (int64_t i = 0; i < ADDED; i++) {
		struct timed t = {.submission = n + 1 + i};

		must(db_write(s, update, &t, &w), &w);
		took[i] = (double)t.took_ns / 1e6;
	}
	must(db_run_int(db_prepare(db_reader(s), "SELECT points FROM history"), &stood, &w), &w);
	if (stood != n + ADDED)
		die("a history of %lld points has %lld", (long long)n + ADDED, (long long)stood);
	db_close(s);
	dir_remove(dir, NULL);
	free(path);
	free(dir);
	return quantile(took, ADDED, .5);
}

/* ---- what is done late, and each minute */

#define MANY    100000
#define KERNELS 10000
#define LATE    20

/* What a track that has nothing to do asks, and whether a kernel is older than an alert. */
static enum err idle(struct db *db, void *arg, struct why *w)
{
	struct timed *t = arg;
	struct pool *p = pool_new();
	struct track_point x;
	struct point_times times;
	struct quiet_cells quiet;
	int64_t began = clock_mono_ns(), n;
	enum err e = store_point_filled(db, 1, 0, &n, w);

	if (e == OK)
		e = store_point_hole(db, 1, p, &x, w);
	if (e == OK)
		e = store_point_times(db, 1, &times, w);
	if (e == OK)
		e = store_point_quiet(db, 1, 3, p, &quiet, w);
	t->took_ns = clock_mono_ns() - began;
	pool_free(p);
	return e;
}

static enum err since(struct db *db, void *arg, struct why *w)
{
	struct timed *t = arg;
	int64_t began = clock_mono_ns(), ms;
	enum err e = store_alert_kernel_since(db, t->submission, &ms, w);

	t->took_ns = clock_mono_ns() - began;
	return e;
}

static double timed(struct db_store *s, db_write_fn *fn, int64_t first, int64_t step)
{
	double took[LATE];
	struct why w;

	for (int64_t i = 0; i < LATE; i++) {
		struct timed t = {.submission = first + i * step};

		must(db_write(s, fn, &t, &w), &w);
		took[i] = (double)t.took_ns / 1e6;
	}
	return quantile(took, LATE, .5);
}

static void in_ms(const char *name, double value, double bound)
{
	report(&(struct figure){.name = name,
	                        .value = value,
	                        .unit = "ms",
	                        .ratio = NAN,
	                        .kind = VALUE_MAX,
	                        .bound = bound});
}

/* A point of a hole far behind, and the questions that a standing track asks. */
static void settled(void)
{
	char *dir = xasprintf("%s/history-late", settings.work), *path;
	struct db_store *s;
	struct why w;

	must(dir_make(dir, 0700, &w), &w);
	path = path_join(dir, "foldwatch.db");
	must(db_open(path, 1, &s, &w), &w);
	prepare(s);
	stand(s, MANY);
	/* Where the holes are filled later; they lie apart by more than a window. */
	sql(s, "DELETE FROM history_point WHERE position % 1000 = 0 AND position <= #", 0,
	    1000 * LATE);
	sql(s, "UPDATE history SET points = (SELECT count(*) FROM history_point)", 0, 0);
	for (int64_t i = 1; i <= LATE; i++)
		compared(s, 1000 * i, 1000 * i);
	sql(s,
	    RANGE "INSERT INTO track_point (track_id, position, commit_id, kind, walk_id, rebased,"
	          " submission_id, seen_ms) SELECT 1, 1000 * i, 'c' || (1000 * i), 'commit', 1, 0,"
	          " 1000 * i, 1 FROM n",
	    1, LATE);
	/* The newest first: what stands behind a point is not looked at twice. */
	in_ms("history.late", timed(s, update, 1000 * LATE, -1000), 300);
	compared(s, MANY - 99, MANY);
	sql(s,
	    RANGE "INSERT INTO track_point (track_id, position, commit_id, kind, walk_id, rebased,"
	          " submission_id, seen_ms) SELECT 1, i, 'c' || i, 'tip', 1, 0,"
	          " (SELECT id FROM submission WHERE id = i), 1 FROM n WHERE i % 1000 OR i > 1000 *"
	          " 20",
	    1, MANY);
	sql(s,
	    RANGE "INSERT INTO kernel (id, key, domain, tree, commit_id, config_name, config_whole,"
	          " state, section_hash, image, created_ms) SELECT i, 'k' || i, 'd',"
	          " 'https://example.org/linux.git', 'c' || i, 'x', 0, 'ready', 'h' || i,"
	          " 'i' || i, 1 FROM n",
	    2, KERNELS);
	in_ms("history.idle_track", timed(s, idle, 1, 1), 5);
	in_ms("history.kernel_since", timed(s, since, 100, 100), 1);
	db_close(s);
	dir_remove(dir, NULL);
	free(path);
	free(dir);
}

/* ---- a long one */

static void asked(void)
{
	struct world *w = world_start("history");
	char *path;
	struct db_store *s;
	struct wire c;
	struct why why;
	double took[ASKED];
	size_t bytes = 0;

	/* The server would wait for hours of boots: it is told by its rows. */
	world_pause(w);
	path = world_db(w);
	must(db_open(path, 1, &s, &why), &why);
	note("writing a history of %d points", LONG);
	prepare(s);
	stand(s, LONG);
	points(s, LONG);
	db_close(s);
	world_resume(w);
	c = wire_connect(w);
	for (size_t i = 0; i < ASKED; i++) {
		int64_t began = clock_mono_ns();

		bytes = wire_get(&c, "/api/v1/tracks/1/history?case=" CASE_TEXT);
		took[i] = (double)(clock_mono_ns() - began) / 1e6;
	}
	wire_close(&c);
	note("%zu bytes of JSON", bytes);
	report(&(struct figure){.name = "history.1m_buckets",
	                        .value = quantile(took, ASKED, .5),
	                        .unit = "ms",
	                        .ratio = NAN,
	                        .kind = VALUE_MAX,
	                        .bound = 200});
	free(path);
	world_stop(w);
}

void bench_history(void)
{
	static const int64_t sizes[] = {10, 1000, 100000};
	double small = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *name = xasprintf("history.update_%lld", (long long)sizes[i]);
		double ms = updated(sizes[i]);

		/* It costs the window, however long the history is. */
		if (sizes[i] == 1000)
			small = ms;
		report(&(struct figure){.name = name,
		                        .value = ms,
		                        .unit = "ms",
		                        .ratio = sizes[i] > 1000 ? ms / small : NAN,
		                        .against = sizes[i] > 1000 ? "1,000 points" : NULL,
		                        .kind = sizes[i] > 1000 ? RATIO_MAX : NO_BOUND,
		                        .bound = 2});
		free(name);
	}
	settled();
	asked();
}
