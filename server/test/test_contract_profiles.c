/* Instructions by function: who is asked to count them, and what is shown of them. */
#include "server/test/fake_agent.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/zst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASE "munmap/order=0,size=16M"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, false);
	return 0;
}

/* Two kernels that are built, two cases; the profile is of the runs in that order. */
static int64_t submit(struct fake *f)
{
	return fake_submit(f,
	                   "{\"title\":\"t\",\"kernels\":["
	                   "{\"name\":\"base\",\"tree\":\"https://example.org/l\",\"ref\":\"v1\"},"
	                   "{\"name\":\"slow\",\"tree\":\"https://example.org/l\",\"ref\":\"v2\"}],"
	                   "\"boards\":[\"det\"],\"cases\":[\"fork/order=0,size=16M\",\"" CASE
	                   "\"],\"plan\":{\"boots\":6,\"runs\":2}}");
}

static void packed(struct fake *f, const char *text, char hex[65])
{
	struct buf b;
	struct why w;

	buf_init(&b, 1 << 20);
	assert_int_equal(zst_pack(text, strlen(text), 3, &b, &w), OK);
	fake_put(f, b.data, b.len, hex);
	buf_release(&b);
}

#define RUN(n)                                                                          \
	"{\"windows\":3,\"switches\":0,\"tlbi\":" n ",\"dsb\":2,\"rows\":[[\"zap\",1" n \
	",2],[\"copy\",7,1]]}"
#define NO_RUN "{\"windows\":0,\"switches\":0,\"tlbi\":0,\"dsb\":0,\"rows\":[]}"

static json_t *profiles(struct fake *f, int64_t sub, const char *case_text)
{
	char *path =
	        xasprintf("/api/v1/submissions/%lld/profiles?case=%s", (long long)sub, case_text);
	json_t *o = fake_get(f, path);

	free(path);
	return o;
}

static void kept_and_shown(void **state)
{
	struct fake *f = *state;
	char vmlinux[65], profile[65];
	int64_t sub;
	json_t *o, *one;
	size_t i;

	fake_put(f, "symbols", 7, vmlinux);
	packed(f, "{\"format\":1,\"runs\":[" NO_RUN "," RUN("1") "," RUN("2") "," RUN("3") "]}",
	       profile);
	f->vmlinux = vmlinux;
	f->profile = profile;
	sub = submit(f);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	o = profiles(f, sub, CASE);
	/* A boot a kernel, two runs each. */
	assert_int_equal(json_array_size(at(o, "profiles")), 4);
	json_array_foreach (at(o, "profiles"), i, one) {
		int64_t run = json_int(one, "run", -1);

		assert_string_equal(json_str(one, "kernel", ""), i < 2 ? "base" : "slow");
		assert_int_equal(run, (int64_t)(i % 2));
		/* Runs 2 and 3 of the plan. */
		assert_true(num_at(one, "tlbi") == 2 + run);
		assert_int_equal(int_at(one, "windows"), 3);
		assert_int_equal(int_at(one, "phase"), 0);
		assert_string_equal(str_at(one, "rows.0.function"), "copy");
		assert_string_equal(str_at(one, "rows.1.function"), "zap");
	}
	json_decref(o);
	/* The first run came to no window. */
	o = profiles(f, sub, "fork/order=0,size=16M");
	assert_int_equal(json_array_size(at(o, "profiles")), 2);
	json_decref(o);
	o = profiles(f, sub, "ksm/order=0");
	assert_int_equal(json_array_size(at(o, "profiles")), 0);
	json_decref(o);
}

/* Only the boot that proves the board is asked to count. */
static void who_is_asked(void **state)
{
	struct fake *f = *state;
	char vmlinux[65];
	json_t *lease, *boots = json_array();
	int asked = 0, others = 0;

	fake_put(f, "symbols", 7, vmlinux);
	f->vmlinux = vmlinux;
	submit(f);
	while ((lease = fake_claim(f, "[\"resolve\",\"build\",\"boot\"]", "[\"det\"]"))) {
		if (strcmp(str_at(lease, "kind"), "boot") == 0) {
			const char *given = json_str(at(lease, "spec"), "vmlinux", NULL);

			assert_int_equal(given != NULL, int_at(lease, "spec.replicate") > 0);
			if (given)
				assert_string_equal(given, vmlinux);
			asked += given != NULL;
			others += !given;
		}
		json_array_append_new(boots, fake_do(f, lease));
		json_decref(lease);
	}
	assert_int_equal(asked, 2);
	assert_int_equal(others, 12);
	json_decref(boots);
}

