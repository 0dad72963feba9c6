/*
 * verdict_validate.c - what the boots say that were made for their log alone: the same
 * commits with DEBUG_VM, PAGE_TABLE_CHECK and their like. A published set of figures
 * was void because an assertion would have fired that nobody had switched on.
 */
#include "server/verdict_facts.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/store_boot.h"

#include <string.h>

#define CHECKS "the mm's own checks (DEBUG_VM, PAGE_TABLE_CHECK)"

/* The newest boot of that validator, or NULL. */
static const struct boot *boot_of(const struct facts *f, const struct sub_kernel *validator)
{
	const struct boot *newest = NULL;

	for (size_t i = 0; i < f->boots.count; i++)
		if (f->boots.at[i].kernel == validator->kernel_id &&
		    str_eq(f->boots.at[i].purpose, "validate"))
			newest = &f->boots.at[i];
	return newest;
}

/* Why there is no boot of it, or NULL where it may still come. */
static const char *missing(const struct facts *f, struct pool *p, const struct sub_kernel *v)
{
	if (str_eq(v->state, "failed"))
		return pool_fmt(p, "with them it cannot be built: %s",
		                v->why ? v->why : "no reason given");
	for (size_t i = 0; i < f->jobs.count; i++) {
		const struct job *j = &f->jobs.at[i];

		if (str_eq(j->purpose, "validate") && j->kernel == v->kernel_id &&
		    (str_eq(j->state, "failed") || str_eq(j->state, "cancelled")))
			return pool_fmt(p, "the boot did not take place: %s",
			                j->why ? j->why : "no reason given");
	}
	return NULL;
}

static void void_kernel(struct pool *p, struct facts *f, struct judged *v, size_t kernel,
                        const char *why)
{
	for (size_t i = 0; i < f->boots.count; i++) {
		struct boot *b = &f->boots.at[i];
		struct boot_void *x;

		if (f->kernel_of[i] != f->stands_for[kernel] || !b->valid || b->void_why)
			continue;
		x = pool_push(p, (void **)&v->voids.at, &v->voids.count, sizeof(*x));
		x->boot = b->id;
		x->why = b->void_why = why;
	}
}

/* A kernel that died or whose log has a fault: its class says so. A benchmark that
 * failed, or a board, says nothing about the code. */
static bool is_fault(const struct boot *b)
{
	return !b->valid && (!b->class || str_eq(b->class, "kernel"));
}

/* What it did with files (bench/files.h), for the middle of a sentence. */
static enum err files_of(struct db *db, struct pool *p, const struct boot *b, const char **words,
                         struct why *w)
{
	const char *text = NULL, *why;
	json_t *traits, *files;
	enum err e = OK;

	*words = "";
	if (b->traits_id)
		e = store_boot_env(db, b->traits_id, p, &text, w);
	if (e != OK || !text)
		return e;
	traits = json_loads(text, 0, NULL);
	files = json_object_get(json_object_get(json_object_get(traits, "guest"), "env"), "files");
	why = json_str(files, "why", json_str(json_object_get(traits, "board"), "no_disk", NULL));
	if (json_is_integer(json_object_get(files, "exercises")))
		*words = pool_fmt(
		        p, " and %lld exercises of files on %s, in folios up to order %lld,",
		        (long long)json_int(files, "exercises", 0), json_str(files, "type", "?"),
		        (long long)json_int(files, "folio_order", 0));
	else if (why)
		*words = pool_fmt(p, " (no files: %s)", why);
	json_decref(traits);
	return OK;
}

static enum err judge_one(struct db *db, struct pool *p, struct facts *f, struct judged *v,
                          const struct sub_kernel *validator, struct why *w)
{
	size_t kernel = sub_kernel_at(&f->kernels, validator->validates);
	const char *name = f->kernels.at[kernel].name, *why, *files = "";
	const struct boot *b = boot_of(f, validator);
	enum err e = b && b->valid ? files_of(db, p, b, &files, w) : OK;

	if (e != OK)
		return e;
	if (!b) {
		why = missing(f, p, validator);
		if (why)
			cmp_add_note(v->cmp, "%s is not validated by " CHECKS ": %s", name, why);
	} else if (b->valid) {
		cmp_add_note(
		        v->cmp, "%s with " CHECKS " ran every case%s%s and its log %s (boot %lld)",
		        name, files, *files ? "" : ",",
		        b->forgiven ? "holds known faults only" : "is clean", (long long)b->id);
	} else if (is_fault(b)) {
		why = pool_fmt(p, "with " CHECKS " the same code is faulty (boot %lld): %s",
		               (long long)b->id, b->why ? b->why : "no reason given");
		void_kernel(p, f, v, kernel, why);
		cmp_add_note(v->cmp, "%s: %s", name, why);
	} else {
		cmp_add_note(v->cmp, "%s is not validated by " CHECKS ": boot %lld: %s", name,
		             (long long)b->id, b->why ? b->why : "no reason given");
	}
	return OK;
}

static bool has_validator(const struct facts *f, size_t kernel)
{
	for (size_t i = 0; i < f->validators.count; i++)
		if (f->validators.at[i].validates == f->kernels.at[kernel].pos)
			return true;
	return false;
}

enum err facts_validate(struct db *db, struct pool *p, struct facts *f, struct judged *v,
                        struct why *w)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < f->validators.count; i++)
		e = judge_one(db, p, f, v, &f->validators.at[i], w);
	/* Of a series only the tip is validated, which needs no words. */
	for (size_t i = 0; f->validators.count && i < f->kernels.count; i++)
		if (!has_validator(f, i) &&
		    (f->kernels.at[i].image || f->kernels.at[i].config_whole))
			cmp_add_note(v->cmp, "%s is not validated: it is %s", f->kernels.at[i].name,
			             f->kernels.at[i].image ? "a prebuilt image"
			                                    : "built from a whole .config");
	return e;
}
