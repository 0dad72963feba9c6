/* alert_bed.c - alerts of branches that are followed, for contract tests. */
#include "server/test/alert_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bed bed;

static bool among(const char *letters, const char *name)
{
	for (; *letters; letters++)
		if (strstr(name, followed_name(*letters)))
			return true;
	return false;
}

static double effect(const char *name)
{
	return among(bed.slow, name) ? bed.by : 0;
}

static bool bad(const char *name)
{
	return among(bed.faulty, name) && (bed.shows > 0 ? bed.shows-- > 0 : bed.shows < 0);
}

int bed_setup(void **state)
{
	struct fake *f;

	followed_setup(state);
	f = *state;
	bed = (struct bed){.slow = "", .faulty = "", .shows = -1, .by = .02};
	f->effect = effect;
	f->bad = bad;
	f->faults = json_pack(
	        "[{s:i,s:s,s:s,s:s,s:b}]", "line", 7, "kind", "warning", "function", "foo_probe",
	        "text", "WARNING: CPU: 0 PID: 1 at drivers/foo.c:9 foo_probe+0x4/0x60", "fatal", 0);
	f->fault_console = f->console;
	return 0;
}

int bed_teardown(void **state)
{
	struct fake *f = *state;

	json_decref((json_t *)f->faults);
	return fake_teardown(state);
}

int64_t bed_follow(struct fake *f, const char *boards, const char *cases)
{
	char *body = xasprintf("{\"tree\":\"" TRACK_TREE "\",\"branch\":\"master\",\"boards\":[%s],"
	                       "\"cases\":[%s],\"plan\":{\"boots\":6}}",
	                       boards, cases);
	int64_t id = followed_add_body(f, body);

	free(body);
	followed_settled(f, id, "a");
	return id;
}

void bed_grows(struct fake *f, int64_t track, const char *branch, const char *want)
{
	followed.branch = branch;
	followed_look(f, track);
	followed_settled(f, track, want);
}

json_t *bed_alert(struct fake *f, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/alerts/%lld", (long long)id);
	return fake_get(f, path);
}

void bed_is(struct fake *f, int64_t id, const char *state)
{
	json_t *a = bed_alert(f, id);

	assert_string_equal(str_at(a, "state"), state);
	json_decref(a);
}

static bool over(const json_t *a)
{
	const char *state =
	        json_is_null(at(a, "bisection")) ? "done" : str_at(a, "bisection.state");

	return str_eq(state, "done") || str_eq(state, "gave_up") || str_eq(state, "cancelled");
}

json_t *bed_becomes(struct fake *f, int64_t id, const char *state)
{
	int64_t end = clock_mono_ns() + 15 * NS_PER_S;

	for (;;) {
		json_t *a;

		fake_work(f);
		a = bed_alert(f, id);
		if (str_eq(str_at(a, "state"), state) && over(a))
			return a;
		if (clock_mono_ns() > end) {
			char *text = json_dumps(a, JSON_COMPACT);

			fail_msg("alert %lld is no %s: %s", (long long)id, state, text);
		}
		json_decref(a);
		sleep_ms(20);
	}
}

const char *bed_why(struct fake *f, int64_t id, const char *state, json_t **a)
{
	const char *why = "";

	*a = bed_alert(f, id);
	for (size_t i = 0; i < json_array_size(at(*a, "steps")); i++) {
		const json_t *s = json_array_get(at(*a, "steps"), i);

		if (str_eq(str_at(s, "to"), state))
			why = str_at(s, "why");
	}
	return why;
}

int bed_times(struct fake *f, int64_t id, const char *state)
{
	json_t *a = bed_alert(f, id);
	int n = 0;

	for (size_t i = 0; i < json_array_size(at(a, "steps")); i++) {
		const json_t *s = json_array_get(at(a, "steps"), i);

		n += str_eq(str_at(s, "to"), state) && !str_eq(str_at(s, "from"), state);
	}
	json_decref(a);
	return n;
}

int bed_alerts(struct fake *f)
{
	json_t *o = fake_get(f, "/api/v1/alerts");
	int n = (int)json_array_size(at(o, "alerts"));

	json_decref(o);
	return n;
}

void bed_person(struct fake *f, int64_t id, const char *what, const char *body)
{
	char *path = xasprintf("/api/v1/alerts/%lld/%s", (long long)id, what);
	json_t *o = NULL;
	int status = ask_json(f->d, "POST", path, f->submit, body, &o);

	if (status != 200)
		fail_msg("%s: %d %s", path, status, str_at(o, "error.message"));
	json_decref(o);
	free(path);
}

void bed_subscribe(struct fake *f)
{
	json_t *o = NULL;

	assert_int_equal(ask_json(f->d, "POST", "/api/v1/subscriptions", f->d->admin,
	                          "{\"channel\":\"webhook\",\"to\":\"https://93.184.215.14/x\"}",
	                          &o),
	                 201);
	json_decref(o);
}
