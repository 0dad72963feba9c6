/*
 * watch.c - see watch.h.
 */
#include "agent/watch.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a program may write to the job's log: a build that prints without end
 * must not fill the disk. About 200 times the log of a whole kernel. */
#define ECHO_MAX (INT64_C(64) << 20)

#define USAGE_EVERY_NS (2 * NS_PER_S)
#define DISK_EVERY_NS  (5 * NS_PER_S)

struct run {
	const struct watch *wt;
	struct buf line;
	int64_t echoed;
};

void watch_log(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

			poll(&p, 1, -1);
			continue;
		}
		if (n <= 0)
			return; /* a log that cannot be written must not stop the work */
		data += n;
		len -= (size_t)n;
	}
}

static void echo(struct run *r, const char *data, size_t len)
{
	static const char cut[] = "\n[log cut: the program printed more than 64 MiB]\n";
	int64_t room = ECHO_MAX - r->echoed;

	if (!r->wt->echo || room <= 0)
		return;
	watch_log(data, (int64_t)len < room ? len : (size_t)room);
	r->echoed += (int64_t)len;
	if (r->echoed >= ECHO_MAX)
		watch_log(cut, sizeof(cut) - 1);
}

static void end_line(struct run *r)
{
	if (r->line.len && r->wt->line)
		r->wt->line(r->wt->ctx, r->line.data);
	buf_reset(&r->line);
}

static void take(void *ctx, const char *data, size_t len)
{
	struct run *r = ctx;

	echo(r, data, len);
	while (len) {
		const char *end = data;
		size_t n, room;

		while (end < data + len && *end != '\n' && *end != '\r')
			end++;
		n = (size_t)(end - data);
		room = r->line.max - r->line.len;
		buf_add(&r->line, data, n < room ? n : room);
		if (end == data + len)
			return;
		end_line(r);
		data += n + 1;
		len -= n + 1;
	}
}

/* ---- what the processes take */

struct entry {
	int pid, ppid;
	int64_t rss;
	bool below;
};

/* Fields 4 (ppid) and 24 (rss, in pages) of /proc/PID/stat, proc(5). The name
 * in field 2 may hold anything, so the last parenthesis counts. */
static bool read_stat(const char *pid, struct entry *e)
{
	char path[64], text[1024], *p;
	int fd, field;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p)
		return false;
	e->pid = (int)strtoll(text, NULL, 10);
	for (field = 2; field < 24 && p; field++) {
		p = strchr(p + 1, ' ');
		if (field == 3 && p)
			e->ppid = (int)strtoll(p + 1, NULL, 10);
	}
	if (!p)
		return false;
	e->rss = strtoll(p + 1, NULL, 10) * sysconf(_SC_PAGESIZE);
	return true;
}

void watch_usage(int root, int64_t *bytes, int64_t *processes)
{
	struct entry *all = NULL;
	size_t n = 0, cap = 0, i, j;
	struct dirent *d;
	bool more = true;
	DIR *dir = opendir("/proc");

	*bytes = *processes = 0;
	while (dir && (d = readdir(dir)) != NULL) {
		struct entry e = {0};

		if (!isdigit((unsigned char)d->d_name[0]) || !read_stat(d->d_name, &e))
			continue;
		if (n == cap) {
			cap = cap ? cap * 2 : 256;
			all = xreallocarray(all, cap, sizeof(*all));
		}
		e.below = e.pid == root;
		all[n++] = e;
	}
	if (dir)
		closedir(dir);
	/* Parents mostly have smaller numbers: one or two passes do. */
	while (more) {
		more = false;
		for (i = 0; i < n; i++) {
			for (j = 0; j < n && !all[i].below; j++)
				all[i].below =
				        all[j].below && all[j].pid == all[i].ppid && (more = true);
		}
	}
	for (i = 0; i < n; i++) {
		*bytes += all[i].below ? all[i].rss : 0;
		*processes += all[i].below;
	}
	free(all);
}

static enum err check_usage(const struct watch *wt, const struct proc *p, struct why *w)
{
	int64_t bytes, processes;
	char limit[32];

