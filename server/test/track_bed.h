/*
 * track_bed.h - a branch that is followed, for contract tests.
 *
 *     int64_t id = followed_add(f, "");           board "det", one case
 *     followed_settled(f, id, "a");
 *     followed.branch = "abc";
 *     f->slow_kernel = followed_name('c');
 *     followed_look(f, id);
 *     followed_settled(f, id, "c<a b<a a");
 */
#ifndef FOLDWATCH_TEST_TRACK_BED_H
#define FOLDWATCH_TEST_TRACK_BED_H

#include "server/test/fake_agent.h"

#define TRACK_TREE  "https://example.org/linux.git"
#define TRACK_CASE  "munmap/order=0,size=16M"
#define TRACK_BODY  "{\"tree\":\"" TRACK_TREE "\",\"branch\":\"master\"," TRACK_REST
#define TRACK_REST  "\"boards\":[\"det\"],\"cases\":[\"" TRACK_CASE "\"],\"plan\":{\"boots\":6}"
#define TRACK_BOOTS 7 /* of a kernel: six phases, one of them twice */

/* The branch as the tree has it, oldest first; a letter a commit: capitals are merges, and
 * what stands in `side` is not on the main line. */
struct followed {
	const char *branch, *side, *unchanged;
	bool rebase;
};
extern struct followed followed;

/* cmocka set-up, with fake_teardown(): board "det", and the branch "a". */
int followed_setup(void **state);
/* What a point's kernel is called; valid until the fourth call after. */
const char *followed_name(char letter);
/* To a track, or with 0 to all of them; the status. */
int followed_post(struct fake *f, int64_t track, const char *what, const char *body, json_t **out);
/* `more` as fields behind; or a body of one's own. */
int64_t followed_add(struct fake *f, const char *more);
int64_t followed_add_body(struct fake *f, const char *body);
json_t *followed_get(struct fake *f, int64_t id);
/* Does all there is until the points are as told (fails after 15 s). "c<b b<a a": newest
 * first, each with what it is held against; a . behind what waits or is open, a ! behind
 * what failed. */
json_t *followed_until(struct fake *f, int64_t id, const char *want);
void followed_settled(struct fake *f, int64_t id, const char *want);
void followed_look(struct fake *f, int64_t id);
/* Boots that were made for a submission, not used again. */
int followed_boots(struct fake *f, int64_t sub);

#endif
