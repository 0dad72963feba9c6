#include "server/api.h"
#include "server/store_artifact.h"

#include "lib/json.h"

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
	e = artifact_take(req->srv->store, req->srv->conf.dir, req->body_path, sha256,
	                  (int64_t)req->body_len, &fresh, w);
	if (e != OK)
		return e;
	r->status = fresh ? 201 : 200;
	r->json = json_object();
	json_put_str(r->json, "sha256", sha256);
	json_put_int(r->json, "bytes", (int64_t)req->body_len);
	return OK;
}
