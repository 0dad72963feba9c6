#include "server/notify.h"

#include "lib/client_out.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "server/alerts.h"
#include "server/notify_cc.h"
#include "server/search.h"
#include "server/store_boot.h"
#include "server/suspect.h"
#include "server/tell.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_MS      1000 /* between two looks, unless poked */
#define AT_A_TIME    16
#define MESSAGE_MAX  ((size_t)1 << 20)
#define PASSWORD_MAX 1024

struct line {
	struct notify *n;
	bool mail;
	pthread_t thread;
	pthread_cond_t cond;
	bool poked;
};

struct notify {
	struct server *srv;
	struct guard guard;
	char *password; /* NULL: none */
	atomic_bool stop;
	pthread_mutex_t lock;
	struct line line[2];
	unsigned int lines; /* that run */
};

enum err notify_guard(const struct server_conf *c, struct guard *g, struct why *w)
{
	enum err e = OK;

	*g = (struct guard){0};
	for (size_t i = 0; e == OK && i < c->notify_allow.count; i++)
		e = err_at(w, guard_allow(g, c->notify_allow.items[i], w), "notify_allow");
	return e;
}

/* ---- one letter */

struct sending {
	struct notify *n;
	const struct letter *letter;
	struct pool *pool;
	struct subscription sub;
	struct alert alert;
	struct alert_cells cells;
	struct alert_step step;
	struct suspect suspect;
	struct telling telling;
	const char **cc; /* mail: who gets a copy */
	size_t cc_count;
	/* what came of it */
	const char *state;
	const char *why; /* NULL: it was taken */
	int64_t next_ms, now_ms;
};

static enum err load_fault(struct db *db, struct sending *s, struct why *w)
{
	struct boot b = {0};
	enum err e = store_boot_get(db, s->alert.boot, s->pool, &b, w);

	if (e == OK)
		e = store_boot_faults(db, s->pool, &b, w);
	for (size_t i = 0; e == OK && i < b.faults; i++)
		if (str_eq(b.fault[i].signature, s->alert.signature)) {
			s->telling.fault_line = b.fault[i].text;
			s->telling.fault_place = b.fault[i].place;
			break;
		}
	return e;
}

/* What the search found in the alert's series, for the worse. */
static enum err load_patches(struct db *db, struct sending *s, struct why *w)
{
	struct search_effects effects = {0};
	struct search_patch *found;
	struct tell_patch *all = NULL;
	struct series of = {0};
	size_t count = 0, n;
	enum err e = store_series_get(db, s->alert.submission, s->pool, &of, w);

	if (e == OK && of.is)
		e = store_search_effects(db, s->alert.submission, s->pool, &effects, w);
	n = search_patches(s->pool, &effects, &found);
	for (size_t i = 0; e == OK && i < n; i++) {
		const struct search_effect *x = found[i].most;
		const struct series_patch *last;

		if (!str_eq(x->verdict, "slower") || x->last < 1 || x->last > (int64_t)of.count)
			continue;
		last = &of.patch[x->last - 1];
		*(struct tell_patch *)pool_push(s->pool, (void **)&all, &count, sizeof(*all)) =
		        (struct tell_patch){.commit = last->commit,
		                            .subject = last->subject,
		                            .author = last->author,
		                            .first = x->first,
		                            .last = x->last,
		                            .case_text = x->case_text,
		                            .board = x->board,
		                            .change = x->change,
		                            .cells = found[i].cells};
	}
	s->telling.patch = all;
	s->telling.patches = count;
	return e;
}

static enum err load(struct sending *s, struct why *w)
{
	struct db *db = db_reader(s->n->srv->store);
	const struct letter *l = s->letter;
	enum err e = db_snapshot(db, w);

