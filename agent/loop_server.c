#include "agent/loop.h"

#include "agent/memory.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOG_PIECE (128 * 1024)

/* ---- leases */

/* Renewed three times in its length, so that two may be lost. */
static int64_t renew_pause_ns(const struct slot *s)
{
	int64_t third = s->st.lease_s * NS_PER_S / 3;

	return third < 20 * NS_PER_S ? third : 20 * NS_PER_S;
}

static json_t *renewal(const struct slot *s, int64_t now_ns)
{
	json_t *o = json_object(), *p = json_object();

	json_put_int(o, "attempt", s->st.attempt);
	if (s->phase == SLOT_RUN) {
		json_put_str(p, "step", s->progress.step);
		json_put_int(p, "done", s->progress.done);
		if (s->progress.total >= 0)
			json_put_int(p, "total", s->progress.total);
		json_put_real(p, "elapsed_s", (double)(now_ns - s->begun_ns) / 1e9);
		json_put(o, "progress", p);
	} else {
		json_decref(p);
	}
	return o;
}

static void lease_answer(struct slot *s, const struct reply *r)
{
	int64_t lease_s = json_int(r->json, "lease_s", 0);

	if (lease_s >= 1 && lease_s <= 86400)
		s->st.lease_s = lease_s;
	if (json_flag(r->json, "cancel", false))
		slot_stop(s, STOP_CANCELLED);
	else
		slot_resume(s);
}

static void renew(struct supervisor *v, struct slot *s)
{
	int64_t now = clock_mono_ns();
	char *path = xasprintf("/api/v1/jobs/%" PRId64 "/lease", s->st.job);
	json_t *body = renewal(s, now);
	struct reply r;
	struct why w;
	enum err e;

	e = peer_json(&v->peer, "PUT", path, body, &r, &w);
	json_decref(body);
	free(path);
	s->renew_ns = clock_mono_ns() + renew_pause_ns(s);
	s->progress_ns = now + v->timing->progress_ms * NS_PER_MS;
	s->progress_new = false;
	if (e == OK) {
		lease_answer(s, &r);
	} else if (r.status == 409 || r.status == 404) {
		log_warn("lease.lost", "slot", s->name, "job", log_i(s->st.job), "why", w.text,
		         NULL);
		s->lost = true;
		slot_stop(s, STOP_FENCED);
	} else {
		if (r.status)
			log_warn("lease.not_renewed", "slot", s->name, "job", log_i(s->st.job),
			         "why", w.text, NULL);
		/* Nobody can be asked: the work goes on, and if the job has been given to
		 * another meanwhile, its result will be fenced. */
		slot_resume(s);
	}
	reply_release(&r);
}

static bool holds_lease(const struct slot *s)
{
	return s->st.at != STATE_IDLE && s->phase != SLOT_DROP && !s->lost;
}

static int64_t renew_due_ns(const struct slot *s)
{
	if (s->progress_new && s->progress_ns < s->renew_ns)
		return s->progress_ns;
	return s->renew_ns;
}

static void leases(struct supervisor *v, int64_t *next_ns)
{
	for (size_t i = 0; i < v->slots; i++) {
		struct slot *s = &v->slot[i];
		int64_t now = clock_mono_ns();

		if (!holds_lease(s))
			continue;
		if (!peer_ready(&v->peer, now)) {
			slot_resume(s);
			continue;
		}
		if (renew_due_ns(s) <= now)
			renew(v, s);
		if (holds_lease(s))
			sooner(next_ns, renew_due_ns(s));
	}
}

/* ---- live logs */

static void log_send(struct supervisor *v, struct slot *s)
{
	char *piece = xmalloc(LOG_PIECE), *path;
	int64_t pause_ms = v->timing->log_ms;
	size_t n = slot_log_next(s, piece, LOG_PIECE);
	struct reply r;
	struct why w;
	enum err e;

	if (n > 0) {
		path = xasprintf("/api/v1/jobs/%" PRId64 "/log?attempt=%" PRId64 "&offset=%" PRId64,
		                 s->st.job, s->st.attempt, s->log_sent);
		e = peer_bytes(&v->peer, "POST", path, "text/plain", piece, n, &r, &w);
		free(path);
		/* Refused: a log that was lost over there. It begins again; a part that is
		 * known is taken once. Whether the lease is ours, the renewal tells. */
		if (e == OK)
			s->log_sent += (int64_t)n;
		else if (r.status == 409)
			s->log_sent = 0, pause_ms *= 10;
		else if (r.status)
			log_warn("log.refused", "job", log_i(s->st.job), "why", w.text, NULL);
		reply_release(&r);
		if (e != OK)
			n = 0;
	}
	free(piece);
	/* A full piece has more behind it. */
	s->log_ns = clock_mono_ns() + (n == LOG_PIECE ? 0 : pause_ms * NS_PER_MS);
}

