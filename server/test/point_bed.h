/*
 * point_bed.h - a branch that is followed, with points whose submissions the fake agent
 * does: for contract tests of histories.
 *
 *     struct point pts[2] = {{.ref = "p1"}, {.ref = "p2"}};
 *     struct points x = {.at = pts, .n = 2};
 *     pts[0].submission = point_submit(f, NULL, "p1", "\"det\"");
 *     pts[1].submission = point_submit(f, "p1", "p2", "\"det\"");
 *     points_follow(f, &x);                     its track is x.track
 */
#ifndef FOLDWATCH_TEST_POINT_BED_H
#define FOLDWATCH_TEST_POINT_BED_H

#include "server/test/fake_agent.h"

#define POINT_CASE  "fork/order=0,size=16M"
#define POINT_OTHER "fork/order=9,size=16M"
#define POINT_QUERY "?case=fork/order=0,size=16M&board=det"
#define POINT_TREE  "https://example.org/linux.git"

struct point {
	const char *ref;
	int64_t submission, release;
};
struct points {
	const struct point *at;
	size_t n;
	const char *release; /* of a new track; NULL: none */
	int64_t track;       /* 0: a new one, which is stored here */
};

/* What the fake agent resolves a ref to. */
void point_commit(const char *ref, char out[65]);
/* A point's own submission: names and refs of the one before (NULL: none) and of itself. */
int64_t point_submit(struct fake *f, const char *before, const char *name, const char *boards);
/* Makes them points of the track, behind those it has, with the server stopped meanwhile. */
void points_follow(struct fake *f, struct points *x);

#endif
