/*
 * openapi_asked.c - docs/api.md's objects around what is asked for, for machines.
 */
#include "server/openapi.h"

#include "lib/mem.h"

/* clang-format off */
const struct openapi_object openapi_asked_objects[] = {
	{"DryRun", SHAPE_OUT, "What a submission would do and cost",
	 "request obj\n"
	 "resolves int\n"
	 "builds DryBuilds\n"
	 "boots [DryBoots]\n"
	 "minutes Minutes\n"
	 "elapsed_minutes Minutes\n"
	 "guess bool\n"
	 "notes [str]\n"},
	{"DryBuilds", SHAPE_OUT, "Kernels to be built, and those that stand",
	 "new int\n"
	 "known int\n"
	 "minutes Minutes\n"
	 "basis str?\n"},
	{"DryBoots", SHAPE_OUT, "Boots on a board, and those that stand",
	 "board str\n"
	 "new int\n"
	 "known int\n"
	 "boot_s num\n"
	 "minutes Minutes\n"
	 "basis str\n"},
	{"Minutes", SHAPE_OUT, "What is expected, and the range that it lies in",
	 "low num\n"
	 "expected num\n"
	 "high num\n"},
	{"MoreAsked", SHAPE_IN, "More boots for a submission that is done; with cases: of those alone",
	 "boots int?\n"
	 "boards [str]?\n"
	 "kernels [str]?\n"
	 "cases [str]?\n"},
	{"Quotas", SHAPE_OUT, "What a token may use, and what is used under its label",
	 "label str\n"
	 "exempt bool\n"
	 "quotas [Quota]\n"},
	{"Quota", SHAPE_OUT, "One limit; null: none",
	 "name submissions|jobs|boots|bytes\n"
	 "what str\n"
	 "used int\n"
	 "limit int?\n"},
	{"LimitsAsked", SHAPE_IN, "Limits of a token: 0 is none, null the configuration's",
	 "submissions int?\n"
	 "jobs int?\n"
	 "boots int?\n"
	 "bytes int?\n"},
	{"Limits", SHAPE_OUT, "Limits of its own that a token has; null: the configuration's",
	 "token int\n"
	 "submissions int?\n"
	 "jobs int?\n"
	 "boots int?\n"
	 "bytes int?\n"},
};
/* clang-format on */

const size_t openapi_asked_object_count = ARRAY_SIZE(openapi_asked_objects);
