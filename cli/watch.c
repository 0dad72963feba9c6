#include "cli/watch.h"

#include "cli/table.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS        400
#define PLAIN_EVERY_NS (10 * NS_PER_S)
#define PATIENCE_NS    (30 * NS_PER_S)
#define LINE_MAX_BYTES 65536

static bool ended(const char *state)
{
	return str_eq(state, "done") || str_eq(state, "failed") || str_eq(state, "cancelled");
}

static void add_duration(struct buf *b, double seconds)
{
	char words[32];

	clock_words((int64_t)(seconds * 1e9), words, sizeof(words));
	buf_adds(b, words);
}

/* What a step counts. */
static const char *unit_of(const char *kind, const char *step)
{
	static const struct {
		const char *step, *unit;
	} units[] = {
	        {"fetch", " git objects"},
	        {"checkout", " files"},
	        {"compile", " objects"},
	};
	size_t i;

	if (str_eq(kind, "boot"))
		return " cases";
	for (i = 0; step && i < ARRAY_SIZE(units); i++)
		if (str_eq(units[i].step, step))
			return units[i].unit;
	return "";
}

static void add_active(struct buf *b, const json_t *a)
{
	const char *kind = json_str(a, "kind", "job"), *step = json_str(a, "step", NULL);
	int64_t done = json_int(a, "done", -1), total = json_int(a, "total", -1);
	const char *unit = unit_of(kind, step);
	/* The last build's count is a guess; the others are known. */
	bool about = str_eq(unit, " objects");

	buf_addf(b, "%s %s", kind, json_str(a, "kernel", ""));
	if (str_eq(kind, "boot") && json_str(a, "board", NULL))
		buf_addf(b, " on %s", json_str(a, "board", ""));
	buf_addf(b, ": %s", step ? step : "starting");
	if (done >= 0 && total > 0)
		buf_addf(b, ", %lld of %s%lld%s", (long long)done, about ? "about " : "",
		         (long long)total, unit);
	else if (done > 0)
		buf_addf(b, ", %lld%s", (long long)done, unit);
	buf_adds(b, ", ");
	add_duration(b, json_num(a, "elapsed_s", 0));
}

/* For an agent; and where the server knows that none of those it has will do, why. */
static void add_waiting(const json_t *sub, struct buf *b)
{
	const json_t *kernel;
	size_t i;

	buf_addf(b, "%s: waiting for an agent", json_str(sub, "state", "queued"));
	json_array_foreach (json_object_get(sub, "kernels"), i, kernel) {
		const char *why = json_str(kernel, "why", NULL);
		const char *state = json_str(kernel, "state", "");

		/* What failed has a reason too, which nobody waits for. */
		if (why && *why && str_eq(state, "resolving")) {
			buf_addf(b, ": %s", why);
			break;
		}
	}
}

void watch_line(const json_t *sub, struct buf *b)
{
	const json_t *p = json_object_get(sub, "progress");
	const json_t *active = json_object_get(p, "active"), *a;
	int64_t boots = json_int(p, "boots_total", 0), cases = json_int(p, "cases_total", 0);
	double left = json_num(p, "expected_end_s", -1);
	size_t i;

	json_array_foreach (active, i, a) {
		if (i)
			buf_adds(b, "; ");
		add_active(b, a);
	}
	if (!json_array_size(active))
		add_waiting(sub, b);
	if (boots > 0)
		buf_addf(b, "; boots %lld of %lld", (long long)json_int(p, "boots_done", 0),
		         (long long)boots);
	if (cases > 0)
		buf_addf(b, ", cases %lld of %lld", (long long)json_int(p, "cases_done", 0),
		         (long long)cases);
	buf_adds(b, "; ");
	add_duration(b, json_num(p, "elapsed_s", 0));
	/* Nobody is at it: no end can be told. */
	if (left >= 0 && json_array_size(active)) {
		time_t end = time(NULL) + (time_t)left;
		struct tm tm;
		char at[16] = "";

		if (localtime_r(&end, &tm))
			strftime(at, sizeof(at), "%H:%M", &tm);
		buf_adds(b, ", about ");
		add_duration(b, left);
		buf_addf(b, " left (%s)", at);
	}
}

/* Was this reason told, perhaps behind another name? Then a line ends with it. */
static bool told(const char *lines, const char *why)
{
	size_t n = strlen(why);

	for (const char *end = strchr(lines, '\n'); end;
	     lines = end + 1, end = strchr(lines, '\n')) {
		size_t len = (size_t)(end - lines);

		if (len >= n && memcmp(end - n, why, n) == 0 &&
		    (len == n || (end - n - 2 >= lines && memcmp(end - n - 2, ": ", 2) == 0)))
			return true;
	}
	return false;
}

static void add_reason(struct buf *out, const char *what, const char *name, const char *why)
{
	if (!why || !*why || told(out->data, why))
		return;
	buf_addf(out, "%s%s%s%s%s\n", what ? what : "", name ? " " : "", name ? name : "",
	         what ? ": " : "", why);
}