	if (!wt->memory_max && !wt->processes_max)
		return OK;
	watch_usage(p->pid, &bytes, &processes);
	if (wt->memory_max && bytes > wt->memory_max) {
		size_format((uint64_t)wt->memory_max, limit, sizeof(limit));
		return err_set(w, ERR_TOO_LARGE,
		               "%s took more memory than the %s it is given "
		               "(build_memory_bytes)",
		               wt->name, limit);
	}
	if (wt->processes_max && processes > wt->processes_max)
		return err_set(w, ERR_TOO_LARGE,
		               "%s started more than the %" PRId64
		               " processes it is given (build_processes)",
		               wt->name, wt->processes_max);
	return OK;
}

static enum err check_disk(const struct watch *wt, struct why *w)
{
	uint64_t sum = 0, bytes, free_bytes;
	char limit[32];
	int i;

	if (!wt->disk[0])
		return OK;
	for (i = 0; wt->disk_max && i < WATCH_DISKS && wt->disk[i]; i++) {
		enum err e = dir_bytes(wt->disk[i], &bytes, w);

		/* What cannot be looked into cannot be kept within its limit. */
		if (e && e != ERR_NOT_FOUND)
			return err_at(w, e, "%s was stopped", wt->name);
		sum += e ? 0 : bytes;
	}
	if (wt->disk_max && sum > (uint64_t)wt->disk_max) {
		size_format((uint64_t)wt->disk_max, limit, sizeof(limit));
		return err_set(w, ERR_TOO_LARGE, "%s wrote more than the %s it is given (%s)",
		               wt->name, limit, wt->disk_key);
	}
	if (!disk_free(wt->disk[0], &free_bytes, NULL) && free_bytes < (uint64_t)wt->disk_reserve) {
		size_format((uint64_t)wt->disk_reserve, limit, sizeof(limit));
		return err_set(w, ERR_NO_SPACE,
		               "%s was stopped: less than %s (disk_reserve_bytes) are free "
		               "on the agent's disk",
		               wt->name, limit);
	}
	return OK;
}

/* ---- the loop */

static void wait_for_news(const struct proc *p, int64_t until)
{
	struct pollfd fds[2] = {{.fd = p->out_fd, .events = POLLIN},
	                        {.fd = p->pid_fd, .events = POLLIN}};
	int64_t next = proc_next_ns(p), now = clock_mono_ns(), ms;

	if (until < next)
		next = until;
	ms = next <= now ? 1 : (next - now) / NS_PER_MS + 1;
	/* Without a pidfd the end shows only when asked for. */
	if (p->pid_fd < 0 && ms > 50)
		ms = 50;
	poll(fds, 2, ms > 60000 ? 60000 : (int)ms);
}

static enum err supervise(const struct watch *wt, struct proc *p, struct run *r, struct why *w)
{
	int64_t usage = clock_mono_ns() + USAGE_EVERY_NS, disk = clock_mono_ns() + DISK_EVERY_NS;
	enum err over = OK;

	while (!proc_poll(p)) {
		int64_t now;

		wait_for_news(p, usage < disk ? usage : disk);
		proc_read(p, take, r);
		now = clock_mono_ns();
		if (!over && now >= usage) {
			over = check_usage(wt, p, w);
			usage = clock_mono_ns() + USAGE_EVERY_NS;
		}
		if (!over && now >= disk) {
			int64_t cost;

			over = check_disk(wt, w);
			/* Looking through a large tree must stay cheap beside the work. */
			cost = clock_mono_ns() - now;
			disk = now + DISK_EVERY_NS + 20 * cost;
		}
		if (over)
			proc_stop(p);
	}
	while (proc_read(p, take, r) && p->out_fd >= 0) {
		struct pollfd more = {.fd = p->out_fd, .events = POLLIN};

		if (poll(&more, 1, 0) <= 0)
			break;
	}
	end_line(r);
	if (over)
		return over;
	if (p->timed_out)
		return err_set(w, ERR_TIMEOUT, "%s did not end within %" PRId64 " s", wt->name,
		               wt->timeout_s);
	return OK;
}

enum err watch_run(const struct watch *wt, int *status, struct why *w)
{
	struct proc_spec spec = {.argv = wt->argv,
	                         .env = wt->env,
	                         .dir = wt->dir,
	                         .input_path = wt->input_path,
	                         .timeout_ns = wt->timeout_s * NS_PER_S};
	struct run r = {.wt = wt};
	struct proc p;
	enum err e;

	buf_init(&r.line, WATCH_LINE);
	proc_init(&p, 0, 0);
	e = proc_start(&p, &spec, w);
	if (!e)
		e = supervise(wt, &p, &r, w);
	*status = p.status;
	proc_release(&p);
	buf_release(&r.line);
	return e;
}
