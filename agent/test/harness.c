#include "agent/test/harness.h"

#include "agent/supervisor.h"
#include "lib/buf.h"
#include "lib/client.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
/* The agent runs as this user when the tests run as root: it refuses root, and
 * root passes over permissions that the tests are about. */

void harness_pause(void)
{
	poll(NULL, 0, 5);
}

static const struct supervisor_timing fast = {
        .claim_min_ms = 2,
        .claim_max_ms = 10,
        .progress_ms = 10,
        .log_ms = 10,
        .announce_ms = 60000,
        .probe_ms = 60000,
        .backoff_base_ms = 10,
        .backoff_cap_ms = 100,
        .refused_cap_ms = 100,
        .sweep_ms = 20,
        .lock_wait_ms = 700,
        .grace_s = 0,
};

static enum err probe(const struct board_conf *b, json_t **announce, struct why *w)
{
	(void)w;
	*announce = json_pack("{s:s,s:s}", "name", b->name, "kind", "qemu");
	return OK;
}

enum err scripted_step(const struct step *s, struct step_outcome *out, struct why *w);

void harness_agent(int argc, char **argv)
{
	static const struct step_table table = {scripted_step, scripted_step, scripted_step,
	                                        scripted_step, probe};
	static char none[] = "";
	static char tree[] = "https://";
	char *trees[] = {tree};
	struct agent_conf c = {0};
	struct why w;
	char *base;
	enum err e;

	if (argc < 2 || strcmp(argv[1], "--agent") != 0)
		return;
	base = argv[2];
	c.name = xstrdup("tester");
	c.server = argv[3];
	c.token_file = path_join(base, "token");
	c.dir = path_join(base, "agent");
	c.builds = strcmp(argv[7], "1") == 0;
	c.fetch_timeout_s = c.boot_timeout_s = strtol(argv[5], NULL, 10);
	c.disk_reserve_bytes = strtol(argv[6], NULL, 10);
	c.trees.items = trees;
	c.trees.count = 1;
	c.toolchains = 1;
	snprintf(c.toolchain[0].name, sizeof(c.toolchain[0].name), "gcc");
	c.toolchain[0].cross = none;
	c.toolchain[0].compiler = xstrdup("gcc");
	c.boards = (size_t)strtol(argv[4], NULL, 10);
	for (size_t i = 0; i < c.boards; i++)
		snprintf(c.board[i].name, sizeof(c.board[i].name), "b%zu", i);
	client_global_init();
	e = supervisor_run(&c, &table, &fast, &w);
	if (e != OK)
		fprintf(stderr, "foldwatch-agent: %s\n", w.text);
	exit(err_exit_code(e));
}

void harness_init(struct harness *h)
{
	char *path;
	struct why w;

	memset(h, 0, sizeof(*h));
	snprintf(h->base, sizeof(h->base), "/tmp/fw-agent-XXXXXX");
	if (!mkdtemp(h->base))
		err_bug("no directory for a test");
	snprintf(h->dir, sizeof(h->dir), "%s/agent", h->base);
	mkdir(h->dir, 0700);
	path = path_join(h->base, "token");
	if (file_write(path, "secret-token\n", 13, 0600, &w) != OK)
		err_bug("%s", w.text);
	if (geteuid() == 0 && (chown(h->base, NOBODY, NOBODY) || chown(h->dir, NOBODY, NOBODY) ||
	                       chown(path, NOBODY, NOBODY)))
		err_bug("cannot give a test's directory away");
	free(path);
	h->server = fake_start();
	h->boards = 1;
	h->timeout_s = 30;
	h->builds = true;
}

void harness_release(struct harness *h)
{
	struct why w;

	if (h->agent)
		agent_end(h, SIGKILL);
	fake_free(h->server);
	umount2(h->dir, MNT_DETACH); /* where a test has put a small disk */
	if (dir_remove(h->base, &w) != OK)
		fprintf(stderr, "left behind: %s\n", w.text);
}

