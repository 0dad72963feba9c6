#include "agent/slot.h"

#include "agent/cache.h"
#include "agent/step_run.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STARTS_MAX    10
#define RETRY_BASE_MS 200
#define RETRY_CAP_MS  30000

static char *job_path(const char *dir, const char *room, int64_t job, int64_t attempt)
{
	return xasprintf("%s/%s/%" PRId64 "-%" PRId64, dir, room, job, attempt);
}

static bool job_has(const struct slot *s, const char *name)
{
	char *path = path_join(s->dir, name);
	bool yes = path_exists(path);

	free(path);
	return yes;
}

static void phase_set(struct slot *s, enum slot_phase phase)
{
	s->phase = phase;
	s->retry_ns = 0;
	s->retries = 0;
}

static void to_idle(struct slot *s)
{
	phase_set(s, SLOT_IDLE);
	free(s->dir);
	s->dir = NULL;
	s->again = s->lost = false;
	s->stop = STOP_NONE;
}

/* The agent's own disk or process table failed it: log, make room when room is
 * what is missing, and try again later. Nothing is given up. */
static void retry_later(struct slot *s, enum err e, const char *event, const struct why *reason)
{
	struct why w;
	uint64_t bytes;

	log_error(event, "slot", s->name, "job", log_i(s->st.job), "why", reason->text, NULL);
	if (e == ERR_NO_SPACE && disk_free(s->env->conf->dir, &bytes, &w) == OK)
		cache_evict(s->env->conf->dir, bytes + 1, NULL, &w);
	s->retry_ns = clock_mono_ns() +
	              clock_backoff_ms(s->retries++, RETRY_BASE_MS, RETRY_CAP_MS) * NS_PER_MS;
}

/* ---- beginning */

static enum slot_phase phase_found(struct slot *s)
{
	bool in_spool = spool_find(s->env->spool, s->st.job, s->st.attempt) != NULL;

	if (s->st.at == STATE_IDLE)
		return SLOT_IDLE;
	if (s->st.at == STATE_SPOOLED)
		return SLOT_POST;
	if (in_spool || job_has(s, "result.json"))
		return SLOT_FINISH;
	if (!job_has(s, "lease.json"))
		return SLOT_DROP;
	s->again = true;
	return SLOT_RESUME;
}

enum slot_sort slot_sort_of(enum job_kind kind)
{
	return kind == JOB_BOOT ? SLOT_BOARD : kind == JOB_BUILD ? SLOT_BUILD : SLOT_GIT;
}

enum err slot_open(struct slot *s, const struct slot_env *env, enum slot_sort sort,
                   const struct board_conf *board, struct why *w)
{
	static const char *const names[] = {
	        [SLOT_GIT] = "git", [SLOT_BUILD] = "build", [SLOT_BOARD] = "board-"};
	enum err e;

	memset(s, 0, sizeof(*s));
	s->env = env;
	s->sort = sort;
	s->board = board;
	s->child = (struct child)CHILD_NONE;
	s->log_fd = -1;
	buf_init(&s->say, 8192);
	buf_init(&s->tail, SLOT_TAIL_MAX);
	snprintf(s->name, sizeof(s->name), "%s%s", names[sort], board ? board->name : "");
	e = state_load(&s->st, env->conf->dir, s->name, w);
	if (e != OK)
		return e;
	if (s->st.at != STATE_IDLE)
		s->dir = job_path(env->conf->dir, "jobs", s->st.job, s->st.attempt);
	phase_set(s, phase_found(s));
	if (s->phase != SLOT_IDLE)
		log_info("job.found", "slot", s->name, "job", log_i(s->st.job), "attempt",
		         log_i(s->st.attempt), "state", job_state_name(s->st.at), NULL);
	return OK;
}

void slot_close(struct slot *s)
{
	child_end(&s->child);
	if (s->dir && s->phase == SLOT_RUN)
		child_kill_strays(s->dir, false);
	if (s->log_fd >= 0)
		close(s->log_fd);
	s->log_fd = -1;
	state_release(&s->st);
	buf_release(&s->say);
	buf_release(&s->tail);
	free(s->dir);
	s->dir = NULL;
}

enum err slot_claim(struct slot *s, enum job_kind kind, int64_t job, int64_t attempt,
                    int64_t lease_s, const char *lease, size_t len, struct why *w)
{
	char *path;
	enum err e;

	s->dir = job_path(s->env->conf->dir, "jobs", job, attempt);
	path = path_join(s->dir, "lease.json");
	/* One that an agent left before it could say that it had it. */
	e = path_exists(s->dir) ? dir_remove(s->dir, w) : OK;
	if (e == OK)
		e = dir_make(s->dir, 0700, w);
	if (e == OK)
		e = file_write(path, lease, len, 0600, w);
	if (e == OK)
		e = state_claim(&s->st, kind, job, attempt, lease_s, w);
	free(path);
	if (e != OK) {
		struct why again;

		dir_remove(s->dir, &again);
		to_idle(s);
		return e;
	}
	phase_set(s, SLOT_START);
	return OK;
}

