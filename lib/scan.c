/*
 * scan.c - faults in a kernel's log: lines, and what makes a report of them.
 *
 * The unit is the report. A WARNING is a cut-here line, perhaps a message, a
 * headline, registers, a trace and an end line; a page's dump may stand before
 * it, a die line within. Those belong together and are one fault; a headline
 * of another kind in the middle (an oops while a warning is printed) is a
 * fault of its own. What part a line plays is told by its row (scan_table.h);
 * how far apart the parts may stand is told here.
 */
#include "lib/scan.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/scan_prefix.h"
#include "lib/scan_table.h"

#include <stdlib.h>
#include <string.h>

#define FAULTS_MAX 1000

/* An endless line is read in pieces. A headline that begins in the last MARGIN
 * bytes of a piece may lack its end, so it is left to the next one, which
 * repeats those bytes and, for a needle that lies across, some more. */
#define MARGIN  256
#define OVERLAP (MARGIN + 64)

/* How many lines may lie between parts of one report. */
#define FAR_HEADLINE 8     /* from cut here to what the report is */
#define FAR_MESSAGE  2     /* from the headline to a WARN()'s message */
#define FAR_REPORT   64    /* from a page's dump to cut here (page_owner prints two traces) */
#define FAR_DUMP     300   /* from KASAN's headline to the page's dump: two traces before it */
#define FAR_PC       300   /* from the headline to the registers */
#define FAR_FRAME    150   /* from the headline to its trace (a page's dump is between them) */
#define FAR_KILL     20000 /* from "invoked oom-killer" to whom: a line a process */

/* Functions of a report that are kept: those behind them are the way in. */
#define TRACE_MAX 24

/* What a report becomes by a line that goes on with it but does not name it. */
#define SCAN_PARTS (SCAN_CUT | SCAN_WHERE | SCAN_WHAT | SCAN_DIES | SCAN_OOM_KILL)

struct scan {
	unsigned int flags;
	struct fault *faults;
	size_t count, total;
	bool fatal;

	/* the line being read */
	char line[SCAN_LINE + 1];
	size_t len;
	size_t number;         /* 1-based */
	unsigned int state;    /* of the search for needles */
	struct scan_hits hits; /* that end before the margin */
	struct scan_hits late; /* and within it */
	bool foreign;          /* the line goes on, and its beginning was another program's */

	/* the report being read; past FAULTS_MAX it is written to `spill` */
	struct fault *report, spill;
	size_t began;      /* the line that it was last known to go on at */
	unsigned int role; /* of all its lines so far */
	bool has_headline, died, dumped;
	bool counted;      /* in `open` */
	size_t frames;     /* lines of its trace */
	unsigned int open; /* ends that are still to come */

	bool panicked;
	unsigned int banners;
	bool banner_stamped;
};

struct scan *scan_new(unsigned int flags)
{
	struct scan *s = xcalloc(1, sizeof(*s));

	scan_match_init();
	s->flags = flags;
	s->number = 1;
	return s;
}

static void fault_clear(struct fault *f)
{
	free(f->function);
	free(f->text);
	free(f->trace);
	*f = (struct fault){0};
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		fault_clear(&s->faults[i]);
	fault_clear(&s->spill);
	free(s->faults);
	free(s);
}

size_t scan_count(const struct scan *s)
{
	return s->count;
}

size_t scan_total(const struct scan *s)
{
	return s->total;
}

const struct fault *scan_fault(const struct scan *s, size_t i)
{
	return i < s->count ? &s->faults[i] : NULL;
}

bool scan_fatal(const struct scan *s)
{
	return s->fatal;
}

/* ---- what a line says */

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '$';
}

static char *name_at(const char *start, const char *end)
{
	return end > start && !(*start >= '0' && *start <= '9')
	               ? xstrndup(start, (size_t)(end - start))
	               : NULL;
}

/* "copy_page_range+0x8a4/0xb50", or after "at " or "in " where no offset stands
 * ("data-race in a / b", "at copy_page_range, CPU#2"). */
static char *function_in(const char *text)
{
	const char *at = text, *start, *end;
	char *name;

	while ((at = strstr(at, "+0x"))) {
		for (start = at; start > text && in_name(start[-1]); start--)
			;
		name = name_at(start, at);
		if (name)
			return name;
		at += 3;
	}
	for (at = strchr(text, ' '); at; at = strchr(at + 1, ' ')) {
		if (strncmp(at, " at ", 4) != 0 && strncmp(at, " in ", 4) != 0)
			continue;
		start = at + 4;
		for (end = start; in_name(*end); end++)
			;
		if (!strncmp(end, " / ", 3) || !strncmp(end, ", CPU#", 6))
			return name_at(start, end);
	}
	return NULL;
}

