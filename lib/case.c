#include "lib/case.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define BIT(param) (1u << (param))
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define QUOTED     48 /* bytes of foreign text in a message */

/* Order 1 is no order of an anonymous folio: the third page of a large folio
 * holds its deferred-split list (include/linux/huge_mm.h, THP_ORDERS_ALL_ANON). */
static const int64_t orders[] = {0, 2, 3, 4, 5, 6, 7, 8, 9};
/* A contiguous block, and what one page of PTEs maps, with pages of 4K; 2M is the
 * block of 16K and of 64K, which map 32M and 512M by a page of PTEs. */
static const int64_t moduli[] = {64 * KIB, 2 * MIB, 32 * MIB, 512 * MIB};
static const char *const fills[] = {[FILL_ANON] = "anon", [FILL_FILE] = "file", NULL};

static const struct case_param_def params[PARAM_COUNT] = {
        [PARAM_ORDER] = {.name = "order",
                         .unit = UNIT_NUMBER,
                         .min = 0,
                         .max = 9,
                         .only = orders,
                         .only_count = COUNT(orders),
                         .help = "order of the folios: 0, or 2 to 9 (a page shifted left by it)"},
        [PARAM_SIZE] = {.name = "size",
                        .unit = UNIT_BYTES,
                        .min = MIB,
                        .max = 64 * GIB,
                        .step = 2 * MIB,
                        .help = "bytes of the region"},
        [PARAM_SKEW] = {.name = "skew",
                        .unit = UNIT_BYTES,
                        .min = 4 * KIB,
                        .max = 2 * MIB - 4 * KIB,
                        .step = 4 * KIB,
                        .help = "the destination lies this far off a boundary, in no multiple "
                                "of a block"},
        [PARAM_ALIGN] = {.name = "align",
                         .unit = UNIT_BYTES,
                         .min = 64 * KIB,
                         .max = 512 * MIB,
                         .only = moduli,
                         .only_count = COUNT(moduli),
                         .help = "source and destination are congruent modulo this: a block "
                                 "(64K with pages of 4K, else 2M), or what a page of PTEs maps"},
        [PARAM_FILL] = {.name = "fill",
                        .unit = UNIT_WORD,
                        .words = fills,
                        .help = "what the region maps: anonymous memory or a file, privately"},
        [PARAM_BLOCK] = {.name = "block",
                         .unit = UNIT_BYTES,
                         .min = 4 * KIB,
                         .max = 2 * MIB,
                         .step = 4 * KIB,
                         .help = "bytes touched in each block: of 64K with pages of 4K, else "
                                 "of 2M"},
        [PARAM_MODE] = {.name = "mode",
                        .unit = UNIT_WORD,
                        .help = "which variant of the operation"},
};

/* Words of `mode`. */
static const char *const dontneed_modes[] = {
        [DONTNEED_WHOLE] = "whole", [DONTNEED_EACH_PAGE] = "each-page", NULL};
static const char *const mprotect_modes[] = {[MPROTECT_RO] = "ro", [MPROTECT_RW] = "rw", NULL};
static const char *const split_modes[] = {
        [SPLIT_MLOCK] = "mlock", [SPLIT_DONTFORK] = "dontfork", NULL};
static const char *const cow_modes[] = {[COW_ALIVE] = "alive", [COW_GONE] = "gone", NULL};
static const char *const walk_modes[] = {
        [WALK_PAGEMAP] = "pagemap", [WALK_SMAPS] = "smaps", [WALK_MINCORE] = "mincore", NULL};
static const char *const refs_modes[] = {[REFS_CLEAR] = "clear", [REFS_RETOUCH] = "retouch", NULL};
static const char *const moved_modes[] = {[MOVED_FORK] = "fork", [MOVED_READS] = "reads", NULL};
static const char *const pageout_modes[] = {[PAGEOUT_OUT] = "out", [PAGEOUT_IN] = "in", NULL};

/* The region of most: bounds of `size`, and what it is when a case names none. */
#define REGION .size = GIB, .size_min = 2 * MIB, .size_step = 2 * MIB
/* Of those that move it. */
#define MOVED  .size = 16 * MIB, .size_min = MIB, .size_step = 64 * KIB
#define PLAIN  (BIT(PARAM_ORDER) | BIT(PARAM_SIZE))
#define MODED  (BIT(PARAM_ORDER) | BIT(PARAM_MODE)) /* the mode must be given */

