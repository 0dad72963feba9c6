/*
 * store_reference.h - pinned kernels that boards boot every night, and the nights.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_REFERENCE_H
#define FOLDWATCH_SERVER_STORE_REFERENCE_H

#include "server/store_submission.h"

struct reference {
	int64_t id;
	const char *board;          /* a pattern; NULL: all */
	const char *kernel, *cases; /* JSON */
	int64_t hour;
	const char *by, *ended_by;
	int64_t at_ms, ended_ms; /* ended NONE: it is in force */
};
struct references {
	struct reference *at;
	size_t count;
};
/* Ends the one of the same pattern. */
enum err store_reference_set(struct db *db, const struct reference *r, int64_t *id, struct why *w);
/* ERR_NOT_FOUND where there is none of that pattern. */
enum err store_reference_end(struct db *db, const char *board, const char *by, int64_t now_ms,
                             struct pool *p, struct reference *out, struct why *w);
/* In force, oldest first. */
enum err store_reference_list(struct db *db, struct pool *p, struct references *out, struct why *w);

struct reference_night {
	const char *board;
	int64_t night_ms, reference;
	const char *identity;
	int64_t submission; /* NONE: nothing was asked for yet */
	const char *why;    /* why not */
	int64_t at_ms;
	const char *state; /* of the submission, when read */
};
struct reference_nights {
	struct reference_night *at;
	size_t count;
};
/* Adds one, or says more of one that has no submission. */
enum err store_night_put(struct db *db, const struct reference_night *n, struct why *w);
/* Newest first. */
enum err store_night_list(struct db *db, const char *board, int64_t limit, struct pool *p,
                          struct reference_nights *out, struct why *w);

/* A number of the reference in one series of a board. */
struct reference_number {
	int64_t reference;
	double value;
};
struct reference_numbers {
	struct reference_number *at;
	size_t count;
};
/* Of one environment; the newest `most` first, or the oldest first. */
enum err store_reference_numbers(struct db *db, const char *board, const char *env_id,
                                 const char *case_text, const char *metric, bool newest,
                                 int64_t most, struct pool *p, struct reference_numbers *out,
                                 struct why *w);

#endif
