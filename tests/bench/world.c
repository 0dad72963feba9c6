/* world.c - a server in a directory of its own, agents, submissions, answers. */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_NS (30 * NS_PER_S)

static char *read_line(const char *dir, const char *name)
{
	char *path = path_join(dir, name), *out = NULL;
	struct buf b;

	buf_init(&b, 4096);
	if (file_read(path, &b, NULL) == OK && b.len)
		out = xstrndup(b.data, strcspn(b.data, "\r\n"));
	buf_release(&b);
	free(path);
	return out;
}

static void write_text(const char *dir, const char *name, const char *text)
{
	char *path = path_join(dir, name);
	struct why w;

	if (file_write(path, text, strlen(text), 0600, &w) != OK)
		die("%s", w.text);
	free(path);
}

static void launch(struct world *w, struct proc *p, const char *program)
{
	char *path = path_join(settings.programs, program);
	char *conf = xasprintf("%s/%s.conf", w->dir, program);
	char *log = xasprintf("%s/%s.log", w->dir, program);
	const char *argv[] = {path, "-c", conf, NULL};
	struct why why;

	proc_init(p, 4096, 4096);
	if (proc_start(p, &(struct proc_spec){.argv = argv, .out_path = log}, &why) != OK)
		die("%s", why.text);
	free(path);
	free(conf);
	free(log);
}

/* ---- asking */

static json_t *ask(struct client *c, const char *method, const char *path, json_t *body)
{
	struct reply r;
	struct why w;
	json_t *out;

	if (client_json(c, method, path, body, NULL, &r, &w) != OK)
		die("%s %s: %s", method, path, w.text);
	out = json_incref(r.json);
	reply_release(&r);
	json_decref(body);
	return out;
}

static char *token(struct client *admin, const char *role, const char *label)
{
	json_t *body = json_object(), *o;
	char *out;

	json_put_str(body, "label", label);
	json_put_str(body, "role", role);
	o = ask(admin, "POST", "/api/v1/tokens", body);
	out = xstrdup(json_str(o, "token", ""));
	json_decref(o);
	return out;
}

static void put_le(unsigned char *at, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (unsigned char)(v >> (8 * i));
}

void world_artifact(struct client *c, const void *data, size_t len, char hex[65])
{
	char path[128];
	struct reply r;
	struct why why;

	hash_block(data, len, hex);
	snprintf(path, sizeof(path), "/api/v1/artifacts/%s", hex);
	if (client_bytes(c, "PUT", path, NULL, data, len, NULL, NULL, &r, &why))
		die("PUT of an artifact: %s", why.text);
	reply_release(&r);
}

/* An Image with booting.rst's header and a build-id, whose code loops on
 * itself: enough for a server, and for a board that waits for its deadline. */
static void put_image(struct world *w, size_t n, char hex[65])
{
	static const char banner[] = "Linux version 6.12.0-bench (b@b) #1 SMP\n";
	unsigned char image[8192] = {0};

	put_le(image, 0x14000000, 4); /* b . */
	put_le(image + 16, sizeof(image), 8);
	put_le(image + 24, 2, 8);
	put_le(image + 56, 0x644d5241, 4);
	put_le(image + 1024, 4, 4);
	put_le(image + 1028, 20, 4);
	put_le(image + 1032, 3, 4);
	memcpy(image + 1036, "GNU", 4);
	memset(image + 1040, 1, 20);
	put_le(image + 1040, n + 1, 8);
	memcpy(image + 4096, banner, sizeof(banner));
	world_artifact(w->submit, image, sizeof(image), hex);
}

/* ---- the server */

static void bring_up(struct world *w)
{
	int64_t until = clock_mono_ns() + START_NS;

	launch(w, &w->server, "foldwatchd");
	while (!(w->address = read_line(w->dir, "address"))) {
		if (proc_poll(&w->server) || clock_mono_ns() > until)
			die("foldwatchd does not come up: see %s/foldwatchd.log", w->dir);
		sleep_ms(10);
	}
	w->port = (int)strtol(strrchr(w->address, ':') + 1, NULL, 10);
}

struct world *world_start(const char *name)
{
	struct world *w = xcalloc(1, sizeof(*w));
	char *text, *admin_token;
	struct client *admin;
	struct why why;

	w->name = xstrdup(name);
	w->dir = path_join(settings.work, name);
	if (dir_make(w->dir, 0700, &why) != OK)
		die("%s", why.text);
	text = xasprintf("dir = \"%s\"\nlisten = 127.0.0.1:0\nkernel_dir = \"%s/kernel\"\n", w->dir,
	                 settings.share);
	write_text(w->dir, "foldwatchd.conf", text);
	free(text);
	bring_up(w);
	admin_token = read_line(w->dir, "admin.token");
	admin = client_new(w->address, admin_token, "foldwatch-bench");
	w->submit_token = token(admin, "submit", "submit");
	w->agent_token = token(admin, "agent", "agent");
	client_free(admin);
	free(admin_token);
	w->submit = client_new(w->address, w->submit_token, "foldwatch-bench");
	w->worker = world_worker(w);
	for (size_t i = 0; i < KERNELS_MAX; i++)
		put_image(w, i, w->image[i]);
	return w;
}

