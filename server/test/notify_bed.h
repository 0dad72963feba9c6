/*
 * notify_bed.h - a server that tells of its alerts, with a mail server and a receiver
 * of webhooks on loopback (lib/test/sink.h) and a fake agent.
 */
#ifndef FOLDWATCH_TEST_NOTIFY_BED_H
#define FOLDWATCH_TEST_NOTIFY_BED_H

#include "server/test/fake_agent.h"

#include "lib/test/sink.h"

#define WAIT_MS 15000 /* for what has to come */

/* Lines of its configuration. */
#define FAST   "notify_retry_ms = 20\nnotify_retry_max_s = 1\n"
#define ALLOW  "notify_allow = 127.0.0.1/32\n"
#define FROM   "mail_from = foldwatch@perf.example.org\n"
#define SECRET "0123456789abcdef0123"

struct place {
	struct fake *f;
	struct sink *smtp, *http;
	int submissions;
};

struct place *place_new(const char *extra);
void place_free(struct place *p);

/* Fails the test where the word is missing. */
void has(const char *text, const char *word);
void post(struct place *p, const char *token, const char *path, const char *body, int status,
          json_t **out);
/* Members of a subscription's JSON, as the administrator; its id. */
int64_t subscribe(struct place *p, const char *fields, json_t **out);
#define MAIL "\"channel\":\"mail\",\"to\":\"dev@example.org\""
/* To the sink: "webhook" with SECRET, or "slack". */
int64_t hook(struct place *p, const char *channel, const char *more);
/* Asks for a kernel that is slow; its jobs are done when it returns, and the
 * comparison is on its way. */
int64_t post_slow(struct place *p, const char *board);
/* The same, and the comparison is there. */
void slow(struct place *p, const char *board);
json_t *alert(struct place *p, int64_t id);
/* The alert once its told[i] has this state. */
json_t *told(struct place *p, int64_t id, size_t i, const char *state);
/* The sink's message i once it has come; free() it. */
char *message(struct sink *s, int i);
/* The line's value behind "NAME: "; free() it. */
char *header(const char *text, const char *name);

#endif