static char *text_of(const char *line, size_t len)
{
	struct buf b;

	while (len && strchr(" \t\r", line[len - 1]) && line[len - 1])
		len--;
	while (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	buf_init(&b, SCAN_LINE * 3 + 1); /* each bad byte becomes three */
	utf8_scrub(&b, line, len);
	return buf_take(&b, NULL);
}

/* ---- reports */

static bool near(const struct scan *s, size_t lines)
{
	return s->report && s->number - s->began <= lines;
}

/* The row becomes the headline of the current report. */
static void set_headline(struct scan *s, const struct scan_pattern *row, const char *match,
                         char *text)
{
	struct fault *f = s->report;
	char *function = function_in(match);

	f->line = s->number;
	f->kind = row->kind;
	f->fatal = f->fatal || row->fatal;
	free(f->text);
	f->text = text;
	if (function) {
		free(f->function);
		f->function = function;
	}
}

static void begin_report(struct scan *s, const struct scan_pattern *row, const char *match,
                         char *text)
{
	if (s->count < FAULTS_MAX) {
		if (!s->faults) /* all at once: a caller may hold a pointer to one */
			s->faults = xcalloc(FAULTS_MAX, sizeof(*s->faults));
		s->report = &s->faults[s->count++];
	} else {
		fault_clear(&s->spill);
		s->report = &s->spill;
	}
	s->total++;
	s->role = row->role;
	s->has_headline = !(row->role & SCAN_CUT);
	s->died = row->role & SCAN_DIE;
	s->dumped = false;
	s->counted = false;
	s->frames = 0;
	s->report->paged = (row->role & SCAN_DUMP) && (row->role & SCAN_LEADS);
	set_headline(s, row, match, text);
}

/* Whether the row only goes on with the current report; if so, `*headline`
 * says whether its line is the better headline. */
static bool goes_on(const struct scan *s, const struct scan_pattern *row, bool *headline)
{
	unsigned int role = row->role;

	*headline = false;
	if (!s->report)
		return false;
	if (role & SCAN_CUT)
		return (s->role & SCAN_LEADS) && !(s->role & SCAN_CUT) && near(s, FAR_REPORT);
	if (role & SCAN_DIE)
		return (s->role & SCAN_DIES) && !s->died && near(s, FAR_REPORT);
	if (role & SCAN_ALONE)
		return false;
	if (role & SCAN_WHERE) {
		if ((s->role & SCAN_WHERE) || !near(s, FAR_REPORT))
			return false;
		/* Where it was says more than a page's dump, and less than a
		 * message that names the fault. */
		*headline = !s->has_headline || (s->role & SCAN_DUMP);
		return (s->role & (SCAN_CUT | SCAN_LEADS | SCAN_WHAT)) != 0;
	}
	if (role & SCAN_DUMP)
		return (s->role & SCAN_HAS_DUMP) && !s->dumped && near(s, FAR_DUMP);
	if (role & SCAN_OOM_KILL)
		return (s->role & SCAN_OOM) && !(s->role & SCAN_OOM_KILL) && near(s, FAR_KILL);
	if (role & SCAN_WHAT && (s->role & SCAN_WHERE) && !(s->role & SCAN_WHAT) &&
	    near(s, FAR_MESSAGE)) {
		*headline = true;
		return true;
	}
	*headline = !s->has_headline && near(s, FAR_HEADLINE);
	return *headline;
}

static void go_on(struct scan *s, const struct scan_pattern *row, bool headline, const char *match,
                  char *text)
{
	struct fault *f = s->report;

	s->role |= headline ? row->role : row->role & SCAN_PARTS;
	s->died = s->died || (row->role & SCAN_DIE);
	s->dumped = s->dumped || (row->role & SCAN_DUMP);
	if (row->role & SCAN_CUT) {
		free(text);
		return;
	}
	if (headline) {
		s->has_headline = true;
		set_headline(s, row, match, text);
		return;
	}
	f->fatal = f->fatal || row->fatal;
	if (!f->function)
		f->function = function_in(match);
	free(text);
}

static void see_fault(struct scan *s, const struct scan_pattern *row, const char *match, char *text)
{
	bool headline;
	bool more = goes_on(s, row, &headline);

	if (more)
		go_on(s, row, headline, match, text);
	else
		begin_report(s, row, match, text);
	/* One end line is still to come, however the report began. */
	if ((row->role & (SCAN_CUT | SCAN_WHERE | SCAN_DIE | SCAN_OPENS)) && !s->counted) {
		s->counted = true;
		s->open++;
	}
	s->began = s->number;
	s->fatal = s->fatal || s->report->fatal;
}

/* "---[ end trace": true when its beginning was seen. */
static bool end_report(struct scan *s)
{
	s->report = NULL;
	if (!s->open)
		return false;
	s->open--;
	return true;
}

static bool is_reboot(struct scan *s, const struct scan_prefix *p)
{
	bool again = s->banners && (p->has_stamp ? p->at_zero : !s->banner_stamped);

	if (!s->banners) {
		s->banners = 1;
		s->banner_stamped = p->has_stamp;
		return false;
	}
	if (!again)
		return false;
	s->banners++;
	s->report = NULL;
	s->open = 0;
	s->panicked = false;
	return !(s->flags & SCAN_BANNER_OK);
}

static void see_register(struct scan *s, const char *match)
{
	if (near(s, FAR_PC) && !s->report->function)
		s->report->function = function_in(match);
}

/* " copy_page_range+0x8a4/0xb50 [xfs]" goes to the report's trace. What a stack
 * only may hold ("? f+0x1/0x2") and the link register, which is the next frame
 * again, do not. */
static void see_frame(struct scan *s, const char *match, bool exact)
{
	const char *at = strstr(match, "+0x"), *start = at, *end, *module = "";
	size_t len = 0;
	char *trace;

	if (!at || !near(s, FAR_FRAME) || s->frames >= TRACE_MAX)
		return;
	while (start > match && in_name(start[-1]))
		start--;
	end = at + 3 + strspn(at + 3, "0123456789abcdef");
	if (start == at || *end != '/' || strstr(match, "lr : ") ||
	    (start - match >= 2 && !memcmp(start - 2, "? ", 2)))
		return;
	end += 3 + strspn(end + 3, "0123456789abcdef");
	if (str_starts(end, " [")) {
		module = end;
		len = strcspn(end, "]") + 1;
	}
	if (len > 64 || end - start > 300)
		return;
	trace = xasprintf("%s%s%.*s%.*s\n", s->report->trace ? s->report->trace : "",
	                  exact ? "=" : "", (int)(end - start), start, (int)len, module);
	free(s->report->trace);
	s->report->trace = trace;
	s->frames++;
}

/* A piece of a line that holds at least one needle. True when it was a fault,
 * or known to be none. */
static bool examine(struct scan *s)
{
	char clean[SCAN_LINE + 1], match[SCAN_LINE + 1];
	const struct scan_pattern *row;
	struct scan_prefix p;
	size_t len = s->len, i;

	memcpy(clean, s->line, len);
	len = scan_uncolour(clean, len);
	p = scan_prefix(clean, len);
	if (p.foreign || s->foreign)
		return true;
	/* For regexec(3): it stops at a NUL, and in a UTF-8 locale no expression
	 * matches a byte that is none. */
	for (i = p.len; i < len; i++)
		match[i - p.len] = !clean[i]                         ? ' '
		                   : (unsigned char)clean[i] >= 0x80 ? '?'
		                                                     : clean[i];
	match[len - p.len] = '\0';
	row = scan_match_line(&s->hits, match);
	if (!row)
		return false;
	if (row->role & SCAN_PC)
		see_register(s, match);
	if (row->role & (SCAN_PC | SCAN_FRAME))
		see_frame(s, match, row->role & SCAN_PC);
	if (!row->kind)
		return true;
	if ((row->role & SCAN_END) && end_report(s))
		return true;
	if ((row->role & SCAN_BANNER) && !is_reboot(s, &p))
		return true;
	if ((row->role & SCAN_PANICKED) && s->panicked)
		return true;
	s->panicked = s->panicked || (row->role & (SCAN_PANIC | SCAN_PANICKED));
	see_fault(s, row, match, text_of(clean + p.len, len - p.len));
	if (row->role & SCAN_END)
		s->report = NULL;
	return true;
}

/* ---- lines */

static bool any_hit(const struct scan_hits *hits)
{
	unsigned long long all = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hits->rows); i++)
		all |= hits->rows[i];
	return all != 0;
}

