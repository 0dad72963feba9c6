/*
 * api_result.c - answers to jobs: checked whole, stored in one transaction
 * with what follows from them.
 */
#include "server/api_util.h"
#include "server/long_text.h"
#include "server/result.h"
#include "server/schedule.h"
#include "server/series_json.h"
#include "server/store_artifact.h"
#include "server/walk.h"
#include "server/walk_json.h"
#include "server/work.h"

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/zst.h"

#include <string.h>

static const char *const classes[] = {"infra", "build", "boot", "kernel", "bench", NULL};
static const char *const ends[] = {"done", "failed", NULL};
enum { END_DONE, END_FAILED };

struct answer_in {
	int64_t attempt;
	int state, class;
	const char *why;
	json_t *resolve, *build, *boot, *walk;
};

static const struct json_field answer_fields[] = {
        {"attempt", JSON_INT, offsetof(struct answer_in, attempt), JSON_MUST, 1, INT64_MAX, NULL},
        {"state", JSON_WORD, offsetof(struct answer_in, state), JSON_MUST, 0, 0, ends},
        {"class", JSON_WORD, offsetof(struct answer_in, class), JSON_NULLOK, 0, 0, classes},
        {"why", JSON_STR, offsetof(struct answer_in, why), JSON_NULLOK | JSON_TEXT, 1, 16384, NULL},
        {"resolve", JSON_OBJ, offsetof(struct answer_in, resolve), JSON_NULLOK, 0, 0, NULL},
        {"build", JSON_OBJ, offsetof(struct answer_in, build), JSON_NULLOK, 0, 0, NULL},
        {"boot", JSON_OBJ, offsetof(struct answer_in, boot), JSON_NULLOK, 0, 0, NULL},
        {"walk", JSON_OBJ, offsetof(struct answer_in, walk), JSON_NULLOK, 0, 0, NULL},
        {0},
};

/* A result on its way: what was read, and what it was answered. */
struct answering {
	struct pool *p;
	int64_t job, attempt, now_ms;
	const char *key, *hash;
	bool failed;
	const char *class, *why;
	const char *commit, *subject;
	struct series found; /* by a resolve of one */
	char *result;        /* boot.result, taken out of the body; NULL: it stands in there */
	struct kernel built;
	struct walk walk;
	bool has_boot;
	struct boot boot;
	/* out */
	struct job_answer said;
	bool again;
};

/* ---- resolve */

static enum err need_artifact(struct db *db, const char *sha256, const char *place, struct why *w)
{
	int64_t bytes;
	enum err e;

	if (!sha256)
		return OK;
	if (!hex_is(sha256, 64))
		return err_set(w, ERR_UNPROCESSABLE, "%s: expected 64 lower-case hex digits",
		               place);
	e = artifact_find(db, sha256, &bytes, w);
	return e == ERR_NOT_FOUND
	               ? err_set(w, ERR_UNPROCESSABLE,
	                         "%s: there is no artifact %s: it is uploaded before the result",
	                         place, sha256)
	               : e;
}

struct resolve_in {
	const char *commit, *subject, *bundle;
	int64_t author_time, bytes_fetched;
	json_t *patches;
};

static const struct json_field resolve_fields[] = {
        {"commit", JSON_STR, offsetof(struct resolve_in, commit), JSON_MUST, 40, 64, NULL},
        {"subject", JSON_STR, offsetof(struct resolve_in, subject), JSON_NULLOK | JSON_TEXT, 0,
         1000, NULL},
        {"author_time", JSON_INT, offsetof(struct resolve_in, author_time), JSON_NULLOK, -INT64_MAX,
         INT64_MAX, NULL},
        {"bytes_fetched", JSON_INT, offsetof(struct resolve_in, bytes_fetched), JSON_NULLOK, 0,
         INT64_MAX, NULL},
        {"patches", JSON_ARR, offsetof(struct resolve_in, patches), JSON_NULLOK, 1,
         SERIES_PATCHES_MAX, NULL},
        {"bundle", JSON_STR, offsetof(struct resolve_in, bundle), JSON_NULLOK, 64, 64, NULL},
        {0},
};

static enum err read_resolve(struct db *db, struct answering *a, json_t *o, struct why *w)
{
	struct resolve_in in = {0};
	enum err e = json_decode(o, "resolve", resolve_fields, &in, w);

