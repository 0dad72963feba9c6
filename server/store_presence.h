/*
 * store_presence.h - in which boots of branches that are followed a fault shows.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_PRESENCE_H
#define FOLDWATCH_SERVER_STORE_PRESENCE_H

#include "server/store_util.h"

/* Where it was seen: boots of another place say nothing of it. */
struct presence_place {
	int64_t track;
	const char *board, *identity; /* boot.board_identity */
	const char *env;              /* NULL: none of the point's boots there told it; any */
	const char *config;           /* config_text; NULL: a tree's own */
	const char *purpose;          /* work, or validate */
	int64_t first, last;          /* positions of points that showed it */
};
struct presence_places {
	struct presence_place *at;
	size_t count;
};
/* Of tracks that have not ended, by the newest `limit` boots since that time. A boot that
 * died has no environment of its own: that of another one of its submission stands for it. */
enum err store_presence_places(struct db *db, const char *signature, int64_t since_ms,
                               int64_t limit, struct pool *p, struct presence_places *out,
                               struct why *w);

/* The boots there. One that was thrown out for other faults counts as one without it where
 * it was measured to its end and its faults have their places. */
struct presence_boots {
	int64_t showed, boots;   /* from its first point to its last; those without it among them */
	int64_t without, points; /* behind its last, up to `until` */
};
enum err store_presence_boots(struct db *db, const struct presence_place *x, const char *signature,
                              int64_t until, struct presence_boots *out, struct why *w);

/* Open alerts of faults, oldest first. */
enum err store_presence_open(struct db *db, struct pool *p, struct ids *out, struct why *w);
/* Those of them that showed on points of that track since they were last over, and on points
 * of no track that has not ended. */
enum err store_presence_left(struct db *db, int64_t track, struct pool *p, struct ids *out,
                             struct why *w);

/* When the alert was over last; 0: it never was. */
enum err store_presence_since(struct db *db, int64_t alert, int64_t *since_ms, struct why *w);

#endif
