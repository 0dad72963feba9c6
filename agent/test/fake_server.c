#include "agent/test/fake_server.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX (256 << 20)

struct fake_server {
	pthread_mutex_t lock;
	struct MHD_Daemon *daemon;
	uint16_t port;
	char url[64];
	int64_t lease_s;
	int refuse_results, refuse_all;
	struct fake_job job[FAKE_JOBS];
	size_t jobs;
	int64_t order[FAKE_JOBS];
	size_t orders;
	char artifact[256][65];
	size_t artifacts;
	char *announced;
	int claims, announces;
};

struct request {
	struct buf body;
};

struct answer {
	int status;
	char *text;
	int64_t next_offset;
};

static struct answer say(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static struct answer say(int status, const char *fmt, ...)
{
	struct answer a = {.status = status, .next_offset = -1};
	va_list ap;

	va_start(ap, fmt);
	a.text = xvasprintf(fmt, ap);
	va_end(ap);
	return a;
}

static struct answer refuse(int status, const char *message)
{
	return say(status, "{\"error\":{\"code\":\"x\",\"message\":\"%s\"}}", message);
}

static void expire(struct fake_server *f)
{
	for (size_t i = 0; i < f->jobs; i++) {
		if (f->job[i].leased && clock_mono_ns() > f->job[i].expires_ns)
			f->job[i].leased = false;
	}
}

static struct fake_job *find(struct fake_server *f, int64_t id)
{
	return id >= 1 && (size_t)id <= f->jobs ? &f->job[id - 1] : NULL;
}

static bool listed(const json_t *list, const char *word)
{
	size_t i;
	json_t *o;

	json_array_foreach (list, i, o) {
		if (strcmp(json_string_value(o), word) == 0)
			return true;
	}
	return false;
}

static struct answer claim(struct fake_server *f, json_t *body)
{
	expire(f);
	for (size_t i = 0; i < f->jobs; i++) {
		struct fake_job *j = &f->job[i];
		json_t *spec;
		bool fits;

		if (j->leased || j->done || j->cancel ||
		    !listed(json_object_get(body, "kinds"), j->kind))
			continue;
		spec = json_loads(j->spec, 0, NULL);
		fits = strcmp(j->kind, "boot") != 0 ||
		       listed(json_object_get(body, "boards"), json_str(spec, "board", ""));
		json_decref(spec);
		if (!fits)
			continue;
		j->leased = true;
		j->attempt++;
		j->expires_ns = clock_mono_ns() + f->lease_s * NS_PER_S;
		f->claims++;
		return say(200,
		           "{\"id\":%" PRId64 ",\"kind\":\"%s\",\"attempt\":%" PRId64
		           ",\"lease_s\":%" PRId64 ",\"domain\":\"0123456789abcdef\",\"spec\":%s}",
		           j->id, j->kind, j->attempt, f->lease_s, j->spec);
	}
	return say(204, "%s", "");
}

static struct answer renew(struct fake_server *f, struct fake_job *j, json_t *body)
{
	json_t *p = json_object_get(body, "progress");

	expire(f);
	if (!j->leased || json_int(body, "attempt", 0) != j->attempt)
		return refuse(409, "the lease is another's");
	j->expires_ns = clock_mono_ns() + f->lease_s * NS_PER_S;
	j->renewals++;
	if (p && json_int(p, "done", 0) > j->max_done)
		j->max_done = (int)json_int(p, "done", 0);
	return say(200, "{\"cancel\":%s,\"lease_s\":%" PRId64 "}", j->cancel ? "true" : "false",
	           f->lease_s);
}

static struct answer result(struct fake_server *f, struct fake_job *j, json_t *body,
                            const struct buf *raw)
{
	expire(f);
	if (f->refuse_results)
		return refuse(f->refuse_results, "results are refused");
	if (json_int(body, "attempt", 0) != j->attempt || (!j->leased && !j->done)) {
		j->fenced++;
		return refuse(409, "the attempt is fenced");
	}
	if (j->done) {
		if (strcmp(j->result, raw->data) != 0)
			return refuse(409, "the key came with other content");
		j->duplicates++;
		return say(200, "{}");
	}
	j->done = true;
	j->leased = false;
	j->results++;
	j->result = xstrdup(raw->data);
	f->order[f->orders++] = j->id;
	return say(200, "{}");
}

static struct answer log_add(struct fake_job *j, int64_t attempt, int64_t offset,
                             const struct buf *raw)
{
	struct answer a;
	size_t skip;

	if (attempt != j->attempt)
		return refuse(409, "the attempt is fenced");
	if (offset < 0 || (size_t)offset > j->log_len)
		return refuse(409, "the offset is past the end");
	skip = j->log_len - (size_t)offset;
	if (skip < raw->len) {
		j->log = xreallocarray(j->log, j->log_len + raw->len - skip + 1, 1);
		memcpy(j->log + j->log_len, raw->data + skip, raw->len - skip);
		j->log_len += raw->len - skip;
		j->log[j->log_len] = '\0';
	}
	a = say(200, "{}");
	a.next_offset = (int64_t)j->log_len;
	return a;
}

static bool has(const struct fake_server *f, const char *hex)
{
	for (size_t i = 0; i < f->artifacts; i++) {
		if (strcmp(f->artifact[i], hex) == 0)
			return true;
	}
	return false;
}

static struct answer artifact(struct fake_server *f, const char *method, const char *hex,
                              const struct buf *raw)
{
	char real[SHA256_HEX];

	if (strcmp(method, "PUT") != 0)
		return has(f, hex) ? say(200, "%s", "") : refuse(404, "no such artifact");
	hash_block(raw->data, raw->len, real);
	if (strcmp(real, hex) != 0)
		return refuse(422, "the hash differs");
	if (!has(f, hex))
		snprintf(f->artifact[f->artifacts++], 65, "%s", hex);
	return say(201, "{}");
}

static int64_t query(struct MHD_Connection *c, const char *key)
{
	const char *v = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, key);

	return v ? strtoll(v, NULL, 10) : -1;
}

