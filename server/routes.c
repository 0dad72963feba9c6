/*
 * routes.c - the one table of what the server answers.
 *
 * docs/api.md tells it for people, openapi.c adds the shapes; a test fails
 * when a row is missing in either.
 */
#include "server/api.h"

#include "lib/mem.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)
#define V1  "/api/v1"

/* clang-format off */
static const struct http_route routes[] = {
	{"GET", "/healthz", ROLE_NONE, 0, 0, meta_health,
	 "Whether the server works", "health"},
	{"GET", "/metrics", ROLE_READ, 0, 0, meta_metrics,
	 "Counters as Prometheus text", "metrics"},
	{"GET", V1 "/openapi.json", ROLE_READ, 0, 0, meta_openapi,
	 "This description", "openapi"},

	{"GET", V1 "/artifacts/{sha256}", ROLE_READ, 0, 0, artifact_get,
	 "The bytes with this hash", "artifact_get"},
	{"PUT", V1 "/artifacts/{sha256}", ROLE_AGENT, 64 * GIB, HTTP_BODY_FILE | HTTP_SUBMIT_TOO,
	 artifact_put, "Store bytes under their hash", "artifact_put"},

	{"GET", V1 "/tokens", ROLE_ADMIN, 0, 0, tokens_list,
	 "All tokens, without their secrets", "tokens_list"},
	{"POST", V1 "/tokens", ROLE_ADMIN, 64 * KIB, 0, token_make,
	 "Make a token; it is shown this once", "token_make"},
	{"DELETE", V1 "/tokens/{id}", ROLE_ADMIN, 0, 0, token_delete,
	 "Revoke a token", "token_delete"},
};
/* clang-format on */

const struct http_route *server_routes(size_t *count)
{
	*count = ARRAY_SIZE(routes);
	return routes;
}
