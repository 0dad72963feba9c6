#include "bench/init.h"

#include "bench/files.h"
#include "bench/plan.h"
#include "bench/suite.h"
#include "bench/thp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PORTS_DIR    "/sys/class/virtio-ports"
#define PORT_WAIT_MS 5000

/* ---- the command line --------------------------------------------------------- */

static bool word_nonce(const char *value, struct init_words *out)
{
	if (strlen(value) != NONCE_SIZE - 1 || strspn(value, "0123456789abcdef") != NONCE_SIZE - 1)
		return false;
	memcpy(out->nonce, value, NONCE_SIZE);
	return true;
}

static bool word_phase(const char *value, struct init_words *out)
{
	uint64_t v;

	if (!u64_parse(value, strlen(value), &v) || v > PHASE_MAX)
		return false;
	out->phase = (unsigned int)v;
	return true;
}

static bool word_metric(const char *value, struct init_words *out)
{
	int metric = metric_find(value);

	if (metric < 0)
		return false;
	out->metric = (enum metric)metric;
	return true;
}

static const struct {
	const char *name;
	bool (*take)(const char *value, struct init_words *out);
	const char *expected;
} words[] = {
        {"foldwatch.nonce=", word_nonce, "16 lower-case hex digits"},
        {"foldwatch.phase=", word_phase, "a number from 0 to 9999"},
        {"foldwatch.metric=", word_metric, "instructions or ns, padded with dashes"},
};

#define WORDS (sizeof(words) / sizeof(words[0]))

bool init_words(const char *cmdline, struct init_words *out, struct reason *w)
{
	char text[4096], *save = NULL;
	unsigned int seen = 0;

	*out = (struct init_words){.nonce = "0000000000000000", .metric = METRIC_INSTRUCTIONS};
	snprintf(text, sizeof(text), "%s", cmdline);
	for (char *word = strtok_r(text, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		for (size_t i = 0; i < WORDS; i++) {
			size_t len = strlen(words[i].name);
			bool again = seen & 1u << i;

			if (!text_starts(word, words[i].name))
				continue;
			seen |= 1u << i;
			if (!again && words[i].take(word + len, out))
				break;
			if (again)
				reason_set(w, "command line: %.*s: given twice", (int)len - 1,
				           words[i].name);
			else
				reason_set(w, "command line: %.*s: expected %s, got \"%.64s\"",
				           (int)len - 1, words[i].name, words[i].expected,
				           word + len);
			return false;
		}
	}
	return true;
}

/* ---- the console --------------------------------------------------------------- */

/* One line, and wait until it is out: characters still in the UART would
 * interrupt a timed window. */
__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	fd_write_all(STDOUT_FILENO, line, (size_t)n);
	tcdrain(STDOUT_FILENO);
}

static void progress(size_t number, size_t count, const char *text)
{
	say("foldbench: case %zu/%zu %s", number, count, text);
}

static void power_off(void) __attribute__((noreturn));
static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	/* No way to power off: ending would be a panic, which a fault scan takes
	 * for the kernel's. */
	for (;;)
		pause();
}

static void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void fail(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say("foldbench: failed: %s", text);
	power_off();
}

/* ---- the guest ------------------------------------------------------------------ */

static const struct {
	const char *at, *type;
	bool optional; /* of kernels that have it */
} mounts[] = {
        {"/proc", "proc", false},
        {"/sys", "sysfs", false},
        {"/dev", "devtmpfs", false},
        {"/sys/kernel/tracing", "tracefs", true},
};

