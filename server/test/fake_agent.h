/*
 * fake_agent.h - an agent for contract tests: announces, claims, and posts
 * results of the real shape, without building or booting anything.
 *
 *     struct fake *f = fake_new(d);
 *     fake_announce(f, true);
 *     int64_t sub = fake_submit(f, BODY);
 *     fake_work(f);                      until nothing is left to claim
 *     json_t *s = fake_await(f, sub, "done");
 */
#ifndef FOLDWATCH_TEST_FAKE_AGENT_H
#define FOLDWATCH_TEST_FAKE_AGENT_H

#include "server/test/harness.h"

struct fake {
	struct daemon *d;
	char *submit, *agent;
	char console[65]; /* an artifact that is there */
	/* What the next boots do, by kernel name; NULL: all are well. */
	const char *bad_kernel;
	const char *bad_class; /* class of the failure, or NULL: valid false by a fault */
	int bad_boots;         /* so many of them; -1: all */
	/* Where set, those boots measure to the end with these faults in this console. */
	const json_t *faults;
	const char *fault_console; /* an artifact */
	bool drift;                /* replicates differ by one count in the last case */
	bool skip_order9;
	int windows; /* summed in a sample of that kernel; 0: one, and not said */
	const char *windows_kernel;
	const char *files;   /* JSON of the guest's env.files in boots that have a disk; or NULL */
	const char *no_disk; /* why they have none */
	int claimed;
	/* JSON of a run's covariates, and of one of kernels that are slow; NULL: none */
	const char *covariates, *covariates_slow;
	const char *qemu;        /* version that boots are made with; NULL: 7.2 */
	const char *build_fails; /* kernel whose build fails */
	int patches;             /* of a series that is resolved; its commits differ by the base */
	int version;             /* of the series: all commits are others ... */
	const char *persons;     /* JSON: addresses in the trailers of each patch; NULL: none */
	int changed;             /* ... and from this patch on their content */
	const char *lost;        /* a ref that no tree has any more */
	const char *base_fails;  /* the sentence, of every merge base; NULL: none */
	const char *resolve_fails; /* the sentence, of every series; NULL: none */
	const char *vmlinux;       /* hash of an artifact, of all kernels that are built; or NULL */
	const char *profile;       /* the same, of the boots that are asked for one */
	/* The object of a walk, or NULL with walk_fails said; without it no walk is claimed. */
	json_t *(*walk)(struct fake *f, const json_t *spec);
	const char *walk_fails, *walk_class;
	const char *twin, *twin_of; /* a kernel that is the same binary as another */
	const char *slow_kernel;    /* 2 % slower, as one that has "slow" in its name */
	/* By a kernel's name; NULL: none. How much slower it is (.02), whether its boots fail
	 * as bad_kernel's do, and what its binary is a hash of. */
	double (*effect)(const char *name);
	bool (*bad)(const char *name);
	const char *(*binary)(const char *name);
	const char *(*profiled)(const char *name);                    /* over profile */
	double (*effect_on)(const char *name, const char *case_text); /* the same, by case */
	const char *effect_case; /* effect() is of this one alone; NULL: of all */
	const char *bad_metric;  /* bad() is of boards that measure it; NULL: of all */
	double noise;            /* sd of a boot's level on boards with metric ns */
};

/* cmocka set-up and tear-down: a server that knows kernel/ (the test runs from the
 * repository's root) with leases of 5 s, and *state, its fake agent. */
int fake_setup(void **state);
int fake_teardown(void **state);

struct fake *fake_new(struct daemon *d);
void fake_free(struct fake *f);

/* Agent "a" with board "det" (deterministic) and, with `two`, "hw" (not). */
void fake_announce(struct fake *f, bool two);
/* POST as the submit token; expects 201, gives the id. */
int64_t fake_submit(struct fake *f, const char *body);
/* A lease, or NULL when there is nothing (204). */
json_t *fake_claim(struct fake *f, const char *kinds, const char *boards);
/* Does one lease as f says; returns the answer of the result (json_decref()). */
json_t *fake_do(struct fake *f, const json_t *lease);
/* Claims and does all there is; returns how many jobs. */
int fake_work(struct fake *f);
/* The submission once it is in that state (fails after 10 s). */
json_t *fake_await(struct fake *f, int64_t sub, const char *state);

/* foldbench's text for a boot lease. `change` is added to every sample. */
char *fake_result(const struct fake *f, const json_t *spec, int64_t change);
/* Ends a text with its end line. */
char *fake_end(const char *lines, int64_t runs);
/* Posts a result as it is; returns the status, with the answer in *out. */
int fake_post(struct fake *f, int64_t job, const char *key, const json_t *body, json_t **out);

/* The comparison of a submission; and whether one of its notes has those words. */
json_t *fake_comparison(struct fake *f, int64_t sub);
bool fake_noted(const json_t *comparison, const char *words);
/* GET that has to be 200 JSON. */
json_t *fake_get(struct fake *f, const char *path);
/* Walks "kernels.0.name"; fails where it is missing. */
const json_t *at(const json_t *o, const char *path);
const char *str_at(const json_t *o, const char *path); /* NULL for null */
int64_t int_at(const json_t *o, const char *path);
double num_at(const json_t *o, const char *path);

/* Bytes as an artifact; hex gets its hash. */
void fake_put(struct fake *f, const void *data, size_t len, char hex[65]);
/* An arm64 Image with this byte as its build-id's content, behind that of a vDSO. */
void fake_image(struct fake *f, unsigned char id, char hex[65]);

#endif
