/* Validation: the same code with the kernel's own checks on, whose log decides. */
#include "server/test/fake_agent.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TREE     "\"tree\":\"https://example.org/linux.git\",\"ref\":\"v6.12\""
#define CASE     "munmap/order=0,size=16M"
#define REST     "\"boards\":[\"det\"],\"cases\":[\"" CASE "\"],\"plan\":{\"boots\":6}"
#define MINE     "slow (validation)"
#define BASELINE "base (validation)"

static const char asked[] = "{\"title\":\"t\",\"validate\":true,\"kernels\":["
                            "{\"name\":\"base\"," TREE ",\"config\":\"contpte-n\"},"
                            "{\"name\":\"slow\"," TREE ",\"config\":\"contpte-y\"}]," REST "}";

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, false);
	return 0;
}

static void must_note(const json_t *c, const char *words)
{
	char *all = json_text(at(c, "notes"));

	if (!fake_noted(c, words))
		fail_msg("no note \"%s\" in %s", words, all);
	free(all);
}

static int64_t measured(struct fake *f, const char *body)
{
	int64_t sub = fake_submit(f, body);

	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	return sub;
}

/* Each kernel is built once more, with the set behind its own, and booted once, last,
 * with a plan of its own; neither is compared. */
static void built_and_booted_beside(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, asked);
	json_t *lease, *s, *c;
	char *text;
	int checks = 0, boots = 0;

	while ((lease = fake_claim(f, "[\"resolve\",\"build\",\"boot\"]", "[\"det\"]"))) {
		const json_t *spec = at(lease, "spec");
		const char *name = json_str(spec, "name", "");
		bool check = str_eq(name, MINE) || str_eq(name, BASELINE);

		if (str_eq(str_at(lease, "kind"), "build") && check) {
			text = json_text(at(spec, "config"));
			assert_non_null(strstr(text, "CONFIG_PAGE_TABLE_CHECK=y"));
			assert_non_null(strstr(text, str_eq(name, MINE)
			                                     ? "CONFIG_ARM64_CONTPTE=y"
			                                     : "CONFIG_ARM64_CONTPTE is not set"));
			free(text);
		}
		if (str_eq(str_at(lease, "kind"), "boot") && check) {
			assert_int_equal(boots, 14);
			assert_non_null(strstr(str_at(spec, "plan"),
			                       CASE " runs=1 iterations=1 warmup=1\n"));
			assert_non_null(strstr(str_at(spec, "plan"),
			                       "fork/order=4,size=16M,fill=file runs=1"));
			assert_true(json_is_false(at(spec, "health")));
			assert_true(json_is_true(at(spec, "files")));
			checks++;
		} else if (str_eq(str_at(lease, "kind"), "boot")) {
			boots++;
		}
		json_decref(fake_do(f, lease));
		json_decref(lease);
	}
	assert_int_equal(checks, 2);
	s = fake_await(f, sub, "done");
	assert_int_equal(json_array_size(at(s, "kernels")), 2);
	assert_int_equal(json_array_size(at(s, "validations")), 2);
	assert_string_equal(str_at(s, "validations.1.kernel"), "slow");
	assert_string_equal(str_at(s, "validations.1.config"), "contpte-y+debug-vm+files");
	assert_string_equal(str_at(s, "validations.1.state"), "ready");
	c = fake_comparison(f, sub);
	assert_int_equal(json_array_size(at(c, "cells")), 1);
	assert_int_equal(json_array_size(at(c, "rows")), 2);
	assert_string_equal(str_at(c, "cells.0.verdict"), "slower");
	assert_int_equal(int_at(c, "cells.0.invalid_boots"), 0);
	must_note(c, "slow with the mm's own checks (DEBUG_VM, PAGE_TABLE_CHECK) ran every case, "
	             "and its log is clean");
	must_note(c, "base with the mm's own checks");
	json_decref(c);
	json_decref(s);
}

/* What was done with files stands in the note; or why nothing was. */
static void files(void **state)
{
	struct fake *f = *state;
	json_t *c;

	f->files = "{\"type\":\"xfs\",\"exercises\":13,\"left_out\":0,\"folio_order\":9}";
	c = fake_comparison(f, measured(f, asked));
	must_note(c,
	          "ran every case and 13 exercises of files on xfs, in folios up to order 9, and "
	          "its log is clean");
	json_decref(c);
	f->files = "{\"why\":\"/dev/vda cannot be mounted: No such device\"}";
	c = fake_comparison(f, measured(f, asked));
	must_note(c,
	          "ran every case (no files: /dev/vda cannot be mounted: No such device) and its "
	          "log is clean");
	json_decref(c);
	f->files = NULL;
	f->no_disk = "mkfs.xfs is not installed here (Debian: xfsprogs)";
	c = fake_comparison(f, measured(f, asked));
	must_note(c, "ran every case (no files: mkfs.xfs is not installed here (Debian: xfsprogs)) "
	             "and its log is clean");
	json_decref(c);
	f->no_disk = NULL;
}

