/*
 * db.c - the store: one writer thread with group commit, readers by thread.
 */
#include "server/db_priv.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Page caches, in KiB. The operating system caches the file anyway; these only
 * save system calls, and there is one for each thread. */
#define WRITER_CACHE_KIB 8192
#define READER_CACHE_KIB 1024
/* Pages in the WAL after which the writer, with nobody waiting for it, copies
 * them into the database. */
#define CHECKPOINT_PAGES 2000
/* Write functions in one transaction at most: bounds how long the first waits
 * for the last. */
#define BATCH            64

struct write_req {
	db_write_fn *fn;
	void *arg;
	struct why why;
	enum err result;
	bool done;
	pthread_cond_t woken;
	struct write_req *next;
};

struct db_store {
	char *path;
	int lock_fd;
	struct db writer;
	pthread_t thread;

	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t work;
	struct write_req *first, **last;
	uint64_t queued;
	bool stopping;
	struct db *readers, *idle;
	uint64_t commits, writes;
	bool healthy;

	pthread_key_t key; /* a thread's struct db */
	bool keyed;
	atomic_uint_fast64_t reads;
	int wal_pages; /* writer thread only */
};

static void configure_once(void)
{
	/* Statistics of memory cost a global lock on each allocation. */
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_initialize();
}

static int wal_grew(void *arg, sqlite3 *sql, const char *name, int pages)
{
	struct db_store *store = arg;

	(void)sql;
	(void)name;
	store->wal_pages = pages;
	return SQLITE_OK;
}

static enum err connect_file(struct db *db, const char *path, bool writer, struct why *w)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
	            (writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	char *pragmas;
	enum err e;
	int rc;

	rc = sqlite3_open_v2(path, &db->sql, flags, NULL);
	if (!db->sql)
		return err_set(w, ERR_UNAVAILABLE, "database \"%s\": out of memory", path);
	if (rc != SQLITE_OK) {
		e = db_fail(db, rc, "database", w);
		return err_at(w, e, "cannot open \"%s\"", path);
	}
	sqlite3_busy_timeout(db->sql, 10000);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Only the writer may copy the WAL back, whoever closes last. */
	if (!writer)
		sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* A savepoint's undo log stays in memory: in a file it is some system
	 * calls a page, and a full /var/tmp would refuse what the database takes. */
	pragmas = xasprintf("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
	                    "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -%d;"
	                    "PRAGMA journal_size_limit = 67108864; PRAGMA %s",
	                    writer ? WRITER_CACHE_KIB : READER_CACHE_KIB,
	                    writer ? "temp_store = MEMORY" : "query_only = ON");
	e = db_exec(db, pragmas, "database", w);
	free(pragmas);
	if (e != OK)
		err_at(w, e, "cannot open \"%s\"", path);
	return e;
}

static void disconnect(struct db *db)
{
	db_cache_clear(db);
	if (db->sql && sqlite3_close(db->sql) != SQLITE_OK)
		err_bug("a connection was closed with statements open");
	db->sql = NULL;
}

/* ---------------------------------------------------------------- writer */

static enum err txn(struct db *db, const char *sql, struct why *w)
{
	return db_run(db_prepare(db, sql), w);
}

static void abandon(struct db *db)
{
	if (!sqlite3_get_autocommit(db->sql))
		txn(db, "ROLLBACK", NULL);
}

/* One function, inside a savepoint unless it is alone: then its error ends the
 * transaction. False when SQLite gave up the whole transaction under it (disk
 * full, I/O error). */
static bool run_one(struct db *db, struct write_req *r, bool alone)
{
	struct why ours;

	r->result = alone ? OK : txn(db, "SAVEPOINT one", &r->why);
	if (r->result == OK) {
		r->result = r->fn(db, r->arg, &r->why);
		if (db->busy)
			err_bug("a write function kept %u statements", db->busy);
	}
	if (sqlite3_get_autocommit(db->sql)) {
		if (r->result == OK)
			err_bug("a write function ended its transaction");
		return false;
	}
	if (alone)
		return true;
	if (r->result != OK && txn(db, "ROLLBACK TO one", &ours) != OK)
		return false;
	return txn(db, "RELEASE one", &ours) == OK;
}

/* One transaction for n requests. False: nothing of it stands, and at least
 * one result says why. */
static bool run_batch(struct db_store *store, struct write_req **r, size_t n)
{
	struct db *db = &store->writer;
	struct why why = {""};
	uint64_t good = 0;
	enum err e;

	e = txn(db, "BEGIN IMMEDIATE", &why);
	for (size_t i = 0; e == OK && i < n; i++) {
		if (!run_one(db, r[i], n == 1)) {
			abandon(db);
			if (r[i]->result == OK)
				r[i]->result =
				        err_set(&r[i]->why, ERR_IO, "database: a write was lost");
			return false;
		}
		good += r[i]->result == OK;
	}
	if (e == OK)
		e = txn(db, good ? "COMMIT" : "ROLLBACK", &why);
	if (e == OK) {
		pthread_mutex_lock(&store->lock);
		if (good) {
			store->commits++;
			store->writes += good;
			store->healthy = true;
		}
		pthread_mutex_unlock(&store->lock);
		return true;
	}
	abandon(db);
	for (size_t i = 0; i < n; i++) {
		if (r[i]->result == OK) {
			r[i]->result = e;
			r[i]->why = why;
		}
	}
	return false;
}