static const struct case_bench_def benches[] = {
        {.name = "fork",
         .help = "fork(2), in the parent, of a process with the region populated",
         .takes = PLAIN | BIT(PARAM_FILL),
         .must = BIT(PARAM_ORDER),
         REGION},
        {.name = "munmap",
         .help = "munmap(2) of the populated region: one call, or one for a part of each block",
         .takes = PLAIN | BIT(PARAM_BLOCK),
         .must = BIT(PARAM_ORDER),
         REGION},
        {.name = "mremap",
         .help = "one mremap(2) of the whole populated region to a given place",
         .takes = PLAIN | BIT(PARAM_SKEW) | BIT(PARAM_ALIGN),
         .must = BIT(PARAM_ORDER),
         .one_of = BIT(PARAM_SKEW) | BIT(PARAM_ALIGN),
         MOVED},
        {.name = "exit",
         .help = "the exit of a child that shares the populated region",
         .takes = PLAIN,
         .must = BIT(PARAM_ORDER),
         REGION,
         .whole_cpu = true},
        {.name = "dontneed",
         .help = "madvise(MADV_DONTNEED): one call, one a page, or one for a part of each block",
         .takes = PLAIN | BIT(PARAM_BLOCK) | BIT(PARAM_MODE),
         .must = BIT(PARAM_ORDER),
         .one_of = BIT(PARAM_BLOCK) | BIT(PARAM_MODE),
         REGION,
         .modes = dontneed_modes},
        {.name = "mprotect",
         .help = "mprotect(2): the region read-only, writable again, or a part of each block",
         .takes = PLAIN | BIT(PARAM_BLOCK) | BIT(PARAM_MODE),
         .must = BIT(PARAM_ORDER),
         .one_of = BIT(PARAM_BLOCK) | BIT(PARAM_MODE),
         REGION,
         .modes = mprotect_modes},
        {.name = "split",
         .help = "a page in the middle of each block is locked, or kept from fork: a VMA is split",
         .takes = PLAIN | BIT(PARAM_MODE),
         .must = MODED,
         REGION,
         .modes = split_modes},
        {.name = "cow",
         .help = "a byte written to each page behind a fork(2), with the child alive or gone",
         .takes = PLAIN | BIT(PARAM_MODE),
         .must = MODED,
         REGION,
         .modes = cow_modes},
        {.name = "walk",
         .help = "one pass of a walker over the page tables: pagemap, smaps, mincore(2)",
         .takes = PLAIN | BIT(PARAM_MODE),
         .must = MODED,
         REGION,
         .modes = walk_modes},
        {.name = "refs",
         .help = "accessed bits cleared by clear_refs, or each page read behind that",
         .takes = PLAIN | BIT(PARAM_MODE),
         .must = MODED,
         REGION,
         .modes = refs_modes},
        {.name = "reads",
         .help = "random reads of one byte, as many as pages",
         .takes = PLAIN,
         .must = BIT(PARAM_ORDER),
         REGION},
        {.name = "moved",
         .help = "what follows a mremap(2): a fork(2), or random reads, at the new place",
         .takes = PLAIN | BIT(PARAM_SKEW) | BIT(PARAM_ALIGN) | BIT(PARAM_MODE),
         .must = MODED,
         .one_of = BIT(PARAM_SKEW) | BIT(PARAM_ALIGN),
         MOVED,
         .modes = moved_modes},
        {.name = "pageout",
         .help = "madvise(MADV_PAGEOUT) to zram, or each page read behind that",
         .takes = PLAIN | BIT(PARAM_MODE),
         .must = MODED,
         .size = 256 * MIB,
         .size_min = 2 * MIB,
         .size_step = 2 * MIB,
         .modes = pageout_modes},
        {.name = "ksm",
         .help = "ksmd's passes that merge identical pages of the populated region",
         .takes = PLAIN,
         .must = BIT(PARAM_ORDER),
         .size = 64 * MIB,
         .size_min = 2 * MIB,
         .size_step = 2 * MIB,
         .whole_cpu = true},
};

/* A piece of the text that is parsed; not NUL-terminated. */
struct span {
	const char *at;
	size_t len;
};

/* Foreign text for a message: ASCII, of bounded length. */
struct quote {
	char text[QUOTED + 4];
};

static struct quote quote(struct span s)
{
	struct quote q;
	size_t n = s.len < QUOTED ? s.len : QUOTED;

	for (size_t i = 0; i < n; i++)
		q.text[i] = s.at[i] >= 0x20 && s.at[i] < 0x7f ? s.at[i] : '?';
	memcpy(q.text + n, "...", 4);
	if (n == s.len)
		q.text[n] = '\0';
	return q;
}