static json_t *with_fault_in(struct fake *f, const char *kernel)
{
	f->bad_kernel = kernel;
	f->bad_boots = -1;
	return fake_comparison(f, measured(f, asked));
}

static void a_fault_voids_the_kernel(void **state)
{
	json_t *c = with_fault_in(*state, MINE);

	assert_string_equal(str_at(c, "cells.0.verdict"), "invalid");
	assert_true(json_is_null(at(c, "cells.0.change")));
	assert_non_null(strstr(str_at(c, "cells.0.why"), "the same code is faulty"));
	assert_non_null(strstr(str_at(c, "cells.0.why"), "BUG: Bad page state in process init"));
	must_note(c, "slow: with the mm's own checks");
	must_note(c, "base with the mm's own checks");
	json_decref(c);
}

/* Of the baseline as well: then nothing is left to compare with. */
static void a_faulty_baseline(void **state)
{
	json_t *c = with_fault_in(*state, BASELINE);

	assert_string_equal(str_at(c, "cells.0.verdict"), "invalid");
	assert_non_null(strstr(str_at(c, "cells.0.why"), "baseline \"base\""));
	json_decref(c);
}

/* What says nothing about the code voids nothing, and is told. */
static void no_answer_is_no_fault(void **state)
{
	static const struct {
		const char *build_fails, *class, *note;
	} cases[] = {
	        {MINE, NULL,
	         "slow is not validated by the mm's own checks (DEBUG_VM, "
	         "PAGE_TABLE_CHECK): with them it cannot be built: mm/memory.c:1"},
	        {NULL, "bench", "slow is not validated by"},
	};
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *body = xasprintf(
		        "{\"title\":\"%zu\",\"validate\":true,\"reuse\":false,\"kernels\":["
		        "{\"name\":\"base\"," TREE "},{\"name\":\"slow\"," TREE
		        ",\"config\":\"contpte-y\"}]," REST "}",
		        i);
		json_t *c;
		int64_t sub;

		f->build_fails = cases[i].build_fails;
		f->bad_kernel = cases[i].class ? MINE : NULL;
		f->bad_class = cases[i].class;
		f->bad_boots = -1;
		sub = measured(f, body);
		c = fake_comparison(f, sub);
		assert_string_equal(str_at(c, "cells.0.verdict"), "slower");
		assert_int_equal(int_at(c, "cells.0.boots"), 6);
		must_note(c, cases[i].note);
		json_decref(c);
		free(body);
	}
}

static void what_cannot_be_validated(void **state)
{
	struct fake *f = *state;
	char image[65], *body;
	json_t *o = NULL, *c;
	int64_t sub;

	fake_image(f, 1, image);
	body = xasprintf("{\"title\":\"t\",\"validate\":true,\"kernels\":[{\"name\":\"a\","
	                 "\"image\":\"%s\"}]," REST "}",
	                 image);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions", f->submit, body, &o), 422);
	assert_non_null(strstr(str_at(o, "error.message"), "validate: no kernel is built here"));
	json_decref(o);
	free(body);
	body = xasprintf("{\"title\":\"t\",\"validate\":true,\"kernels\":[{\"name\":\"a\","
	                 "\"image\":\"%s\"},{\"name\":\"slow\"," TREE ",\"config\":"
	                 "{\"text\":\"CONFIG_X=y\"}}]," REST "}",
	                 image);
	sub = measured(f, body);
	c = fake_comparison(f, sub);
	must_note(c, "a is not validated: it is a prebuilt image");
	must_note(c, "slow with the mm's own checks");
	json_decref(c);
	free(body);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions", f->submit,
	                          "{\"title\":\"t\",\"validate\":\"yes\",\"kernels\":[{\"name\":"
	                          "\"a\"," TREE "}]," REST "}",
	                          &o),
	                 400);
	assert_non_null(strstr(str_at(o, "error.message"), "validate: expected"));
	json_decref(o);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(built_and_booted_beside),  T(files),
	        T(a_fault_voids_the_kernel), T(a_faulty_baseline),
	        T(no_answer_is_no_fault),    T(what_cannot_be_validated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
