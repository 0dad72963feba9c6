/* Faults decoded against a stored vmlinux, and those that an operator lists as known. */
#include "server/db.h"
#include "server/test/fake_agent.h"
#include "server/test/rebuilt.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/scan.h"
#include "lib/zst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define CASE    "fork/order=0,size=16M"
#define DRIVER  "warning:foo_probe:drivers/foo.c"
#define MM      "warning:copy_page_range:mm/memory.c"
#define CUT     "------------[ cut here ]------------\n"
#define END     "---[ end trace 0000000000000000 ]---\n"
#define WARN(f) CUT "WARNING: CPU: 0 PID: 1 at include/linux/cpumask.h:145 " f "+0x4/0x60\n" END

static const char asked[] =
        "{\"title\":\"%s\",\"reuse\":false,\"kernels\":[{\"name\":\"base\",\"tree\":"
        "\"https://example.org/linux.git\",\"ref\":\"v6.12\"},{\"name\":\"slow\",\"tree\":"
        "\"https://example.org/linux.git\",\"ref\":\"topic/foo\"}],\"boards\":[\"det\"],"
        "\"cases\":[\"" CASE "\"],\"plan\":{\"boots\":8}}";

struct place {
	struct fake *f;
	char vmlinux[65], console[65];
	json_t *faults;
};

/* A kernel of two files, with line tables. */
static void make_vmlinux(struct fake *f, char hex[65])
{
	static const char *const files[][2] = {
	        {"mm/memory.c", "int copy_page_range(int *p)\n{\n\treturn p[0] * 3;\n}\n"},
	        {"drivers/foo.c", "int foo_probe(int *p)\n{\n\treturn p[1] * 5;\n}\n"},
	        {"init/main.c",
	         "int copy_page_range(int *p);\nint foo_probe(int *p);\n"
	         "void _start(void)\n{\n\tint a[2] = {0};\n"
	         "\ta[0] = foo_probe(a) + copy_page_range(a);\n\tfor (;;)\n\t\t;\n}\n"},
	};
	char *path[3], *out = path_join(f->d->dir, "vmlinux"), *dir;
	struct buf elf;
	struct why w;
	size_t i;

	for (i = 0; i < 3; i++) {
		path[i] = path_join(f->d->dir, files[i][0]);
		dir = xstrndup(path[i], (size_t)(strrchr(path[i], '/') - path[i]));
		mkdir(dir, 0700);
		free(dir);
		assert_int_equal(file_write(path[i], files[i][1], strlen(files[i][1]), 0600, &w),
		                 OK);
	}
	const char *const argv[] = {"gcc",
	                            "-O1",
	                            "-g1",
	                            "-nostdlib",
	                            "-static",
	                            "-ffreestanding",
	                            "-fno-stack-protector",
	                            "-o",
	                            out,
	                            path[0],
	                            path[1],
	                            path[2],
	                            NULL};

	if (proc_run(&(struct proc_spec){.argv = argv}, NULL, &w) != OK)
		fail_msg("%s", w.text);
	buf_init(&elf, 8 << 20);
	assert_int_equal(file_read(out, &elf, &w), OK);
	fake_put(f, elf.data, elf.len, hex);
	buf_release(&elf);
	for (i = 0; i < 3; i++)
		free(path[i]);
	free(out);
}

/* What boots of "slow" show from now on, as an agent reports it. */
static void show(struct place *p, const char *log)
{
	struct scan *s = scan_new(0);
	struct buf packed;

	scan_feed(s, log, strlen(log));
	scan_end(s);
	json_decref(p->faults);
	p->faults = json_array();
	for (size_t i = 0; i < scan_count(s); i++) {
		const struct fault *f = scan_fault(s, i);
		json_t *o = json_object();

		json_put_int(o, "line", (int64_t)f->line);
		json_put_str(o, "kind", f->kind);
		json_put_str(o, "function", f->function);
		json_put_str(o, "text", f->text);
		json_put_bool(o, "fatal", f->fatal);
		json_array_append_new(p->faults, o);
	}
	scan_free(s);
	buf_init(&packed, 1 << 20);
	assert_int_equal(zst_pack(log, strlen(log), 3, &packed, NULL), OK);
	fake_put(p->f, packed.data, packed.len, p->console);
	buf_release(&packed);
	p->f->faults = p->faults;
	p->f->fault_console = p->console;
	p->f->bad_kernel = "slow";
	p->f->bad_boots = -1;
}

