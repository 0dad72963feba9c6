#include "agent/supervisor.h"

#include "agent/announce.h"
#include "agent/cache.h"
#include "agent/loop.h"
#include "agent/memory.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

const struct supervisor_timing supervisor_timing = {
        .claim_min_ms = 100,
        .claim_max_ms = 1000,
        .progress_ms = 2000,
        .log_ms = 1000,
        .announce_ms = 300000,
        .probe_ms = 300000,
        .backoff_base_ms = 500,
        .backoff_cap_ms = 10000,
        .refused_cap_ms = 300000,
        .lock_wait_ms = 5000,
        .grace_s = 120,
};

#define ANNOUNCE_MAX (64 * 1024)
#define POST_S       7200
#define PROBE_S      600
#define SWEEP_S      3600

/* ---- errands: children that are no steps */

static enum err errand(struct child *c, int (*run)(void *, int), struct supervisor *v,
                       int64_t seconds)
{
	struct child_spec spec = {
	        .run = run,
	        .arg = v,
	        .keep = v->env.lock_fd,
	        .timeout_ns = seconds * NS_PER_S,
	};
	struct why w;
	enum err e = child_start(c, &spec, &w);

	if (e != OK)
		log_error("agent.no_process", "why", w.text, NULL);
	return e;
}

static int post_child(void *arg, int say)
{
	struct supervisor *v = arg;
	struct spool_entry *e = spool_find(&v->spool, v->post_job, v->post_attempt);

	(void)say;
	return spool_post(v->conf, &v->spool, e);
}

static void post_ended(struct supervisor *v)
{
	struct spool_entry *e = spool_find(&v->spool, v->post_job, v->post_attempt);
	int status = v->post.status;
	enum post_end end = WIFEXITED(status) ? (enum post_end)WEXITSTATUS(status) : POST_LOCAL;
	int64_t base = 1000, cap = v->timing->refused_cap_ms;

	v->sweep_wanted = true;
	/* A result is news to the server: there may be a next job at once. */
	v->claim_ns = v->claim_pause_ms = 0;
	if (end == POST_AWAY) {
		peer_was_away(&v->peer, "no answer to a result");
		base = v->timing->backoff_base_ms;
		cap = v->timing->backoff_cap_ms;
	}
	if (end == POST_AWAY || end == POST_REFUSED || end == POST_LOCAL)
		e->not_before_ns =
		        clock_mono_ns() + clock_backoff_ms(e->tries++, base, cap) * NS_PER_MS;
	else
		memory_settle(); /* the end of a job */
	spool_refresh(&v->spool);
}

/* The oldest first; the next one only passes it while the server refuses it. */
static void post_begin(struct supervisor *v, int64_t *next_ns)
{
	int64_t now = clock_mono_ns();

	if (v->post.pid || !peer_ready(&v->peer, now))
		return;
	for (size_t i = 0; i < v->spool.count; i++) {
		struct spool_entry *e = &v->spool.entry[i];

		if (e->not_before_ns > now) {
			sooner(next_ns, e->not_before_ns);
			continue;
		}
		v->post_job = e->job;
		v->post_attempt = e->attempt;
		if (errand(&v->post, post_child, v, POST_S) != OK) {
			e->not_before_ns = now + NS_PER_S;
			sooner(next_ns, e->not_before_ns);
		}
		return;
	}
}

static int sweep_child(void *arg, int say)
{
	struct supervisor *v = arg;
	char *path = path_join(v->conf->dir, "trash");
	struct why w;

	(void)say;
	if (dir_remove(path, &w) != OK || dir_make(path, 0700, &w) != OK)
		log_warn("trash.stays", "why", w.text, NULL);
	free(path);
	if (cache_evict(v->conf->dir, (uint64_t)v->conf->disk_reserve_bytes, NULL, &w) != OK)
		log_warn("disk.full", "why", w.text, NULL);
	return 0;
}

static void sweep_begin(struct supervisor *v, int64_t *next_ns)
{
	int64_t now = clock_mono_ns();

	if (v->sweep.pid || !v->sweep_wanted)
		return;
	if (v->sweep_ns > now) {
		sooner(next_ns, v->sweep_ns);
		return;
	}
	v->sweep_wanted = false;
	v->sweep_ns = now + v->timing->sweep_ms * NS_PER_MS;
	errand(&v->sweep, sweep_child, v, SWEEP_S);
}

static int probe_child(void *arg, int say)
{
	struct supervisor *v = arg;
	struct why w;
	enum err e = announce_write(v->conf, v->env.table, &w);

	(void)say;
	if (e != OK)
		log_error("agent.not_probed", "why", w.text, NULL);
	return e == OK ? 0 : 1;
}

