/*
 * watch.h - follow a submission until it ends.
 *
 * On a terminal one live line, rewritten in place, and a lasting line for each
 * build that ended and for everything that failed. In a pipe plain lines: one
 * when the step changes, and one every ten seconds of a long step.
 */
#ifndef FOLDWATCH_WATCH_H
#define FOLDWATCH_WATCH_H

#include "cli/cli.h"

struct watch {
	struct cli *cli;
	int64_t submission;
	/* Called every turn, some twice a second; an error ends the watching
	 * (ERR_CANCELLED for Ctrl-C). May be NULL. */
	enum err (*tick)(void *ctx, struct why *w);
	void *ctx;
	/* Bear a server that is away for so long before giving up. 0: 30 s */
	int64_t patience_ns;
};

/* Progress goes to standard error. OK when the submission ended, whatever its
 * state; *out is the last SUBMISSION object (json_decref() it). */
enum err watch_submission(const struct watch *watch, json_t **out, struct why *w);

/* One line about a SUBMISSION object, without newline, for `status` too:
 * "build contpte-n: compile, 812 of about 2140 objects, 1 m 20 s; boots 0 of 18". */
void watch_line(const json_t *submission, struct buf *out);

#define WATCH_REASONS 16384 /* room for them */
/* Why a submission did not give what was asked: the reasons of its kernels and
 * failed jobs, one a line, each once. Empty when there are none. */
void watch_reasons(const json_t *submission, struct buf *out);

#endif
