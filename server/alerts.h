/*
 * alerts.h - what is worth telling, from what is known: one cause, one alert.
 *
 * The functions run inside a db_write() function: that of the comparison, of the
 * places of a boot's faults, of a person's request. The alert, its step and the rows
 * of the outbox (alerts_tell.c) are one transaction with what they came from, so that no
 * crash comes between.
 *
 * A cause is
 *
 *     slower/BINARY/BASELINE    hashes over the kernels' sections (of a prebuilt image,
 *                               its own): every case and board of that pair, in whatever
 *                               submission. Measured again, with boots of its own, it is
 *                               confirmed or not reproduced
 *     creep/TRACK/RELEASE       a tip that is slower than the release without a step
 *                               (alerts_creep.c): all its cases and boards, tip after tip
 *     fault/SIGNATURE           lib/place.h, on whatever board. Seen again after it was
 *                               fixed, or the branch had recovered, in a commit that
 *                               nobody had built by then, it is new again; what a
 *                               bisection or a hole of a track brings up is older
 *     missing/track/ID          a branch that is followed and is not looked at, or whose
 *                               points are not measured. It recovers by itself
 *
 * A submission that the server made to measure an alert again (alert_work.h) is that
 * alert's, whatever its kernels hash to; those of a bisection make none.
 *
 * States: new -> confirmed | not_reproduced; a person moves one to acknowledged, fixed or
 * dismissed, and back. `recovered` and the kind `missing` belong to branches that are
 * followed. Dismissed by the server (its step has no `by`) is one whose track has ended: that
 * is nobody's judgement, and what shows it again makes it new. A fault that is listed as known
 * (store_fault.h) is no alert, nor is what somebody imported.
 */
#ifndef FOLDWATCH_SERVER_ALERTS_H
#define FOLDWATCH_SERVER_ALERTS_H

#include "lib/compare.h"
#include "server/store_alert.h"
#include "server/store_fault.h"

/* A finished comparison, as it is stored. */
enum err alerts_compared(struct db *db, const struct cmp *c, int64_t now_ms, struct why *w);
/* The same, for the open alerts of earlier points where it measures the newest of a track:
 * those whose every cell is back at its level, or whose fault has not shown for as many boots
 * as its rate asks for, wherever a branch that is followed showed it, are `recovered`
 * (alerts_recovered.c). alerts_compared() calls it. */
enum err alerts_recovered(struct db *db, const struct cmp *c, int64_t now_ms, struct why *w);
/* Cells of a point that is about to be an alert. *is: an alert between two points around it
 * has one of them, so that this is its cause, and a step of that alert says so
 * (alerts_between.c). */
enum err alerts_between(struct db *db, int64_t submission, const struct alert_cells *cells,
                        int64_t now_ms, bool *is, struct why *w);
/* A track that has gone quiet has an alert, missing/track/ID; one that is well again has
 * none (alerts_missing.c). */
struct track;
enum err alerts_missing(struct db *db, const struct track *t, int64_t now_ms, struct why *w);
/* The same of one that holds a track's tip against the release: what is slower beyond the
 * steps of the histories is one alert, which the next tips bring up to date. *is false: it
 * is no such comparison, and nothing was done. */
enum err alerts_crept(struct db *db, const struct cmp *c, int64_t now_ms, bool *is, struct why *w);
/* Mutes that are over: what they kept quiet and is open still is told, once. The worker's
 * thread. */
struct server;
void alerts_unmuted(struct server *srv, int64_t now_ms);
/* Its stop is declared: an open alert of its silence is over. */
enum err alerts_declared(struct db *db, const struct track *t, int64_t now_ms, struct why *w);
/* It has ended, and is saved: open alerts that no other track follows are dismissed, by the
 * server, and told once; one that a person acknowledged stays theirs (alerts_ended.c). */
enum err alerts_ended(struct db *db, const struct track *t, int64_t now_ms, struct why *w);
/* The places of a boot's faults, as they are stored (alerts_fault.c). */
enum err alerts_placed(struct db *db, int64_t boot, const struct fault_rows *rows, int64_t now_ms,
                       struct why *w);
/* A person, `by` their token's label (NULL: the server), moves an alert to a state; `to`
 * NULL: a note.
 * ERR_NOT_FOUND; ERR_CONFLICT when it is there already. */
enum err alerts_person(struct db *db, int64_t alert, const char *to, const char *why,
                       const char *by, int64_t now_ms, struct why *w);

/* Adds a step by the server (`by` NULL) or a person and, where it leads elsewhere,
 * tells it to those who want to know; `from` NULL for the first. For alerts*.c and
 * notify.c. */
enum err alerts_step(struct db *db, int64_t alert, const char *from, const char *to,
                     const char *why, const char *by, int64_t now_ms, struct why *w);

/* A step by the server that leads nowhere else and is told all the same; *id is its. */
enum err alerts_step_told(struct db *db, int64_t alert, const char *state, const char *why,
                          int64_t now_ms, int64_t *id, struct why *w);

/* Is it over, and not because a person said that it is to be left alone? *left: because
 * nobody followed it any more. */
enum err alerts_over(struct db *db, const struct alert *a, bool *left, bool *over, struct why *w);
/* The cause of a kernel that is slower than another; memory of p. */
enum err alerts_pair(struct db *db, struct pool *p, int64_t kernel, int64_t base, const char **out,
                     struct why *w);
/* A pattern as of glob(7); NULL matches all, and nothing else matches a NULL text. */
bool alerts_matches(const char *pattern, const char *text);
/* One of REF, or with a # in it of TREE#REF. */
bool alerts_of_branch(struct pool *p, const char *pattern, const char *tree, const char *ref);
/* The first mute that a cell of that branch matches; NONE: it is told. */
int64_t alerts_muted(const struct mutes *l, struct pool *p, const char *tree, const char *ref,
                     const char *board, const char *case_text);
/* "2.00 % more instructions", "3.10 % slower". */
const char *alerts_size(struct pool *p, const char *metric, const char *verdict, double change);

#endif
