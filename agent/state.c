#include "agent/state.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define STATE_FORMAT 1
#define STATE_MAX    4096 /* bytes of a state file: ours are below 200 */

static const char *const kind_names[JOB_KINDS + 1] = {"none", "resolve", "build", "boot", "walk"};

static const char *const state_names[STATE_COUNT + 1] = {
        [STATE_IDLE] = "idle",         [STATE_CLAIMED] = "claimed",
        [STATE_FETCHED] = "fetched",   [STATE_CONFIGURED] = "configured",
        [STATE_BUILT] = "built",       [STATE_STAGED] = "staged",
        [STATE_ARMED] = "armed",       [STATE_BOOTED] = "booted",
        [STATE_MEASURED] = "measured", [STATE_SPOOLED] = "spooled",
};

#define BIT(n)  (1u << (n))
#define RESOLVE BIT(JOB_RESOLVE)
#define BUILD   BIT(JOB_BUILD)
#define BOOT    BIT(JOB_BOOT)
#define WALK    BIT(JOB_WALK)
#define ANY     (RESOLVE | BUILD | BOOT | WALK)
/* States in which a step is, or should be, running. */
#define WORKING                                                                               \
	(BIT(STATE_CLAIMED) | BIT(STATE_FETCHED) | BIT(STATE_CONFIGURED) | BIT(STATE_BUILT) | \
	 BIT(STATE_STAGED) | BIT(STATE_ARMED) | BIT(STATE_BOOTED) | BIT(STATE_MEASURED))

static const struct move {
	unsigned int kinds; /* bit per enum job_kind */
	unsigned int from;  /* bit per enum job_state */
	enum job_state to;
} moves[] = {
        {ANY, BIT(STATE_IDLE), STATE_CLAIMED},

        {RESOLVE | BUILD | WALK, BIT(STATE_CLAIMED), STATE_FETCHED},
        {BUILD, BIT(STATE_FETCHED), STATE_CONFIGURED},
        {BUILD, BIT(STATE_CONFIGURED), STATE_BUILT},

        {BOOT, BIT(STATE_CLAIMED), STATE_STAGED},
        {BOOT, BIT(STATE_STAGED), STATE_ARMED},
        {BOOT, BIT(STATE_ARMED), STATE_BOOTED},
        {BOOT, BIT(STATE_BOOTED), STATE_MEASURED},

        /* A result of either sort is in the spool. */
        {ANY, WORKING, STATE_SPOOLED},
        /* The server has it, or it lies in dead/. */
        {ANY, BIT(STATE_SPOOLED), STATE_IDLE},
        /* Interrupted, and begun again from its directory. */
        {ANY, WORKING, STATE_CLAIMED},
        /* Given up: the server has given the job to another. */
        {ANY, WORKING, STATE_IDLE},
};

const char *job_kind_name(enum job_kind k)
{
	return kind_names[k];
}

enum job_kind job_kind_parse(const char *word)
{
	for (int k = JOB_NONE + 1; k < JOB_KINDS; k++) {
		if (strcmp(kind_names[k], word) == 0)
			return (enum job_kind)k;
	}
	return JOB_NONE;
}

const char *job_state_name(enum job_state s)
{
	return state_names[s];
}

int job_state_parse(const char *word)
{
	for (int s = 0; s < STATE_COUNT; s++) {
		if (strcmp(state_names[s], word) == 0)
			return s;
	}
	return -1;
}

bool state_may(enum job_kind kind, enum job_state from, enum job_state to)
{
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		if (moves[i].to == to && (moves[i].kinds & BIT(kind)) &&
		    (moves[i].from & BIT(from)))
			return true;
	}
	return false;
}

static enum err state_write(const struct state *s, struct why *w)
{
	json_t *o = json_object();
	char *text;
	enum err e;

	json_put_int(o, "format", STATE_FORMAT);
	json_put_str(o, "state", state_names[s->at]);
	if (s->at != STATE_IDLE) {
		json_put_str(o, "kind", kind_names[s->kind]);
		json_put_int(o, "job", s->job);
		json_put_int(o, "attempt", s->attempt);
		json_put_int(o, "lease_s", s->lease_s);
		json_put_int(o, "starts", s->starts);
	}
	text = json_text(o);
	json_decref(o);
	e = file_write(s->path, text, strlen(text), 0600, w);
	free(text);
	return e;
}

static void state_clear(struct state *s)
{
	s->at = STATE_IDLE;
	s->kind = JOB_NONE;
	s->job = s->attempt = s->lease_s = s->starts = 0;
}

