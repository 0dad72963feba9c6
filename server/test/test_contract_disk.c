/*
 * foldwatchd on a disk that is really full: a file system of 6 MiB that only
 * this program and its children see. Skipped where the system does not let a
 * program mount one.
 */
#include "server/test/harness.h"

#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKENS "/api/v1/tokens"

static char at[64] = "/tmp/foldwatchd-disk-XXXXXX";
static bool mounted;
static struct daemon *d;

static bool mount_small(void)
{
	char map[64];
	FILE *f;

	snprintf(map, sizeof(map), "0 %u 1", getuid());
	if (unshare(CLONE_NEWNS) != 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
			return false;
		f = fopen("/proc/self/uid_map", "we");
		if (!f || fputs(map, f) < 0 || fclose(f) != 0)
			return false;
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", at, "tmpfs", 0, "size=6m,mode=700") == 0;
}

static int put_noise(size_t len, unsigned int seed, struct reply_raw *r)
{
	char *data = noise(len, seed), *url = artifact_url(data, len);
	int status = ask(d, "PUT", url, d->admin, NULL, data, len, r);

	free(url);
	free(data);
	return status;
}

static int post_token(void)
{
	return ask_json(d, "POST", TOKENS, d->admin, "{\"label\":\"x\",\"role\":\"read\"}", NULL);
}

static size_t tokens(void)
{
	json_t *o = NULL;
	size_t n;

	assert_int_equal(ask_json(d, "GET", TOKENS, d->admin, NULL, &o), 200);
	n = json_array_size(json_object_get(o, "tokens"));
	json_decref(o);
	return n;
}

static int make(void **state)
{
	(void)state;
	if (mounted) {
		d = daemon_new_at(at, NULL);
		daemon_start(d);
	}
	return 0;
}

static int drop(void **state)
{
	(void)state;
	daemon_free(d);
	d = NULL;
	return 0;
}

static void upload_does_not_fit(void **state)
{
	struct reply_raw r;

	(void)state;
	if (!mounted)
		skip();
	put_noise(8 << 20, 1, &r);
	check_error(&r, 507, "no_space", "cannot keep the body");
	reply_raw_release(&r);
	/* What did not fit left its room to others. */
	assert_int_equal(put_noise(3 << 20, 2, &r), 201);
	reply_raw_release(&r);
	assert_int_equal(post_token(), 201);
	daemon_stop(d);
}

/* Somebody else takes all that is left; returns the file. */
static char *take_the_rest(void)
{
	static char zeros[4096];
	char *path = path_join(at, "ballast");
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	while (fwrite(zeros, 1, sizeof(zeros), f) == sizeof(zeros))
		;
	fclose(f);
	return path;
}

static void writes_do_not_fit(void **state)
{
	struct reply_raw r;
	char *ballast;
	size_t acknowledged = 1; /* the admin's own */
	int status = 201;

	(void)state;
	if (!mounted)
		skip();
	ballast = take_the_rest();
	for (int i = 0; i < 3000 && status == 201; i++) {
		status = post_token();
		acknowledged += status == 201;
	}
	assert_int_equal(status, 507);
	expect_error(d, "POST", TOKENS, d->admin, "{\"label\":\"x\",\"role\":\"read\"}", 507,
	             "no_space", NULL);
	expect_error(d, "GET", "/healthz", NULL, NULL, 503, "unavailable", "disk");
	put_noise(1 << 20, 3, &r);
	check_error(&r, 507, "no_space", NULL);
	reply_raw_release(&r);
	/* Reading goes on. */
	assert_int_equal(tokens(), acknowledged);
	/* Killed in that state, it starts once there is room again. */
	daemon_kill(d);
	assert_int_equal(unlink(ballast), 0);
	daemon_start(d);
	assert_int_equal(tokens(), acknowledged);
	free(ballast);
	/* And again, this time without a restart. */
	ballast = take_the_rest();
	for (int i = 0; i < 3000 && (status = post_token()) == 201; i++)
		acknowledged++;
	assert_int_equal(status, 507);
	assert_int_equal(unlink(ballast), 0);
	assert_int_equal(post_token(), 201);
	assert_int_equal(tokens(), acknowledged + 1);
	ask(d, "GET", "/healthz", NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	reply_raw_release(&r);
	daemon_stop(d);
	free(ballast);
}

static void no_room_to_start(void **state)
{
	char *ballast, *text;

	(void)state;
	if (!mounted)
		skip();
	daemon_stop(d);
	ballast = take_the_rest();
	text = path_join(d->dir, "state");
	assert_int_equal(dir_remove(text, NULL), OK);
	free(text);
	text = take_the_rest();
	free(text);
	assert_int_equal(daemon_run(d, NULL, &text), 8);
	assert_int_equal(unlink(ballast), 0);
	free(text);
	free(ballast);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(upload_does_not_fit, make, drop),
	        cmocka_unit_test_setup_teardown(writes_do_not_fit, make, drop),
	        cmocka_unit_test_setup_teardown(no_room_to_start, make, drop),
	};
	int failed;

	alarm(300);
	if (!mkdtemp(at))
		return 1;
	mounted = mount_small();
	if (!mounted)
		print_message("# no file system can be mounted here\n");
	failed = cmocka_run_group_tests_name("contract: disk", tests, NULL, NULL);
	if (mounted)
		umount(at);
	rmdir(at);
	return failed;
}
