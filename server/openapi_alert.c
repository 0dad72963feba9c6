/*
 * openapi_alert.c - docs/api.md's objects of alerts, for machines.
 */
#include "server/openapi.h"

#include "lib/mem.h"

/* clang-format off */
const struct openapi_object openapi_alert_objects[] = {
	{"Alerts", SHAPE_OUT, "A page of alerts",
	 "alerts [Alert]\n"
	 "next int?\n"},
	{"Alert", SHAPE_OUT, "Something worth telling; a single one has its story",
	 "id int\n"
	 "kind slower|fault|missing\n"
	 "state new|confirmed|not_reproduced|acknowledged|fixed|dismissed|recovered\n"
	 "title str\n"
	 "owner str?\n"
	 "muted bool\n"
	 "submission int?\n"
	 "kernel AlertSide?\n"
	 "baseline AlertSide?\n"
	 "boot int?\n"
	 "signature str?\n"
	 "track int?\n"
	 "created time\n"
	 "changed time\n"
	 "cells [AlertCell]\n"
	 "steps~ [AlertStep]\n"
	 "marks~ [Mark]\n"
	 "told~ [Letter]\n"
	 "work~ [AlertWork]\n"
	 "bisection~ BisectionShort?\n"},
	{"AlertWork", SHAPE_OUT, "A submission that the server made by itself for an alert",
	 "submission int\n"
	 "purpose remeasure|ends|step|proof\n"
	 "why str\n"
	 "by str?\n"
	 "state open|done|failed|cancelled\n"
	 "begun time\n"
	 "ended time?\n"},
	{"BisectionShort", SHAPE_OUT, "The search for an alert's commit, and what it came to",
	 "id int\n"
	 "state walking|ends|searching|proving|done|gave_up|cancelled\n"
	 "why str?\n"
	 "culprit BisectionCommit?\n"
	 "or [BisectionCommit]\n"
	 "shared bool\n"
	 "confidence num?\n"
	 "commits int\n"
	 "steps int\n"
	 "boots int\n"
	 "boots_plain int\n"
	 "boots_every int\n"},
	{"BisectionCommit", SHAPE_OUT, "A commit that it may be",
	 "commit str\n"
	 "subject str\n"
	 "author str\n"},
	{"Bisection", SHAPE_OUT, "The search for an alert's commit with its steps",
	 "id int\n"
	 "state walking|ends|searching|proving|done|gave_up|cancelled\n"
	 "why str?\n"
	 "culprit BisectionCommit?\n"
	 "or [BisectionCommit]\n"
	 "shared bool\n"
	 "confidence num?\n"
	 "commits int\n"
	 "steps int\n"
	 "boots int\n"
	 "boots_plain int\n"
	 "boots_every int\n"
	 "alert int\n"
	 "by str?\n"
	 "tree str\n"
	 "good str\n"
	 "bad str\n"
	 "board str\n"
	 "case str?\n"
	 "metric str?\n"
	 "omitted int\n"
	 "ends int?\n"
	 "proof int?\n"
	 "submission int?\n"
	 "created time\n"
	 "ended time?\n"
	 "table [BisectionStep]\n"},
	{"BisectionStep", SHAPE_OUT, "A commit that was looked at, and what decided",
	 "number int\n"
	 "position int\n"
	 "commit str\n"
	 "subject str\n"
	 "author str\n"
	 "submission int?\n"
	 "outcome (good|bad|skip)?\n"
	 "midway bool\n"
	 "boots int\n"
	 "used int?\n"
	 "llr num?\n"
	 "level num?\n"
	 "spread num?\n"
	 "why str?\n"
	 "begun time\n"
	 "ended time?\n"},
	{"AlertSide", SHAPE_OUT, "A kernel as its submission names it",
	 "name str\n"
	 "tree str?\n"
	 "ref str?\n"
	 "commit str?\n"
	 "subject str?\n"},
	{"AlertCell", SHAPE_OUT, "Where an alert shows; case and what follows are null of a fault",
	 "submission int?\n"
	 "boot int?\n"
	 "board str\n"
	 "case str?\n"
	 "metric str?\n"
	 "emulated bool\n"
	 "verdict (slower|faster)?\n"
	 "base_mean num?\n"
	 "mean num?\n"
	 "change num?\n"
	 "low num?\n"
	 "high num?\n"
	 "boots int?\n"
	 "mute int?\n"},
	{"AlertStep", SHAPE_OUT, "A step of an alert; a note leads to where it came from",
	 "id int\n"
	 "from str?\n"
	 "to str\n"
	 "why str\n"
	 "by str?\n"
	 "at time\n"},
	{"Letter", SHAPE_OUT, "A step on its way to a subscription",
	 "delivery str\n"
	 "step int\n"
	 "subscription int\n"
	 "channel mail|webhook|slack\n"
	 "state waiting|sent|dead\n"
	 "attempts int\n"
	 "why str?\n"
	 "next time?\n"
	 "created time\n"
	 "ended time?\n"},
	{"AlertWhy", SHAPE_IN, "Why, or the note itself",
	 "why* str\n"},
	{"MarkAsked", SHAPE_IN, "What is the matter with an alert",
	 "mark* missed|wrong\n"
	 "why* str\n"},
	{"MissedAsked", SHAPE_IN, "Where something was that no alert told of",
	 "submission* int\n"
	 "board str?\n"
	 "case str?\n"
	 "why* str\n"},
	{"Mark", SHAPE_OUT, "What somebody says of an alert, or of its absence",
	 "id int\n"
	 "mark missed|wrong\n"
	 "alert int?\n"
	 "submission int?\n"
	 "board str?\n"
	 "case str?\n"
	 "why str\n"
	 "by str\n"
	 "at time\n"},
	{"Quality", SHAPE_OUT, "How alerts did, by what was measured again and by marks",
	 "alerts int\n"
	 "confirmed int\n"
	 "not_reproduced int\n"
	 "wrong int\n"
	 "missed int\n"
	 "wrong_share num?\n"
	 "missed_share num?\n"},
	{"Marks", SHAPE_OUT, "A page of marks",
	 "quality Quality\n"
	 "marks [Mark]\n"
	 "next int?\n"},
	{"MuteAsked", SHAPE_IN, "Patterns of what is not told, and the last day",
	 "board str?\n"
	 "case str?\n"
	 "branch str?\n"
	 "why* str\n"
	 "until* str\n"},
	{"Mute", SHAPE_OUT, "What is not told for a while",
	 "id int\n"
	 "board str?\n"
	 "case str?\n"
	 "branch str?\n"
	 "why str\n"
	 "until time\n"
	 "last_day str\n"
	 "by str\n"
	 "at time\n"
	 "ended time?\n"
	 "ended_by str?\n"
	 "state muted|expired|ended\n"},
	{"Mutes", SHAPE_OUT, "All mutes",
	 "mutes [Mute]\n"},
	{"SubscriptionAsked", SHAPE_IN, "Whom to tell, and of what",
	 "channel* mail|webhook|slack\n"
	 "to* str\n"
	 "secret str?\n"
	 "branch str?\n"
	 "board str?\n"
	 "case str?\n"
	 "min_size num?\n"
	 "direction slower|any\n"},
	{"Subscription", SHAPE_OUT, "Who is told of what; a secret stands only in the answer that made it",
	 "id int\n"
	 "channel mail|webhook|slack\n"
	 "to str\n"
	 "signed bool\n"
	 "branch str?\n"
	 "board str?\n"
	 "case str?\n"
	 "min_size num?\n"
	 "direction slower|any\n"
	 "by str\n"
	 "at time\n"
	 "ended time?\n"
	 "ended_by str?\n"
	 "secret~ str\n"},
	{"Subscriptions", SHAPE_OUT, "All subscriptions",
	 "subscriptions [Subscription]\n"},
};
/* clang-format on */

const size_t openapi_alert_object_count = ARRAY_SIZE(openapi_alert_objects);
