#include "server/tell.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "server/alerts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COLUMNS     72
#define PATCHES_MAX 5
#define CELLS_MAX   12

/* ---- ASCII in lines */

/* The next word of a text: its length, with *text at its start. */
static size_t next_word(const char **text)
{
	*text += strspn(*text, " \t\r\n");
	return strcspn(*text, " \t\r\n");
}

/* A character of another alphabet is one '?', and so is what controls. */
static void ascii(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= ' ' && c < 0x7f)
			buf_addc(out, (char)c);
		else if ((c & 0xc0) != 0x80)
			buf_addc(out, '?');
	}
}

/* Words in lines of at most COLUMNS behind `indent`. */
static void wrap(struct buf *out, const char *first, const char *indent, const char *text)
{
	size_t column = strlen(first), room = COLUMNS, n, margin = column;
	struct buf word;

	buf_init(&word, 16384);
	buf_adds(out, first);
	while ((n = next_word(&text))) {
		const char *at;
		size_t left;

		buf_reset(&word);
		ascii(&word, text, n);
		text += n;
		if (column > margin && column + 1 + word.len > room) {
			buf_addf(out, "\n%s", indent);
			column = margin = strlen(indent);
		} else if (column > margin) {
			buf_addc(out, ' ');
			column++;
		}
		/* One that is longer than a line. */
		for (at = word.data, left = word.len; left > room - column;) {
			size_t part = room - column;

			buf_add(out, at, part);
			at += part;
			left -= part;
			buf_addf(out, "\n%s", indent);
			column = margin = strlen(indent);
		}
		buf_add(out, at, left);
		column += left;
	}
	buf_addc(out, '\n');
	buf_release(&word);
}

static void para(struct buf *out, const char *indent, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

static void para(struct buf *out, const char *indent, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	wrap(out, indent, indent, text);
	free(text);
}

/* A command that a shell can be given as it stands: an option stays with its value, lines
 * that go on end with a backslash. A word that is longer than a line goes on at the start
 * of the next, since a blank would end it; one in quotes cannot be cut. */
static void put_command(struct buf *out, const char *text)
{
	size_t column = 2, n;

	buf_adds(out, "  ");
	while ((n = next_word(&text))) {
		const char *value = text + n;
		size_t with = n, left = n;

		if (!strncmp(text, "--", 2) && next_word(&value) && strncmp(value, "--", 2) != 0)
			with = (size_t)(value - text) + next_word(&value);
		if (column > 2 && column + 1 + with > COLUMNS - 2) {
			buf_adds(out, " \\\n      ");
			column = 6;
		} else if (column > 2) {
			buf_addc(out, ' ');
			column++;
		}
		while (!memchr(text, '\'', left) && column + left > COLUMNS - 2) {
			size_t part = COLUMNS - 1 - column;

			ascii(out, text, part);
			buf_adds(out, "\\\n");
			text += part;
			left -= part;
			column = 0;
		}
		ascii(out, text, left);
		text += left;
		column += left;
	}
	buf_addc(out, '\n');
}

/* ---- head */

static const char *domain_of(const char *from)
{
	return strchr(from, '@') + 1;
}

static void head(const struct telling *t, const char *from, const char *to, int64_t at_ms,
                 struct buf *out)
{
	const struct alert *a = t->alert;
	bool first = !t->step->from;
	char date[64], *subject;
	time_t s = (time_t)(at_ms / 1000);
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	subject = xasprintf("%s[foldwatch] %s", first ? "" : "Re: ", a->title);
	buf_addf(out, "From: foldwatch <%s>\nTo: <%s>\n", from, to);
	for (size_t i = 0; i < t->cc_count; i++)
		buf_addf(out, "%s<%s>%s\n", i ? " " : "Cc: ", t->cc[i],
		         i + 1 < t->cc_count ? "," : "");
	wrap(out, "Subject: ", " ", subject);
	free(subject);
	buf_addf(out, "Date: %s\n", date);
	buf_addf(out, "Message-ID: <alert-%lld.%lld", (long long)a->id, (long long)a->created_ms);
	if (!first)
		buf_addf(out, ".%lld", (long long)t->step->id);
	buf_addf(out, "@%s>\n", domain_of(from));
	if (!first) {
		buf_addf(out, "In-Reply-To: <alert-%lld.%lld@%s>\n", (long long)a->id,
		         (long long)a->created_ms, domain_of(from));
		buf_addf(out, "References: <alert-%lld.%lld@%s>\n", (long long)a->id,
		         (long long)a->created_ms, domain_of(from));
	}
	buf_adds(out, "Auto-Submitted: auto-generated\n"
	              "MIME-Version: 1.0\n"
	              "Content-Type: text/plain; charset=us-ascii\n"
	              "Content-Transfer-Encoding: 7bit\n");
	buf_addf(out, "Foldwatch-Delivery: %s\n\n", t->delivery);
}

/* ---- body */

static void number(struct buf *out, double v)
{
	buf_addf(out, v < 1000 && v > -1000 ? "%.2f" : "%.0f", v);
}

/* Two lines, so that no case and no number is too wide. */
static void cell(const struct alert_cell *c, struct buf *out)
{
	para(out, "  ", "%s on %s, %s%s", c->case_text, c->board, c->metric,
	     c->emulated ? ", emulated" : "");
	buf_adds(out, "      ");
	number(out, c->base_mean);
	buf_adds(out, " -> ");
	number(out, c->mean);
	buf_addf(out, "   %+.2f %%", c->change * 100);
	if (!isnan(c->low) && !isnan(c->high))
		buf_addf(out, "  [%+.2f %%, %+.2f %%]", c->low * 100, c->high * 100);
	buf_addc(out, '\n');
}

static void table(const struct alert_cells *cells, struct buf *out)
{
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < cells->count; i++) {
		const struct alert_cell *c = &cells->at[i];

		if (!c->case_text || c->mute != NONE)
			continue;
		if (shown < CELLS_MAX)
			cell(c, out);
		else
			more++;
		shown++;
	}
	if (more)
		buf_addf(out, "  ... and %zu more\n", more);
	buf_addc(out, '\n');
}

