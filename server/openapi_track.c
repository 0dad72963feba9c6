/*
 * openapi_track.c - docs/api.md's objects of tracks, for machines.
 */
#include "server/openapi.h"

#include "lib/mem.h"

/* clang-format off */
const struct openapi_object openapi_track_objects[] = {
	{"Tracks", SHAPE_OUT, "A page of tracks",
	 "tracks [Track]\n"
	 "next int?\n"},
	{"Track", SHAPE_OUT, "A branch that is followed; a single one has its points",
	 "id int\n"
	 "tree str\n"
	 "branch str\n"
	 "every_s int\n"
	 "mode tips|all|merges\n"
	 "boards [str]?\n"
	 "cases [str]\n"
	 "plan obj?\n"
	 "threshold num?\n"
	 "priority int\n"
	 "config any\n"
	 "toolchain str?\n"
	 "release str?\n"
	 "by str\n"
	 "state active|paused|ended\n"
	 "why str?\n"
	 "stopped_by str?\n"
	 "until time?\n"
	 "tip str?\n"
	 "looking bool\n"
	 "looked time?\n"
	 "next_look time?\n"
	 "created time\n"
	 "changed time\n"
	 "points_total int\n"
	 "points~ [TrackPoint]\n"
	 "points_next~ int?\n"},
	{"TrackPoint", SHAPE_OUT, "A commit of a branch that is measured, against the point before",
	 "position int\n"
	 "commit str\n"
	 "subject str?\n"
	 "author str?\n"
	 "kind tip|commit|base\n"
	 "rebased bool\n"
	 "filled bool\n"
	 "note str?\n"
	 "seen time\n"
	 "submission int?\n"
	 "state waiting|resolving|building|booting|done|failed|cancelled\n"
	 "why str?\n"
	 "kernel str?\n"
	 "baseline str?\n"
	 "against str?\n"
	 "same_image bool?\n"
	 "verdicts TrackVerdicts?\n"
	 "release int?\n"},
	{"TrackVerdicts", SHAPE_OUT, "Cells of a point by their verdict",
	 "slower int\n"
	 "faster int\n"
	 "same int\n"
	 "unsure int\n"
	 "skip int\n"
	 "invalid int\n"},
	{"TrackAsked", SHAPE_IN, "A branch to be followed",
	 "tree* str\n"
	 "branch* str\n"
	 "every_s int?\n"
	 "mode (tips|all|merges)?\n"
	 "config any\n"
	 "toolchain str?\n"
	 "boards [str]?\n"
	 "cases* [str]\n"
	 "plan PlanAsked?\n"
	 "threshold num?\n"
	 "release str?\n"
	 "priority int?\n"},
	{"TrackPause", SHAPE_IN, "Why a branch is not followed, and until when",
	 "why* str\n"
	 "until str?\n"},
};
/* clang-format on */

const size_t openapi_track_object_count = ARRAY_SIZE(openapi_track_objects);
