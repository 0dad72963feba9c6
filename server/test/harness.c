#include "server/test/harness.h"
#include "server/test/shape.h"

#include "lib/client.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Generous: sanitizers on two busy cores. */
#define START_MS 30000
#define STOP_MS  30000
#define REPLY_MS 30000

void sleep_ms(int ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * NS_PER_MS};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

char *noise(size_t len, unsigned int seed)
{
	char *data = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		data[i] = (char)(seed >> 16);
	}
	data[len] = '\0';
	return data;
}

char *artifact_url(const void *data, size_t len)
{
	char hex[SHA256_HEX];

	hash_block(data, len, hex);
	return xasprintf("/api/v1/artifacts/%s", hex);
}

char *slurp(const char *path)
{
	struct buf b;
	char *text = NULL;

	buf_init(&b, 64 << 20);
	if (file_read(path, &b, NULL) == OK)
		text = buf_take(&b, NULL);
	buf_release(&b);
	return text;
}

const char *program(const char *name)
{
	static char path[4400];
	char self[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	slash = strrchr(self, '/');
	assert_non_null(slash);
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/../../%s", self, name);
	return path;
}

/* ------------------------------------------------------------------ the process */

struct daemon *daemon_new_at(const char *under, const char *extra)
{
	struct daemon *d = xcalloc(1, sizeof(*d));
	char *text;

	d->dir = xasprintf("%s/foldwatchd-test-XXXXXX", under);
	assert_non_null(mkdtemp(d->dir));
	d->conf = path_join(d->dir, "foldwatchd.conf");
	d->log = path_join(d->dir, "log");
	text = xasprintf("dir = %s/state\nlisten = 127.0.0.1:0\n%s", d->dir, extra ? extra : "");
	assert_int_equal(file_write(d->conf, text, strlen(text), 0600, NULL), OK);
	free(text);
	return d;
}

struct daemon *daemon_new(const char *extra)
{
	const char *tmp = getenv("TMPDIR");

	return daemon_new_at(tmp && *tmp ? tmp : "/tmp", extra);
}

static pid_t launch(struct daemon *d, const char *const *args, const char *out)
{
	const char *path = program("foldwatchd");
	pid_t parent = getpid(), pid = fork();
	const char *argv[16] = {path, "-c", d->conf};
	sigset_t none;
	int fd, n = 3;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	while (args && *args && n < 15)
		argv[n++] = *args++;
	fd = open(out, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(125);
	if (d->file_limit) {
		struct rlimit lim = {d->file_limit, d->file_limit};

		setrlimit(RLIMIT_FSIZE, &lim);
	}
	execv(path, (char *const *)argv);
	_exit(126);
}

/* Its wait status, or -1 when it has not ended within ms. */
static int ended(pid_t pid, int ms)
{
	int64_t until = clock_mono_ns() + ms * NS_PER_MS;
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		assert_true(got == 0 || errno == EINTR);
		if (clock_mono_ns() >= until)
			return -1;
		sleep_ms(5);
	}
}

static int exit_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

char *daemon_log(const struct daemon *d)
{
	char *text = slurp(d->log);

	return text ? text : xstrdup("");
}

static void show_log(const struct daemon *d)
{
	char *text = daemon_log(d);

	print_error("%s", text);
	free(text);
}

void daemon_start(struct daemon *d)
{
	char *address = xasprintf("%s/state/address", d->dir), *text = NULL;
	char *token = xasprintf("%s/state/admin.token", d->dir);
	int64_t until = clock_mono_ns() + START_MS * NS_PER_MS;

	assert_int_equal(d->pid, 0);
	unlink(address);
	d->pid = launch(d, NULL, d->log);
	while (!(text = slurp(address))) {
		int status = ended(d->pid, 10);

		if (status >= 0) {
			d->pid = 0;
			show_log(d);
			fail_msg("foldwatchd ended with %d at its start", exit_of(status));
		}
		if (clock_mono_ns() > until) {
			show_log(d);
			fail_msg("foldwatchd does not come up");
		}
	}
	text[strcspn(text, "\n")] = '\0';
	snprintf(d->base, sizeof(d->base), "%s", text);
	d->port = (int)strtol(strrchr(d->base, ':') + 1, NULL, 10);
	free(text);
	text = slurp(token);
	assert_non_null(text);
	snprintf(d->admin, sizeof(d->admin), "%.43s", text);
	free(text);
	free(token);
	free(address);
}

int daemon_run(struct daemon *d, const char *const *args, char **text)
{
	char *out = path_join(d->dir, "out");
	pid_t pid;
	int status;

	unlink(out);
	pid = launch(d, args, out);
	status = ended(pid, START_MS);
	if (status < 0) {
		kill(pid, SIGKILL);
		ended(pid, STOP_MS);
		fail_msg("foldwatchd did not end by itself");
	}
	*text = slurp(out);
	if (!*text)
		*text = xstrdup("");
	free(out);
	return exit_of(status);
}

void daemon_stop(struct daemon *d)
{
	int status;
	char *text;
	bool leaked;

	assert_true(d->pid > 0);
	kill(d->pid, SIGTERM);
	status = ended(d->pid, STOP_MS);
	if (status < 0) {
		show_log(d);
		fail_msg("foldwatchd does not stop");
	}
	d->pid = 0;
	text = daemon_log(d);
	leaked = strstr(text, "event=db.leak") || strstr(text, "Sanitizer") ||
	         strstr(text, "runtime error:");
	free(text);
	if (status != 0 || leaked) {
		show_log(d);
		fail_msg("foldwatchd ended with %d%s", exit_of(status),
		         leaked ? " and complaints" : "");
	}
}

void daemon_kill(struct daemon *d)
{
	assert_true(d->pid > 0);
	kill(d->pid, SIGKILL);
	assert_true(ended(d->pid, STOP_MS) >= 0);
	d->pid = 0;
}

void daemon_free(struct daemon *d)
{
	if (!d)
		return;
	if (d->pid > 0) {
		kill(d->pid, SIGKILL);
		waitpid(d->pid, NULL, 0);
	}
	dir_remove(d->dir, NULL);
	free(d->dir);
	free(d->conf);
	free(d->log);
	free(d);
}

/* --------------------------------------------------------------------- the wire */

void reply_raw_release(struct reply_raw *r)
{
	free(r->head);
	free(r->body);
	*r = (struct reply_raw){0};
}

char *reply_raw_header(const struct reply_raw *r, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = r->head; line && *line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			return xstrndup(line, strcspn(line, "\r\n"));
		}
	}
	return NULL;
}