static void logs(struct supervisor *v, int64_t *next_ns)
{
	for (size_t i = 0; i < v->slots; i++) {
		struct slot *s = &v->slot[i];
		int64_t now = clock_mono_ns();

		if (s->phase != SLOT_RUN || s->log_sent >= s->log_len)
			continue;
		if (s->log_ns <= now && peer_ready(&v->peer, now))
			log_send(v, s);
		if (s->log_sent < s->log_len)
			sooner(next_ns, s->log_ns);
	}
}

/* ---- announcing */

static void announce(struct supervisor *v, int64_t *next_ns)
{
	int64_t now = clock_mono_ns();
	char *path;
	struct reply r;
	struct why w;
	enum err e;

	if (!v->announce)
		return;
	if (v->announce_ns <= now && peer_ready(&v->peer, now)) {
		path = xasprintf("/api/v1/agents/%s", v->conf->name);
		e = peer_bytes(&v->peer, "PUT", path, "application/json", v->announce,
		               strlen(v->announce), &r, &w);
		free(path);
		if (e == OK && !v->announced) {
			log_info("agent.announced", "server", v->conf->server, NULL);
			memory_settle();
		}
		v->announced = e == OK;
		v->announce_ns =
		        clock_mono_ns() +
		        (e == OK ? v->timing->announce_ms : v->timing->backoff_cap_ms) * NS_PER_MS;
		if (e != OK && peer_ready(&v->peer, clock_mono_ns()))
			log_error("agent.not_announced", "why", w.text, NULL);
		else if (e != OK)
			v->announce_ns = 0; /* as soon as the server is back */
		reply_release(&r);
	}
	if (peer_ready(&v->peer, now))
		sooner(next_ns, v->announce_ns);
}

/* ---- claiming */

struct lease {
	int64_t id, attempt, lease_s;
	const char *kind, *domain;
	json_t *spec;
};

#define AT(member) offsetof(struct lease, member)
static const struct json_field lease_fields[] = {
        {"id", JSON_INT, AT(id), JSON_MUST, 1, INT64_MAX, NULL},
        {"kind", JSON_STR, AT(kind), JSON_MUST, 1, 16, NULL},
        {"attempt", JSON_INT, AT(attempt), JSON_MUST, 1, INT64_MAX, NULL},
        {"lease_s", JSON_INT, AT(lease_s), JSON_MUST, 1, 86400, NULL},
        {"domain", JSON_STR, AT(domain), JSON_MUST, 16, 16, NULL},
        {"spec", JSON_OBJ, AT(spec), JSON_MUST, 0, 0, NULL},
        {0},
};
#undef AT

static bool can_claim(const struct slot *s)
{
	return s->phase == SLOT_IDLE && s->usable;
}

/* The slot that a lease is for, when it can take it. */
static struct slot *slot_for(struct supervisor *v, const struct lease *l)
{
	enum job_kind kind = job_kind_parse(l->kind);

	for (size_t i = 0; i < v->slots && kind != JOB_NONE; i++) {
		struct slot *s = &v->slot[i];

		if (!can_claim(s) || s->sort != slot_sort_of(kind))
			continue;
		if (!s->board || strcmp(s->board->name, json_str(l->spec, "board", "")) == 0)
			return s;
	}
	return NULL;
}

static void take(struct supervisor *v, const struct reply *r)
{
	struct lease l = {0};
	struct slot *s;
	struct why w;
	enum err e;

	if (!r->json) {
		log_error("job.malformed", "why", "the server's lease is not JSON", NULL);
		return;
	}
	e = json_decode(r->json, "lease", lease_fields, &l, &w);
	if (e == OK && !hex_is(l.domain, 16))
		e = err_set(&w, ERR_INPUT, "lease.domain: expected 16 hex digits");
	if (e != OK) {
		log_error("job.malformed", "why", w.text, NULL);
		return;
	}
	s = slot_for(v, &l);
	if (!s) {
		log_error("job.unasked", "job", log_i(l.id), "kind", l.kind, NULL);
		return;
	}
	e = slot_claim(s, job_kind_parse(l.kind), l.id, l.attempt, l.lease_s, r->body.data,
	               r->body.len, &w);
	if (e != OK) {
		/* Its lease ends by itself, and the server gives it out again. */
		log_error("job.not_taken", "job", log_i(l.id), "why", w.text, NULL);
		v->sweep_wanted = true;
		return;
	}
	log_info("job.claimed", "slot", s->name, "kind", l.kind, "job", log_i(l.id), "attempt",
	         log_i(l.attempt), NULL);
	s->renew_ns = clock_mono_ns() + renew_pause_ns(s);
	s->progress_ns = s->log_ns = 0;
}

