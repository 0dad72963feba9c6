#include "server/show_track.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/show.h"

/* What was asked, and null for what was not. */
static void copy(json_t *to, const json_t *from, const char *key)
{
	json_t *x = json_object_get(from, key);

	json_put(to, key, x ? json_incref(x) : json_null());
}

enum err show_track(struct db *db, const struct track *t, json_t **out, struct why *w)
{
	json_t *o = json_object(), *request = json_loads(t->request, 0, NULL);
	bool runs = str_eq(t->state, "active");
	int64_t points = 0;
	enum err e = store_point_count(db, t->id, &points, w);

	json_put_int(o, "id", t->id);
	json_put_str(o, "tree", t->tree);
	json_put_str(o, "branch", t->branch);
	json_put_int(o, "every_s", t->every_ms / 1000);
	json_put_str(o, "mode", t->mode);
	copy(o, request, "boards");
	copy(o, request, "cases");
	copy(o, request, "plan");
	copy(o, request, "threshold");
	json_put_int(o, "priority", json_int(request, "priority", 0));
	json_put(o, "config", json_loads(t->config, JSON_DECODE_ANY, NULL));
	json_put_str(o, "toolchain", t->toolchain);
	json_put_str(o, "release", t->release);
	json_put_str(o, "by", t->submitter);
	json_put_str(o, "state", t->state);
	json_put_str(o, "why", !runs ? t->stop_why : t->blocked ? t->blocked : t->why);
	json_put_str(o, "stopped_by", runs ? NULL : t->stop_by);
	json_put(o, "until", show_time(str_eq(t->state, "paused") ? t->until_ms : NONE));
	json_put_str(o, "tip", t->tip);
	json_put_bool(o, "looking", t->walk != NONE);
	json_put(o, "looked", show_time(t->looked_ms));
	json_put(o, "next_look", show_time(runs ? t->next_ms : NONE));
	json_put(o, "created", show_time(t->created_ms));
	json_put(o, "changed", show_time(t->changed_ms));
	json_put_int(o, "points_total", points);
	json_decref(request);
	*out = o;
	if (e != OK)
		json_decref(o);
	return e;
}

static void count(void *ctx, const char *verdict, int64_t n)
{
	/* The baseline's own cells have none of these words. */
	if (json_object_get(ctx, verdict))
		json_put_int(ctx, verdict, n);
}

static enum err put_verdicts(struct db *db, const struct track_point *x, json_t *o, struct why *w)
{
	static const char *const words[] = {"slower", "faster", "same",
	                                    "unsure", "skip",   "invalid"};
	json_t *v;
	enum err e;

	if (!str_eq(x->sub_state, "done") || !x->name || !x->base_name) {
		json_put(o, "verdicts", json_null());
		return OK;
	}
	v = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		json_put_int(v, words[i], 0);
	e = store_point_verdicts(db, x->submission, x->name, count, v, w);
	json_put(o, "verdicts", v);
	return e;
}

enum err show_track_point(struct db *db, const struct track_point *x, json_t **out, struct why *w)
{
	json_t *o = json_object();
	enum err e;

	json_put_int(o, "position", x->position);
	json_put_str(o, "commit", x->commit);
	json_put_str(o, "subject", x->subject);
	json_put_str(o, "author", x->author);
	json_put_str(o, "kind", x->kind);
	json_put_bool(o, "rebased", x->rebased);
	json_put_bool(o, "filled", x->filled);
	json_put_str(o, "note", x->note);
	json_put(o, "seen", show_time(x->seen_ms));
	show_int(o, "submission", x->submission);
	json_put_str(o, "state", x->sub_state ? x->sub_state : "waiting");
	json_put_str(o, "why", x->sub_why);
	json_put_str(o, "kernel", x->name);
	json_put_str(o, "baseline", x->base_name);
	json_put_str(o, "against", x->base_commit);
	json_put(o, "same_image", x->hashed ? json_boolean(x->same) : json_null());
	e = put_verdicts(db, x, o, w);
	show_int(o, "release", x->release);
	*out = o;
	if (e != OK)
		json_decref(o);
	return e;
}
