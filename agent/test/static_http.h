/*
 * static_http.h - a web server that gives files and knows nothing of git: on loopback, in a
 * process of its own. What is asked for below /moved/ is said to be elsewhere, without it.
 */
#ifndef FOLDWATCH_TEST_STATIC_HTTP_H
#define FOLDWATCH_TEST_STATIC_HTTP_H

#include <sys/types.h>

struct static_http {
	pid_t pid;
	int port;
};

/* Serves that directory until static_http_stop(). */
void static_http_start(struct static_http *s, const char *dir);
void static_http_stop(struct static_http *s);

#endif
