/* bisections_step.c - a bisection's moves: ends, steps, proof. */
#include "server/bisections.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "server/alerts.h"
#include "server/bisect.h"
#include "server/bisections_judge.h"
#include "server/remeasure.h"
#include "server/schedule.h"
#include "server/store_board.h"

#include <math.h>
#include <stdlib.h>

/* Error wanted of a whole bisection, either way; each step has its share. */
#define ERROR_WANTED .01
/* After infra trouble: twice as long each time. */
#define AGAIN_MS     2000
#define AGAIN_MAX_MS (INT64_C(60) * 60 * 1000)

struct moving {
	struct server *srv;
	struct db *db;
	struct pool *p;
	struct bisection *b;
	struct alert_origin o;
	bool deterministic;
	int64_t now_ms;
};

static enum err give_up(struct moving *m, const char *why, struct why *w)
{
	return bisections_end(m->db, m->b, "gave_up", why, NULL, m->now_ms, w);
}

static const char *commit_at(const struct bisection *b, int64_t position)
{
	return position > 0 ? b->commit[position - 1].commit : b->good;
}

/* ---- asking */

/* Cases in one order throughout, so that plans are equal and boots can be shared: those of
 * the ends, else of the newest re-measuring. */
static enum err cases_of(struct moving *m, struct texts *out, struct why *w)
{
	struct alert_works works = {0};
	int64_t like = m->b->ends;
	enum err e = OK;

	if (like == NONE)
		e = store_work_of_alert(m->db, m->o.alert.id, m->p, &works, w);
	for (size_t i = 0; i < works.count; i++)
		if (str_eq(works.at[i].purpose, "remeasure") && str_eq(works.at[i].state, "done"))
			like = works.at[i].submission;
	*out = m->o.cases;
	if (e != OK || like == NONE)
		return e;
	*out = (struct texts){0};
	return store_sub_cases(m->db, like, m->p, out, NULL, w);
}

/* Asks for `commit` against `good`, and waits for it. */
static enum err ask(struct moving *m, const char *purpose, const char *good, const char *commit,
                    int64_t boots, bool fresh, const char *title, struct why *w)
{
	struct bisection *b = m->b;
	/* Of a slower kernel: as a person would submit it, on all boards; where there is noise
	 * in so many layouts that there is a verdict whatever the luck of each. */
	bool proof = str_eq(purpose, "proof") && b->case_text;
	struct texts cases;
	struct work_ask a = {
	        .origin = &m->o,
	        .good = {.name = commit_short(m->p, good),
	                 .tree = b->tree,
	                 .commit = good,
	                 .like = &m->o.kernel},
	        .bad = {.name = commit_short(m->p, commit),
	                .tree = b->tree,
	                .commit = commit,
	                .like = &m->o.kernel},
	        .board = proof ? NULL : b->board,
	        .cases = &cases,
	        .boots = boots,
	        .layouts = proof && !m->deterministic ? REMEASURE_LAYOUTS_NOISE : 1,
	        .fresh = fresh,
	        .purpose = purpose,
	        .title = title,
	        .why = pool_fmt(m->p, "bisection %lld", (long long)b->id),
	        .by = b->by,
	};
	int64_t sub;
	enum err e = cases_of(m, &cases, w);

	if (e == OK)
		e = alert_work_ask(m->srv, m->db, &a, m->now_ms, &sub, w);
	if (e != OK)
		return e;
	log_info("bisection.ask", "bisection", log_i(b->id), "purpose", purpose, "submission",
	         log_i(sub), NULL);
	b->submission = sub;
	b->why = NULL;
	return store_bisect_save(m->db, b, w);
}

/* Infra trouble decides nothing: the same again, later. */
static enum err again(struct moving *m, const char *why, struct why *w)
{
	int64_t pause = AGAIN_MS;

	for (int64_t i = 0; i < m->b->tries && pause < AGAIN_MAX_MS; i++)
		pause *= 2;
	m->b->tries++;
	m->b->submission = NONE;
	m->b->next_ms = m->now_ms + (pause > AGAIN_MAX_MS ? AGAIN_MAX_MS : pause);
	m->b->why = pool_fmt(m->p, "infra trouble, it is asked again: %s",
	                     why ? why : "no reason given");
	return store_bisect_save(m->db, m->b, w);
}

/* What it waited for has ended. */
static enum err arrived(struct moving *m, int64_t sub, struct why *w)
{
	struct sub s;
	enum err e = store_sub_get(m->db, sub, m->p, &s, w);

	return e == OK ? store_work_end(m->db, sub, s.state, NONE, m->now_ms, w) : e;
}

/* ---- the result */

static int64_t boots_of(const struct bisection *b)
{
	int64_t boots = 0;

	for (size_t i = 0; i < b->steps; i++)
		boots += b->at[i].boots;
	return boots;
}

