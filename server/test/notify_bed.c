#include "server/test/notify_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place *place_new(const char *extra)
{
	struct place *p = xcalloc(1, sizeof(*p));
	char cwd[4096], *conf;
	struct daemon *d;

	p->smtp = sink_new(SINK_SMTP);
	p->http = sink_new(SINK_HTTP);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	conf = xasprintf("lease_s = 5\nkernel_dir = %s/kernel\nnotify_timeout_s = 1\n"
	                 "mail_server = smtp://127.0.0.1:%d\n" FROM "%s",
	                 cwd, sink_port(p->smtp), extra);
	d = daemon_new(conf);
	free(conf);
	daemon_start(d);
	p->f = fake_new(d);
	fake_announce(p->f, true);
	return p;
}

void place_free(struct place *p)
{
	struct daemon *d = p->f->d;

	fake_free(p->f);
	daemon_stop(d);
	daemon_free(d);
	sink_free(p->smtp);
	sink_free(p->http);
	free(p);
}

void has(const char *text, const char *word)
{
	if (!text || !strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text ? text : "(nothing)");
}

void post(struct place *p, const char *token, const char *path, const char *body, int status,
          json_t **out)
{
	json_t *o = NULL;
	int got = ask_json(p->f->d, "POST", path, token, body, &o);

	if (got != status)
		fail_msg("%s %s: %d %s", path, body, got, json_dumps(o, JSON_ENCODE_ANY));
	if (out)
		*out = o;
	else
		json_decref(o);
}

int64_t subscribe(struct place *p, const char *fields, json_t **out)
{
	char *body = xasprintf("{%s}", fields);
	json_t *o;
	int64_t id;

	post(p, p->f->d->admin, "/api/v1/subscriptions", body, 201, &o);
	id = int_at(o, "id");
	if (out)
		*out = o;
	else
		json_decref(o);
	free(body);
	return id;
}

int64_t hook(struct place *p, const char *channel, const char *more)
{
	char *fields = xasprintf(
	        "\"channel\":\"%s\",\"to\":\"http://127.0.0.1:%d/in/s3cret\"%s%s", channel,
	        sink_port(p->http),
	        strcmp(channel, "webhook") == 0 ? ",\"secret\":\"" SECRET "\"" : "", more);
	int64_t id = subscribe(p, fields, NULL);

	free(fields);
	return id;
}

int64_t post_slow(struct place *p, const char *board)
{
	char *body = xasprintf(
	        "{\"title\":\"t\",\"kernels\":[{\"name\":\"base\",\"tree\":"
	        "\"https://example.org/"
	        "linux.git\",\"ref\":\"v6.12\"},{\"name\":\"slow-%d\",\"tree\":"
	        "\"https://example.org/linux.git\",\"ref\":\"topic/it's-%d\"}],\"boards\":[\"%s\"],"
	        "\"cases\":[\"fork/order=0,size=16M\",\"fork/order=9,size=16M\"],"
	        "\"plan\":{\"boots\":8}}",
	        p->submissions, p->submissions, board);
	int64_t sub = fake_submit(p->f, body);

	p->submissions++;
	free(body);
	fake_work(p->f);
	return sub;
}

void slow(struct place *p, const char *board)
{
	json_decref(fake_await(p->f, post_slow(p, board), "done"));
}

json_t *alert(struct place *p, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/alerts/%lld", (long long)id);
	return fake_get(p->f, path);
}

json_t *told(struct place *p, int64_t id, size_t i, const char *state)
{
	int64_t until = clock_mono_ns() + WAIT_MS * NS_PER_MS;

	for (;;) {
		json_t *o = alert(p, id);
		const json_t *t = json_array_get(at(o, "told"), i);

		if (strcmp(json_str(t, "state", ""), state) == 0)
			return o;
		if (clock_mono_ns() > until)
			fail_msg("told[%zu] is %s after %d ms: %s", i, json_str(t, "state", "none"),
			         WAIT_MS, json_str(t, "why", ""));
		json_decref(o);
		sleep_ms(10);
	}
}

char *message(struct sink *s, int i)
{
	char *text;

	if (sink_await(s, i + 1, WAIT_MS) <= i)
		fail_msg("message %d did not come", i);
	text = sink_message(s, i);
	assert_non_null(text);
	return text;
}

char *header(const char *text, const char *name)
{
	char *start = xasprintf("\n%s: ", name);
	const char *at = strstr(text, start);
	char *value = at ? xstrndup(at + strlen(start), strcspn(at + strlen(start), "\n")) : NULL;

	free(start);
	return value;
}
