#include "cli/service.h"

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_NS (30 * NS_PER_S)
#define STOP_NS  (15 * NS_PER_S)
#define BOARD    "qemu-det"

void service_init(struct service *s, const char *dir, const char *listen, const char *programs,
                  const char *share)
{
	memset(s, 0, sizeof(*s));
	s->dir = xstrdup(dir);
	s->listen = xstrdup(listen);
	s->programs = xstrdup(programs);
	s->share = xstrdup(share);
	s->lock_fd = -1;
	proc_init(&s->server, 4096, 4096);
	proc_init(&s->agent, 4096, 4096);
}

void service_release(struct service *s)
{
	service_stop(s);
	free(s->dir);
	free(s->listen);
	free(s->programs);
	free(s->share);
	free(s->tree);
	free(s->address);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	s->lock_fd = -1;
}

static enum err write_text(const struct service *s, const char *name, mode_t mode, struct why *w,
                           const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static enum err write_text(const struct service *s, const char *name, mode_t mode, struct why *w,
                           const char *fmt, ...)
{
	char *path = path_join(s->dir, name), *text;
	va_list ap;
	enum err e;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	e = file_write(path, text, strlen(text), mode, w);
	free(text);
	free(path);
	return e;
}

/* Text for between the quotes of a configuration's value; free() it. */
static char *escaped(const char *text)
{
	char *out = xmalloc(2 * strlen(text) + 1), *to = out;

	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to = '\0';
	return out;
}

/* The sentence a program closed its log with: its last line "PROGRAM: …",
 * else the last line at all. */
static char *last_words(const struct service *s, const char *log, const char *program)
{
	char *path = path_join(s->dir, log), *prefix = xasprintf("%s: ", program), *out = NULL;
	char text[8192], *line, *save = NULL, *last = NULL;
	ssize_t n = -1;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0) {
		off_t from = st.st_size > (off_t)sizeof(text) - 1
		                     ? st.st_size - (off_t)sizeof(text) + 1
		                     : 0;

		n = pread(fd, text, sizeof(text) - 1, from);
	}
	if (fd >= 0)
		close(fd);
	if (n > 0) {
		text[n] = '\0';
		for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			last = line;
			if (str_starts(line, prefix)) {
				free(out);
				out = xstrdup(line + strlen(prefix));
			}
		}
		if (!out && last)
			out = xstrdup(last);
	}
	free(path);
	free(prefix);
	return out ? out : xasprintf("it left no word in %s", log);
}

static enum err died(const struct service *s, const struct proc *p, const char *program,
                     const char *log, struct why *w)
{
	char *words = last_words(s, log, program), how[64];
	enum err e;

	proc_status_words(p->status, how, sizeof(how));
	if (WIFEXITED(p->status))
		e = err_set(w, ERR_UNAVAILABLE, "%s", words);
	else
		e = err_set(w, ERR_UNAVAILABLE, "%s %s: %s", program, how, words);
	free(words);
	return e;
}

enum err service_check(struct service *s, struct why *w)
{
	if (s->joined)
		return OK;
	if (s->server.pid && proc_poll(&s->server))
		return died(s, &s->server, "foldwatchd", "server.log", w);
	if (s->agent.pid && proc_poll(&s->agent))
		return died(s, &s->agent, "foldwatch-agent", "agent.log", w);
	return OK;
}

static enum err start(struct service *s, struct proc *p, const char *program, const char *conf,
                      const char *log, struct why *w)
{
	char *path = path_join(s->programs, program), *conf_path = path_join(s->dir, conf),
	     *log_path = path_join(s->dir, log);
	const char *argv[] = {path, "-c", conf_path, NULL};
	enum err e;

	/* A start's log begins empty, so that its last words are its own; the one
	 * before is kept beside it. */
	if (path_exists(log_path)) {
		char *old = xasprintf("%s.old", log_path);

		(void)file_rename(log_path, old, NULL);
		free(old);
	}
	e = proc_start(p, &(struct proc_spec){.argv = argv, .out_path = log_path, .dir = s->dir},
	               w);
	free(path);
	free(conf_path);
	free(log_path);
	return e;
}

static char *read_line(const struct service *s, const char *name)
{
	char *path = path_join(s->dir, name), *out = NULL;
	struct buf b;

	buf_init(&b, 4096);
	if (file_read(path, &b, NULL) == OK) {
		size_t n = strcspn(b.data, "\r\n");

		if (n)
			out = xstrndup(b.data, n);
	}
	buf_release(&b);
	free(path);
	return out;
}

static bool answers(const char *address)
{
	struct client *c = client_new(address, NULL, "foldwatch-up");
	struct reply r;
	enum err e;

	client_set_timeouts(c, 1000, 2000);
	e = client_json(c, "GET", "/healthz", NULL, NULL, &r, NULL);
	reply_release(&r);
	client_free(c);
	return e == OK;
}

static enum err start_server(struct service *s, const volatile int *stop, struct why *w)
{
	int64_t until = clock_mono_ns() + START_NS;
	char *address_path = path_join(s->dir, "address");
	char *dir = escaped(s->dir), *listen = escaped(s->listen);
	char *programs = escaped(s->programs), *share = escaped(s->share);
	enum err e;