static int span_is(struct span s, const char *word)
{
	return strlen(word) == s.len && memcmp(s.at, word, s.len) == 0;
}

/* The piece up to `end` or to the end of the text; *rest is what follows, with
 * rest->at NULL when `end` was not found. */
static struct span cut(struct span s, char end, struct span *rest)
{
	const char *p = s.len ? memchr(s.at, end, s.len) : NULL;

	*rest = (struct span){0};
	if (!p)
		return s;
	rest->at = p + 1;
	rest->len = s.len - (size_t)(p + 1 - s.at);
	return (struct span){s.at, (size_t)(p - s.at)};
}

struct out {
	char *text;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->len >= o->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->text + o->len, o->size - o->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len += (size_t)n;
}

static void put_bytes(struct out *o, int64_t bytes)
{
	static const struct {
		int64_t unit;
		const char *suffix;
	} units[] = {{GIB, "G"}, {MIB, "M"}, {KIB, "K"}};

	for (size_t i = 0; i < COUNT(units); i++) {
		if (bytes >= units[i].unit && bytes % units[i].unit == 0) {
			put(o, "%" PRId64 "%s", bytes / units[i].unit, units[i].suffix);
			return;
		}
	}
	put(o, "%" PRId64, bytes);
}

static void put_value(struct out *o, const struct case_param_def *def, int64_t value)
{
	if (def->unit == UNIT_BYTES)
		put_bytes(o, value);
	else
		put(o, "%" PRId64, value);
}

/* "order, size" */
static void put_params(struct out *o, unsigned int set)
{
	const char *between = "";

	for (int i = 0; i < PARAM_COUNT; i++) {
		if (!(set & BIT(i)))
			continue;
		put(o, "%s%s", between, params[i].name);
		between = ", ";
	}
}

const struct case_param_def *case_param_table(void)
{
	return params;
}

const struct case_bench_def *case_bench_table(size_t *count)
{
	*count = COUNT(benches);
	return benches;
}

static const struct case_bench_def *find(struct span name)
{
	for (size_t i = 0; i < COUNT(benches); i++)
		if (span_is(name, benches[i].name))
			return &benches[i];
	return NULL;
}

const struct case_bench_def *case_bench_find(const char *name)
{
	return find((struct span){name, strlen(name)});
}

const char *const *case_words(const struct case_bench_def *bench, enum case_param param)
{
	return params[param].words ? params[param].words : bench->modes;
}

