/* store_util.c - answers that are nothing but ids. */
#include "server/store_util.h"

enum err read_ids(struct db_stmt *q, struct pool *p, struct ids *out, struct why *w)
{
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(int64_t *)pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)) =
		        db_int(q, 0);
	db_done(q);
	return e;
}

enum err read_id(struct db_stmt *q, int64_t *id, struct why *w)
{
	enum err e = db_step(q, w);

	*id = e == OK && db_has_row(q) ? db_int(q, 0) : NONE;
	db_done(q);
	return e;
}