static const char *sentence(struct moving *m)
{
	const struct bisection *b = m->b;
	const struct bisection_commit *c = &b->commit[b->culprit - 1];
	int64_t boots = boots_of(b), range = b->culprit - b->first;
	const char *text;

	text = pool_fmt(m->p, "bisected: %.12s %s (%s), %zu step%s, %lld boot%s", c->commit,
	                c->subject, c->author, b->steps, b->steps == 1 ? "" : "s", (long long)boots,
	                boots == 1 ? "" : "s");
	if (!isnan(b->confidence))
		text = b->confidence > .9999
		               ? pool_fmt(m->p, "%s, confidence over 0.9999", text)
		               : pool_fmt(m->p, "%s, confidence %.4f", text, b->confidence);
	if (range)
		text = pool_fmt(m->p,
		                "%s; it or one of the %lld commit%s before it, which could not be "
		                "told apart",
		                text, (long long)range, range == 1 ? "" : "s");
	if (b->omitted && b->first == 1)
		text = pool_fmt(m->p, "%s; or one of %lld older ones, which the walk left out",
		                text, (long long)b->omitted);
	if (b->shared)
		text = pool_fmt(m->p,
		                "%s; several commits share the change, and with this one it is "
		                "past its half",
		                text);
	return text;
}

static enum err done(struct moving *m, struct why *w)
{
	struct bisection *b = m->b;
	struct alert a = {0};
	const char *text = sentence(m);
	enum err e = store_alert_get(m->db, b->alert, m->p, &a, w);

	if (e == OK)
		e = alerts_step_told(m->db, b->alert, a.state, text, m->now_ms, &b->step, w);
	if (e == OK)
		e = bisections_end(m->db, b, "done", text, NULL, m->now_ms, w);
	log_info("bisection.done", "bisection", log_i(b->id), "alert", log_i(b->alert), NULL);
	return e;
}

/* ---- proving */

static enum err prove(struct moving *m, struct why *w)
{
	struct bisection *b = m->b;
	const char *commit = commit_at(b, b->culprit), *parent = commit_at(b, b->first - 1);
	int64_t boots = !b->case_text      ? JUDGE_BOOTS_FAULT
	                : m->deterministic ? NONE
	                                   : judge_boots_ends(false);

	/* The ends are what would be measured. */
	if (b->first == 1 && b->culprit == (int64_t)b->commits) {
		b->proof = b->ends;
		return done(m, w);
	}
	b->state = "proving";
	return ask(m, "proof", parent, commit, boots, false,
	           pool_fmt(m->p, "alert %lld: %.12s against what is before it",
	                    (long long)b->alert, commit),
	           w);
}

typedef enum err judge_fn(struct db *, struct pool *, const struct bisection *, const char *,
                          int64_t, struct judgement *, struct why *);

/* What the submission at hand has shown. JUDGED_INFRA: nothing, and it is asked for again. */
static enum err judged(struct moving *m, judge_fn *judge, struct judgement *j, struct why *w)
{
	struct bisection *b = m->b;
	enum err e = judge(m->db, m->p, b, m->o.alert.signature, b->submission, j, w);

	if (e == OK)
		e = arrived(m, b->submission, w);
	return e == OK && j->as == JUDGED_INFRA ? again(m, j->why, w) : e;
}

static enum err proved(struct moving *m, struct why *w)
{
	struct bisection *b = m->b;
	struct judgement j;
	enum err e;

	if (b->submission == NONE)
		return prove(m, w);
	e = judged(m, judge_proof, &j, w);
	if (e != OK || j.as == JUDGED_INFRA)
		return e;
	b->proof = b->submission;
	if (j.as == JUDGED_BAD)
		return done(m, w);
	return give_up(m,
	               pool_fmt(m->p,
	                        "%.12s was found, and against what is before it is not "
	                        "worse: %s",
	                        commit_at(b, b->culprit), j.why),
	               w);
}

/* ---- searching */

static void answers(const struct bisection *b, struct bisect_commit *c)
{
	for (size_t i = 0; i < b->commits; i++) {
		const char *a = b->commit[i].answer;

		c[i].weight = b->commit[i].weight;
		c[i].answer = str_eq(a, "good")   ? BISECT_GOOD
		              : str_eq(a, "bad")  ? BISECT_BAD
		              : str_eq(a, "skip") ? BISECT_SKIP
		                                  : BISECT_OPEN;
	}
}

/* The share of each answer in the error that is wanted. */
static double alpha_of(const struct bisection *b)
{
	struct bisect_commit *c = xcalloc(b->commits, sizeof(*c));
	unsigned int steps;

	for (size_t i = 0; i < b->commits; i++)
		c[i].weight = b->commit[i].weight;
	steps = bisect_steps(c, b->commits);
	free(c);
	return ERROR_WANTED / (steps ? steps : 1);
}

