/*
 * store_fault.h - where faults were (derived), and those listed as known (facts).
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_FAULT_H
#define FOLDWATCH_SERVER_STORE_FAULT_H

#include "server/store_boot.h"

/* ---- places */

struct fault_row {
	const char *function, *file, *place, *signature, *never, *why;
	bool decoded;
};
struct fault_rows {
	struct fault_row *at;
	size_t count;
};

/* Replaces a boot's. */
enum err store_place_save(struct db *db, int64_t boot, const struct fault_rows *rows,
                          struct why *w);
/* In the order of the boot's faults; empty: not derived yet. */
enum err store_place_of_boot(struct db *db, int64_t boot, struct pool *p, struct fault_rows *out,
                             struct why *w);
enum err store_place_clear(struct db *db, struct why *w);
/* Boots with faults and no places: of a submission (NONE: of any), ids above `after`. */
enum err store_place_missing(struct db *db, int64_t submission, int64_t after, struct pool *p,
                             struct ids *out, struct why *w);

/* The newest boot with faults; 0: none. */
enum err store_place_newest(struct db *db, int64_t *boot, struct why *w);

struct seen_fault {
	const char *signature, *place, *never, *board;
	int64_t boots, last_boot;
};
struct seen_faults {
	struct seen_fault *at;
	size_t count;
};
/* Signatures that boots showed, the newest boot's first. */
enum err store_place_seen(struct db *db, int64_t limit, struct pool *p, struct seen_faults *out,
                          struct why *w);
/* Why a fault with this signature was found to be never a known one; NULL: none was. */
enum err store_place_never(struct db *db, const char *signature, struct pool *p, const char **never,
                           struct why *w);
/* The signature of each boot's first fault, by boot. */
struct boot_signature {
	int64_t boot;
	const char *signature;
};
struct boot_signatures {
	struct boot_signature *at;
	size_t count;
};
enum err store_place_first(struct db *db, int64_t submission, struct pool *p,
                           struct boot_signatures *out, struct why *w);
/* The same by job, of those that it has done itself. */
enum err store_place_of_jobs(struct db *db, int64_t submission, struct pool *p,
                             struct boot_signatures *out, struct why *w);
/* Boots of a submission that would count if all their faults were known, with the
 * signatures of those, in order of boot: measured to the end, every run read, no
 * fault that a kernel does not survive, none that can never be known, and no taint
 * of a machine check, a bad page or a death. */
enum err store_place_forgivable(struct db *db, int64_t submission, struct pool *p,
                                struct boot_signatures *out, struct why *w);

/* ---- known faults */

struct known_fault {
	int64_t id;
	const char *signature, *board, *branch, *why, *by;
	int64_t until_ms, at_ms;
	int64_t ended_id, ended_ms; /* NONE: it was not ended */
	const char *ended_by;
};
struct known_faults {
	struct known_fault *at;
	size_t count;
};

/* Adds a listing; comparisons that have such a fault are computed again. */
enum err store_known_add(struct db *db, const struct known_fault *k, int64_t *id, struct why *w);
/* ERR_NOT_FOUND; ERR_CONFLICT when it is ended already. Comparisons as above. */
enum err store_known_end(struct db *db, int64_t id, const char *by, int64_t now_ms, struct why *w);
enum err store_known_get(struct db *db, int64_t id, struct pool *p, struct known_fault *out,
                         struct why *w);
/* Oldest first; `signature` NULL: all. */
enum err store_known_list(struct db *db, const char *signature, struct pool *p,
                          struct known_faults *out, struct why *w);
/* The newest row about a fault of the submission's; 0: none. */
enum err store_known_newest(struct db *db, int64_t submission, int64_t *id, struct why *w);
/* A comparison that was computed before the newest such row is computed again: in
 * the transaction that stores it, since the row may have come meanwhile. */
enum err store_known_recheck(struct db *db, int64_t submission, struct why *w);
/* Failed boots of a kernel on a board that ran to the end and may turn out to hold
 * known faults only: there is a listing, in force, of each of their kinds. */
enum err store_known_may_count(struct db *db, int64_t submission, int64_t kernel, const char *board,
                               int64_t now_ms, int64_t *count, struct why *w);

#endif
