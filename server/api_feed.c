/* api_feed.c - alerts as Atom (RFC 4287). */
#include "server/alerts.h"
#include "server/api_util.h"
#include "server/xml.h"

#include <stdlib.h>

#define FEED_MAX  ((size_t)4 << 20)
#define CELLS_MAX 12 /* of an alert, as in a letter */

static void put_time(struct buf *b, const char *name, int64_t ms)
{
	char text[32];

	clock_iso(ms, text, sizeof(text));
	xml_element(b, name, text);
}

static void put_entry(struct buf *b, struct pool *p, const char *base, const struct alert *a,
                      const struct alert_cells *cells, const struct alert_steps *steps)
{
	const struct alert_step *last = &steps->at[steps->count - 1];
	struct buf text;

	buf_init(&text, 64 << 10);
	for (size_t i = 0; i < cells->count && i < CELLS_MAX; i++) {
		const struct alert_cell *c = &cells->at[i];

		if (c->case_text)
			buf_addf(&text, "%s on %s: %s\n", c->case_text, c->board,
			         alerts_size(p, c->metric, c->verdict, c->change));
		else
			buf_addf(&text, "boot %lld on %s\n", (long long)c->boot, c->board);
	}
	if (cells->count > CELLS_MAX)
		buf_addf(&text, "... and %zu more\n", cells->count - CELLS_MAX);
	buf_addf(&text, "%s: %s", last->to, last->why);
	xml_open(b, "entry", NULL);
	xml_element(b, "id",
	            pool_fmt(p, "urn:foldwatch:alert:%lld:%lld", (long long)a->id,
	                     (long long)a->created_ms));
	xml_element(b, "title", pool_fmt(p, "%s: %s", a->state, a->title));
	put_time(b, "published", a->created_ms);
	put_time(b, "updated", last->at_ms);
	if (base) {
		xml_open(b, "link", "href", pool_fmt(p, "%s/#/alert/%lld", base, (long long)a->id),
		         NULL);
		xml_close(b, "link");
	}
	xml_open(b, "category", "term", a->state, NULL);
	xml_close(b, "category");
	xml_open(b, "content", "type", "text", NULL);
	xml_text(b, text.data);
	xml_close(b, "content");
	xml_close(b, "entry");
	buf_release(&text);
}

enum err alerts_feed(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	const char *base = req->srv->conf.public_url, *branch = http_query(req, "branch");
	struct pool *p = pool_new();
	struct alert_filter f = {0};
	struct alerts list = {0};
	int64_t updated = 0;
	struct buf entries;
	size_t i, whole;
	enum err e = alerts_filter(req, &f, w);

	buf_init(&entries, FEED_MAX);
	if (e == OK)
		e = store_alert_list(db, &f, p, &list, w);
	for (i = 0; e == OK && i < list.count; i++) {
		const struct alert *a = &list.at[i];
		struct alert_cells cells = {0};
		struct alert_steps steps = {0};

		if (!alerts_of_branch(p, branch, a->tree, a->ref))
			continue;
		e = store_alert_cells(db, a->id, p, &cells, w);
		if (e == OK)
			e = store_alert_steps(db, a->id, p, &steps, w);
		if (e != OK || !steps.count)
			continue;
		/* The oldest are left out where there is too much: an entry is whole. */
		whole = entries.len;
		put_entry(&entries, p, base, a, &cells, &steps);
		if (entries.full) {
			entries.len = whole;
			break;
		}
		if (steps.at[steps.count - 1].at_ms > updated)
			updated = steps.at[steps.count - 1].at_ms;
	}
	if (e == OK) {
		buf_init(&r->body, FEED_MAX + 4096);
		buf_adds(&r->body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
		xml_open(&r->body, "feed", "xmlns", "http://www.w3.org/2005/Atom", NULL);
		xml_element(&r->body, "id", base ? base : "urn:foldwatch:alerts");
		xml_element(&r->body, "title", "foldwatch alerts");
		put_time(&r->body, "updated", updated);
		xml_open(&r->body, "author", NULL);
		xml_element(&r->body, "name", "foldwatch");
		xml_close(&r->body, "author");
		buf_add(&r->body, entries.data, entries.len);
		xml_close(&r->body, "feed");
		r->type = "application/atom+xml; charset=utf-8";
	}
	buf_release(&entries);
	pool_free(p);
	return e;
}