	if (e == OK && in.patches)
		e = series_read_patches(a->p, in.patches, &a->found, w);
	if (e == OK)
		e = need_artifact(db, in.bundle, "resolve.bundle", w);
	a->found.bundle = pool_str(a->p, in.bundle);

	if (e == OK && !hex_is(in.commit, 40) && !hex_is(in.commit, 64))
		e = err_set(w, ERR_UNPROCESSABLE, "resolve.commit: expected 40 hex digits");
	if (e == OK) {
		a->commit = pool_str(a->p, in.commit);
		a->subject = pool_str(a->p, in.subject);
	}
	return e;
}

/* ---- build */

struct tool_in {
	const char *name, *compiler, *linker;
};

struct build_in {
	struct kernel k;
	json_t *toolchain;
};

static const struct json_field build_fields[] = {
        {"image", JSON_STR, offsetof(struct build_in, k.image), JSON_MUST, 64, 64, NULL},
        {"vmlinux", JSON_STR, offsetof(struct build_in, k.vmlinux), JSON_NULLOK, 64, 64, NULL},
        {"config", JSON_STR, offsetof(struct build_in, k.config_file), JSON_NULLOK, 64, 64, NULL},
        {"image_bytes", JSON_INT, offsetof(struct build_in, k.image_bytes), JSON_NULLOK, 1,
         INT64_MAX, NULL},
        {"build_id", JSON_STR, offsetof(struct build_in, k.build_id), JSON_MUST, 8, 64, NULL},
        {"section_hash", JSON_STR, offsetof(struct build_in, k.section_hash), JSON_NULLOK, 64, 64,
         NULL},
        {"config_hash", JSON_STR, offsetof(struct build_in, k.config_hash), JSON_NULLOK, 64, 64,
         NULL},
        {"toolchain", JSON_OBJ, offsetof(struct build_in, toolchain), JSON_NULLOK, 0, 0, NULL},
        {"release", JSON_STR, offsetof(struct build_in, k.release), JSON_NULLOK, 1, 128, NULL},
        {"objects", JSON_INT, offsetof(struct build_in, k.objects), JSON_NULLOK, 0, INT64_MAX,
         NULL},
        {"layout", JSON_INT, offsetof(struct build_in, k.layout), JSON_NULLOK, 0, LAYOUTS_MAX - 1,
         NULL},
        {"gaps", JSON_INT, offsetof(struct build_in, k.gaps), JSON_NULLOK, 0, INT64_MAX, NULL},
        {"gap_bytes", JSON_INT, offsetof(struct build_in, k.gap_bytes), JSON_NULLOK, 0, INT64_MAX,
         NULL},
        {"seconds", JSON_NUM, offsetof(struct build_in, k.seconds), JSON_NULLOK, 0, 0, NULL},
        {"trusted", JSON_BOOL, offsetof(struct build_in, k.trusted), JSON_NULLOK, 0, 0, NULL},
        {"sandbox", JSON_STR, offsetof(struct build_in, k.sandbox), JSON_NULLOK, 0, 64, NULL},
        {0},
};

static const struct json_field tool_fields[] = {
        {"name", JSON_STR, offsetof(struct tool_in, name), JSON_NULLOK, 1, 64, NULL},
        {"compiler", JSON_STR, offsetof(struct tool_in, compiler), JSON_NULLOK, 1, 512, NULL},
        {"linker", JSON_STR, offsetof(struct tool_in, linker), JSON_NULLOK, 1, 512, NULL},
        {0},
};

static enum err read_build(struct db *db, struct answering *a, json_t *o, struct why *w)
{
	struct build_in in = {.k = {.image_bytes = NONE,
	                            .objects = NONE,
	                            .seconds = NAN,
	                            .gaps = NONE,
	                            .gap_bytes = NONE}};
	struct tool_in tool = {0};
	struct kernel *k = &a->built;
	enum err e = json_decode(o, "build", build_fields, &in, w);

