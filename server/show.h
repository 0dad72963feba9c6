/*
 * show.h - rows as docs/api.md's objects. Each returns a new reference.
 */
#ifndef FOLDWATCH_SERVER_SHOW_H
#define FOLDWATCH_SERVER_SHOW_H

#include "server/env_diff.h"
#include "server/store_board.h"
#include "server/store_boot.h"
#include "server/store_job.h"
#include "server/store_kernel.h"

#include <jansson.h>

/* NONE -> null, otherwise ISO 8601. */
json_t *show_time(int64_t ms);
void show_int(json_t *o, const char *key, int64_t v); /* NONE -> null */
/* What a person said for a time: known faults, mutes. */
struct period {
	int64_t until_ms, at_ms, ended_ms; /* ended_ms NONE: nobody ended it */
	const char *by, *ended_by;
};
/* Adds until, last_day, by, at, ended, ended_by, and the state: `running`, "expired" or
 * "ended". */
void show_period(json_t *o, const struct period *t, const char *running, int64_t now_ms);
/* "a b" -> ["a","b"] */
json_t *show_words(const char *words);

json_t *show_job(const struct job *j, int64_t now_ms);
json_t *show_kernel(const struct kernel *k);
json_t *show_board(const struct board *b, int64_t known_good);
json_t *show_board_events(const struct board_events *list);
json_t *show_agent(const struct agent *a);
/* With faults, runs, env and traits (or NULL) as they were loaded. */
json_t *show_boot(const struct boot *b, const char *kernel_name);
json_t *show_differences(const struct env_differences *d);
/* Reads what it needs; `single`: with jobs. */
enum err show_submission(struct db *db, struct pool *p, const struct sub *s, bool single,
                         json_t **out, struct why *w);
/* The `progress` of a submission (show_progress.c). */
enum err show_progress(struct db *db, struct pool *p, const struct sub *s,
                       const struct sub_kernels *kernels, const struct job_list *jobs,
                       const struct texts *boards, size_t cases, json_t **out, struct why *w);

#endif
