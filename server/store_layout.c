/* store_layout.c - SQL for relinks and for floors. */
#include "server/store_layout.h"

#include "lib/mem.h"

#include <stdlib.h>

enum err store_layout_add(struct db *db, int64_t sub, int64_t pos, int64_t layout, int64_t kernel,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO submission_layout (submission_id, pos, layout, kernel_id)"
	            " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, pos);
	db_bind_int(q, 3, layout);
	db_bind_int(q, 4, kernel);
	return db_run(q, w);
}

enum err store_layouts(struct db *db, int64_t sub, struct pool *p, struct sub_layouts *out,
                       struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT l.pos, l.layout, l.kernel_id, k.state, k.why"
	                       " FROM submission_layout l JOIN kernel k ON k.id = l.kernel_id"
	                       " WHERE l.submission_id = ?1 ORDER BY l.pos, l.layout");
	enum err e;

	db_bind_int(q, 1, sub);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct sub_layout *)pool_push(p, (void **)&out->at, &out->count,
		                                sizeof(*out->at)) =
		        (struct sub_layout){.pos = db_int(q, 0),
		                            .layout = db_int(q, 1),
		                            .kernel = db_int(q, 2),
		                            .state = col_str(q, 3, p),
		                            .why = col_str(q, 4, p)};
	db_done(q);
	return e;
}

/* The group that is being read. */
struct floor_reading {
	struct floor_row *at;
	size_t count, room;
	int64_t case_id, alike;
};

static void end_group(struct floor_reading *r, const struct floor_want *want)
{
	if (r->count)
		want->group(want->arg, &(struct floor_group){r->case_id, r->at, r->count});
	r->count = 0;
}

static void add_floor_row(struct floor_reading *r, struct db_stmt *q)
{
	r->case_id = db_int(q, 0);
	r->alike = db_int(q, 1);
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->at = xreallocarray(r->at, r->room, sizeof(*r->at));
	}
	r->at[r->count++] =
	        (struct floor_row){db_int(q, 2), db_int(q, 3), db_int(q, 4), db_real(q, 5)};
}

/* Boots that are alike get one number before their cases are looked up: the texts that
 * they are alike by would be sorted once a case. */
enum err store_floor_groups(struct db *db, const struct floor_want *want, struct why *w)
{
	struct floor_reading r = {0};
	struct db_stmt *q = db_prepare(
	        db, "WITH recent AS (SELECT b.id, k.layout,"
	            " coalesce(o.section_hash, k.family, k.key) AS family,"
	            " coalesce(b.submission_id, -b.id) AS asked, b.plan_sha256, b.phase,"
	            " coalesce(b.env_id, '') AS env"
	            " FROM boot b JOIN kernel k ON k.id = b.kernel_id"
	            " LEFT JOIN kernel o ON o.key = coalesce(k.family, k.key)"
	            " AND o.state <> 'failed'"
	            " WHERE b.board = ?1 AND b.id <= ?2 AND b.metric = ?3"
	            " AND b.board_identity = ?4 AND b.valid = 1 AND b.replicate = 0"
	            " AND b.imported = 0 AND b.purpose <> 'validate' ORDER BY b.id DESC LIMIT ?5),"
	            " ranked AS (SELECT id, layout, asked, phase, family,"
	            " dense_rank() OVER (ORDER BY family, plan_sha256, env) AS alike FROM recent),"
	            " several AS (SELECT family FROM recent GROUP BY family"
	            " HAVING COUNT(DISTINCT layout) > 1"
	            " OR (?6 = 0 AND COUNT(DISTINCT asked) > 1))"
	            " SELECT t.case_id, r.alike, r.layout, r.asked, coalesce(r.phase, 0),"
	            " AVG(t.median) FROM ranked r JOIN several s ON s.family = r.family"
	            " JOIN run_stat t ON t.boot_id = r.id"
	            " JOIN submission_case c ON c.submission_id = ?7 AND c.case_id = t.case_id"
	            " GROUP BY t.case_id, r.id"
	            " ORDER BY t.case_id, r.alike, r.layout, r.asked, r.id");
	enum err e;

	db_bind_text(q, 1, want->board);
	db_bind_int(q, 2, want->newest);
	db_bind_text(q, 3, want->metric);
	db_bind_text(q, 4, want->identity);
	db_bind_int(q, 5, want->boots);
	db_bind_int(q, 6, want->layouts_only);
	db_bind_int(q, 7, want->submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		if (r.case_id != db_int(q, 0) || r.alike != db_int(q, 1))
			end_group(&r, want);
		add_floor_row(&r, q);
	}
	if (e == OK)
		end_group(&r, want);
	free(r.at);
	db_done(q);
	return e;
}
