#include "bench/covariates.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EMPTY_WINDOWS 15
#define PMU_DIR       "/sys/bus/event_source/devices"
#define CACHE_READ_MISSES(cache)                        \
	((cache) | (PERF_COUNT_HW_CACHE_OP_READ << 8) | \
	 (uint64_t)PERF_COUNT_HW_CACHE_RESULT_MISS << 16)

/* The most telling first: of a small PMU the last ones are left out. */
static const struct event {
	const char *name;
	uint32_t type;
	uint64_t config;
} events[METER_COUNTERS] = {
        {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
        {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
#ifdef __aarch64__
        /* DTLB_WALK of the Arm ARM's common events; the generic one is a refill. A CPU
         * that has it not counts a convincing 0: the kernel lists those that it has. */
        {"dtlb_walks", PERF_TYPE_RAW, 0x34},
#else
        {"dtlb_walks", PERF_TYPE_HW_CACHE, CACHE_READ_MISSES(PERF_COUNT_HW_CACHE_DTLB)},
#endif
        {"l1i_refills", PERF_TYPE_HW_CACHE, CACHE_READ_MISSES(PERF_COUNT_HW_CACHE_L1I)},
        {"branch_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
};

/* For events by number, whether some PMU of this machine says that it has it. */
static bool event_listed(const struct event *e)
{
	char path[320];
	struct dirent *d;
	bool found = false;
	DIR *dir;

	if (e->type != PERF_TYPE_RAW)
		return true;
	dir = opendir(PMU_DIR);
	while (dir && !found && (d = readdir(dir))) {
		snprintf(path, sizeof(path), PMU_DIR "/%s/events/dtlb_walk", d->d_name);
		found = !access(path, F_OK);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int event_open(const struct event *e, bool wide, int leader)
{
	struct perf_event_attr attr = {
	        .type = e->type,
	        .size = sizeof(attr),
	        .config = e->config,
	        .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
	                       PERF_FORMAT_TOTAL_TIME_RUNNING,
	        .pinned = leader < 0,
	};

	return (int)syscall(SYS_perf_event_open, &attr, wide ? -1 : 0, wide ? sched_getcpu() : -1,
	                    leader, PERF_FLAG_FD_CLOEXEC);
}

static bool calibrate(struct covariates *c, struct reason *w)
{
	uint64_t took[METER_COUNTERS][EMPTY_WINDOWS], one[METER_COUNTERS];

	for (int i = 0; i < EMPTY_WINDOWS; i++) {
		meter_start(c->meter);
		meter_stop(c->meter);
		if (!meter_counts(c->meter, one, c->events, w))
			return false;
		for (uint32_t k = 0; k < c->events; k++)
			took[k][i] = one[k];
	}
	for (uint32_t k = 0; k < c->events; k++)
		c->empty[k] = meter_median(took[k], EMPTY_WINDOWS);
	return true;
}

bool covariates_open(struct covariates *c, struct meter *m, struct reason *w)
{
	*c = (struct covariates){.meter = m, .tried = true};
	for (int i = 0; i < METER_COUNTERS; i++) {
		int fd = !event_listed(&events[i])
		                 ? -1
		                 : event_open(&events[i], m->wide, c->events ? c->fd[0] : -1);

		if (fd < 0 && i == 0) {
			reason_set(w, "no counters here: %s", meter_event_why(errno));
			c->why = *w;
			return false;
		}
		if (fd < 0)
			continue;
		c->fd[c->events] = fd;
		c->which[c->events++] = i;
	}
	m->group = c->fd[0];
	if (calibrate(c, w))
		return true;
	covariates_close(c);
	c->why = *w;
	return false;
}

bool covariates_take(struct covariates *c, struct reason *w)
{
	uint64_t one[METER_COUNTERS];

	if (!meter_counts(c->meter, one, c->events, w)) {
		c->why = *w;
		return false;
	}
	for (uint32_t k = 0; k < c->events && c->taken < COVARIATE_WINDOWS; k++)
		c->value[k][c->taken] = one[k] > c->empty[k] ? one[k] - c->empty[k] : 0;
	c->taken++;
	return true;
}

void covariates_close(struct covariates *c)
{
	c->meter->group = -1;
	/* The leader last. */
	for (uint32_t i = c->events; i > 0; i--)
		close(c->fd[i - 1]);
}

void covariates_emit(const struct covariates *c, struct emit *e)
{
	if (!c->tried)
		return;
	emit_open(e, "covariates");
	if (c->why.text[0]) {
		emit_str(e, "why", c->why.text);
	} else {
		emit_u64(e, "windows", c->taken);
		for (uint32_t k = 0; k < c->events; k++)
			emit_u64(e, events[c->which[k]].name, meter_median(c->value[k], c->taken));
	}
	emit_close(e);
}
