/*
 * store_bisect.h - bisections, their candidates and steps.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_BISECT_H
#define FOLDWATCH_SERVER_STORE_BISECT_H

#include "server/store_submission.h"

struct bisection_commit {
	const char *commit, *subject, *author;
	double weight;
	const char *answer; /* good, bad, skip; NULL: not looked at */
	const char *binary; /* kernel.section_hash; NULL */
};

struct bisection_step {
	int64_t number, position;
	int64_t submission; /* NONE: not asked yet */
	int64_t asked;
	const char *outcome; /* NULL: it runs */
	bool midway;
	int64_t boots, used;       /* used NONE */
	double llr, level, spread; /* NAN */
	const char *why;
	int64_t begun_ms, ended_ms;
};

struct bisection {
	int64_t id, alert;
	const char *state, *why, *by;
	const char *tree, *good, *bad;
	const char *board, *case_text, *metric;
	int64_t walk, omitted;
	int64_t submission, tries, next_ms; /* submission NONE: it waits for none */
	int64_t ends, proof;                /* NONE */
	const char *good_binary, *bad_binary;
	int64_t need; /* NONE */
	double rate;  /* NAN */
	bool shared;
	int64_t first, culprit; /* NONE */
	double confidence;      /* NAN */
	int64_t step;           /* NONE */
	int64_t created_ms, ended_ms;
	/* store_bisect_load() */
	struct bisection_commit *commit; /* at[0] is position 1 */
	size_t commits;
	struct bisection_step *at;
	size_t steps;
};
struct bisections {
	struct bisection *at;
	size_t count;
};

/* As given, without commits; ERR_CONFLICT while one of the alert's is open. */
enum err store_bisect_add(struct db *db, const struct bisection *b, int64_t *id, struct why *w);
/* Everything that may change, as given. */
enum err store_bisect_save(struct db *db, const struct bisection *b, struct why *w);
enum err store_bisect_get(struct db *db, int64_t id, struct pool *p, struct bisection *out,
                          struct why *w);
/* The newest of an alert; id 0: there is none. */
enum err store_bisect_of_alert(struct db *db, int64_t alert, struct pool *p, struct bisection *out,
                               struct why *w);
/* Adds commits and steps. */
enum err store_bisect_load(struct db *db, struct bisection *b, struct pool *p, struct why *w);
enum err store_bisect_commits(struct db *db, const struct bisection *b, struct why *w);
enum err store_bisect_answer(struct db *db, int64_t bisection, int64_t position,
                             const struct bisection_commit *c, struct why *w);
/* Adds the step or changes it. */
enum err store_bisect_step(struct db *db, int64_t bisection, const struct bisection_step *s,
                           struct why *w);

/* Open ones that can go on: what they wait for has ended, and it is time. */
enum err store_bisect_due(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                          struct why *w);
/* Open ones that wait for a walk. */
enum err store_bisect_of_walk(struct db *db, int64_t walk, struct pool *p, struct ids *out,
                              struct why *w);
/* Alerts of tracks that are to be bisected: confirmed, or of a fault, and never yet. */
enum err store_bisect_wanted(struct db *db, struct pool *p, struct ids *out, struct why *w);

/* A submission that is a step, with all kernels built: the end or decided commit whose
 * binary the step's kernel is; *is false: there is none. */
enum err store_bisect_same(struct db *db, int64_t submission, struct pool *p, bool *is,
                           const char **commit, struct why *w);

/* A track's point whose submission this is, of commit `bad` against `good`, where one walk
 * has all that lies between the two. Points in between do not matter: what had no number, or
 * came late, was not what `bad` was held against. */
struct bisect_point {
	int64_t walk, first, last; /* positions in the walk; walk NONE: one must be asked for */
	const char *good;          /* behind which they begin: of a rebased branch the base */
	bool rebased;
};
enum err store_bisect_point(struct db *db, int64_t submission, const char *good, const char *bad,
                            struct pool *p, struct bisect_point *out, struct why *w);

/* Of a fault, in the boots that a submission has of a kernel: */
struct bisect_seen {
	int64_t shown;   /* the signature is among their faults */
	int64_t clean;   /* ran to the end without it */
	int64_t other;   /* neither */
	const char *why; /* the first reason of those */
};
enum err store_bisect_seen(struct db *db, int64_t submission, int64_t kernel, const char *board,
                           const char *signature, struct pool *p, struct bisect_seen *out,
                           struct why *w);
/* Jobs of a submission (of a kernel, NONE: of any) that infra trouble ended, and the first
 * reason. */
enum err store_bisect_infra(struct db *db, int64_t submission, int64_t kernel, struct pool *p,
                            int64_t *jobs, const char **why, struct why *w);

#endif
