/*
 * openapi_series.c - docs/api.md's objects of a patch series, for machines.
 */
#include "server/openapi.h"

#include "lib/mem.h"

/* clang-format off */
const struct openapi_object openapi_series_objects[] = {
	{"Series", SHAPE_OUT, "A patch series: its patches once it is resolved",
	 "bundle hash?\n"
	 "mails hash?\n"
	 "all bool\n"
	 "tip_config str?\n"
	 "marks [SeriesMark]\n"
	 "patches [SeriesPatch]\n"
	 "search Search\n"
	 "changes [SeriesChange]\n"},
	{"SeriesChange", SHAPE_OUT, "A verdict that was another for the same patch of an earlier series",
	 "kernel str\n"
	 "board str\n"
	 "case str\n"
	 "metric str\n"
	 "submission int\n"
	 "was slower|faster|same|unsure|skip|invalid\n"
	 "is slower|faster|same|unsure|skip|invalid\n"},
	{"SeriesEarlier", SHAPE_OUT, "The same patch, by its patch-id, in an earlier series",
	 "submission int\n"
	 "position int\n"},
	{"SeriesMark", SHAPE_OUT, "A name for the kernel that holds so many patches",
	 "name str\n"
	 "position int\n"},
	{"SeriesPatch", SHAPE_OUT, "A patch, and the kernel that ends with it",
	 "position int\n"
	 "commit str\n"
	 "subject str\n"
	 "author str\n"
	 "patch_id str?\n"
	 "kernel str?\n"
	 "state (new|resolving|building|ready|failed)?\n"
	 "why str?\n"
	 "booted bool\n"
	 "earlier SeriesEarlier?\n"},
	{"Search", SHAPE_OUT, "The search for the patches of a series that matter",
	 "state off|waiting|searching|done|stopped\n"
	 "steps_max int\n"
	 "steps [SearchStep]\n"
	 "boots SearchBoots\n"
	 "intervals [SearchInterval]\n"
	 "effects [SearchEffect]\n"},
	{"SearchBoots", SHAPE_OUT, "What it took, and what it would have taken without",
	 "made int\n"
	 "search int\n"
	 "all int\n"},
	{"SearchEffect", SHAPE_OUT, "A case that is slower or faster with those patches",
	 "board str\n"
	 "case str\n"
	 "metric str\n"
	 "first int\n"
	 "last int\n"
	 "kernel str\n"
	 "against str\n"
	 "verdict slower|faster\n"
	 "change num\n"
	 "low num?\n"
	 "high num?\n"
	 "why str?\n"},
	{"SearchInterval", SHAPE_OUT, "The patches between two marks",
	 "against str\n"
	 "kernel str\n"
	 "after int\n"
	 "until int\n"
	 "steps int\n"
	 "effects int\n"
	 "why str?\n"},
	{"SearchStep", SHAPE_OUT, "A prefix that was booted in the middle of an interval",
	 "number int\n"
	 "kernel str\n"
	 "position int\n"
	 "after int\n"
	 "until int\n"
	 "boots int\n"
	 "at time\n"},
};
/* clang-format on */

const size_t openapi_series_object_count = ARRAY_SIZE(openapi_series_objects);