static void side(struct buf *out, const char *name, const char *ref, const char *commit,
                 const char *subject)
{
	if (!name)
		return;
	/* Asked for by its commit, which stands beside it. */
	if (ref && commit && hex_is(ref, 40))
		ref = NULL;
	para(out, "  ", "%s%s%s%s%.12s%s%s%s", name, ref ? ": " : "", ref ? ref : "",
	     !commit ? ""
	     : ref   ? " "
	             : ": ",
	     commit ? commit : "", subject ? " (\"" : "", subject ? subject : "",
	     subject ? "\")" : "");
}

/* What the search found in the series: in the first letter, which waits for it. */
static void patches(const struct telling *t, struct buf *out)
{
	if (!t->patches)
		return;
	para(out, "", "In the series it comes with");
	buf_addc(out, '\n');
	for (size_t i = 0; i < t->patches && i < PATCHES_MAX; i++) {
		const struct tell_patch *x = &t->patch[i];

		if (x->first == x->last)
			para(out, "  ", "patch %lld, %.12s (\"%s\")", (long long)x->last, x->commit,
			     x->subject);
		else
			para(out, "  ", "one of patches %lld to %lld, %.12s (\"%s\")",
			     (long long)x->first, (long long)x->last, x->commit, x->subject);
		para(out, "  ", "%s", x->author);
		if (x->cells > 1)
			para(out, "    ", "%+.2f %% in %s on %s, and %zu more", x->change * 100,
			     x->case_text, x->board, x->cells - 1);
		else
			para(out, "    ", "%+.2f %% in %s on %s", x->change * 100, x->case_text,
			     x->board);
	}
	if (t->patches > PATCHES_MAX)
		buf_addf(out, "  ... and %zu more\n", t->patches - PATCHES_MAX);
	buf_addc(out, '\n');
}

static void moved(const struct telling *t, struct buf *out)
{
	const struct alert *a = t->alert;
	size_t slower = 0;

	for (size_t i = 0; i < t->cells->count; i++)
		slower += str_eq(t->cells->at[i].verdict, "slower");
	para(out, "", "%s is worse than %s in %zu %s of submission %lld:", a->kernel, a->base,
	     slower, slower == 1 ? "cell" : "cells", (long long)a->submission);
	buf_addc(out, '\n');
	table(t->cells, out);
	side(out, a->base, a->base_ref, a->base_commit, a->base_subject);
	side(out, a->kernel, a->ref, a->commit, a->subject);
	buf_addc(out, '\n');
	patches(t, out);
}