static json_t *claim_body(const struct supervisor *v)
{
	json_t *o = json_object(), *kinds = json_array(), *boards = json_array();

	for (size_t i = 0; i < v->slots; i++) {
		const struct slot *s = &v->slot[i];

		if (!can_claim(s))
			continue;
		if (s->sort == SLOT_BOARD)
			json_array_append_new(boards, json_string(s->board->name));
		for (int k = JOB_NONE + 1; k < JOB_KINDS; k++)
			if (s->sort != SLOT_BOARD && slot_sort_of((enum job_kind)k) == s->sort)
				json_array_append_new(kinds,
				                      json_string(job_kind_name((enum job_kind)k)));
	}
	if (json_array_size(boards) > 0)
		json_array_append_new(kinds, json_string("boot"));
	json_put_str(o, "agent", v->conf->name);
	json_put(o, "kinds", kinds);
	json_put(o, "boards", boards);
	return o;
}

/* Below the reserve nothing new is begun: what is running may need it. */
static bool disk_allows(struct supervisor *v)
{
	uint64_t bytes = 0;
	struct why w;
	bool low = disk_free(v->conf->dir, &bytes, &w) != OK ||
	           bytes < (uint64_t)v->conf->disk_reserve_bytes;

	if (low && !v->disk_low)
		log_warn("disk.low", "free", log_i((int64_t)bytes), "reserve",
		         log_i(v->conf->disk_reserve_bytes), NULL);
	else if (!low && v->disk_low)
		log_info("disk.enough", "free", log_i((int64_t)bytes), NULL);
	v->disk_low = low;
	if (low)
		v->sweep_wanted = true;
	return !low;
}

static bool claim_once(struct supervisor *v)
{
	json_t *body = claim_body(v);
	bool got = false;
	struct reply r;
	struct why w;
	enum err e;

	e = peer_json(&v->peer, "POST", "/api/v1/jobs/claim", body, &r, &w);
	json_decref(body);
	if (e == OK && r.status == 200) {
		take(v, &r);
		got = true;
	} else if (r.status >= 300) {
		if (!v->claim_refused)
			log_warn("claim.refused", "why", w.text, NULL);
		v->claim_refused = true;
		/* It may not know us, or not as we are: it began anew. */
		v->announce_ns = 0;
	}
	if (e == OK)
		v->claim_refused = false;
	reply_release(&r);
	return got;
}

static void claim(struct supervisor *v, int64_t *next_ns)
{
	const struct supervisor_timing *t = v->timing;
	int64_t cap_ms = v->claim_refused ? t->backoff_cap_ms : t->claim_max_ms;
	int64_t now = clock_mono_ns();
	bool any = false;

	for (size_t i = 0; i < v->slots; i++)
		any = any || can_claim(&v->slot[i]);
	if (!any || !v->announced || !peer_ready(&v->peer, now))
		return;
	if (v->claim_ns <= now) {
		if (disk_allows(v) && claim_once(v))
			v->claim_pause_ms = 0;
		else if (v->claim_pause_ms == 0)
			v->claim_pause_ms = t->claim_min_ms;
		else if (v->claim_pause_ms * 2 < cap_ms)
			v->claim_pause_ms *= 2;
		else
			v->claim_pause_ms = cap_ms;
		v->claim_ns = clock_mono_ns() + v->claim_pause_ms * NS_PER_MS;
	}
	sooner(next_ns, v->claim_ns);
}

void loop_server(struct supervisor *v, int64_t *next_ns)
{
	bool was_away = v->peer.away;

	leases(v, next_ns);
	announce(v, next_ns);
	claim(v, next_ns);
	logs(v, next_ns);
	/* A server that was away may have forgotten. */
	if (was_away && !v->peer.away)
		v->announce_ns = 0;
	if (v->peer.not_before_ns > clock_mono_ns())
		sooner(next_ns, v->peer.not_before_ns);
	else if (was_away && !v->peer.away)
		sooner(next_ns, 0);
}
