#include "server/test/http_fixture.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct http *http;
struct daemon peer;
char *http_web, *http_tmp;
atomic_int http_afters;

static char dir[64];

/* ---------------------------------------------------------------- its handlers */

static enum err echo(struct http_req *req, struct http_resp *r, struct why *w)
{
	(void)w;
	buf_init(&r->body, 1 << 20);
	buf_add(&r->body, req->body ? req->body : "", req->body_len);
	return OK;
}

static enum err params(struct http_req *req, struct http_resp *r, struct why *w)
{
	(void)w;
	buf_init(&r->body, 4096);
	buf_addf(&r->body, "%s|%s|%lld", req->param[0], req->param[1] ? req->param[1] : "-",
	         (long long)req->id);
	return OK;
}

static enum err keep(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct stat st;

	(void)w;
	buf_init(&r->body, 4096);
	assert_int_equal(stat(req->body_path, &st), 0);
	buf_addf(&r->body, "%s %lld", req->body_sha256, (long long)st.st_size);
	return OK;
}

static enum err slow(struct http_req *req, struct http_resp *r, struct why *w)
{
	int64_t ms;
	enum err e = http_query_int(req, "ms", 0, 10000, 0, &ms, w);

	if (e != OK)
		return e;
	sleep_ms((int)ms);
	buf_init(&r->body, 64);
	buf_adds(&r->body, "slept");
	return OK;
}

static enum err fails(struct http_req *req, struct http_resp *r, struct why *w)
{
	/* What was filled in must be dropped, not sent and not leaked. */
	r->json = json_object();
	r->file_path = xstrdup("/nonexistent");
	http_resp_header(r, "X-Dropped", "yes");
	return err_set(w, (enum err)req->id, "error %lld of \"\xff\x01\"", (long long)req->id);
}

static enum err query(struct http_req *req, struct http_resp *r, struct why *w)
{
	int64_t n;
	enum err e = http_query_int(req, "n", -5, 5, 3, &n, w);

	if (e != OK)
		return e;
	buf_init(&r->body, 4096);
	buf_addf(&r->body, "%lld|%s", (long long)n,
	         http_query(req, "s") ? http_query(req, "s") : "-");
	return OK;
}

static enum err parse(struct http_req *req, struct http_resp *r, struct why *w)
{
	return http_json(req, &r->json, w);
}

static enum err nothing(struct http_req *req, struct http_resp *r, struct why *w)
{
	(void)req;
	(void)w;
	r->status = 204;
	return OK;
}

static enum err lost(struct http_req *req, struct http_resp *r, struct why *w)
{
	(void)req;
	(void)w;
	r->file_path = xstrdup("/nonexistent/file");
	return OK;
}

/* clang-format off */
const struct http_route http_fixture_routes[] = {
	{"POST", "/api/echo", ROLE_NONE, 1000, 0, echo, "", "echo"},
	{"POST", "/api/large", ROLE_NONE, 300000, 0, echo, "", "large"},
	{"GET", "/api/echo", ROLE_NONE, 0, 0, echo, "", "echo_get"},
	{"GET", "/api/n/{name}", ROLE_NONE, 0, 0, params, "", "name"},
	{"GET", "/api/n/latest", ROLE_NONE, 0, 0, params, "", "shadowed"},
	{"GET", "/api/i/{id}/sub/{name}", ROLE_NONE, 0, 0, params, "", "id"},
	{"GET", "/api/h/{sha256}", ROLE_NONE, 0, 0, params, "", "hash"},
	{"PUT", "/api/file", ROLE_NONE, 8 << 20, HTTP_BODY_FILE, keep, "", "file"},
	{"GET", "/api/slow", ROLE_NONE, 0, 0, slow, "", "slow"},
	{"GET", "/api/fail/{id}", ROLE_NONE, 0, 0, fails, "", "fail"},
	{"GET", "/api/query", ROLE_NONE, 0, 0, query, "", "query"},
	{"POST", "/api/json", ROLE_NONE, 1 << 20, 0, parse, "", "json"},
	{"DELETE", "/api/nothing", ROLE_NONE, 0, 0, nothing, "", "nothing"},
	{"GET", "/api/lost", ROLE_NONE, 0, 0, lost, "", "lost"},
	{"GET", "/api/read", ROLE_READ, 0, 0, nothing, "", "read"},
	{"POST", "/api/submit", ROLE_SUBMIT, 10, 0, nothing, "", "submit"},
	{"POST", "/api/agent", ROLE_AGENT, 10, 0, nothing, "", "agent"},
	{"POST", "/api/both", ROLE_AGENT, 10, HTTP_SUBMIT_TOO, nothing, "", "both"},
	{"POST", "/api/admin", ROLE_ADMIN, 10, 0, nothing, "", "admin"},
};
/* clang-format on */
const size_t http_fixture_count = ARRAY_SIZE(http_fixture_routes);