static int setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	void *f;

	fake_setup(&f);
	p->f = f;
	fake_announce(p->f, false);
	make_vmlinux(p->f, p->vmlinux);
	p->f->vmlinux = p->vmlinux;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	void *f = p->f;

	json_decref(p->faults);
	free(p);
	return fake_teardown(&f);
}

static int64_t measured(struct place *p, const char *title)
{
	char *body = xasprintf(asked, title);
	int64_t sub = fake_submit(p->f, body);

	fake_work(p->f);
	json_decref(fake_await(p->f, sub, "done"));
	free(body);
	return sub;
}

static char *text_of(struct place *p, int64_t sub, const char *query)
{
	char *path = xasprintf("/api/v1/comparisons/%lld?%s", (long long)sub, query), *text;
	struct reply_raw r;

	ask(p->f->d, "GET", path, NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	text = xstrdup(r.body);
	reply_raw_release(&r);
	free(path);
	return text;
}

/* The comparison once its cell stands on so many boots. */
static json_t *comparison_with(struct place *p, int64_t sub, int64_t boots)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/comparisons/%lld", (long long)sub);
	for (;;) {
		json_t *c = fake_get(p->f, path);

		if (int_at(c, "cells.0.boots") == boots)
			return c;
		json_decref(c);
		sleep_ms(20);
	}
}

static const char *day_in(int days)
{
	static char text[32];

	clock_iso(clock_wall_ms() + days * INT64_C(86400000), text, sizeof(text));
	text[10] = '\0';
	return text;
}

static int list_known(struct place *p, const char *token, const char *signature, const char *more,
                      json_t **out)
{
	char *body = xasprintf("{\"signature\":\"%s\",\"why\":\"bug 123, harmless\","
	                       "\"until\":\"%s\"%s}",
	                       signature, day_in(30), more);
	int status = ask_json(p->f->d, "POST", "/api/v1/faults", token, body, out);

	free(body);
	return status;
}

static int64_t known(struct place *p, const char *signature, const char *more)
{
	json_t *o = NULL;
	int64_t id;

	if (list_known(p, p->f->d->admin, signature, more, &o) != 201)
		fail_msg("%s", str_at(o, "error.message"));
	id = int_at(o, "id");
	json_decref(o);
	return id;
}

static void ended(struct place *p, int64_t id, int status)
{
	char *path = xasprintf("/api/v1/faults/%lld", (long long)id);
	json_t *o = NULL;

	assert_int_equal(ask_json(p->f->d, "DELETE", path, p->f->d->admin, NULL, &o), status);
	json_decref(o);
	free(path);
}

static void has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("no \"%s\" in:\n%s", words, text);
}

/* As `has`, where a table wrapped its lines. */
static void has_wrapped(const char *text, const char *words)
{
	char *flat = xstrdup(text), *to = flat;

	for (const char *at = text; *at; at++)
		if (!(*at == '\n' || *at == ' ') || (to > flat && to[-1] != ' '))
			*to++ = *at == '\n' ? ' ' : *at;
	*to = '\0';
	has(flat, words);
	free(flat);
}

static json_t *first_bad_boot(struct place *p, const json_t *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/boots/%lld",
	         (long long)int_at(c, "thrown_out.0.boot"));
	return fake_get(p->f, path);
}

/* ---- */