/* Kernels that stood were decided on before anything was booted: nobody saw the jobs. */
static enum err not_booted(struct moving *m, int64_t sub, bool *same, struct why *w)
{
	const char *commit;
	struct sub s = {0};
	enum err e = store_bisect_same(m->db, sub, m->p, same, &commit, w);

	if (e == OK && *same)
		e = store_sub_get(m->db, sub, m->p, &s, w);
	if (e != OK || !*same || s.ended_ms != NONE)
		return e;
	return schedule_spare(m->db, sub,
	                      pool_fmt(m->p, "its binary is that of %.12s: not booted", commit),
	                      m->now_ms, w);
}

static enum err ask_step(struct moving *m, struct bisection_step *s, struct why *w)
{
	struct bisection *b = m->b;
	const char *commit = commit_at(b, s->position);
	bool same;
	enum err e = ask(m, "step", b->good, commit, s->asked, false,
	                 pool_fmt(m->p, "alert %lld, bisection step %lld: %.12s",
	                          (long long)b->alert, (long long)s->number, commit),
	                 w);

	s->submission = b->submission;
	if (e == OK)
		e = store_bisect_step(m->db, b->id, s, w);
	return e == OK ? not_booted(m, s->submission, &same, w) : e;
}

static double sure(const struct bisection *b)
{
	double p = NAN;

	for (size_t i = 0; b->at && i < b->steps; i++) {
		const struct bisection_step *s = &b->at[i];

		if (isnan(s->llr) || str_eq(s->outcome, "skip"))
			continue;
		p = (isnan(p) ? 1 : p) * stat_sprt_sure(s->llr);
	}
	return p;
}

static enum err next(struct moving *m, struct why *w)
{
	struct bisection *b = m->b;
	struct bisect_commit *c = pool_alloc(m->p, b->commits * sizeof(*c));
	struct bisect_next x;
	struct bisection_step s = {.number = (int64_t)b->steps + 1,
	                           .used = NONE,
	                           .llr = NAN,
	                           .level = NAN,
	                           .spread = NAN,
	                           .begun_ms = m->now_ms,
	                           .ended_ms = NONE};

	answers(b, c);
	x = bisect_next(c, b->commits);
	if (x.test) {
		s.position = (int64_t)x.test;
		s.asked = b->case_text ? judge_boots(m->deterministic, 0) : b->need;
		return ask_step(m, &s, w);
	}
	b->first = (int64_t)x.good + 1;
	b->culprit = (int64_t)x.bad;
	b->confidence = sure(b);
	return prove(m, w);
}

static enum err step_ended(struct moving *m, struct bisection_step *s, const struct judgement *j,
                           struct why *w)
{
	struct bisection *b = m->b;
	struct bisection_commit *c = &b->commit[s->position - 1];
	enum err e;

	s->outcome = j->as == JUDGED_BAD ? "bad" : j->as == JUDGED_GOOD ? "good" : "skip";
	s->midway = j->midway;
	s->used = j->used;
	s->llr = j->llr;
	s->level = j->level;
	s->spread = j->spread;
	s->why = j->why;
	s->ended_ms = m->now_ms;
	c->answer = s->outcome;
	c->binary = j->binary;
	b->shared |= j->midway;
	b->tries = 0;
	b->submission = NONE;
	e = store_bisect_step(m->db, b->id, s, w);
	if (e == OK)
		e = store_bisect_answer(m->db, b->id, s->position, c, w);
	if (e == OK)
		e = store_bisect_save(m->db, b, w);
	return e == OK ? next(m, w) : e;
}

static enum err search(struct moving *m, struct why *w)
{
	struct bisection *b = m->b;
	struct bisection_step *s = b->steps ? &b->at[b->steps - 1] : NULL;
	struct judgement j;
	int64_t boots = 0;
	enum err e;

	if (!s || s->outcome)
		return next(m, w);
	if (b->submission == NONE)
		return ask_step(m, s, w);
	e = judge_step(m->db, m->p, b, m->o.alert.signature, s, alpha_of(b), &j, w);
	if (e == OK)
		e = arrived(m, s->submission, w);
	if (e == OK)
		e = store_work_boots(m->db, s->submission, NONE, &boots, w);
	if (e != OK)
		return e;
	s->boots += boots;
	if (j.as == JUDGED_MORE) {
		s->asked = judge_boots(m->deterministic, s->asked);
		s->why = j.why;
		return ask_step(m, s, w);
	}
	if (j.as == JUDGED_INFRA) {
		e = store_bisect_step(m->db, b->id, s, w);
		return e == OK ? again(m, j.why, w) : e;
	}
	if (j.as != JUDGED_STOP)
		return step_ended(m, s, &j, w);
	s->outcome = "skip";
	s->why = j.why;
	s->ended_ms = m->now_ms;
	e = store_bisect_step(m->db, b->id, s, w);
	return e == OK ? give_up(m, j.why, w) : e;
}

