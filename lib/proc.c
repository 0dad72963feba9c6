/*
 * proc.c - child processes with a deadline and a group of their own.
 */
#include "lib/proc.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_NS    (5 * NS_PER_S) /* between SIGTERM and SIGKILL */
#define INPUT_MAX   (60 * 1024)
#define READ_CHUNK  (64 * 1024)
#define READ_MAX    (1024 * 1024)    /* a call of proc_read() */
#define WAIT_BLIND  (20 * NS_PER_MS) /* between looks, where there is no pidfd */
#define LINE_IN_WHY 400

/* What went wrong between fork and exec, sent up a pipe that exec closes. */
enum step { STEP_GROUP, STEP_DEATHSIG, STEP_FDS, STEP_DIR, STEP_EXEC };

struct failure {
	enum step step;
	int code;
};

/* Everything the child needs, made ready before the fork: between fork and
 * exec only async-signal-safe calls are allowed, so no malloc there. */
struct launch {
	const struct proc_spec *spec;
	char *path;
	int in, out, err; /* err -1: the parent's */
	int report;
	pid_t parent;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- start */

/* A parent may run with 0, 1 or 2 closed; a descriptor that landed there would
 * be overwritten by the child's dup2(). */
static int above_stdio(int fd)
{
	int moved;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return moved;
}

void proc_stdio(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			err_bug("cannot open \"/dev/null\"");
}

static int pipe_above_stdio(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC)) {
		ends[0] = ends[1] = -1;
		return -1;
	}
	ends[0] = above_stdio(ends[0]);
	ends[1] = above_stdio(ends[1]);
	return ends[0] < 0 || ends[1] < 0 ? -1 : 0;
}

/* As execvp(3), but before the fork, and never in the working directory. */
static enum err find_program(const char *name, char **path, struct why *w)
{
	const char *at = getenv("PATH");
	bool denied = false;

	if (strchr(name, '/')) {
		*path = xstrdup(name);
		return OK;
	}
	if (!at)
		at = "/usr/local/bin:/usr/bin:/bin";
	while (*name && *at) {
		size_t n = strcspn(at, ":");

		if (*at == '/') {
			*path = xasprintf("%.*s/%s", (int)n, at, name);
			if (!access(*path, X_OK))
				return OK;
			denied = denied || errno == EACCES;
			free(*path);
		}
		at += n + (at[n] == ':');
	}
	*path = NULL;
	return err_set(w, ERR_IO, "cannot run \"%s\": %s", name,
	               denied ? "permission denied" : "no such program in PATH");
}

/* The text in an unnamed file rather than in a pipe: a pipe's capacity may be
 * a single page when its user has many. */
static enum err open_input(const struct proc_spec *spec, int *fd, struct why *w)
{
	size_t len = spec->input ? strlen(spec->input) : 0, done = 0;

	if (spec->input_path) {
		*fd = above_stdio(open(spec->input_path, O_RDONLY | O_CLOEXEC));
		return *fd < 0 ? err_sys(w, ERR_IO, "cannot open \"%s\"", spec->input_path) : OK;
	}
	if (!spec->input) {
		*fd = above_stdio(open("/dev/null", O_RDONLY | O_CLOEXEC));
		return *fd < 0 ? err_sys(w, ERR_IO, "cannot open \"/dev/null\"") : OK;
	}
	if (len > INPUT_MAX)
		return err_set(w, ERR_TOO_LARGE, "%zu bytes of input for \"%s\" are more than %d",
		               len, spec->argv[0], INPUT_MAX);
	*fd = above_stdio(memfd_create("input", MFD_CLOEXEC));
	if (*fd < 0)
		return err_sys(w, ERR_IO, "cannot make the input of \"%s\"", spec->argv[0]);
	while (done < len) {
		ssize_t n = write(*fd, spec->input + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(w, ERR_IO, "cannot write the input of \"%s\"",
			               spec->argv[0]);
		done += (size_t)n;
	}
	if (lseek(*fd, 0, SEEK_SET) < 0)
		return err_sys(w, ERR_IO, "cannot rewind the input of \"%s\"", spec->argv[0]);
	return OK;
}

static enum err open_output(struct proc *p, const struct proc_spec *spec, int *fd, struct why *w)
{
	int ends[2];

