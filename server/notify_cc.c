/* notify_cc.c - see notify_cc.h. */
#include "server/notify_cc.h"

#include "lib/mailbox.h"
#include "lib/mem.h"
#include "server/store_series.h"
#include "server/store_submission.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#define LOOKED_AT 1000 /* of those that the trailers name */

/* The tree itself, or one below a folder: ".../linux" is no beginning of ".../linux-x". */
static bool is_below(const char *tree, const char *prefix)
{
	size_t n = strlen(prefix);

	return n && strncmp(tree, prefix, n) == 0 &&
	       (!tree[n] || tree[n] == '/' || prefix[n - 1] == '/');
}

static bool may(const struct server_conf *c, const char *tree)
{
	for (size_t i = 0; tree && i < c->notify_cc_trees.count; i++)
		if (is_below(tree, c->notify_cc_trees.items[i]))
			return true;
	return false;
}

static bool is_left_out(const struct server_conf *c, const char *address, const char *to)
{
	for (size_t i = 0; i < c->notify_cc_never.count; i++)
		if (fnmatch(c->notify_cc_never.items[i], address, FNM_CASEFOLD) == 0)
			return true;
	return strcasecmp(address, to) == 0 || !mailbox_is_plain(address);
}

/* Patches that the alert's kernel holds; 0: it is none of a series. */
static enum err patches_of(struct db *db, struct pool *p, const struct server_conf *c,
                           const struct alert *a, int64_t *patches, struct why *w)
{
	struct sub_kernels k = {0};
	enum err e = store_sub_all_kernels(db, a->submission, p, &k, w);

	*patches = 0;
	for (size_t i = 0; e == OK && i < k.count; i++)
		if (str_eq(k.at[i].name, a->kernel) && may(c, k.at[i].tree))
			*patches = k.at[i].patches;
	return e;
}

enum err notify_cc(struct db *db, struct pool *p, const struct server_conf *c,
                   const struct alert *a, const struct letter *l, const char *to, const char ***out,
                   size_t *count, struct why *w)
{
	const char **all = NULL;
	int64_t first = NONE, patches = 0;
	size_t n = 0, o;
	enum err e = OK;

	*out = NULL;
	*count = 0;
	if (!c->notify_cc_trees.count || a->submission == NONE || !a->kernel)
		return OK;
	e = store_outbox_first_mail(db, l->step, &first, w);
	if (e == OK && first == l->subscription)
		e = patches_of(db, p, c, a, &patches, w);
	if (e == OK && patches > 0)
		e = store_series_persons(db, a->submission, patches, LOOKED_AT, p, &all, &n, w);
	for (size_t i = 0; e == OK && i < n && *count < CC_MAX; i++) {
		if (is_left_out(c, all[i], to))
			continue;
		for (o = 0; o < *count && strcasecmp((*out)[o], all[i]) != 0; o++)
			;
		if (o == *count)
			*(const char **)pool_push(p, (void **)out, count, sizeof(**out)) = all[i];
	}
	return e;
}
