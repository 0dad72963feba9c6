/*
 * db_stmt.c - statements: cache, values in and out, errors.
 */
#include "server/db_priv.h"

#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The errno behind an I/O error. SQLite's own answer is what errno happens to
 * be after its clean-up; the files remember what really failed. */
static int io_errno(sqlite3 *sql)
{
	static const int files[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		sqlite3_file *f = NULL;
		int sys = 0;

		if (sqlite3_file_control(sql, "main", files[i], &f) == SQLITE_OK && f &&
		    f->pMethods &&
		    f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &sys) == SQLITE_OK && sys)
			return sys;
	}
	return sqlite3_system_errno(sql);
}

enum err db_fail(struct db *db, int rc, const char *doing, struct why *w)
{
	int wide = sqlite3_extended_errcode(db->sql);
	const char *text = sqlite3_errmsg(db->sql);
	int sys = 0;

	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		/* A value that no CHECK lets through should have been refused
		 * before it came here; what may well happen is that a key is
		 * there already, or what it points to is not. */
		if (wide == SQLITE_CONSTRAINT_UNIQUE || wide == SQLITE_CONSTRAINT_PRIMARYKEY ||
		    wide == SQLITE_CONSTRAINT_FOREIGNKEY || wide == SQLITE_CONSTRAINT_ROWID)
			return err_set(w, ERR_CONFLICT, "%s: %s", doing, text);
		return err_set(w, ERR_INTERNAL, "%s: %s", doing, text);
	case SQLITE_FULL:
		return err_set(w, ERR_NO_SPACE, "%s: the disk is full", doing);
	case SQLITE_IOERR:
		sys = io_errno(db->sql);
		/* A file-size limit is met like a full disk: no room for more. */
		if (sys == ENOSPC || sys == EDQUOT || sys == EFBIG)
			return err_set(w, ERR_NO_SPACE, "%s: no room for the database: %s", doing,
			               strerror(sys));
		return err_set(w, ERR_IO, "%s: %s%s%s", doing, text, sys ? ": " : "",
		               sys ? strerror(sys) : "");
	case SQLITE_TOOBIG:
		return err_set(w, ERR_TOO_LARGE, "%s: a value is too large to be stored", doing);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(w, ERR_UNAVAILABLE, "%s: the database is busy", doing);
	case SQLITE_NOMEM:
		return err_set(w, ERR_UNAVAILABLE, "%s: out of memory", doing);
	default:
		return err_set(w, ERR_IO, "%s: %s", doing, text);
	}
}

static struct db_stmt *stmt_new(struct db *db, sqlite3_stmt *st)
{
	struct db_stmt *s = xcalloc(1, sizeof(*s));

	s->db = db;
	s->st = st;
	return s;
}

static void stmt_free(struct db_stmt *s)
{
	sqlite3_finalize(s->st);
	free(s);
}

static struct db_stmt *cache_find(struct db *db, const char *sql)
{
	for (size_t i = 0; i < db->cached; i++) {
		struct db_stmt *s = db->cache[i];

		if (!s->busy && strcmp(sqlite3_sql(s->st), sql) == 0)
			return s;
	}
	return NULL;
}

/* Makes room for s if it can: the oldest that nobody holds gives way. */
static void cache_add(struct db *db, struct db_stmt *s)
{
	size_t at = db->cached;

	if (at == DB_CACHE) {
		uint64_t oldest = UINT64_MAX;

		for (size_t i = 0; i < DB_CACHE; i++) {
			if (!db->cache[i]->busy && db->cache[i]->used < oldest) {
				oldest = db->cache[i]->used;
				at = i;
			}
		}
		if (at == DB_CACHE)
			return;
		stmt_free(db->cache[at]);
	} else {
		db->cached++;
	}
	db->cache[at] = s;
	s->cached = true;
}

void db_cache_clear(struct db *db)
{
	for (size_t i = 0; i < db->cached; i++)
		stmt_free(db->cache[i]);
	db->cached = 0;
}

unsigned int db_forgotten(struct db *db)
{
	unsigned int n = 0;

	for (size_t i = 0; i < db->cached; i++) {
		if (db->cache[i]->busy) {
			db_done(db->cache[i]);
			n++;
		}
	}
	return n;
}

struct db_stmt *db_prepare(struct db *db, const char *sql)
{
	struct db_stmt *s;

	if (!db->sql) {
		s = stmt_new(db, NULL);
	} else if (!(s = cache_find(db, sql))) {
		sqlite3_stmt *st = NULL;
		int rc = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);