int raw_connect(const struct daemon *d)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)d->port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool raw_send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* More bytes into b; false at the end, an error or the deadline. */
static bool more(int fd, struct buf *b, int64_t until)
{
	char part[65536];
	int64_t left = (until - clock_mono_ns()) / NS_PER_MS;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (left <= 0 || poll(&p, 1, (int)left) <= 0)
		return false;
	n = recv(fd, part, sizeof(part), 0);
	return n > 0 && buf_add(b, part, (size_t)n);
}

void raw_reply(int fd, int timeout_ms, bool head_only, struct reply_raw *out)
{
	int64_t until = clock_mono_ns() + timeout_ms * NS_PER_MS;
	size_t want = 0;
	struct buf b;
	char *end, *length;

	*out = (struct reply_raw){0};
	buf_init(&b, 256 << 20);
again:
	while (!(end = strstr(b.data, "\r\n\r\n")) && more(fd, &b, until))
		;
	if (!end) {
		buf_release(&b);
		return;
	}
	end += 4;
	if (str_starts(b.data, "HTTP/1.1 100 ")) {
		buf_drop(&b, (size_t)(end - b.data));
		goto again;
	}
	assert_true(str_starts(b.data, "HTTP/1."));
	out->head = xstrndup(b.data, (size_t)(end - b.data));
	out->status = (int)strtol(b.data + 9, NULL, 10);
	buf_drop(&b, strlen(out->head));
	length = reply_raw_header(out, "Content-Length");
	if (length && !head_only)
		want = strtoull(length, NULL, 10);
	free(length);
	if (out->status == 204 || out->status == 304)
		want = 0;
	while (b.len < want && more(fd, &b, until))
		;
	assert_true(b.len == want);
	out->body = buf_take(&b, &out->body_len);
	buf_release(&b);
}

