/*
 * The store: migrations, group commit, errors, readers.
 */
#include "server/db.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char schema_sql[] =
#include "schema_sql.h"
        ;

static char dir[64];
static char *file;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/foldwatch-db-XXXXXX");
	assert_non_null(mkdtemp(dir));
	file = path_join(dir, "foldwatch.db");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(file);
	return dir_remove(dir, NULL) == OK ? 0 : -1;
}

static struct db_store *open_ok(void)
{
	struct db_store *store = NULL;
	struct why w = {""};

	if (db_open(file, 2, &store, &w) != OK)
		fail_msg("%s", w.text);
	return store;
}

static void open_fails(enum err with, const char *says)
{
	struct db_store *store = NULL;
	struct why w = {""};

	assert_int_equal(db_open(file, 2, &store, &w), with);
	if (!strstr(w.text, says))
		fail_msg("\"%s\" does not say \"%s\"", w.text, says);
}

static void outside(const char *sql)
{
	sqlite3 *s;
	char *message = NULL;

	assert_int_equal(sqlite3_open(file, &s), SQLITE_OK);
	if (sqlite3_exec(s, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	sqlite3_close(s);
}

/* Every object of a database as one text. */
static char *objects(const char *path, const char *sql)
{
	sqlite3_stmt *st;
	sqlite3 *s;
	struct buf b;
	char *text;

	buf_init(&b, 1 << 20);
	assert_int_equal(sqlite3_open(path, &s), SQLITE_OK);
	if (sql)
		assert_int_equal(sqlite3_exec(s, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(s,
	                                    "SELECT type, name, tbl_name, sql FROM sqlite_schema"
	                                    " ORDER BY 1, 2",
	                                    -1, &st, NULL),
	                 SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int i = 0; i < 4; i++) {
			const char *v = (const char *)sqlite3_column_text(st, i);

			buf_addf(&b, "%s|", v ? v : "-");
		}
		buf_addc(&b, '\n');
	}
	sqlite3_finalize(st);
	sqlite3_close(s);
	assert_true(b.len > 100);
	text = buf_take(&b, NULL);
	buf_release(&b);
	return text;
}

static void migrations_give_schema_sql(void **state)
{
	char *want = objects(":memory:", schema_sql), *have;

	(void)state;
	db_close(open_ok());
	have = objects(file, NULL);
	assert_string_equal(have, want);
	free(have);
	/* A second start changes nothing. */
	db_close(open_ok());
	have = objects(file, NULL);
	assert_string_equal(have, want);
	free(have);
	free(want);
}

static void tables_are_strict(void **state)
{
	(void)state;
	db_close(open_ok());
	outside("CREATE TEMP TABLE bad AS SELECT name FROM pragma_table_list"
	        " WHERE schema = 'main' AND type = 'table' AND strict = 0"
	        " AND name NOT LIKE 'sqlite_%';"
	        "CREATE TEMP TABLE empty(n INTEGER CHECK (n = 0));"
	        "INSERT INTO empty SELECT count(*) FROM bad");
}

static void newer_schema_is_refused(void **state)
{
	(void)state;
	db_close(open_ok());
	outside("PRAGMA user_version = 4711");
	open_fails(ERR_CONFLICT, "version 4711, newer than this foldwatchd");
}

static void foreign_files_are_refused(void **state)
{
	(void)state;
	outside("CREATE TABLE recipes(id INTEGER)");
	open_fails(ERR_CONFLICT, "is not a database of foldwatchd");
	assert_int_equal(
	        file_write(file, "this is a letter to my aunt, and long enough", 44, 0600, NULL),
	        OK);
	open_fails(ERR_IO, "not a database");
}

static void changed_tables_are_refused(void **state)
{
	(void)state;
	db_close(open_ok());
	outside("ALTER TABLE token ADD COLUMN extra TEXT");
	open_fails(ERR_CONFLICT, "table token");
}

static void second_open_is_refused(void **state)
{
	struct db_store *store = open_ok();

	(void)state;
	open_fails(ERR_CONFLICT, "");
	db_close(store);
	db_close(open_ok());
}

static void file_is_private(void **state)
{
	struct db_store *store = open_ok();
	const char *const names[] = {"foldwatch.db", "foldwatch.db-wal", "foldwatch.db-shm"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *path = path_join(dir, names[i]);
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		free(path);
	}
	db_close(store);
}

/* ------------------------------------------------------------------------ writes */

struct one {
	char hash[32];
	enum err fails; /* after its insert */
	int64_t id;
};

static enum err insert(struct db *db, void *arg, struct why *w)
{
	struct one *o = arg;
	struct db_stmt *s = db_prepare(db, "INSERT INTO token(hash, label, role, created_ms)"
	                                   " VALUES (?1, 'x', 'read', 1) RETURNING id");
	enum err e;

	db_bind_text(s, 1, o->hash);
	e = db_run_int(s, &o->id, w);
	if (e == OK && o->fails)
		return err_set(w, o->fails, "as asked");
	return e;
}

static int64_t count(struct db_store *store)
{
	int64_t n = -1;

	assert_int_equal(
	        db_run_int(db_prepare(db_reader(store), "SELECT count(*) FROM token"), &n, NULL),
	        OK);
	return n;
}

static void write_and_read(void **state)
{
	struct db_store *store = open_ok();
	struct one o = {.hash = "a"};
	struct why w = {""};
	struct db_stmt *s;

	(void)state;
	assert_int_equal(db_write(store, insert, &o, &w), OK);
	assert_true(o.id > 0);
	s = db_prepare(db_reader(store), "SELECT hash, revoked_ms, id FROM token WHERE id = ?1");
	db_bind_int(s, 1, o.id);
	assert_int_equal(db_step(s, &w), OK);
	assert_true(db_has_row(s));
	assert_string_equal(db_text(s, 0), "a");
	assert_true(db_is_null(s, 1));
	assert_null(db_text(s, 1));
	assert_int_equal(db_int(s, 2), o.id);
	assert_int_equal(db_step(s, &w), OK);
	assert_false(db_has_row(s));
	db_done(s);
	db_close(store);
	store = open_ok();
	assert_int_equal(count(store), 1);
	db_close(store);
}

static void values_come_back_as_they_went(void **state)
{
	struct db_store *store = open_ok();
	struct db_stmt *s =
	        db_prepare(db_reader(store), "SELECT ?1, ?2, ?3, ?4, ?5, typeof(?4), ?6");
	size_t len;
	const char *blob;

	(void)state;
	db_bind_int(s, 1, INT64_MIN);
	db_bind_real(s, 2, 0.1);
	db_bind_text(s, 3, "");
	db_bind_blob(s, 4, NULL, 0);
	db_bind_blob(s, 5, "\0\1\377", 3);
	db_bind_text(s, 6, NULL);
	assert_int_equal(db_step(s, NULL), OK);
	assert_true(db_int(s, 0) == INT64_MIN);
	assert_true(db_real(s, 1) == 0.1);
	assert_string_equal(db_text(s, 2), "");
	assert_non_null(db_blob(s, 3, &len));
	assert_int_equal(len, 0);
	blob = db_blob(s, 4, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(blob, "\0\1\377", 3);
	assert_string_equal(db_text(s, 5), "blob");
	assert_true(db_is_null(s, 6));
	db_done(s);
	db_close(store);
}

static void error_undoes_its_own_write_only(void **state)
{
	struct db_store *store = open_ok();
	struct one bad = {.hash = "bad", .fails = ERR_UNPROCESSABLE}, good = {.hash = "good"};
	struct why w = {""};

	(void)state;
	assert_int_equal(db_write(store, insert, &bad, &w), ERR_UNPROCESSABLE);
	assert_string_equal(w.text, "as asked");
	assert_int_equal(count(store), 0);
	assert_int_equal(db_write(store, insert, &good, &w), OK);
	assert_int_equal(count(store), 1);
	assert_int_equal(db_write(store, insert, &good, &w), ERR_CONFLICT);
	assert_int_equal(count(store), 1);
	db_close(store);
}

static enum err orphan(struct db *db, void *arg, struct why *w)
{
	(void)arg;
	/* The tables of the schema come and go; this relation is the test's. */
	return db_run(db_prepare(db, "INSERT INTO child(parent) VALUES (7)"), w);
}

static enum err relations(struct db *db, void *arg, struct why *w)
{
	enum err e = db_run(db_prepare(db, "CREATE TEMP TABLE parent(id INTEGER PRIMARY KEY)"), w);

	(void)arg;
	if (e == OK)
		e = db_run(db_prepare(db, "CREATE TEMP TABLE child(parent INTEGER"
		                          " REFERENCES parent(id))"),
		           w);
	return e;
}

static void foreign_keys_hold(void **state)
{
	struct db_store *store = open_ok();
	struct why w = {""};
	struct db_counters c;

	(void)state;
	assert_int_equal(db_write(store, relations, NULL, &w), OK);
	assert_int_equal(db_write(store, orphan, NULL, &w), ERR_CONFLICT);
	db_counters(store, &c);
	assert_true(c.healthy);
	db_close(store);
}

static enum err wrong_role(struct db *db, void *arg, struct why *w)
{
	(void)arg;
	return db_run(db_prepare(db, "INSERT INTO token(hash, label, role, created_ms)"
	                             " VALUES ('h', 'x', 'emperor', 1)"),
	              w);
}

static void checks_hold(void **state)
{
	struct db_store *store = open_ok();

	(void)state;
	assert_int_equal(db_write(store, wrong_role, NULL, NULL), ERR_INTERNAL);
	assert_int_equal(count(store), 0);
	db_close(store);
}

static void readers_cannot_write(void **state)
{
	struct db_store *store = open_ok();
	struct why w = {""};

	(void)state;
	assert_int_not_equal(db_run(db_prepare(db_reader(store), "DELETE FROM token"), &w), OK);
	db_close(store);
}

#define WRITERS 8
#define EACH    200

struct crowd {
	struct db_store *store;
	int number;
	int failed;
};

/* Every third fails by itself, which must not touch its neighbours. */
static void *write_many(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < EACH; i++) {
		struct one o = {.fails = i % 3 == 2 ? ERR_CONFLICT : OK};
		enum err e;

		snprintf(o.hash, sizeof(o.hash), "%d/%d", c->number, i);
		e = db_write(c->store, insert, &o, NULL);
		if (e != o.fails)
			c->failed++;
		if (e == OK) {
			/* What was acknowledged is there for everyone at once. */
			struct db_stmt *s =
			        db_prepare(db_reader(c->store), "SELECT 1 FROM token WHERE id = ?1"
			                                        " AND hash = ?2");
			int64_t one;

			db_bind_int(s, 1, o.id);
			db_bind_text(s, 2, o.hash);
			if (db_run_int(s, &one, NULL) != OK)
				c->failed++;
		}
	}
	return NULL;
}

static void crowd_commits_together(void **state)
{
	struct db_store *store = open_ok();
	struct crowd crowd[WRITERS];
	pthread_t thread[WRITERS];
	struct db_counters c;
	int good = 0;

	(void)state;
	for (int i = 0; i < WRITERS; i++) {
		crowd[i] = (struct crowd){.store = store, .number = i};
		assert_int_equal(pthread_create(&thread[i], NULL, write_many, &crowd[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(crowd[i].failed, 0);
	}
	for (int i = 0; i < EACH; i++)
		good += i % 3 != 2;
	assert_int_equal(count(store), WRITERS * good);
	db_counters(store, &c);
	assert_int_equal(c.writes, WRITERS * good);
	/* That is what group commit is for. */
	assert_true(c.commits < c.writes);
	assert_true(c.healthy);
	assert_int_equal(c.queue, 0);
	db_close(store);
}

static void snapshot_stands_still(void **state)
{
	struct db_store *store = open_ok();
	struct one o = {.hash = "later"};
	struct db *rd = db_reader(store);

	(void)state;
	assert_int_equal(db_snapshot(rd, NULL), OK);
	assert_int_equal(count(store), 0);
	assert_int_equal(db_write(store, insert, &o, NULL), OK);
	assert_int_equal(count(store), 0);
	db_snapshot_end(rd);
	assert_int_equal(count(store), 1);
	db_close(store);
}

static void forgotten_statements_are_found(void **state)
{
	struct db_store *store = open_ok();
	struct db *rd = db_reader(store);
	struct one o = {.hash = "x"};

	(void)state;
	assert_int_equal(db_reader_rest(store), 0);
	db_step(db_prepare(rd, "SELECT 1 UNION SELECT 2"), NULL);
	db_snapshot(rd, NULL);
	assert_int_equal(db_reader_rest(store), 2);
	assert_int_equal(db_reader_rest(store), 0);
	assert_int_equal(db_write(store, insert, &o, NULL), OK);
	assert_int_equal(count(store), 1);
	db_close(store);
}

static void cache_is_bounded(void **state)
{
	struct db_store *store = open_ok();
	struct db *rd = db_reader(store);
	struct db_stmt *outer = db_prepare(rd, "SELECT 1 UNION SELECT 2"), *inner;
	int64_t v;

	(void)state;
	/* The same text while it is held is another statement. */
	assert_int_equal(db_step(outer, NULL), OK);
	inner = db_prepare(rd, "SELECT 1 UNION SELECT 2");
	assert_ptr_not_equal(inner, outer);
	assert_int_equal(db_step(inner, NULL), OK);
	db_done(inner);
	for (int i = 0; i < 500; i++) {
		char sql[32];

		snprintf(sql, sizeof(sql), "SELECT %d", i);
		assert_int_equal(db_run_int(db_prepare(rd, sql), &v, NULL), OK);
		assert_int_equal(v, i);
	}
	assert_int_equal(db_step(outer, NULL), OK);
	assert_int_equal(db_int(outer, 0), 2);
	db_done(outer);
	db_close(store);
}

static void *one_reader(void *arg)
{
	int64_t n = count(arg);

	return n == 0 ? arg : NULL;
}

static void connections_are_used_again(void **state)
{
	struct db_store *store = open_ok();

	(void)state;
	for (int i = 0; i < 50; i++) {
		pthread_t t;
		void *back;

		assert_int_equal(pthread_create(&t, NULL, one_reader, store), 0);
		pthread_join(t, &back);
		assert_ptr_equal(back, store);
	}
	/* No more than pool, writer and lock hold the file open. */
	for (int fd = 64; fd < 200; fd++)
		assert_int_equal(close(fd), -1);
	db_close(store);
}

static enum err fill(struct db *db, void *arg, struct why *w)
{
	struct one *o = arg;
	static char big[512 * 1024];
	struct db_stmt *s = db_prepare(db, "INSERT INTO token(hash, label, role, created_ms)"
	                                   " VALUES (?1, ?2, 'read', 1)");

	memset(big, 'x', sizeof(big) - 1);
	db_bind_text(s, 1, o->hash);
	db_bind_text(s, 2, big);
	return db_run(s, w);
}

static void wal_shrinks(void **state)
{
	struct db_store *store = open_ok();
	struct db_counters c;

	(void)state;
	for (int i = 0; i < 60; i++) {
		struct one o;

		snprintf(o.hash, sizeof(o.hash), "%d", i);
		assert_int_equal(db_write(store, fill, &o, NULL), OK);
	}
	/* 30 MiB went through it; checkpoints let it begin again. */
	db_counters(store, &c);
	assert_true(c.wal_bytes < 16u << 20);
	db_close(store);
	store = open_ok();
	assert_int_equal(count(store), 60);
	db_close(store);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(migrations_give_schema_sql),
	        T(tables_are_strict),
	        T(newer_schema_is_refused),
	        T(foreign_files_are_refused),
	        T(changed_tables_are_refused),
	        T(second_open_is_refused),
	        T(file_is_private),
	        T(write_and_read),
	        T(values_come_back_as_they_went),
	        T(error_undoes_its_own_write_only),
	        T(foreign_keys_hold),
	        T(checks_hold),
	        T(readers_cannot_write),
	        T(crowd_commits_together),
	        T(snapshot_stands_still),
	        T(forgotten_statements_are_found),
	        T(cache_is_bounded),
	        T(connections_are_used_again),
	        T(wal_shrinks),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
