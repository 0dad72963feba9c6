/*
 * track_bed.h - a branch that is followed, of commits that are letters, for contract tests
 * of tracks.
 *
 *     int64_t id = followed_add(f, ",\"mode\":\"all\"");
 *     followed_settled(f, id, "a");
 *     followed.branch = "abc";
 *     followed_look(f, id);
 *     followed_settled(f, id, "c<b b<a a");
 */
#ifndef FOLDWATCH_TEST_TRACK_BED_H
#define FOLDWATCH_TEST_TRACK_BED_H

#include "server/test/fake_agent.h"

#define TREE  "https://example.org/linux.git"
#define CASE  "munmap/order=0,size=16M"
#define BODY  "{\"tree\":\"" TREE "\",\"branch\":\"master\"," REST
#define REST  "\"boards\":[\"det\"],\"cases\":[\"" CASE "\"],\"plan\":{\"boots\":6}"
#define BOOTS 7 /* of a kernel: six phases, one of them twice */

/* The branch as the tree has it, oldest first; a letter a commit: capitals are merges, and
 * what stands in `side` is not on the main line. */
struct followed {
	const char *branch, *side, *unchanged;
	bool rebase; /* the first letter is the base of the rest */
};
extern struct followed followed;

/* A server with one board, and the branch "a". */
int followed_setup(void **state);
/* Follows it; `more` goes into the body. */
int64_t followed_add(struct fake *f, const char *more);
json_t *followed_get(struct fake *f, int64_t id);
/* POST to a track's `what`, or to all tracks where track is 0. */
int followed_post(struct fake *f, int64_t track, const char *what, const char *body, json_t **out);
void followed_look(struct fake *f, int64_t id);
/* Does all there is until the points are as told (fails after 15 s): "c<b b<a a", newest
 * first, each with what it is held against; a . behind what waits or is open, a ! behind
 * what failed. */
json_t *followed_until(struct fake *f, int64_t id, const char *want);
void followed_settled(struct fake *f, int64_t id, const char *want);
/* What a point's kernel is called; good for four calls. */
const char *followed_name_of(char letter);
/* Boots that were made for a submission, not used again. */
int followed_boots_of(struct fake *f, int64_t sub);

#endif
