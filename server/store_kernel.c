/* store_kernel.c - SQL for kernels. */
#include "server/store_kernel.h"

#define KERNEL_COLUMNS                                                                          \
	"id, key, domain, tree, commit_id, subject, config_sha256, config_name, config_whole, " \
	"toolchain, compiler, state, why, image, vmlinux, config_file, "                        \
	"image_bytes, " KERNEL_BUILD_ID(                                                        \
	        "kernel") ", build_ids, section_hash, config_hash, linker, release, "           \
	                  "objects, seconds, trusted, sandbox, imported, created_ms, layout, "  \
	                  "family, gaps, gap_bytes"

static void kernel_row(struct db_stmt *q, struct pool *p, struct kernel *k)
{
	k->id = db_int(q, 0);
	k->key = col_str(q, 1, p);
	k->domain = col_str(q, 2, p);
	k->tree = col_str(q, 3, p);
	k->commit = col_str(q, 4, p);
	k->subject = col_str(q, 5, p);
	k->config_sha256 = col_str(q, 6, p);
	k->config_name = col_str(q, 7, p);
	k->config_whole = db_int(q, 8) != 0;
	k->toolchain = col_str(q, 9, p);
	k->compiler = col_str(q, 10, p);
	k->state = col_str(q, 11, p);
	k->why = col_str(q, 12, p);
	k->image = col_str(q, 13, p);
	k->vmlinux = col_str(q, 14, p);
	k->config_file = col_str(q, 15, p);
	k->image_bytes = opt_int(q, 16);
	k->build_id = col_str(q, 17, p);
	k->build_ids = col_str(q, 18, p);
	k->section_hash = col_str(q, 19, p);
	k->config_hash = col_str(q, 20, p);
	k->linker = col_str(q, 21, p);
	k->release = col_str(q, 22, p);
	k->objects = opt_int(q, 23);
	k->seconds = opt_num(q, 24);
	k->trusted = db_int(q, 25) != 0;
	k->sandbox = col_str(q, 26, p);
	k->imported = db_int(q, 27) != 0;
	k->created_ms = db_int(q, 28);
	k->layout = db_int(q, 29);
	k->family = col_str(q, 30, p);
	k->gaps = opt_int(q, 31);
	k->gap_bytes = opt_int(q, 32);
}

/* The part that a build, an image or an import gives: markers 2 to 17. */
static void bind_built(struct db_stmt *q, const struct kernel *k)
{
	db_bind_text(q, 2, k->image);
	db_bind_text(q, 3, k->vmlinux);
	db_bind_text(q, 4, k->config_file);
	bind_opt(q, 5, k->image_bytes);
	db_bind_text(q, 6, k->build_id);
	db_bind_text(q, 7, k->build_ids);
	db_bind_text(q, 8, k->section_hash);
	db_bind_text(q, 9, k->config_hash);
	db_bind_text(q, 10, k->linker);
	db_bind_text(q, 11, k->release);
	bind_opt(q, 12, k->objects);
	bind_num(q, 13, k->seconds);
	db_bind_int(q, 14, k->trusted);
	db_bind_text(q, 15, k->sandbox);
	db_bind_text(q, 16, k->compiler);
	db_bind_text(q, 17, k->why);
}

enum err store_kernel_add(struct db *db, const struct kernel *k, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO kernel (key, image, vmlinux, config_file, image_bytes, build_id,"
	            " build_ids, section_hash, config_hash, linker, release, objects, seconds,"
	            " trusted, sandbox, compiler, why, domain, tree, commit_id, subject,"
	            " config_sha256, config_name, config_whole, toolchain, state, imported,"
	            " created_ms, layout, family)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
	            " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)"
	            " RETURNING id");

	db_bind_text(q, 1, k->key);
	bind_built(q, k);
	db_bind_text(q, 18, k->domain);
	db_bind_text(q, 19, k->tree);
	db_bind_text(q, 20, k->commit);
	db_bind_text(q, 21, k->subject);
	db_bind_text(q, 22, k->config_sha256);
	db_bind_text(q, 23, k->config_name);
	db_bind_int(q, 24, k->config_whole);
	db_bind_text(q, 25, k->toolchain);
	db_bind_text(q, 26, k->state);
	db_bind_int(q, 27, k->imported);
	db_bind_int(q, 28, k->created_ms);
	db_bind_int(q, 29, k->layout);
	db_bind_text(q, 30, k->family);
	return db_run_int(q, id, w);
}

enum err store_kernel_get(struct db *db, int64_t id, struct pool *p, struct kernel *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT " KERNEL_COLUMNS " FROM kernel WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		kernel_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no kernel %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_kernel_by_key(struct db *db, const char *key, int64_t *id, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT id FROM kernel WHERE key = ?1 AND state <> 'failed'");

	db_bind_text(q, 1, key);
	return read_id(q, id, w);
}

enum err store_kernel_list(struct db *db, int64_t before, int64_t limit, struct pool *p,
                           struct kernel_list *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT " KERNEL_COLUMNS
	                                   " FROM kernel WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
	enum err e;

	db_bind_int(q, 1, before);
	db_bind_int(q, 2, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		kernel_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_kernel_ready(struct db *db, int64_t id, const struct kernel *k, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "UPDATE kernel SET state = 'ready', image = ?2, vmlinux = ?3, config_file = ?4,"
	            " image_bytes = ?5, build_id = ?6, build_ids = ?7, section_hash = ?8,"
	            " config_hash = ?9, linker = ?10, release = ?11, objects = ?12, seconds = ?13,"
	            " trusted = ?14, sandbox = ?15, compiler = coalesce(?16, compiler), why = ?17,"
	            " gaps = ?18, gap_bytes = ?19"
	            " WHERE id = ?1 AND state = 'building'");

	db_bind_int(q, 1, id);
	bind_built(q, k);
	bind_opt(q, 18, k->gaps);
	bind_opt(q, 19, k->gap_bytes);
	return db_run(q, w);
}

enum err store_kernel_failed(struct db *db, int64_t id, const char *why, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE kernel SET state = 'failed', why = ?2"
	                                   " WHERE id = ?1 AND state = 'building'");

	db_bind_int(q, 1, id);
	db_bind_text(q, 2, why);
	return db_run(q, w);
}

enum err store_kernel_objects(struct db *db, const char *config_sha256, int64_t *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT objects FROM kernel WHERE config_sha256 = ?1 AND objects IS NOT NULL"
	            " AND state = 'ready' ORDER BY id DESC LIMIT 1");

	db_bind_text(q, 1, config_sha256);
	return read_id(q, out, w);
}
