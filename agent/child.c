#include "agent/child.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK       "FOLDWATCH_JOB_DIR"
/* As much as an unprivileged process may have: the step must not wait while the
 * supervisor waits for the server. */
#define PIPE_BYTES (1 << 20)
#define SAY        3
#define KEEP       4

static void pipe_close(int p[2])
{
	for (int i = 0; i < 2; i++) {
		if (p[i] >= 0)
			close(p[i]);
		p[i] = -1;
	}
}

static bool pipe_open(int p[2], bool both_nonblock)
{
	if (pipe2(p, O_CLOEXEC) != 0)
		return false;
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	if (both_nonblock)
		fcntl(p[1], F_SETFL, O_NONBLOCK);
	else
		fcntl(p[0], F_SETPIPE_SZ, PIPE_BYTES);
	return true;
}

static void signals_reset(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++) {
		if (s != SIGPIPE && s != SIGXFSZ)
			signal(s, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Put descriptors where they belong, whatever numbers they have now. */
static bool descriptors_arrange(int out, int say, int keep)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int high[4] = {null, out, say, keep};
	static const int to[4] = {0, 1, SAY, KEEP};

	for (int i = 0; i < 4; i++) {
		if (high[i] >= 0 && (high[i] = fcntl(high[i], F_DUPFD_CLOEXEC, 16)) < 0)
			return false;
	}
	for (int i = 0; i < 4; i++) {
		if (high[i] < 0) {
			if (to[i] > 2)
				close(to[i]);
		} else if (to[i] > 2) {
			dup3(high[i], to[i], O_CLOEXEC);
		} else {
			dup2(high[i], to[i]);
		}
	}
	if (out >= 0)
		dup2(1, 2);
	return close_range(KEEP + 1, ~0u, 0) == 0;
}

static _Noreturn void child_main(const struct child_spec *spec, pid_t parent, int out, int say)
{
	int rc;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	signals_reset();
	if (!descriptors_arrange(out, say, spec->keep))
		_exit(127);
	if (spec->job_dir)
		setenv(MARK, spec->job_dir, 1);
	rc = spec->run(spec->arg, SAY);
	fflush(stdout);
	_exit(rc);
}

enum err child_start(struct child *c, const struct child_spec *spec, struct why *w)
{
	int out[2] = {-1, -1}, say[2] = {-1, -1};
	pid_t parent = getpid(), pid;

	if (!pipe_open(say, true) || (spec->catch_output && !pipe_open(out, false))) {
		enum err e = err_sys(w, ERR_IO, "cannot make a pipe");

		pipe_close(say);
		pipe_close(out);
		return e;
	}
	pid = fork();
	if (pid == 0)
		child_main(spec, parent, out[1], say[1]);
	if (pid < 0) {
		enum err e = err_sys(w, ERR_IO, "cannot start a process");

		pipe_close(say);
		pipe_close(out);
		return e;
	}
	/* Both sides do it, so that whoever comes first finds the group there. */
	setpgid(pid, pid);
	close(say[1]);
	if (out[1] >= 0)
		close(out[1]);
	c->pid = pid;
	c->say_fd = say[0];
	c->out_fd = out[0];
	c->status = 0;
	c->deadline_ns = spec->timeout_ns ? clock_mono_ns() + spec->timeout_ns : INT64_MAX;
	return OK;
}

static bool reap(struct child *c, int flags)
{
	siginfo_t info = {0};
	pid_t got;
	int rc;

	if (c->pid == 0)
		return true;
	/* Looked at first and not taken: as long as the leader is there, its group's
	 * number cannot become somebody else's. */
	do
		rc = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT | flags);
	while (rc != 0 && errno == EINTR);
	if (rc != 0 || info.si_pid != c->pid)
		return false;
	kill(-c->pid, SIGKILL);
	do
		got = waitpid(c->pid, &c->status, 0);
	while (got < 0 && errno == EINTR);
	c->pid = 0;
	c->deadline_ns = INT64_MAX;
	return true;
}

bool child_reap(struct child *c)
{
	return reap(c, WNOHANG);
}

void child_kill(const struct child *c)
{
	if (c->pid > 0)
		kill(-c->pid, SIGKILL);
}

void child_close(struct child *c)
{
	if (c->out_fd >= 0)
		close(c->out_fd);
	if (c->say_fd >= 0)
		close(c->say_fd);
	c->out_fd = c->say_fd = -1;
}

void child_end(struct child *c)
{
	child_kill(c);
	reap(c, 0);
	child_close(c);
}

/* Does an environment block say so? */
static bool env_has(const char *env, size_t len, const char *job_dir, bool below)
{
	size_t n = strlen(job_dir);

	for (size_t at = 0; at < len;) {
		size_t var = strnlen(env + at, len - at);
		const char *v = env + at;

		if (var >= sizeof(MARK) + n && memcmp(v, MARK "=", sizeof(MARK)) == 0 &&
		    memcmp(v + sizeof(MARK), job_dir, n) == 0 &&
		    (var == sizeof(MARK) + n || (below && v[sizeof(MARK) + n] == '/')))
			return true;
		at += var + 1;
	}
	return false;
}

static bool is_stray(int proc, const char *pid, const char *job_dir, bool below, char *env,
                     size_t max)
{
	struct stat st;
	char name[32];
	size_t len = 0;
	ssize_t n;
	int fd;

	if (fstatat(proc, pid, &st, 0) != 0 || st.st_uid != geteuid())
		return false;
	snprintf(name, sizeof(name), "%.16s/environ", pid);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (len < max && (n = read(fd, env + len, max - len)) > 0)
		len += (size_t)n;
	close(fd);
	return env_has(env, len, job_dir, below);
}

int child_kill_strays(const char *job_dir, bool below)
{
	const size_t max = 256 * 1024;
	char *env = xmalloc(max);
	int killed = 0;

	/* A process may fork while /proc is being read: look again until a whole
	 * pass finds none. Those being killed take a moment to go. */
	for (int pass = 0; pass < 100; pass++) {
		DIR *d = opendir("/proc");
		struct dirent *de;
		int found = 0;

		if (!d)
			break;
		while ((de = readdir(d))) {
			pid_t pid;

			if (!isdigit((unsigned char)de->d_name[0]))
				continue;
			pid = (pid_t)strtol(de->d_name, NULL, 10);
			if (pid == getpid() || pid == getppid() ||
			    !is_stray(dirfd(d), de->d_name, job_dir, below, env, max))
				continue;
			if (kill(pid, SIGKILL) == 0)
				found++;
		}
		closedir(d);
		if (found == 0)
			break;
		if (pass == 0)
			killed = found;
		poll(NULL, 0, 2);
	}
	free(env);
	return killed;
}