/* The token is the role's word. */
static enum err who(struct server *srv, const char *token, enum role *role, int64_t *id,
                    char *label, struct why *w)
{
	static const char *const words[] = {"read", "submit", "agent", "admin"};

	(void)srv;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(token, words[i]) == 0) {
			*role = (enum role)(i + 1);
			*id = 1;
			snprintf(label, 65, "%s", token);
			return OK;
		}
	}
	return err_set(w, ERR_AUTH, "unknown");
}

static void after(struct server *srv)
{
	(void)srv;
	http_afters++;
}

void web_put(const char *name, const char *text)
{
	char *path = path_join(http_web, name);

	assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), OK);
	free(path);
}

struct http_conf http_fixture_conf(void)
{
	return (struct http_conf){.host = "127.0.0.1",
	                          .threads = 4,
	                          .connections = 64,
	                          .per_address = 64,
	                          .timeout_s = 1,
	                          .tmp_dir = http_tmp,
	                          .web_dir = http_web,
	                          .authenticate = who,
	                          .body_max = 500000,
	                          .body_total = 400000,
	                          .after = after};
}

void http_fixture_start(const struct http_conf *c)
{
	struct why w = {""};

	if (http_start(NULL, c, http_fixture_routes, http_fixture_count, &http, &w) != OK)
		fail_msg("%s", w.text);
	peer.port = http_port(http);
}

int http_fixture_setup(void **state)
{
	struct http_conf c;
	char *link, *deep;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/foldwatch-http-XXXXXX");
	assert_non_null(mkdtemp(dir));
	http_web = path_join(dir, "web");
	http_tmp = path_join(dir, "tmp");
	deep = path_join(http_web, "deep");
	assert_int_equal(dir_make(deep, 0755, NULL), OK);
	assert_int_equal(dir_make(http_tmp, 0755, NULL), OK);
	web_put("index.html", "<p>front</p>");
	web_put("app.js", "export {};");
	web_put("empty.css", "");
	web_put("deep/index.html", "deep");
	web_put("program.php", "secret");
	web_put(".hidden.html", "hidden");
	web_put("../outside.html", "outside");
	link = path_join(http_web, "link.html");
	assert_int_equal(symlink("../outside.html", link), 0);
	free(link);
	free(deep);
	c = http_fixture_conf();
	http_fixture_start(&c);
	return 0;
}

int http_fixture_teardown(void **state)
{
	(void)state;
	http_stop(http, 5000);
	http = NULL;
	free(http_web);
	free(http_tmp);
	return dir_remove(dir, NULL) == OK ? 0 : -1;
}

void expect_text(const char *method, const char *path, const void *body, size_t len, int status,
                 const char *text)
{
	struct reply_raw r;

	ask(&peer, method, path, NULL, NULL, body, len, &r);
	if (r.status != status || (text && (!r.body || strcmp(r.body, text) != 0)))
		fail_msg("%s %s: %d %s", method, path, r.status, r.body ? r.body : "-");
	reply_raw_release(&r);
}
