/* api_import.c - what foldbench printed on a machine without an agent. */
#include "server/api_util.h"
#include "server/result.h"
#include "server/schedule.h"
#include "server/submit.h"
#include "server/verdict.h"

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/scan.h"
#include "lib/zst.h"

#include "server/store_artifact.h"

#include <string.h>

#define BOARD "self-reported"

struct import_in {
	const char *title, *kernel, *result, *dmesg;
	int64_t submission;
};

static const struct json_field import_fields[] = {
        {"title", JSON_STR, offsetof(struct import_in, title), JSON_NULLOK, 1, 200, NULL},
        {"kernel", JSON_STR, offsetof(struct import_in, kernel), JSON_MUST, 1, 64, NULL},
        {"submission", JSON_INT, offsetof(struct import_in, submission), JSON_NULLOK, 1, INT64_MAX,
         NULL},
        {"result", JSON_STR, offsetof(struct import_in, result), JSON_MUST | JSON_TEXT, 1,
         256 << 20, NULL},
        {"dmesg", JSON_STR, offsetof(struct import_in, dmesg), JSON_NULLOK | JSON_TEXT, 0,
         256 << 20, NULL},
        {0},
};

struct importing {
	struct pool *p;
	struct import_in in;
	struct boot boot;
	struct result_head head;
	const char *submitter, *key;
	int64_t now_ms;
	/* out */
	int64_t sub, id;
};

/* A torn text still has to say what kernel it is from. */
static enum err need_begin(const char *text, struct importing *x, struct why *w)
{
	json_t *o = NULL;
	bool begins = json_parse(text, strcspn(text, "\n"), 1 << 20, &o, NULL) == OK &&
	              str_eq(json_str(o, "type", NULL), "begin");

	if (begins && !x->boot.build_id)
		x->boot.build_id = pool_str(x->p, json_str(o, "build_id", NULL));
	if (begins && !x->boot.metric)
		x->boot.metric = pool_str(x->p, json_str(o, "metric", NULL));
	json_decref(o);
	return begins ? OK
	              : err_set(w, ERR_UNPROCESSABLE,
	                        "result:1: expected foldbench's begin line: this is no result");
}

static enum err read_result(struct importing *x, struct why *w)
{
	const struct result_want want = {0};
	const char *text = x->in.result, *torn = NULL;
	struct buf b;
	enum err e = result_read(x->p, text, strlen(text), &want, &x->boot, &x->head, &torn, w);

	x->boot.valid = true;
	if (e == OK)
		e = need_begin(text, x, w);
	if (e != OK || !torn)
		return e;
	x->boot.valid = false;
	x->boot.why = torn;
	buf_init(&b, strlen(text) + 4096);
	e = zst_pack(text, strlen(text), 3, &b, w);
	if (e == OK) {
		x->boot.raw = pool_copy(x->p, b.data, b.len);
		x->boot.raw_len = b.len;
	}
	buf_release(&b);
	return e;
}

static void read_faults(struct importing *x)
{
	struct scan *s = scan_new(SCAN_BANNER_OK);
	struct boot *b = &x->boot;
	size_t i;

	scan_feed(s, x->in.dmesg, strlen(x->in.dmesg));
	scan_end(s);
	for (i = 0; i < scan_count(s); i++) {
		const struct fault *from = scan_fault(s, i);
		struct boot_fault *f = pool_push(x->p, (void **)&b->fault, &b->faults, sizeof(*f));

		f->line = (int64_t)from->line;
		f->kind = from->kind;
		f->function = pool_str(x->p, from->function);
		f->text = pool_str(x->p, from->text);
		f->fatal = from->fatal;
	}
	scan_free(s);
	if (b->faults && b->valid) {
		b->valid = false;
		b->why = pool_fmt(x->p, "fault in the log, line %lld: %s",
		                  (long long)b->fault[0].line, b->fault[0].text);
	}
}

static enum err keep_console(struct http_req *req, struct importing *x, struct why *w)
{
	char hex[SHA256_HEX];
	struct buf b;
	size_t len = strlen(x->in.dmesg);
	enum err e;

