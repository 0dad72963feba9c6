#include "lib/report/report.h"

#include "lib/mem.h"
#include "lib/report/lists.h"

#include <string.h>

static const struct {
	const char *name;
	const char *title; /* 7-bit, for people */
	void (*print)(const struct view *v, struct buf *out);
} tables[REPORT_TABLES] = {
        [REPORT_ALL] = {"all", NULL, NULL},
        [REPORT_REPLY] = {"reply", "Reply", list_reply},
        [REPORT_COMMIT] = {"commit", "Commit message", list_commit},
        [REPORT_COVER] = {"cover", "Cover letter", list_cover},
        [REPORT_SUMMARY] = {"summary", "Summary", list_summary},
};

const char *report_table_name(enum report_table t)
{
	return tables[t].name;
}

bool report_table_parse(const char *word, enum report_table *t)
{
	for (int i = 0; i < REPORT_TABLES; i++) {
		if (str_eq(tables[i].name, word)) {
			*t = (enum report_table)i;
			return true;
		}
	}
	return false;
}

static void one(const struct view *v, enum report_table t, const struct report_opts *o,
                struct buf *out)
{
	if (v->blocks == 0)
		buf_adds(out, v->c->complete ? "No result.\n\n" : "No result yet.\n\n");
	tables[t].print(v, out);
	frame_foot(v, o, out);
}

void report_text(const struct cmp *c, enum report_table t, const struct report_opts *o,
                 struct buf *out)
{
	struct view v;

	view_init(&v, c);
	if (t != REPORT_ALL) {
		one(&v, t, o, out);
	} else {
		for (int i = REPORT_ALL + 1; i < REPORT_TABLES; i++) {
			const char *title = tables[i].title;

			/* "== Reply =====": never a line of '-' alone, where git-am cuts */
			buf_addf(out, "%s== %s ", i > REPORT_ALL + 1 ? "\n\n" : "", title);
			text_fill(out, '=', REPORT_COLUMNS - 4 - strlen(title));
			buf_adds(out, "\n\n");
			one(&v, (enum report_table)i, o, out);
		}
	}
	view_release(&v);
}

void report_markdown(const struct cmp *c, enum report_table t, const struct report_opts *o,
                     struct buf *out)
{
	struct view v;

	view_init(&v, c);
	for (int i = REPORT_ALL + 1; i < REPORT_TABLES; i++) {
		if (t != REPORT_ALL && (int)t != i)
			continue;
		buf_addf(out, "%s## %s\n\n", out->len ? "\n" : "", tables[i].title);
		if (i == REPORT_SUMMARY) {
			markdown_summary(&v, o, out);
		} else {
			/* five: names may hold a fence of their own */
			buf_adds(out, "`````text\n");
			one(&v, (enum report_table)i, o, out);
			buf_adds(out, "`````\n");
		}
	}
	view_release(&v);
}
