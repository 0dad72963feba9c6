/*
 * server_conf.c - foldwatchd.conf as one typed table.
 */
#include "server/server.h"

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const levels[] = {
        [LOG_ERROR] = "error",
        [LOG_WARN] = "warn",
        [LOG_INFO] = "info",
        [LOG_DEBUG] = "debug",
        NULL,
};

#define AT(field) offsetof(struct server_conf, field)
#define KIB       ((int64_t)1024)

/* clang-format off */
const struct conf_key server_conf_keys[] = {
	{"dir", CONF_STR, AT(dir), 1, 3072, NULL, NULL,
	 "state: the database, artifacts, logs, admin.token, address"},
	{"listen", CONF_STR, AT(listen), 3, 128, "127.0.0.1:8080", NULL,
	 "address and port; port 0 takes any free one"},
	{"web_dir", CONF_STR, AT(web_dir), 1, 3072, NULL, NULL,
	 "the dashboard's files; none are served without it"},
	{"kernel_dir", CONF_STR, AT(kernel_dir), 1, 3072, NULL, NULL,
	 "config fragments and series"},
	{"public_url", CONF_STR, AT(public_url), 8, 512, NULL, NULL,
	 "address that tables for mails end with; none without it"},
	{"read_open", CONF_BOOL, AT(read_open), 0, 0, "yes", NULL,
	 "reading needs no token"},
	{"threads", CONF_INT, AT(threads), 1, 64, "8", NULL,
	 "threads that answer requests"},
	{"connections", CONF_INT, AT(connections), 4, 4096, "256", NULL,
	 "connections at a time"},
	{"per_address", CONF_INT, AT(per_address), 4, 4096, "128", NULL,
	 "connections at a time from one address"},
	{"timeout_s", CONF_INT, AT(timeout_s), 1, 3600, "30", NULL,
	 "a silent connection is closed after so many seconds"},
	{"lease_s", CONF_INT, AT(lease_s), 5, 3600, "60", NULL,
	 "a job's lease lasts so many seconds unless renewed"},
	{"artifact_max_bytes", CONF_INT, AT(artifact_max_bytes), KIB, 64 * KIB * KIB * KIB, "1G", NULL,
	 "largest image, vmlinux or console that is stored"},
	{"body_max_bytes", CONF_INT, AT(body_max_bytes), 64 * KIB, 256 * KIB * KIB, "16M", NULL,
	 "largest JSON request"},
	{"log_level", CONF_ENUM, AT(log_level), 0, 0, "info", levels,
	 "error, warn, info or debug"},
	{0},
};
/* clang-format on */

enum err server_listen_parse(const char *listen, char **host, int *port, struct why *w)
{
	const char *colon = strrchr(listen, ':');
	const char *first = listen;
	size_t len;
	int64_t n = 0;
	enum err e;

	if (!colon || colon == listen)
		return err_set(w, ERR_INPUT, "listen: expected ADDRESS:PORT, got \"%s\"", listen);
	len = (size_t)(colon - listen);
	if (*first == '[' && listen[len - 1] == ']') {
		first++;
		len -= 2;
	} else if (memchr(listen, ':', len)) {
		return err_set(w, ERR_INPUT,
		               "listen: an IPv6 address stands in brackets: [::1]:8080, not \"%s\"",
		               listen);
	}
	e = int_parse(colon + 1, 0, 65535, &n, w);
	if (e != OK)
		return err_at(w, e, "listen: port");
	*host = xstrndup(first, len);
	*port = (int)n;
	return OK;
}

static void *open_top(void *ctx, const char *name, struct why *w)
{
	(void)name;
	(void)w;
	return ctx;
}

static enum err must_be_dir(const char *key, const char *path, struct why *w)
{
	struct stat st;

	if (!path)
		return OK;
	if (stat(path, &st) != 0)
		return err_sys(w, ERR_INPUT, "%s: \"%s\"", key, path);
	if (!S_ISDIR(st.st_mode))
		return err_set(w, ERR_INPUT, "%s: \"%s\" is not a directory", key, path);
	return OK;
}

static enum err check(const struct server_conf *c, struct why *w)
{
	char *host = NULL;
	int port;
	enum err e;

	if (!c->dir)
		return err_set(w, ERR_INPUT, "dir is missing: where is the state kept?");
	e = server_listen_parse(c->listen, &host, &port, w);
	free(host);
	if (e == OK && c->public_url && !str_starts(c->public_url, "http://") &&
	    !str_starts(c->public_url, "https://"))
		e = err_set(w, ERR_INPUT, "public_url: expected http://… or https://…, got \"%s\"",
		            c->public_url);
	if (e == OK)
		e = must_be_dir("web_dir", c->web_dir, w);
	if (e == OK)
		e = must_be_dir("kernel_dir", c->kernel_dir, w);
	return e;
}

enum err server_conf_load(const char *path, struct server_conf *c, struct why *w)
{
	const struct conf_block block = {NULL, server_conf_keys, open_top};
	enum err e;

	*c = (struct server_conf){0};
	e = conf_read(path, &block, 1, c, w);
	if (e == OK)
		e = err_at(w, check(c, w), "%s", path);
	return e;
}

void server_conf_release(struct server_conf *c)
{
	conf_release(server_conf_keys, c);
}
