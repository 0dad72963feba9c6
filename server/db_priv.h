/*
 * db_priv.h - what the files of the SQLite driver share. Nobody else includes
 * it: sqlite3.h ends here.
 */
#ifndef FOLDWATCH_DB_PRIV_H
#define FOLDWATCH_DB_PRIV_H

#include "server/db.h"

#include <sqlite3.h>
#include <stdatomic.h>

/* Statements kept prepared per connection; past it the one that was used
 * longest ago goes. A bound, because ten connections with a hundred plans each
 * are a good part of the server's memory. */
#define DB_CACHE 96

struct db_stmt {
	struct db *db;
	sqlite3_stmt *st; /* NULL: stands for a connection that could not be opened */
	bool busy;        /* handed out */
	bool row;
	bool cached; /* goes back to the cache, or is finalised when done */
	int bind_rc; /* first bind that failed (a value too large) */
	uint64_t used;
};

struct db {
	sqlite3 *sql;
	struct db_store *store;
	bool writer;
	bool snapshot;
	unsigned int busy; /* statements handed out */
	uint64_t clock;    /* ages the cache */
	struct db_stmt *cache[DB_CACHE];
	size_t cached;
	struct why broken; /* why sql is NULL */
	struct db *next;   /* of all readers */
	struct db *idle;   /* of readers that no thread holds */
	atomic_uint_fast64_t *reads;
};

/* What SQLite said, as ours: ERR_CONFLICT, ERR_NO_SPACE, ... with its sentence. */
enum err db_fail(struct db *db, int rc, const char *doing, struct why *w);
/* Finalise what is cached. */
void db_cache_clear(struct db *db);
/* Statements that whoever had the connection forgot to give back: reset,
 * returns how many. */
unsigned int db_forgotten(struct db *db);
/* One or more constant statements without values or rows. */
enum err db_exec(struct db *db, const char *sql, const char *doing, struct why *w);

/* From whatever version the file has to the newest, each step in a
 * transaction of its own, then a check that the tables are this program's. */
enum err db_migrate(struct db *db, const char *path, struct why *w);

#endif
