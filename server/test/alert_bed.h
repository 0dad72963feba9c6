/*
 * alert_bed.h - alerts of branches that are followed, for contract tests.
 *
 *     int64_t id = bed_follow(f, "\"det\"", BED_CASES);
 *     bed.slow = "b";
 *     bed_grows(f, id, "ab", "b<a a");
 *     json_decref(bed_becomes(f, 1, "confirmed"));
 */
#ifndef FOLDWATCH_TEST_ALERT_BED_H
#define FOLDWATCH_TEST_ALERT_BED_H

#include "server/test/track_bed.h"

#define BED_OTHER "fork/order=0,size=16M"
#define BED_CASES "\"" TRACK_CASE "\",\"" BED_OTHER "\""

/* Letters of commits that are slower, by `by` or 2 %, and of those that show a fault: in so
 * many boots from now on, -1: in all. */
struct bed {
	const char *slow, *faulty;
	int shows;
	double by;
};
extern struct bed bed;

/* cmocka set-up and tear-down: board "det", whose boots do as `bed` says. */
int bed_setup(void **state);
int bed_teardown(void **state);
/* A track of "master" on those boards (JSON, without brackets), once "a" is measured. */
int64_t bed_follow(struct fake *f, const char *boards, const char *cases);
/* The branch as it is from now on, looked at, and measured to these points. */
void bed_grows(struct fake *f, int64_t track, const char *branch, const char *want);
json_t *bed_alert(struct fake *f, int64_t id);
void bed_is(struct fake *f, int64_t id, const char *state);
/* Works until the alert is in that state and its bisection, if it has one, has ended (fails
 * after 15 s). */
json_t *bed_becomes(struct fake *f, int64_t id, const char *state);
/* The reason of its last step that led to that state; json_decref(*a). */
const char *bed_why(struct fake *f, int64_t id, const char *state, json_t **a);
/* Steps that led there from another state. */
int bed_times(struct fake *f, int64_t id, const char *state);
/* Alerts there are. */
int bed_alerts(struct fake *f);
/* POST /api/v1/alerts/ID/WHAT as the submit token, which has to work. */
void bed_person(struct fake *f, int64_t id, const char *what, const char *body);
/* One who wants to hear of all: a webhook that is never reached. */
void bed_subscribe(struct fake *f);

#endif
