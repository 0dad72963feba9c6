/*
 * openapi_history.c - docs/api.md's objects of histories and the reference, for machines.
 */
#include "server/openapi.h"

#include "lib/mem.h"

/* clang-format off */
const struct openapi_object openapi_history_objects[] = {
	{"Histories", SHAPE_OUT, "Histories of a track",
	 "histories [HistoryListed]\n"
	 "release ReleaseHeld?\n"},
	{"ReleaseHeld", SHAPE_OUT, "The newest tip that was held against a release",
	 "release str\n"
	 "position int\n"
	 "submission int\n"},
	{"HistoryListed", SHAPE_OUT, "One series in one environment",
	 "board str\n"
	 "env str\n"
	 "config str?\n"
	 "case str\n"
	 "metric str\n"
	 "unit str\n"
	 "deterministic bool\n"
	 "emulated bool\n"
	 "points int\n"
	 "class drift|variance|step|transient|steady\n"
	 "last HistoryLast?\n"
	 "change HistoryChange?\n"},
	{"HistoryLast", SHAPE_OUT, "The newest point",
	 "position int\n"
	 "commit str\n"
	 "subject str?\n"
	 "value num\n"},
	{"HistoryChange", SHAPE_OUT, "Where a history changes, or a point that lies apart",
	 "segment~ int\n"
	 "position int\n"
	 "commit str\n"
	 "subject str?\n"
	 "submission int\n"
	 "class step|transient|outlier\n"
	 "before num\n"
	 "after num\n"
	 "change num?\n"
	 "low num?\n"
	 "high num?\n"
	 "score num?\n"},
	{"History", SHAPE_OUT, "A series along a track, over its environments",
	 "track int\n"
	 "tree str\n"
	 "branch str\n"
	 "board str\n"
	 "config str?\n"
	 "case str\n"
	 "metric str\n"
	 "unit str\n"
	 "deterministic bool\n"
	 "emulated bool\n"
	 "more_is_better bool\n"
	 "total int\n"
	 "bucketed bool\n"
	 "segments [HistorySegment]\n"
	 "points [HistoryPoint]\n"
	 "buckets [HistoryBucket]\n"
	 "changes [HistoryChange]\n"
	 "faults [HistoryFault]\n"},
	{"HistorySegment", SHAPE_OUT, "An environment; scale is null where it stands by itself",
	 "env str\n"
	 "first int\n"
	 "last int\n"
	 "points int\n"
	 "class drift|variance|step|transient|steady\n"
	 "level num?\n"
	 "scale num?\n"},
	{"HistoryPoint", SHAPE_OUT, "A kernel's number, as it is and times its segment's scale",
	 "segment int\n"
	 "position int\n"
	 "commit str\n"
	 "subject str?\n"
	 "kind tip|commit|base|release\n"
	 "rebased bool\n"
	 "seen time\n"
	 "value num\n"
	 "shown num\n"
	 "std_rel num?\n"
	 "boots int\n"
	 "carried bool\n"
	 "submission int\n"},
	{"HistoryBucket", SHAPE_OUT, "Points of positions beside one another",
	 "segment int\n"
	 "from int\n"
	 "until int\n"
	 "points int\n"
	 "min num\n"
	 "mean num\n"
	 "max num\n"},
	{"HistoryFault", SHAPE_OUT, "A boot of a point that was thrown out",
	 "position int\n"
	 "commit str\n"
	 "subject str?\n"
	 "submission int\n"
	 "boot int\n"
	 "why str\n"
	 "signature str?\n"},
	{"ReferenceAsked", SHAPE_IN, "A pinned kernel for boards to boot every night",
	 "board str?\n"
	 "kernel* obj\n"
	 "cases* [str]\n"
	 "hour int?\n"},
	{"Reference", SHAPE_OUT, "A pinned kernel that boards boot every night",
	 "id int\n"
	 "board str?\n"
	 "kernel obj\n"
	 "cases [str]\n"
	 "hour int\n"
	 "by str\n"
	 "at time\n"
	 "ended time?\n"
	 "ended_by str?\n"},
	{"References", SHAPE_OUT, "What is in force, and how it goes on each board",
	 "references [Reference]\n"
	 "boards [ReferenceBoard]\n"},
	{"ReferenceBoard", SHAPE_OUT, "The nights of a board",
	 "board str\n"
	 "reference int\n"
	 "last time?\n"
	 "submission int?\n"
	 "state str?\n"
	 "missed int\n"
	 "why str?\n"},
};
/* clang-format on */

const size_t openapi_history_object_count = ARRAY_SIZE(openapi_history_objects);