void agent_start(struct harness *h)
{
	char boards[16], timeout[16], reserve[24], log[96];
	pid_t pid = fork();

	if (pid > 0) {
		h->agent = pid;
		return;
	}
	snprintf(boards, sizeof(boards), "%d", h->boards);
	snprintf(timeout, sizeof(timeout), "%d", h->timeout_s);
	snprintf(reserve, sizeof(reserve), "%" PRId64, h->reserve);
	snprintf(log, sizeof(log), "%s/agent.log", h->base);
	if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	                       setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(126);
	close_range(3, ~0u, 0);
	dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
	execl("/proc/self/exe", "agent", "--agent", h->base, fake_url(h->server), boards, timeout,
	      reserve, h->builds ? "1" : "0", (char *)NULL);
	_exit(127);
}

int agent_wait(struct harness *h)
{
	int status = 0;

	while (waitpid(h->agent, &status, 0) < 0 && errno == EINTR)
		;
	h->agent = 0;
	return status;
}

int agent_end(struct harness *h, int sig)
{
	kill(h->agent, sig);
	return agent_wait(h);
}

static void hold_path(struct harness *h, const char *name, char out[128])
{
	snprintf(out, 128, "%s/hold-%s", h->base, name);
}

void hold(struct harness *h, const char *name)
{
	char path[128];

	hold_path(h, name, path);
	close(open(path, O_WRONLY | O_CREAT, 0644));
}

void let_go(struct harness *h, const char *name)
{
	char path[128];

	hold_path(h, name, path);
	unlink(path);
}

char *content(struct harness *h, const char *path)
{
	char *full = path_join(h->base, path);
	struct buf b;
	struct why w;

	buf_init(&b, 64 << 20);
	(void)!file_read(full, &b, &w);
	free(full);
	return buf_take(&b, NULL);
}

int times_run(struct harness *h, int64_t job)
{
	char name[64], *text;
	int n = 0;

	snprintf(name, sizeof(name), "count-%" PRId64, job);
	text = content(h, name);
	for (const char *p = text; *p; p++)
		n += *p == '\n';
	free(text);
	return n;
}

const char *state_of(struct harness *h, const char *slot)
{
	static char word[32];
	char name[128], *text;
	json_t *o;

	snprintf(name, sizeof(name), "agent/state/%s.json", slot);
	text = content(h, name);
	o = json_loads(text, 0, NULL);
	snprintf(word, sizeof(word), "%s", json_str(o, "state", ""));
	json_decref(o);
	free(text);
	return word;
}

int entries(struct harness *h, const char *room)
{
	char *path = path_join(h->dir, room);
	DIR *d = opendir(path);
	struct dirent *de;
	int n = 0;

	while (d && (de = readdir(d)))
		n += de->d_name[0] != '.';
	if (d)
		closedir(d);
	free(path);
	return n;
}

char *dead_file(struct harness *h, const char *name)
{
	char *path = path_join(h->dir, "dead"), *found = NULL, rest[256];
	DIR *d = opendir(path);
	struct dirent *de;

	while (d && !found && (de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(rest, sizeof(rest), "agent/dead/%.100s/%s", de->d_name, name);
		found = content(h, rest);
		if (!found[0]) {
			free(found);
			found = NULL;
		}
	}
	if (d)
		closedir(d);
	free(path);
	return found ? found : xstrdup("");
}

/* A zombie has ended: here nobody may be there to reap it. */
static bool pid_gone(long pid)
{
	char path[64], state = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return true;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state == 'Z' || state == 'X';
}

bool pids_gone(struct harness *h)
{
	char *text = content(h, "pids"), *p = text, *end;
	bool gone = text[0] != '\0';

	for (long pid; (pid = strtol(p, &end, 10)) > 0; p = end)
		gone = gone && pid_gone(pid);
	free(text);
	return gone;
}

bool job_done(struct harness *h, int64_t id)
{
	struct fake_job j = fake_job(h->server, id);
	bool done = j.done;

	fake_job_release(&j);
	return done;
}

bool log_says(struct harness *h, const char *text)
{
	char *log = content(h, "agent.log");
	bool yes = strstr(log, text) != NULL;

	free(log);
	return yes;
}

void harness_tell(struct harness *h, const char *condition)
{
	char *log = content(h, "agent.log");
	size_t n = strlen(log);

	fprintf(stderr, "never: %s\n--- the end of the agent's log\n%s---\n", condition,
	        log + (n > 6000 ? n - 6000 : 0));
	free(log);
}
