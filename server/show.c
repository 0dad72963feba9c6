/* show.c - rows as the API's objects. */
#include "server/show.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/series_json.h"
#include "server/store_fault.h"
#include "server/store_more.h"

#include <string.h>

json_t *show_time(int64_t ms)
{
	char text[32];

	if (ms == NONE)
		return json_null();
	clock_iso(ms, text, sizeof(text));
	return json_string(text);
}

void show_int(json_t *o, const char *key, int64_t v)
{
	if (v == NONE)
		json_put(o, key, NULL);
	else
		json_put_int(o, key, v);
}

void show_period(json_t *o, const struct period *t, const char *running, int64_t now_ms)
{
	char day[32];

	json_put(o, "until", show_time(t->until_ms));
	clock_iso(t->until_ms - 1, day, sizeof(day));
	day[10] = '\0';
	json_put_str(o, "last_day", day);
	json_put_str(o, "by", t->by);
	json_put(o, "at", show_time(t->at_ms));
	json_put(o, "ended", show_time(t->ended_ms));
	json_put_str(o, "ended_by", t->ended_by);
	json_put_str(o, "state",
	             t->ended_ms != NONE     ? "ended"
	             : t->until_ms <= now_ms ? "expired"
	                                     : running);
}

json_t *show_words(const char *words)
{
	json_t *list = json_array();
	const char *at = words ? words : "";

	for (;;) {
		size_t n;

		at += strspn(at, " ");
		n = strcspn(at, " ");
		if (!n)
			return list;
		json_array_append_new(list, json_stringn(at, n));
		at += n;
	}
}

static json_t *show_texts(const struct texts *t)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < t->count; i++)
		json_array_append_new(list, json_string(t->at[i]));
	return list;
}

/* Canonical JSON of our own making, or null. */
static json_t *show_stored(const char *text)
{
	json_t *o = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	return o ? o : json_null();
}

/* One line for people: what the job is. */
static char *job_summary(const struct job *j)
{
	if (str_eq(j->kind, "resolve") && j->base_of)
		return xasprintf("find the merge base of %.12s and %s of %s", j->base_of, j->ref,
		                 j->tree);
	if (str_eq(j->kind, "resolve"))
		return xasprintf("resolve %s of %s", j->ref, j->tree);
	if (str_eq(j->kind, "walk"))
		return xasprintf("walk the commits of %s of %s", j->ref, j->tree);
	if (str_eq(j->kind, "build"))
		return xasprintf("build %s with %s", j->name ? j->name : "a kernel", j->toolchain);
	return xasprintf("%s %s on %s, phase %lld%s",
	                 str_eq(j->purpose, "work")       ? "boot"
	                 : str_eq(j->purpose, "health")   ? "health check: boot"
	                 : str_eq(j->purpose, "validate") ? "validate: boot"
	                                                  : "confirm: boot",
	                 j->name ? j->name : "a kernel", j->board,
	                 (long long)(j->phase == NONE ? 0 : j->phase),
	                 j->replicate ? ", again" : "");
}

json_t *show_job(const struct job *j, int64_t now_ms)
{
	json_t *o = json_object(), *progress = json_object();
	char *summary = job_summary(j);
	int64_t until = j->ended_ms != NONE ? j->ended_ms : now_ms;

	json_put_int(o, "id", j->id);
	json_put_str(o, "kind", j->kind);
	json_put_str(o, "state", j->state);
	show_int(o, "submission", j->submission);
	show_int(o, "kernel", j->kernel);
	json_put_str(o, "board", j->board);
	json_put_int(o, "attempt", j->attempt);
	json_put_str(o, "agent", j->agent);
	json_put_str(o, "class", j->class);
	json_put_str(o, "why", j->why);
	json_put(o, "created", show_time(j->created_ms));
	json_put(o, "started", show_time(j->started_ms));
	json_put(o, "ended", show_time(j->ended_ms));
	json_put_str(progress, "step", j->step);
	show_int(progress, "done", j->done);
	show_int(progress, "total", j->total);
	json_put_real(progress, "elapsed_s",
	              j->started_ms == NONE || str_eq(j->state, "queued")
	                      ? 0
	                      : (double)(until - j->started_ms) / 1000);
	json_put(o, "progress", progress);
	json_put_bool(o, "health", job_is_check(j));
	json_put_str(o, "summary", summary);
	free(summary);
	return o;
}

