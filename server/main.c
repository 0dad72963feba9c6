/*
 * main.c - foldwatchd: configuration, store, HTTP, signals.
 */
#include "server/auth.h"
#include "server/faults.h"
#include "server/notify.h"
#include "server/server.h"
#include "server/work.h"

#include "lib/client.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <dirent.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_PATH "/etc/foldwatch/foldwatchd.conf"
/* Requests under way have this long to end once the server is told to stop. */
#define STOP_MS   10000

/* Bytes of bodies in memory beside one of body_max_bytes. */
#define SMALL_BODIES ((size_t)4 << 20)

static enum err serve(struct server *srv, struct why *w);
static enum err admin_token(struct server *srv, struct why *w);

static const struct command {
	const char *name;
	const char *help;
	enum err (*run)(struct server *srv, struct why *w);
} commands[] = {
        {"serve", "answer requests until SIGTERM or SIGINT (the default)", serve},
        {"rebuild", "compute everything that is derived again from the facts, and end",
         server_rebuild},
        {"admin-token", "write a further admin token to DIR/admin.token, and end", admin_token},
};

static void usage(void)
{
	printf("usage: foldwatchd [-n] [-c FILE] [COMMAND]\n"
	       "\n"
	       "The foldwatch server.\n"
	       "\n"
	       "  -c FILE    configuration (" CONF_PATH ")\n"
	       "  -n         only check the configuration\n"
	       "  --help     this text\n"
	       "  --version  the version\n"
	       "\n"
	       "commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-12s %s\n", commands[i].name, commands[i].help);
	printf("\nkeys of the configuration:\n");
	for (const struct conf_key *k = server_conf_keys; k->name; k++)
		printf("  %-19s %s%s%s%s\n", k->name, k->help, k->preset ? " (" : "",
		       k->preset ? k->preset : "", k->preset ? ")" : "");
	printf("\nSee foldwatchd(8) and foldwatchd.conf(5).\n");
}

/* ------------------------------------------------------------- state directory */

/* What uploads that a crash cut short left behind. */
static enum err clean_tmp(const char *tmp, struct why *w)
{
	struct dirent *d;
	DIR *dir;

	if (dir_make(tmp, 0700, w) != OK)
		return ERR_IO;
	dir = opendir(tmp);
	if (!dir)
		return err_sys(w, ERR_IO, "cannot read \"%s\"", tmp);
	while ((d = readdir(dir))) {
		if (str_starts(d->d_name, "up-"))
			unlinkat(dirfd(dir), d->d_name, 0);
	}
	closedir(dir);
	return OK;
}

/* The address where clients of this machine reach it: one that listens on all
 * interfaces is reached over loopback. */
static enum err write_address(const struct server *srv, const char *path, const char *host,
                              struct why *w)
{
	const char *reach = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1"
	                    : strcmp(host, "::") == 0    ? "::1"
	                                                 : host;
	bool six = strchr(reach, ':') != NULL;
	char *text = xasprintf("http://%s%s%s:%d\n", six ? "[" : "", reach, six ? "]" : "",
	                       http_port(srv->http));
	enum err e = file_write(path, text, strlen(text), 0644, w);

	free(text);
	return e;
}

static enum err first_admin(struct server *srv, struct why *w)
{
	bool made;
	enum err e = auth_admin_file(srv, false, &made, w);

	if (e == OK && made)
		log_info("server.admin_token", "dir", srv->conf.dir, "file", "admin.token", NULL);
	return e;
}

static enum err admin_token(struct server *srv, struct why *w)
{
	bool made;
	enum err e = auth_admin_file(srv, true, &made, w);

	if (e == OK)
		printf("%s/admin.token\n", srv->conf.dir);
	return e;
}

/* ------------------------------------------------------------------- serving */

static void after_request(struct server *srv)
{
	unsigned int n = db_reader_rest(srv->store);

	if (n)
		log_error("db.leak", "statements", log_i(n), NULL);
}

static void wait_for_stop(const sigset_t *stops)
{
	int sig = 0;

	while (sigwait(stops, &sig) != 0)
		;
	log_info("server.stopping", "signal", log_i(sig), NULL);
}

static bool is_loopback(const char *host)
{
	return str_starts(host, "127.") || strcmp(host, "::1") == 0;
}

static enum err serve(struct server *srv, struct why *w)
{
	const struct server_conf *c = &srv->conf;
	char *tmp = path_join(c->dir, "tmp"), *address = path_join(c->dir, "address");
	char *host = NULL, *port = NULL;
	const struct http_route *routes;
	struct http_conf hc = {
	        .threads = (unsigned int)c->threads,
	        .connections = (unsigned int)c->connections,
	        .per_address = (unsigned int)c->per_address,
	        .timeout_s = (unsigned int)c->timeout_s,
	        .tmp_dir = tmp,
	        .web_dir = c->web_dir,
	        .authenticate = auth_check,
	        .read_open = c->read_open,
	        .body_max = (size_t)c->body_max_bytes,
	        .file_max = (size_t)c->artifact_max_bytes,
	        .body_total = 2 * (size_t)c->body_max_bytes,
	        .after = after_request,
	};
	sigset_t stops;
	size_t count;
	enum err e;