static void fault(const struct telling *t, struct buf *out)
{
	const struct alert *a = t->alert;

	para(out, "", "A boot on %s showed a fault of the kernel's that no boot had shown before:",
	     t->cells->count ? t->cells->at[0].board : "a board");
	buf_addc(out, '\n');
	para(out, "  ", "%s", a->signature);
	if (t->fault_place)
		para(out, "  ", "at %s", t->fault_place);
	if (t->fault_line) {
		buf_addc(out, '\n');
		para(out, "  > ", "%s", t->fault_line);
	}
	buf_addc(out, '\n');
	side(out, a->kernel, a->ref, a->commit, a->subject);
	if (a->kernel)
		buf_addc(out, '\n');
}

static void missing(const struct telling *t, struct buf *out)
{
	const struct alert *a = t->alert;

	para(out, "", "A branch that is followed has gone quiet:");
	buf_addc(out, '\n');
	para(out, "  ", "%s of %s", a->ref ? a->ref : "?", a->tree ? a->tree : "?");
	para(out, "  ", "%s", t->step->why);
	buf_addc(out, '\n');
}

static void suspect(const struct telling *t, struct buf *out)
{
	const struct suspect *s = t->suspect;
	const char *many = s->boots == 1 ? "" : "s";

	if (!s->steps)
		para(out, "", "It is the only commit in between:");
	else if (s->confidence > .9999 || isnan(s->confidence))
		para(out, "", "By bisection, %lld step%s and %lld boot%s, it is",
		     (long long)s->steps, s->steps == 1 ? "" : "s", (long long)s->boots, many);
	else
		para(out, "",
		     "By bisection, %lld step%s and %lld boot%s, with a confidence of "
		     "%.4f it is",
		     (long long)s->steps, s->steps == 1 ? "" : "s", (long long)s->boots, many,
		     s->confidence);
	buf_addc(out, '\n');
	para(out, "  ", "%.12s (\"%s\")", s->commit, s->subject);
	para(out, "  ", "%s", s->author);
	buf_addc(out, '\n');
	if (s->range)
		para(out, "",
		     "or one of the %lld commits before it, which could not be told from it.",
		     (long long)s->range);
	if (s->shared)
		para(out, "",
		     "Several commits share the change; with this one it is past its half.");
	if (s->range || s->shared)
		buf_addc(out, '\n');
	if (!s->cells.count)
		return;
	para(out, "", "Against what is before it (%.12s), in submission %lld:", s->parent,
	     (long long)s->proof);
	buf_addc(out, '\n');
	table(&s->cells, out);
	if (!s->movers)
		return;
	para(out, "", "Instructions by function, in the first of them:");
	buf_addc(out, '\n');
	for (size_t i = 0; i < s->movers; i++)
		para(out, "  ", "%s %.0f -> %.0f (%+.0f)", s->mover[i].function, s->mover[i].before,
		     s->mover[i].after, s->mover[i].after - s->mover[i].before);
	buf_addc(out, '\n');
}

void tell_mail(const struct telling *t, const char *from, const char *to, int64_t at_ms,
               struct buf *out)
{
	const struct alert_step *s = t->step;
	char *command = tell_command(t);

	head(t, from, to, at_ms, out);
	if (!s->from && t->alert->signature) {
		fault(t, out);
	} else if (!s->from && str_eq(t->alert->kind, "missing")) {
		missing(t, out);
	} else if (!s->from) {
		moved(t, out);
	} else {
		para(out, "", "%s", t->alert->title);
		buf_addc(out, '\n');
		/* What was found stands below, in full. */
		if (str_eq(s->from, s->to))
			para(out, "", "It is %s%s", s->to, t->suspect ? "." : ":");
		else
			para(out, "", "It was %s and is now %s%s%s:", s->from, s->to,
			     s->by ? ", by " : "", s->by ? s->by : "");
		buf_addc(out, '\n');
		if (!t->suspect || !str_eq(s->from, s->to)) {
			para(out, "  ", "%s", s->why);
			buf_addc(out, '\n');
		}
		if (!t->suspect)
			table(t->cells, out);
	}
	if (t->suspect)
		suspect(t, out);
	buf_adds(out, str_eq(t->alert->kind, "missing") ? "To see its points:\n\n"
	              : t->alert->signature             ? "To see its log:\n\n"
	                                                : "To see it again:\n\n");
	put_command(out, command);
	if (t->public_url)
		buf_addf(out, "\n%s/#/alert/%lld\n", t->public_url, (long long)t->alert->id);
	buf_addf(out, "\n-- \nfoldwatch, alert %lld, subscription %lld\n", (long long)t->alert->id,
	         (long long)t->subscription);
	if (t->cc_count)
		buf_adds(out, "Cc: whom the trailers of the patches name\n");
	free(command);
}