json_t *show_kernel(const struct kernel *k)
{
	json_t *o = json_object();

	json_put_int(o, "id", k->id);
	json_put_str(o, "tree", k->tree);
	json_put_str(o, "commit", k->commit);
	json_put_str(o, "subject", k->subject);
	json_put_str(o, "config", k->config_name);
	json_put_str(o, "config_sha256", k->config_sha256);
	json_put_str(o, "toolchain", k->toolchain);
	json_put_str(o, "state", k->state);
	json_put_str(o, "why", k->why);
	json_put_str(o, "image", k->image);
	json_put_str(o, "vmlinux", k->vmlinux);
	json_put_str(o, "config_artifact", k->config_file);
	show_int(o, "image_bytes", k->image_bytes);
	json_put_str(o, "build_id", k->build_id);
	json_put(o, "build_ids", show_words(k->build_ids));
	json_put_str(o, "section_hash", k->section_hash);
	json_put_str(o, "config_hash", k->config_hash);
	json_put_str(o, "compiler", k->compiler);
	json_put_str(o, "linker", k->linker);
	json_put_str(o, "release", k->release);
	show_int(o, "objects", k->objects);
	json_put_int(o, "layout", k->layout);
	show_int(o, "gaps", k->gaps);
	show_int(o, "gap_bytes", k->gap_bytes);
	json_put_real(o, "seconds", k->seconds);
	json_put_bool(o, "trusted", k->trusted);
	json_put_str(o, "sandbox", k->sandbox);
	json_put_bool(o, "imported", k->imported);
	json_put(o, "created", show_time(k->created_ms));
	return o;
}

json_t *show_board(const struct board *b, int64_t known_good)
{
	json_t *o = json_object();

	json_put_str(o, "name", b->name);
	json_put_str(o, "agent", b->agent);
	json_put_str(o, "kind", b->kind);
	json_put_str(o, "profile", b->profile);
	json_put(o, "labels", show_words(b->labels));
	json_put_str(o, "metric", b->metric);
	json_put_bool(o, "deterministic", b->deterministic);
	json_put_bool(o, "emulated", b->emulated);
	json_put_bool(o, "untrusted", b->untrusted);
	json_put(o, "capabilities", show_stored(b->capabilities));
	json_put_str(o, "description", b->description);
	json_put_str(o, "state", b->state);
	json_put_str(o, "why", b->why);
	json_put_bool(o, "offered", b->offered);
	show_int(o, "known_good", known_good);
	show_int(o, "job", b->job);
	return o;
}

json_t *show_board_events(const struct board_events *list)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct board_event *e = &list->at[i];
		json_t *o = json_object();

		json_put(o, "at", show_time(e->at_ms));
		json_put_str(o, "event", e->event);
		json_put_str(o, "why", e->why);
		json_put_str(o, "by", e->by);
		show_int(o, "job", e->job);
		json_array_append_new(a, o);
	}
	return a;
}

json_t *show_agent(const struct agent *a)
{
	json_t *o = json_object(), *tools = json_array(), *jobs = json_array();
	size_t i;

	for (i = 0; i < a->toolchains; i++) {
		json_t *t = json_object();

		json_put_str(t, "name", a->toolchain[i].name);
		json_put_str(t, "compiler", a->toolchain[i].compiler);
		json_array_append_new(tools, t);
	}
	for (i = 0; i < a->jobs.count; i++)
		json_array_append_new(jobs, json_integer(a->jobs.at[i]));
	json_put_str(o, "name", a->name);
	json_put_str(o, "version", a->version);
	json_put_bool(o, "builds", a->builds);
	json_put_str(o, "bench", a->bench);
	json_put(o, "toolchains", tools);
	json_put(o, "trees", show_texts(&a->trees));
	json_put(o, "boards", show_texts(&a->boards));
	json_put(o, "seen", show_time(a->seen_ms));
	json_put(o, "jobs", jobs);
	return o;
}

/* ---- boots */