/* Digits, and for bytes one of K, M, G after them. Returns 0, or -1. */
static int read_number(struct span s, enum case_unit unit, int64_t *value)
{
	int64_t n = 0, factor = 1;

	if (unit == UNIT_BYTES && s.len > 0) {
		switch (s.at[s.len - 1]) {
		case 'K':
			factor = KIB;
			break;
		case 'M':
			factor = MIB;
			break;
		case 'G':
			factor = GIB;
			break;
		}
		if (factor > 1)
			s.len--;
	}
	if (s.len == 0)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		int digit = s.at[i] - '0';

		if (digit < 0 || digit > 9 || n > (INT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	if (n > INT64_MAX / factor)
		return -1;
	*value = n * factor;
	return 0;
}

static int read_word(const struct case_bench_def *bench, enum case_param param, struct span s,
                     int64_t *value, struct out *err)
{
	const char *const *words = case_words(bench, param);
	const char *between = "";

	for (size_t i = 0; words && words[i]; i++) {
		if (span_is(s, words[i])) {
			*value = (int64_t)i;
			return 0;
		}
	}
	put(err, "%s: expected one of ", params[param].name);
	for (size_t i = 0; words && words[i]; i++, between = ", ")
		put(err, "%s%s", between, words[i]);
	put(err, ", got \"%s\"", quote(s).text);
	return -1;
}

static int is_one_of(const struct case_param_def *def, int64_t value)
{
	for (size_t i = 0; i < def->only_count; i++)
		if (def->only[i] == value)
			return 1;
	return def->only_count == 0;
}

static int read_value(const struct case_bench_def *bench, enum case_param param, struct span s,
                      int64_t *value, struct out *err)
{
	const struct case_param_def *def = &params[param];
	int64_t min = param == PARAM_SIZE ? bench->size_min : def->min;
	int64_t step = param == PARAM_SIZE ? bench->size_step : def->step;

	if (def->unit == UNIT_WORD)
		return read_word(bench, param, s, value, err);
	if (read_number(s, def->unit, value) != 0 || *value < min || *value > def->max) {
		put(err, "%s: expected %s from ", def->name,
		    def->unit == UNIT_BYTES ? "bytes" : "a number");
		put_value(err, def, min);
		put(err, " to ");
		put_value(err, def, def->max);
		put(err, ", got \"%s\"", quote(s).text);
		return -1;
	}
	if (!is_one_of(def, *value)) {
		put(err, "%s: expected one of ", def->name);
		for (size_t i = 0; i < def->only_count; i++) {
			put(err, "%s", i ? ", " : "");
			put_value(err, def, def->only[i]);
		}
		put(err, ", got \"%s\"", quote(s).text);
		return -1;
	}
	if (step && *value % step != 0) {
		put(err, "%s: expected a multiple of ", def->name);
		put_value(err, def, step);
		put(err, ", got \"%s\"", quote(s).text);
		return -1;
	}
	return 0;
}

static int read_param(struct bench_case *c, struct span text, struct out *err)
{
	struct span value, name = cut(text, '=', &value);
	int param;

	for (param = 0; param < PARAM_COUNT; param++)
		if (span_is(name, params[param].name))
			break;
	if (!value.at) {
		put(err, "expected parameter=value, got \"%s\"", quote(text).text);
		return -1;
	}
	if (param == PARAM_COUNT || !(c->bench->takes & BIT(param))) {
		put(err, "%s knows no parameter \"%s\"; it takes ", c->bench->name,
		    quote(name).text);
		put_params(err, c->bench->takes);
		return -1;
	}
	if (c->given & BIT(param)) {
		put(err, "%s is given twice", params[param].name);
		return -1;
	}
	c->given |= BIT(param);
	return read_value(c->bench, (enum case_param)param, value, &c->value[param], err);
}

static int check_given(const struct bench_case *c, struct out *err)
{
	unsigned int missing = c->bench->must & ~c->given;
	unsigned int chosen = c->bench->one_of & c->given;

	if (missing) {
		put(err, "%s needs ", c->bench->name);
		put_params(err, missing);
		return -1;
	}
	/* exactly one bit: not zero, and zero without its lowest */
	if (c->bench->one_of && (chosen == 0 || (chosen & (chosen - 1)))) {
		put(err, "%s needs exactly one of ", c->bench->name);
		put_params(err, c->bench->one_of);
		return -1;
	}
	return 0;
}

static int parse(struct span text, struct bench_case *c, struct out *err)
{
	struct span list, one, name = cut(text, '/', &list);
	size_t i;

	c->bench = find(name);
	if (!c->bench) {
		put(err, "unknown benchmark \"%s\"; known are ", quote(name).text);
		for (i = 0; i < COUNT(benches); i++)
			put(err, "%s%s", i ? ", " : "", benches[i].name);
		return -1;
	}
	c->value[PARAM_SIZE] = c->bench->takes & BIT(PARAM_SIZE) ? c->bench->size : 0;
	while (list.at) {
		one = cut(list, ',', &list);
		if (read_param(c, one, err) != 0)
			return -1;
	}
	return check_given(c, err);
}

int case_parse(const char *text, struct bench_case *c, char *err, size_t err_size)
{
	struct span all = {text, strlen(text)};
	struct out o = {.text = err, .size = err_size};
	struct bench_case got = {0};

	if (all.len == 0) {
		put(&o, "a case is empty; expected for instance \"fork/order=9,size=256M\"");
		return -1;
	}
	put(&o, "%s: ", quote(all).text);
	if (parse(all, &got, &o) != 0)
		return -1;
	if (err_size > 0)
		err[0] = '\0';
	*c = got;
	return 0;
}

void case_format(const struct bench_case *c, char *out, size_t size)
{
	struct out o = {.text = out, .size = size};
	char between = '/';

	put(&o, "%s", c->bench->name);
	for (int i = 0; i < PARAM_COUNT; i++) {
		if (!(c->given & BIT(i)))
			continue;
		put(&o, "%c%s=", between, params[i].name);
		if (params[i].unit == UNIT_WORD)
			put(&o, "%s", case_words(c->bench, (enum case_param)i)[c->value[i]]);
		else
			put_value(&o, &params[i], c->value[i]);
		between = ',';
	}
}

uint64_t case_bytes(const struct bench_case *c)
{
	return (uint64_t)c->value[PARAM_SIZE];
}
