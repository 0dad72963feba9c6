/*
 * api_meta.c - how the server does: health, metrics, its own description.
 */
#include "server/api.h"
#include "server/store_meta.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err meta_health(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db_counters c;

	db_counters(req->srv->store, &c);
	if (!c.healthy)
		return err_set(w, ERR_UNAVAILABLE, "the last write did not reach the disk");
	r->json = json_object();
	json_put_str(r->json, "status", "ok");
	return OK;
}

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *b, const char *name, const char *type, const char *help, uint64_t v)
{
	head(b, name, type, help);
	buf_addf(b, "%s %llu\n", name, (unsigned long long)v);
}

/* Pages in memory, from the second number of /proc/self/statm; 0: unknown. */
static uint64_t resident_bytes(void)
{
	struct buf b;
	const char *at;
	uint64_t pages = 0;

	buf_init(&b, 4096);
	if (file_read("/proc/self/statm", &b, NULL) == OK && (at = strchr(b.data, ' ')))
		pages = strtoull(at, NULL, 10);
	buf_release(&b);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void job_line(void *ctx, const char *kind, const char *state, int64_t count)
{
	buf_addf(ctx, "foldwatch_jobs{kind=\"%s\",state=\"%s\"} %lld\n", kind, state,
	         (long long)count);
}

/* The kind is an agent's word: only plain ones go between the quotes. */
static void board_line(void *ctx, const char *kind, const char *state, int64_t count)
{
	if (strpbrk(kind, "\"\\\n"))
		kind = "other";
	buf_addf(ctx, "foldwatch_boards{kind=\"%s\",state=\"%s\"} %lld\n", kind, state,
	         (long long)count);
}

static void alert_line(void *ctx, const char *state, const char *none, int64_t count)
{
	(void)none;
	buf_addf(ctx, "foldwatch_alerts{state=\"%s\"} %lld\n", state, (long long)count);
}

static void outbox_line(void *ctx, const char *channel, const char *none, int64_t count)
{
	(void)none;
	buf_addf(ctx, "foldwatch_outbox{channel=\"%s\"} %lld\n", channel, (long long)count);
}

/* https://prometheus.io/docs/instrumenting/exposition_formats/ */
enum err meta_metrics(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct buf *b = &r->body;
	struct http_counters hc;
	struct db *db = db_reader(req->srv->store);
	struct db_counters dc;
	enum err e;

	buf_init(b, 64 * 1024);
	http_counters(req->srv->http, &hc);
	db_counters(req->srv->store, &dc);
	head(b, "foldwatch_http_responses_total", "counter", "Answers by class of status.");
	for (int i = 1; i < 6; i++)
		buf_addf(b, "foldwatch_http_responses_total{class=\"%dxx\"} %llu\n", i,
		         (unsigned long long)hc.by_class[i]);
	one(b, "foldwatch_http_requests_total", "counter", "Requests begun.", hc.requests);
	one(b, "foldwatch_http_received_bytes_total", "counter", "Bytes of bodies that came.",
	    hc.bytes_in);
	one(b, "foldwatch_http_sent_bytes_total", "counter", "Bytes of bodies that went.",
	    hc.bytes_out);
	one(b, "foldwatch_http_connections", "gauge", "Connections open.", hc.open_connections);
	one(b, "foldwatch_db_commits_total", "counter", "Transactions that reached the disk.",
	    dc.commits);
	one(b, "foldwatch_db_writes_total", "counter", "Writes inside them.", dc.writes);
	one(b, "foldwatch_db_reads_total", "counter", "Statements begun on read connections.",
	    dc.reads);
	one(b, "foldwatch_db_queue", "gauge", "Writes that wait.", dc.queue);
	one(b, "foldwatch_db_bytes", "gauge", "Size of the database.", dc.file_bytes);
	one(b, "foldwatch_db_wal_bytes", "gauge", "Size of its write-ahead log.", dc.wal_bytes);
	one(b, "foldwatch_db_healthy", "gauge", "1 when the last write reached the disk.",
	    dc.healthy);
	one(b, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
	head(b, "foldwatch_uptime_seconds", "gauge", "Seconds since the start.");
	buf_addf(b, "foldwatch_uptime_seconds %.3f\n",
	         (double)(clock_mono_ns() - req->srv->started_ns) / (double)NS_PER_S);
	head(b, "foldwatch_jobs", "gauge", "Jobs that wait or run.");
	e = store_meta_jobs(db, job_line, b, w);
	head(b, "foldwatch_boards", "gauge", "Boards.");
	if (e == OK)
		e = store_meta_boards(db, board_line, b, w);
	head(b, "foldwatch_alerts", "gauge", "Alerts that ask for somebody.");
	if (e == OK)
		e = store_meta_alerts(db, alert_line, b, w);
	head(b, "foldwatch_outbox", "gauge", "Steps of alerts that wait to be told.");
	if (e == OK)
		e = store_meta_outbox(db, outbox_line, b, w);
	head(b, "foldwatch_info", "gauge", "Version.");
	buf_addf(b, "foldwatch_info{version=\"%s\"} 1\n", FOLDWATCH_VERSION);
	r->type = "text/plain; version=0.0.4; charset=utf-8";
	return e;
}

enum err meta_openapi(struct http_req *req, struct http_resp *r, struct why *w)
{
	size_t count;
	const struct http_route *routes = server_routes(&count);

	(void)req;
	(void)w;
	r->json = openapi_document(routes, count);
	return OK;
}
