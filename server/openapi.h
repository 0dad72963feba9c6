/*
 * openapi.h - the shapes of what goes in and out, by operation.
 *
 * An object is written as its fields, one a line:
 *
 *     "id       int\n"
 *     "why      str?\n"              ? may be null
 *     "state    queued|done\n"       one of these words
 *     "kernels  [Kernel]\n"          an array of another object
 *
 * with the types int num str bool time hash obj any, the name of another
 * object, or one of these in [] or with ?. In an object that comes in a name
 * with * must be given; in one that goes out a name with ~ may be missing.
 */
#ifndef FOLDWATCH_OPENAPI_H
#define FOLDWATCH_OPENAPI_H

#include <stddef.h>

struct openapi_object {
	const char *name;
	enum { SHAPE_IN, SHAPE_OUT } way;
	const char *help; /* one line */
	const char *fields;
};

/* The order of the table's columns. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct openapi_op {
	const char *op;      /* operationId of the route */
	int status;          /* when it went well */
	const char *answer;  /* object, one of two (A|B), or a media type; NULL: no body */
	const char *request; /* object, or a media type; NULL: none */
	const char *query;   /* fields, as in an object that comes in; NULL: none */
	int also;            /* another status with the same body; 0: none */
};

extern const struct openapi_object openapi_objects[];
extern const size_t openapi_object_count;
extern const struct openapi_object openapi_alert_objects[];
extern const size_t openapi_alert_object_count;
extern const struct openapi_object openapi_asked_objects[];
extern const size_t openapi_asked_object_count;
extern const struct openapi_object openapi_track_objects[];
extern const size_t openapi_track_object_count;
extern const struct openapi_object openapi_history_objects[];
extern const size_t openapi_history_object_count;
extern const struct openapi_object openapi_series_objects[];
extern const size_t openapi_series_object_count;
extern const struct openapi_op openapi_ops[];
extern const size_t openapi_op_count;

#endif
