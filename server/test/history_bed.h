/*
 * history_bed.h - tracks whose points were measured, as rows: what histories are made of,
 * without a boot.
 */
#ifndef FOLDWATCH_TEST_HISTORY_BED_H
#define FOLDWATCH_TEST_HISTORY_BED_H

#include "server/store_history.h"

/* A database in this directory, which is there. */
struct db_store *bed_open(const char *dir);
/* Boards "det" and "hw"; a track of that branch; its id. */
int64_t bed_track(struct db_store *s, const char *branch);

/* A point: its submission (id = SUBMISSION(track, position)) against the point `against`,
 * finished. */
struct bed_point {
	int64_t track, position;
	int64_t against; /* position; 0: it is its submission's only kernel */
	const char *board, *env;
	double value, base; /* NAN: none */
	double tau;
	const char *verdict; /* of value against base */
	const char *binary;  /* section hash; NULL: one of its own */
};
#define SUBMISSION(track, position) ((track)*10000000 + (position))
void bed_point(struct db_store *s, const struct bed_point *x);
/* The same of many at once, without histories. */
void bed_points(struct db_store *s, const struct bed_point *x, size_t n);
/* history_compared() of its submission. */
void bed_derive(struct db_store *s, int64_t track, int64_t position, bool live);

/* All rows of a query of one text column, a line each; free() it. */
char *bed_rows(struct db_store *s, const char *query);
/* What histories say, independent of ids and of order; free() it. */
char *bed_histories(struct db_store *s);

#endif