	if (spec->out_path) {
		*fd = above_stdio(
		        open(spec->out_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
		return *fd < 0 ? err_sys(w, ERR_IO, "cannot open \"%s\"", spec->out_path) : OK;
	}
	if (pipe_above_stdio(ends)) {
		enum err e = err_sys(w, ERR_IO, "cannot make a pipe");

		close_fd(&ends[0]);
		close_fd(&ends[1]);
		return e;
	}
	p->out_fd = ends[0];
	*fd = ends[1];
	if (fcntl(p->out_fd, F_SETFL, O_NONBLOCK))
		return err_sys(w, ERR_IO, "cannot make a pipe");
	return OK;
}

static _Noreturn void child_fail(const struct launch *l, enum step step)
{
	struct failure f = {.step = step, .code = errno};
	ssize_t n = write(l->report, &f, sizeof(f));

	(void)n; /* a parent that is gone reads nothing */
	_exit(127);
}

static int hide_descriptors(void)
{
	long fd, max;

	if (!close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC))
		return 0;
	max = sysconf(_SC_OPEN_MAX); /* kernels before 5.11 */
	for (fd = STDERR_FILENO + 1; fd < max; fd++)
		if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) && errno != EBADF)
			return -1;
	return 0;
}

static _Noreturn void child_run(const struct launch *l)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	char *const *env = environ;
	sigset_t none;
	int sig;

	if (setpgid(0, 0))
		child_fail(l, STEP_GROUP);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		child_fail(l, STEP_DEATHSIG);
	if (getppid() != l->parent) /* it died before the line above */
		_exit(127);
	if (dup2(l->in, STDIN_FILENO) < 0 || dup2(l->out, STDOUT_FILENO) < 0 ||
	    (l->err >= 0 && dup2(l->err, STDERR_FILENO) < 0) || hide_descriptors())
		child_fail(l, STEP_FDS);
	if (l->spec->dir && chdir(l->spec->dir))
		child_fail(l, STEP_DIR);
	for (sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL); /* refuses SIGKILL, SIGSTOP and libc's own */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (l->spec->env)
		env = (char *const *)l->spec->env;
	execve(l->path, (char *const *)l->spec->argv, env);
	child_fail(l, STEP_EXEC);
}

static enum err launch_failed(const struct launch *l, const struct failure *f, struct why *w)
{
	const char *name = l->spec->argv[0];

	errno = f->code;
	if (f->step == STEP_DIR)
		return err_sys(w, ERR_IO, "cannot run \"%s\" in \"%s\"", name, l->spec->dir);
	if (f->step == STEP_EXEC)
		return err_sys(w, ERR_IO, "cannot run \"%s\"", name);
	return err_sys(w, ERR_IO, "cannot set up the process of \"%s\"", name);
}

/* With SIGCHLD ignored, as some parents hand it down, the kernel reaps children
 * itself and their status is lost. */
static void want_children(void)
{
	struct sigaction sa;

	if (!sigaction(SIGCHLD, NULL, &sa) && sa.sa_handler == SIG_IGN) {
		sa.sa_handler = SIG_DFL;
		sigaction(SIGCHLD, &sa, NULL);
	}
}

static int open_pidfd(pid_t pid)
{
	return above_stdio((int)syscall(SYS_pidfd_open, pid, 0));
}

/* Fork, and wait until the child has become its program or said why not. */
static enum err fork_and_wait(struct proc *p, struct launch *l, struct why *w)
{
	struct failure f;
	sigset_t all, before;
	int report[2];
	ssize_t n;
	pid_t pid;
	enum err e;

