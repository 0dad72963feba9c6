/* Files that the client sends and fetches by their hash. */
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/test/client_world.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *path, const char *data, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static int files_in(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	int n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)))
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static void artifacts_go_there_and_back(void **state)
{
	static const size_t sizes[] = {0, 1, 5000, 3 << 20};
	struct world *x = *state;
	char file[100], back[100], hex[SHA256_HEX], got[SHA256_HEX], head[4096];
	char *data = xmalloc(3 << 20);
	struct stat st;
	struct why w;
	size_t i;
	int hits;

	random_bytes(data, 3 << 20);
	snprintf(file, sizeof(file), "%s/out", x->dir);
	snprintf(back, sizeof(back), "%s/back", x->dir);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		write_file(file, data, sizes[i]);
		hash_block(data, sizes[i], hex);
		peer_set_artifact(x->peer, NULL, 0);
		if (client_put_artifact(x->client, file, hex, &w))
			fail_msg("%s", w.text);
		peer_last_head(x->peer, head, sizeof(head));
		assert_true(str_starts(head, "PUT /api/v1/artifacts/"));
		assert_non_null(strstr(head, "\r\nAuthorization: Bearer " TOKEN "\r\n"));
		/* known there already: asked, not sent */
		hits = peer_hits(x->peer);
		assert_int_equal(client_put_artifact(x->client, file, hex, &w), OK);
		assert_int_equal(peer_hits(x->peer), hits + 1);
		if (client_get_artifact(x->client, hex, back, &w))
			fail_msg("%s", w.text);
		assert_int_equal(hash_file(back, got, NULL, &w), OK);
		assert_string_equal(got, hex);
		assert_int_equal(stat(back, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_int_equal(files_in(x->dir), 2);
	unlink(file);
	unlink(back);
	free(data);
}

static void a_wrong_hash_leaves_nothing(void **state)
{
	struct world *x = *state;
	char hex[SHA256_HEX], path[100];
	struct why w;

	hash_block("right", 5, hex);
	peer_set_artifact(x->peer, "wrong", 5);
	snprintf(path, sizeof(path), "%s/a", x->dir);
	assert_int_equal(client_get_artifact(x->client, hex, path, &w), ERR_UNAVAILABLE);
	assert_non_null(strstr(w.text, hex));
	assert_non_null(strstr(w.text, "sent 5 bytes with hash"));
	assert_int_equal(files_in(x->dir), 0);
	/* what was there stays */
	write_file(path, "old", 3);
	assert_int_equal(client_get_artifact(x->client, hex, path, &w), ERR_UNAVAILABLE);
	assert_int_equal(files_in(x->dir), 1);
	assert_int_equal(hash_file(path, hex, NULL, &w), OK);
	unlink(path);
}

static void artifact_named(const char *first, char hex[SHA256_HEX])
{
	memset(hex, '0', SHA256_HEX - 1);
	memcpy(hex, first, strlen(first));
	hex[SHA256_HEX - 1] = '\0';
}

static void artifact_errors(void **state)
{
	struct world *x = *state;
	char hex[SHA256_HEX], path[100], file[100];
	int64_t start = clock_mono_ns();
	struct why w;

	snprintf(path, sizeof(path), "%s/a", x->dir);
	snprintf(file, sizeof(file), "%s/b", x->dir);
	write_file(file, "data", 4);
	artifact_named("ab", hex);
	assert_int_equal(client_get_artifact(x->client, hex, path, &w), ERR_NOT_FOUND);
	assert_string_equal(w.text, "no such artifact");
	artifact_named("d0d0", hex);
	client_set_stall(x->client, 1);
	assert_int_equal(client_get_artifact(x->client, hex, path, &w), ERR_TIMEOUT);
	assert_true(clock_mono_ns() - start < 28 * NS_PER_S);
	artifact_named("d1d1", hex);
	assert_int_equal(client_get_artifact(x->client, hex, path, &w), ERR_UNAVAILABLE);
	artifact_named("d2d2", hex);
	assert_int_equal(client_put_artifact(x->client, file, hex, &w), ERR_UNPROCESSABLE);
	assert_string_equal(w.text, "the hash differs");
	artifact_named("d3d3", hex);
	assert_int_equal(client_put_artifact(x->client, file, hex, &w), ERR_AUTH);
	assert_int_equal(client_get_artifact(x->client, hex, path, &w), ERR_AUTH);
	assert_int_equal(client_get_artifact(x->client, "ab", path, &w), ERR_INPUT);
	assert_int_equal(client_put_artifact(x->client, file, "../x", &w), ERR_INPUT);
	artifact_named("ab", hex);
	assert_int_equal(client_put_artifact(x->client, path, hex, &w), ERR_IO);
	assert_int_equal(client_get_artifact(x->client, hex, "/no/dir/a", &w), ERR_IO);
	assert_int_equal(files_in(x->dir), 1);
	unlink(file);
}

static void a_large_refused_upload_gives_the_reason(void **state)
{
	struct world *x = *state;
	char hex[SHA256_HEX], file[100];
	char *data = xcalloc(1, 5 << 20);
	struct why w;

	/* large enough for curl to ask with Expect: 100-continue first */
	snprintf(file, sizeof(file), "%s/b", x->dir);
	write_file(file, data, 5 << 20);
	artifact_named("d2d2", hex);
	assert_int_equal(client_put_artifact(x->client, file, hex, &w), ERR_UNPROCESSABLE);
	assert_string_equal(w.text, "the hash differs");
	unlink(file);
	free(data);
}

static void a_failed_write_leaves_nothing(void **state)
{
	struct world *x = *state;
	char *data = xcalloc(1, 1 << 20);
	struct rlimit was, small;
	char hex[SHA256_HEX], path[100];
	struct why w;
	enum err e;

	hash_block(data, 1 << 20, hex);
	peer_set_artifact(x->peer, data, 1 << 20);
	snprintf(path, sizeof(path), "%s/a", x->dir);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 100000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	e = client_get_artifact(x->client, hex, path, &w);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(e, ERR_IO);
	assert_true(str_starts(w.text, "cannot write what \"http://127.0.0.1:"));
	assert_int_equal(files_in(x->dir), 0);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        PEER_TEST(artifacts_go_there_and_back),
	        PEER_TEST(a_wrong_hash_leaves_nothing),
	        PEER_TEST(artifact_errors),
	        PEER_TEST(a_large_refused_upload_gives_the_reason),
	        PEER_TEST(a_failed_write_leaves_nothing),
	};

	client_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