static void refused(struct fake *f, int64_t sub, const char *query, int status, const char *says)
{
	char *path = xasprintf("/api/v1/submissions/%lld/profiles%s", (long long)sub, query);
	json_t *o = NULL;

	assert_int_equal(ask_json(f->d, "GET", path, NULL, NULL, &o), status);
	if (!strstr(str_at(o, "error.message"), says))
		fail_msg("%s: %s", query, str_at(o, "error.message"));
	json_decref(o);
	free(path);
}

static void bad_ones(void **state)
{
	static const struct {
		const char *text, *says;
	} odd[] = {
	        {"", "profile"},
	        {"{\"format\":2,\"runs\":[]}", "format"},
	        {"{\"format\":1,\"runs\":[{\"windows\":3}]}", "runs[0].switches"},
	        {"{\"format\":1,\"runs\":[{\"windows\":3,\"switches\":0,\"tlbi\":0,\"dsb\":0,"
	         "\"rows\":[7]}]}",
	         "runs[0].rows[0]"},
	};
	struct fake *f = *state;
	char vmlinux[65], profile[65];
	int64_t sub;

	fake_put(f, "symbols", 7, vmlinux);
	f->vmlinux = vmlinux;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		char *body = xasprintf(
		        "{\"title\":\"t\",\"reuse\":false,\"kernels\":[{\"name\":\"base\",\"tree\":"
		        "\"https://example.org/l\",\"ref\":\"v%zu\"}],\"boards\":[\"det\"],"
		        "\"cases\":[\"" CASE "\"],\"plan\":{\"boots\":6}}",
		        i);

		packed(f, odd[i].text, profile);
		f->profile = profile;
		sub = fake_submit(f, body);
		fake_work(f);
		json_decref(fake_await(f, sub, "done"));
		refused(f, sub, "?case=" CASE, 422, odd[i].says);
		free(body);
	}
	refused(f, 1, "", 400, "case: missing");
	refused(f, 1, "?case=", 400, "case:");
	refused(f, 1, "?case=fork/order=77", 400, "case:");
	refused(f, 99, "?case=" CASE, 404, "99");
}

/* An artifact that never came is no profile; the boot is refused as a whole. */
static void one_that_is_not_there(void **state)
{
	struct fake *f = *state;
	json_t *lease, *body, *o = NULL;
	char a[65];
	int64_t sub;
	char *text;

	fake_image(f, 1, a);
	text = xasprintf("{\"title\":\"t\",\"kernels\":[{\"name\":\"a\",\"image\":\"%s\"}],"
	                 "\"boards\":[\"det\"],\"cases\":[\"" CASE "\"]}",
	                 a);
	sub = fake_submit(f, text);
	assert_true(sub > 0);
	free(text);
	lease = fake_claim(f, "[\"boot\"]", "[\"det\"]");
	assert_null(json_str(at(lease, "spec"), "vmlinux", NULL));
	text = fake_result(f, at(lease, "spec"), 0);
	body = json_pack("{s:i,s:s,s:{s:b,s:s,s:s,s:s}}", "attempt", 1, "state", "done", "boot",
	                 "valid", 1, "nonce", str_at(lease, "spec.nonce"), "profile",
	                 "0123456789012345678901234567890123456789012345678901234567890123",
	                 "result", text);
	assert_int_equal(fake_post(f, int_at(lease, "id"), "k", body, &o), 422);
	assert_non_null(strstr(str_at(o, "error.message"), "boot.profile: there is no artifact"));
	json_decref(o);
	json_decref(body);
	json_decref(lease);
	free(text);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(kept_and_shown),
	        T(who_is_asked),
	        T(bad_ones),
	        T(one_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