static void checkpoint(struct db_store *store, int mode)
{
	int rc;

	/* PASSIVE takes what no reader needs any more and never waits. */
	rc = sqlite3_wal_checkpoint_v2(store->writer.sql, NULL, mode, NULL, NULL);
	store->wal_pages = 0;
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		log_error("db.checkpoint_failed", "why", sqlite3_errmsg(store->writer.sql), NULL);
}

static void run_all(struct db_store *store, struct write_req **r, size_t n)
{
	if (run_batch(store, r, n))
		return;
	/* One of them may have filled the disk; the others must not suffer for
	 * it, and it must be told. A function is run again from the start. */
	for (size_t i = 0; i < n; i++) {
		if (n > 1) {
			r[i]->result = OK;
			if (run_batch(store, &r[i], 1))
				continue;
		}
		/* What the WAL holds may fit where the WAL cannot grow; then it
		 * begins again, and there is room after all. */
		if (r[i]->result == ERR_NO_SPACE) {
			checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
			r[i]->result = OK;
			if (run_batch(store, &r[i], 1))
				continue;
		}
		if (r[i]->result != ERR_CONFLICT) {
			log_error("db.write_failed", "why", r[i]->why.text, NULL);
			pthread_mutex_lock(&store->lock);
			store->healthy = false;
			pthread_mutex_unlock(&store->lock);
		}
	}
}

static void *writer_main(void *arg)
{
	struct db_store *store = arg;
	struct write_req *batch[BATCH];

	pthread_mutex_lock(&store->lock);
	for (;;) {
		size_t n = 0;

		while (!store->first && !store->stopping)
			pthread_cond_wait(&store->work, &store->lock);
		if (!store->first)
			break;
		while (store->first && n < BATCH) {
			batch[n++] = store->first;
			store->first = store->first->next;
		}
		if (!store->first)
			store->last = &store->first;
		store->queued -= n;
		pthread_mutex_unlock(&store->lock);
		run_all(store, batch, n);
		pthread_mutex_lock(&store->lock);
		for (size_t i = 0; i < n; i++) {
			batch[i]->done = true;
			pthread_cond_signal(&batch[i]->woken);
		}
		if (store->wal_pages >= CHECKPOINT_PAGES) {
			/* After the answers: nobody waits for the copying, but
			 * for those who come meanwhile. */
			pthread_mutex_unlock(&store->lock);
			checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
			pthread_mutex_lock(&store->lock);
		}
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

enum err db_write(struct db_store *store, db_write_fn *fn, void *arg, struct why *w)
{
	struct write_req r = {.fn = fn, .arg = arg};

	if (pthread_equal(pthread_self(), store->thread))
		err_bug("a write function called db_write()");
	pthread_cond_init(&r.woken, NULL);
	pthread_mutex_lock(&store->lock);
	if (store->stopping) {
		pthread_mutex_unlock(&store->lock);
		pthread_cond_destroy(&r.woken);
		return err_set(w, ERR_UNAVAILABLE, "the database is closing");
	}
	*store->last = &r;
	/* r leaves the queue before this function returns. */
	/* cppcheck-suppress autoVariables */
	store->last = &r.next;
	store->queued++;
	pthread_cond_signal(&store->work);
	while (!r.done)
		pthread_cond_wait(&r.woken, &store->lock);
	pthread_mutex_unlock(&store->lock);
	pthread_cond_destroy(&r.woken);
	if (r.result != OK && w)
		*w = r.why;
	return r.result;
}

/* --------------------------------------------------------------- readers */

/* On failure the reader stays without a connection: its statements say why. */
static enum err reader_connect(struct db *db)
{
	enum err e = connect_file(db, db->store->path, false, &db->broken);

	if (e != OK) {
		log_error("db.reader_failed", "why", db->broken.text, NULL);
		disconnect(db);
	}
	return e;
}

static struct db *reader_new(struct db_store *store)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->store = store;
	db->reads = &store->reads;
	reader_connect(db);
	pthread_mutex_lock(&store->lock);
	db->next = store->readers;
	store->readers = db;
	pthread_mutex_unlock(&store->lock);
	return db;
}

/* A thread ends: its connection waits for the next one. */
static void reader_return(void *arg)
{
	struct db *db = arg;
	struct db_store *store = db->store;

	pthread_mutex_lock(&store->lock);
	db->idle = store->idle;
	store->idle = db;
	pthread_mutex_unlock(&store->lock);
}

struct db *db_reader(struct db_store *store)
{
	struct db *db = pthread_getspecific(store->key);

	if (db)
		return db;
	pthread_mutex_lock(&store->lock);
	db = store->idle;
	if (db)
		store->idle = db->idle;
	pthread_mutex_unlock(&store->lock);
	if (!db)
		db = reader_new(store);
	else if (!db->sql)
		reader_connect(db);
	if (pthread_setspecific(store->key, db))
		err_bug("no memory for a thread's reader");
	return db;
}

enum err db_snapshot(struct db *db, struct why *w)
{
	enum err e;

	if (db->snapshot)
		err_bug("a snapshot inside a snapshot");
	e = txn(db, "BEGIN", w);
	db->snapshot = e == OK;
	return e;
}

void db_snapshot_end(struct db *db)
{
	if (!db->snapshot)
		return;
	db->snapshot = false;
	txn(db, "COMMIT", NULL);
}

unsigned int db_reader_rest(struct db_store *store)
{
	struct db *db = pthread_getspecific(store->key);
	unsigned int n;

	if (!db || !db->sql || (!db->busy && !db->snapshot))
		return 0;
	n = db_forgotten(db) + db->snapshot;
	db_snapshot_end(db);
	return n;
}

/* ------------------------------------------------------------------ store */

/* SQLite would make the file readable to all; what it makes beside it (WAL)
 * takes the same mode. */
static enum err make_private(const char *path, struct why *w)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(w, ERR_IO, "cannot open \"%s\"", path);
	close(fd);
	return OK;
}