		/* A broken disk can stop the schema from being read; SQL that is
		 * wrong cannot be mended at run time. */
		if ((rc & 0xff) == SQLITE_ERROR || (rc == SQLITE_OK && !st))
			err_bug("%s: in %s", sqlite3_errmsg(db->sql), sql);
		s = stmt_new(db, st);
		if (rc == SQLITE_OK)
			cache_add(db, s);
		else
			s->bind_rc = rc;
	}
	s->busy = true;
	s->row = false;
	s->used = ++db->clock;
	db->busy++;
	if (db->reads)
		atomic_fetch_add_explicit(db->reads, 1, memory_order_relaxed);
	return s;
}

static void bound(struct db_stmt *s, int at, int rc)
{
	if (rc == SQLITE_RANGE || rc == SQLITE_MISUSE)
		err_bug("marker ?%d: %s: in %s", at, sqlite3_errstr(rc), sqlite3_sql(s->st));
	if (rc != SQLITE_OK && !s->bind_rc)
		s->bind_rc = rc;
}

void db_bind_int(struct db_stmt *s, int at, int64_t v)
{
	if (s->st)
		bound(s, at, sqlite3_bind_int64(s->st, at, v));
}

void db_bind_real(struct db_stmt *s, int at, double v)
{
	if (s->st)
		bound(s, at, sqlite3_bind_double(s->st, at, v));
}

void db_bind_text(struct db_stmt *s, int at, const char *v)
{
	if (!v)
		db_bind_null(s, at);
	else if (s->st)
		bound(s, at,
		      sqlite3_bind_text64(s->st, at, v, strlen(v), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void db_bind_blob(struct db_stmt *s, int at, const void *v, size_t len)
{
	/* A NULL pointer would bind NULL, but an empty blob is a value. */
	if (s->st)
		bound(s, at, sqlite3_bind_blob64(s->st, at, v ? v : "", len, SQLITE_TRANSIENT));
}

void db_bind_null(struct db_stmt *s, int at)
{
	if (s->st)
		bound(s, at, sqlite3_bind_null(s->st, at));
}

enum err db_step(struct db_stmt *s, struct why *w)
{
	struct db *db = s->db;
	int rc;

	s->row = false;
	if (!db->sql)
		return err_set(w, ERR_IO, "%s", db->broken.text);
	if (s->bind_rc == SQLITE_TOOBIG)
		return err_set(w, ERR_TOO_LARGE, "database: a value is too large to be stored");
	if (s->bind_rc)
		return err_set(w, ERR_IO, "database: %s", sqlite3_errstr(s->bind_rc));
	rc = sqlite3_step(s->st);
	if (rc == SQLITE_ROW)
		s->row = true;
	else if (rc != SQLITE_DONE)
		return db_fail(db, rc, "database", w);
	return OK;
}

bool db_has_row(const struct db_stmt *s)
{
	return s->row;
}

int64_t db_int(struct db_stmt *s, int col)
{
	return s->row ? sqlite3_column_int64(s->st, col) : 0;
}

double db_real(struct db_stmt *s, int col)
{
	return s->row ? sqlite3_column_double(s->st, col) : 0.0;
}

const char *db_text(struct db_stmt *s, int col)
{
	return s->row ? (const char *)sqlite3_column_text(s->st, col) : NULL;
}

const void *db_blob(struct db_stmt *s, int col, size_t *len)
{
	const void *data;

	*len = 0;
	if (!s->row)
		return NULL;
	data = sqlite3_column_blob(s->st, col);
	*len = (size_t)sqlite3_column_bytes(s->st, col);
	if (!data && sqlite3_column_type(s->st, col) == SQLITE_BLOB)
		return "";
	return data;
}

bool db_is_null(struct db_stmt *s, int col)
{
	return !s->row || sqlite3_column_type(s->st, col) == SQLITE_NULL;
}

void db_done(struct db_stmt *s)
{
	struct db *db = s->db;

	if (!s->busy)
		err_bug("a statement was given back twice");
	db->busy--;
	s->busy = false;
	s->row = false;
	if (!s->cached) {
		stmt_free(s);
		return;
	}
	/* What step said is known already; reset only repeats it. */
	sqlite3_reset(s->st);
	sqlite3_clear_bindings(s->st);
	s->bind_rc = 0;
}

enum err db_run(struct db_stmt *s, struct why *w)
{
	enum err e;

	do {
		e = db_step(s, w);
	} while (e == OK && s->row);
	db_done(s);
	return e;
}

enum err db_run_int(struct db_stmt *s, int64_t *out, struct why *w)
{
	enum err e = db_step(s, w);

	if (e == OK && !s->row)
		e = err_set(w, ERR_NOT_FOUND, "no such row");
	if (e == OK)
		*out = db_int(s, 0);
	db_done(s);
	return e;
}

int64_t db_changes(struct db *db)
{
	return db->sql ? sqlite3_changes64(db->sql) : 0;
}

enum err db_exec(struct db *db, const char *sql, const char *doing, struct why *w)
{
	int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? OK : db_fail(db, rc, doing, w);
}
