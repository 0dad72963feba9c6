#include "agent/peer.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONNECT_MS 5000
#define TOTAL_MS   20000
#define AGENT      "foldwatch-agent/" FOLDWATCH_VERSION

void peer_init(struct peer *p, const struct agent_conf *conf)
{
	memset(p, 0, sizeof(*p));
	p->conf = conf;
	p->backoff_base_ms = 500;
	p->backoff_cap_ms = 10000;
}

void peer_release(struct peer *p)
{
	client_free(p->client);
	p->client = NULL;
}

static enum err token_read(const char *path, struct buf *b, struct why *w)
{
	struct stat st;
	enum err e = file_read(path, b, w);

	if (e != OK)
		return err_at(w, e, "token_file");
	while (b->len > 0 && strchr(" \t\r\n", b->data[b->len - 1]))
		b->data[--b->len] = '\0';
	if (b->len == 0 || strlen(b->data) != b->len || strpbrk(b->data, " \t\r\n"))
		return err_set(w, ERR_INPUT, "token_file \"%s\" does not hold one token", path);
	if (stat(path, &st) == 0 && (st.st_mode & 077))
		log_warn("token.readable", "file", path, "why",
		         "others than its owner may read it; make it mode 0600", NULL);
	return OK;
}

enum err peer_client(const struct agent_conf *conf, struct client **c, struct why *w)
{
	struct buf token;
	enum err e;

	*c = NULL;
	buf_init(&token, 256);
	e = token_read(conf->token_file, &token, w);
	if (e == OK)
		*c = client_new(conf->server, token.data, AGENT);
	explicit_bzero(token.data, token.len);
	buf_release(&token);
	return e;
}

bool peer_ready(const struct peer *p, int64_t now_ns)
{
	return now_ns >= p->not_before_ns;
}

static void pause_longer(struct peer *p)
{
	p->not_before_ns =
	        clock_mono_ns() +
	        clock_backoff_ms(p->failures, p->backoff_base_ms, p->backoff_cap_ms) * NS_PER_MS;
	p->failures++;
}

void peer_was_away(struct peer *p, const char *sentence)
{
	if (!p->away)
		log_warn("server.away", "server", p->conf->server, "why", sentence, NULL);
	p->away = true;
	pause_longer(p);
}

static enum err begin(struct peer *p, struct reply *r, struct why *w)
{
	enum err e;

	memset(r, 0, sizeof(*r));
	buf_init(&r->body, 1);
	r->next_offset = r->retry_after_s = -1;
	if (p->client)
		return OK;
	e = peer_client(p->conf, &p->client, w);
	if (e != OK) {
		peer_was_away(p, w->text);
		return e;
	}
	client_set_timeouts(p->client, CONNECT_MS, TOTAL_MS);
	return OK;
}

static enum err end(struct peer *p, enum err e, const struct why *w)
{
	switch (e) {
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		peer_was_away(p, w->text);
		return e;
	case ERR_AUTH:
	case ERR_DENIED:
		/* The owner may put a new token into the file at any time. */
		if (!p->away)
			log_error("server.refuses", "server", p->conf->server, "why", w->text,
			          NULL);
		p->away = true;
		pause_longer(p);
		client_free(p->client);
		p->client = NULL;
		return e;
	default:
		if (p->away)
			log_info("server.back", "server", p->conf->server, NULL);
		p->away = false;
		p->failures = 0;
		p->not_before_ns = 0;
		return e;
	}
}

enum err peer_json(struct peer *p, const char *method, const char *path, const json_t *body,
                   struct reply *r, struct why *w)
{
	enum err e = begin(p, r, w);

	if (e != OK)
		return e;
	return end(p, client_json(p->client, method, path, body, NULL, r, w), w);
}

enum err peer_bytes(struct peer *p, const char *method, const char *path, const char *type,
                    const void *data, size_t len, struct reply *r, struct why *w)
{
	enum err e = begin(p, r, w);

	if (e != OK)
		return e;
	return end(p, client_bytes(p->client, method, path, type, data, len, NULL, NULL, r, w), w);
}