	if (e == OK && in.toolchain)
		e = json_decode(in.toolchain, "build.toolchain", tool_fields, &tool, w);
	if (e == OK && (strlen(in.k.build_id) % 2 || !hex_is(in.k.build_id, strlen(in.k.build_id))))
		e = err_set(w, ERR_UNPROCESSABLE, "build.build_id: expected lower-case hex digits");
	if (e == OK)
		e = need_artifact(db, in.k.image, "build.image", w);
	if (e == OK)
		e = need_artifact(db, in.k.vmlinux, "build.vmlinux", w);
	if (e == OK)
		e = need_artifact(db, in.k.config_file, "build.config", w);
	if (e != OK)
		return e;
	*k = in.k;
	k->image = pool_str(a->p, in.k.image);
	k->vmlinux = pool_str(a->p, in.k.vmlinux);
	k->config_file = pool_str(a->p, in.k.config_file);
	k->build_id = pool_str(a->p, in.k.build_id);
	k->build_ids = k->build_id;
	k->section_hash = pool_str(a->p, in.k.section_hash);
	k->config_hash = pool_str(a->p, in.k.config_hash);
	k->release = pool_str(a->p, in.k.release);
	k->sandbox = pool_str(a->p, in.k.sandbox);
	k->compiler = pool_str(a->p, tool.compiler);
	k->linker = pool_str(a->p, tool.linker);
	return OK;
}

/* ---- boot */

struct boot_in {
	bool valid;
	const char *why, *nonce, *build_id, *boot_id, *console, *profile, *result;
	int reached;
	double seconds;
	int64_t console_bytes, taint_before, taint_after;
	json_t *faults, *env;
};

static const char *const reached[] = {"staged", "armed", "booted", "measured", NULL};

#define RESULT_MAX (256 << 20)

static const struct json_field boot_fields[] = {
        {"valid", JSON_BOOL, offsetof(struct boot_in, valid), JSON_MUST, 0, 0, NULL},
        {"why", JSON_STR, offsetof(struct boot_in, why), JSON_NULLOK | JSON_TEXT, 1, 16384, NULL},
        {"reached", JSON_WORD, offsetof(struct boot_in, reached), JSON_NULLOK, 0, 0, reached},
        {"nonce", JSON_STR, offsetof(struct boot_in, nonce), JSON_NULLOK, 0, 64, NULL},
        {"build_id", JSON_STR, offsetof(struct boot_in, build_id), JSON_NULLOK, 0, 128, NULL},
        {"boot_id", JSON_STR, offsetof(struct boot_in, boot_id), JSON_NULLOK, 0, 128, NULL},
        {"seconds", JSON_NUM, offsetof(struct boot_in, seconds), JSON_NULLOK, 0, 0, NULL},
        {"console", JSON_STR, offsetof(struct boot_in, console), JSON_NULLOK, 64, 64, NULL},
        {"profile", JSON_STR, offsetof(struct boot_in, profile), JSON_NULLOK, 64, 64, NULL},
        {"console_bytes", JSON_INT, offsetof(struct boot_in, console_bytes), JSON_NULLOK, 0,
         INT64_MAX, NULL},
        {"faults", JSON_ARR, offsetof(struct boot_in, faults), JSON_NULLOK, 0, 1000, NULL},
        {"taint_before", JSON_INT, offsetof(struct boot_in, taint_before), JSON_NULLOK, -1,
         INT64_MAX, NULL},
        {"taint_after", JSON_INT, offsetof(struct boot_in, taint_after), JSON_NULLOK, -1, INT64_MAX,
         NULL},
        {"env", JSON_OBJ, offsetof(struct boot_in, env), JSON_NULLOK, 0, 0, NULL},
        {"result", JSON_STR, offsetof(struct boot_in, result), JSON_NULLOK | JSON_TEXT, 0,
         RESULT_MAX, NULL},
        {0},
};

static const struct json_field fault_fields[] = {
        {"line", JSON_INT, offsetof(struct boot_fault, line), JSON_MUST, 1, INT64_MAX, NULL},
        {"kind", JSON_STR, offsetof(struct boot_fault, kind), JSON_MUST, 1, 64, NULL},
        {"function", JSON_STR, offsetof(struct boot_fault, function), JSON_NULLOK, 0, 512, NULL},
        {"text", JSON_STR, offsetof(struct boot_fault, text), JSON_MUST | JSON_TEXT, 0, 16384,
         NULL},
        {"fatal", JSON_BOOL, offsetof(struct boot_fault, fatal), JSON_MUST, 0, 0, NULL},
        {0},
};