/* ---- the ends */

/* The alert was just measured again, and these two are what was measured. */
static enum err remeasured(struct moving *m, int64_t *sub, struct why *w)
{
	struct alert_works works = {0};
	enum err e = store_work_of_alert(m->db, m->o.alert.id, m->p, &works, w);

	*sub = NONE;
	if (!str_eq(m->b->good, m->o.base.commit) || !str_eq(m->b->bad, m->o.kernel.commit))
		return e;
	for (size_t i = 0; e == OK && i < works.count; i++)
		if (str_eq(works.at[i].purpose, "remeasure") && works.at[i].stands == 1)
			*sub = works.at[i].submission;
	return e;
}

/* In one layout a change under the floor proves nothing; where it was confirmed in several,
 * and this one shows at least half of it, it is what is looked for. */
static enum err stands_all_the_same(struct moving *m, struct judgement *j, struct why *w)
{
	const struct bisection *b = m->b;
	struct alert_work x;
	struct work_cell c = {.change = NAN};
	int64_t sub;
	enum err e = remeasured(m, &sub, w);

	if (e != OK || sub == NONE)
		return e;
	e = store_work_of_sub(m->db, sub, m->p, &x, w);
	if (e == OK)
		e = store_work_cell(m->db, b->ends, b->board, b->case_text,
		                    commit_short(m->p, b->bad), m->p, &c, w);
	if (e != OK || !str_eq(x.board, b->board) || !str_eq(x.case_text, b->case_text) ||
	    !(c.change / x.before > .5))
		return e;
	j->as = JUDGED_BAD;
	return OK;
}

static enum err ask_ends(struct moving *m, struct why *w)
{
	struct bisection *b = m->b;
	int64_t sub, boots = b->case_text ? judge_boots_ends(m->deterministic) : JUDGE_BOOTS_FAULT;
	enum err e = remeasured(m, &sub, w);

	if (e != OK)
		return e;
	if (b->commits == 1 && sub != NONE) {
		b->ends = b->proof = sub;
		b->first = b->culprit = 1;
		return done(m, w);
	}
	/* Boots of a re-measuring count; what was measured only once does not. */
	return ask(m, "ends", b->good, b->bad, boots, b->case_text && sub == NONE,
	           pool_fmt(m->p, "alert %lld, both ends: %.12s against %.12s", (long long)b->alert,
	                    b->bad, b->good),
	           w);
}

static enum err ends(struct moving *m, struct why *w)
{
	struct bisection *b = m->b;
	struct judgement j;
	const char *why = NULL;
	enum err e;

	if (b->submission == NONE)
		return ask_ends(m, w);
	e = judged(m, judge_ends, &j, w);
	if (e != OK || j.as == JUDGED_INFRA)
		return e;
	b->ends = b->submission;
	b->submission = NONE;
	if (j.as == JUDGED_GOOD && b->case_text)
		e = stands_all_the_same(m, &j, w);
	if (e != OK)
		return e;
	if (j.as != JUDGED_BAD)
		return give_up(
		        m, pool_fmt(m->p, "the ends do not differ as the alert says: %s", j.why),
		        w);
	b->tries = 0;
	b->good_binary = j.good_binary;
	b->bad_binary = j.binary;
	b->need = j.need;
	b->rate = j.rate;
	if (b->case_text)
		e = judge_reach(m->db, m->p, b, alpha_of(b), &why, w);
	if (e != OK || why)
		return e == OK ? give_up(m, why, w) : e;
	b->state = "searching";
	e = store_bisect_save(m->db, b, w);
	return e == OK ? next(m, w) : e;
}

enum err bisections_move(struct server *srv, struct db *db, int64_t id, int64_t now_ms,
                         struct why *w)
{
	struct pool *p = pool_new();
	struct bisection b = {0};
	struct board board = {0};
	struct moving m = {.srv = srv, .db = db, .p = p, .b = &b, .now_ms = now_ms};
	enum err e = store_bisect_get(db, id, p, &b, w);

	if (e == OK)
		e = store_bisect_load(db, &b, p, w);
	if (e == OK)
		e = alert_origin(db, p, b.alert, &m.o, w);
	if (e == OK)
		e = store_board_get(db, b.board, p, &board, w);
	m.deterministic = board.deterministic;
	if (e == OK && str_eq(b.state, "ends"))
		e = ends(&m, w);
	else if (e == OK && str_eq(b.state, "searching"))
		e = search(&m, w);
	else if (e == OK && str_eq(b.state, "proving"))
		e = proved(&m, w);
	pool_free(p);
	return err_at(w, e, "bisection %lld", (long long)id);
}
