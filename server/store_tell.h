/*
 * store_tell.h - subscriptions, and the outbox of what they are told.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_TELL_H
#define FOLDWATCH_SERVER_STORE_TELL_H

#include "server/store_submission.h"

struct subscription {
	int64_t id;
	const char *channel;                    /* mail, webhook, slack */
	const char *address, *secret;           /* never shown, never logged; secret may be NULL */
	const char *shown;                      /* what may be */
	const char *branch, *board, *case_glob; /* patterns; NULL: any */
	double min_size;                        /* fraction; NAN: any */
	const char *direction, *by;
	int64_t at_ms, ended_ms; /* NONE: in force */
	const char *ended_by;
};
struct subscriptions {
	struct subscription *at;
	size_t count;
};

enum err store_subscription_add(struct db *db, const struct subscription *s, int64_t *id,
                                struct why *w);
enum err store_subscription_get(struct db *db, int64_t id, struct pool *p, struct subscription *out,
                                struct why *w);
/* Oldest first, with those that ended. */
enum err store_subscription_list(struct db *db, struct pool *p, struct subscriptions *out,
                                 struct why *w);
/* ERR_NOT_FOUND; ERR_CONFLICT when it was ended already. What still waits for it is
 * given up. */
enum err store_subscription_end(struct db *db, int64_t id, const char *by, int64_t now_ms,
                                struct why *w);

/* One step for one subscription. */
struct letter {
	int64_t id;
	const char *delivery;
	int64_t alert, step, subscription;
	const char *channel, *state, *why;
	int64_t attempts, next_ms, created_ms, ended_ms;
};
struct letters {
	struct letter *at;
	size_t count;
};

/* Once a step and subscription. */
enum err store_outbox_add(struct db *db, int64_t alert, int64_t step, const struct subscription *s,
                          const char *delivery, int64_t now_ms, struct why *w);
/* True when the subscription was told of the alert before, or is being told. */
enum err store_outbox_knows(struct db *db, int64_t alert, int64_t subscription, bool *knows,
                            struct why *w);
/* Waiting and due - what waits beyond latest_ms was put off by a clock that was wrong -, those that
 * are due longest first, but behind all others those of a subscription to which the last try was in
 * vain; `mail`: of that channel, or of the others. A later step waits until the earlier ones of its
 * alert and subscription have left. */
enum err store_outbox_due(struct db *db, bool mail, int64_t now_ms, int64_t latest_ms,
                          int64_t limit, struct pool *p, struct letters *out, struct why *w);
/* When the next one may be due; INT64_MAX: none waits. */
enum err store_outbox_next(struct db *db, bool mail, int64_t *next_ms, struct why *w);
/* After a try: `state` sent, dead or waiting, then until next_ms. */
enum err store_outbox_tried(struct db *db, int64_t id, const char *state, const char *why,
                            int64_t next_ms, int64_t now_ms, struct why *w);
/* Of an alert, oldest first. */
enum err store_outbox_of(struct db *db, int64_t alert, struct pool *p, struct letters *out,
                         struct why *w);

/* The first subscription by mail that a step goes to; NONE. */
enum err store_outbox_first_mail(struct db *db, int64_t step, int64_t *subscription, struct why *w);

#endif
