/*
 * db.h - the only door to SQLite.
 *
 * One process, one write connection on a thread of its own, which alone
 * checkpoints; a pool of read-only connections, one a worker thread. Writes
 * that wait together commit together (group commit): each is a function that
 * runs inside a savepoint of the shared transaction, and its caller is woken
 * after the COMMIT has reached the disk (synchronous=FULL).
 *
 *     static enum err add(struct db *db, void *arg, struct why *w)
 *     {
 *             struct db_stmt *s = db_prepare(db, "INSERT INTO token(label) VALUES (?1)");
 *             db_bind_text(s, 1, arg);
 *             return db_run(s, w);
 *     }
 *     e = db_write(store, add, label, &w);       durable when it returns OK
 *
 *     struct db *rd = db_reader(store);          this thread's read connection
 *     s = db_prepare(rd, "SELECT id, label FROM token WHERE id > ?1");
 *     db_bind_int(s, 1, 7);
 *     while ((e = db_step(s, &w)) == OK && db_has_row(s)) use(db_int(s, 0), db_text(s, 1));
 *     db_done(s);
 *
 * Statements are cached by their text per connection: db_prepare() hands out a
 * cached one, db_done() (or db_run()) gives it back. SQL texts are constants;
 * values are always bound, with numbered markers. Queries keep to what SQL
 * databases share (`ON CONFLICT`, `RETURNING`), so that another driver can
 * stand behind this header.
 */
#ifndef FOLDWATCH_DB_H
#define FOLDWATCH_DB_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_store; /* the file, the writer and the readers */
struct db;       /* one connection, on its thread */
struct db_stmt;

/* Opens or makes the file (0600), takes its lock (ERR_CONFLICT when another
 * process has it), applies migrations up to the newest, checks that the schema
 * is not newer than this program, starts the writer. `readers`: connections of
 * the pool, one a thread that asks. */
enum err db_open(const char *path, unsigned int readers, struct db_store **out, struct why *w);
/* Waits for queued writes, checkpoints, closes. */
void db_close(struct db_store *store);

/* Runs fn on the write connection. Its error rolls back its own savepoint
 * only. OK is returned after the commit. The function must not call db_write()
 * and must not block, and gives every statement back. When a disk error takes
 * the shared transaction away it is run again from the start: it sets what it
 * answers through arg, it does not add to it. */
typedef enum err db_write_fn(struct db *db, void *arg, struct why *w);
enum err db_write(struct db_store *store, db_write_fn *fn, void *arg, struct why *w);
/* The calling thread's read connection; opened on first use. Reads of one
 * request that must agree stand between db_snapshot() and db_snapshot_end(). */
struct db *db_reader(struct db_store *store);
enum err db_snapshot(struct db *db, struct why *w);
void db_snapshot_end(struct db *db);
/* Between two requests of a thread: gives back what it forgot (a statement not
 * done, a snapshot not ended, either of which would freeze what it reads and
 * keep the WAL from shrinking). Returns how many; more than 0 is a bug. */
unsigned int db_reader_rest(struct db_store *store);

/* Aborts for SQL that does not compile: that is a bug, not an input. */
struct db_stmt *db_prepare(struct db *db, const char *sql);
void db_bind_int(struct db_stmt *s, int at, int64_t v);
void db_bind_real(struct db_stmt *s, int at, double v);
void db_bind_text(struct db_stmt *s, int at, const char *v); /* NULL binds NULL; copied */
void db_bind_blob(struct db_stmt *s, int at, const void *v, size_t len); /* copied */
void db_bind_null(struct db_stmt *s, int at);
/* Advance. OK with db_has_row() true or false; ERR_CONFLICT for a broken
 * uniqueness or foreign key, ERR_NO_SPACE for a full disk. */
enum err db_step(struct db_stmt *s, struct why *w);
bool db_has_row(const struct db_stmt *s);
int64_t db_int(struct db_stmt *s, int col);
double db_real(struct db_stmt *s, int col);
const char *db_text(struct db_stmt *s, int col); /* NULL for NULL; until the next step */
const void *db_blob(struct db_stmt *s, int col, size_t *len);
bool db_is_null(struct db_stmt *s, int col);
/* Reset, forget bindings, back to the cache. */
void db_done(struct db_stmt *s);
/* Step to the end and db_done(), for statements without rows. */
enum err db_run(struct db_stmt *s, struct why *w);
/* Step once for a single row and its first column as a number (RETURNING id);
 * ERR_NOT_FOUND when there is no row. db_done()s. */
enum err db_run_int(struct db_stmt *s, int64_t *out, struct why *w);
int64_t db_changes(struct db *db);

struct db_counters {
	uint64_t commits; /* transactions */
	uint64_t writes;  /* write functions inside them */
	uint64_t reads;   /* statements begun on readers */
	uint64_t queue;   /* waiting now */
	uint64_t file_bytes, wal_bytes;
	bool healthy; /* the last commit went through */
};
void db_counters(struct db_store *store, struct db_counters *c);

#endif
