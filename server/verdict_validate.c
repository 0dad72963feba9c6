/*
 * verdict_validate.c - what the boots say that were made for their log alone: the same
 * commits with DEBUG_VM, PAGE_TABLE_CHECK and their like. A published set of figures
 * was void because an assertion would have fired that nobody had switched on.
 */
#include "server/verdict_facts.h"

#include "lib/mem.h"

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

static void judge_one(struct pool *p, struct facts *f, struct judged *v,
                      const struct sub_kernel *validator)
{
	size_t kernel = (size_t)validator->validates;
	const char *name = f->kernels.at[kernel].name, *why;
	const struct boot *b = boot_of(f, validator);

	if (!b) {
		why = missing(f, p, validator);
		if (why)
			cmp_add_note(v->cmp, "%s is not validated by " CHECKS ": %s", name, why);
	} else if (b->valid) {
		cmp_add_note(v->cmp,
		             "%s with " CHECKS " ran every case, and its log %s (boot %lld)", name,
		             b->forgiven ? "holds known faults only" : "is clean",
		             (long long)b->id);
	} else if (is_fault(b)) {
		why = pool_fmt(p, "with " CHECKS " the same code is faulty (boot %lld): %s",
		               (long long)b->id, b->why ? b->why : "no reason given");
		void_kernel(p, f, v, kernel, why);
		cmp_add_note(v->cmp, "%s: %s", name, why);
	} else {
		cmp_add_note(v->cmp, "%s is not validated by " CHECKS ": boot %lld: %s", name,
		             (long long)b->id, b->why ? b->why : "no reason given");
	}
}

static bool has_validator(const struct facts *f, size_t kernel)
{
	for (size_t i = 0; i < f->validators.count; i++)
		if (f->validators.at[i].validates == (int64_t)kernel)
			return true;
	return false;
}

void facts_validate(struct pool *p, struct facts *f, struct judged *v)
{
	for (size_t i = 0; i < f->validators.count; i++)
		judge_one(p, f, v, &f->validators.at[i]);
	for (size_t i = 0; f->validators.count && i < f->kernels.count; i++)
		if (!has_validator(f, i))
			cmp_add_note(v->cmp, "%s is not validated: it is %s", f->kernels.at[i].name,
			             f->kernels.at[i].image ? "a prebuilt image"
			                                    : "built from a whole .config");
}