static struct answer route(struct fake_server *f, struct MHD_Connection *c, const char *method,
                           const char *url, const struct buf *raw)
{
	json_t *body = NULL;
	struct answer a = refuse(404, "no such route");
	const char *type = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type");
	const char *auth = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
	struct fake_job *j = NULL;
	char rest[32] = "";
	int64_t id = 0;

	if (f->refuse_all)
		return free(a.text), refuse(f->refuse_all, "everything is refused");
	if (!auth || strcmp(auth, "Bearer secret-token") != 0)
		return free(a.text), refuse(401, "the token is wrong");
	if (type && strcmp(type, "application/json") == 0)
		body = json_loadb(raw->data, raw->len, 0, NULL);
	if (sscanf(url, "/api/v1/jobs/%" SCNd64 "/%31s", &id, rest) == 2)
		j = find(f, id);
	if (strcmp(url, "/api/v1/jobs/claim") == 0) {
		free(a.text);
		a = claim(f, body);
	} else if (strncmp(url, "/api/v1/agents/", 15) == 0) {
		free(a.text);
		free(f->announced);
		f->announced = xstrdup(raw->data);
		f->announces++;
		a = say(200, "{}");
	} else if (strncmp(url, "/api/v1/artifacts/", 18) == 0) {
		free(a.text);
		a = artifact(f, method, url + 18, raw);
	} else if (j && strcmp(rest, "lease") == 0) {
		free(a.text);
		a = renew(f, j, body);
	} else if (j && strcmp(rest, "log") == 0) {
		free(a.text);
		a = log_add(j, query(c, "attempt"), query(c, "offset"), raw);
	} else if (j && strcmp(rest, "result") == 0 &&
	           MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Idempotency-Key")) {
		free(a.text);
		a = result(f, j, body, raw);
	}
	json_decref(body);
	return a;
}

static enum MHD_Result reply(struct MHD_Connection *c, struct answer *a)
{
	struct MHD_Response *r =
	        MHD_create_response_from_buffer(strlen(a->text), a->text, MHD_RESPMEM_MUST_FREE);
	char number[32];
	enum MHD_Result rc;

