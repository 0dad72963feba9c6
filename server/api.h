/*
 * api.h - the handlers that routes.c names, by file.
 */
#ifndef FOLDWATCH_API_H
#define FOLDWATCH_API_H

#include "server/server.h"

/* api_tokens.c */
http_handler tokens_list, token_make, token_delete;
/* api_artifacts.c */
http_handler artifact_get, artifact_put;
/* api_meta.c */
http_handler meta_health, meta_metrics, meta_openapi;

/* The OpenAPI document, made from the route table and openapi.c's schemas. */
json_t *openapi_document(const struct http_route *routes, size_t count);

#endif
