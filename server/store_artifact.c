#include "server/store_artifact.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *artifact_path(const char *dir, const char *sha256)
{
	return xasprintf("%s/artifacts/%.2s/%s", dir, sha256, sha256 + 2);
}

enum err artifact_find(struct db *db, const char *sha256, int64_t *bytes, struct why *w)
{
	struct db_stmt *s = db_prepare(db, "SELECT bytes FROM artifact WHERE sha256 = ?1");
	enum err e;

	db_bind_text(s, 1, sha256);
	e = db_run_int(s, bytes, w);
	if (e == ERR_NOT_FOUND)
		return err_set(w, ERR_NOT_FOUND, "there is no artifact %s", sha256);
	return e;
}

struct row {
	const char *sha256, *by;
	int64_t bytes, now_ms;
	bool fresh;
};

static enum err add(struct db *db, void *arg, struct why *w)
{
	struct row *r = arg;
	struct db_stmt *s = db_prepare(db, "INSERT INTO artifact(sha256, bytes, created_ms,"
	                                   " by_whom) VALUES (?1, ?2, ?3, ?4)"
	                                   " ON CONFLICT (sha256) DO NOTHING");
	enum err e;

	db_bind_text(s, 1, r->sha256);
	db_bind_int(s, 2, r->bytes);
	db_bind_int(s, 3, r->now_ms);
	db_bind_text(s, 4, r->by);
	e = db_run(s, w);
	r->fresh = e == OK && db_changes(db) == 1;
	return e;
}

/* The directory of the target, itself durable. */
static enum err make_home(const char *dir, const char *path, struct why *w)
{
	char *home = xstrndup(path, (size_t)(path_base(path) - path - 1));
	char *top = path_join(dir, "artifacts");
	enum err e;

	e = dir_make(home, 0700, w);
	if (e == OK)
		e = file_sync_dir(top, w);
	free(top);
	free(home);
	return e;
}

static bool stands(const char *path, int64_t bytes)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == bytes;
}

static enum err record(struct db_store *store, const char *sha256, int64_t bytes, const char *by,
                       bool *fresh, struct why *w)
{
	struct row r = {.sha256 = sha256, .by = by, .bytes = bytes, .now_ms = clock_wall_ms()};
	enum err e = db_write(store, add, &r, w);

	*fresh = r.fresh;
	return e;
}

enum err artifact_take(struct db_store *store, const char *dir, const char *file,
                       const char *sha256, int64_t bytes, const char *by, bool *fresh,
                       struct why *w)
{
	char *path = artifact_path(dir, sha256);
	enum err e = OK;

	if (!stands(path, bytes)) {
		e = make_home(dir, path, w);
		if (e == OK)
			e = file_rename(file, path, w);
	}
	if (e == OK)
		e = record(store, sha256, bytes, by, fresh, w);
	free(path);
	return e;
}

enum err artifact_keep(struct db_store *store, const char *dir, const void *data, size_t len,
                       char sha256[SHA256_HEX], struct why *w)
{
	bool fresh;
	char *path;
	enum err e = OK;

	hash_block(data, len, sha256);
	path = artifact_path(dir, sha256);
	if (!stands(path, (int64_t)len)) {
		e = make_home(dir, path, w);
		if (e == OK)
			e = file_write(path, data, len, 0600, w);
	}
	if (e == OK)
		e = record(store, sha256, (int64_t)len, NULL, &fresh, w);
	free(path);
	return e;
}
