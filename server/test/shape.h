/*
 * shape.h - what went over the wire against the server's own OpenAPI document.
 */
#ifndef FOLDWATCH_TEST_SHAPE_H
#define FOLDWATCH_TEST_SHAPE_H

#include <jansson.h>
#include <stdbool.h>

/* The document of this build, made once. Borrowed. */
json_t *shape_document(void);
/* Fails the test when a request that was taken, or its answer, is not what the
 * document says of `method path` (a path as sent, with its query). Bodies may
 * be NULL; only JSON bodies are looked at. */
void shape_check(const char *method, const char *path, const json_t *request, int status,
                 const json_t *answer);
/* A value against a schema of the document. False with one sentence in err. */
bool shape_fits(const json_t *schema, const json_t *value, const char *place, char *err,
                size_t size);

#endif
