#include "bench/meter.h"
#include "bench/trace.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EMPTY_WINDOWS METER_MEDIAN_MAX
#define SETTLE_NS     100000000

const struct metric_def metrics[METRIC_COUNT] = {
        [METRIC_INSTRUCTIONS] = {"instructions", "instructions", "less"},
        [METRIC_NS] = {"ns", "ns", "less"},
};

int metric_find(const char *name)
{
	size_t len = strlen(name);

	/* A guest's command line pads with dashes, so that no length differs. */
	while (len && name[len - 1] == '-')
		len--;
	for (int i = 0; i < METRIC_COUNT; i++)
		if (strlen(metrics[i].name) == len && !strncmp(name, metrics[i].name, len))
			return i;
	return -1;
}

/* Of this task (pid 0, cpu -1), or of a CPU (pid -1). */
static int event_open(pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
	        .type = PERF_TYPE_HARDWARE,
	        .size = sizeof(attr),
	        .config = PERF_COUNT_HW_INSTRUCTIONS,
	        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	        .pinned = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

const char *meter_event_why(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		return "this kernel or machine has no counter of retired instructions (under QEMU "
		       "it "
		       "needs -icount with a fixed shift)";
	case ENOSYS:
		return "this kernel has no perf events (CONFIG_PERF_EVENTS)";
	case EACCES:
	case EPERM:
		return "counting instructions in the kernel is not permitted here: run as root, or "
		       "lower kernel.perf_event_paranoid to 1";
	default:
		return strerror(error);
	}
}

bool meter_open(struct meter *m, enum metric metric, struct reason *w)
{
	*m = (struct meter){.metric = metric, .fd = -1, .group = -1};
	m->page = mmap(NULL, sizeof(*m->page), PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (m->page == MAP_FAILED) {
		m->page = NULL;
		reason_set(w, "no memory for the meter's page: %s", strerror(errno));
		return false;
	}
	if (metric != METRIC_INSTRUCTIONS)
		return true;
	m->fd = event_open(0, -1);
	if (m->fd < 0) {
		reason_set(w, "%s", meter_event_why(errno));
		meter_close(m);
		return false;
	}
	return true;
}

void meter_close(struct meter *m)
{
	if (m->page)
		munmap(m->page, sizeof(*m->page));
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct meter){.fd = -1, .group = -1};
}

static inline __attribute__((always_inline)) void reading(struct meter *m, struct meter_reading *r,
                                                          struct meter_counts *counts)
{
	if (m->metric == METRIC_INSTRUCTIONS) {
		r->got = read(m->fd, r, offsetof(struct meter_reading, got));
	} else if (m->group >= 0) {
		counts->got = read(m->group, counts, offsetof(struct meter_counts, got));
	} else {
		struct timespec ts;

		r->got = clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
		r->value = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	}
}

static long switches_now(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_THREAD, &u))
		return 0;
	return u.ru_nvcsw + u.ru_nivcsw;
}

void meter_settle(const struct meter *m)
{
	struct timespec rest = {.tv_nsec = SETTLE_NS};

	if (m->metric == METRIC_INSTRUCTIONS)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
}

void meter_start(struct meter *m)
{
	if (m->trace)
		trace_read(m->trace, &m->trace->edges->start);
	m->switches_start = switches_now();
	reading(m, &m->page->start, &m->page->counts_start);
}

void meter_stop(struct meter *m)
{
	reading(m, &m->page->stop, &m->page->counts_stop);
	/* Behind the reading: no window has an instruction of this. */
	if (m->trace)
		trace_read(m->trace, &m->trace->edges->stop);
	m->switches = (uint64_t)(switches_now() - m->switches_start);
}

