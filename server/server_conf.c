/*
 * server_conf.c - foldwatchd.conf as one typed table.
 */
#include "server/notify.h"

#include "lib/client_out.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/mailbox.h"
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

static const char *const tls_words[] = {
        [OUT_TLS_NONE] = "none",
        [OUT_TLS_OPTIONAL] = "optional",
        [OUT_TLS_REQUIRED] = "required",
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
	{"quota_submissions", CONF_INT, AT(quota_submissions), 0, 1000000, "500", NULL,
	 "submissions of a token that are open at a time; 0: no limit"},
	{"quota_jobs", CONF_INT, AT(quota_jobs), 0, 100000000, "50000", NULL,
	 "jobs of a token that wait at a time; 0: no limit"},
	{"quota_boots", CONF_INT, AT(quota_boots), 0, 100000000, "20000", NULL,
	 "boots that a token asks for in 24 hours; 0: no limit"},
	{"quota_bytes", CONF_INT, AT(quota_bytes), 0, INT64_MAX, "64G", NULL,
	 "bytes of a token's uploads that are stored; 0: no limit"},
	{"log_level", CONF_ENUM, AT(log_level), 0, 0, "info", levels,
	 "error, warn, info or debug"},
	{"mail_server", CONF_STR, AT(mail_server), 8, 512, NULL, NULL,
	 "smtp://HOST:PORT (or smtps://) for mail about alerts; none is sent without it"},
	{"mail_tls", CONF_ENUM, AT(mail_tls), 0, 0, "optional", tls_words,
	 "none, optional or required: STARTTLS with mail_server"},
	{"mail_ca", CONF_STR, AT(mail_ca), 1, 3072, NULL, NULL,
	 "certificates that vouch for mail_server, instead of the system's"},
	{"mail_from", CONF_STR, AT(mail_from), 3, 254, NULL, NULL,
	 "address that mail comes from"},
	{"mail_user", CONF_STR, AT(mail_user), 1, 256, NULL, NULL,
	 "name for mail_server; no authentication without it"},
	{"mail_password_file", CONF_STR, AT(mail_password_file), 1, 3072, NULL, NULL,
	 "file whose first line is the password"},
	{"notify_allow", CONF_LIST, AT(notify_allow), 0, 0, NULL, NULL,
	 "networks that webhooks may be in beside the public internet"},
	{"notify_cc_trees", CONF_LIST, AT(notify_cc_trees), 0, 0, NULL, NULL,
	 "trees of whose series those named in trailers get copies of mails"},
	{"notify_cc_never", CONF_LIST, AT(notify_cc_never), 0, 0, NULL, NULL,
	 "patterns of addresses that get no such copy"},
	{"notify_timeout_s", CONF_INT, AT(notify_timeout_s), 1, 600, "30", NULL,
	 "a mail server or webhook has so many seconds"},
	{"notify_retry_ms", CONF_INT, AT(notify_retry_ms), 10, 3600 * 1000, "30000", NULL,
	 "pause before the second try; each later one is twice as long"},
	{"notify_retry_max_s", CONF_INT, AT(notify_retry_max_s), 1, 86400, "3600", NULL,
	 "the longest such pause"},
	{"notify_give_up_s", CONF_INT, AT(notify_give_up_s), 1, 30 * 86400, "345600", NULL,
	 "a message that nobody took for so long is given up"},
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

static enum err check_mail(const struct server_conf *c, struct why *w)
{
	if (!c->mail_server)
		return OK;
	if (!str_starts(c->mail_server, "smtp://") && !str_starts(c->mail_server, "smtps://"))
		return err_set(w, ERR_INPUT,
		               "mail_server: expected smtp://HOST:PORT or smtps://HOST:PORT, got"
		               " \"%s\"",
		               c->mail_server);
	if (!c->mail_from || !mailbox_is_plain(c->mail_from))
		return err_set(w, ERR_INPUT, "mail_from: mail_server needs an address here");
	if (c->mail_user && !c->mail_password_file)
		return err_set(w, ERR_INPUT, "mail_password_file: mail_user needs it");
	/* Who stands between may say that there is no STARTTLS, and read the password. */
	if (c->mail_user && c->mail_tls == OUT_TLS_OPTIONAL && str_starts(c->mail_server, "smtp:"))
		return err_set(
		        w, ERR_INPUT,
		        "mail_tls: with mail_user it is required, or none where the password "
		        "may be read on the way");
	return OK;
}

static enum err check_allow(const struct server_conf *c, struct why *w)
{
	struct guard g;
	enum err e = notify_guard(c, &g, w);

	guard_release(&g);
	return e;
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
	if (e == OK)
		e = check_mail(c, w);
	if (e == OK)
		e = check_allow(c, w);
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