	if (pipe_above_stdio(report)) {
		e = err_sys(w, ERR_IO, "cannot make a pipe");
		goto out;
	}
	l->report = report[1];
	l->parent = getpid();
	want_children();
	/* A handler of the parent must not run in the child before its
	 * dispositions are reset. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (!pid)
		child_run(l);
	e = pid < 0 ? err_sys(w, ERR_IO, "cannot fork for \"%s\"", l->spec->argv[0]) : OK;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e)
		goto out;
	close_fd(&report[1]);
	do {
		n = read(report[0], &f, sizeof(f));
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(f)) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		e = launch_failed(l, &f, w);
		goto out;
	}
	p->pid = pid;
	p->pid_fd = open_pidfd(pid);
out:
	close_fd(&report[0]);
	close_fd(&report[1]);
	return e;
}

void proc_init(struct proc *p, size_t head_max, size_t tail_max)
{
	*p = (struct proc){.pid_fd = -1,
	                   .out_fd = -1,
	                   .deadline_ns = INT64_MAX,
	                   .kill_ns = INT64_MAX,
	                   .tail_max = tail_max};
	buf_init(&p->head, head_max);
	buf_init(&p->tail, tail_max + READ_CHUNK);
}

enum err proc_start(struct proc *p, const struct proc_spec *spec, struct why *w)
{
	struct launch l = {.spec = spec, .in = -1, .out = -1, .err = -1, .report = -1};
	int64_t now = clock_mono_ns();
	enum err e;

	if (p->pid)
		err_bug("a process runs already");
	if (!spec->argv || !spec->argv[0])
		return err_set(w, ERR_INPUT, "no program was named");
	e = find_program(spec->argv[0], &l.path, w);
	if (!e)
		e = open_input(spec, &l.in, w);
	if (!e)
		e = open_output(p, spec, &l.out, w);
	if (!spec->out_only)
		l.err = l.out;
	if (!e)
		e = fork_and_wait(p, &l, w);
	if (e)
		close_fd(&p->out_fd);
	else if (spec->timeout_ns > 0 && spec->timeout_ns < INT64_MAX - now)
		p->deadline_ns = now + spec->timeout_ns;
	close_fd(&l.in);
	close_fd(&l.out);
	free(l.path);
	return e;
}

/* ---- output */

static void keep(struct proc *p, const char *data, size_t len)
{
	size_t room = p->head.max - p->head.len;
	size_t first = len < room ? len : room;

	p->out_bytes += len;
	buf_add(&p->head, data, first);
	data += first;
	len -= first;
	if (!len || !p->tail_max)
		return;
	if (p->tail.len + len > p->tail.max)
		buf_drop(&p->tail, p->tail.len - p->tail_max);
	buf_add(&p->tail, data, len);
}

static bool read_some(struct proc *p, void (*sink)(void *ctx, const char *data, size_t len),
                      void *ctx)
{
	char data[READ_CHUNK];
	size_t total = 0;

	while (p->out_fd >= 0 && total < READ_MAX) {
		ssize_t n = read(p->out_fd, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			close_fd(&p->out_fd);
			return false;
		}
		total += (size_t)n;
		keep(p, data, (size_t)n);
		if (sink)
			sink(ctx, data, (size_t)n);
	}
	return p->out_fd >= 0;
}

bool proc_read(struct proc *p, void (*sink)(void *ctx, const char *data, size_t len), void *ctx)
{
	bool more = read_some(p, sink, ctx);

	if (p->tail.len > p->tail_max)
		buf_drop(&p->tail, p->tail.len - p->tail_max);
	return more;
}

/* ---- end */

static void signal_group(const struct proc *p, int sig)
{
	if (p->pid > 0 && !p->ended)
		kill(-p->pid, sig);
}

void proc_stop(struct proc *p)
{
	if (p->stopping || !p->pid || p->ended)
		return;
	p->stopping = true;
	p->kill_ns = clock_mono_ns() + GRACE_NS;
	signal_group(p, SIGTERM);
	signal_group(p, SIGCONT); /* one that is stopped would never see it */
}

bool proc_poll(struct proc *p)
{
	siginfo_t info = {0};
	int64_t now;

	if (!p->pid || p->ended)
		return true;
	errno = 0;
	/* Look without reaping: as long as the zombie stands, no new process can
	 * get its number, and the group's number is surely ours to kill. */
	if (!waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid) {
		signal_group(p, SIGKILL);
		while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR)
			;
		p->ended = true;
		return true;
	}
	if (errno == ECHILD)
		err_bug("process %d was reaped by another", (int)p->pid);
	now = clock_mono_ns();
	if (now >= p->deadline_ns && !p->timed_out) {
		p->timed_out = true;
		proc_stop(p);
	}
	if (now >= p->kill_ns)
		signal_group(p, SIGKILL);
	return false;
}