static bool window(const struct meter *m, uint64_t *value, struct reason *w)
{
	const struct meter_reading *a = &m->page->start, *b = &m->page->stop;

	if (m->metric == METRIC_INSTRUCTIONS) {
		int64_t whole = offsetof(struct meter_reading, got);

		/* End of file is how a pinned event says that it lost its counter. */
		if (a->got != whole || b->got != whole) {
			reason_set(w, "the instruction counter was taken away (a pinned perf event "
			              "went into its error state)");
			return false;
		}
		if (b->enabled_ns != b->running_ns) {
			reason_set(
			        w,
			        "the instruction counter was multiplexed: it ran %llu of %llu ns",
			        (unsigned long long)b->running_ns,
			        (unsigned long long)b->enabled_ns);
			return false;
		}
	} else if (a->got || b->got) {
		reason_set(w, "CLOCK_MONOTONIC_RAW cannot be read");
		return false;
	}
	if (b->value < a->value) {
		reason_set(w, "the %s counter ran backwards", metrics[m->metric].name);
		return false;
	}
	*value = b->value - a->value;
	return true;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t meter_median(const uint64_t *value, uint32_t n)
{
	uint64_t sorted[METER_MEDIAN_MAX];

	memcpy(sorted, value, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare_u64);
	return sorted[(n - 1) / 2];
}

bool meter_calibrate(struct meter *m, struct reason *w)
{
	uint64_t took[EMPTY_WINDOWS];

	for (int i = 0; i < EMPTY_WINDOWS; i++) {
		meter_start(m);
		meter_stop(m);
		if (!window(m, &took[i], w))
			return false;
	}
	m->empty = meter_median(took, EMPTY_WINDOWS);
	/* A counter that stands still would make every sample a convincing zero. */
	if (m->metric == METRIC_INSTRUCTIONS && !m->empty) {
		reason_set(w, "the instruction counter stands still: an empty window took 0");
		return false;
	}
	return true;
}

bool meter_wide(struct meter *m, struct reason *w)
{
	cpu_set_t mine;
	int fd;

	m->wide = true;
	if (m->metric != METRIC_INSTRUCTIONS)
		return true;
	if (sched_getaffinity(0, sizeof(mine), &mine) || CPU_COUNT(&mine) != 1) {
		reason_set(w, "what another task does is counted on one CPU, and this run is not "
		              "bound to one (that takes the superuser)");
		return false;
	}
	fd = event_open(-1, sched_getcpu());
	if (fd < 0) {
		reason_set(w, "the instructions of all tasks: %s", meter_event_why(errno));
		return false;
	}
	close(m->fd);
	m->fd = fd;
	return meter_calibrate(m, w);
}

uint64_t meter_tick_ns(void)
{
	uint64_t tick = 1;
#ifdef __aarch64__
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	if (hz)
		tick = (1000000000u + hz - 1) / hz;
#else
	struct timespec ts;

	if (!clock_getres(CLOCK_MONOTONIC_RAW, &ts) && !ts.tv_sec && ts.tv_nsec > 0)
		tick = (uint64_t)ts.tv_nsec;
#endif
	return tick;
}

uint32_t meter_windows(uint64_t window_ns, uint64_t tick_ns)
{
	uint64_t wanted = METER_TICKS * tick_ns, windows;

	if (window_ns >= wanted)
		return 1;
	windows = window_ns ? (wanted + window_ns - 1) / window_ns : METER_WINDOWS;
	return windows < METER_WINDOWS ? (uint32_t)windows : METER_WINDOWS;
}

bool meter_counts(const struct meter *m, uint64_t *value, uint32_t events, struct reason *w)
{
	const struct meter_counts *a = &m->page->counts_start, *b = &m->page->counts_stop;
	int64_t whole = (int64_t)(offsetof(struct meter_counts, value) + events * sizeof(uint64_t));

	if (a->got != whole || b->got != whole || a->events != events || b->events != events) {
		reason_set(w, "the counters were taken away (a pinned group of perf events went "
		              "into its error state)");
		return false;
	}
	if (b->enabled_ns != b->running_ns) {
		reason_set(w, "the counters were multiplexed: they ran %llu of %llu ns",
		           (unsigned long long)b->running_ns, (unsigned long long)b->enabled_ns);
		return false;
	}
	for (uint32_t i = 0; i < events; i++) {
		if (b->value[i] < a->value[i]) {
			reason_set(w, "counter %u ran backwards", i);
			return false;
		}
		value[i] = b->value[i] - a->value[i];
	}
	return true;
}

bool meter_value(struct meter *m, uint64_t *value, struct reason *w)
{
	uint64_t took;

	if (!window(m, &took, w))
		return false;
	*value = took > m->empty ? took - m->empty : 0;
	return true;
}