static void add(struct scan *s, const char *data, size_t len)
{
	size_t front = s->len < SCAN_LINE - MARGIN ? SCAN_LINE - MARGIN - s->len : 0;

	if (front > len)
		front = len;
	s->state = scan_match_feed(s->state, (const unsigned char *)data, front, &s->hits);
	s->state = scan_match_feed(s->state, (const unsigned char *)data + front, len - front,
	                           &s->late);
	memmove(s->line + s->len, data, len);
	s->len += len;
}

/* Begin a line, or its next piece, with the last `keep` bytes that there are. */
static void restart(struct scan *s, size_t keep)
{
	const char *kept = s->line + s->len - keep;

	s->len = 0;
	s->state = 0;
	s->hits = s->late = (struct scan_hits){{0}};
	if (keep)
		add(s, kept, keep);
}

static bool examine_all(struct scan *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->hits.rows); i++)
		s->hits.rows[i] |= s->late.rows[i];
	return any_hit(&s->hits) && examine(s);
}

static void end_of_line(struct scan *s)
{
	examine_all(s);
	restart(s, 0);
	s->foreign = false;
	s->number++;
}

static void cut_line(struct scan *s)
{
	s->foreign = s->foreign || scan_prefix(s->line, s->len).foreign;
	restart(s, any_hit(&s->hits) && examine_all(s) ? 0 : OVERLAP);
}

/* A part of one line. */
static void take(struct scan *s, const char *data, size_t len)
{
	while (len) {
		size_t n = SCAN_LINE - s->len;

		if (!n) {
			cut_line(s);
			continue;
		}
		if (n > len)
			n = len;
		add(s, data, n);
		data += n;
		len -= n;
	}
}

void scan_feed(struct scan *s, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		const char *newline = memchr(at, '\n', len);
		size_t n = newline ? (size_t)(newline - at) : len;

		take(s, at, n);
		if (newline) {
			end_of_line(s);
			n++;
		}
		at += n;
		len -= n;
	}
}

void scan_end(struct scan *s)
{
	if (s->len)
		end_of_line(s);
}