struct client *world_worker(const struct world *w)
{
	return client_new(w->address, w->agent_token, "foldwatch-bench");
}

struct client *world_submitter(const struct world *w, const char *label)
{
	char *admin_token = read_line(w->dir, "admin.token"), *own;
	struct client *admin = client_new(w->address, admin_token, "foldwatch-bench"), *c;

	own = token(admin, "submit", label);
	c = client_new(w->address, own, "foldwatch-bench");
	client_free(admin);
	free(admin_token);
	free(own);
	return c;
}

static void end(struct proc *p)
{
	if (p->pid) {
		proc_stop(p);
		while (!proc_poll(p))
			sleep_ms(20);
		proc_release(p);
	}
}

void world_pause(struct world *w)
{
	char *path = path_join(w->dir, "address");

	end(&w->server);
	file_remove(path, NULL);
	free(w->address);
	free(path);
	w->address = NULL;
}

void world_resume(struct world *w)
{
	bring_up(w);
}

void world_stop(struct world *w)
{
	if (!w)
		return;
	end(&w->agent);
	client_free(w->submit);
	client_free(w->worker);
	end(&w->server);
	dir_remove(w->dir, NULL);
	free(w->submit_token);
	free(w->agent_token);
	free(w->address);
	free(w->name);
	free(w->dir);
	free(w);
}

char *world_db(const struct world *w)
{
	return path_join(w->dir, "foldwatch.db");
}

void world_quiet(struct world *w)
{
	double before = usage_of(w->server.pid).cpu_s;

	for (int still = 0, turns = 0; still < 3 && turns < 1000; turns++) {
		double now;

		sleep_ms(40);
		now = usage_of(w->server.pid).cpu_s;
		/* Its worker looks once a second. */
		still = now - before < 0.002 ? still + 1 : 0;
		before = now;
	}
}

/* ---- agents and submissions */

void world_boards(struct world *w, size_t n)
{
	for (; w->boards < n; w->boards++) {
		char path[64];
		json_t *body = json_pack(
		        "{s:s, s:b, s:s, s:[], s:[], s:[{s:o, s:s, s:s, s:[s], s:s, s:b, s:b, s:b,"
		        " s:{}, s:s}]}",
		        "version", "bench", "builds", 0, "bench", "beef", "toolchains", "trees",
		        "boards", "name", json_sprintf("b%02zu", w->boards), "kind", "qemu",
		        "profile", "fast", "labels", "bench", "metric", "ns", "deterministic", 0,
		        "emulated", 0, "untrusted", 1, "capabilities", "description",
		        "a board of the bench");

		snprintf(path, sizeof(path), "/api/v1/agents/l%02zu", w->boards);
		json_decref(ask(w->worker, "PUT", path, body));
	}
}

static json_t *cases(void)
{
	static const int orders[] = {0, 2, 3, 4, 5, 9};
	static const char *const sizes[] = {"16M", "32M", "64M", "128M", "256M"};
	static const char *const benchmarks[] = {"fork", "munmap"};
	json_t *list = json_array();

	for (size_t b = 0; b < ARRAY_SIZE(benchmarks); b++)
		for (size_t o = 0; o < ARRAY_SIZE(orders); o++)
			for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
				json_array_append_new(list, json_sprintf("%s/order=%d,size=%s",
				                                         benchmarks[b], orders[o],
				                                         sizes[s]));
	return list;
}

/* Takes both lists. */
static int64_t submit(struct world *w, json_t *kernels, json_t *boards, int64_t boots)
{
	json_t *body = json_object(), *o;
	int64_t id;

	json_put(body, "title", json_sprintf("bench %lld", (long long)++w->submissions));
	json_put(body, "kernels", kernels);
	json_put(body, "boards", boards);
	json_put(body, "cases", cases());
	json_put(body, "plan",
	         json_pack("{s:I, s:i, s:i, s:i}", "boots", (json_int_t)boots, "runs", 1,
	                   "iterations", SAMPLES - 1, "warmup", 1));
	json_put_bool(body, "reuse", false);
	o = ask(w->submit, "POST", "/api/v1/submissions", body);
	id = json_int(o, "id", -1);
	if (id < 0)
		die("a submission was not taken: %s", json_str(o, "error", "no reason"));
	json_decref(o);
	return id;
}