	e = file_remove(address_path, w);
	free(address_path);
	if (!e)
		e = write_text(s, "foldwatchd.conf", 0644, w,
		               "# Written by `foldwatch up`; made anew at each start.\n"
		               "dir = \"%s\"\nlisten = \"%s\"\nweb_dir = \"%s/web\"\n"
		               "kernel_dir = \"%s/kernel\"\n",
		               dir, listen, programs, share);
	free(dir);
	free(listen);
	free(programs);
	free(share);
	if (!e)
		e = start(s, &s->server, "foldwatchd", "foldwatchd.conf", "server.log", w);
	if (e)
		return e;
	for (;;) {
		if (*stop)
			return err_set(w, ERR_CANCELLED, "stopped");
		e = service_check(s, w);
		if (e)
			return e;
		free(s->address);
		s->address = read_line(s, "address");
		if (s->address && answers(s->address))
			return OK;
		if (clock_mono_ns() > until)
			return err_set(w, ERR_TIMEOUT,
			               "foldwatchd did not answer within 30 s; see %s/server.log",
			               s->dir);
		poll(NULL, 0, 50);
	}
}

/* A token of ours that still works, or a new one in its place. */
static enum err ensure_token(struct service *s, const char *role, struct why *w)
{
	char *name = xasprintf("%s.token", role), *old = read_line(s, name), *admin;
	struct client *c = NULL;
	struct reply r = {0};
	json_t *body = NULL;
	enum err e = OK;

	if (old) {
		c = client_new(s->address, old, "foldwatch-up");
		/* An unknown token is refused on any route. */
		e = client_json(c, "GET", "/api/v1/boards", NULL, NULL, &r, w);
		reply_release(&r);
		if (e != ERR_AUTH)
			goto out;
		client_free(c);
	}
	admin = read_line(s, "admin.token");
	c = client_new(s->address, admin, "foldwatch-up");
	free(admin);
	body = json_object();
	json_put_str(body, "label", "make run");
	json_put_str(body, "role", role);
	e = client_json(c, "POST", "/api/v1/tokens", body, NULL, &r, w);
	if (!e && !json_str(r.json, "token", NULL))
		e = err_set(w, ERR_INTERNAL,
		            "the server answered a request for a token without one");
	if (!e)
		e = write_text(s, name, 0600, w, "%s\n", json_str(r.json, "token", ""));
	reply_release(&r);
out:
	json_decref(body);
	client_free(c);
	free(old);
	free(name);
	return err_at(w, e, "a token for role \"%s\"", role);
}

static enum err start_agent(struct service *s, struct why *w)
{
	char *dir = escaped(s->dir), *programs = escaped(s->programs);
	char *tree = s->tree ? escaped(s->tree) : NULL;
	enum err e;

	e = write_text(s, "agent.conf", 0644, w,
	               "# Written by `foldwatch up`; made anew at each start.\n"
	               "name = local\nserver = \"%s\"\ntoken_file = \"%s/agent.token\"\n"
	               "dir = \"%s/agent\"\nfoldbench = \"%s/foldbench-arm64\"\n"
	               "trees = https://\n%s%s%s"
	               "\n[toolchain gcc]\ncross = aarch64-linux-gnu-\n"
	               "\n[board " BOARD
	               "]\nkind = qemu\nprofile = deterministic\nlabels = virtual\n"
	               "untrusted = yes\n",
	               s->address, dir, dir, programs, tree ? "trees = \"" : "", tree ? tree : "",
	               tree ? "\"\n" : "");
	free(dir);
	free(programs);
	free(tree);
	return e ? e : start(s, &s->agent, "foldwatch-agent", "agent.conf", "agent.log", w);
}

static bool board_offered(const char *address)
{
	struct client *c = client_new(address, NULL, "foldwatch-up");
	bool found = false;
	struct reply r;

	if (client_json(c, "GET", "/api/v1/boards/" BOARD, NULL, NULL, &r, NULL) == OK)
		found = json_flag(r.json, "offered", false);
	reply_release(&r);
	client_free(c);
	return found;
}

/* A submission chooses its boards when it comes, so there has to be one. */
static enum err wait_for_board(struct service *s, const volatile int *stop, struct why *w)
{
	int64_t until = clock_mono_ns() + START_NS;

	while (!board_offered(s->address)) {
		enum err e = service_check(s, w);

		if (e)
			return e;
		if (*stop)
			return err_set(w, ERR_CANCELLED, "stopped");
		if (clock_mono_ns() > until)
			return err_set(w, ERR_TIMEOUT,
			               "the agent announced no board within 30 s; see %s/agent.log",
			               s->dir);
		poll(NULL, 0, 100);
	}
	return OK;
}

enum err service_start(struct service *s, const volatile int *stop, struct why *w)
{
	char *lock = path_join(s->dir, "up.lock");
	enum err e;

	e = dir_make(s->dir, 0755, w);
	if (!e)
		e = file_lock(lock, &s->lock_fd, w);
	free(lock);
	if (e == ERR_CONFLICT) {
		s->address = read_line(s, "address");
		if (!s->address || !answers(s->address))
			return err_at(w, e, "\"%s\" is in use and its server does not answer",
			              s->dir);
		s->joined = true;
		return OK;
	}
	if (!e)
		e = start_server(s, stop, w);
	if (!e)
		e = ensure_token(s, "submit", w);
	if (!e)
		e = ensure_token(s, "agent", w);
	if (!e)
		e = start_agent(s, w);
	return e ? e : wait_for_board(s, stop, w);
}

static void end(struct proc *p)
{
	int64_t until = clock_mono_ns() + STOP_NS;

	if (p->pid) {
		proc_stop(p);
		while (!proc_poll(p) && clock_mono_ns() < until)
			poll(NULL, 0, 20);
	}
	proc_release(p);
}

void service_stop(struct service *s)
{
	if (s->joined)
		return;
	/* The agent first: it may still want to tell the server. */
	end(&s->agent);
	end(&s->server);
}