static void from_fault_to_footnote(void **state)
{
	static const char *const queries[] = {
	        "table=reply&format=text",
	        "table=commit&format=text",
	        "table=cover&format=text",
	        "table=summary&format=text",
	        "table=reply&format=markdown",
	        "table=commit&format=markdown",
	        "table=cover&format=markdown",
	        "table=summary&format=markdown",
	        "format=csv",
	};
	struct place *p = *state;
	json_t *c, *b, *s;
	char *text, foot[256];
	int64_t sub, id;

	show(p, "Linux version 6.12.1\n" WARN("foo_probe"));
	sub = measured(p, "one");
	c = comparison_with(p, sub, 0);
	assert_string_equal(str_at(c, "cells.0.verdict"), "invalid");
	assert_string_equal(str_at(c, "thrown_out.0.signature"), DRIVER);
	assert_int_equal(json_array_size(at(c, "cells.0.footnotes")), 0);
	assert_int_equal(json_array_size(at(c, "known_faults")), 0);
	assert_true(json_is_null(at(c, "last_known")));
	b = first_bad_boot(p, c);
	assert_string_equal(str_at(b, "faults.0.signature"), DRIVER);
	assert_string_equal(str_at(b, "faults.0.file"), "drivers/foo.c");
	assert_string_equal(str_at(b, "faults.0.place"), "include/linux/cpumask.h:145");
	assert_true(json_is_true(at(b, "faults.0.decoded")));
	assert_true(json_is_null(at(b, "faults.0.never")));
	json_decref(b);
	text = text_of(p, sub, "table=summary&format=text");
	has_wrapped(text, "[" DRIVER "]");
	free(text);

	id = known(p, DRIVER, "");
	b = comparison_with(p, sub, 8);
	assert_string_equal(str_at(b, "cells.0.verdict"), "slower");
	assert_true(json_is_true(at(b, "complete")));
	assert_int_equal(json_array_size(at(b, "thrown_out")), 0);
	assert_int_equal(json_array_size(at(b, "known_faults")), 9); /* a phase twice */
	assert_string_equal(str_at(b, "known_faults.0.signature"), DRIVER);
	assert_string_equal(str_at(b, "known_faults.0.why"), "bug 123, harmless");
	assert_int_equal(int_at(b, "last_known"), id);
	snprintf(foot, sizeof(foot),
	         "9 boots of slow on det count with the known fault " DRIVER
	         ": bug 123, harmless (listed until %s)",
	         day_in(30));
	assert_string_equal(str_at(b, "cells.0.footnotes.0"), foot);
	assert_int_equal(json_array_size(at(b, "rows.0.footnotes")), 0); /* the baseline's own */
	assert_string_equal(str_at(b, "rows.1.footnotes.0"), foot);
	json_decref(b);
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		text = text_of(p, sub, queries[i]);
		has_wrapped(text, foot);
		free(text);
	}
	/* The fact stays as the agent said it; the samples count. */
	b = first_bad_boot(p, c);
	assert_true(json_is_false(at(b, "valid")));
	json_decref(b);
	s = fake_get(p->f, "/api/v1/submissions/1/samples?case=" CASE);
	for (size_t i = 0; i < json_array_size(at(s, "rows")); i++)
		assert_true(
		        json_is_true(json_object_get(json_array_get(at(s, "rows"), i), "valid")));
	json_decref(s);

	ended(p, id, 200);
	b = comparison_with(p, sub, 0);
	assert_string_equal(str_at(b, "cells.0.verdict"), "invalid");
	assert_int_equal(json_array_size(at(b, "known_faults")), 0);
	assert_true(int_at(b, "last_known") > id);
	json_decref(b);
	ended(p, id, 409);
	ended(p, 99, 404);
	ended(p, id + 1, 404); /* the row of its end is no listing */
	s = fake_get(p->f, "/api/v1/faults");
	assert_string_equal(str_at(s, "known.0.state"), "ended");
	assert_string_equal(str_at(s, "known.0.last_day"), day_in(30));
	assert_non_null(str_at(s, "known.0.ended_by"));
	assert_string_equal(str_at(s, "seen.0.signature"), DRIVER);
	assert_int_equal(int_at(s, "seen.0.boots"), 9);
	json_decref(s);
	json_decref(c);
}

