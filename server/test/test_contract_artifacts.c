/*
 * Artifacts over the real foldwatchd: content by its hash, verified, once.
 */
#include "server/test/harness.h"

#include "lib/client.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKENS    "/api/v1/tokens"
#define ARTIFACTS "/api/v1/artifacts/"

static struct daemon *d;

static int start_one(void **state)
{
	(void)state;
	d = daemon_new("artifact_max_bytes = 4M\n");
	daemon_start(d);
	return 0;
}

static int stop_one(void **state)
{
	(void)state;
	daemon_stop(d);
	daemon_free(d);
	return 0;
}

static int put(const char *url, const char *token, const void *data, size_t len)
{
	struct reply_raw r;
	int status = ask(d, "PUT", url, token, NULL, data, len, &r);

	reply_raw_release(&r);
	return status;
}

static void artifact_there_and_back(void **state)
{
	static const size_t sizes[] = {0, 1, 4096, 1000003, 4 << 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *data = noise(sizes[i], (unsigned int)i), *url = artifact_url(data, sizes[i]);
		char *text;
		struct reply_raw r;

		ask(d, "GET", url, NULL, NULL, NULL, 0, &r);
		check_error(&r, 404, "not_found", "no artifact");
		reply_raw_release(&r);
		assert_int_equal(put(url, d->admin, data, sizes[i]), 201);
		assert_int_equal(put(url, d->admin, data, sizes[i]), 200);
		ask(d, "GET", url, NULL, NULL, NULL, 0, &r);
		assert_int_equal(r.status, 200);
		assert_int_equal(r.body_len, sizes[i]);
		assert_memory_equal(r.body, data, sizes[i]);
		reply_raw_release(&r);
		ask(d, "HEAD", url, NULL, NULL, NULL, 0, &r);
		assert_int_equal(r.status, 200);
		text = reply_raw_header(&r, "Content-Length");
		assert_int_equal(strtoull(text, NULL, 10), sizes[i]);
		free(text);
		text = reply_raw_header(&r, "Content-Type");
		assert_string_equal(text, "application/octet-stream");
		free(text);
		reply_raw_release(&r);
		if (sizes[i] > 100) {
			ask(d, "GET", url, NULL, "Range: bytes=10-59\r\n", NULL, 0, &r);
			assert_int_equal(r.status, 206);
			assert_int_equal(r.body_len, 50);
			assert_memory_equal(r.body, data + 10, 50);
			reply_raw_release(&r);
		}
		free(url);
		free(data);
	}
}

/* Files in the directory of uploads, which is empty between two of them. */
static int uploads(void)
{
	char *path = path_join(d->dir, "state/tmp");
	DIR *dir = opendir(path);
	int n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	free(path);
	return n;
}

static void artifact_with_a_wrong_hash(void **state)
{
	char *url = artifact_url("right", 5);

	(void)state;
	expect_error(d, "PUT", url, d->admin, "wrong", 422, "unprocessable", "hashes to");
	expect_error(d, "PUT", url, d->admin, "righ", 422, "unprocessable", NULL);
	expect_error(d, "PUT", url, d->admin, NULL, 422, "unprocessable", NULL);
	expect_error(d, "GET", url, NULL, NULL, 404, "not_found", NULL);
	assert_int_equal(uploads(), 0);
	/* And nothing keeps the right bytes from coming. */
	assert_int_equal(put(url, d->admin, "right", 5), 201);
	/* Nor do wrong ones change what is there. */
	expect_error(d, "PUT", url, d->admin, "wrong", 422, "unprocessable", NULL);
	assert_int_equal(put(url, d->admin, "right", 5), 200);
	free(url);
}

static void artifact_by_roles(void **state)
{
	char *data = noise(100, 99), *url = artifact_url(data, 100);
	char *reader = daemon_token(d, "read", NULL), *agent = daemon_token(d, "agent", NULL);
	char *submitter = daemon_token(d, "submit", NULL);

	(void)state;
	expect_error(d, "PUT", url, NULL, data, 401, "auth", "agent or submit");
	expect_error(d, "PUT", url, reader, data, 403, "denied", "agent or submit");
	assert_int_equal(put(url, submitter, data, 100), 201);
	assert_int_equal(put(url, agent, data, 100), 200);
	free(reader);
	free(agent);
	free(submitter);
	free(url);
	free(data);
}

