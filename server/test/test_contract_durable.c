/*
 * What foldwatchd acknowledged is there after a stop, a kill -9, a disk on which
 * files may not grow.
 */
#include "server/test/harness.h"

#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKENS    "/api/v1/tokens"
#define ARTIFACTS "/api/v1/artifacts/"

static struct daemon *d;

static int make(void **state)
{
	(void)state;
	d = daemon_new(NULL);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	daemon_free(d);
	d = NULL;
	return 0;
}

/* ------------------------------------------------------------- acknowledged work */

#define CLIENTS 6

struct client_thread {
	int number;
	int64_t acknowledged[4000];
	int count, refused;
	char *artifact[200];
	int artifacts;
};

static atomic_bool enough;

/* As fast as it goes, until there is no answer; remembers what was said. */
static void *write_on(void *arg)
{
	struct client_thread *c = arg;

	for (int i = 0; c->count < 4000 && !enough; i++) {
		char *text = xasprintf("{\"label\":\"%d/%d\",\"role\":\"read\"}", c->number, i),
		     *head;
		struct reply_raw r = {0};
		json_t *o;
		int fd = raw_connect(d);

		if (fd < 0) {
			free(text);
			break;
		}
		if (i % 20 == 19 && c->artifacts < 200) {
			char hex[SHA256_HEX];

			hash_block(text, strlen(text), hex);
			head = xasprintf(
			        "PUT " ARTIFACTS "%s HTTP/1.1\r\nHost: t\r\n"
			        "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
			        hex, d->admin, strlen(text), text);
			raw_send(fd, head, strlen(head));
			raw_reply(fd, 10000, false, &r);
			if (r.status == 201)
				c->artifact[c->artifacts++] = xstrdup(hex);
		} else {
			head = xasprintf(
			        "POST " TOKENS " HTTP/1.1\r\nHost: t\r\n"
			        "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
			        d->admin, strlen(text), text);
			raw_send(fd, head, strlen(head));
			raw_reply(fd, 10000, false, &r);
			o = r.status == 201 ? json_loads(r.body, 0, NULL) : NULL;
			if (o)
				c->acknowledged[c->count++] =
				        json_integer_value(json_object_get(o, "id"));
			json_decref(o);
		}
		if (r.status == 503)
			c->refused++;
		close(fd);
		free(head);
		free(text);
		reply_raw_release(&r);
	}
	return NULL;
}

static struct client_thread clients[CLIENTS];
static pthread_t threads[CLIENTS];

static void begin_writing(void)
{
	enough = false;
	memset(clients, 0, sizeof(clients));
	for (int i = 0; i < CLIENTS; i++) {
		clients[i].number = i;
		assert_int_equal(pthread_create(&threads[i], NULL, write_on, &clients[i]), 0);
	}
	sleep_ms(700);
}

static int end_writing(void)
{
	int n = 0;

	enough = true;
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], NULL);
		n += clients[i].count;
	}
	return n;
}

/* All that was acknowledged is there, once. */
static void check_written(void)
{
	json_t *list = NULL, *one, *tokens, *by_id = json_object();
	size_t at;

	assert_int_equal(ask_json(d, "GET", TOKENS, d->admin, NULL, &list), 200);
	tokens = json_object_get(list, "tokens");
	json_array_foreach (tokens, at, one) {
		char id[24];

		snprintf(id, sizeof(id), "%lld",
		         (long long)json_integer_value(json_object_get(one, "id")));
		assert_null(json_object_get(by_id, id));
		json_object_set(by_id, id, one);
	}
	for (int i = 0; i < CLIENTS; i++) {
		for (int j = 0; j < clients[i].count; j++) {
			char id[24];

			snprintf(id, sizeof(id), "%lld", (long long)clients[i].acknowledged[j]);
			if (!json_object_get(by_id, id))
				fail_msg("token %s was acknowledged and is lost", id);
		}
		for (int j = 0; j < clients[i].artifacts; j++) {
			char *url = xasprintf(ARTIFACTS "%s", clients[i].artifact[j]);
			struct reply_raw r;
			char hex[SHA256_HEX];

			assert_int_equal(ask(d, "GET", url, NULL, NULL, NULL, 0, &r), 200);
			hash_block(r.body, r.body_len, hex);
			assert_string_equal(hex, clients[i].artifact[j]);
			reply_raw_release(&r);
			free(clients[i].artifact[j]);
			free(url);
		}
	}
	json_decref(by_id);
	json_decref(list);
}

