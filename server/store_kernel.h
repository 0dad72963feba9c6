/*
 * store_kernel.h - kernels: built, being built, prebuilt or imported.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_KERNEL_H
#define FOLDWATCH_SERVER_STORE_KERNEL_H

#include "server/store_util.h"

struct kernel {
	int64_t id;
	const char *key, *domain, *tree, *commit, *subject;
	const char *config_sha256, *config_name;
	bool config_whole;
	const char *toolchain, *compiler;
	const char *state, *why;
	const char *image, *vmlinux, *config_file;
	int64_t image_bytes;
	const char *build_id;  /* NULL: an image with several that was not booted yet */
	const char *build_ids; /* separated by a space */
	const char *section_hash, *config_hash, *linker, *release;
	int64_t objects;
	double seconds;
	bool trusted;
	const char *sandbox;
	bool imported;
	int64_t layout, gaps, gap_bytes;
	const char *family; /* NULL: layout 0 */
	int64_t created_ms;
};
/* SQL: the build-id of a row of `kernel` named `alias`, else what its first
 * valid boot said. */
#define KERNEL_BUILD_ID(alias)                                                                   \
	"COALESCE(" alias ".build_id, (SELECT b.build_id FROM boot b WHERE b.kernel_id = " alias \
	".id AND b.valid = 1 ORDER BY b.id LIMIT 1))"

struct kernel_list {
	struct kernel *at;
	size_t count;
};

/* ERR_CONFLICT when a kernel of that key stands or is being built. */
enum err store_kernel_add(struct db *db, const struct kernel *k, int64_t *id, struct why *w);
enum err store_kernel_get(struct db *db, int64_t id, struct pool *p, struct kernel *out,
                          struct why *w);
/* One that is ready or being built; *id NONE: none. */
enum err store_kernel_by_key(struct db *db, const char *key, int64_t *id, struct why *w);
enum err store_kernel_list(struct db *db, int64_t before, int64_t limit, struct pool *p,
                           struct kernel_list *out, struct why *w);
/* building -> ready, with everything that the build gave. */
enum err store_kernel_ready(struct db *db, int64_t id, const struct kernel *k, struct why *w);
/* building -> failed. */
enum err store_kernel_failed(struct db *db, int64_t id, const char *why, struct why *w);
/* Objects that the last build of this config made; NONE: never built. */
enum err store_kernel_objects(struct db *db, const char *config_sha256, int64_t *out,
                              struct why *w);

#endif
