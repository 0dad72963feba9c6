#include "lib/preset.h"

#include "lib/buf.h"
#include "lib/case.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static const int lists_orders[] = {0, 9, -1};
static const int quick_orders[] = {0, 4, 9, -1};
/* 4 is the smallest that 16 pages fold at: 2 and 3 tell batching from contpte. */
static const int full_orders[] = {0, 2, 3, 4, 5, 9, -1};
/* The same with 128 pages of 16K, order 7, and with 32 of 64K, order 5. */
static const int quick_orders_16k[] = {0, 7, 9, -1};
static const int full_orders_16k[] = {0, 2, 4, 6, 7, 8, 9, -1};
static const int quick_orders_64k[] = {0, 5, 7, -1};
static const int full_orders_64k[] = {0, 2, 3, 4, 5, 7, 9, -1};

static const struct preset_pages sizes[] = {
        {.page = "4K",
         .rest = "60K",
         .block = "64K",
         .control = "mremap,align=2M",
         .small = "16M",
         .orders = {lists_orders, quick_orders, full_orders}},
        {.page = "16K",
         .rest = "2032K",
         .block = "2M",
         .control = "mremap,align=32M,size=64M",
         .small = "16M",
         .orders = {lists_orders, quick_orders_16k, full_orders_16k}},
        /* Its control would be a region of 512M and more. */
        {.page = "64K",
         .rest = "1984K",
         .block = "2M",
         .small = "16M",
         .orders = {lists_orders, quick_orders_64k, full_orders_64k}},
};

static const char *const seed[] = {"fork,size=1G", NULL};
static const char *const all[] = {
        "fork",
        "fork,fill=file",
        "exit",
        "munmap",
        "munmap,block={page}",
        "mremap,skew={page}",
        "mremap,align={block}",
        "{control}",
        "dontneed,mode=whole",
        "dontneed,mode=each-page",
        "dontneed,block={page}",
        "dontneed,block={rest}",
        "mprotect,mode=ro",
        "mprotect,mode=rw",
        "mprotect,block={page}",
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
        "moved,skew={page},mode=fork",
        "moved,skew={page},mode=reads",
        "pageout,mode=out",
        "pageout,mode=in",
        "ksm",
        NULL,
};

static const struct preset presets[] = {
        {"seed-fork", 2, 4, 100, 1, ORDERS_LISTS, false, seed},
        {"contpte-quick", -1, 1, 3, 1, ORDERS_QUICK, true, all},
        {"contpte-full", -1, -1, -1, -1, ORDERS_FULL, false, all},
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

enum err preset_pages_find(const char *name, const struct preset_pages **out, struct why *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (!name || str_eq(sizes[i].page, name)) {
			*out = &sizes[i];
			return OK;
		}
	}
	return err_set(w, ERR_INPUT, "expected one of 4K, 16K, 64K, got \"%s\"", name);
}

/* The operation with this size's words in it; false where it has none. */
static bool put_words(const char *operation, const struct preset_pages *s, struct buf *out)
{
	const struct {
		const char *name, *value;
	} words[] = {{"{page}", s->page},
	             {"{rest}", s->rest},
	             {"{block}", s->block},
	             {"{control}", s->control}};

	while (*operation) {
		size_t i = 0;

		while (i < ARRAY_SIZE(words) && !str_starts(operation, words[i].name))
			i++;
		if (i == ARRAY_SIZE(words)) {
			buf_addc(out, *operation++);
			continue;
		}
		if (!words[i].value)
			return false;
		buf_adds(out, words[i].value);
		operation += strlen(words[i].name);
	}
	return true;
}

static void add(const struct preset *p, const struct preset_pages *s, const char *operation,
                int order, json_t *cases)
{
	size_t n = strcspn(operation, ",");
	bool sized = p->small && !strstr(operation, ",size=");
	char *text = xasprintf("%.*s/order=%d%s%s%s", (int)n, operation, order, operation + n,
	                       sized ? ",size=" : "", sized ? s->small : "");
	char canonical[CASE_TEXT], why[400];
	struct bench_case c;

	if (case_parse(text, &c, why, sizeof(why)) != 0)
		err_bug("preset \"%s\": %s", p->name, why);
	case_format(&c, canonical, sizeof(canonical));
	json_array_append_new(cases, json_string(canonical));
	free(text);
}

void preset_cases(const struct preset *p, const struct preset_pages *pages, json_t *cases)
{
	const int *orders = pages->orders[p->orders];

	for (size_t i = 0; p->operations[i]; i++) {
		struct buf operation;

		buf_init(&operation, CASE_TEXT);
		if (put_words(p->operations[i], pages, &operation))
			for (size_t o = 0; orders[o] >= 0; o++)
				add(p, pages, operation.data, orders[o], cases);
		buf_release(&operation);
	}
}

void preset_plan(const struct preset *p, const struct preset_pages *pages, struct buf *out)
{
	json_t *cases = json_array(), *text;
	size_t i;

	preset_cases(p, pages, cases);
	buf_adds(out, "# foldbench plan 1\n");
	json_array_foreach (cases, i, text) {
		buf_addf(out, "%s runs=%lld iterations=%lld warmup=%lld\n", json_string_value(text),
		         p->runs < 0 ? 1LL : (long long)p->runs,
		         p->iterations < 0 ? 5LL : (long long)p->iterations,
		         p->warmup < 0 ? 1LL : (long long)p->warmup);
	}
	json_decref(cases);
}