static json_t *show_run(const struct run_row *r)
{
	json_t *o = json_object();

	json_put_str(o, "case", r->case_text);
	json_put_int(o, "run", r->number);
	json_put_str(o, "state", r->state);
	json_put_str(o, "why", r->why);
	json_put_int(o, "warmup", r->warmup);
	json_put_int(o, "samples", r->count);
	show_int(o, "batch", r->batch);
	json_put_int(o, "windows", r->windows);
	show_int(o, "empty_window", r->empty_window);
	json_put_real(o, "median", r->iterations ? r->median : NAN);
	json_put_real(o, "mean", r->iterations ? r->mean : NAN);
	json_put_real(o, "sd", r->iterations ? r->sd : NAN);
	json_put(o, "evidence", show_stored(r->evidence));
	return o;
}

json_t *show_differences(const struct env_differences *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->count; i++) {
		json_t *o = json_object();

		json_put_str(o, "field", d->at[i].field);
		json_put_str(o, "one", d->at[i].one);
		json_put_str(o, "other", d->at[i].other);
		json_array_append_new(list, o);
	}
	return list;
}

json_t *show_boot(const struct boot *b, const char *kernel_name)
{
	json_t *o = json_object(), *faults = json_array(), *runs = json_array();
	size_t i;

	for (i = 0; i < b->faults; i++) {
		const struct boot_fault *f = &b->fault[i];
		json_t *x = json_object();

		json_put_int(x, "line", f->line);
		json_put_str(x, "kind", f->kind);
		json_put_str(x, "function", f->function);
		json_put_str(x, "text", f->text);
		json_put_bool(x, "fatal", f->fatal);
		json_put_str(x, "signature", f->signature);
		json_put_str(x, "file", f->file);
		json_put_str(x, "place", f->place);
		json_put_bool(x, "decoded", f->decoded);
		json_put_str(x, "not_decoded", f->undecoded);
		json_put_str(x, "never", f->never);
		json_array_append_new(faults, x);
	}
	for (i = 0; i < b->runs.count; i++)
		json_array_append_new(runs, show_run(&b->runs.at[i]));
	json_put_int(o, "id", b->id);
	show_int(o, "submission", b->submission);
	show_int(o, "job", b->job);
	json_put_int(o, "kernel", b->kernel);
	json_put_str(o, "kernel_name", kernel_name);
	json_put_str(o, "board", b->board);
	show_int(o, "phase", b->phase);
	show_int(o, "phase_pages", b->phase_pages);
	json_put_int(o, "replicate", b->replicate);
	json_put_bool(o, "health", str_eq(b->purpose, "health") || str_eq(b->purpose, "confirm"));
	json_put_bool(o, "validation", str_eq(b->purpose, "validate"));
	json_put_bool(o, "valid", b->valid);
	json_put_str(o, "why", b->why);
	json_put_str(o, "class", b->class);
	json_put_str(o, "reached", b->reached);
	json_put_str(o, "metric", b->metric);
	json_put_str(o, "unit", b->unit);
	json_put_str(o, "better", b->better);
	json_put_str(o, "nonce", b->nonce);
	json_put_str(o, "build_id", b->build_id);
	json_put_str(o, "boot_id", b->boot_uuid);
	json_put_str(o, "bench", b->bench);
	json_put_real(o, "seconds", b->seconds);
	json_put_str(o, "console", b->console);
	show_int(o, "console_bytes", b->console_bytes);
	json_put_str(o, "profile", b->profile);
	show_int(o, "taint_before", b->taint_before);
	show_int(o, "taint_after", b->taint_after);
	json_put_bool(o, "self_reported", b->imported);
	json_put(o, "created", show_time(b->created_ms));
	json_put_str(o, "env_id", b->env_id);
	json_put(o, "env", show_stored(b->env));
	json_put(o, "traits", show_stored(b->traits));
	json_put(o, "faults", faults);
	json_put(o, "runs", runs);
	return o;
}

/* ---- submissions */

static json_t *show_sub_kernel(const struct sub_kernel *k)
{
	json_t *o = json_object();

	json_put_str(o, "name", k->name);
	json_put_str(o, "tree", k->tree);
	json_put_str(o, "ref", k->ref);
	json_put_str(o, "base_of", k->base_of);
	json_put_str(o, "config", k->config_name);
	json_put_str(o, "toolchain", k->toolchain);
	show_int(o, "id", k->kernel_id);
	json_put_str(o, "commit", k->commit);
	json_put_str(o, "subject", k->subject);
	json_put_str(o, "state", k->state);
	json_put_str(o, "why", k->why);
	json_put_str(o, "build_id", k->build_id);
	json_put_str(o, "image", k->image ? k->image : k->kernel_image);
	return o;
}

