#include "server/store_token.h"

#include <stdio.h>
#include <string.h>

const char *const token_roles[] = {"read", "submit", "agent", "admin", NULL};

#define COLUMNS "id, hash, label, role, created_ms, revoked_ms"

static void read_row(struct db_stmt *s, struct token *t)
{
	const char *role = db_text(s, 3);

	*t = (struct token){.id = db_int(s, 0), .created_ms = db_int(s, 4), .revoked_ms = -1};
	snprintf(t->hash, sizeof(t->hash), "%s", db_text(s, 1));
	snprintf(t->label, sizeof(t->label), "%s", db_text(s, 2));
	for (int i = 0; token_roles[i]; i++) {
		if (strcmp(role, token_roles[i]) == 0)
			t->role = (enum role)(i + 1);
	}
	if (!db_is_null(s, 5))
		t->revoked_ms = db_int(s, 5);
}

static enum err add(struct db *db, void *arg, struct why *w)
{
	struct token *t = arg;
	struct db_stmt *s = db_prepare(db, "INSERT INTO token(hash, label, role, created_ms)"
	                                   " VALUES (?1, ?2, ?3, ?4) RETURNING id");

	db_bind_text(s, 1, t->hash);
	db_bind_text(s, 2, t->label);
	db_bind_text(s, 3, token_roles[t->role - 1]);
	db_bind_int(s, 4, t->created_ms);
	return db_run_int(s, &t->id, w);
}

enum err token_add(struct db_store *store, struct token *t, struct why *w)
{
	t->revoked_ms = -1;
	return db_write(store, add, t, w);
}

enum err token_by_hash(struct db *db, const char *hash, struct token *out, struct why *w)
{
	struct db_stmt *s = db_prepare(db, "SELECT " COLUMNS " FROM token WHERE hash = ?1");
	enum err e;

	db_bind_text(s, 1, hash);
	e = db_step(s, w);
	if (e == OK && !db_has_row(s))
		e = err_set(w, ERR_NOT_FOUND, "no such token");
	if (e == OK)
		read_row(s, out);
	db_done(s);
	return e;
}

enum err token_admins(struct db *db, int64_t *count, struct why *w)
{
	return db_run_int(db_prepare(db, "SELECT count(*) FROM token"
	                                 " WHERE role = 'admin' AND revoked_ms IS NULL"),
	                  count, w);
}

static enum err by_id(struct db *db, int64_t id, struct token *out, struct why *w)
{
	struct db_stmt *s = db_prepare(db, "SELECT " COLUMNS " FROM token WHERE id = ?1");
	enum err e;

	db_bind_int(s, 1, id);
	e = db_step(s, w);
	if (e == OK && !db_has_row(s))
		e = err_set(w, ERR_NOT_FOUND, "there is no token %lld", (long long)id);
	if (e == OK)
		read_row(s, out);
	db_done(s);
	return e;
}

struct revoke {
	int64_t id, now_ms;
	struct token *out;
};

static enum err revoke(struct db *db, void *arg, struct why *w)
{
	struct revoke *r = arg;
	struct db_stmt *s;
	int64_t admins = 0;
	enum err e;

	e = by_id(db, r->id, r->out, w);
	if (e != OK || r->out->revoked_ms >= 0)
		return e;
	e = token_admins(db, &admins, w);
	if (e != OK)
		return e;
	if (r->out->role == ROLE_ADMIN && admins == 1)
		return err_set(w, ERR_CONFLICT,
		               "token %lld is the last of role admin: make another first",
		               (long long)r->id);
	s = db_prepare(db, "UPDATE token SET revoked_ms = ?2 WHERE id = ?1");
	db_bind_int(s, 1, r->id);
	db_bind_int(s, 2, r->now_ms);
	r->out->revoked_ms = r->now_ms;
	return db_run(s, w);
}

enum err token_revoke(struct db_store *store, int64_t id, int64_t now_ms, struct token *out,
                      struct why *w)
{
	struct revoke r = {id, now_ms, out};

	return db_write(store, revoke, &r, w);
}

enum err token_each(struct db *db, void (*each)(void *ctx, const struct token *t), void *ctx,
                    struct why *w)
{
	struct db_stmt *s = db_prepare(db, "SELECT " COLUMNS " FROM token ORDER BY id");
	struct token t;
	enum err e;

	while ((e = db_step(s, w)) == OK && db_has_row(s)) {
		read_row(s, &t);
		each(ctx, &t);
	}
	db_done(s);
	return e;
}

enum err token_role_of(struct db *db, const char *label, enum role *role, struct why *w)
{
	struct db_stmt *s = db_prepare(db, "SELECT role FROM token WHERE label = ?1 AND revoked_ms"
	                                   " IS NULL AND role IN ('admin', 'submit')"
	                                   " ORDER BY role LIMIT 1");
	enum err e;

	db_bind_text(s, 1, label);
	e = db_step(s, w);
	*role = e != OK || !db_has_row(s)             ? ROLE_NONE
	        : strcmp(db_text(s, 0), "admin") == 0 ? ROLE_ADMIN
	                                              : ROLE_SUBMIT;
	db_done(s);
	return e;
}
