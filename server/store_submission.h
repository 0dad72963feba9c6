/*
 * store_submission.h - submissions: what was asked for and how far it is.
 *
 * Functions that read take any connection; those that write are called inside
 * a db_write() function. Answers lie in the pool (pool.h). Absent integers are
 * NONE, absent reals NAN, absent texts NULL (store_util.h). ERR_NOT_FOUND for
 * an id that does not exist, with the sentence.
 */
#ifndef FOLDWATCH_SERVER_STORE_SUBMISSION_H
#define FOLDWATCH_SERVER_STORE_SUBMISSION_H

#include "server/store_util.h"

struct sub {
	int64_t id;
	const char *submitter, *idem_key, *content_hash, *title;
	int64_t baseline; /* position of a kernel */
	double threshold; /* NAN: the board's default */
	int64_t priority;
	bool reuse;
	bool rebuild;  /* kernels that stand are not used */
	bool across;   /* boots of different environments are compared, and flagged */
	int64_t boots; /* NONE: the board's default */
	int64_t runs, iterations, warmup, layouts;
	const char *plan;
	int64_t memory_bytes;
	bool imported;
	const char *state, *why;
	bool planned;
	int64_t asked_boots; /* that it may begin with, for quotas */
	int64_t part_of;     /* the submission that it measures some cases of by themselves; NONE */
	int64_t created_ms, ended_ms;
};

struct sub_kernel {
	int64_t pos;
	const char *name, *tree, *ref, *config_sha256, *config_name, *toolchain, *image;
	bool config_whole;
	int64_t validates; /* position of the kernel that it is booted for; NONE: it is compared */
	int64_t patches;   /* of the submission's series that it holds */
	bool built_only;   /* a patch that builds is all that is asked of it */
	bool searched;     /* a step of the search for the patches that matter */
	const char *base_of; /* the kernel of whose commit and `ref` it is the merge base */
	const char *commit, *subject, *state, *why;
	const char *branch; /* when read: that is followed and brought it; or the ref */
	const char *source; /* of a patch: the tree of its files; equal sources are one kernel */
	int64_t kernel_id;  /* NONE until it is known */
	/* of that kernel, when there is one */
	const char *kernel_state, *build_id, *kernel_image;
	const char *section_hash; /* NULL: not told; equal ones are one binary */
};

struct sub_list {
	struct sub *at;
	size_t count;
};
struct sub_kernels {
	struct sub_kernel *at;
	size_t count;
};
struct texts {
	const char **at;
	size_t count;
};

enum err store_sub_add(struct db *db, const struct sub *s, int64_t *id, struct why *w);
enum err store_sub_get(struct db *db, int64_t id, struct pool *p, struct sub *out, struct why *w);
/* *id is NONE when this submitter never used the key. */
enum err store_sub_by_key(struct db *db, const char *submitter, const char *key, struct pool *p,
                          int64_t *id, const char **content_hash, struct why *w);
/* Newest first, ids below `before`. */
enum err store_sub_list(struct db *db, int64_t before, int64_t limit, struct pool *p,
                        struct sub_list *out, struct why *w);
/* The newest that is done and has a complete comparison; NONE: none. */
enum err store_sub_latest(struct db *db, int64_t *id, struct why *w);
/* Not ended, oldest first. */
enum err store_sub_open(struct db *db, struct pool *p, struct ids *out, struct why *w);
/* All ids that have boots or a comparison, for a rebuild. */
enum err store_sub_all(struct db *db, struct pool *p, struct ids *out, struct why *w);
/* `ended_ms` NONE: it goes on. An ended submission stays as it is. */
enum err store_sub_state(struct db *db, int64_t id, const char *state, const char *why,
                         int64_t ended_ms, struct why *w);
enum err store_sub_set_planned(struct db *db, int64_t id, struct why *w);

enum err store_sub_kernel_add(struct db *db, int64_t sub, const struct sub_kernel *k,
                              struct why *w);
/* Those that are compared; those that are only built; those that validate one that is
 * compared; all of them. Each in order of position; those that are compared in that of the
 * patches that they hold, which is another where a search added some. */
enum err store_sub_kernels(struct db *db, int64_t sub, struct pool *p, struct sub_kernels *out,
                           struct why *w);
enum err store_sub_built_only(struct db *db, int64_t sub, struct pool *p, struct sub_kernels *out,
                              struct why *w);
enum err store_sub_validators(struct db *db, int64_t sub, struct pool *p, struct sub_kernels *out,
                              struct why *w);
enum err store_sub_all_kernels(struct db *db, int64_t sub, struct pool *p, struct sub_kernels *out,
                               struct why *w);
/* The place in such a list of the kernel at that position; it has to be there. */
size_t sub_kernel_at(const struct sub_kernels *k, int64_t pos);
/* Moves a kernel on: state and why as given; commit, subject and kernel_id
 * only where they are given. */
enum err store_sub_kernel_set(struct db *db, int64_t sub, int64_t pos, const char *state,
                              const char *why, const char *commit, const char *subject,
                              int64_t kernel_id, struct why *w);
/* Its commit is known without a look-up; its state is resolving then. */
enum err store_sub_kernel_known(struct db *db, int64_t sub, int64_t pos, const char *commit,
                                const char *subject, const char *source, struct why *w);
/* Open submissions that hold this kernel, in whatever layout. */
enum err store_sub_of_kernel(struct db *db, int64_t kernel, struct pool *p, struct ids *out,
                             struct why *w);

enum err store_sub_board_add(struct db *db, int64_t sub, int64_t pos, const char *board,
                             struct why *w);
enum err store_sub_boards(struct db *db, int64_t sub, struct pool *p, struct texts *out,
                          struct why *w);

/* The id of a case, made when new. */
enum err store_case_id(struct db *db, const char *text, int64_t *id, struct why *w);
/* Adds behind the others unless it is there. */
enum err store_sub_case_add(struct db *db, int64_t sub, int64_t case_id, struct why *w);
enum err store_sub_cases(struct db *db, int64_t sub, struct pool *p, struct texts *out,
                         struct ids *ids, struct why *w);

enum err store_config_put(struct db *db, const char *sha256, const char *text, struct why *w);
enum err store_config_get(struct db *db, const char *sha256, struct pool *p, const char **text,
                          struct why *w);

#endif
