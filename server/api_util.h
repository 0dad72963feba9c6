/*
 * api_util.h - what the handlers of api_*.c share.
 */
#ifndef FOLDWATCH_SERVER_API_UTIL_H
#define FOLDWATCH_SERVER_API_UTIL_H

#include "lib/case.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/api.h"
#include "server/show.h"

/* `limit` (1-500, else 50) and `before` (an id) of a list. */
enum err api_page(const struct http_req *req, int64_t *limit, int64_t *before, struct why *w);
/* {"NAME":list,"next":ID|null}: next where the list is as long as allowed. */
json_t *api_list(const char *name, json_t *list, int64_t limit, int64_t last_id);
/* The Idempotency-Key, checked: 1-128 printable characters, or NULL. */
enum err api_key(const struct http_req *req, const char **key, struct why *w);
/* {id} of the route, or the newest finished submission under /latest. */
enum err api_submission_id(const struct http_req *req, int64_t *id, struct why *w);
/* ?case=, which must be there, in its canonical form. */
enum err api_case(const struct http_req *req, char canon[CASE_TEXT], struct why *w);
/* What a submission calls that kernel; NULL: it has none such. */
const char *api_kernel_name(const struct sub_kernels *k, int64_t id);
/* What an artifact holds that is a zstd frame, into out; a torn one is told as the
 * `what` that it should be. */
enum err api_unpack(const struct http_req *req, const char *sha256, const char *what,
                    size_t packed_max, struct buf *out, struct why *w);
/* "2026-12-31", not over and at most a year away: *until_ms is the end of that day, by
 * UTC. `again`: why not longer, for the sentence. */
enum err api_until(const char *text, int64_t now_ms, const char *again, int64_t *until_ms,
                   struct why *w);
/* ERR_INPUT for a reason that is nothing but blanks. */
enum err api_reason(const char *field, const char *text, struct why *w);
/* state, kind, board, limit and before of a list of alerts (api_alerts.c). */
struct alert_filter;
enum err alerts_filter(const struct http_req *req, struct alert_filter *f, struct why *w);
/* How the reference goes on a board; null: none is for it (api_reference.c). */
enum err api_reference_board(struct db *db, struct pool *p, const char *board, json_t **out,
                             struct why *w);
/* Who asks, for the record. */
const char *api_who(const struct http_req *req);

#endif