bool raw_closed(int fd, int timeout_ms)
{
	struct buf b;
	bool quiet;
	char c;

	buf_init(&b, 1 << 20);
	while (more(fd, &b, clock_mono_ns() + timeout_ms * NS_PER_MS))
		;
	quiet = b.len == 0 && recv(fd, &c, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN;
	buf_release(&b);
	return quiet;
}

int ask(struct daemon *d, const char *method, const char *path, const char *token,
        const char *headers, const void *body, size_t len, struct reply_raw *out)
{
	int fd = raw_connect(d);
	char *head, *auth = token ? xasprintf("Authorization: Bearer %s\r\n", token) : xstrdup("");
	char *length = body ? xasprintf("Content-Length: %zu\r\n", len) : xstrdup("");

	if (fd < 0)
		fail_msg("foldwatchd takes no connection");
	head = xasprintf("%s %s HTTP/1.1\r\nHost: test\r\n%s%s%s\r\n", method, path, auth, length,
	                 headers ? headers : "");
	raw_send(fd, head, strlen(head));
	if (body)
		raw_send(fd, body, len);
	raw_reply(fd, REPLY_MS, strcmp(method, "HEAD") == 0, out);
	close(fd);
	free(head);
	free(auth);
	free(length);
	return out->status;
}

int ask_json(struct daemon *d, const char *method, const char *path, const char *token,
             const char *text, json_t **out)
{
	struct reply_raw r;
	int status = ask(d, method, path, token, "Content-Type: application/json\r\n", text,
	                 text ? strlen(text) : 0, &r);

	json_t *answer = r.body ? json_loadb(r.body, r.body_len, 0, NULL) : NULL;
	json_t *request = text ? json_loads(text, 0, NULL) : NULL;

	/* Whatever a test asks by this way, both sides keep to the document. */
	shape_check(method, path, request, status, answer);
	json_decref(request);
	if (out)
		*out = answer;
	else
		json_decref(answer);
	reply_raw_release(&r);
	return status;
}

void check_error(const struct reply_raw *r, int status, const char *code, const char *has)
{
	json_t *root =
	        r->body ? json_loadb(r->body, r->body_len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *error = json_object_get(root, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	char *type = reply_raw_header(r, "Content-Type");

	if (r->status != status || !message)
		print_error("status %d: %s\n", r->status, r->body ? r->body : "(no answer)");
	assert_int_equal(r->status, status);
	assert_non_null(message);
	assert_string_equal(type, "application/json");
	assert_int_equal(json_object_size(root), 1);
	assert_int_equal(json_object_size(error), 2);
	assert_string_equal(json_string_value(json_object_get(error, "code")), code);
	assert_null(strchr(message, '\n'));
	if (has && !strstr(message, has))
		fail_msg("\"%s\" does not say \"%s\"", message, has);
	free(type);
	json_decref(root);
}

void expect_error(struct daemon *d, const char *method, const char *path, const char *token,
                  const char *body, int status, const char *code, const char *has)
{
	struct reply_raw r;

	ask(d, method, path, token, NULL, body, body ? strlen(body) : 0, &r);
	check_error(&r, status, code, has);
	reply_raw_release(&r);
}

struct client *daemon_client(const struct daemon *d, const char *token)
{
	static bool once;

	if (!once)
		client_global_init();
	once = true;
	return client_new(d->base, token, "foldwatch-test/1");
}

char *daemon_token(struct daemon *d, const char *role, int64_t *id)
{
	char *text = xasprintf("{\"label\":\"test %s\",\"role\":\"%s\"}", role, role), *token;
	json_t *o = NULL;

	assert_int_equal(ask_json(d, "POST", "/api/v1/tokens", d->admin, text, &o), 201);
	token = xstrdup(json_string_value(json_object_get(o, "token")));
	if (id)
		*id = json_integer_value(json_object_get(o, "id"));
	json_decref(o);
	free(text);
	return token;
}