static enum err read_faults(struct answering *a, json_t *faults, struct why *w)
{
	struct boot *b = &a->boot;
	size_t i;
	enum err e = OK;

	for (i = 0; e == OK && i < json_array_size(faults); i++) {
		struct boot_fault in = {0}, *f;
		char place[48];

		snprintf(place, sizeof(place), "boot.faults[%zu]", i);
		e = json_decode(json_array_get(faults, i), place, fault_fields, &in, w);
		if (e != OK)
			break;
		f = pool_push(a->p, (void **)&b->fault, &b->faults, sizeof(*f));
		*f = in;
		f->kind = pool_str(a->p, in.kind);
		f->function = pool_str(a->p, in.function);
		f->text = pool_str(a->p, in.text);
	}
	return e;
}

/* Nothing is lost: what cannot be read is kept as it came. */
static enum err keep_raw(struct answering *a, const char *text, struct why *w)
{
	struct buf b;
	enum err e;

	buf_init(&b, strlen(text) + 4096);
	e = zst_pack(text, strlen(text), 3, &b, w);
	if (e == OK) {
		a->boot.raw = pool_copy(a->p, b.data, b.len);
		a->boot.raw_len = b.len;
	}
	buf_release(&b);
	return e;
}

static enum err read_runs(struct answering *a, const struct job *j, const char *build_ids,
                          const char *text, struct why *w)
{
	const struct result_want want = {
	        .nonce = j->nonce, .build_ids = build_ids, .metric = j->metric, .plan = j->plan};
	struct boot read = a->boot;
	const char *torn = NULL;
	struct why first;
	enum err e = result_read(a->p, text, strlen(text), &want, &read, NULL, &torn, &first);

	if (e == OK && !torn) {
		a->boot = read;
		return OK;
	}
	if (!torn && e != ERR_UNPROCESSABLE) {
		*w = first;
		return e;
	}
	if (!torn && a->boot.valid)
		return err_set(w, e, "boot.%s", first.text);
	if (a->boot.valid) {
		a->boot.valid = false;
		a->boot.why = torn;
	} else {
		a->boot.why = pool_fmt(a->p, "%s (%s)", a->boot.why ? a->boot.why : "invalid",
		                       torn ? torn : first.text);
	}
	return keep_raw(a, text, w);
}

static enum err check_identity(const struct boot_in *in, const struct job *j, struct why *w)
{
	if (!in->valid)
		return OK;
	if (!in->result)
		return err_set(w, ERR_UNPROCESSABLE, "boot.result: missing in a valid boot");
	if (in->nonce && !str_eq(in->nonce, j->nonce))
		return err_set(w, ERR_UNPROCESSABLE, "boot.nonce: expected \"%s\", got \"%s\"",
		               j->nonce, in->nonce);
	return OK;
}

static enum err read_boot(struct db *db, struct answering *a, const struct job *j, json_t *o,
                          struct why *w)
{
	struct boot_in in = {.reached = -1,
	                     .seconds = NAN,
	                     .console_bytes = NONE,
	                     .taint_before = NONE,
	                     .taint_after = NONE};
	struct boot *b = &a->boot;
	struct kernel k;
	char hex[SHA256_HEX];
	enum err e = json_decode(o, "boot", boot_fields, &in, w);