	buf_init(&b, len + 4096);
	e = zst_pack(x->in.dmesg, len, 3, &b, w);
	if (e == OK)
		e = artifact_keep(req->srv->store, req->srv->conf.dir, b.data, b.len, hex, w);
	if (e == OK) {
		x->boot.console = pool_str(x->p, hex);
		x->boot.console_bytes = (int64_t)len;
	}
	buf_release(&b);
	return e;
}

/* ---- storing */

static enum err new_submission(struct db *db, struct importing *x, struct why *w)
{
	const struct run_row *first = x->boot.runs.count ? x->boot.runs.at : NULL;
	struct sub s = {.submitter = x->submitter,
	                .content_hash = x->boot.content_hash,
	                .title = x->in.title ? x->in.title : x->in.kernel,
	                .threshold = NAN,
	                .reuse = false,
	                .boots = 1,
	                .runs = 1,
	                .layouts = 1,
	                .iterations = first ? first->count - first->warmup : 1,
	                .warmup = first ? first->warmup : 0,
	                .plan = "# foldbench plan 1\n",
	                .imported = true,
	                .state = "done",
	                .planned = true,
	                .created_ms = x->now_ms,
	                .ended_ms = x->now_ms,
	                .part_of = NONE};

	return store_sub_add(db, &s, &x->sub, w);
}

static enum err old_submission(struct db *db, struct importing *x, struct why *w)
{
	struct sub s;
	enum err e = store_sub_get(db, x->in.submission, x->p, &s, w);

	if (e == OK && !s.imported)
		e = err_set(w, ERR_UNPROCESSABLE,
		            "submission: %lld is none of imports: self-reported numbers are kept"
		            " apart",
		            (long long)s.id);
	if (e == OK && !str_eq(s.submitter, x->submitter))
		e = err_set(w, ERR_DENIED, "submission: %lld is another submitter's",
		            (long long)s.id);
	x->sub = x->in.submission;
	return e;
}

static enum err add_kernel(struct db *db, struct importing *x, int64_t pos, struct why *w)
{
	struct kernel k = {.state = "ready",
	                   .build_id = x->boot.build_id,
	                   .build_ids = x->boot.build_id,
	                   .release = x->head.release,
	                   .image_bytes = NONE,
	                   .objects = NONE,
	                   .seconds = NAN,
	                   .imported = true,
	                   .created_ms = x->now_ms};
	struct sub_kernel sk = {
	        .pos = pos, .name = x->in.kernel, .state = "ready", .validates = NONE};
	char domain[17];
	enum err e;

	schedule_domain(x->submitter, NULL, domain);
	k.domain = domain;
	/* Never shared: what somebody says they booted is theirs alone. */
	k.key = pool_fmt(x->p, "import %lld %lld", (long long)x->sub, (long long)pos);
	e = store_kernel_add(db, &k, &x->boot.kernel, w);
	sk.kernel_id = x->boot.kernel;
	return e == OK ? store_sub_kernel_add(db, x->sub, &sk, w) : e;
}

static enum err find_kernel(struct db *db, struct importing *x, struct why *w)
{
	struct sub_kernels list = {0};
	size_t i;
	enum err e = store_sub_kernels(db, x->sub, x->p, &list, w);

	for (i = 0; e == OK && i < list.count; i++) {
		if (!str_eq(list.at[i].name, x->in.kernel))
			continue;
		if (list.at[i].build_id && x->boot.build_id &&
		    !str_eq(list.at[i].build_id, x->boot.build_id))
			return err_set(w, ERR_UNPROCESSABLE,
			               "kernel: \"%s\" has build-id %s there, this result's is %s",
			               x->in.kernel, list.at[i].build_id, x->boot.build_id);
		x->boot.kernel = list.at[i].kernel_id;
		x->boot.baseline = i == 0;
		return OK;
	}
	x->boot.baseline = list.count == 0;
	return e == OK ? add_kernel(db, x, (int64_t)list.count, w) : e;
}

static enum err count_boots(struct db *db, struct importing *x, struct why *w)
{
	struct boot_list boots = {0};
	size_t i;
	enum err e = store_boot_of_sub(db, x->sub, x->p, &boots, w);

