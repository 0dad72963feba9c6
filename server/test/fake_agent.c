#include "server/test/fake_agent.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/zst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- walking answers */

const json_t *at(const json_t *o, const char *path)
{
	char *copy = xstrdup(path), *save = NULL, *word;

	for (word = strtok_r(copy, ".", &save); word; word = strtok_r(NULL, ".", &save)) {
		o = json_is_array(o) ? json_array_get(o, (size_t)strtol(word, NULL, 10))
		                     : json_object_get(o, word);
		if (!o)
			fail_msg("%s: there is no %s", path, word);
	}
	free(copy);
	return o;
}

const char *str_at(const json_t *o, const char *path)
{
	return json_string_value(at(o, path));
}

int64_t int_at(const json_t *o, const char *path)
{
	const json_t *x = at(o, path);

	if (!json_is_integer(x))
		fail_msg("%s is no integer", path);
	return json_integer_value(x);
}

double num_at(const json_t *o, const char *path)
{
	const json_t *x = at(o, path);

	if (!json_is_number(x))
		fail_msg("%s is no number", path);
	return json_number_value(x);
}

/* ---- making */

void fake_put(struct fake *f, const void *data, size_t len, char hex[65])
{
	struct reply_raw r;
	char path[128];

	hash_block(data, len, hex);
	snprintf(path, sizeof(path), "/api/v1/artifacts/%s", hex);
	ask(f->d, "PUT", path, f->submit, NULL, data, len, &r);
	assert_true(r.status == 201 || r.status == 200);
	reply_raw_release(&r);
}

static void put_le(unsigned char *at_, uint64_t v, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		at_[i] = (unsigned char)(v >> (8 * i));
}

/* Documentation/arch/arm64/booting.rst's header, a note, a banner. */
/* A GNU build-id of 20 equal bytes. */
static void put_note(unsigned char *at, unsigned char byte)
{
	put_le(at, 4, 4);
	put_le(at + 4, 20, 4);
	put_le(at + 8, 3, 4);
	memcpy(at + 12, "GNU", 4);
	memset(at + 16, byte, 20);
}

void fake_image(struct fake *f, unsigned char id, char hex[65])
{
	unsigned char image[8192] = {0};
	static const char banner[] = "Linux version 6.12.1-test (t@t) #1 SMP\n";

	put_le(image + 16, sizeof(image), 8);
	put_le(image + 24, 2, 8);
	put_le(image + 56, 0x644d5241, 4);
	put_note(image + 1024, 0xdd);
	put_note(image + 2048, id);
	memcpy(image + 4096, banner, sizeof(banner));
	fake_put(f, image, sizeof(image), hex);
}

struct fake *fake_new(struct daemon *d)
{
	struct fake *f = xcalloc(1, sizeof(*f));
	static const char console[] = "[    0.000000] Linux version 6.12.1\n\xff odd byte\n";
	struct buf b;

	f->d = d;
	f->submit = daemon_token(d, "submit", NULL);
	f->agent = daemon_token(d, "agent", NULL);
	buf_init(&b, 4096);
	assert_int_equal(zst_pack(console, sizeof(console) - 1, 3, &b, NULL), OK);
	fake_put(f, b.data, b.len, f->console);
	buf_release(&b);
	return f;
}

int fake_setup(void **state)
{
	char cwd[4096], *conf;
	struct daemon *d;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	conf = xasprintf("lease_s = 5\nkernel_dir = %s/kernel\n", cwd);
	d = daemon_new(conf);
	free(conf);
	daemon_start(d);
	*state = fake_new(d);
	return 0;
}

int fake_teardown(void **state)
{
	struct fake *f = *state;
	struct daemon *d = f->d;

	fake_free(f);
	daemon_stop(d);
	daemon_free(d);
	return 0;
}

void fake_free(struct fake *f)
{
	free(f->submit);
	free(f->agent);
	free(f);
}