static void usable_set(struct supervisor *v, const json_t *body)
{
	v->all_usable = true;
	for (size_t i = 0; i < v->slots; i++) {
		struct slot *s = &v->slot[i];

		/* What cannot be used now does not take away what runs. */
		s->usable = s->sort == SLOT_BOARD   ? announce_has_board(body, s->board->name)
		            : s->sort == SLOT_BUILD ? announce_has_toolchain(body)
		                                    : true;
		v->all_usable = v->all_usable && s->usable;
	}
}

static void probe_ended(struct supervisor *v)
{
	char *path = path_join(v->conf->dir, "announce.json");
	json_t *body = NULL;
	struct buf b;
	struct why w;

	buf_init(&b, ANNOUNCE_MAX);
	v->all_usable = false;
	if (v->probe.status != 0)
		log_error("agent.not_probed", "why", "the probe did not end well", NULL);
	else if (file_read(path, &b, &w) != OK ||
	         json_parse(b.data, b.len, ANNOUNCE_MAX, &body, &w) != OK)
		log_error("agent.not_probed", "why", w.text, NULL);
	if (body) {
		usable_set(v, body);
		if (!v->announce || strcmp(v->announce, b.data) != 0)
			v->announce_ns = 0;
		free(v->announce);
		v->announce = buf_take(&b, NULL);
		json_decref(body);
	}
	buf_release(&b);
	free(path);
	v->probe_ns = v->all_usable ? INT64_MAX : clock_mono_ns() + v->timing->probe_ms * NS_PER_MS;
}

static void probe_begin(struct supervisor *v, int64_t *next_ns)
{
	int64_t now = clock_mono_ns();

	if (v->probe.pid)
		return;
	if (v->probe_ns <= now && errand(&v->probe, probe_child, v, PROBE_S) == OK)
		return;
	if (v->probe_ns <= now)
		v->probe_ns = now + NS_PER_S;
	sooner(next_ns, v->probe_ns);
}

static void errand_tick(struct supervisor *v, struct child *c, void (*ended)(struct supervisor *v),
                        int64_t *next_ns)
{
	if (c->pid == 0)
		return;
	if (clock_mono_ns() >= c->deadline_ns) {
		c->deadline_ns = INT64_MAX;
		child_kill(c);
	}
	if (child_reap(c)) {
		child_close(c);
		if (ended)
			ended(v);
		sooner(next_ns, 0);
	} else {
		sooner(next_ns, c->deadline_ns);
	}
}

/* ---- the loop */

static void wait_for_news(struct supervisor *v, int signals, int64_t next_ns)
{
	struct pollfd fds[1 + 2 * SLOTS];
	int64_t pause_ns = next_ns - clock_mono_ns();
	int timeout = -1;
	nfds_t n = 0;

	fds[n++] = (struct pollfd){.fd = signals, .events = POLLIN};
	for (size_t i = 0; i < v->slots; i++) {
		/* poll() passes over a descriptor that is -1 */
		fds[n++] = (struct pollfd){.fd = v->slot[i].child.out_fd, .events = POLLIN};
		fds[n++] = (struct pollfd){.fd = v->slot[i].child.say_fd, .events = POLLIN};
	}
	if (next_ns != INT64_MAX) {
		/* rounded up: waking a little early would turn the loop for nothing */
		pause_ns = pause_ns < 0 ? 0 : pause_ns + NS_PER_MS - 1;
		timeout = pause_ns / NS_PER_MS > 60000 ? 60000 : (int)(pause_ns / NS_PER_MS);
	}
	if (poll(fds, n, timeout) < 0 && errno != EINTR)
		err_bug("poll: %s", strerror(errno));
}

/* False when it is time to stop. */
static bool signals_read(int fd)
{
	struct signalfd_siginfo info;
	bool on = true;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			on = false;
	}
	return on;
}

static void turn(struct supervisor *v, int64_t *next_ns)
{
	errand_tick(v, &v->post, post_ended, next_ns);
	errand_tick(v, &v->sweep, NULL, next_ns);
	errand_tick(v, &v->probe, probe_ended, next_ns);
	for (size_t i = 0; i < v->slots; i++) {
		slot_read(&v->slot[i]);
		slot_tick(&v->slot[i], clock_mono_ns());
	}
	post_begin(v, next_ns);
	loop_server(v, next_ns);
	probe_begin(v, next_ns);
	sweep_begin(v, next_ns);
	for (size_t i = 0; i < v->slots; i++)
		sooner(next_ns, slot_due(&v->slot[i]));
}

static enum err loop(struct supervisor *v, struct why *w)
{
	sigset_t set;
	int signals;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals < 0)
		return err_sys(w, ERR_IO, "cannot wait for signals");
	while (signals_read(signals)) {
		int64_t next_ns = INT64_MAX;

		turn(v, &next_ns);
		wait_for_news(v, signals, next_ns);
	}
	close(signals);
	return OK;
}