/* With a listing in force, an agent's `failed` does not end a kernel's boots. */
static void boots_of_a_known_fault_go_on(void **state)
{
	struct place *p = *state;
	json_t *c;
	int64_t sub;

	show(p, WARN("foo_probe"));
	p->f->bad_class = "kernel";
	sub = measured(p, "given up");
	c = comparison_with(p, sub, 0);
	assert_int_equal(json_array_size(at(c, "thrown_out")), 2);
	json_decref(c);
	known(p, DRIVER, "");
	sub = measured(p, "known");
	json_decref(comparison_with(p, sub, 8));
}

static void where_and_what_it_holds(void **state)
{
	static const struct {
		const char *more;
		int64_t boots;
	} rows[] = {
	        {",\"board\":\"hw*\"", 0},
	        {",\"board\":\"d?t\"", 8},
	        {",\"branch\":\"v6.12\"", 0},
	        {",\"branch\":\"topic/*\"", 8},
	        {",\"branch\":\"https://example.org/*#topic/foo\"", 8},
	        {",\"branch\":\"https://example.com/*#topic/foo\"", 0},
	        {",\"branch\":null,\"board\":null", 8},
	};
	struct place *p = *state;
	int64_t sub, id;

	show(p, WARN("foo_probe"));
	sub = measured(p, "one");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *c;

		id = known(p, DRIVER, rows[i].more);
		/* until it has been computed with this fact */
		do {
			c = comparison_with(p, sub, rows[i].boots);
			if (json_integer_value(at(c, "last_known")) == id)
				break;
			json_decref(c);
			sleep_ms(20);
		} while (true);
		json_decref(c);
		ended(p, id, 200);
		json_decref(comparison_with(p, sub, 0));
	}
}

/* Another fault beside the known one, one that kills, one of mm's, none decoded. */
static void what_never_counts(void **state)
{
	static const struct {
		const char *log, *signature;
	} rows[] = {
	        {WARN("foo_probe") WARN("copy_page_range"), DRIVER},
	        {WARN("copy_page_range"), MM},
	        {WARN("foo_probe") "BUG: Bad rss-counter state mm:0 type:MM_ANONPAGES val:-16\n",
	         DRIVER},
	        {WARN("foo_probe") CUT "kernel BUG at drivers/foo.c:2!\n" END, DRIVER},
	        {WARN("nosuch"), "warning:nosuch:-"},
	        {CUT "WARNING: CPU: 0 PID: 1 at include/linux/rmap.h:9 foo_probe+0x4/0x60\n" END,
	         DRIVER},
	};
	struct place *p = *state;
	json_t *c, *b;
	size_t i;

	known(p, DRIVER, "");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		show(p, rows[i].log);
		c = comparison_with(p, measured(p, "one"), 0);
		assert_string_equal(str_at(c, "cells.0.verdict"), "invalid");
		assert_string_equal(str_at(c, "thrown_out.0.signature"), rows[i].signature);
		json_decref(c);
	}
	/* The last row's was found to be mm's: from now on nobody can list that. */
	assert_int_equal(list_known(p, p->f->d->admin, DRIVER, "", &c), 422);
	has(str_at(c, "error.message"), "mm/");
	json_decref(c);
	/* A kernel without a vmlinux: what the log itself says. */
	p->f->vmlinux = NULL;
	show(p, CUT "WARNING: CPU: 0 PID: 1 at drivers/bar.c:9 bar+0x4/0x60\n" END);
	{
		char image[2][65], *body;
		int64_t sub;

		fake_image(p->f, 1, image[0]);
		fake_image(p->f, 2, image[1]);
		body = xasprintf(
		        "{\"title\":\"i\",\"kernels\":[{\"name\":\"base\",\"image\":\"%s\"},"
		        "{\"name\":\"slow\",\"image\":\"%s\"}],\"boards\":[\"det\"],"
		        "\"cases\":[\"" CASE "\"],\"plan\":{\"boots\":8}}",
		        image[0], image[1]);
		sub = fake_submit(p->f, body);
		free(body);
		fake_work(p->f);
		json_decref(fake_await(p->f, sub, "done"));
		c = comparison_with(p, sub, 0);
		b = first_bad_boot(p, c);
		assert_string_equal(str_at(b, "faults.0.signature"), "warning:bar:drivers/bar.c");
		assert_true(json_is_false(at(b, "faults.0.decoded")));
		assert_string_equal(str_at(b, "faults.0.not_decoded"),
		                    "its kernel has no stored vmlinux");
		json_decref(b);
		json_decref(c);
		known(p, "warning:bar:drivers/bar.c", "");
		json_decref(comparison_with(p, sub, 8));
	}
}

