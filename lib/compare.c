#include "lib/compare.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cmp *cmp_new(void)
{
	return xcalloc(1, sizeof(struct cmp));
}

static void free_strings(char **s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s[i]);
	free(s);
}

void cmp_free(struct cmp *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->kernels; i++) {
		struct cmp_kernel *k = &c->kernel[i];

		free(k->name);
		free(k->tree);
		free(k->ref);
		free(k->commit);
		free(k->subject);
		free(k->config);
		free(k->compiler);
		free(k->build_id);
		free(k->image);
	}
	for (size_t i = 0; i < c->boards; i++) {
		free(c->board[i].name);
		free(c->board[i].description);
		free(c->board[i].env_id);
	}
	for (size_t i = 0; i < c->metrics; i++) {
		free(c->metric[i].name);
		free(c->metric[i].unit);
	}
	for (size_t i = 0; i < c->cells; i++)
		free(c->cell[i].why);
	for (size_t i = 0; i < c->throwns; i++)
		free(c->thrown[i].why), free(c->thrown[i].signature);
	for (size_t i = 0; i < c->acrosses; i++) {
		free(c->across[i].field);
		free(c->across[i].one);
		free(c->across[i].other);
	}
	for (size_t i = 0; i < c->knowns; i++)
		free(c->known[i].signature), free(c->known[i].why);
	for (size_t i = 0; i < c->covariates; i++)
		free(c->covariate[i].name);
	free_strings(c->case_, c->cases);
	free_strings(c->note, c->notes);
	free(c->title);
	free(c->kernel);
	free(c->board);
	free(c->metric);
	free(c->cell);
	free(c->thrown);
	free(c->across);
	free(c->known);
	free(c->covariate);
	free(c);
}

/* Room for one more of `size` bytes in an array of n; it grows at powers of two. */
static void *room(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : xreallocarray(array, n ? 2 * n : 1, size);
}

size_t cmp_add_kernel(struct cmp *c, const char *name)
{
	for (size_t i = 0; i < c->kernels; i++)
		if (str_eq(c->kernel[i].name, name))
			return i;
	c->kernel = room(c->kernel, c->kernels, sizeof(*c->kernel));
	c->kernel[c->kernels] = (struct cmp_kernel){.name = xstrdup(name)};
	return c->kernels++;
}

size_t cmp_add_board(struct cmp *c, const char *name)
{
	for (size_t i = 0; i < c->boards; i++)
		if (str_eq(c->board[i].name, name))
			return i;
	c->board = room(c->board, c->boards, sizeof(*c->board));
	c->board[c->boards] = (struct cmp_board){.name = xstrdup(name)};
	return c->boards++;
}

size_t cmp_add_case(struct cmp *c, const char *text)
{
	for (size_t i = 0; i < c->cases; i++)
		if (str_eq(c->case_[i], text))
			return i;
	c->case_ = room(c->case_, c->cases, sizeof(*c->case_));
	c->case_[c->cases] = xstrdup(text);
	return c->cases++;
}

size_t cmp_add_metric(struct cmp *c, const char *name)
{
	for (size_t i = 0; i < c->metrics; i++)
		if (str_eq(c->metric[i].name, name))
			return i;
	c->metric = room(c->metric, c->metrics, sizeof(*c->metric));
	c->metric[c->metrics] = (struct cmp_metric){.name = xstrdup(name)};
	return c->metrics++;
}

struct cmp_cell *cmp_add_cell(struct cmp *c, size_t board, size_t case_, size_t metric,
                              size_t kernel)
{
	struct cmp_cell *cell;

	c->cell = room(c->cell, c->cells, sizeof(*c->cell));
	cell = &c->cell[c->cells++];
	*cell = (struct cmp_cell){
	        .board = board,
	        .case_ = case_,
	        .metric = metric,
	        .kernel = kernel,
	        .base = c->baseline,
	        .mean = NAN,
	        .base_mean = NAN,
	        .std_rel = NAN,
	        .change = NAN,
	        .low = NAN,
	        .high = NAN,
	        .level = NAN,
	        .at_most = NAN,
	        .mean_change = NAN,
	        .tau = NAN,
	        .floor = NAN,
	        .layouts = 1,
	        .needed = -1,
	        .verdict = VERDICT_INVALID,
	};
	return cell;
}

struct cmp_thrown *cmp_add_thrown(struct cmp *c, size_t board, size_t kernel, int64_t boot,
                                  int64_t phase, const char *why)
{
	struct cmp_thrown *t;

	c->thrown = room(c->thrown, c->throwns, sizeof(*c->thrown));
	t = &c->thrown[c->throwns++];
	*t = (struct cmp_thrown){board, kernel, boot, phase, xstrdup(why), NULL};
	return t;
}

void cmp_add_across(struct cmp *c, size_t board, size_t kernel, const char *field, const char *one,
                    const char *other)
{
	c->across = room(c->across, c->acrosses, sizeof(*c->across));
	c->across[c->acrosses++] =
	        (struct cmp_across){board, kernel, xstrdup(field), one ? xstrdup(one) : NULL,
	                            other ? xstrdup(other) : NULL};
}

struct cmp_known *cmp_add_known(struct cmp *c, size_t board, size_t kernel, int64_t boot)
{
	c->known = room(c->known, c->knowns, sizeof(*c->known));
	c->known[c->knowns] = (struct cmp_known){.board = board, .kernel = kernel, .boot = boot};
	return &c->known[c->knowns++];
}

/* One footnote stands for all boots of a kernel on a board. */
static bool same_footnote(const struct cmp_known *a, const struct cmp_known *b)
{
	return a->id == b->id && a->board == b->board && a->kernel == b->kernel;
}