	x->boot.phase = 0;
	for (i = 0; e == OK && i < boots.count; i++)
		x->boot.phase += boots.at[i].kernel == x->boot.kernel;
	return e;
}

static enum err store(struct db *db, void *arg, struct why *w)
{
	struct importing *x = arg;
	int64_t case_id;
	size_t i;
	enum err e = x->in.submission ? old_submission(db, x, w) : new_submission(db, x, w);

	if (e == OK)
		e = find_kernel(db, x, w);
	for (i = 0; e == OK && i < x->boot.runs.count; i++) {
		e = store_case_id(db, x->boot.runs.at[i].case_text, &case_id, w);
		if (e == OK)
			e = store_sub_case_add(db, x->sub, case_id, w);
	}
	if (e == OK)
		e = count_boots(db, x, w);
	x->boot.submission = x->sub;
	if (e == OK)
		e = store_boot_add(db, &x->boot, &x->id, w);
	return e == OK ? store_boot_link(db, x->sub, x->id, false, w) : e;
}

/* ---- the handler */

static enum err repeated(struct http_req *req, struct importing *x, struct why *w)
{
	const char *hash = NULL;
	enum err e;

	x->id = NONE;
	if (!x->key)
		return OK;
	e = store_boot_by_key(db_reader(req->srv->store), x->boot.idem_key, x->p, &x->id, &hash, w);
	if (e == OK && x->id != NONE && !str_eq(hash, x->boot.content_hash))
		e = err_set(w, ERR_CONFLICT,
		            "Idempotency-Key \"%s\" came with other content before", x->key);
	return e;
}

static enum err read_import(struct http_req *req, struct importing *x, struct why *w)
{
	enum err e;

	if (!kernel_name_is_good(x->in.kernel))
		return err_set(w, ERR_INPUT, "kernel: expected 1 to 64 of A-Z a-z 0-9 . _ + -");
	e = read_result(x, w);
	if (e == OK && x->in.dmesg && x->in.dmesg[0]) {
		read_faults(x);
		e = keep_console(req, x, w);
	}
	if (e == OK)
		result_env(x->p, NULL, &x->boot);
	return e;
}

static enum err answer(struct http_req *req, struct importing *x, struct http_resp *r,
                       struct why *w)
{
	struct boot b;
	enum err e = store_boot_get(db_reader(req->srv->store), x->id, x->p, &b, w);

	if (e != OK)
		return e;
	r->json = json_object();
	json_put_int(r->json, "submission", b.submission);
	json_put_int(r->json, "boot", b.id);
	json_put_bool(r->json, "valid", b.valid);
	json_put_str(r->json, "why", b.why);
	return OK;
}

enum err import_make(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct importing x = {
	        .p = p, .boot = boot_blank(), .submitter = api_who(req), .now_ms = clock_wall_ms()};
	char hex[SHA256_HEX], plan[SHA256_HEX];
	json_t *body = NULL;
	enum err e = api_key(req, &x.key, w);

	hash_block(req->body ? req->body : "", req->body_len, hex);
	hash_block("", 0, plan);
	x.boot.content_hash = hex;
	x.boot.idem_key = x.key ? pool_fmt(p, "%s/%s", x.submitter, x.key) : NULL;
	x.boot.board = x.boot.board_identity = BOARD;
	x.boot.plan_sha256 = plan;
	x.boot.imported = true;
	x.boot.created_ms = x.now_ms;
	if (e == OK)
		e = repeated(req, &x, w);
	if (e == OK && x.id == NONE) {
		e = http_json(req, &body, w);
		if (e == OK)
			e = json_decode(body, "", import_fields, &x.in, w);
		if (e == OK)
			e = read_import(req, &x, w);
		if (e == OK)
			e = db_write(req->srv->store, store, &x, w);
		if (e == OK) {
			log_info("import.made", "submission", log_i(x.sub), "by", x.submitter,
			         NULL);
			r->status = 201;
			e = verdict_update(req->srv, x.sub, w);
		}
	}
	if (e == OK)
		e = answer(req, &x, r, w);
	json_decref(body);
	pool_free(p);
	return e;
}
