#include "bench/suite.h"

#include "bench/bench.h"
#include "bench/thp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESULT_FD 3

static void *take_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

bool suite_memory(struct suite *s, struct reason *w)
{
	size_t size = 64 * 1024;

	for (size_t i = 0; i < s->plan->count; i++) {
		const struct plan_item *item = &s->plan->items[i];
		struct run_spec spec = {.iterations = item->n.iterations, .warmup = item->n.warmup};
		size_t all;

		if (__builtin_mul_overflow(run_line_max(&spec), item->n.runs, &all) ||
		    __builtin_add_overflow(size, all, &size) || size > SUITE_MEMORY_MAX) {
			reason_set(w, "the plan's results could take more than %lu MiB; split it",
			           SUITE_MEMORY_MAX >> 20);
			return false;
		}
	}
	s->memory = take_pages(size);
	if (!s->memory) {
		reason_set(w, "no memory for %zu bytes of results: %s", size, strerror(errno));
		return false;
	}
	s->memory_size = size;
	emit_init(&s->out, s->memory, size);
	return true;
}

void suite_release(struct suite *s)
{
	if (s->memory)
		munmap(s->memory, s->memory_size);
	s->memory = NULL;
}

/* In a run's process: measure, and write the line to fd. */
static int one(const struct run_spec *spec, int fd)
{
	size_t size = run_line_max(spec);
	void *memory = take_pages(size);
	struct emit e;

	if (!memory)
		return 2;
	emit_init(&e, memory, size);
	run_one(spec, &e);
	return e.full || fd_write_all(fd, e.data, e.len) ? 2 : 0;
}

int suite_one(int argc, char **argv)
{
	struct run_spec spec = {0};
	struct bench_case c;
	uint64_t n[3];
	char err[WHY_SIZE];
	int metric;

	if ((argc != 5 && argc != 6) || case_parse(argv[0], &c, err, sizeof(err)))
		return 2;
	for (int i = 0; i < 3; i++)
		if (!u64_parse(argv[1 + i], strlen(argv[1 + i]), &n[i]) || n[i] > UINT32_MAX)
			return 2;
	metric = metric_find(argv[4]);
	if (metric < 0)
		return 2;
	spec = (struct run_spec){.c = &c,
	                         .text = argv[0],
	                         .index = (uint32_t)n[0],
	                         .iterations = (uint32_t)n[1],
	                         .warmup = (uint32_t)n[2],
	                         .metric = (enum metric)metric,
	                         .covariates = argc == 6};
	return one(&spec, RESULT_FD);
}

static void exec_one(const struct suite *s, const struct run_spec *spec)
{
	char n[3][16];
	const char *argv[] = {"foldbench",
	                      SUITE_ONE,
	                      spec->text,
	                      n[0],
	                      n[1],
	                      n[2],
	                      metrics[spec->metric].name,
	                      spec->covariates ? "covariates" : NULL,
	                      NULL};

	snprintf(n[0], sizeof(n[0]), "%u", spec->index);
	snprintf(n[1], sizeof(n[1]), "%u", spec->iterations);
	snprintf(n[2], sizeof(n[2]), "%u", spec->warmup);
	/* The same addresses in each run: page tables then look alike. */
	personality(ADDR_NO_RANDOMIZE);
	execv(s->self, (char *const *)argv);
}

static void run_process(const struct suite *s, const struct run_spec *spec, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (!s->self)
		_exit(one(spec, fd));
	if (fd == RESULT_FD)
		fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, RESULT_FD) < 0)
		_exit(126);
	exec_one(s, spec);
	_exit(127);
}

static bool stopped(const struct suite *s)
{
	return s->stop && *s->stop;
}

/* All that comes through the pipe, behind what is there already. A signal that
 * stops the suite ends the run too. */
static void collect(struct suite *s, int fd, pid_t pid)
{
	char part[4096];

	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0 && errno == EINTR) {
			if (stopped(s))
				kill(pid, SIGKILL);
			continue;
		}
		if (n <= 0)
			return;
		emit_raw(&s->out, part, (size_t)n);
	}
}

static void status_words(int status, struct reason *w)
{
	if (WIFSIGNALED(status))
		reason_set(w, "the run's process was killed by signal %d (%s)", WTERMSIG(status),
		           strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == 127)
		reason_set(w, "the run's process could not be started");
	else
		reason_set(w, "the run's process exited with %d and no result",
		           WEXITSTATUS(status));
}

static void run_in_child(struct suite *s, const struct run_spec *spec)
{
	static const char head[] = "{\"type\":\"run\",";
	size_t start = s->out.len;
	int pipes[2], status;
	struct reason w = {""};
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC)) {
		reason_set(&w, "no pipe for the run: %s", strerror(errno));
		run_emit_without(spec, RUN_INVALID, w.text, &s->out);
		return;
	}
	pid = fork();
	if (!pid)
		run_process(s, spec, pipes[1]);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		reason_set(&w, "no process for the run: %s", strerror(errno));
		run_emit_without(spec, RUN_INVALID, w.text, &s->out);
		return;
	}
	collect(s, pipes[0], pid);
	close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status) && s->out.len - start > sizeof(head) &&
	    !memcmp(s->out.data + start, head, sizeof(head) - 1) &&
	    s->out.data[s->out.len - 1] == '\n')
		return;
	/* Half a line is no result: what came is dropped. */
	s->out.len = start;
	s->out.first = true;
	status_words(status, &w);
	run_emit_without(spec, RUN_INVALID, w.text, &s->out);
}

__attribute__((noinline)) void suite_next_run(void)
{
	__asm__ volatile("");
}

static void run_case(struct suite *s, const struct plan_item *item)
{
	struct run_spec spec = {.c = &item->c,
	                        .text = item->text,
	                        .iterations = item->n.iterations,
	                        .warmup = item->n.warmup,
	                        .metric = s->metric,
	                        .tick_ns = s->tick_ns};
	struct reason w = {""};
	unsigned int order = (unsigned int)item->c.value[PARAM_ORDER];
	bool ready = thp_only(order, &w) == THP_READY && (item->c.value[PARAM_FILL] != FILL_FILE ||
	                                                  thp_only_file(order, &w) == THP_READY);

	for (uint32_t i = 0; i < item->n.runs && !stopped(s); i++) {
		spec.index = i;
		/* Behind all that is timed of a case; the words of other runs stay as they
		 * were, and with them their stacks. */
		spec.covariates = s->metric == METRIC_NS && i + 1 == item->n.runs;
		suite_next_run();
		if (ready)
			run_in_child(s, &spec);
		else
			run_emit_without(&spec, RUN_SKIP, w.text, &s->out);
		if (stopped(s))
			return; /* what it says is of a run that was cut short */
		s->runs++;
	}
}

bool suite_run(struct suite *s, struct reason *w)
{
	thp_quiet();
	system_begin(&s->out, s->nonce, s->phase_pages, s->metric);
	for (size_t i = 0; i < s->plan->count && !stopped(s); i++) {
		if (s->progress)
			s->progress(i + 1, s->plan->count, s->plan->items[i].text);
		run_case(s, &s->plan->items[i]);
	}
	thp_restore();
	if (stopped(s)) {
		reason_set(w, "stopped by a signal after %llu of %llu runs",
		           (unsigned long long)s->runs, (unsigned long long)plan_runs(s->plan));
		return false;
	}
	emit_end(&s->out, s->runs, system_taint());
	if (s->out.full) {
		reason_set(w, "the results do not fit %zu bytes", s->memory_size);
		return false;
	}
	return true;
}
