/*
 * db_schema.c - migrations.
 *
 * user_version is the number of migrations that a file has been through. Each
 * runs once, in one transaction with the new number. schema.sql is what they
 * add up to: every start compares the tables of the file, text by text, with
 * those that schema.sql makes, so a migration that forgets something is found
 * at once and a file of another lineage is refused instead of misread.
 *
 * To change the schema after a release: put the old schema.sql's text into a
 * file of its own as migration 1, write migration 2, and change schema.sql to
 * match what comes out.
 */
#include "server/db_priv.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static const char schema_sql[] =
#include "schema_sql.h"
        ;

static const char *const migrations[] = {schema_sql};

/* "fold": tells a foldwatch database from any other SQLite file. */
#define APPLICATION_ID 0x666f6c64

/* Everything that makes up a schema, each object with the SQL that made it. */
#define OBJECTS                                                            \
	"SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema" \
	" WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"

static enum err number(struct db *db, const char *sql, int64_t *out, struct why *w)
{
	return db_run_int(db_prepare(db, sql), out, w);
}

static enum err apply(struct db *db, size_t step, struct why *w)
{
	char *done = xasprintf("PRAGMA user_version = %zu; PRAGMA application_id = %d; COMMIT",
	                       step + 1, APPLICATION_ID);
	enum err e;

	e = db_exec(db, "BEGIN IMMEDIATE", "migration", w);
	if (e == OK)
		e = db_exec(db, migrations[step], "migration", w);
	if (e == OK)
		e = db_exec(db, done, "migration", w);
	if (e != OK) {
		if (!sqlite3_get_autocommit(db->sql))
			db_exec(db, "ROLLBACK", "migration", NULL);
		err_at(w, e, "migration %zu", step + 1);
	}
	free(done);
	return e;
}

/* The same objects with the same texts, or the name of the first that differs. */
static enum err compare(struct db *have, struct db *want, const char *path, struct why *w)
{
	struct db_stmt *a = db_prepare(have, OBJECTS), *b = db_prepare(want, OBJECTS);
	enum err e;

	for (;;) {
		const char *an, *bn;

		e = db_step(a, w);
		if (e == OK)
			e = db_step(b, w);
		if (e != OK || (!db_has_row(a) && !db_has_row(b)))
			break;
		an = db_text(a, 0);
		bn = db_text(b, 0);
		if (!an || !bn || strcmp(an, bn) != 0 ||
		    strcmp(db_text(a, 1), db_text(b, 1)) != 0) {
			e = err_set(w, ERR_CONFLICT,
			            "database \"%s\" was made by another version of foldwatchd: its"
			            " %s is not the one this version expects",
			            path, bn ? bn : an);
			break;
		}
	}
	db_done(a);
	db_done(b);
	return e;
}

static enum err check(struct db *db, const char *path, struct why *w)
{
	struct db want = {0};
	enum err e = OK;

	if (sqlite3_open_v2(":memory:", &want.sql,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                    NULL) != SQLITE_OK)
		e = err_set(w, ERR_IO, "database: cannot open a scratch database");
	if (e == OK)
		e = db_exec(&want, schema_sql, "schema.sql", w);
	if (e == OK)
		e = compare(db, &want, path, w);
	db_cache_clear(&want);
	sqlite3_close(want.sql);
	return e;
}

enum err db_migrate(struct db *db, const char *path, struct why *w)
{
	int64_t version = 0, id = 0, objects = 0;
	enum err e;

	e = number(db, "PRAGMA user_version", &version, w);
	if (e == OK)
		e = number(db, "PRAGMA application_id", &id, w);
	if (e == OK)
		e = number(db, "SELECT count(*) FROM sqlite_schema", &objects, w);
	if (e != OK)
		return e;
	if (id != APPLICATION_ID && (id || objects || version))
		return err_set(w, ERR_CONFLICT, "\"%s\" is not a database of foldwatchd", path);
	if (version < 0 || version > (int64_t)ARRAY_SIZE(migrations))
		return err_set(w, ERR_CONFLICT,
		               "database \"%s\" has schema version %lld, newer than this foldwatchd"
		               " knows (%zu): run the newer version",
		               path, (long long)version, ARRAY_SIZE(migrations));
	for (size_t step = (size_t)version; step < ARRAY_SIZE(migrations); step++) {
		e = apply(db, step, w);
		if (e != OK)
			return e;
		log_info("db.migrated", "version", log_i((int64_t)step + 1), NULL);
	}
	/* Statements that were prepared against the old tables are of no use. */
	db_cache_clear(db);
	return check(db, path, w);
}