static void artifact_too_large(void **state)
{
	size_t len = (4 << 20) + 1;
	char *data = noise(len, 5), *url = artifact_url(data, len), *head;
	struct reply_raw r;
	int fd;

	(void)state;
	ask(d, "PUT", url, d->admin, NULL, data, len, &r);
	check_error(&r, 413, "too_large", "4194304");
	reply_raw_release(&r);
	/* The same where nobody says how long it is. */
	fd = raw_connect(d);
	head = xasprintf("PUT %s HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n"
	                 "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
	                 url, d->admin, len);
	raw_send(fd, head, strlen(head));
	raw_send(fd, data, len);
	raw_send(fd, "\r\n0\r\n\r\n", 7);
	raw_reply(fd, 20000, false, &r);
	check_error(&r, 413, "too_large", "4194304");
	reply_raw_release(&r);
	close(fd);
	assert_int_equal(uploads(), 0);
	free(head);
	free(url);
	free(data);
}

struct putter {
	const char *url, *data;
	size_t len;
	int status;
};

static void *put_one(void *arg)
{
	struct putter *p = arg;

	p->status = put(p->url, d->admin, p->data, p->len);
	return NULL;
}

static void artifact_put_by_many_at_once(void **state)
{
	size_t len = 3 << 20;
	char *data = noise(len, 17), *url = artifact_url(data, len);
	struct putter p[8];
	pthread_t t[8];
	struct reply_raw r;
	int fresh = 0;

	(void)state;
	for (int i = 0; i < 8; i++) {
		p[i] = (struct putter){url, data, len, 0};
		assert_int_equal(pthread_create(&t[i], NULL, put_one, &p[i]), 0);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], NULL);
		assert_true(p[i].status == 201 || p[i].status == 200);
		fresh += p[i].status == 201;
	}
	assert_int_equal(fresh, 1);
	ask(d, "GET", url, NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.body_len, len);
	assert_memory_equal(r.body, data, len);
	reply_raw_release(&r);
	assert_int_equal(uploads(), 0);
	free(url);
	free(data);
}

/* The same through lib's client, both ways. */
static void artifact_through_the_client(void **state)
{
	size_t len = 2000001;
	char *data = noise(len, 23), *from = path_join(d->dir, "from"), hex[SHA256_HEX];
	char *to = path_join(d->dir, "to"), *agent = daemon_token(d, "agent", NULL),
	     got[SHA256_HEX];
	struct client *c = daemon_client(d, agent), *nobody = daemon_client(d, NULL);
	struct why w = {""};
	struct reply r;

	(void)state;
	assert_int_equal(file_write(from, data, len, 0600, NULL), OK);
	hash_block(data, len, hex);
	assert_int_equal(client_put_artifact(nobody, from, hex, &w), ERR_AUTH);
	if (client_put_artifact(c, from, hex, &w) != OK)
		fail_msg("%s", w.text);
	assert_int_equal(client_put_artifact(c, from, hex, &w), OK);
	assert_int_equal(client_get_artifact(nobody, hex, to, &w), OK);
	assert_int_equal(hash_file(to, got, NULL, &w), OK);
	assert_string_equal(got, hex);
	hex[0] = hex[0] == '0' ? '1' : '0';
	assert_int_equal(client_get_artifact(c, hex, to, &w), ERR_NOT_FOUND);
	/* The server's own sentence comes through. */
	assert_int_equal(client_json(c, "GET", TOKENS, NULL, NULL, &r, &w), ERR_DENIED);
	assert_int_equal(r.status, 403);
	assert_non_null(strstr(w.text, "this one has role agent"));
	reply_release(&r);
	client_free(c);
	client_free(nobody);
	free(agent);
	free(from);
	free(to);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(artifact_there_and_back),
	        cmocka_unit_test(artifact_with_a_wrong_hash),
	        cmocka_unit_test(artifact_by_roles),
	        cmocka_unit_test(artifact_too_large),
	        cmocka_unit_test(artifact_put_by_many_at_once),
	        cmocka_unit_test(artifact_through_the_client),
	};

	alarm(300);
	return cmocka_run_group_tests_name("contract: artifacts", tests, start_one, stop_one);
}