void slot_resume(struct slot *s)
{
	if (s->phase == SLOT_RESUME)
		phase_set(s, SLOT_START);
}

/* ---- the step */

static int64_t deadline_s(const struct slot *s)
{
	const struct agent_conf *c = s->env->conf;

	switch (s->st.kind) {
	case JOB_BUILD:
		return c->fetch_timeout_s + c->build_timeout_s + s->env->grace_s;
	case JOB_BOOT:
		return c->boot_timeout_s + s->env->grace_s;
	default:
		return c->fetch_timeout_s + s->env->grace_s;
	}
}

static int step_child(void *arg, int say)
{
	struct slot *s = arg;
	struct step_run r = {
	        .conf = s->env->conf,
	        .table = s->env->table,
	        .dir = s->dir,
	        .state = &s->st,
	};

	return step_run(&r, say);
}

static bool too_often(struct slot *s)
{
	struct why w;
	enum err e;
	char sentence[160];

	if (!s->again || s->st.starts < STARTS_MAX)
		return false;
	snprintf(sentence, sizeof(sentence),
	         "the agent was interrupted %d times in this job, the last time at \"%s\"",
	         STARTS_MAX, job_state_name(s->st.at));
	e = step_fail(s->dir, FAIL_INFRA, sentence, &w);
	if (e != OK)
		retry_later(s, e, "job.not_spooled", &w);
	else
		phase_set(s, SLOT_FINISH);
	return true;
}

static void start(struct slot *s)
{
	struct child_spec spec = {
	        .run = step_child,
	        .arg = s,
	        .job_dir = s->dir,
	        .keep = s->env->lock_fd,
	        .catch_output = true,
	        .timeout_ns = deadline_s(s) * NS_PER_S,
	};
	struct why w;
	enum err e = OK;

	if (too_often(s))
		return;
	if (s->again)
		e = state_move(&s->st, STATE_CLAIMED, &w);
	if (e == OK) {
		s->again = false;
		slot_log_begin(s);
		e = child_start(&s->child, &spec, &w);
	}
	if (e != OK) {
		retry_later(s, e, "step.not_begun", &w);
		return;
	}
	s->begun_ns = clock_mono_ns();
	s->stop = STOP_NONE;
	snprintf(s->progress.step, sizeof(s->progress.step), "start");
	s->progress.done = 0;
	s->progress.total = -1;
	buf_reset(&s->say);
	phase_set(s, SLOT_RUN);
	log_info("step.begin", "slot", s->name, "kind", job_kind_name(s->st.kind), "job",
	         log_i(s->st.job), "attempt", log_i(s->st.attempt), "pid", log_i(s->child.pid),
	         NULL);
}

/* The child alone wrote the state while it ran. */
static void state_reread(struct slot *s)
{
	struct state now;
	struct why w;

	if (state_load(&now, s->env->conf->dir, s->name, &w) != OK) {
		log_error("state.unreadable", "slot", s->name, "why", w.text, NULL);
		return;
	}
	if (now.at != STATE_IDLE && now.job == s->st.job && now.attempt == s->st.attempt)
		s->st.at = now.at;
	state_release(&now);
}

static const char *const stop_events[] = {
        [STOP_NONE] = "step.end",
        [STOP_CANCELLED] = "job.cancelled",
        [STOP_FENCED] = "job.fenced",
        [STOP_DEADLINE] = "step.deadline",
};

/* The sentence and the class for a step that left no result. */
static enum err answer_for_it(struct slot *s, struct why *w)
{
	enum fail_class class = FAIL_INFRA;
	char sentence[512], words[64];

	if (s->stop == STOP_CANCELLED) {
		snprintf(sentence, sizeof(sentence), "cancelled by the server");
	} else if (s->stop == STOP_DEADLINE) {
		snprintf(sentence, sizeof(sentence),
		         "the %s did not end within %" PRId64 " s; it stood at \"%s\" (%" PRId64
		         " done)",
		         job_kind_name(s->st.kind), deadline_s(s), s->progress.step,
		         s->progress.done);
		/* What a tree's own rules do with the time is the tree's doing. */
		if (s->st.at == STATE_CONFIGURED)
			class = FAIL_BUILD;
	} else {
		proc_status_words(s->child.status, words, sizeof(words));
		snprintf(sentence, sizeof(sentence),
		         "the process of the %s step %s at \"%s\" and left no result",
		         job_kind_name(s->st.kind), words, s->progress.step);
	}
	return step_fail(s->dir, class, sentence, w);
}

