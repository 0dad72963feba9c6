#include "cli/preset.h"

#include "lib/buf.h"
#include "lib/case.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static const int lists_orders[] = {0, 9, -1};
static const int quick_orders[] = {0, 4, 9, -1};
/* 4 is the smallest that 16 pages fold at: 2 and 3 tell batching from contpte. */
static const int full_orders[] = {0, 2, 3, 4, 5, 9, -1};

static const char *const fork_alone[] = {"fork", NULL};
static const char *const all[] = {
        "fork",
        "fork,fill=file",
        "exit",
        "munmap",
        "munmap,block=4K",
        "mremap,skew=4K",
        "mremap,align=64K",
        "mremap,align=2M",
        "dontneed,mode=whole",
        "dontneed,mode=each-page",
        "dontneed,block=4K",
        "dontneed,block=60K",
        "mprotect,mode=ro",
        "mprotect,mode=rw",
        "mprotect,block=4K",
        "split,mode=mlock",
        "split,mode=dontfork",
        "cow,mode=alive",
        "cow,mode=gone",
        "walk,mode=pagemap",
        "walk,mode=smaps",
        "walk,mode=mincore",
        "refs,mode=clear",
        "refs,mode=retouch",
        "reads",
        "moved,skew=4K,mode=fork",
        "moved,skew=4K,mode=reads",
        "pageout,mode=out",
        "pageout,mode=in",
        "ksm",
        NULL,
};

static const struct preset presets[] = {
        {"seed-fork", 2, 4, 100, 1, lists_orders, "1G", fork_alone},
        {"contpte-quick", -1, 1, 3, 1, quick_orders, "16M", all},
        {"contpte-full", -1, -1, -1, -1, full_orders, NULL, all},
};

enum err preset_find(const char *name, const struct preset **out, struct why *w)
{
	struct buf names;

	buf_init(&names, 256);
	for (size_t i = 0; i < ARRAY_SIZE(presets); i++) {
		if (str_eq(presets[i].name, name)) {
			*out = &presets[i];
			buf_release(&names);
			return OK;
		}
		buf_addf(&names, "%s%s", i ? ", " : "", presets[i].name);
	}
	err_set(w, ERR_INPUT, "--preset: there is no \"%s\", only %s", name, names.data);
	buf_release(&names);
	return ERR_INPUT;
}

static void add(const struct preset *p, const char *operation, int order, json_t *cases)
{
	size_t n = strcspn(operation, ",");
	char *text = xasprintf("%.*s/order=%d%s%s%s", (int)n, operation, order, operation + n,
	                       p->size ? ",size=" : "", p->size ? p->size : "");
	char canonical[CASE_TEXT], why[400];
	struct bench_case c;

	if (case_parse(text, &c, why, sizeof(why)) != 0)
		err_bug("preset \"%s\": %s", p->name, why);
	case_format(&c, canonical, sizeof(canonical));
	json_array_append_new(cases, json_string(canonical));
	free(text);
}

void preset_cases(const struct preset *p, json_t *cases)
{
	for (size_t i = 0; p->operations[i]; i++)
		for (size_t o = 0; p->orders[o] >= 0; o++)
			add(p, p->operations[i], p->orders[o], cases);
}