	MHD_add_response_header(r, "Content-Type", "application/json");
	if (a->next_offset >= 0) {
		snprintf(number, sizeof(number), "%" PRId64, a->next_offset);
		MHD_add_response_header(r, "Foldwatch-Next-Offset", number);
	}
	rc = MHD_queue_response(c, (unsigned int)a->status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **ctx)
{
	struct fake_server *f = cls;
	struct request *q = *ctx;
	struct answer a;

	(void)version;
	if (!q) {
		q = xcalloc(1, sizeof(*q));
		buf_init(&q->body, BODY_MAX);
		*ctx = q;
		return MHD_YES;
	}
	if (*size > 0) {
		buf_add(&q->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	pthread_mutex_lock(&f->lock);
	a = route(f, c, method, url, &q->body);
	pthread_mutex_unlock(&f->lock);
	return reply(c, &a);
}

static void completed(void *cls, struct MHD_Connection *c, void **ctx,
                      enum MHD_RequestTerminationCode code)
{
	struct request *q = *ctx;

	(void)cls;
	(void)c;
	(void)code;
	if (q)
		buf_release(&q->body);
	free(q);
}

void fake_up(struct fake_server *f)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(f->port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->daemon =
	        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, f->port, NULL, NULL, handle, f,
	                         MHD_OPTION_SOCK_ADDR, &a, MHD_OPTION_NOTIFY_COMPLETED, completed,
	                         NULL, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	if (!f->daemon)
		err_bug("the fake server does not start");
	f->port = MHD_get_daemon_info(f->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u", f->port);
}

void fake_down(struct fake_server *f)
{
	if (f->daemon)
		MHD_stop_daemon(f->daemon);
	f->daemon = NULL;
}

struct fake_server *fake_start(void)
{
	struct fake_server *f = xcalloc(1, sizeof(*f));

	pthread_mutex_init(&f->lock, NULL);
	f->lease_s = 5;
	fake_up(f);
	return f;
}

void fake_free(struct fake_server *f)
{
	fake_down(f);
	for (size_t i = 0; i < f->jobs; i++) {
		free(f->job[i].spec);
		free(f->job[i].result);
		free(f->job[i].log);
	}
	free(f->announced);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

const char *fake_url(const struct fake_server *f)
{
	return f->url;
}

int64_t fake_add(struct fake_server *f, const char *kind, const char *spec)
{
	struct fake_job *j;

	pthread_mutex_lock(&f->lock);
	j = &f->job[f->jobs++];
	j->id = (int64_t)f->jobs;
	snprintf(j->kind, sizeof(j->kind), "%s", kind);
	j->spec = xstrdup(spec);
	pthread_mutex_unlock(&f->lock);
	return j->id;
}

#define LOCKED(statement)                       \
	do {                                    \
		pthread_mutex_lock(&f->lock);   \
		statement;                      \
		pthread_mutex_unlock(&f->lock); \
	} while (0)

void fake_lease_s(struct fake_server *f, int64_t s)
{
	LOCKED(f->lease_s = s);
}

void fake_cancel(struct fake_server *f, int64_t id)
{
	LOCKED(find(f, id)->cancel = true);
}

void fake_fence(struct fake_server *f, int64_t id)
{
	LOCKED(find(f, id)->attempt++);
}

void fake_refuse_results(struct fake_server *f, int status)
{
	LOCKED(f->refuse_results = status);
}

void fake_refuse_all(struct fake_server *f, int status)
{
	LOCKED(f->refuse_all = status);
}

struct fake_job fake_job(struct fake_server *f, int64_t id)
{
	struct fake_job j;

	LOCKED(j = *find(f, id); j.spec = NULL; j.result = j.result ? xstrdup(j.result) : NULL;
	       j.log = j.log ? xstrdup(j.log) : NULL);
	return j;
}

void fake_job_release(struct fake_job *j)
{
	free(j->result);
	free(j->log);
}

void fake_order(struct fake_server *f, int64_t *ids, size_t max)
{
	LOCKED(for (size_t i = 0; i < max; i++) ids[i] = i < f->orders ? f->order[i] : 0);
}

int fake_claims(struct fake_server *f)
{
	int n;

	LOCKED(n = f->claims);
	return n;
}

int fake_announces(struct fake_server *f)
{
	int n;

	LOCKED(n = f->announces);
	return n;
}

char *fake_announced(struct fake_server *f)
{
	char *text;

	LOCKED(text = f->announced ? xstrdup(f->announced) : NULL);
	return text;
}

size_t fake_artifact_count(struct fake_server *f)
{
	size_t n;

	LOCKED(n = f->artifacts);
	return n;
}

bool fake_has_artifact(struct fake_server *f, const char *sha256)
{
	bool yes;

	LOCKED(yes = has(f, sha256));
	return yes;
}
