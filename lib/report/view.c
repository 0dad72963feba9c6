#include "lib/report/view.h"

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/report/text.h"

#include <stdlib.h>
#include <string.h>

static size_t place(const struct cmp *c, size_t board, size_t case_, size_t metric, size_t kernel)
{
	return ((board * c->cases + case_) * c->metrics + metric) * c->kernels + kernel;
}

const struct cmp_cell *view_cell(const struct view *v, size_t board, size_t case_, size_t metric,
                                 size_t kernel)
{
	size_t at = v->at[place(v->c, board, case_, metric, kernel)];

	return at ? &v->c->cell[at - 1] : NULL;
}

bool view_any(const struct view *v, size_t board, size_t case_, size_t metric)
{
	for (size_t k = 0; k < v->c->kernels; k++)
		if (view_cell(v, board, case_, metric, k))
			return true;
	return false;
}

bool view_in_block(const struct view_block *b, const struct cmp_cell *x)
{
	if (x->metric != b->metric)
		return false;
	for (size_t i = 0; i < b->boards; i++)
		if (b->board[i] == x->board)
			return true;
	return false;
}

static bool board_has_metric(const struct view *v, size_t board, size_t metric)
{
	for (size_t s = 0; s < v->c->cases; s++)
		if (view_any(v, board, s, metric))
			return true;
	return false;
}

static void add_block(struct view *v, size_t metric, bool emulated, bool deterministic)
{
	struct view_block b = {metric, emulated, deterministic,
	                       xcalloc(v->c->boards ? v->c->boards : 1, sizeof(size_t)), 0};

	for (size_t i = 0; i < v->c->boards; i++) {
		const struct cmp_board *board = &v->c->board[i];

		if (board->emulated == emulated && board->deterministic == deterministic &&
		    board_has_metric(v, i, metric))
			b.board[b.boards++] = i;
	}
	if (b.boards == 0) {
		free(b.board);
		return;
	}
	v->block = xreallocarray(v->block, v->blocks + 1, sizeof(*v->block));
	v->block[v->blocks++] = b;
}

static void add_rest(struct buf *rest, const char *name, const char *value)
{
	if (rest->len)
		buf_adds(rest, ", ");
	if (strcmp(name, "size") != 0)
		buf_addf(rest, "%s ", name);
	buf_adds(rest, value);
}

static void drop_commas(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (*s != ',')
			*to++ = *s;
	*to = '\0';
}

/* Canonical texts are "bench/name=value,name=value"; what is none of that is
 * shown as it is. */
static void case_words(struct view_case *w, const char *text)
{
	char *copy = text_ascii(text, true), *slash = strchr(copy, '/'), *save = NULL;
	const char *first = strchr("abcdefghijklmnopqrstuvwxyz0123456789", *copy);
	struct buf rest;

	buf_init(&rest, 64 * 1024);
	if (slash)
		*slash = '\0';
	/* lines begin with it: "--- " or "From " would cut a mail */
	w->bench = xasprintf("%s%s", first && *first && !strchr(copy, ' ') ? "" : "case ", copy);
	w->order = NULL;
	for (char *p = slash ? strtok_r(slash + 1, ",", &save) : NULL; p;
	     p = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(p, '=');

		if (eq)
			*eq++ = '\0';
		if (eq && strcmp(p, "order") == 0 && !w->order)
			w->order = xasprintf("order-%s", eq);
		else
			add_rest(&rest, eq ? p : "size", eq ? eq : p);
	}
	free(copy);
	w->rest = buf_take(&rest, NULL);
	buf_release(&rest);
	w->caption = xasprintf("%s%s%s%s%s", w->bench, w->order ? ", " : "",
	                       w->order ? w->order : "", *w->rest ? ", " : "", w->rest);
	w->brief = xasprintf("%s%s%s%s%s", w->bench, w->order ? " o" : "",
	                     w->order ? w->order + strlen("order-") : "", *w->rest ? " " : "",
	                     w->rest);
	drop_commas(w->brief);
	if (!w->order)
		w->order = xstrdup("no order");
}

void view_init(struct view *v, const struct cmp *c)
{
	size_t n = 0;

	*v = (struct view){.c = c};
	v->at = xcalloc(place(c, c->boards, 0, 0, 0) + 1, sizeof(*v->at));
	for (size_t i = 0; i < c->cells; i++) {
		const struct cmp_cell *x = &c->cell[i];

		v->at[place(c, x->board, x->case_, x->metric, x->kernel)] = i + 1;
	}
	v->kernel = xcalloc(c->kernels ? c->kernels : 1, sizeof(*v->kernel));
	if (c->kernels)
		v->kernel[n++] = c->baseline;
	for (size_t k = 0; k < c->kernels; k++)
		if (k != c->baseline)
			v->kernel[n++] = k;
	v->case_ = xcalloc(c->cases ? c->cases : 1, sizeof(*v->case_));
	for (size_t s = 0; s < c->cases; s++)
		case_words(&v->case_[s], c->case_[s]);
	for (int nature = 0; nature < 4; nature++)
		for (size_t m = 0; m < c->metrics; m++)
			add_block(v, m, nature >> 1, nature & 1);
}

void view_release(struct view *v)
{
	for (size_t i = 0; i < v->blocks; i++)
		free(v->block[i].board);
	for (size_t s = 0; s < v->c->cases; s++) {
		free(v->case_[s].bench);
		free(v->case_[s].order);
		free(v->case_[s].rest);
		free(v->case_[s].caption);
		free(v->case_[s].brief);
	}
	free(v->block);
	free(v->case_);
	free(v->kernel);
	free(v->at);
}