	/* Blocked before any thread is made, so that only sigwait() gets them. */
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stops, NULL);

	e = server_listen_parse(c->listen, &host, &hc.port, w);
	if (e == OK)
		e = clean_tmp(tmp, w);
	if (e == OK)
		e = first_admin(srv, w);
	if (e != OK)
		goto out;
	hc.host = host;
	if (!is_loopback(host))
		log_warn("server.open_to_network", "listen", c->listen, "note",
		         "there is no TLS here: put a proxy in front", NULL);
	srv->telling = true;
	e = notify_start(srv, w);
	if (e == OK)
		e = work_start(srv, w);
	if (e != OK)
		goto out;
	/* A killed server left its own. */
	e = file_remove(address, w);
	if (e != OK)
		goto out;
	routes = server_routes(&count);
	e = http_start(srv, &hc, routes, count, &srv->http, w);
	if (e != OK)
		goto out;
	e = write_address(srv, address, host, w);
	if (e == OK) {
		port = xasprintf("%d", http_port(srv->http));
		log_info("server.started", "version", FOLDWATCH_VERSION, "host", host, "port", port,
		         "dir", c->dir, NULL);
		wait_for_stop(&stops);
		file_remove(address, NULL);
	}
	http_stop(srv->http, STOP_MS);
out:
	work_stop(srv);
	notify_stop(srv);
	free(port);
	free(host);
	free(address);
	free(tmp);
	return e;
}

static enum err open_and_run(struct server *srv, const struct command *cmd, struct why *w)
{
	char *path = path_join(srv->conf.dir, "foldwatch.db");
	enum err e;

	e = dir_make(srv->conf.dir, 0700, w);
	/* One reader a thread that asks: handlers, HTTP's own two, work.c's, notify.c's two,
	 * this one. */
	if (e == OK)
		e = db_open(path, (unsigned int)srv->conf.threads + 6, &srv->store, w);
	if (e == OK) {
		e = cmd->run(srv, w);
		db_close(srv->store);
	}
	free(path);
	return e;
}

/* -------------------------------------------------------------------- process */

static void prepare_process(const struct server_conf *c)
{
	struct rlimit files;
	rlim_t want = (rlim_t)c->connections + (rlim_t)c->threads * 8 + 64;

	/* A write to a full file-size limit or a gone peer is an error where it
	 * happens, not a death. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < want) {
		files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* One heap a thread would hold a high-water mark each; and what is
	 * large goes back to the system as soon as it is freed. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

static int fail(enum err e, const struct why *w)
{
	fprintf(stderr, "foldwatchd: %s\n", w->text);
	return err_exit_code(e);
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
	        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
	const char *conf = CONF_PATH;
	const struct command *cmd = &commands[0];
	struct server srv = {.started_ns = clock_mono_ns()};
	struct why w = {""};
	bool only_check = false;
	enum err e;
	int opt;

	proc_stdio();
	/* By itself, and before anything of the server's is opened (faults.h). */
	if (argc == 3 && strcmp(argv[1], "decode") == 0)
		return faults_decode_main(argv[2]);
	while ((opt = getopt_long(argc, argv, "c:nh", longs, NULL)) != -1) {
		switch (opt) {
		case 'c':
			conf = optarg;
			break;
		case 'n':
			only_check = true;
			break;
		case 'h':
			usage();
			return 0;
		case 'V':
			printf("foldwatchd " FOLDWATCH_VERSION "\n");
			return 0;
		default:
			fprintf(stderr, "foldwatchd: try --help\n");
			return err_exit_code(ERR_INPUT);
		}
	}
	if (optind < argc) {
		cmd = command_find(argv[optind]);
		if (!cmd || optind + 1 < argc) {
			e = err_set(&w, ERR_INPUT, "unknown argument \"%s\": try --help",
			            argv[cmd ? optind + 1 : optind]);
			return fail(e, &w);
		}
	}
	umask(077);
	client_global_init();
	e = server_conf_load(conf, &srv.conf, &w);
	if (e == OK && only_check) {
		printf("%s: configuration is good\n", conf);
	} else if (e == OK) {
		log_set_level((enum log_level)srv.conf.log_level);
		prepare_process(&srv.conf);
		e = open_and_run(&srv, cmd, &w);
	}
	server_conf_release(&srv.conf);
	return e == OK ? 0 : fail(e, &w);
}
