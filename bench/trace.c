#include "bench/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SWITCH "function_profile_enabled"
#define FILTER "set_ftrace_filter"

/* What arch/arm64/mm/contpte.c has of functions that are called, and not inlined. */
static const char *const patterns[] = {"contpte_*", "__contpte_*"};

static bool at(const struct trace *t, const char *file, char *path, size_t size)
{
	return snprintf(path, size, "%s/%s", t->dir, file) < (int)size;
}

static int put(const struct trace *t, const char *file, const char *text, int flags)
{
	char path[128];
	int fd = at(t, file, path, sizeof(path)) ? open(path, O_WRONLY | O_CLOEXEC | flags) : -1;
	int rc, error;

	if (fd < 0)
		return -1;
	rc = fd_write_all(fd, text, strlen(text));
	error = errno;
	/* The filter takes effect, and says what is wrong with it, at the close. */
	if (close(fd) && !rc) {
		rc = -1;
		error = errno;
	}
	errno = error;
	return rc;
}

void trace_line(struct trace_counts *c, const char *line)
{
	const char *name = line + strspn(line, " "), *number;
	size_t len = strcspn(name, " "), digits;
	uint64_t hits;
	uint32_t i;

	number = name + len + strspn(name + len, " ");
	digits = strcspn(number, " ");
	if (!len || len >= TRACE_NAME || !u64_parse(number, digits, &hits))
		return;
	for (i = 0; i < c->functions; i++)
		if (strlen(c->name[i]) == len && !memcmp(c->name[i], name, len))
			break;
	if (i == TRACE_FUNCTIONS) {
		c->full = true;
		return;
	}
	if (i == c->functions) {
		memcpy(c->name[i], name, len);
		c->name[i][len] = '\0';
		c->hits[i] = 0;
		c->functions++;
	}
	c->hits[i] += hits;
}

void trace_read(const struct trace *t, struct trace_counts *c)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	char path[128], file[48];
	struct lines lines;
	const char *line;

	*c = (struct trace_counts){0};
	for (long cpu = 0; cpu < cpus; cpu++) {
		int fd;

		snprintf(file, sizeof(file), "trace_stat/function%ld", cpu);
		fd = at(t, file, path, sizeof(path)) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		if (fd < 0) {
			/* CPUs that are possible and not there have none. */
			c->unreadable |= cpu == 0;
			continue;
		}
		lines_init(&lines, fd);
		while ((line = lines_next(&lines)))
			trace_line(c, line);
		close(fd);
	}
}

/* Is nobody else using it? */
static bool idle(const struct trace *t, struct reason *w)
{
	char path[128], text[256];

	if (!at(t, SWITCH, path, sizeof(path)) || text_read(path, text, sizeof(text)) < 0) {
		if (errno == EACCES)
			reason_set(w, "reading the kernel's function profiler takes the superuser");
		else
			reason_set(w, "this kernel has no function profiler "
			              "(CONFIG_FUNCTION_PROFILER), or tracefs is not mounted");
		return false;
	}
	if (strcmp(text, "0") != 0) {
		reason_set(w, "somebody else uses the kernel's function profiler");
		return false;
	}
	/* A heading alone, "#### all functions enabled ####", is no filter. */
	if (at(t, FILTER, path, sizeof(path)) && text_read(path, text, sizeof(text)) > 0 &&
	    text[0] != '#') {
		reason_set(w, "somebody else filters the functions that are traced");
		return false;
	}
	return true;
}

static bool begin(const struct trace *t, struct reason *w)
{
	bool some = false;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		/* EINVAL: no function is called so, which is what CONFIG_ARM64_CONTPTE=n is. */
		some |= !put(t, FILTER, patterns[i], O_APPEND);
	if (!some) {
		reason_set(w, "this kernel has no function %s", patterns[0]);
		return false;
	}
	if (put(t, SWITCH, "1", 0)) {
		reason_set(w, "cannot switch on the kernel's function profiler: %s",
		           strerror(errno));
		put(t, FILTER, "", O_TRUNC);
		return false;
	}
	return true;
}

bool trace_open(struct trace *t, struct meter *m, struct reason *w)
{
	*t = (struct trace){.meter = m, .tried = true, .dir = "/sys/kernel/tracing"};
	if (access("/sys/kernel/tracing/" SWITCH, F_OK) &&
	    !access("/sys/kernel/debug/tracing/" SWITCH, F_OK))
		t->dir = "/sys/kernel/debug/tracing";
	t->edges = mmap(NULL, sizeof(*t->edges), PROT_READ | PROT_WRITE,
	                MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (t->edges == MAP_FAILED) {
		t->edges = NULL;
		reason_set(w, "no memory for the counts of functions");
	} else if (idle(t, w) && begin(t, w)) {
		m->trace = t;
		return true;
	}
	t->why = *w;
	return false;
}

static uint64_t hits_of(const struct trace_counts *c, const char *name)
{
	for (uint32_t i = 0; i < c->functions; i++)
		if (!strcmp(c->name[i], name))
			return c->hits[i];
	return 0; /* never called so far: the kernel lists it from its first call on */
}

bool trace_take(struct trace *t, struct reason *w)
{
	const struct trace_counts *a = &t->edges->start, *b = &t->edges->stop;

	if (b->full || a->unreadable || b->unreadable) {
		reason_set(w,
		           b->full ? "more than %d functions were called"
		                   : "the counts of functions cannot be read",
		           TRACE_FUNCTIONS);
		t->why = *w;
		return false;
	}
	if (t->taken == TRACE_WINDOWS)
		return true;
	for (uint32_t i = 0; i < b->functions; i++) {
		uint64_t before = hits_of(a, b->name[i]);
		uint32_t k = 0;

		while (k < t->functions && strcmp(t->name[k], b->name[i]) != 0)
			k++;
		if (k == TRACE_FUNCTIONS)
			continue;
		if (k == t->functions)
			memcpy(t->name[t->functions++], b->name[i], TRACE_NAME);
		t->value[k][t->taken] = b->hits[i] > before ? b->hits[i] - before : 0;
	}
	t->taken++;
	return true;
}

void trace_close(struct trace *t)
{
	if (!t->meter || !t->meter->trace)
		return;
	t->meter->trace = NULL;
	put(t, SWITCH, "0", 0);
	put(t, FILTER, "", O_TRUNC);
}

void trace_free(struct trace *t)
{
	if (t->edges)
		munmap(t->edges, sizeof(*t->edges));
	t->edges = NULL;
}

void trace_emit(const struct trace *t, struct emit *e)
{
	if (!t->tried)
		return;
	emit_open(e, "calls");
	if (t->why.text[0] || !t->taken) {
		emit_str(e, "why", t->why.text[0] ? t->why.text : "no window was counted");
	} else {
		emit_u64(e, "windows", t->taken);
		for (uint32_t i = 0; i < t->functions; i++)
			emit_u64(e, t->name[i], meter_median(t->value[i], t->taken));
	}
	emit_close(e);
}
