/*
 * emitted.h - members that a room writes, read as JSON.
 */
#ifndef FOLDBENCH_TEST_EMITTED_H
#define FOLDBENCH_TEST_EMITTED_H

#include "bench/emit.h"

#include <jansson.h>

/* The object that `emit` puts its members into; json_decref() it. */
json_t *emitted_by(void (*emit)(const void *of, struct emit *e), const void *of);

#endif