static enum err open_writer(struct db_store *store, struct why *w)
{
	struct db *db = &store->writer;
	enum err e;

	db->store = store;
	db->writer = true;
	e = connect_file(db, store->path, true, w);
	if (e != OK)
		return e;
	/* DEFENSIVE mode and WAL go together; the mode itself stays in the file. */
	e = db_exec(db, "PRAGMA journal_mode = WAL", "database", w);
	if (e == OK)
		e = db_migrate(db, store->path, w);
	if (e == OK)
		sqlite3_wal_hook(db->sql, wal_grew, store);
	return e;
}

static void store_free(struct db_store *store)
{
	struct db *next;

	if (store->keyed)
		pthread_key_delete(store->key);
	for (struct db *db = store->readers; db; db = next) {
		next = db->next;
		db_forgotten(db);
		disconnect(db);
		free(db);
	}
	disconnect(&store->writer);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	pthread_mutex_destroy(&store->lock);
	pthread_cond_destroy(&store->work);
	free(store->path);
	free(store);
}

enum err db_open(const char *path, unsigned int readers, struct db_store **out, struct why *w)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct db_store *store = xcalloc(1, sizeof(*store));
	char *lock = xasprintf("%s.lock", path);
	sigset_t all, before;
	enum err e;
	int rc;

	pthread_once(&once, configure_once);
	store->path = xstrdup(path);
	store->lock_fd = -1;
	store->last = &store->first;
	store->healthy = true;
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->work, NULL);

	e = file_lock(lock, &store->lock_fd, w);
	if (e == OK)
		e = make_private(path, w);
	if (e == OK)
		e = open_writer(store, w);
	if (e == OK && (rc = pthread_key_create(&store->key, reader_return))) {
		errno = rc;
		e = err_sys(w, ERR_IO, "database");
	}
	store->keyed = e == OK;
	/* Opened now, so that a lack of descriptors is found at the start. */
	for (unsigned int i = 0; e == OK && i < readers; i++) {
		struct db *db = reader_new(store);

		if (db->sql)
			reader_return(db);
		else
			e = err_set(w, ERR_IO, "%s", db->broken.text);
	}
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = e == OK ? pthread_create(&store->thread, NULL, writer_main, store) : 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		errno = rc;
		e = err_sys(w, ERR_IO, "cannot start the database's thread");
	}
	free(lock);
	if (e != OK) {
		store_free(store);
		return e;
	}
	*out = store;
	return OK;
}

void db_close(struct db_store *store)
{
	if (!store)
		return;
	pthread_mutex_lock(&store->lock);
	store->stopping = true;
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
	/* With the readers gone nothing holds the WAL, and the file alone is
	 * the whole database: what a backup of it would want. */
	for (struct db *db = store->readers; db; db = db->next) {
		db_forgotten(db);
		db_snapshot_end(db);
	}
	checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
	store_free(store);
}

static uint64_t bytes_of(const char *path, const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);
	struct stat st;
	uint64_t n = stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;

	free(name);
	return n;
}

void db_counters(struct db_store *store, struct db_counters *c)
{
	pthread_mutex_lock(&store->lock);
	c->commits = store->commits;
	c->writes = store->writes;
	c->queue = store->queued;
	c->healthy = store->healthy && !store->stopping;
	pthread_mutex_unlock(&store->lock);
	c->reads = atomic_load_explicit(&store->reads, memory_order_relaxed);
	c->file_bytes = bytes_of(store->path, "");
	c->wal_bytes = bytes_of(store->path, "-wal");
}