/* ---- beginning and end */

/* jobs/ holds only what a slot stands for; the rest was left by a crash before
 * its state, or after it. */
static void jobs_tidy(struct supervisor *v)
{
	char *jobs = path_join(v->conf->dir, "jobs");
	DIR *d = opendir(jobs);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		char *from = path_join(jobs, de->d_name);
		char *to = xasprintf("%s/trash/%s", v->conf->dir, de->d_name);
		bool owned = de->d_name[0] == '.';
		struct why w;

		for (size_t i = 0; i < v->slots; i++)
			owned = owned || (v->slot[i].dir && strcmp(v->slot[i].dir, from) == 0);
		if (!owned && ((path_exists(to) && dir_remove(to, &w) != OK) ||
		               file_rename(from, to, &w) != OK))
			log_warn("jobs.leftover", "path", from, "why", w.text, NULL);
		free(to);
		free(from);
	}
	if (d)
		closedir(d);
	free(jobs);
}

/* An agent that was killed leaves children that die a moment later, each
 * holding the lock until then. */
static enum err lock(struct supervisor *v, struct why *w)
{
	char *path = path_join(v->conf->dir, "lock");
	int64_t until = clock_mono_ns() + v->timing->lock_wait_ms * NS_PER_MS;
	enum err e;

	while ((e = file_lock(path, &v->env.lock_fd, w)) == ERR_CONFLICT && clock_mono_ns() < until)
		poll(NULL, 0, 20);
	free(path);
	if (e == ERR_CONFLICT)
		return err_set(w, e, "another agent works in \"%s\": %s", v->conf->dir, w->text);
	return e;
}

static enum err slots_open(struct supervisor *v, struct why *w)
{
	enum err e = OK;

	for (int sort = SLOT_GIT; v->conf->builds && sort <= SLOT_BUILD && e == OK; sort++) {
		e = slot_open(&v->slot[v->slots], &v->env, (enum slot_sort)sort, NULL, w);
		v->slots += e == OK;
	}
	for (size_t i = 0; i < v->conf->boards && e == OK; i++) {
		e = slot_open(&v->slot[v->slots], &v->env, SLOT_BOARD, &v->conf->board[i], w);
		v->slots += e == OK;
	}
	return e;
}

static enum err start(struct supervisor *v, struct why *w)
{
	char *path = path_join(v->conf->dir, "state");
	char *jobs = path_join(v->conf->dir, "jobs");
	enum err e;
	int n;

	e = dir_make(path, 0700, w);
	if (e == OK)
		e = lock(v, w);
	if (e == OK)
		e = spool_open(&v->spool, v->conf->dir, w);
	if (e == OK) {
		n = child_kill_strays(jobs, true);
		if (n > 0)
			log_warn("agent.strays_killed", "count", log_i(n), NULL);
		e = slots_open(v, w);
	}
	if (e == OK)
		jobs_tidy(v);
	free(jobs);
	free(path);
	return e;
}

static void stop(struct supervisor *v)
{
	child_end(&v->post);
	child_end(&v->sweep);
	child_end(&v->probe);
	for (size_t i = 0; i < v->slots; i++)
		slot_close(&v->slot[i]);
	spool_release(&v->spool);
	peer_release(&v->peer);
	if (v->env.lock_fd >= 0)
		close(v->env.lock_fd);
	free(v->announce);
}

enum err supervisor_run(const struct agent_conf *conf, const struct step_table *table,
                        const struct supervisor_timing *timing, struct why *w)
{
	struct supervisor *v = xcalloc(1, sizeof(*v));
	enum err e;

	v->conf = conf;
	v->timing = timing ? timing : &supervisor_timing;
	v->env = (struct slot_env){
	        .conf = conf,
	        .table = table,
	        .spool = &v->spool,
	        .lock_fd = -1,
	        .grace_s = v->timing->grace_s,
	        .trash = &v->sweep_wanted,
	};
	v->post = v->sweep = v->probe = (struct child)CHILD_NONE;
	v->sweep_wanted = true;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	peer_init(&v->peer, conf);
	v->peer.backoff_base_ms = v->timing->backoff_base_ms;
	v->peer.backoff_cap_ms = v->timing->backoff_cap_ms;
	e = start(v, w);
	if (e == OK) {
		log_info("agent.start", "name", conf->name, "dir", conf->dir, "server",
		         conf->server, "slots", log_i((int64_t)v->slots), NULL);
		e = loop(v, w);
		log_info("agent.stop", "name", conf->name, NULL);
	}
	stop(v);
	free(v);
	return e;
}