	if (e == OK && a->failed)
		in.valid = false;
	if (e == OK)
		e = check_identity(&in, j, w);
	if (e == OK)
		e = need_artifact(db, in.console, "boot.console", w);
	if (e == OK)
		e = need_artifact(db, in.profile, "boot.profile", w);
	if (e == OK)
		e = read_faults(a, in.faults, w);
	if (e == OK)
		e = store_kernel_get(db, j->kernel, a->p, &k, w);
	if (e != OK)
		return e;
	b->valid = in.valid;
	b->why = in.valid ? NULL : pool_str(a->p, in.why ? in.why : a->why);
	if (in.valid && b->faults) {
		b->valid = false;
		b->why = pool_fmt(a->p, "fault in the log, line %lld: %s",
		                  (long long)b->fault[0].line, b->fault[0].text);
	}
	if (!b->valid && !b->why)
		return err_set(w, ERR_UNPROCESSABLE, "boot.why: missing in an invalid boot");
	hash_block(j->plan, strlen(j->plan), hex);
	b->plan_sha256 = pool_str(a->p, hex);
	b->reached = in.reached < 0 ? NULL : reached[in.reached];
	b->metric = j->metric;
	b->nonce = pool_str(a->p, in.nonce);
	b->build_id = pool_str(a->p, in.build_id);
	b->boot_uuid = pool_str(a->p, in.boot_id);
	b->seconds = in.seconds;
	b->console = pool_str(a->p, in.console);
	b->profile = pool_str(a->p, in.profile);
	b->console_bytes = in.console_bytes;
	b->taint_before = in.taint_before;
	b->taint_after = in.taint_after;
	b->class = a->class;
	a->has_boot = true;
	if (a->result && in.result) /* an empty string stands in its place */
		in.result = a->result;
	if (in.result && in.result[0])
		e = read_runs(a, j, k.build_ids, in.result, w);
	else if (in.valid)
		e = err_set(w, ERR_UNPROCESSABLE, "boot.result: empty in a valid boot");
	if (e == OK)
		result_env(a->p, in.env, b);
	return e;
}

/* ---- walk */

static enum err read_walk(struct db *db, struct answering *a, json_t *o, struct why *w)
{
	enum err e = store_walk_of_job(db, a->job, a->p, &a->walk, w);

	return e == OK ? walk_read(a->p, o, &a->walk, w) : e;
}

/* ---- the whole */

static enum err read_answer(struct db *db, struct answering *a, const struct job *j, json_t *body,
                            struct why *w)
{
	struct answer_in in = {.class = -1};
	json_t *own;
	enum err e = json_decode(body, "", answer_fields, &in, w);

	if (e != OK)
		return e;
	a->attempt = in.attempt;
	a->failed = in.state == END_FAILED;
	if (a->failed && (in.class < 0 || !in.why))
		return err_set(w, ERR_INPUT, "%s: missing in a failed job",
		               in.class < 0 ? "class" : "why");
	if (!a->failed && (in.class >= 0 || in.why))
		return err_set(w, ERR_INPUT, "%s: a job that is done has none",
		               in.class >= 0 ? "class" : "why");
	if (a->failed) {
		a->class = classes[in.class];
		a->why = pool_str(a->p, in.why);
	}
	own = str_eq(j->kind, "resolve") ? in.resolve
	      : str_eq(j->kind, "build") ? in.build
	      : str_eq(j->kind, "walk")  ? in.walk
	                                 : in.boot;
	if ((in.resolve && in.resolve != own) || (in.build && in.build != own) ||
	    (in.boot && in.boot != own) || (in.walk && in.walk != own))
		return err_set(w, ERR_INPUT, "job %lld is a %s job: another kind's object came",
		               (long long)j->id, j->kind);
	if (!own)
		return a->failed ? OK
		                 : err_set(w, ERR_INPUT, "%s: missing in a job that is done",
		                           j->kind);
	if (str_eq(j->kind, "boot"))
		return read_boot(db, a, j, own, w);
	if (a->failed) /* half a build is of no use */
		return OK;
	if (str_eq(j->kind, "walk"))
		return read_walk(db, a, own, w);
	return str_eq(j->kind, "resolve") ? read_resolve(db, a, own, w) : read_build(db, a, own, w);
}

static enum err fence(const struct job *j, int64_t attempt, struct why *w)
{
	if (j->attempt != attempt)
		return err_set(w, ERR_CONFLICT,
		               "attempt %lld of job %lld is over: it is at attempt %lld",
		               (long long)attempt, (long long)j->id, (long long)j->attempt);
	if (!str_eq(j->state, "leased") && !str_eq(j->state, "cancelled"))
		return err_set(w, ERR_CONFLICT, "job %lld is %s: attempt %lld holds no lease",
		               (long long)j->id, j->state, (long long)attempt);
	return OK;
}

static enum err store_boot(struct db *db, struct answering *a, const struct job *j, int64_t *id,
                           struct why *w)
{
	struct board board = {0};
	struct boot *b = &a->boot;
	enum err e = store_board_get(db, j->board, a->p, &board, w);