void fake_announce(struct fake *f, bool two)
{
	static const char det[] =
	        "{\"name\":\"det\",\"kind\":\"qemu\",\"profile\":\"deterministic\",\"labels\":["
	        "\"virtual\"],\"metric\":\"instructions\",\"deterministic\":true,\"emulated\":true,"
	        "\"untrusted\":true,\"capabilities\":{},\"description\":\"qemu 7.2, icount\"}";
	static const char hw[] =
	        ",{\"name\":\"hw\",\"kind\":\"qemu\",\"profile\":\"fast\",\"labels\":[\"fast\"],"
	        "\"metric\":\"ns\",\"deterministic\":false,\"emulated\":false,\"untrusted\":true,"
	        "\"capabilities\":{},\"description\":\"a fast one\"}";
	char *text = xasprintf(
	        "{\"version\":\"1\",\"builds\":true,\"bench\":\"beef\",\"toolchains\":[{\"name\":"
	        "\"gcc\",\"compiler\":\"gcc "
	        "12\"}],\"trees\":[\"https:\",\"file:\"],\"boards\":[%s%s]}",
	        det, two ? hw : "");
	json_t *o = NULL;

	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/agents/a", f->agent, text, &o), 200);
	assert_string_equal(str_at(o, "name"), "a");
	json_decref(o);
	free(text);
}

int64_t fake_submit(struct fake *f, const char *body)
{
	json_t *o = NULL;
	int64_t id;
	int status = ask_json(f->d, "POST", "/api/v1/submissions", f->submit, body, &o);

	if (status != 201)
		fail_msg(
		        "submission: %d %s", status,
		        json_string_value(json_object_get(json_object_get(o, "error"), "message")));
	id = int_at(o, "id");
	json_decref(o);
	return id;
}

/* ---- working */

json_t *fake_claim(struct fake *f, const char *kinds, const char *boards)
{
	char *text = xasprintf("{\"agent\":\"a\",\"kinds\":%s,\"boards\":%s}", kinds, boards);
	json_t *o = NULL;
	int status = ask_json(f->d, "POST", "/api/v1/jobs/claim", f->agent, text, &o);

	free(text);
	if (status == 204)
		return NULL;
	if (status != 200)
		fail_msg(
		        "claim: %d %s", status,
		        json_string_value(json_object_get(json_object_get(o, "error"), "message")));
	return o;
}

int fake_post(struct fake *f, int64_t job, const char *key, const json_t *body, json_t **out)
{
	char *text = json_text(body), path[64], headers[200];
	struct reply_raw r;
	int status;

	snprintf(path, sizeof(path), "/api/v1/jobs/%lld/result", (long long)job);
	snprintf(headers, sizeof(headers), "Idempotency-Key: %s\r\n", key);
	status = ask(f->d, "POST", path, f->agent, headers, text, strlen(text), &r);
	if (out)
		*out = json_loads(r.body ? r.body : "", 0, NULL);
	reply_raw_release(&r);
	free(text);
	return status;
}

static json_t *build_body(struct fake *f, const char *name, int64_t layout)
{
	char hash[65], id[41], image[65];
	json_t *o = json_object(), *tool = json_object();

	const char *code = str_eq(f->twin, name) ? f->twin_of : f->binary ? f->binary(name) : name;
	char *linked = layout ? xasprintf("%s %d", code, (int)layout) : xstrdup(code);

	hash_block(linked, strlen(linked), hash);
	free(linked);
	fake_image(f, (unsigned char)strtol((char[]){hash[0], hash[1], 0}, NULL, 16), image);
	snprintf(id, sizeof(id), "%.40s", hash);
	json_put_str(o, "image", image);
	json_put_str(o, "config", f->console);
	json_put_str(o, "vmlinux", f->vmlinux);
	json_put_int(o, "image_bytes", 8192);
	json_put_str(o, "build_id", id);
	json_put_str(o, "section_hash", hash);
	json_put_str(o, "config_hash", hash);
	json_put_str(tool, "name", "gcc");
	json_put_str(tool, "compiler", "gcc 12");
	json_put_str(tool, "linker", "ld 2.40");
	json_put(o, "toolchain", tool);
	json_put_str(o, "release", "6.12.1");
	json_put_int(o, "objects", 2140);
	json_put_int(o, "layout", layout);
	json_put_int(o, "gaps", layout ? 499 : 0);
	json_put_int(o, "gap_bytes", layout ? 60000 + layout : 0);
	json_put_real(o, "seconds", 12.5);
	json_put_bool(o, "trusted", false);
	json_put_str(o, "sandbox", "bubblewrap");
	return o;
}