/* A vmlinux that is none, and one that is a lie, cost nobody anything. */
static void a_vmlinux_that_is_none(void **state)
{
	struct place *p = *state;
	char hex[65];
	json_t *c, *b;

	fake_put(p->f, "\177ELF\2\1\1 nonsense", 17, hex);
	p->f->vmlinux = hex;
	show(p, WARN("foo_probe"));
	c = comparison_with(p, measured(p, "one"), 0);
	assert_string_equal(str_at(c, "thrown_out.0.signature"), "warning:foo_probe:-");
	b = first_bad_boot(p, c);
	assert_string_equal(str_at(b, "faults.0.not_decoded"),
	                    "its kernel's vmlinux could not be read");
	assert_non_null(strstr(str_at(b, "faults.0.never"), "unknown"));
	json_decref(b);
	json_decref(c);
}

/* ---- rebuild */

static enum err run_out(struct db *db, void *arg, struct why *w)
{
	(void)arg;
	return db_run(db_prepare(db, "UPDATE known_fault SET until_ms = 1 WHERE until_ms > 1"), w);
}

static void rebuilding(void **state)
{
	static const char *const args[] = {"rebuild", NULL};
	static const char *const queries[] = {
	        "SELECT boot_id || ' ' || pos || signature || coalesce(place, '-') ||"
	        " coalesce(function, '-') || coalesce(file, '-') || decoded || coalesce(never, '-')"
	        " || coalesce(why, '-') FROM boot_place ORDER BY boot_id, pos",
	        "SELECT submission_id || ' ' || boot_id || ' ' || known_id || ' ' || last_boot"
	        " FROM boot_known ORDER BY submission_id, boot_id, known_id",
	        "SELECT submission_id || ' ' || last_boot || ' ' || last_known || body"
	        " FROM comparison ORDER BY submission_id",
	        "SELECT submission_id || pos || coalesce(signature, '-') FROM cell_thrown"
	        " ORDER BY submission_id, pos",
	};
	struct place *p = *state;
	char *out, *path;
	struct db_store *store;
	int64_t one, two;
	struct why w;
	json_t *c;

	show(p, WARN("foo_probe"));
	one = measured(p, "one");
	show(p, WARN("copy_page_range") WARN("foo_probe"));
	two = measured(p, "two");
	known(p, DRIVER, ",\"board\":\"hw\"");
	known(p, DRIVER, "");
	json_decref(comparison_with(p, one, 8));
	do {
		c = comparison_with(p, two, 0);
		if (json_integer_value(at(c, "last_known")) == 2)
			break;
		json_decref(c);
		sleep_ms(20);
	} while (true);
	json_decref(c);
	daemon_expect_rebuilt(p->f->d, queries, ARRAY_SIZE(queries), DRIVER);
	/* As it is for boots that are made after a listing has run out. */
	path = xasprintf("%s/state/foldwatch.db", p->f->d->dir);
	assert_int_equal(db_open(path, 1, &store, &w), OK);
	assert_int_equal(db_write(store, run_out, NULL, &w), OK);
	db_close(store);
	free(path);
	assert_int_equal(daemon_run(p->f->d, args, &out), 0);
	free(out);
	daemon_start(p->f->d);
	json_decref(comparison_with(p, one, 0));
	c = fake_get(p->f, "/api/v1/faults");
	assert_string_equal(str_at(c, "known.0.state"), "expired");
	json_decref(c);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(from_fault_to_footnote),  T(boots_of_a_known_fault_go_on),
	        T(where_and_what_it_holds), T(what_never_counts),
	        T(a_vmlinux_that_is_none),  T(rebuilding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