void watch_reasons(const json_t *sub, struct buf *out)
{
	const json_t *item;
	size_t i;

	/* The submission's own reason sums up the others. */
	add_reason(out, NULL, NULL, json_str(sub, "why", NULL));
	json_array_foreach (json_object_get(sub, "kernels"), i, item) {
		add_reason(out, "kernel", json_str(item, "name", NULL),
		           json_str(item, "why", NULL));
	}
	json_array_foreach (json_object_get(sub, "jobs"), i, item) {
		if (str_eq(json_str(item, "state", ""), "failed") &&
		    !str_eq(json_str(item, "kind", ""), "build"))
			add_reason(out, json_str(item, "kind", "job"),
			           json_str(item, "board", NULL), json_str(item, "why", NULL));
	}
}

struct screen {
	bool tty;
	bool live;          /* a live line stands on the terminal */
	int64_t printed_ns; /* when the last plain line was printed */
	char *topic;        /* what that line was about */
	json_t *told;       /* job ids that were reported as ended */
};

static void clear_live(struct screen *s)
{
	if (s->live)
		fputs("\r\033[K", stderr);
	s->live = false;
}

/* Texts of agents and submitters end on the user's terminal: cleaned first. */
static void lasting(struct screen *s, const char *text)
{
	char *c = clean_line(text);

	clear_live(s);
	fprintf(stderr, "%s\n", c);
	free(c);
}

/* Bytes of the first `columns` characters. */
static int bytes_of(const char *text, size_t columns)
{
	const char *p = text;

	for (; *p; p++)
		if (((unsigned char)*p & 0xc0) != 0x80 && columns-- == 0)
			break;
	return (int)(p - text);
}

static void live(struct screen *s, const char *text)
{
	char *c = clean_line(text);
	struct winsize ws;
	size_t cols = 80;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 20)
		cols = ws.ws_col;
	fprintf(stderr, "\r\033[K%.*s", bytes_of(c, cols - 1), c);
	fflush(stderr);
	s->live = true;
	free(c);
}

/* Builds and failures deserve a line that stays. */
static void tell_ended(struct screen *s, const json_t *sub)
{
	const json_t *job;
	size_t i;

	json_array_foreach (json_object_get(sub, "jobs"), i, job) {
		const char *state = json_str(job, "state", ""), *kind = json_str(job, "kind", "");
		char id[24];
		struct buf b;

		if (!ended(state))
			continue;
		snprintf(id, sizeof(id), "%lld", (long long)json_int(job, "id", 0));
		if (json_object_get(s->told, id))
			continue;
		json_put_bool(s->told, id, true);
		if (str_eq(state, "done") && !str_eq(kind, "build"))
			continue;
		buf_init(&b, LINE_MAX_BYTES);
		buf_addf(&b, "%s: %s", json_str(job, "summary", kind), state);
		if (json_str(job, "why", NULL))
			buf_addf(&b, ": %s", json_str(job, "why", ""));
		lasting(s, b.data);
		buf_release(&b);
	}
}

/* The part of a line that makes it news in a pipe: state and steps. */
static char *topic_of(const json_t *sub)
{
	const json_t *p = json_object_get(sub, "progress"), *a;
	struct buf b;
	size_t i;

	buf_init(&b, LINE_MAX_BYTES);
	buf_adds(&b, json_str(sub, "state", ""));
	json_array_foreach (json_object_get(p, "active"), i, a) {
		buf_addf(&b, "/%s:%s", json_str(a, "kind", ""),
		         str_eq(json_str(a, "kind", ""), "boot") ? "" : json_str(a, "step", ""));
	}
	return buf_take(&b, NULL);
}

static void show(struct screen *s, const json_t *sub)
{
	struct buf b;

	tell_ended(s, sub);
	if (ended(json_str(sub, "state", "")))
		return;
	buf_init(&b, LINE_MAX_BYTES);
	watch_line(sub, &b);
	if (s->tty) {
		live(s, b.data);
	} else {
		char *topic = topic_of(sub);
		int64_t now = clock_mono_ns();

		if (!str_eq(topic, s->topic) || now - s->printed_ns >= PLAIN_EVERY_NS) {
			lasting(s, b.data);
			s->printed_ns = now;
			free(s->topic);
			s->topic = topic;
		} else {
			free(topic);
		}
	}
	buf_release(&b);
}

enum err watch_submission(const struct watch *watch, json_t **out, struct why *w)
{
	struct screen screen = {.tty = isatty(STDERR_FILENO) == 1, .told = json_object()};
	int64_t patience = watch->patience_ns ? watch->patience_ns : PATIENCE_NS;
	int64_t silent_since = 0;
	char path[64];
	enum err e;

	*out = NULL;
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)watch->submission);
	for (;;) {
		struct reply r;

		e = watch->tick ? watch->tick(watch->ctx, w) : OK;
		if (e)
			break;
		e = cli_get(watch->cli, path, &r, w);
		/* away, or stopping, or busy: it may be back in a moment */
		if (e == ERR_UNAVAILABLE || e == ERR_TIMEOUT || e == ERR_BUSY) {
			if (!silent_since)
				silent_since = clock_mono_ns();
			if (clock_mono_ns() - silent_since > patience) {
				reply_release(&r);
				break;
			}
		} else if (e) {
			reply_release(&r);
			break;
		} else {
			silent_since = 0;
			show(&screen, r.json);
			if (ended(json_str(r.json, "state", ""))) {
				*out = json_incref(r.json);
				reply_release(&r);
				break;
			}
		}
		reply_release(&r);
		poll(NULL, 0, TURN_MS);
	}
	clear_live(&screen);
	free(screen.topic);
	json_decref(screen.told);
	return e;
}
