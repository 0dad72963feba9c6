/*
 * submit.h - a submission's body: decoded and checked as a whole.
 */
#ifndef FOLDWATCH_SERVER_SUBMIT_H
#define FOLDWATCH_SERVER_SUBMIT_H

#include "server/server.h"
#include "server/store_kernel.h"
#include "server/store_layout.h"
#include "server/store_series.h"
#include "server/store_submission.h"

struct wanted_kernel {
	struct sub_kernel k;
	const char *config_text; /* NULL for an image */
	struct kernel image;     /* for an image: the kernel that it is */
	char key[65];
};

struct wanted {
	struct sub s;
	struct wanted_kernel *kernel;
	size_t kernels;
	struct series series;
	const char *tip_text, *check_text; /* of the series' configurations */
	struct sub_layouts relinks;        /* that stand already (submit_part.c) */
	struct texts boards, cases;
	struct texts unseen; /* dry: sentences about what was not looked into */
	int64_t id;          /* once stored */
};

/* Who submits. */
struct submitter {
	struct server *srv;
	struct db *db;     /* that is read */
	const char *label; /* of the token */
	bool admin;        /* boards that boot nothing untrusted boot it */
	bool dry;          /* uploads need not be there: wanted.unseen says which are not */
};

/* Everything is checked before anything is stored: names, URLs, refs, configs,
 * boards, cases, bounds, images. ERR_INPUT for what is malformed,
 * ERR_UNPROCESSABLE for what is not there. */
enum err submit_read(const struct submitter *who, struct pool *p, json_t *body, struct wanted *out,
                     struct why *w);
/* A db_write() function; arg is the struct wanted. */
enum err submit_store(struct db *db, void *arg, struct why *w);
/* Both, inside a db_write() function whose handle is who->db: what the server asks for
 * on somebody's behalf, in the transaction of its cause. */
enum err submit_own(const struct submitter *who, json_t *body, int64_t *id, struct why *w);

/* By git-check-ref-format's rules, or a whole commit id. */
bool ref_is_good(const char *ref);
/* NULL, or what is wrong with it. */
const char *tree_fault(const char *url);
bool kernel_name_is_good(const char *name);
/* [A-Za-z0-9._-]{1,64}: names of boards, agents, toolchains, labels. */
bool word_is_good(const char *word);

#endif