int64_t world_submit(struct world *w, size_t kernels, int64_t boots, size_t first, size_t n)
{
	json_t *list = json_array(), *boards = json_array();

	for (size_t i = 0; i < kernels; i++)
		json_array_append_new(list, json_pack("{s:o, s:s}", "name", json_sprintf("k%zu", i),
		                                      "image", w->image[i]));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(boards, json_sprintf("b%02zu", first + i));
	return submit(w, list, boards, boots);
}

int64_t world_submit_new(struct world *w, const char *name, bool against, int64_t boots,
                         size_t board)
{
	json_t *list = json_array();
	char hex[65];

	put_image(w, KERNELS_MAX + (size_t)w->submissions, hex);
	if (against)
		json_array_append_new(list,
		                      json_pack("{s:s, s:s}", "name", "k0", "image", w->image[0]));
	json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "image", hex));
	return submit(w, list, json_pack("[o]", json_sprintf("b%02zu", board)), boots);
}

void world_await(struct world *w, int64_t submission)
{
	int64_t until = clock_mono_ns() + 120 * NS_PER_S;
	char path[64];
	bool complete = false;

	snprintf(path, sizeof(path), "/api/v1/comparisons/%lld", (long long)submission);
	while (!complete) {
		json_t *o = ask(w->submit, "GET", path, NULL);

		complete = json_flag(o, "complete", false);
		json_decref(o);
		if (clock_mono_ns() > until)
			die("the comparison of submission %lld is not complete",
			    (long long)submission);
		if (!complete)
			sleep_ms(50);
	}
}

/* ---- the real agent */

void world_agent(struct world *w)
{
	int64_t until = clock_mono_ns() + START_NS;
	char *path = path_join(w->dir, "agent.token"), *text;
	bool offered = false;

	write_text(w->dir, "agent.token", w->agent_token);
	text = xasprintf("name = local\nserver = \"%s\"\ntoken_file = \"%s\"\ndir = \"%s/agent\"\n"
	                 "foldbench = \"%s/foldbench-arm64\"\nboot_timeout_s = 60\n"
	                 "[toolchain gcc]\ncross = aarch64-linux-gnu-\n"
	                 "[board qemu-det]\nkind = qemu\nprofile = deterministic\n",
	                 w->address, path, w->dir, settings.programs);
	write_text(w->dir, "foldwatch-agent.conf", text);
	free(text);
	free(path);
	launch(w, &w->agent, "foldwatch-agent");
	while (!offered) {
		struct reply r;

		if (proc_poll(&w->agent) || clock_mono_ns() > until)
			die("foldwatch-agent does not come up: see %s/foldwatch-agent.log", w->dir);
		if (client_json(w->submit, "GET", "/api/v1/boards/qemu-det", NULL, NULL, &r,
		                NULL) == OK)
			offered = json_flag(r.json, "offered", false);
		reply_release(&r);
		sleep_ms(50);
	}
}

int64_t world_boot_image(struct world *w)
{
	json_t *body = json_object(), *o;
	char hex[65];
	int64_t id;

	if (settings.image) {
		struct buf b;
		struct why why;

		buf_init(&b, 256 << 20);
		if (file_read(settings.image, &b, &why) != OK)
			die("%s", why.text);
		world_artifact(w->submit, b.data, b.len, hex);
		buf_release(&b);
	} else {
		memcpy(hex, w->image[0], sizeof(hex));
	}
	json_put_str(body, "title", "one boot");
	json_put(body, "kernels", json_pack("[{s:s, s:s}]", "name", "k", "image", hex));
	json_put(body, "boards", json_pack("[s]", "qemu-det"));
	json_put(body, "cases", cases());
	json_put_bool(body, "reuse", false);
	o = ask(w->submit, "POST", "/api/v1/submissions", body);
	id = json_int(o, "id", -1);
	json_decref(o);
	return id;
}

bool world_booted(struct world *w, int64_t submission)
{
	char path[64];
	json_t *o, *job;
	bool any = false;
	size_t i;

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)submission);
	o = ask(w->submit, "GET", path, NULL);
	json_array_foreach (json_object_get(o, "jobs"), i, job)
		any |= json_int(job, "attempt", 0) > 0;
	json_decref(o);
	return any;
}

void world_cancel(struct world *w, int64_t submission)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld/cancel", (long long)submission);
	json_decref(ask(w->submit, "POST", path, json_object()));
}

void world_rest(struct world *w)
{
	double before = usage_of(w->agent.pid).cpu_s, now;

	world_quiet(w);
	/* A lease that was cancelled is told at its next renewal. */
	for (int turns = 0; turns < 60; turns++, before = now) {
		sleep_ms(2000);
		now = usage_of(w->agent.pid).cpu_s;
		if (now - before < 0.02)
			break;
	}
}