	b->job = j->id;
	b->attempt = j->attempt;
	b->submission = j->submission;
	b->kernel = j->kernel;
	b->board = j->board;
	b->board_identity = board.identity;
	b->purpose = j->purpose;
	b->baseline = j->baseline;
	b->memory_bytes = j->memory_bytes;
	b->phase = j->phase;
	b->phase_pages = j->phase_pages;
	b->replicate = j->replicate;
	b->created_ms = a->now_ms;
	return e == OK ? store_boot_add(db, b, id, w) : e;
}

static enum err follow(struct db *db, struct answering *a, const struct job *j, int64_t boot,
                       struct why *w)
{
	if (str_eq(j->state, "cancelled"))
		return OK;
	if (a->failed)
		return schedule_failed(db, j, a->class, a->why, boot, a->now_ms, w);
	if (str_eq(j->kind, "resolve"))
		return schedule_resolved(db, j, a->commit, a->subject, &a->found, a->now_ms, w);
	if (str_eq(j->kind, "walk"))
		return walk_answered(db, j, &a->walk, a->now_ms, w);
	if (str_eq(j->kind, "build"))
		return schedule_built(db, j, &a->built, a->now_ms, w);
	return schedule_booted(db, j, boot, a->boot.valid, a->now_ms, w);
}

static enum err take(struct db *db, void *arg, struct why *w)
{
	struct answering *a = arg;
	struct job j;
	int64_t boot = NONE;
	enum err e = store_job_answer(db, a->job, a->key, a->p, &a->again, &a->said, w);

	if (e != OK || a->again)
		return e;
	e = store_job_get(db, a->job, a->p, &j, w);
	if (e == OK)
		e = fence(&j, a->attempt, w);
	if (e == OK && a->has_boot)
		e = store_boot(db, a, &j, &boot, w);
	if (e == OK)
		e = follow(db, a, &j, boot, w);
	if (e == OK)
		e = store_job_get(db, a->job, a->p, &j, w);
	if (e != OK)
		return e;
	a->said = (struct job_answer){.content_hash = a->hash, .state = j.state, .boot = boot};
	return store_job_answer_add(db, a->job, a->key, &a->said, w);
}

static enum err same_again(const struct answering *a, struct why *w)
{
	return strcmp(a->said.content_hash, a->hash) == 0
	               ? OK
	               : err_set(w, ERR_CONFLICT,
	                         "Idempotency-Key \"%s\" came with other content before", a->key);
}

static enum err answer(struct http_req *req, struct answering *a, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	json_t *body = NULL;
	struct job j;
	size_t len;
	enum err e = store_job_answer(db, a->job, a->key, a->p, &a->again, &a->said, w);

	if (e != OK || a->again)
		return e == OK ? same_again(a, w) : e;
	if (!req->body_len)
		return err_set(w, ERR_INPUT, "the body is empty: expected JSON");
	e = long_text_parse(req->body, req->body_len, "result", &body, &a->result, &len, w);
	if (e == OK)
		e = store_job_get(db, a->job, a->p, &j, w);
	/* Fenced before its content is looked at, and once more in the write. */
	if (e == OK && json_is_integer(json_object_get(body, "attempt")))
		e = fence(&j, json_int(body, "attempt", 0), w);
	if (e == OK)
		e = read_answer(db, a, &j, body, w);
	json_decref(body);
	free(a->result);
	a->result = NULL;
	if (e == OK)
		e = db_write(req->srv->store, take, a, w);
	return e == OK && a->again ? same_again(a, w) : e;
}

enum err job_result(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct answering a = {
	        .p = p, .job = req->id, .boot = boot_blank(), .now_ms = clock_wall_ms()};
	char hex[SHA256_HEX];
	enum err e = api_key(req, &a.key, w);

	if (e == OK && !a.key)
		e = err_set(w, ERR_INPUT, "the header Idempotency-Key is missing");
	hash_block(req->body ? req->body : "", req->body_len, hex);
	a.hash = hex;
	if (e == OK)
		e = answer(req, &a, w);
	if (e == OK) {
		if (!a.again) {
			log_info("job.result", "job", log_i(a.job), "attempt", log_i(a.attempt),
			         "state", a.said.state, "class", log_s(a.class), NULL);
			work_poke(req->srv);
		}
		r->json = json_object();
		json_put_int(r->json, "job", a.job);
		json_put_str(r->json, "state", a.said.state);
		show_int(r->json, "boot", a.said.boot);
	}
	pool_free(p);
	return e;
}