static json_t *show_validations(const struct sub_kernels *k, const struct sub_kernels *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->count; i++) {
		json_t *o = json_object();

		json_put_str(o, "kernel", k->at[sub_kernel_at(k, v->at[i].validates)].name);
		json_put_str(o, "config", v->at[i].config_name);
		show_int(o, "id", v->at[i].kernel_id);
		json_put_str(o, "state", v->at[i].state);
		json_put_str(o, "why", v->at[i].why);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *show_plan(const struct sub *s)
{
	json_t *o = json_object();

	show_int(o, "boots", s->boots);
	json_put_int(o, "runs", s->runs);
	json_put_int(o, "iterations", s->iterations);
	json_put_int(o, "warmup", s->warmup);
	json_put_int(o, "layouts", s->layouts);
	return o;
}

/* Of the first fault in the log of the job's boot. */
static void put_signature(json_t *o, int64_t job, const struct boot_signatures *faults)
{
	const char *signature = NULL;
	size_t i;

	for (i = 0; i < faults->count; i++)
		if (faults->at[i].boot == job)
			signature = faults->at[i].signature;
	json_put_str(o, "signature", signature);
}

enum err show_submission(struct db *db, struct pool *p, const struct sub *s, bool single,
                         json_t **out, struct why *w)
{
	struct sub_kernels k = {0}, validators = {0};
	struct texts boards = {0}, cases = {0};
	struct job_list jobs = {0};
	struct boot_signatures faults = {0};
	struct parts parts = {0};
	json_t *o, *kernels, *progress = NULL, *series = NULL, *list;
	int64_t now = clock_wall_ms();
	size_t i;
	enum err e = store_sub_kernels(db, s->id, p, &k, w);

	if (e == OK)
		e = store_sub_validators(db, s->id, p, &validators, w);
	if (e == OK)
		e = store_sub_boards(db, s->id, p, &boards, w);
	if (e == OK)
		e = store_sub_cases(db, s->id, p, &cases, NULL, w);
	if (e == OK)
		e = store_job_of_sub(db, s->id, p, &jobs, w);
	if (e == OK && single)
		e = store_place_of_jobs(db, s->id, p, &faults, w);
	if (e == OK && single)
		e = store_more_parts(db, s->id, p, &parts, w);
	if (e == OK && single)
		e = series_show(db, p, s, &k, &series, w);
	if (e == OK)
		e = show_progress(db, p, s, &k, &jobs, &boards, cases.count, &progress, w);
	if (e != OK) {
		json_decref(series);
		return e;
	}
	o = json_object();
	kernels = json_array();
	for (i = 0; i < k.count; i++)
		json_array_append_new(kernels, show_sub_kernel(&k.at[i]));
	json_put_int(o, "id", s->id);
	json_put_str(o, "key", s->idem_key);
	json_put_str(o, "title", s->title);
	json_put_str(o, "state", s->state);
	json_put_str(o, "why", s->why);
	json_put(o, "created", show_time(s->created_ms));
	json_put(o, "ended", show_time(s->ended_ms));
	json_put_str(o, "submitter", s->submitter);
	json_put(o, "kernels", kernels);
	json_put(o, "validations", show_validations(&k, &validators));
	json_put_str(o, "baseline", k.at[s->baseline].name);
	json_put(o, "boards", show_texts(&boards));
	json_put(o, "cases", show_texts(&cases));
	json_put(o, "plan", show_plan(s));
	json_put_real(o, "threshold", s->threshold);
	json_put_int(o, "priority", s->priority);
	json_put_bool(o, "reuse", s->reuse);
	json_put_bool(o, "across_environments", s->across);
	json_put_int(o, "memory_bytes", s->memory_bytes);
	json_put_bool(o, "imported", s->imported);
	show_int(o, "part_of", s->part_of);
	json_put(o, "progress", progress);
	if (single) {
		list = json_array();
		for (i = 0; i < jobs.count; i++) {
			json_t *x = show_job(&jobs.at[i], now);

			put_signature(x, jobs.at[i].id, &faults);
			json_array_append_new(list, x);
		}
		json_put(o, "jobs", list);
		list = json_array();
		for (i = 0; i < parts.count; i++)
			json_array_append_new(list, json_integer(parts.at[i].id));
		json_put(o, "parts", list);
		json_put(o, "series", series);
	}
	*out = o;
	return OK;
}
