/* store_presence.c - SQL for the boots in which a fault shows. */
#include "server/store_presence.h"

#include "lib/mem.h"

/* A boot `b` that would have shown it. */
#define RAN                                                                              \
	"(b.valid = 1 OR (b.reached = 'measured' AND EXISTS (SELECT 1 FROM boot_place r" \
	" WHERE r.boot_id = b.id)))"
#define SHOWS                                                                          \
	"EXISTS (SELECT 1 FROM boot_place f WHERE f.boot_id = b.id AND f.signature = " \
	"?1)"

static bool same_place(const struct presence_place *a, const struct presence_place *b)
{
	return a->track == b->track && str_eq(a->board, b->board) &&
	       str_eq(a->identity, b->identity) && str_eq(a->env, b->env) &&
	       str_eq(a->config, b->config) && str_eq(a->purpose, b->purpose);
}

static void add(struct pool *p, struct presence_places *out, const struct presence_place *x)
{
	for (size_t i = 0; i < out->count; i++) {
		struct presence_place *o = &out->at[i];

		if (!same_place(o, x))
			continue;
		o->first = x->first < o->first ? x->first : o->first;
		o->last = x->last > o->last ? x->last : o->last;
		return;
	}
	*(struct presence_place *)pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)) =
	        *x;
}

enum err store_presence_places(struct db *db, const char *signature, int64_t since_ms,
                               int64_t limit, struct pool *p, struct presence_places *out,
                               struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT DISTINCT f.boot_id, t.track_id, t.position, b.board, b.board_identity,"
	            " CASE WHEN b.reached = 'measured' THEN b.env_id ELSE (SELECT o.env_id"
	            " FROM submission_boot s JOIN boot o ON o.id = s.boot_id"
	            " WHERE s.submission_id = t.submission_id AND o.board = b.board"
	            " AND o.board_identity = b.board_identity AND o.purpose = b.purpose"
	            " AND (o.valid = 1 OR o.reached = 'measured') ORDER BY o.id LIMIT 1) END,"
	            " k.config_sha256, b.purpose FROM boot_place f JOIN boot b ON b.id = f.boot_id"
	            " JOIN kernel k ON k.id = b.kernel_id JOIN track_point t"
	            " ON t.commit_id = k.commit_id JOIN track r ON r.id = t.track_id"
	            " WHERE f.signature = ?1 AND b.created_ms > ?2 AND b.imported = 0"
	            " AND b.purpose IN ('work','validate') AND r.state <> 'ended'"
	            " AND EXISTS (SELECT 1 FROM submission_boot m"
	            " WHERE m.submission_id = t.submission_id AND m.boot_id = b.id)"
	            " ORDER BY f.boot_id DESC LIMIT ?3");
	enum err e;

	db_bind_text(q, 1, signature);
	db_bind_int(q, 2, since_ms);
	db_bind_int(q, 3, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct presence_place x = {.track = db_int(q, 1),
		                           .first = db_int(q, 2),
		                           .last = db_int(q, 2),
		                           .board = col_str(q, 3, p),
		                           .identity = col_str(q, 4, p),
		                           .env = col_str(q, 5, p),
		                           .config = col_str(q, 6, p),
		                           .purpose = col_str(q, 7, p)};

		add(p, out, &x);
	}
	db_done(q);
	return e;
}

enum err store_presence_boots(struct db *db, const struct presence_place *x, const char *signature,
                              int64_t until, struct presence_boots *out, struct why *w)
{
	/* By commit: what bisections and persons booted of a point counts as well. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT count(DISTINCT CASE WHEN y.position <= ?9 AND y.shows THEN y.id END),"
	            " count(DISTINCT CASE WHEN y.position <= ?9 THEN y.id END),"
	            " count(DISTINCT CASE WHEN y.position > ?9 THEN y.id END),"
	            " count(DISTINCT CASE WHEN y.position > ?9 THEN y.position END)"
	            " FROM (SELECT t.position, b.id, " SHOWS " AS shows FROM track_point t"
	            " JOIN kernel k ON k.commit_id = t.commit_id JOIN boot b ON b.kernel_id = k.id"
	            " WHERE t.track_id = ?2 AND t.position >= ?8 AND t.position <= ?10"
	            " AND b.board = ?3 AND b.board_identity = ?4 AND b.imported = 0"
	            " AND b.purpose = ?7 AND coalesce(k.config_sha256, '') = coalesce(?6, '')"
	            " AND (?5 IS NULL OR b.env_id = ?5 OR (coalesce(b.reached, '') <> 'measured'"
	            " AND " SHOWS ")) AND (" RAN " OR " SHOWS ")) AS y");
	enum err e;

	*out = (struct presence_boots){0};
	db_bind_text(q, 1, signature);
	db_bind_int(q, 2, x->track);
	db_bind_text(q, 3, x->board);
	db_bind_text(q, 4, x->identity);
	db_bind_text(q, 5, x->env);
	db_bind_text(q, 6, x->config);
	db_bind_text(q, 7, x->purpose);
	db_bind_int(q, 8, x->first);
	db_bind_int(q, 9, x->last);
	db_bind_int(q, 10, until);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*out = (struct presence_boots){.showed = db_int(q, 0),
		                               .boots = db_int(q, 1),
		                               .without = db_int(q, 2),
		                               .points = db_int(q, 3)};
	db_done(q);
	return e;
}

enum err store_presence_since(struct db *db, int64_t alert, int64_t *since_ms, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT coalesce(max(at_ms), 0) FROM alert_step WHERE alert_id = ?1"
	                       " AND to_state IN ('recovered','fixed')");

	db_bind_int(q, 1, alert);
	return db_run_int(q, since_ms, w);
}

enum err store_presence_open(struct db *db, struct pool *p, struct ids *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT id FROM alert WHERE kind = 'fault' AND state IN"
	                                   " ('new','confirmed','acknowledged') ORDER BY id");

	return read_ids(q, p, out, w);
}

/* A boot of a point, made since alert `a` was over last, that shows it. */
#define ON_A_POINT                                                                    \
	" FROM boot_place f JOIN boot b ON b.id = f.boot_id JOIN submission_boot m"   \
	" ON m.boot_id = b.id JOIN kernel k ON k.id = b.kernel_id JOIN track_point x" \
	" ON x.submission_id = m.submission_id AND x.commit_id = k.commit_id"         \
	" JOIN track t ON t.id = x.track_id WHERE f.signature = a.signature"          \
	" AND b.imported = 0 AND b.created_ms > (SELECT coalesce(max(s.at_ms), 0)"    \
	" FROM alert_step s WHERE s.alert_id = a.id AND s.to_state IN ('recovered',"  \
	"'fixed'))"

enum err store_presence_left(struct db *db, int64_t track, struct pool *p, struct ids *out,
                             struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT a.id FROM alert a WHERE a.kind = 'fault'"
	            " AND a.state IN ('new','confirmed','acknowledged') AND EXISTS (SELECT 1" //
	        ON_A_POINT " AND t.id = ?1) AND NOT EXISTS (SELECT 1"                         //
	        ON_A_POINT " AND t.state <> 'ended') ORDER BY a.id");

	db_bind_int(q, 1, track);
	return read_ids(q, p, out, w);
}