static void ended(struct slot *s)
{
	char words[64];

	slot_read(s);
	child_close(&s->child);
	child_kill_strays(s->dir, false);
	slot_log_end(s);
	state_reread(s);
	proc_status_words(s->child.status, words, sizeof(words));
	log_info(stop_events[s->stop], "slot", s->name, "job", log_i(s->st.job), "attempt",
	         log_i(s->st.attempt), "state", job_state_name(s->st.at), "step", words, "seconds",
	         log_f((double)(clock_mono_ns() - s->begun_ns) / 1e9), NULL);
	/* A cancelled job is answered like another: so the server knows that the board
	 * is free. A fenced one is nobody's business any more. */
	phase_set(s, s->stop == STOP_FENCED ? SLOT_DROP : SLOT_FINISH);
}

/* ---- the end */

static void finish(struct slot *s)
{
	struct why w;
	enum err e = OK;

	if (!spool_find(s->env->spool, s->st.job, s->st.attempt)) {
		if (!job_has(s, "result.json"))
			e = answer_for_it(s, &w);
		if (e == OK)
			e = spool_add(s->env->spool, s->st.job, s->st.attempt, s->log_sent, &w);
	}
	if (e == OK)
		e = state_move(&s->st, STATE_SPOOLED, &w);
	if (e != OK)
		retry_later(s, e, "job.not_spooled", &w);
	else
		phase_set(s, SLOT_POST);
}

static void drop(struct slot *s)
{
	char *trash = job_path(s->env->conf->dir, "trash", s->st.job, s->st.attempt);
	struct why w;
	enum err e = OK;

	if (path_exists(trash))
		dir_remove(trash, &w);
	if (path_exists(s->dir))
		e = file_rename(s->dir, trash, &w);
	*s->env->trash = true;
	free(trash);
	if (e == OK)
		e = state_move(&s->st, STATE_IDLE, &w);
	if (e != OK)
		retry_later(s, e, "job.not_dropped", &w);
	else
		to_idle(s);
}

void slot_posted(struct slot *s)
{
	struct why w;
	enum err e;

	if (s->phase != SLOT_POST || spool_find(s->env->spool, s->st.job, s->st.attempt))
		return;
	e = state_move(&s->st, STATE_IDLE, &w);
	if (e != OK)
		retry_later(s, e, "state.not_written", &w);
	else
		to_idle(s);
}

void slot_stop(struct slot *s, enum slot_stop why)
{
	if (s->phase == SLOT_RUN) {
		/* The first reason stands. */
		if (s->stop == STOP_NONE)
			s->stop = why;
		child_kill(&s->child);
		return;
	}
	if (s->phase == SLOT_RESUME || s->phase == SLOT_START) {
		log_info(stop_events[why], "slot", s->name, "job", log_i(s->st.job), "attempt",
		         log_i(s->st.attempt), "state", job_state_name(s->st.at), NULL);
		s->stop = why;
		phase_set(s, why == STOP_FENCED ? SLOT_DROP : SLOT_FINISH);
	}
}

static void run(struct slot *s, int64_t now_ns)
{
	if (child_reap(&s->child)) {
		ended(s);
		return;
	}
	if (now_ns >= s->child.deadline_ns) {
		s->child.deadline_ns = INT64_MAX;
		slot_stop(s, STOP_DEADLINE);
	}
}

/* One row a phase: what is done when the phase is due. The server moves RESUME
 * on, and a claim IDLE. */
void slot_tick(struct slot *s, int64_t now_ns)
{
	enum slot_phase before;

	do {
		before = s->phase;
		if (s->retry_ns > now_ns)
			return;
		switch (s->phase) {
		case SLOT_IDLE:
		case SLOT_RESUME:
			return;
		case SLOT_START:
			start(s);
			break;
		case SLOT_RUN:
			run(s, now_ns);
			break;
		case SLOT_FINISH:
			finish(s);
			break;
		case SLOT_POST:
			slot_posted(s);
			break;
		case SLOT_DROP:
			drop(s);
			break;
		}
	} while (s->phase != before);
}

int64_t slot_due(const struct slot *s)
{
	switch (s->phase) {
	case SLOT_IDLE:
	case SLOT_RESUME:
		return INT64_MAX;
	case SLOT_RUN:
		return s->child.deadline_ns;
	case SLOT_POST:
		return s->retry_ns ? s->retry_ns : INT64_MAX;
	default:
		return s->retry_ns;
	}
}
