/*
 * openapi_shapes.c - docs/api.md's objects, for machines.
 */
#include "server/openapi.h"

#include "lib/mem.h"

/* clang-format off */
const struct openapi_object openapi_objects[] = {
	{"Error", SHAPE_OUT, "Every answer with a status of 400 or more",
	 "error ErrorBody\n"},
	{"ErrorBody", SHAPE_OUT, "A word for programs, a sentence for people",
	 "code str\n"
	 "message str\n"},
	{"Health", SHAPE_OUT, "The server works",
	 "status ok\n"},

	{"SubmissionAsked", SHAPE_IN, "Kernels to be compared",
	 "title* str\n"
	 "kernels [KernelAsked]?\n"
	 "series SeriesAsked?\n"
	 "baseline str?\n"
	 "boards [str]?\n"
	 "cases* [str]\n"
	 "pages str?\n"
	 "plan PlanAsked?\n"
	 "threshold num?\n"
	 "priority int?\n"
	 "reuse bool?\n"
	 "rebuild bool?\n"
	 "across_environments bool?\n"
	 "validate bool?\n"},
	{"KernelAsked", SHAPE_IN, "A tree with a ref, or an uploaded image",
	 "name* str\n"
	 "tree str?\n"
	 "ref str?\n"
	 "base_of str?\n"
	 "onto str?\n"
	 "config any\n"
	 "toolchain str?\n"
	 "image hash?\n"},
	{"SeriesAsked", SHAPE_IN, "Patches on a base: a bundle of commits, or mails",
	 "tree* str\n"
	 "base* str\n"
	 "bundle hash?\n"
	 "patches hash?\n"
	 "config any\n"
	 "toolchain str?\n"
	 "tip_config any\n"
	 "marks obj?\n"
	 "all bool?\n"
	 "steps int?\n"},
	{"PlanAsked", SHAPE_IN, "How often",
	 "boots int?\n"
	 "runs int?\n"
	 "iterations int?\n"
	 "layouts int?\n"
	 "warmup int?\n"},
	{"Submission", SHAPE_OUT, "A submission and how far it is",
	 "id int\n"
	 "key str?\n"
	 "title str\n"
	 "state resolving|building|booting|done|failed|cancelled\n"
	 "why str?\n"
	 "created time\n"
	 "ended time?\n"
	 "submitter str?\n"
	 "kernels [SubmittedKernel]\n"
	 "validations [Validation]\n"
	 "baseline str\n"
	 "boards [str]\n"
	 "cases [str]\n"
	 "plan Plan\n"
	 "threshold num?\n"
	 "priority int\n"
	 "reuse bool\n"
	 "across_environments bool\n"
	 "memory_bytes int?\n"
	 "imported bool\n"
	 "part_of int?\n"
	 "progress Progress\n"
	 "jobs~ [Job]\n"
	 "parts~ [int]\n"
	 "series~ Series?\n"},
	{"Validation", SHAPE_OUT, "A kernel's code with the kernel's own checks on",
	 "kernel str\n"
	 "config str\n"
	 "id int?\n"
	 "state new|resolving|building|ready|failed\n"
	 "why str?\n"},
	{"SubmittedKernel", SHAPE_OUT, "A kernel as a submission names it",
	 "name str\n"
	 "id int?\n"
	 "tree str?\n"
	 "ref str?\n"
	 "base_of str?\n"
	 "config str?\n"
	 "toolchain str?\n"
	 "commit str?\n"
	 "subject str?\n"
	 "state new|resolving|building|ready|failed\n"
	 "why str?\n"
	 "build_id str?\n"
	 "image hash?\n"},
	{"Plan", SHAPE_OUT, "How often",
	 "boots int?\n"
	 "runs int\n"
	 "iterations int\n"
	 "warmup int\n"
	 "layouts int\n"},
	{"Progress", SHAPE_OUT, "What is done of how much",
	 "jobs_done int\n"
	 "jobs_total int\n"
	 "boots_done int\n"
	 "boots_total int\n"
	 "cases_done int\n"
	 "cases_total int\n"
	 "elapsed_s num\n"
	 "expected_end_s num?\n"
	 "active [ActiveJob]\n"},
	{"ActiveJob", SHAPE_OUT, "A job that an agent works on",
	 "job int\n"
	 "kind resolve|build|boot|walk\n"
	 "kernel str?\n"
	 "board str?\n"
	 "agent str?\n"
	 "step str?\n"
	 "done int?\n"
	 "total int?\n"
	 "elapsed_s num?\n"},
	{"Submissions", SHAPE_OUT, "A page of submissions",
	 "submissions [Submission]\n"
	 "next int?\n"},
	{"Samples", SHAPE_OUT, "Raw samples of a case",
	 "rows [SampleRow]\n"},
	{"SampleRow", SHAPE_OUT, "One run",
	 "kernel str?\n"
	 "board str\n"
	 "boot int\n"
	 "phase int?\n"
	 "run int\n"
	 "valid bool\n"
	 "warmup int\n"
	 "windows int\n"
	 "samples [num]\n"},

	{"Profiles", SHAPE_OUT, "Instructions by function, inside a case's timed windows",
	 "profiles [Profile]\n"},
	{"Profile", SHAPE_OUT, "One run; all figures are of one window",
	 "kernel str?\n"
	 "board str\n"
	 "boot int\n"
	 "phase int?\n"
	 "phase_pages int?\n"
	 "run int\n"
	 "mean num\n"
	 "windows int\n"
	 "switches int\n"
	 "tlbi num\n"
	 "dsb num\n"
	 "rows [ProfileRow]\n"},
	{"ProfileRow", SHAPE_OUT, "A function",
	 "function str\n"
	 "instructions num\n"
	 "calls num\n"},

	{"Comparison", SHAPE_OUT, "Kernels against their baseline",
	 "submission int\n"
	 "baseline str\n"
	 "complete bool\n"
	 "last_boot int?\n"
	 "last_known int?\n"
	 "cells [Cell]\n"
	 "rows [Row]\n"
	 "thrown_out [ThrownOut]\n"
	 "known_faults [FaultExcused]\n"
	 "notes [str]\n"},
	{"Cell", SHAPE_OUT, "One kernel on one board in one case; changes are fractions",
	 "board str\n"
	 "kernel str\n"
	 "against str\n"
	 "case str\n"
	 "metric str?\n"
	 "statistic str\n"
	 "mean num?\n"
	 "change num?\n"
	 "low num?\n"
	 "high num?\n"
	 "std_rel num?\n"
	 "boots int\n"
	 "invalid_boots int\n"
	 "runs int\n"
	 "verdict slower|faster|same|unsure|skip|invalid\n"
	 "why str?\n"
	 "skewed bool\n"
	 "at_most num?\n"
	 "base_mean num?\n"
	 "tau num?\n"
	 "floor num?\n"
	 "layouts int\n"
	 "needed int?\n"
	 "across [Difference]\n"
	 "footnotes [str]\n"
	 "covariates [Covariate]\n"},
	{"Covariate", SHAPE_OUT, "What hardware counted beside the time, a window",
	 "name str\n"
	 "base_mean num?\n"
	 "mean num?\n"
	 "change num?\n"},
	{"Difference", SHAPE_OUT, "A field in which environments differ; null: absent",
	 "field str\n"
	 "one str?\n"
	 "other str?\n"},
	{"Row", SHAPE_OUT, "The same with the baseline, as tables have it",
	 "board str\n"
	 "kernel str\n"
	 "baseline bool\n"
	 "case str\n"
	 "metric str?\n"
	 "mean num?\n"
	 "std_rel num?\n"
	 "boots int\n"
	 "invalid_boots int\n"
	 "runs int\n"
	 "why str?\n"
	 "footnotes [str]\n"},
	{"FaultExcused", SHAPE_OUT, "A boot that counts though it shows a known fault",
	 "id int\n"
	 "signature str\n"
	 "why str\n"
	 "until time\n"
	 "board str\n"
	 "kernel str\n"
	 "boot int\n"},
	{"ThrownOut", SHAPE_OUT, "A boot that does not count",
	 "board str\n"
	 "kernel str\n"
	 "boot int\n"
	 "phase int?\n"
	 "why str?\n"
	 "signature str?\n"},

	{"Kernel", SHAPE_OUT, "A kernel and what is known of its build",
	 "id int\n"
	 "tree str?\n"
	 "commit str?\n"
	 "subject str?\n"
	 "config str?\n"
	 "config_sha256 hash?\n"
	 "toolchain str?\n"
	 "state building|ready|failed\n"
	 "why str?\n"
	 "image hash?\n"
	 "vmlinux hash?\n"
	 "config_artifact hash?\n"
	 "image_bytes int?\n"
	 "build_id str?\n"
	 "build_ids [str]\n"
	 "section_hash hash?\n"
	 "config_hash hash?\n"
	 "compiler str?\n"
	 "linker str?\n"
	 "release str?\n"
	 "objects int?\n"
	 "layout int\n"
	 "gaps int?\n"
	 "gap_bytes int?\n"
	 "seconds num?\n"
	 "trusted bool\n"
	 "sandbox str?\n"
	 "imported bool\n"
	 "created time\n"},
	{"Kernels", SHAPE_OUT, "A page of kernels",
	 "kernels [Kernel]\n"
	 "next int?\n"},
	{"Configs", SHAPE_OUT, "Named sets of configuration fragments",
	 "configs [Config]\n"},
	{"Config", SHAPE_OUT, "One set",
	 "name str\n"
	 "help str?\n"
	 "text str\n"},
	{"Cases", SHAPE_OUT, "What can be measured",
	 "benchmarks [Benchmark]\n"
	 "parameters [Parameter]\n"},
	{"Benchmark", SHAPE_OUT, "A benchmark and the parameters it takes",
	 "name str\n"
	 "help str\n"
	 "takes [str]\n"
	 "must [str]\n"
	 "one_of [str]\n"
	 "modes [str]\n"
	 "size int?\n"
	 "size_min int?\n"
	 "size_step int?\n"},
	{"Parameter", SHAPE_OUT, "A parameter and its bounds",
	 "name str\n"
	 "unit number|bytes|word\n"
	 "min int?\n"
	 "max int?\n"
	 "step int?\n"
	 "only~ any\n"
	 "words~ any\n"
	 "help str\n"},

	{"Board", SHAPE_OUT, "A machine that boots kernels",
	 "name str\n"
	 "agent str\n"
	 "kind qemu|self|serial\n"
	 "profile str?\n"
	 "labels [str]\n"
	 "metric str\n"
	 "deterministic bool\n"
	 "emulated bool\n"
	 "untrusted bool\n"
	 "capabilities any\n"
	 "description str\n"
	 "state active|drained|quarantined\n"
	 "why str?\n"
	 "offered bool\n"
	 "known_good int?\n"
	 "job int?\n"
	 "reference ReferenceBoard?\n"
	 "events~ [BoardEvent]\n"},
	{"BoardEvent", SHAPE_OUT, "What happened to a board",
	 "at time\n"
	 "event str\n"
	 "why str?\n"
	 "by str?\n"
	 "job int?\n"},
	{"Boards", SHAPE_OUT, "All boards",
	 "boards [Board]\n"},
	{"Why", SHAPE_IN, "The reason, which is kept",
	 "why* str\n"},
	{"WhyPerhaps", SHAPE_IN, "A reason, if there is one",
	 "why str?\n"},
	{"Agent", SHAPE_OUT, "A program that does jobs",
	 "name str\n"
	 "version str\n"
	 "builds bool\n"
	 "bench str?\n"
	 "toolchains [Toolchain]\n"
	 "trees [str]\n"
	 "boards [str]\n"
	 "seen time\n"
	 "jobs [int]\n"},
	{"Toolchain", SHAPE_OUT, "A compiler by its name and its first line of --version",
	 "name str\n"
	 "compiler str\n"},
	{"Agents", SHAPE_OUT, "All agents",
	 "agents [Agent]\n"},
	{"Announcement", SHAPE_IN, "What an agent offers",
	 "version* str\n"
	 "builds* bool\n"
	 "bench str?\n"
	 "toolchains* [ToolchainOffered]\n"
	 "trees [str]?\n"
	 "boards* [BoardOffered]\n"},
	{"ToolchainOffered", SHAPE_IN, "A compiler by its name and its first line of --version",
	 "name* str\n"
	 "compiler* str\n"},
	{"BoardOffered", SHAPE_IN, "A board that an agent drives",
	 "name* str\n"
	 "kind* qemu|self|serial\n"
	 "profile str?\n"
	 "labels [str]?\n"
	 "metric* str\n"
	 "deterministic* bool\n"
	 "emulated* bool\n"
	 "untrusted* bool\n"
	 "capabilities obj?\n"
	 "description* str\n"},

	{"Job", SHAPE_OUT, "A unit of work for an agent",
	 "id int\n"
	 "kind resolve|build|boot|walk\n"
	 "state queued|leased|done|failed|cancelled\n"
	 "submission int?\n"
	 "kernel int?\n"
	 "board str?\n"
	 "attempt int\n"
	 "agent str?\n"
	 "class (infra|build|boot|kernel|bench)?\n"
	 "why str?\n"
	 "created time\n"
	 "started time?\n"
	 "ended time?\n"
	 "progress JobProgress?\n"
	 "health bool\n"
	 "summary str\n"
	 "signature~ str?\n"},
	{"JobProgress", SHAPE_OUT, "How far a job is",
	 "step str?\n"
	 "done int?\n"
	 "total int?\n"
	 "elapsed_s num?\n"},
	{"Jobs", SHAPE_OUT, "A page of jobs",
	 "jobs [Job]\n"
	 "next int?\n"},
	{"Claim", SHAPE_IN, "What an agent is ready for",
	 "agent* str\n"
	 "kinds* [resolve|build|boot|walk]\n"
	 "boards [str]?\n"},
	{"Lease", SHAPE_OUT, "A job that is now the agent's, for a time",
	 "id int\n"
	 "kind resolve|build|boot|walk\n"
	 "attempt int\n"
	 "lease_s int\n"
	 "domain str?\n"
	 "spec obj\n"},
	{"Renewal", SHAPE_IN, "Still at it",
	 "attempt* int\n"
	 "progress ProgressSaid?\n"},
	{"ProgressSaid", SHAPE_IN, "How far a job is",
	 "step str?\n"
	 "done int?\n"
	 "total int?\n"
	 "elapsed_s num?\n"},
	{"Renewed", SHAPE_OUT, "Whether to go on",
	 "cancel bool\n"
	 "lease_s int\n"},
	{"LogEnd", SHAPE_OUT, "How long the log is now",
	 "offset int\n"},
	{"Result", SHAPE_IN, "How a job ended, with the object of its kind",
	 "attempt* int\n"
	 "state* done|failed\n"
	 "class (infra|build|boot|kernel|bench)?\n"
	 "why str?\n"
	 "resolve obj?\n"
	 "build obj?\n"
	 "boot obj?\n"
	 "walk obj?\n"},
	{"Taken", SHAPE_OUT, "What became of a result",
	 "job int\n"
	 "state queued|leased|done|failed|cancelled\n"
	 "boot int?\n"},

	{"Import", SHAPE_IN, "What foldbench printed where no agent was",
	 "title str?\n"
	 "kernel* str\n"
	 "submission int?\n"
	 "result* str\n"
	 "dmesg str?\n"},
	{"Imported", SHAPE_OUT, "What became of it",
	 "submission int\n"
	 "boot int\n"
	 "valid bool\n"
	 "why str?\n"},
	{"Built", SHAPE_OUT, "How a kernel was built; null of a prebuilt image",
	 "compiler str?\n"
	 "linker str?\n"
	 "config_hash hash?\n"
	 "section_hash hash?\n"},
	{"Boot", SHAPE_OUT, "One boot of one kernel on one board",
	 "id int\n"
	 "submission int?\n"
	 "job int?\n"
	 "kernel int\n"
	 "kernel_name str?\n"
	 "board str\n"
	 "phase int?\n"
	 "phase_pages int?\n"
	 "replicate int\n"
	 "health bool\n"
	 "validation bool\n"
	 "valid bool\n"
	 "why str?\n"
	 "class (infra|build|boot|kernel|bench)?\n"
	 "reached str?\n"
	 "metric str?\n"
	 "unit str?\n"
	 "better str?\n"
	 "nonce str?\n"
	 "build_id str?\n"
	 "boot_id str?\n"
	 "bench str?\n"
	 "seconds num?\n"
	 "console hash?\n"
	 "console_bytes int?\n"
	 "profile hash?\n"
	 "taint_before int?\n"
	 "taint_after int?\n"
	 "self_reported bool\n"
	 "created time\n"
	 "env_id hash?\n"
	 "env any\n"
	 "traits any\n"
	 "built Built\n"
	 "differs~ [Difference]\n"
	 "faults [Fault]\n"
	 "runs [Run]\n"},
	{"Fault", SHAPE_OUT, "A line of the kernel's log that makes numbers invalid",
	 "line int\n"
	 "kind str\n"
	 "function str?\n"
	 "text str\n"
	 "fatal bool\n"
	 "signature str?\n"
	 "file str?\n"
	 "place str?\n"
	 "decoded bool\n"
	 "not_decoded str?\n"
	 "never str?\n"},
	{"Faults", SHAPE_OUT, "Faults that boots showed, and those that are known",
	 "known [KnownFault]\n"
	 "seen [SeenFault]\n"},
	{"KnownFault", SHAPE_OUT, "A fault that an operator has listed as known",
	 "id int\n"
	 "signature str\n"
	 "board str?\n"
	 "branch str?\n"
	 "why str\n"
	 "until time\n"
	 "last_day str\n"
	 "by str\n"
	 "at time\n"
	 "ended time?\n"
	 "ended_by str?\n"
	 "state known|expired|ended\n"},
	{"SeenFault", SHAPE_OUT, "A signature that boots showed",
	 "signature str\n"
	 "place str?\n"
	 "never str?\n"
	 "boots int\n"
	 "last_boot int\n"
	 "board str\n"},
	{"FaultKnown", SHAPE_IN, "A fault to be listed as known",
	 "signature* str\n"
	 "why* str\n"
	 "until* str\n"
	 "board str?\n"
	 "branch str?\n"},
	{"Run", SHAPE_OUT, "One process execution of a case",
	 "case str\n"
	 "run int\n"
	 "state valid|skip|invalid\n"
	 "why str?\n"
	 "warmup int?\n"
	 "samples int\n"
	 "batch int?\n"
	 "windows int\n"
	 "empty_window int?\n"
	 "median num?\n"
	 "mean num?\n"
	 "sd num?\n"
	 "evidence any\n"},

	{"ArtifactKept", SHAPE_OUT, "What is now stored",
	 "sha256 hash\n"
	 "bytes int\n"},
	{"TokenAsked", SHAPE_IN, "For whom, and what it may",
	 "label* str\n"
	 "role* read|submit|agent|admin\n"},
	{"Token", SHAPE_OUT, "A token; its text stands only in the answer that made it",
	 "id int\n"
	 "label str\n"
	 "role read|submit|agent|admin\n"
	 "created time\n"
	 "revoked time?\n"
	 "token~ str\n"},
	{"Tokens", SHAPE_OUT, "All tokens",
	 "tokens [Token]\n"},
};
/* clang-format on */

const size_t openapi_object_count = ARRAY_SIZE(openapi_objects);