static void mount_all(void)
{
	int fd;

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].at, 0755);
		if (mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, NULL) &&
		    errno != EBUSY && !mounts[i].optional)
			fail("mount %s: %s", mounts[i].at, strerror(errno));
	}
	/* The kernel found no /dev/console in an initramfs without one. */
	fd = open("/dev/console", O_RDWR | O_NOCTTY);
	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		if (fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/*
 * What makes a window depend on the case alone, and not on the windows before
 * it. Each is written where the kernel has it; the result's env says what stood.
 */
static void tune(void)
{
	static const struct {
		const char *path, *text;
	} settings[] = {
	        {"/proc/sys/kernel/randomize_va_space", "0"},
	        /* The statistics worker empties per-CPU page lists once a second,
	         * in whichever window that falls. */
	        {"/proc/sys/vm/stat_interval", "86400"},
	        /* Per-CPU page lists of a fixed length, the longest there is (an
	         * eighth of memory). Left to itself the kernel tunes it by what
	         * was allocated before: munmap of order-0 pages then cost up to
	         * 10 % more or less by the cases that ran earlier, merging
	         * buddies or not; fixed, it repeats to 0.01 %. */
	        {"/proc/sys/vm/percpu_pagelist_high_fraction", "8"},
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		text_write(settings[i].path, settings[i].text);
}

/* The device of the port with our name, as /dev/NAME; false when there is none. */
static bool find_port(char *out, size_t size)
{
	DIR *d = opendir(PORTS_DIR);
	bool found = false;
	struct dirent *entry;

	if (!d)
		return false;
	while (!found && (entry = readdir(d))) {
		char path[512], name[128];

		snprintf(path, sizeof(path), PORTS_DIR "/%s/name", entry->d_name);
		if (text_read(path, name, sizeof(name)) < 0 || strcmp(name, INIT_PORT) != 0)
			continue;
		snprintf(out, size, "/dev/%s", entry->d_name);
		found = true;
	}
	closedir(d);
	return found;
}

/*
 * The host names its ports by messages that a kernel thread reads, so they come
 * a moment after init. Looked for before anything is measured: a guest that
 * cannot hand over its results need not gather them.
 */
static int open_port(void)
{
	struct timespec step = {.tv_nsec = 10000000};
	char path[300];
	int fd;

	for (int ms = 0; !find_port(path, sizeof(path)); ms += 10) {
		if (ms >= PORT_WAIT_MS)
			fail("no virtio-serial port is named %s, so the results have nowhere to go "
			     "(QEMU: -device virtio-serial-device -device virtserialport,name=%s,"
			     "chardev=ID)",
			     INIT_PORT, INIT_PORT);
		nanosleep(&step, NULL);
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

/*
 * A process that touches this many pages and keeps them: it moves the page
 * allocator's state and the timer's phase a little, always by the same. There
 * is one for 0 pages too, so that boots differ in the pages alone.
 */
static void hold_pages(unsigned int pages)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char ready = 0;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		fail("no pipe for the phase's helper: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fail("no process for the phase's helper: %s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_NAME, "phase");
		/* One page more, so that phase 0 is no special case of mmap(). */
		char *p = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE,
		               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			_exit(1);
		for (unsigned int i = 0; i < pages; i++)
			p[i * page] = 1;
		ready = 1;
		if (write(pipes[1], &ready, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipes[1]);
	if (read(pipes[0], &ready, 1) != 1 || ready != 1)
		fail("the phase's helper could not hold %u pages", pages);
	close(pipes[0]);
}

void init_main(void)
{
	struct suite suite = {.self = "/proc/self/exe", .progress = progress};
	struct init_words given;
	char cmdline[4096];
	struct reason w = {""};
	struct plan plan;
	int port;

	mount_all();
	if (text_read("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		fail("/proc/cmdline: %s", strerror(errno));
	if (!init_words(cmdline, &given, &w))
		fail("%s", w.text);
	say("foldbench: begin nonce=%s", given.nonce);
	tune();
	port = open_port();
	if (plan_read(&plan, INIT_PLAN, &plan_preset, &w))
		fail("%s", w.text);
	suite.plan = &plan;
	suite.metric = given.metric;
	suite.phase_pages = given.phase;
	memcpy(suite.nonce, given.nonce, sizeof(suite.nonce));
	if (!suite_memory(&suite, &w))
		fail("%s", w.text);
	files_exercise();
	hold_pages(given.phase);
	if (!suite_run(&suite, &w))
		fail("%s", w.text);
	if (fd_write_all(port, suite.out.data, suite.out.len))
		fail("writing the results: %s", strerror(errno));
	close(port);
	say("foldbench: end nonce=%s runs=%llu", given.nonce, (unsigned long long)suite.runs);
	power_off();
}