static json_t *boot_body(struct fake *f, const json_t *spec, json_t *body)
{
	json_t *o = json_object(), *env = json_object(), *faults = json_array();
	const char *name = json_str(spec, "name", "");
	bool bad = (f->bad_kernel && f->bad_boots && strcmp(f->bad_kernel, name) == 0) ||
	           (f->bad && f->bad(name) &&
	            (!f->bad_metric || str_eq(f->bad_metric, json_str(spec, "metric", ""))));
	bool differs = f->drift && json_int(spec, "replicate", 0);
	char *text;

	if (bad && f->bad_kernel && f->bad_boots > 0)
		f->bad_boots--;
	json_put_str(o, "reached", bad && f->bad_class && !f->faults ? "armed" : "measured");
	json_put_str(o, "nonce", json_str(spec, "nonce", ""));
	json_put_str(o, "boot_id", "x");
	json_put_real(o, "seconds", 2.5);
	json_put_str(o, "console", bad && f->faults ? f->fault_console : f->console);
	json_put_int(o, "console_bytes", 50);
	json_put_str(o, "profile",
	             !json_str(spec, "vmlinux", NULL) ? NULL
	             : f->profiled                    ? f->profiled(name)
	                                              : f->profile);
	json_put_str(env, "qemu", f->qemu ? f->qemu : "7.2");
	if (f->no_disk && json_is_true(json_object_get(spec, "files")))
		json_put_str(env, "no_disk", f->no_disk);
	json_put(o, "env", env);
	json_put_bool(o, "valid", !bad);
	if (bad) {
		json_t *fault = json_object();

		json_put_int(fault, "line", 7);
		json_put_str(fault, "kind", "bad-page");
		json_put_str(fault, "function", NULL);
		json_put_str(fault, "text", "BUG: Bad page state in process init");
		json_put_bool(fault, "fatal", false);
		json_put_str(o, "why", "BUG: Bad page state in process init");
		if (f->faults)
			json_array_extend(faults, (json_t *)f->faults);
		else if (!f->bad_class || strcmp(f->bad_class, "kernel") == 0)
			json_array_append(faults, fault);
		json_decref(fault);
	}
	json_put(o, "faults", faults);
	if (bad && f->bad_class) {
		text = f->faults ? fake_result(f, spec, 0) : NULL;
		json_put_str(o, "result", text);
		free(text);
		json_put_str(body, "class", f->bad_class);
		json_put_str(body, "why", "it did not come up");
		json_put_str(body, "state", "failed");
	} else {
		text = fake_result(f, spec, differs ? 1 : 0);
		json_put_str(o, "result", text);
		free(text);
	}
	return o;
}

/* What a resolve of a series finds: f->patches commits. */
static void put_patches(struct fake *f, const json_t *series, json_t *o)
{
	json_t *list = json_array();
	char text[64], hex[65];

	for (int i = 1; i <= f->patches; i++) {
		json_t *x = json_object();

		snprintf(text, sizeof(text), "mm: patch %d", i);
		json_put_str(x, "subject", text);
		json_put_str(x, "author", "A <a@example.org>");
		snprintf(text, sizeof(text), "commit %d of v%d", i, f->version);
		hash_block(text, strlen(text), hex);
		hex[40] = '\0';
		json_put_str(x, "commit", hex);
		snprintf(text, sizeof(text), "content %d of v%d", i,
		         f->changed && i >= f->changed ? f->version : 0);
		hash_block(text, strlen(text), hex);
		hex[40] = '\0';
		json_put_str(x, "source", hex);
		json_put_str(x, "patch_id", i == 2 ? NULL : hex);
		if (f->persons)
			json_put(x, "persons", json_loads(f->persons, 0, NULL));
		json_array_append_new(list, x);
	}
	json_put(o, "patches", list);
	if (!json_str(series, "bundle", NULL)) {
		fake_put(f, "made", 4, hex);
		json_put_str(o, "bundle", hex);
	}
}