int64_t proc_next_ns(const struct proc *p)
{
	if (!p->pid || p->ended)
		return 0;
	if (p->timed_out)
		return p->kill_ns;
	return p->kill_ns < p->deadline_ns ? p->kill_ns : p->deadline_ns;
}

void proc_release(struct proc *p)
{
	size_t head_max = p->head.max, tail_max = p->tail_max;

	if (p->pid && !p->ended) {
		signal_group(p, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&p->out_fd);
	close_fd(&p->pid_fd);
	buf_release(&p->head);
	buf_release(&p->tail);
	proc_init(p, head_max, tail_max);
}

/* ---- all of it at once */

void proc_status_words(int status, char *out, size_t size)
{
	const char *name;

	if (WIFSIGNALED(status)) {
		name = sigdescr_np(WTERMSIG(status));
		snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(status),
		         name ? name : "unknown");
		return;
	}
	snprintf(out, size, "exited with %d", WEXITSTATUS(status));
}

/* The last line that holds something. */
static void last_line(const struct proc *p, char *out, size_t size)
{
	const struct buf *b = &p->tail;
	size_t end = b->len, start;

	while (end && strchr(" \t\r\n", b->data[end - 1]))
		end--;
	for (start = end; start && !strchr("\r\n", b->data[start - 1]); start--)
		;
	while (start < end && strchr(" \t", b->data[start]))
		start++;
	snprintf(out, size, "%s%.*s", start < end ? ": " : "", (int)(end - start), b->data + start);
}

struct take {
	struct buf *out;
};

static void take_output(void *ctx, const char *data, size_t len)
{
	struct buf *out = ((struct take *)ctx)->out;
	size_t room;

	if (!out || out->full)
		return;
	room = out->max - out->len;
	buf_add(out, data, len < room ? len : room);
	if (len > room)
		out->full = true;
}

static void wait_for_news(const struct proc *p)
{
	struct pollfd fds[2] = {{.fd = p->out_fd, .events = POLLIN},
	                        {.fd = p->pid_fd, .events = POLLIN}};
	int64_t next = proc_next_ns(p), now = clock_mono_ns(), wait;
	struct timespec ts;

	wait = next == INT64_MAX ? INT64_MAX : next > now ? next - now : NS_PER_MS;
	if (p->pid_fd < 0 && wait > WAIT_BLIND)
		wait = WAIT_BLIND;
	ts.tv_sec = wait / NS_PER_S;
	ts.tv_nsec = wait % NS_PER_S;
	ppoll(fds, 2, wait == INT64_MAX ? NULL : &ts, NULL);
}

static enum err verdict(const struct proc *p, const struct proc_spec *spec, struct why *w)
{
	char words[80], line[LINE_IN_WHY];

	if (!p->timed_out && WIFEXITED(p->status) && !WEXITSTATUS(p->status))
		return OK;
	last_line(p, line, sizeof(line));
	if (p->timed_out)
		return err_set(w, ERR_TIMEOUT, "\"%s\" did not end within %g s%s", spec->argv[0],
		               (double)spec->timeout_ns / (double)NS_PER_S, line);
	proc_status_words(p->status, words, sizeof(words));
	return err_set(w, ERR_IO, "\"%s\" %s%s", spec->argv[0], words, line);
}

enum err proc_run(const struct proc_spec *spec, struct buf *out, struct why *w)
{
	struct take take = {out};
	struct proc p;
	enum err e;

	proc_init(&p, 0, 4096); /* for the last line */
	e = proc_start(&p, spec, w);
	while (!e && !proc_poll(&p)) {
		wait_for_news(&p);
		proc_read(&p, take_output, &take);
	}
	if (!e) {
		proc_read(&p, take_output, &take); /* what it wrote last */
		e = verdict(&p, spec, w);
	}
	proc_release(&p);
	return e;
}
