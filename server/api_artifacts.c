#include "server/api.h"
#include "server/store_artifact.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "server/quota.h"

#include <pthread.h>
#include <string.h>

enum err artifact_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	const char *sha256 = req->param[0];
	int64_t bytes;
	enum err e = artifact_find(db_reader(req->srv->store), sha256, &bytes, w);

	if (e != OK)
		return e;
	r->file_path = artifact_path(req->srv->conf.dir, sha256);
	r->type = "application/octet-stream";
	http_resp_header(r, "ETag", "\"%s\"", sha256);
	/* What is named by its hash never changes. */
	http_resp_header(r, "Cache-Control", "private, max-age=31536000, immutable");
	http_resp_header(r, "Content-Disposition", "attachment");
	return OK;
}

/* Within the quota, or nothing is kept: one upload of submitters at a time is taken, so
 * that two cannot both fit into what is left for one. */
static enum err take_own(struct http_req *req, const char *sha256, bool *fresh, struct why *w)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct db *db = db_reader(req->srv->store);
	struct quota_ask a = {.label = req->token_label,
	                      .token = req->token_id,
	                      .conf = &req->srv->conf,
	                      .now_ms = clock_wall_ms()};
	int64_t bytes;
	enum err e;

	pthread_mutex_lock(&lock);
	a.more[QUOTA_BYTES] = (int64_t)req->body_len;
	e = artifact_find(db, sha256, &bytes, NULL);
	if (e == ERR_NOT_FOUND)
		e = quota_check(db, &a, w);
	if (e == OK)
		e = artifact_take(req->srv->store, req->srv->conf.dir, req->body_path, sha256,
		                  (int64_t)req->body_len, req->token_label, fresh, w);
	pthread_mutex_unlock(&lock);
	req->retry_after_s = a.retry_after_s;
	return e;
}

enum err artifact_put(struct http_req *req, struct http_resp *r, struct why *w)
{
	const char *sha256 = req->param[0];
	bool fresh = false;
	enum err e;

	if (!req->body_path)
		return err_set(w, ERR_INPUT, "the body is missing: expected the artifact's bytes");
	if (strcmp(sha256, req->body_sha256) != 0)
		return err_set(
		        w, ERR_UNPROCESSABLE,
		        "what came hashes to %s, not to %s: it was cut or changed on the way",
		        req->body_sha256, sha256);
	e = req->role == ROLE_SUBMIT
	            ? take_own(req, sha256, &fresh, w)
	            : artifact_take(req->srv->store, req->srv->conf.dir, req->body_path, sha256,
	                            (int64_t)req->body_len, NULL, &fresh, w);
	if (e != OK)
		return e;
	r->status = fresh ? 201 : 200;
	r->json = json_object();
	json_put_str(r->json, "sha256", sha256);
	json_put_int(r->json, "bytes", (int64_t)req->body_len);
	return OK;
}
