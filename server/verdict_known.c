/* verdict_known.c - boots that count though their log holds faults: all of them known. */
#include "server/verdict_facts.h"

#include "lib/mem.h"
#include "server/store_fault.h"

#include <fnmatch.h>
#include <string.h>

static bool matches(const char *pattern, const char *text)
{
	return !pattern || (text && fnmatch(pattern, text, 0) == 0);
}

/* By any name that the submission gave the boot's kernel. */
static bool of_branch(const struct facts *f, struct pool *p, const char *pattern, int64_t kernel)
{
	size_t i, n = f->kernels.count;

	for (i = 0; pattern && i < n + f->validators.count; i++) {
		const struct sub_kernel *k = i < n ? &f->kernels.at[i] : &f->validators.at[i - n];

		if (k->kernel_id != kernel || !k->branch)
			continue;
		if (matches(pattern, strchr(pattern, '#') ? pool_fmt(p, "%s#%s", k->tree, k->branch)
		                                          : k->branch))
			return true;
	}
	return !pattern;
}

/* The oldest listing in force that covers a fault of the boot; NULL. Whether one has
 * run out is asked of the time of the boot, so that it comes out the same
 * whenever it is asked. */
static const struct known_fault *covering(const struct facts *f, struct pool *p,
                                          const struct known_faults *list, const struct boot *b,
                                          const char *signature)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct known_fault *k = &list->at[i];

		if (k->ended_id == NONE && strcmp(k->signature, signature) == 0 &&
		    b->created_ms < k->until_ms && matches(k->board, b->board) &&
		    of_branch(f, p, k->branch, b->kernel))
			return k;
	}
	return NULL;
}

static void forgive(struct pool *p, struct facts *f, struct boot *b, const struct boot_signature *s,
                    size_t n, const struct known_faults *list)
{
	const struct known_fault *last = NULL, *next;
	struct forgiven *by = pool_alloc(p, n * sizeof(*by));
	size_t i;

	for (i = 0; i < n; i++) {
		by[i].by = covering(f, p, list, b, s[i].signature);
		if (!by[i].by)
			return;
	}
	b->valid = b->forgiven = true;
	/* Each listing once, by id. */
	for (;;) {
		struct forgiven *x;

		for (next = NULL, i = 0; i < n; i++)
			if ((!last || by[i].by->id > last->id) &&
			    (!next || by[i].by->id < next->id))
				next = by[i].by;
		if (!next)
			return;
		x = pool_push(p, (void **)&f->forgiven.at, &f->forgiven.count, sizeof(*x));
		x->boot = (size_t)(b - f->boots.at);
		x->by = last = next;
	}
}

enum err facts_known(struct db *db, struct pool *p, struct facts *f, struct why *w)
{
	struct boot_signatures s = {0};
	struct known_faults list = {0};
	size_t i, end, boot = 0;
	enum err e = store_known_newest(db, f->sub.id, &f->last_known, w);

	if (e != OK || !f->last_known)
		return e;
	e = store_place_forgivable(db, f->sub.id, p, &s, w);
	if (e == OK)
		e = store_known_list(db, NULL, p, &list, w);
	for (i = 0; e == OK && i < s.count; i = end) {
		for (end = i + 1; end < s.count && s.at[end].boot == s.at[i].boot; end++)
			;
		while (boot < f->boots.count && f->boots.at[boot].id < s.at[i].boot)
			boot++;
		if (boot < f->boots.count && f->boots.at[boot].id == s.at[i].boot)
			forgive(p, f, &f->boots.at[boot], &s.at[i], end - i, &list);
	}
	return e;
}

void facts_footnotes(const struct facts *f, struct cmp *c)
{
	size_t i, name;

	c->last_known = f->last_known;
	for (i = 0; i < f->forgiven.count; i++) {
		const struct forgiven *x = &f->forgiven.at[i];
		const struct boot *b = &f->boots.at[x->boot];

		if (str_eq(b->purpose, "validate"))
			cmp_add_note(c, "boot %lld, which validates, shows the known fault %s: %s",
			             (long long)b->id, x->by->signature, x->by->why);
		if (b->void_why || f->board_of[x->boot] == NOWHERE ||
		    f->kernel_of[x->boot] == NOWHERE)
			continue;
		/* A kernel may stand there under several names. */
		for (name = 0; name < f->kernels.count; name++) {
			struct cmp_known *k;

			if (f->stands_for[name] != f->kernel_of[x->boot])
				continue;
			k = cmp_add_known(c, f->board_of[x->boot], name, b->id);
			k->id = x->by->id;
			k->signature = xstrdup(x->by->signature);
			k->why = xstrdup(x->by->why);
			k->until_ms = x->by->until_ms;
		}
	}
}

enum err facts_signatures(struct db *db, struct pool *p, const struct facts *f, struct cmp *c,
                          struct why *w)
{
	struct boot_signatures s = {0};
	size_t i, o;
	enum err e = c->throwns ? store_place_first(db, f->sub.id, p, &s, w) : OK;

	for (i = 0; e == OK && i < c->throwns; i++)
		for (o = 0; o < s.count; o++)
			if (s.at[o].boot == c->thrown[i].boot && !c->thrown[i].signature)
				c->thrown[i].signature = xstrdup(s.at[o].signature);
	return e;
}
