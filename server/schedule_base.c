/* schedule_base.c - kernels that are the merge base of another one of their submission. */
#include "server/schedule.h"

#include "lib/mem.h"

static const struct sub_kernel *other_of(const struct sub_kernel *k, const struct sub_kernels *all)
{
	for (size_t i = 0; k->base_of && i < all->count; i++)
		if (str_eq(all->at[i].name, k->base_of))
			return &all->at[i];
	return NULL;
}

enum err sched_base_of(struct db *db, struct pool *p, int64_t sub, struct sub_kernel *k,
                       const struct sub_kernels *all, const char **commit, struct why *w)
{
	const struct sub_kernel *other = other_of(k, all);

	*commit = other ? other->commit : NULL;
	if (!other || !str_eq(other->state, "failed") || other->commit)
		return OK;
	k->state = "failed";
	k->why = pool_fmt(p, "its branch has no commit: kernel \"%s\": %s", other->name,
	                  other->why ? other->why : "no reason given");
	return store_sub_kernel_set(db, sub, k->pos, k->state, k->why, NULL, NULL, NONE, w);
}

bool sched_resolves(const struct job *j, const struct sub_kernel *k, const struct sub_kernels *all)
{
	const struct sub_kernel *other = other_of(k, all);

	return str_eq(k->state, "resolving") && !k->commit && str_eq(k->tree, j->tree) &&
	       str_eq(k->ref, j->ref) && str_eq(other ? other->commit : NULL, j->base_of) &&
	       !other == !j->base_of;
}
