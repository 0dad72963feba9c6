/*
 * submit_more.h - boots that are added to a submission which is done.
 *
 *     {"boots":4,"boards":["hw"],"kernels":["mine"]}
 *
 * The kernels named (absent: all) and the baseline get so many further boots on the
 * boards named (absent: all of the submission's): on a deterministic board the phases
 * that come next. The submission is open again until they have ended, and its
 * comparison is then made of all its boots. It is exploratory on those boards
 * (docs/statistics.md): nobody fixed beforehand that there would be these boots.
 *
 * Cases cannot be chosen. What ran before a case in its boot moves its counts, so boots
 * of one comparison run one plan, and a boot of another plan has another plan_sha256 and
 * pairs with none.
 */
#ifndef FOLDWATCH_SERVER_SUBMIT_MORE_H
#define FOLDWATCH_SERVER_SUBMIT_MORE_H

#include "server/quota.h"

struct more_asked {
	int64_t sub, boots, now_ms;
	json_t *boards, *kernels; /* arrays of strings, or NULL; borrowed from the body */
	const char *by;
	bool admin;
	struct quota_ask ask;
};

/* What can be told from the body alone. */
enum err more_read(json_t *body, struct more_asked *out, struct why *w);
/* A db_write() function; arg is the struct more_asked. All of it is checked before
 * anything is changed. */
enum err more_store(struct db *db, void *arg, struct why *w);

#endif
