/* track_bed.c - a branch that is followed, for contract tests. */
#include "server/test/track_bed.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct followed followed;

static void commit_of(char letter, char out[41])
{
	char hex[65];

	hash_block(&letter, 1, hex);
	memcpy(out, hex, 40);
	out[40] = '\0';
}

const char *followed_name(char letter)
{
	static char name[4][41];
	static int at;

	at = (at + 1) % 4;
	commit_of(letter, name[at]);
	name[at][12] = '\0';
	return name[at];
}

static json_t *show_commit(char letter)
{
	char id[41], subject[32];
	bool merge = letter >= 'A' && letter <= 'Z';
	json_t *o = json_object();

	commit_of(letter, id);
	snprintf(subject, sizeof(subject), "mm: commit %c", letter);
	json_put_str(o, "commit", id);
	json_put_str(o, "source", id);
	json_put_str(o, "subject", subject);
	json_put_str(o, "author", "A <a@example.org>");
	json_put_int(o, "parents", merge ? 2 : 1);
	json_put_str(o, "patch_id",
	             merge || (followed.unchanged && strchr(followed.unchanged, letter)) ? NULL
	                                                                                 : id);
	json_put_bool(o, "known", followed.rebase && letter == 'k');
	json_put_bool(o, "mainline", !followed.side || !strchr(followed.side, letter));
	return o;
}

static json_t *walk(struct fake *f, const json_t *spec)
{
	const char *branch = followed.branch, *from = branch;
	const char *since = json_str(spec, "since", NULL);
	bool rebase = followed.rebase;
	json_t *o = json_object(), *list = json_array();
	char id[41], first[41];

	assert_string_equal(str_at(spec, "ref"), "master");
	if (f->walk_fails && (since || !str_starts(f->walk_fails, "since"))) {
		json_decref(o);
		json_decref(list);
		return NULL;
	}
	if (since && rebase) {
		from = branch + 1; /* the first letter is the base */
	} else if (since) {
		for (commit_of(*from, id); *from && strcmp(id, since) != 0; commit_of(*from, id))
			from++;
		if (!*from)
			fail_msg("the branch has no %s", since);
		from++;
	} else {
		from = branch + strlen(branch) - 1;
	}
	commit_of(branch[strlen(branch) - 1], id);
	commit_of(*branch, first);
	json_put_str(o, "tip", id);
	json_put_str(o, "base", since ? rebase ? first : since : NULL);
	json_put_bool(o, "linear", since && !rebase);
	json_put_int(o, "omitted", 0);
	for (; *from; from++)
		json_array_append_new(list, show_commit(*from));
	json_put(o, "commits", list);
	return o;
}

int followed_setup(void **state)
{
	struct fake *f;

	fake_setup(state);
	f = *state;
	fake_announce(f, false);
	f->walk = walk;
	followed = (struct followed){.branch = "a"};
	return 0;
}

int followed_post(struct fake *f, int64_t track, const char *what, const char *body, json_t **out)
{
	char *path = track ? xasprintf("/api/v1/tracks/%lld/%s", (long long)track, what)
	                   : xstrdup("/api/v1/tracks");
	int status = ask_json(f->d, "POST", path, f->submit, body, out);

	free(path);
	return status;
}

int64_t followed_add_body(struct fake *f, const char *body)
{
	json_t *o = NULL;
	int64_t id;
	int status = followed_post(f, 0, NULL, body, &o);

	if (status != 201)
		fail_msg("%d %s", status, str_at(o, "error.message"));
	id = int_at(o, "id");
	json_decref(o);
	return id;
}

int64_t followed_add(struct fake *f, const char *more)
{
	char *body = xasprintf(TRACK_BODY "%s}", more);
	int64_t id = followed_add_body(f, body);

	free(body);
	return id;
}

json_t *followed_get(struct fake *f, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/tracks/%lld", (long long)id);
	return fake_get(f, path);
}

/* As followed_until() has it; free() it. */
static char *told(const json_t *t)
{
	const json_t *points = at(t, "points");
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < json_array_size(points); i++) {
		const json_t *x = json_array_get(points, i);
		const char *against = str_at(x, "against"), *state = str_at(x, "state");
		char id[41];

		buf_adds(&b, i ? " " : "");
		for (char c = 'A'; c <= 'z'; c++) {
			commit_of(c, id);
			if (strcmp(id, str_at(x, "commit")) == 0)
				buf_addc(&b, c);
		}
		buf_adds(&b, against ? "<" : "");
		for (char c = 'A'; against && c <= 'z'; c++) {
			commit_of(c, id);
			if (strcmp(id, against) == 0)
				buf_addc(&b, c);
		}
		buf_adds(&b, strcmp(state, "done") == 0     ? ""
		             : strcmp(state, "failed") == 0 ? "!"
		                                            : ".");
	}
	return b.len ? buf_take(&b, NULL) : xstrdup("");
}

json_t *followed_until(struct fake *f, int64_t id, const char *want)
{
	int64_t end = clock_mono_ns() + 15 * NS_PER_S;
	json_t *t;
	char *got;

	for (;;) {
		fake_work(f);
		t = followed_get(f, id);
		got = told(t);
		if (strcmp(got, want) == 0) {
			free(got);
			return t;
		}
		if (clock_mono_ns() > end)
			fail_msg("the points are \"%s\", not \"%s\"; why: %s", got, want,
			         str_at(t, "why") ? str_at(t, "why") : "-");
		free(got);
		json_decref(t);
		sleep_ms(20);
	}
}

void followed_settled(struct fake *f, int64_t id, const char *want)
{
	json_decref(followed_until(f, id, want));
}

void followed_look(struct fake *f, int64_t id)
{
	json_t *o = NULL;
	int status = followed_post(f, id, "look", NULL, &o);

	if (status != 200)
		fail_msg("%d %s", status, str_at(o, "error.message"));
	json_decref(o);
}

int followed_boots(struct fake *f, int64_t sub)
{
	char path[64];
	json_t *s;
	int n = 0;

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	s = fake_get(f, path);
	for (size_t i = 0; i < json_array_size(at(s, "jobs")); i++)
		n += str_eq(str_at(json_array_get(at(s, "jobs"), i), "kind"), "boot");
	json_decref(s);
	return n;
}