	if (e != OK)
		return e;
	e = store_subscription_get(db, l->subscription, s->pool, &s->sub, w);
	if (e == OK)
		e = store_alert_get(db, l->alert, s->pool, &s->alert, w);
	if (e == OK)
		e = store_alert_cells(db, l->alert, s->pool, &s->cells, w);
	if (e == OK)
		e = store_alert_step_get(db, l->step, s->pool, &s->step, w);
	if (e == OK && s->alert.signature)
		e = load_fault(db, s, w);
	if (e == OK && !s->step.from && s->alert.submission != NONE && !s->alert.signature)
		e = load_patches(db, s, w);
	if (e == OK)
		e = suspect_load(&s->n->srv->conf, db, s->pool, l->alert, l->step, &s->suspect,
		                 &s->telling.bisection, w);
	if (e == OK && str_eq(s->sub.channel, "mail"))
		e = notify_cc(db, s->pool, &s->n->srv->conf, &s->alert, l, s->sub.address, &s->cc,
		              &s->cc_count, w);
	db_snapshot_end(db);
	s->telling.suspect = s->telling.bisection ? &s->suspect : NULL;
	s->telling.alert = &s->alert;
	s->telling.cells = &s->cells;
	s->telling.step = &s->step;
	s->telling.delivery = l->delivery;
	s->telling.public_url = s->n->srv->conf.public_url;
	s->telling.subscription = s->sub.id;
	return e;
}

static enum err send_mail_to(struct sending *s, size_t cc_count, int *status, struct why *w)
{
	const struct server_conf *c = &s->n->srv->conf;
	struct out_mail m = {.server = c->mail_server,
	                     .tls = (enum out_tls)c->mail_tls,
	                     .ca = c->mail_ca,
	                     .user = c->mail_user,
	                     .password = s->n->password,
	                     .from = c->mail_from,
	                     .to = s->sub.address,
	                     .cc = s->cc,
	                     .cc_count = cc_count,
	                     .timeout_ms = c->notify_timeout_s * 1000,
	                     .stop = &s->n->stop};
	struct buf text;
	enum err e;

	*status = 0;
	if (!c->mail_server)
		return err_set(w, ERR_UNAVAILABLE, "mail_server is not configured");
	m.hello = strchr(c->mail_from, '@') + 1;
	buf_init(&text, MESSAGE_MAX);
	s->telling.cc = s->cc;
	s->telling.cc_count = cc_count;
	tell_mail(&s->telling, c->mail_from, s->sub.address, s->letter->created_ms, &text);
	m.text = text.data;
	e = out_mail(&m, status, w);
	buf_release(&text);
	return e;
}

/* Tries after which a mail server's "later" is no longer waited for with copies. */
#define CC_TRIES 3

/* Whoever subscribed gets it, even where a mail server refuses one of the copies: it
 * refuses before it takes the text, so nobody gets it twice. */
static enum err send_mail(struct sending *s, int *status, struct why *w)
{
	enum err e = send_mail_to(s, s->cc_count, status, w);

	if (e == OK || !s->cc_count ||
	    !(*status >= 500 || (*status >= 400 && s->letter->attempts >= CC_TRIES)))
		return e;
	log_warn("notify.without_copies", "delivery", s->letter->delivery, "why", w->text, NULL);
	return send_mail_to(s, 0, status, w);
}

static enum err send_post(struct sending *s, int *status, struct why *w)
{
	const struct server_conf *c = &s->n->srv->conf;
	struct buf text;
	char stamp[24], hex[SHA256_HEX], *lines[4] = {0};
	struct out_post p = {.url = s->sub.address,
	                     .headers = (const char *const *)lines,
	                     .guard = &s->n->guard,
	                     .timeout_ms = c->notify_timeout_s * 1000,
	                     .stop = &s->n->stop};
	enum err e;

	buf_init(&text, MESSAGE_MAX);
	if (str_eq(s->sub.channel, "slack"))
		tell_slack(&s->telling, &text);
	else
		tell_webhook(&s->telling, &text);
	p.body = text.data;
	snprintf(stamp, sizeof(stamp), "%lld", (long long)(s->now_ms / 1000));
	lines[0] = xasprintf("Foldwatch-Delivery: %s", s->letter->delivery);
	lines[1] = xasprintf("Foldwatch-Timestamp: %s", stamp);
	if (s->sub.secret) {
		const struct hmac_part parts[] = {
		        {stamp, strlen(stamp)}, {".", 1}, {text.data, text.len}, {0}};

		hmac_sha256(s->sub.secret, strlen(s->sub.secret), parts, hex);
		lines[2] = xasprintf("Foldwatch-Signature: sha256=%s", hex);
	}
	e = out_post(&p, status, w);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		free(lines[i]);
	buf_release(&text);
	return e;
}