static void stop_while_requests_run(void **state)
{
	int n;

	(void)state;
	daemon_start(d);
	begin_writing();
	daemon_stop(d);
	n = end_writing();
	assert_true(n > CLIENTS);
	daemon_start(d);
	check_written();
	daemon_stop(d);
}

static void kill_while_requests_run(void **state)
{
	(void)state;
	daemon_start(d);
	for (int round = 0; round < 3; round++) {
		begin_writing();
		daemon_kill(d);
		assert_true(end_writing() > CLIENTS);
		daemon_start(d);
		check_written();
	}
	daemon_stop(d);
}

static void kill_leaves_no_uploads(void **state)
{
	char *head, *tmp = path_join(d->dir, "state/tmp"), data[10000] = {0};
	uint64_t bytes = 0;
	int fd;

	(void)state;
	daemon_start(d);
	fd = raw_connect(d);
	head = xasprintf("PUT " ARTIFACTS
	                 "%064d HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n"
	                 "Content-Length: 50000\r\n\r\n",
	                 0, d->admin);
	raw_send(fd, head, strlen(head));
	raw_send(fd, data, sizeof(data));
	for (int i = 0; i < 500 && !bytes; i++) {
		sleep_ms(10);
		assert_int_equal(dir_bytes(tmp, &bytes, NULL), OK);
	}
	assert_true(bytes > 0);
	daemon_kill(d);
	close(fd);
	daemon_start(d);
	assert_int_equal(dir_bytes(tmp, &bytes, NULL), OK);
	assert_int_equal(bytes, 0);
	daemon_stop(d);
	free(head);
	free(tmp);
}

/* --------------------------------------------------------------------- full disk */

static int put_noise(size_t len, unsigned int seed, struct reply_raw *r)
{
	char *data = noise(len, seed), *url = artifact_url(data, len);
	int status = ask(d, "PUT", url, d->admin, NULL, data, len, r);

	free(url);
	free(data);
	return status;
}

static int post_token(int64_t *id)
{
	json_t *o = NULL;
	int status =
	        ask_json(d, "POST", TOKENS, d->admin, "{\"label\":\"x\",\"role\":\"read\"}", &o);

	*id = json_integer_value(json_object_get(o, "id"));
	json_decref(o);
	return status;
}

/* Nothing that was acknowledged is lost; what was refused was told. */
static void fill_up(int most)
{
	struct reply_raw r;
	int64_t id, last = 0;
	int status = 201;

	for (int i = 0; i < most && status == 201; i++) {
		status = post_token(&id);
		if (status == 201)
			last = id;
	}
	assert_true(last > 1);
	if (status != 201) {
		assert_int_equal(status, 507);
		ask(d, "GET", "/healthz", NULL, NULL, NULL, 0, &r);
		assert_true(r.status == 503 || r.status == 200);
		reply_raw_release(&r);
	}
	/* Reading goes on. */
	assert_int_equal(ask_json(d, "GET", TOKENS, d->admin, NULL, NULL), 200);
	daemon_kill(d);
	d->file_limit = 0;
	daemon_start(d);
	status = post_token(&id);
	assert_int_equal(status, 201);
	assert_true(id > last);
	ask(d, "GET", "/healthz", NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	reply_raw_release(&r);
}

static void files_may_not_grow(void **state)
{
	struct reply_raw r;

	(void)state;
	d->file_limit = 2 << 20; /* the migrations fit */
	daemon_start(d);
	put_noise(3 << 20, 1, &r);
	check_error(&r, 507, "no_space", "cannot keep the body");
	reply_raw_release(&r);
	assert_int_equal(put_noise(300 * 1024, 2, &r), 201);
	reply_raw_release(&r);
	fill_up(400);
	assert_int_equal(put_noise(3 << 20, 1, &r), 201);
	reply_raw_release(&r);
	daemon_stop(d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(stop_while_requests_run),
	        T(kill_while_requests_run),
	        T(kill_leaves_no_uploads),
	        T(files_may_not_grow),
	};

	alarm(400);
	return cmocka_run_group_tests_name("contract: durable", tests, NULL, NULL);
}
