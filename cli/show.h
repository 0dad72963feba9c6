/*
 * show.h - what several subcommands print alike.
 */
#ifndef FOLDWATCH_SHOW_H
#define FOLDWATCH_SHOW_H

#include "cli/cli.h"

/* A comparison on standard output. `table` all, reply, commit, cover or
 * summary; `format` text, markdown, csv or json; with cli->json as JSON.
 * `view`: further words of the query ("across=true"), or "". */
enum err show_comparison(struct cli *cli, const char *id, const char *table, const char *format,
                         const char *view, struct why *w);

/* ERR_IO (exit 1) with "submission 7 failed: REASON; REASON" for one that did
 * not end as done. */
enum err show_failed(const json_t *submission, struct why *w);

/* --wait: progress until it ends, then its tables, or show_failed(). */
enum err show_when_ended(struct cli *cli, int64_t submission, struct why *w);

/* A path like "/api/v1/jobs/7/log" from parts, each percent-encoded but for
 * the first; closed by NULL. free() it. */
char *api_path(const char *first, ...) __attribute__((sentinel));

/* "/api/v1/kernels?limit=20&before=7"; before 0: from the newest. free() it. */
char *list_path(const char *path, int64_t limit, int64_t before);

/* A positive whole number given as an argument. */
enum err arg_id(const char *what, const char *text, int64_t *id, struct why *w);

#endif