/* Nobody is there, and trying again finds nobody either: RFC 5321, 4.2.3; RFC 9110,
 * 15.5.11. */
static bool is_final(bool mail, int status)
{
	static const int gone[] = {550, 551, 553, 556};

	if (!mail)
		return status == 410;
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		if (status == gone[i])
			return true;
	return false;
}

static void judge(struct sending *s, enum err e, int status, const char *why)
{
	const struct server_conf *c = &s->n->srv->conf;
	const struct letter *l = s->letter;
	bool mail = str_eq(s->sub.channel, "mail");

	s->state = "sent";
	s->next_ms = s->now_ms = clock_wall_ms();
	if (e == OK)
		return;
	s->why = why;
	s->next_ms += clock_backoff_ms((unsigned int)(l->attempts < 30 ? l->attempts : 30),
	                               c->notify_retry_ms, c->notify_retry_max_s * 1000);
	s->state = is_final(mail, status) || s->next_ms > l->created_ms + c->notify_give_up_s * 1000
	                   ? "dead"
	                   : "waiting";
}

static enum err store_tried(struct db *db, void *arg, struct why *w)
{
	const struct sending *s = arg;
	const struct letter *l = s->letter;
	enum err e = store_outbox_tried(db, l->id, s->state, s->why, s->next_ms, s->now_ms, w);
	const char *note;

	if (e != OK || !str_eq(s->state, "dead") || !db_changes(db))
		return e;
	note = pool_fmt(s->pool, "subscription %lld (%s) was not told of step %lld, in %lld %s: %s",
	                (long long)l->subscription, s->sub.channel, (long long)l->step,
	                (long long)l->attempts + 1, l->attempts ? "tries" : "try", s->why);
	return alerts_person(db, l->alert, NULL, note, NULL, s->now_ms, w);
}

/* True when it was taken. */
static bool send_one(struct notify *n, const struct letter *l, struct pool *p)
{
	struct sending s = {.n = n, .letter = l, .pool = p, .now_ms = clock_wall_ms()};
	struct why w = {""};
	int status = 0;
	enum err e = load(&s, &w);

	if (e == OK)
		e = str_eq(s.sub.channel, "mail") ? send_mail(&s, &status, &w)
		                                  : send_post(&s, &status, &w);
	json_decref(s.telling.bisection);
	if (e == ERR_CANCELLED)
		return false;
	judge(&s, e, status, w.text);
	if (e == OK)
		log_info("notify.sent", "delivery", l->delivery, "alert", log_i(l->alert),
		         "subscription", log_i(l->subscription), "channel", l->channel, NULL);
	else
		log_warn(str_eq(s.state, "dead") ? "notify.given_up" : "notify.failed", "delivery",
		         l->delivery, "alert", log_i(l->alert), "subscription",
		         log_i(l->subscription), "channel", l->channel, "why", w.text, NULL);
	if (db_write(n->srv->store, store_tried, &s, &w) != OK)
		log_error("notify.store", "why", w.text, NULL);
	return e == OK;
}

/* ---- threads */

static void send_due(struct line *x)
{
	struct notify *n = x->n;
	struct letters due;
	size_t count;
	int64_t now;
	struct why w;

	do {
		struct pool *p = pool_new();

		due = (struct letters){0};
		now = clock_wall_ms();
		if (store_outbox_due(db_reader(n->srv->store), x->mail, now,
		                     now + n->srv->conf.notify_retry_max_s * 1000 + LOOK_MS,
		                     AT_A_TIME, p, &due, &w) != OK)
			log_error("notify.look", "why", w.text, NULL);
		count = due.count;
		/* One that is not taken may have cost a whole timeout: what came meanwhile
		 * for those who do answer is before the next of its kind. */
		for (size_t i = 0; i < count && !atomic_load(&n->stop); i++)
			if (!send_one(n, &due.at[i], p))
				break;
		pool_free(p);
	} while (count && !atomic_load(&n->stop));
	db_reader_rest(n->srv->store);
}

