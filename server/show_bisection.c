/* show_bisection.c - bisections and what the server does for alerts, as JSON. */
#include "server/show_bisection.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/stat/looks.h"
#include "server/bisect.h"
#include "server/schedule.h"
#include "server/show.h"
#include "server/store_board.h"

/* Boots that a kernel gets where nobody says how many: phases with the replicate, or all
 * looks, which it takes to say "the same". */
static enum err default_boots(struct db *db, struct pool *p, const char *board, int64_t *out,
                              struct why *w)
{
	struct board b = {0};
	enum err e = store_board_get(db, board, p, &b, w);

	if (e == ERR_NOT_FOUND)
		e = OK;
	*out = b.deterministic ? BOOTS_PHASES + 1 : (int64_t)stat_look[STAT_LOOKS - 1].boots;
	return e;
}

static json_t *show_commit(const struct bisection_commit *c)
{
	json_t *o = json_object();

	json_put_str(o, "commit", c->commit);
	json_put_str(o, "subject", c->subject);
	json_put_str(o, "author", c->author);
	return o;
}

static enum err in_short(struct db *db, struct pool *p, const struct bisection *b, json_t *o,
                         struct why *w)
{
	json_t *range = json_array();
	int64_t boots = 0, each = 0;
	bool found = b->culprit != NONE && str_eq(b->state, "done");
	enum err e = default_boots(db, p, b->board, &each, w);

	for (size_t i = 0; i < b->steps; i++)
		boots += b->at[i].boots;
	for (int64_t i = b->first; found && i < b->culprit; i++)
		json_array_append_new(range, show_commit(&b->commit[i - 1]));
	json_put_int(o, "id", b->id);
	json_put_str(o, "state", b->state);
	json_put_str(o, "why", b->why);
	json_put(o, "culprit", found ? show_commit(&b->commit[b->culprit - 1]) : json_null());
	json_put(o, "or", range);
	json_put_bool(o, "shared", b->shared);
	json_put_real(o, "confidence", b->confidence);
	json_put_int(o, "commits", (int64_t)b->commits);
	json_put_int(o, "steps", (int64_t)b->steps);
	json_put_int(o, "boots", boots);
	json_put_int(o, "boots_plain", (int64_t)bisect_halves(b->commits) * each);
	json_put_int(o, "boots_every", (int64_t)b->commits * each);
	return e;
}

enum err show_bisection_of(struct db *db, struct pool *p, int64_t alert, int64_t before,
                           json_t **out, struct why *w)
{
	struct bisection b;
	enum err e = store_bisect_of_alert(db, alert, p, &b, w);

	*out = json_null();
	if (e != OK || !b.id || (before != NONE && (b.step == NONE || b.step > before)))
		return e;
	e = store_bisect_load(db, &b, p, w);
	*out = json_object();
	return e == OK ? in_short(db, p, &b, *out, w) : e;
}

static json_t *show_step(const struct bisection *b, const struct bisection_step *s)
{
	json_t *o = show_commit(&b->commit[s->position - 1]);

	json_put_int(o, "number", s->number);
	json_put_int(o, "position", s->position);
	show_int(o, "submission", s->submission);
	json_put_str(o, "outcome", s->outcome);
	json_put_bool(o, "midway", s->midway);
	json_put_int(o, "boots", s->boots);
	show_int(o, "used", s->used);
	json_put_real(o, "llr", s->llr);
	json_put_real(o, "level", s->level);
	json_put_real(o, "spread", s->spread);
	json_put_str(o, "why", s->why);
	json_put(o, "begun", show_time(s->begun_ms));
	json_put(o, "ended", show_time(s->ended_ms));
	return o;
}

enum err show_bisection(struct db *db, struct pool *p, const struct bisection *b, json_t **out,
                        struct why *w)
{
	json_t *o = json_object(), *steps = json_array();
	enum err e = in_short(db, p, b, o, w);

	*out = o;
	json_put_int(o, "alert", b->alert);
	json_put_str(o, "by", b->by);
	json_put_str(o, "tree", b->tree);
	json_put_str(o, "good", b->good);
	json_put_str(o, "bad", b->bad);
	json_put_str(o, "board", b->board);
	json_put_str(o, "case", b->case_text);
	json_put_str(o, "metric", b->metric);
	json_put_int(o, "omitted", b->omitted);
	show_int(o, "ends", b->ends);
	show_int(o, "proof", b->proof);
	show_int(o, "submission", b->submission);
	json_put(o, "created", show_time(b->created_ms));
	json_put(o, "ended", show_time(b->ended_ms));
	for (size_t i = 0; i < b->steps; i++)
		json_array_append_new(steps, show_step(b, &b->at[i]));
	json_put(o, "table", steps);
	return e;
}

json_t *show_works(const struct alert_works *works)
{
	json_t *list = json_array();

	for (size_t i = 0; i < works->count; i++) {
		const struct alert_work *x = &works->at[i];
		json_t *o = json_object();

		json_put_int(o, "submission", x->submission);
		json_put_str(o, "purpose", x->purpose);
		json_put_str(o, "why", x->why);
		json_put_str(o, "by", x->by);
		json_put_str(o, "state", x->state);
		json_put(o, "begun", show_time(x->begun_ms));
		json_put(o, "ended", show_time(x->ended_ms));
		json_array_append_new(list, o);
	}
	return list;
}