struct state_file {
	int64_t format;
	int state, kind;
	int64_t job, attempt, lease_s, starts;
};

#define AT(member) offsetof(struct state_file, member)
static enum err state_decode(struct state *s, const char *text, size_t len, struct why *w)
{
	static const struct json_field fields[] = {
	        {"format", JSON_INT, AT(format), JSON_MUST, STATE_FORMAT, STATE_FORMAT, NULL},
	        {"state", JSON_WORD, AT(state), JSON_MUST, 0, 0, state_names},
	        {"kind", JSON_WORD, AT(kind), 0, 0, 0, kind_names},
	        {"job", JSON_INT, AT(job), 0, 1, INT64_MAX, NULL},
	        {"attempt", JSON_INT, AT(attempt), 0, 1, INT64_MAX, NULL},
	        {"lease_s", JSON_INT, AT(lease_s), 0, 1, 86400, NULL},
	        {"starts", JSON_INT, AT(starts), 0, 1, 1000000, NULL},
	        {0},
	};
	struct state_file f = {0};
	json_t *o = NULL;
	enum err e;

	e = json_parse(text, len, STATE_MAX, &o, w);
	if (e != OK)
		return e;
	e = json_decode(o, "", fields, &f, w);
	json_decref(o);
	if (e != OK)
		return e;
	if (f.state == STATE_IDLE) {
		state_clear(s);
		return OK;
	}
	if (f.kind == JOB_NONE || !f.job || !f.attempt || !f.lease_s || !f.starts)
		return err_set(w, ERR_INPUT, "state \"%s\" without its job", state_names[f.state]);
	s->at = (enum job_state)f.state;
	s->kind = (enum job_kind)f.kind;
	s->job = f.job;
	s->attempt = f.attempt;
	s->lease_s = f.lease_s;
	s->starts = f.starts;
	return OK;
}
#undef AT

/* Out of the way, but kept: it may tell somebody what went wrong. */
static enum err state_set_aside(const struct state *s, const struct why *reason, struct why *w)
{
	for (int n = 1; n <= 1000; n++) {
		char *aside = xasprintf("%s.bad-%d", s->path, n);

		if (!path_exists(aside)) {
			enum err e = file_rename(s->path, aside, w);

			log_warn("state.set_aside", "file", s->path, "kept_as", aside, "why",
			         e == OK ? reason->text : w->text, NULL);
			free(aside);
			return e;
		}
		free(aside);
	}
	/* Whatever keeps tearing it, the last one teaches no more than the first thousand. */
	log_warn("state.removed", "file", s->path, "why", reason->text, NULL);
	return file_remove(s->path, w);
}

enum err state_load(struct state *s, const char *dir, const char *slot, struct why *w)
{
	struct why reason;
	struct buf b;
	enum err e;

	memset(s, 0, sizeof(*s));
	s->path = xasprintf("%s/state/%s.json", dir, slot);
	buf_init(&b, STATE_MAX);
	e = file_read(s->path, &b, &reason);
	if (e == OK)
		e = state_decode(s, b.data, b.len, &reason);
	buf_release(&b);
	if (e == OK)
		return OK;
	state_clear(s);
	if (e == ERR_NOT_FOUND)
		return OK;
	return state_set_aside(s, &reason, w);
}

void state_release(struct state *s)
{
	free(s->path);
	memset(s, 0, sizeof(*s));
}

enum err state_claim(struct state *s, enum job_kind kind, int64_t job, int64_t attempt,
                     int64_t lease_s, struct why *w)
{
	struct state next = *s;
	enum err e;

	if (s->at != STATE_IDLE)
		return err_set(w, ERR_INTERNAL, "a slot with a job took another");
	next.kind = kind;
	next.job = job;
	next.attempt = attempt;
	next.lease_s = lease_s;
	next.starts = 0;
	e = state_move(&next, STATE_CLAIMED, w);
	if (e == OK)
		*s = next;
	return e;
}

enum err state_move(struct state *s, enum job_state to, struct why *w)
{
	struct state next = *s;
	enum err e;

	if (!state_may(s->kind, s->at, to))
		return err_set(w, ERR_INTERNAL, "a %s job cannot go from \"%s\" to \"%s\"",
		               kind_names[s->kind], state_names[s->at], state_names[to]);
	next.at = to;
	if (to == STATE_CLAIMED)
		next.starts++;
	if (to == STATE_IDLE)
		state_clear(&next);
	e = state_write(&next, w);
	if (e == OK)
		*s = next;
	return e;
}
