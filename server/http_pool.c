/*
 * http_pool.c - the threads on which handlers run.
 */
#include "server/http_priv.h"

#include "lib/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* Handlers parse JSON 32 deep and keep a few sentences; nothing recurses
 * further. */
#define HANDLER_STACK (512 * 1024)

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct exchange *first, **last;
	bool stopping;
	unsigned int threads;
	pthread_t thread[];
};

static void handle(struct exchange *x, bool stopping)
{
	struct http *h = x->http;

	http_body_end(x);
	if (x->refused == OK && stopping)
		x->refused = err_set(&x->why, ERR_UNAVAILABLE, "the server is stopping");
	if (x->refused != OK) {
		x->result = x->refused;
	} else {
		x->result = x->route->handler(&x->req, &x->resp, &x->why);
		if (h->conf.after)
			h->conf.after(h->srv);
	}
	/* A body that was read is not kept while the answer trickles away. */
	http_body_release(x);
	x->handled = true;
	/* From here on x belongs to libmicrohttpd's thread again. */
	MHD_resume_connection(x->conn);
}

static void *worker(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct exchange *x;
		bool stopping;

		while (!p->first && !p->stopping)
			pthread_cond_wait(&p->work, &p->lock);
		x = p->first;
		if (!x)
			break;
		p->first = x->next;
		if (!p->first)
			p->last = &p->first;
		stopping = p->stopping;
		pthread_mutex_unlock(&p->lock);
		handle(x, stopping);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

void http_pool_add(struct exchange *x)
{
	struct pool *p = x->http->pool;

	/* First: once it is in the queue it may be resumed at any moment. */
	MHD_suspend_connection(x->conn);
	x->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = x;
	p->last = &x->next;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

enum err http_pool_start(struct http *h, struct why *w)
{
	struct pool *p = xcalloc(1, sizeof(*p) + h->conf.threads * sizeof(p->thread[0]));
	pthread_attr_t attr;
	int rc = 0;

	p->last = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, HANDLER_STACK);
	while (!rc && p->threads < h->conf.threads) {
		rc = pthread_create(&p->thread[p->threads], &attr, worker, p);
		p->threads += !rc;
	}
	pthread_attr_destroy(&attr);
	h->pool = p;
	if (!rc)
		return OK;
	http_pool_stop(h);
	errno = rc;
	return err_sys(w, ERR_IO, "cannot start the threads that answer requests");
}

void http_pool_stop(struct http *h)
{
	struct pool *p = h->pool;

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned int i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	free(p);
	h->pool = NULL;
}
