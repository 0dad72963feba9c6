/*
 * server.h - what the rooms of foldwatchd share.
 *
 * main reads the configuration, opens the store, and starts http with the one
 * route table (routes.c). api_*.c turn JSON into structs and back and hold no
 * SQL; store_*.c hold all SQL and know no JSON; schedule.c decides which job
 * is next; verdict.c computes comparisons from facts.
 */
#ifndef FOLDWATCH_SERVER_H
#define FOLDWATCH_SERVER_H

#include "lib/conf.h"
#include "server/db.h"
#include "server/http.h"

struct server_conf {
	char *dir;        /* state: foldwatch.db, artifacts/, logs/, admin.token */
	char *listen;     /* "127.0.0.1:8080"; port 0 takes any and is written to dir/address */
	char *web_dir;    /* web/ of the checkout or of the installation */
	char *kernel_dir; /* kernel/: fragments and series */
	char *public_url; /* NULL: no address is printed in tables */
	bool read_open;
	int64_t threads, connections, per_address, timeout_s;
	int64_t lease_s; /* how long a lease lasts unless renewed */
	int64_t artifact_max_bytes, body_max_bytes;
	int64_t quota_submissions, quota_jobs, quota_boots, quota_bytes; /* of a token; 0: none */
	int log_level;                                                   /* enum log_level */
	char *mail_server; /* smtp://HOST:PORT; NULL: no mail is sent */
	int mail_tls;      /* enum out_tls */
	char *mail_ca, *mail_from, *mail_user, *mail_password_file;
	struct conf_list notify_allow; /* networks beside the public internet */
	/* trees of whose series the people are copied, and who never is */
	struct conf_list notify_cc_trees, notify_cc_never;
	int64_t notify_timeout_s, notify_retry_ms, notify_retry_max_s, notify_give_up_s;
};

/* The typed table of the configuration file (server_conf.c). */
extern const struct conf_key server_conf_keys[];
/* Reads and checks. server_conf_release() also after an error. */
enum err server_conf_load(const char *path, struct server_conf *c, struct why *w);
void server_conf_release(struct server_conf *c);
/* "127.0.0.1:8080", "[::1]:0" into its parts; free() *host. */
enum err server_listen_parse(const char *listen, char **host, int *port, struct why *w);

struct server {
	struct server_conf conf;
	struct db_store *store;
	struct http *http;
	struct work *work;     /* work.h; NULL while it does not run */
	struct notify *notify; /* notify.h; the same */
	bool telling;          /* alerts come of what is derived: not in a rebuild */
	int64_t started_ns;    /* monotonic */
};

/* `foldwatchd rebuild`: drops what is derived and computes it again from the
 * facts (verdict.c). The server is not running: the store is ours alone. */
enum err server_rebuild(struct server *srv, struct why *w);

/* The one table of routes (routes.c). */
const struct http_route *server_routes(size_t *count);

#endif
