/*
 * submit_priv.h - what submit*.c share.
 */
#ifndef FOLDWATCH_SERVER_SUBMIT_PRIV_H
#define FOLDWATCH_SERVER_SUBMIT_PRIV_H

#include "server/config_sets.h"
#include "server/submit.h"

#define KERNELS_MAX 32 /* of a submission, but for those that validate or are only built */
#define CASES_MAX   1000

struct checking {
	const struct submitter *who;
	struct pool *p;
	struct db *db;
	struct wanted *out;
	struct config_sets sets;
	bool sets_loaded;
	const char *pages; /* page size whose words patterns of cases are over; NULL: 4K */
};

/* A kernel's `config`: its text, name and hash. `place` names it in sentences. */
enum err submit_config(struct checking *c, json_t *config, const char *place,
                       struct wanted_kernel *k, struct why *w);
/* Of an upload that is not there yet: a sentence, when it is only a dry run. */
void submit_unseen(struct checking *c, const char *place);
/* `key` names the ref in sentences. */
enum err submit_tree(const char *tree, const char *ref, const char *place, const char *key,
                     struct why *w);
/* A body's `boards` (NULL: all that are active), `cases` and `plan`; then foldbench's
 * plan from them. */
enum err submit_boards(struct checking *c, json_t *boards, struct why *w);
enum err submit_cases(struct checking *c, json_t *cases, struct why *w);
enum err submit_plan(struct checking *c, json_t *plan, struct why *w);
enum err submit_write_plan(struct checking *c, struct why *w);
/* A body's `series`: the baseline is c->out's one kernel then. */
enum err submit_series(struct checking *c, json_t *o, bool validate, struct why *w);

/* A pattern of cases (`fork/` and a star), over those of the preset contpte-full: the ones
 * it matches into *out, an array of strings which is the caller's also after an error.
 * ERR_INPUT, with names near it, where it matches none (submit_glob.c). */
enum err submit_pages(const char *pages, struct why *w);
bool submit_is_glob(const char *text);
/* ERR_INPUT for a pattern that is too long, or may cost too much to match. */
enum err submit_glob_fits(const char *text, const char *place, struct why *w);
enum err submit_glob(struct checking *c, const char *glob, const char *place, json_t **out,
                     struct why *w);
/* Fills s.asked_boots (submit_cost.c). */
enum err submit_asked(struct db *db, struct pool *p, struct wanted *x, struct why *w);
/* Kernels that are booted for their numbers. Of a series that boots every prefix nobody
 * knows them before it is resolved: as many as there can be. */
int64_t submit_measured(const struct wanted *x);
/* Boots that each kernel begins with on such a board. */
int64_t submit_boots_of(const struct wanted *x, bool deterministic);

#endif
