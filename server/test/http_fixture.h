/*
 * http_fixture.h - the HTTP room by itself, in this process, with routes of the
 * tests' own and a small web directory.
 */
#ifndef FOLDWATCH_TEST_HTTP_FIXTURE_H
#define FOLDWATCH_TEST_HTTP_FIXTURE_H

#include "server/http.h"
#include "server/test/harness.h"

#include <stdatomic.h>

extern struct http *http;
extern struct daemon peer; /* for ask() and raw_connect(): only its port */
extern char *http_web, *http_tmp;
extern atomic_int http_afters; /* calls of http_conf.after */
extern const struct http_route http_fixture_routes[];
extern const size_t http_fixture_count;

int http_fixture_setup(void **state);
int http_fixture_teardown(void **state);
/* 4 threads, a timeout of 1 s, 400000 bytes of bodies in memory. */
struct http_conf http_fixture_conf(void);
void http_fixture_start(const struct http_conf *c);
/* A file of the web directory. */
void web_put(const char *name, const char *text);
/* One request; fails unless status and (if not NULL) text are as given. */
void expect_text(const char *method, const char *path, const void *body, size_t len, int status,
                 const char *text);

#define HTTP_TEST(f) cmocka_unit_test_setup_teardown(f, http_fixture_setup, http_fixture_teardown)

#endif