/* How long nothing is due, at most LOOK_MS. */
static int64_t idle_ms(struct line *x)
{
	int64_t next = INT64_MAX, now = clock_wall_ms();

	if (store_outbox_next(db_reader(x->n->srv->store), x->mail, &next, NULL) != OK ||
	    next > now + LOOK_MS)
		return LOOK_MS;
	return next > now ? next - now : 1;
}

static void *line_main(void *arg)
{
	struct line *x = arg;
	struct notify *n = x->n;

	while (!atomic_load(&n->stop)) {
		struct timespec until;
		int64_t ms;

		send_due(x);
		ms = idle_ms(x);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += ms / 1000;
		until.tv_nsec += ms % 1000 * NS_PER_MS;
		if (until.tv_nsec >= NS_PER_S) {
			until.tv_sec++;
			until.tv_nsec -= NS_PER_S;
		}
		pthread_mutex_lock(&n->lock);
		while (!x->poked && !atomic_load(&n->stop))
			if (pthread_cond_timedwait(&x->cond, &n->lock, &until) != 0)
				break;
		x->poked = false;
		pthread_mutex_unlock(&n->lock);
	}
	return NULL;
}

/* The first line of the file. */
static enum err read_password(struct notify *n, const char *path, struct why *w)
{
	struct buf b;
	enum err e;

	if (!path)
		return OK;
	buf_init(&b, PASSWORD_MAX);
	e = file_read(path, &b, w);
	if (e == OK)
		n->password = xstrndup(b.data, strcspn(b.data, "\r\n"));
	if (e == OK && !*n->password)
		e = err_set(w, ERR_INPUT, "mail_password_file: \"%s\" is empty", path);
	if (b.len)
		explicit_bzero(b.data, b.len);
	buf_release(&b);
	return e;
}

static void release(struct notify *n)
{
	guard_release(&n->guard);
	if (n->password)
		explicit_bzero(n->password, strlen(n->password));
	free(n->password);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

enum err notify_start(struct server *srv, struct why *w)
{
	struct notify *n = xcalloc(1, sizeof(*n));
	pthread_condattr_t attr;
	enum err e;

	n->srv = srv;
	pthread_mutex_init(&n->lock, NULL);
	e = notify_guard(&srv->conf, &n->guard, w);
	if (e == OK)
		e = read_password(n, srv->conf.mail_password_file, w);
	if (e != OK) {
		release(n);
		return e;
	}
	srv->notify = n;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	for (size_t i = 0; e == OK && i < ARRAY_SIZE(n->line); i++) {
		struct line *x = &n->line[i];

		x->n = n;
		x->mail = i == 0;
		pthread_cond_init(&x->cond, &attr);
		if (pthread_create(&x->thread, NULL, line_main, x) != 0)
			e = err_set(w, ERR_IO, "cannot start the thread that tells of alerts");
		else
			n->lines++;
	}
	pthread_condattr_destroy(&attr);
	return e;
}

void notify_poke(struct server *srv)
{
	struct notify *n = srv->notify;

	if (!n)
		return;
	pthread_mutex_lock(&n->lock);
	for (unsigned int i = 0; i < n->lines; i++) {
		n->line[i].poked = true;
		pthread_cond_signal(&n->line[i].cond);
	}
	pthread_mutex_unlock(&n->lock);
}

void notify_stop(struct server *srv)
{
	struct notify *n = srv->notify;

	if (!n)
		return;
	atomic_store(&n->stop, true);
	notify_poke(srv);
	for (unsigned int i = 0; i < n->lines; i++) {
		pthread_join(n->line[i].thread, NULL);
		pthread_cond_destroy(&n->line[i].cond);
	}
	srv->notify = NULL;
	release(n);
}
