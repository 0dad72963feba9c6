/*
 * submit_more.h - more boots for a submission which is done: of all its cases, or of some.
 *
 *     {"boots":4,"boards":["hw"],"kernels":["mine"]}
 *
 * The kernels named (absent: all) and the baseline get so many further boots on the
 * boards named (absent: all of the submission's): on a deterministic board the phases
 * that come next. The submission is open again until they have ended, and its
 * comparison is then made of all its boots. It is exploratory on those boards
 * (docs/statistics.md): nobody fixed beforehand that there would be these boots.
 *
 *     {"cases":["fork/order=9,size=1G"],"kernels":["mine"]}
 *
 * Some of the cases alone make a *part*: a submission of its own (part_of) of the same
 * kernels, as they were built, and the baseline, whose plan has those cases and nothing
 * else. What ran before a case in its boot moves its counts, so boots of another plan are
 * counted with none of the first submission's: both sides are measured in the short plan
 * and held against one another. Its number of boots is fixed when it is asked for (absent:
 * as for any submission), and on a board with noise they are all new ones. So what made
 * somebody choose the cells has no weight in what comes out, it is not exploratory, and
 * asking again is another measurement and not one that grew. Both comparisons name each
 * other.
 */
#ifndef FOLDWATCH_SERVER_SUBMIT_MORE_H
#define FOLDWATCH_SERVER_SUBMIT_MORE_H

#include "server/quota.h"

struct more_asked {
	int64_t sub, boots, now_ms;       /* boots NONE: of a part, those of the boards */
	json_t *boards, *kernels, *cases; /* arrays of strings, or NULL; borrowed from the body */
	const char *by, *key, *content_hash; /* key: Idempotency-Key of a part, or NULL */
	bool admin;
	struct quota_ask ask;
	int64_t made; /* answered: the submission that the boots are of */
	bool is_new;  /* it is a part that was not there */
};

/* What can be told from the body alone. */
enum err more_read(json_t *body, struct more_asked *out, struct why *w);
/* A db_write() function; arg is the struct more_asked. All of it is checked before
 * anything is changed. */
enum err more_store(struct db *db, void *arg, struct why *w);

#endif