static bool concerns(const struct cmp_known *k, const struct cmp_cell *cell)
{
	return !cell ||
	       (k->board == cell->board && (k->kernel == cell->kernel || k->kernel == cell->base));
}

char *cmp_footnote(const struct cmp *c, const struct cmp_cell *cell, size_t *at)
{
	for (; *at < c->knowns; (*at)++) {
		const struct cmp_known *k = &c->known[*at];
		size_t earlier = 0, boots = 0;
		char day[32];

		while (!same_footnote(&c->known[earlier], k))
			earlier++;
		if (earlier < *at || !concerns(k, cell))
			continue;
		for (size_t i = *at; i < c->knowns; i++)
			boots += same_footnote(&c->known[i], k);
		/* The listing ends with a day, so the moment after it is the next. */
		clock_iso(k->until_ms - 1, day, sizeof(day));
		day[10] = '\0';
		(*at)++;
		return xasprintf("%zu boot%s of %s on %s count%s with the known fault %s: %s "
		                 "(listed until %s)",
		                 boots, boots == 1 ? "" : "s", c->kernel[k->kernel].name,
		                 c->board[k->board].name, boots == 1 ? "s" : "", k->signature,
		                 k->why, day);
	}
	return NULL;
}

void cmp_add_covariate(struct cmp *c, size_t cell, const char *name, double base, double mean,
                       double change)
{
	c->covariate = room(c->covariate, c->covariates, sizeof(*c->covariate));
	c->covariate[c->covariates++] =
	        (struct cmp_covariate){cell, xstrdup(name), base, mean, change};
}

void cmp_add_note(struct cmp *c, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < c->notes; i++) {
		if (str_eq(c->note[i], text)) {
			free(text);
			return;
		}
	}
	c->note = room(c->note, c->notes, sizeof(*c->note));
	c->note[c->notes++] = text;
}

void cmp_cell_result(struct cmp_cell *cell, const struct stat_result *r)
{
	cell->change = r->change;
	cell->low = r->low;
	cell->high = r->high;
	cell->level = r->level;
	cell->at_most = r->at_most;
	cell->mean_change = r->mean_change;
	cell->skewed = r->skewed;
	cell->needed = r->needed;
	cell->verdict = r->verdict;
	free(cell->why);
	cell->why = r->why[0] ? xstrdup(r->why) : NULL;
}

size_t cmp_previous(const struct cmp *c, size_t kernel)
{
	if (kernel == c->baseline)
		return kernel;
	while (kernel > 0)
		if (--kernel != c->baseline)
			return kernel;
	return c->baseline;
}

bool cmp_counts_instructions(const struct cmp *c, size_t metric)
{
	return str_eq(c->metric[metric].name, "instructions");
}

/* "fork/order=0,size=1G": the parameter, whole, wherever it stands. */
static bool is_order_0(const char *case_)
{
	const char *p = strchr(case_, '/');

	while (p) {
		p++;
		if (str_starts(p, "order=0") && (p[7] == ',' || p[7] == '\0'))
			return true;
		p = strchr(p, ',');
	}
	return false;
}

static bool has_verdict(const struct cmp *c, const struct cmp_cell *x)
{
	return !cmp_is_baseline(c, x) && x->verdict <= VERDICT_UNSURE;
}

static void note_board(struct cmp *c, size_t board)
{
	const char *name = c->board[board].name;
	size_t all = 0, no_floor = 0, one_layout = 0, close_order_0 = 0;

	for (size_t i = 0; i < c->cells; i++) {
		const struct cmp_cell *x = &c->cell[i];

		if (x->board != board || !has_verdict(c, x))
			continue;
		all++;
		no_floor += isnan(x->floor);
		one_layout += x->layouts <= 1;
		/* relinking one source moved order-0 figures by several per cent */
		close_order_0 += x->layouts <= 1 && !c->board[board].emulated &&
		                 (x->verdict == VERDICT_SLOWER || x->verdict == VERDICT_FASTER) &&
		                 fabs(x->change) < 0.05 && is_order_0(c->case_[x->case_]);
	}
	if (no_floor && no_floor == all)
		cmp_add_note(c, "%s: no floor is known yet, tau is the threshold alone", name);
	else if (no_floor)
		cmp_add_note(c, "%s: no floor is known yet for %zu of %zu cells", name, no_floor,
		             all);
	if (one_layout)
		cmp_add_note(c, "%s: each kernel was linked in a single layout", name);
	if (close_order_0)
		cmp_add_note(c,
		             "%s: %zu order-0 verdict%s under 5%% rest%s on a single layout, "
		             "which alone can move them that far",
		             name, close_order_0, close_order_0 == 1 ? "" : "s",
		             close_order_0 == 1 ? "s" : "");
}

void cmp_standard_notes(struct cmp *c)
{
	size_t skewed = 0;

	for (size_t b = 0; b < c->boards; b++)
		note_board(c, b);
	for (size_t i = 0; i < c->cells; i++)
		skewed += c->cell[i].skewed && !cmp_is_baseline(c, &c->cell[i]);
	if (skewed)
		cmp_add_note(c,
		             "%zu cell%s skewed: the change of the iterations' mean differs from "
		             "that of their median by more than tau",
		             skewed, skewed == 1 ? " is" : "s are");
	for (size_t k = 0; k < c->kernels; k++)
		if (c->kernel[k].self_reported)
			cmp_add_note(c, "%s: self-reported, no agent saw it boot",
			             c->kernel[k].name);
}
