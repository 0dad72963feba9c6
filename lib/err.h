/*
 * err.h - how functions of foldwatch fail.
 *
 * A function that can fail returns `enum err` and takes a `struct why *` as
 * its last argument. The reason is written once, where it is known, by
 * err_set(); callers pass it up untouched, or put their own place in front of
 * it with err_at(). One table (err.c) maps an error to an HTTP status and to
 * an exit code of the command line.
 *
 *     static enum err plan_load(const char *path, struct plan *p, struct why *w)
 *     {
 *             ...
 *             return err_set(w, ERR_INPUT, "plan \"%s\" holds no case", path);
 *     }
 *
 * A sentence is lower case, says what failed, names the subject in quotes and
 * its place ("results[3].samples[17]: expected an integer, got a string"),
 * and carries no newline. Bad input never aborts; a broken invariant does
 * (err_bug()).
 */
#ifndef FOLDWATCH_ERR_H
#define FOLDWATCH_ERR_H

#include <stdbool.h>

enum err {
	OK = 0,
	ERR_INPUT,         /* what was given is malformed or out of bounds: 400, exit 2 */
	ERR_AUTH,          /* no token, or one that is unknown or revoked: 401, exit 4 */
	ERR_DENIED,        /* a token of the wrong role, or not allowed here: 403, exit 4 */
	ERR_NOT_FOUND,     /* 404, exit 5 */
	ERR_METHOD,        /* this path exists, not with this method: 405, exit 2 */
	ERR_CONFLICT,      /* a fenced attempt, a key reused for other content: 409, exit 6 */
	ERR_TOO_LARGE,     /* past a documented cap: 413, exit 2 */
	ERR_UNPROCESSABLE, /* well-formed, but cannot be done as asked: 422, exit 2 */
	ERR_BUSY,          /* asked too often, or a queue is full; try again: 429, exit 7 */
	ERR_UNAVAILABLE,   /* stopping, or a peer that does not answer: 503, exit 7 */
	ERR_NO_SPACE,      /* the disk is full: 507, exit 8 */
	ERR_IO,            /* the system refused: 500, exit 1 */
	ERR_TIMEOUT,       /* a deadline passed: 504, exit 7 */
	ERR_CANCELLED,     /* asked to stop: 409, exit 9 */
	ERR_INTERNAL,      /* ours to mend: 500, exit 1 */
	ERR_COUNT
};

#define WHY_TEXT 768 /* bytes of a reason with its NUL */

/* One reason. Truncated, never overrun; always NUL-terminated and UTF-8-safe
 * to cut: a cut never leaves half a multi-byte character. Control characters
 * become spaces and bytes that are not UTF-8 question marks, so that quoting
 * foreign text is safe: a reason is one line, and always fits into JSON. */
struct why {
	char text[WHY_TEXT];
};

/* Write the reason and return `e`, so that a failing path is one line.
 * `w` may be NULL when the caller does not want the sentence. The arguments
 * may be w->text itself. */
enum err err_set(struct why *w, enum err e, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* As err_set, and append ": " and the message of the current errno.
 * ENOSPC and EDQUOT turn `e` into ERR_NO_SPACE. */
enum err err_sys(struct why *w, enum err e, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* Put a place in front of a reason that is already there:
 * "place: reason". Returns `e` unchanged; does nothing for OK. */
enum err err_at(struct why *w, enum err e, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* The word for an error in JSON and logs: "input", "not_found", ... */
const char *err_name(enum err e);
int err_http_status(enum err e);
int err_exit_code(enum err e);

/* The error that an HTTP status stands for (the client's view of the table
 * above): 400 -> ERR_INPUT, 2xx -> OK, any other 4xx -> ERR_INPUT,
 * 500 -> ERR_INTERNAL, anything else -> ERR_UNAVAILABLE. */
enum err err_from_http(int status);

/* A broken invariant: prints the sentence with its place and aborts. */
#define err_bug(...) err_bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void err_bug_at(const char *file, int line, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

#endif