json_t *fake_do(struct fake *f, const json_t *lease)
{
	const char *kind = str_at(lease, "kind");
	const json_t *spec = at(lease, "spec");
	json_t *body = json_object(), *out = NULL;
	char key[64], commit[65];
	int status;

	json_put_int(body, "attempt", int_at(lease, "attempt"));
	json_put_str(body, "state", "done");
	if (strcmp(kind, "resolve") == 0) {
		json_t *o = json_object();

		const char *of = json_str(spec, "base_of", NULL), *ref = str_at(spec, "ref");
		char *name = of ? xasprintf("base of %s and %s", of, ref) : xstrdup(ref);

		if (hex_is(name, 40))
			snprintf(commit, sizeof(commit), "%s", name);
		else
			hash_block(name, strlen(name), commit);
		free(name);
		commit[40] = '\0';
		json_put_str(o, "commit", commit);
		json_put_str(o, "subject", "a commit");
		json_put_int(o, "author_time", 1700000000);
		json_put_int(o, "bytes_fetched", 10);
		if (json_object_get(spec, "series") && f->patches)
			put_patches(f, json_object_get(spec, "series"), o);
		json_put(body, kind, o);
		if (str_eq(f->lost, str_at(spec, "ref"))) {
			json_object_del(body, kind);
			json_put_str(body, "state", "failed");
			json_put_str(body, "class", "build");
			json_put_str(body, "why", "the tree has no such commit");
		}
		if ((json_object_get(spec, "series") && f->resolve_fails) ||
		    (of && f->base_fails)) {
			json_object_del(body, kind);
			json_put_str(body, "state", "failed");
			json_put_str(body, "class", "build");
			json_put_str(body, "why", of ? f->base_fails : f->resolve_fails);
		}
	} else if (strcmp(kind, "walk") == 0) {
		json_t *o = f->walk(f, spec);

		if (o) {
			json_put(body, kind, o);
		} else {
			json_put_str(body, "state", "failed");
			json_put_str(body, "class", f->walk_class ? f->walk_class : "build");
			json_put_str(body, "why", f->walk_fails);
		}
	} else if (strcmp(kind, "build") == 0) {
		if (f->build_fails && strcmp(f->build_fails, str_at(spec, "name")) == 0) {
			json_put_str(body, "state", "failed");
			json_put_str(body, "class", "build");
			json_put_str(body, "why", "mm/memory.c:1: error: expected ';'");
		} else {
			json_put(body, kind,
			         build_body(f, str_at(spec, "name"), json_int(spec, "layout", 0)));
		}
	} else {
		json_put(body, kind, boot_body(f, spec, body));
	}
	snprintf(key, sizeof(key), "%lld.%lld", (long long)int_at(lease, "id"),
	         (long long)int_at(lease, "attempt"));
	status = fake_post(f, int_at(lease, "id"), key, body, &out);
	if (status != 200)
		fail_msg("result of a %s job: %d %s", kind, status,
		         json_string_value(
		                 json_object_get(json_object_get(out, "error"), "message")));
	json_decref(body);
	return out;
}

#define KINDS      "[\"resolve\",\"build\",\"boot\"]"
#define WITH_WALKS "[\"resolve\",\"build\",\"boot\",\"walk\"]"

int fake_work(struct fake *f)
{
	json_t *lease, *boards, *list;
	int n = 0;

	for (;; n++) {
		json_t *o = fake_get(f, "/api/v1/agents");
		char *names;

		boards = json_object_get(json_array_get(json_object_get(o, "agents"), 0), "boards");
		names = json_text(boards);
		lease = fake_claim(f, f->walk ? WITH_WALKS : KINDS, names);
		free(names);
		json_decref(o);
		if (!lease)
			break;
		list = fake_do(f, lease);
		json_decref(list);
		json_decref(lease);
	}
	f->claimed += n;
	return n;
}

json_t *fake_get(struct fake *f, const char *path)
{
	json_t *o = NULL;
	int status = ask_json(f->d, "GET", path, NULL, NULL, &o);

	if (status != 200)
		fail_msg(
		        "GET %s: %d %s", path, status,
		        json_string_value(json_object_get(json_object_get(o, "error"), "message")));
	return o;
}

json_t *fake_comparison(struct fake *f, int64_t sub)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/comparisons/%lld", (long long)sub);
	return fake_get(f, path);
}

bool fake_noted(const json_t *comparison, const char *words)
{
	json_t *note;
	size_t i;

	json_array_foreach (at(comparison, "notes"), i, note) {
		if (strstr(json_string_value(note), words))
			return true;
	}
	return false;
}

json_t *fake_await(struct fake *f, int64_t sub, const char *state)
{
	int64_t until = clock_mono_ns() + 10 * NS_PER_S;
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	for (;;) {
		json_t *o = fake_get(f, path);

		if (strcmp(str_at(o, "state"), state) == 0)
			return o;
		if (clock_mono_ns() > until)
			fail_msg("submission %lld is %s, not %s: %s", (long long)sub,
			         str_at(o, "state"), state, str_at(o, "why"));
		json_decref(o);
		sleep_ms(10);
	}
}
