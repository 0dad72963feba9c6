/* api_feed.c - alerts as Atom (RFC 4287). */
#include "server/alerts.h"
#include "server/api_util.h"
#include "server/xml.h"

#include "lib/client.h"

#include <stdlib.h>

#define FEED_MAX  ((size_t)4 << 20)
#define CELLS_MAX 12   /* of an alert, as in a letter */
#define LOOKED_AT 5000 /* alerts, for those of a branch */

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

/* What is asked for, as a feed's readers tell one from another: in an order of its own,
 * whatever that of the query. */
static const char *const filters[] = {"state", "kind", "board", "branch"};

static void put_head(struct buf *b, struct http_req *req, struct pool *p, int64_t updated)
{
	const char *base = req->srv->conf.public_url, *query = "", *title = "foldwatch alerts";
	const char *id;

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		const char *value = http_query(req, filters[i]);
		char *encoded = value ? url_encode(value) : NULL;

		if (value) {
			query = pool_fmt(p, "%s%c%s=%s", query, *query ? '&' : '?', filters[i],
			                 encoded);
			title = pool_fmt(p, "%s, %s %s", title, filters[i], value);
		}
		free(encoded);
	}
	id = base ? pool_fmt(p, "%s/feeds/alerts.atom%s", base, query)
	          : pool_fmt(p, "urn:foldwatch:alerts%s", query);
	buf_adds(b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
	xml_open(b, "feed", "xmlns", "http://www.w3.org/2005/Atom", NULL);
	xml_element(b, "id", id);
	xml_element(b, "title", title);
	put_time(b, "updated", updated);
	if (base) {
		xml_open(b, "link", "rel", "self", "href", id, NULL);
		xml_close(b, "link");
	}
	xml_open(b, "author", NULL);
	xml_element(b, "name", "foldwatch");
	xml_close(b, "author");
}

struct feed {
	struct db *db;
	struct pool *pool;
	const char *base, *branch;
	int64_t entries, updated;
	struct buf text;
};

/* Nothing where the feed is full: what is there stays whole. */
static enum err add_entry(struct feed *x, const struct alert *a, struct why *w)
{
	struct alert_cells cells = {0};
	struct alert_steps steps = {0};
	struct buf one;
	enum err e = store_alert_cells(x->db, a->id, x->pool, &cells, w);

	if (e == OK)
		e = store_alert_steps(x->db, a->id, x->pool, &steps, w);
	if (e != OK || !steps.count)
		return e;
	buf_init(&one, FEED_MAX);
	put_entry(&one, x->pool, x->base, a, &cells, &steps);
	if (!one.full && buf_add(&x->text, one.data, one.len)) {
		x->entries++;
		if (steps.at[steps.count - 1].at_ms > x->updated)
			x->updated = steps.at[steps.count - 1].at_ms;
	}
	buf_release(&one);
	return OK;
}

/* Page by page, until there are as many of that branch as are asked for. */
static enum err add_entries(struct feed *x, struct alert_filter *f, struct why *w)
{
	struct alerts list;
	int64_t seen = 0;
	enum err e;

	do {
		list = (struct alerts){0};
		e = store_alert_list(x->db, f, x->pool, &list, w);
		for (size_t i = 0; e == OK && i < list.count && x->entries < f->limit; i++) {
			const struct alert *a = &list.at[i];

			f->before = a->id;
			if (alerts_of_branch(x->pool, x->branch, a->tree, a->ref))
				e = add_entry(x, a, w);
		}
		seen += (int64_t)list.count;
	} while (e == OK && (int64_t)list.count == f->limit && x->entries < f->limit &&
	         seen < LOOKED_AT && !x->text.full);
	return e;
}

enum err alerts_feed(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct feed x = {.db = db_reader(req->srv->store),
	                 .pool = pool_new(),
	                 .base = req->srv->conf.public_url,
	                 .branch = http_query(req, "branch")};
	struct alert_filter f = {0};
	enum err e = alerts_filter(req, &f, w);

	buf_init(&x.text, FEED_MAX);
	if (e == OK)
		e = add_entries(&x, &f, w);
	if (e == OK) {
		buf_init(&r->body, FEED_MAX + 16384);
		put_head(&r->body, req, x.pool, x.updated);
		buf_add(&r->body, x.text.data, x.text.len);
		xml_close(&r->body, "feed");
		r->type = "application/atom+xml; charset=utf-8";
	}
	buf_release(&x.text);
	pool_free(x.pool);
	return e;
}
