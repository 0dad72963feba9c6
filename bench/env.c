#include "bench/env.h"

#include "bench/fdt.h"
#include "bench/files.h"
#include "bench/text.h"
#include "bench/thp.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPU_DIR   "/sys/devices/system/cpu"
#define CPUS_MAX  4096
#define NODES_MAX 64
#define NAMES_MAX 64
#define BLOB_MAX  (4u << 20)
#define DETECTED  64 /* features; more are left out */

struct reading {
	struct emit *e;
	const char *root;
};

/* A file below the root, whole; -1 where there is none or it is empty. */
static long read_below(const struct reading *r, const char *path, char *out, size_t size)
{
	char full[512];
	long len;

	if ((size_t)snprintf(full, sizeof(full), "%s%s", r->root, path) >= sizeof(full))
		return -1;
	len = text_read(full, out, size);
	return len > 0 ? len : -1;
}

static void put_file(const struct reading *r, struct emit *e, const char *key, const char *path)
{
	char text[1024];

	if (read_below(r, path, text, sizeof(text)) > 0)
		emit_str(e, key, text);
}

/* Files of one directory under their own names; an object only when there is one. */
static void put_files(const struct reading *r, const char *key, const char *dir,
                      const char *const *names)
{
	char path[512], text[1024];
	bool open = false;

	for (; *names; names++) {
		snprintf(path, sizeof(path), "%s/%s", dir, *names);
		if (read_below(r, path, text, sizeof(text)) <= 0)
			continue;
		if (!open)
			emit_open(r->e, key);
		open = true;
		emit_str(r->e, *names, text);
	}
	if (open)
		emit_close(r->e);
}

/* ---- what CPUs have in common -------------------------------------------------- */

/* CPUs (or policies) that follow each other and say the same are one member of
 * an array, {"cpus": "0-3", ...}. */
struct groups {
	struct emit *e;
	const char *key;
	bool open;
	long first, last; /* of the group not yet written; first -1: there is none */
	char text[4096];
};

static void groups_flush(struct groups *g)
{
	char range[48];

	if (g->first < 0)
		return;
	if (!g->open)
		emit_array(g->e, g->key);
	g->open = true;
	snprintf(range, sizeof(range), g->first == g->last ? "%ld" : "%ld-%ld", g->first, g->last);
	emit_open(g->e, NULL);
	emit_str(g->e, "cpus", range);
	emit_raw(g->e, ",", 1);
	emit_raw(g->e, g->text, strlen(g->text));
	emit_close(g->e);
	g->first = -1;
}

/* `part` has the members of CPU n; nothing in it: that CPU says nothing. */
static void groups_add(struct groups *g, long n, struct emit *part)
{
	if (part->full || !part->len)
		return;
	part->data[part->len] = '\0';
	if (g->first >= 0 && g->last + 1 == n && !strcmp(g->text, part->data)) {
		g->last = n;
		return;
	}
	groups_flush(g);
	g->first = g->last = n;
	memcpy(g->text, part->data, part->len + 1);
}

static void groups_end(struct groups *g)
{
	groups_flush(g);
	if (g->open)
		emit_array_close(g->e);
}

static void part_init(struct emit *part, char *memory, size_t size)
{
	emit_init(part, memory, size - 1); /* room for the NUL */
}

static long cpus_configured(void)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	return n > CPUS_MAX ? CPUS_MAX : n;
}

static void put_identification(const struct reading *r)
{
	struct groups g = {.e = r->e, .key = "cpu", .first = -1};
	char memory[512], path[160];
	struct emit part;

	for (long i = 0; i < cpus_configured(); i++) {
		part_init(&part, memory, sizeof(memory));
		snprintf(path, sizeof(path), CPU_DIR "/cpu%ld/regs/identification/midr_el1", i);
		put_file(r, &part, "midr", path);
		snprintf(path, sizeof(path), CPU_DIR "/cpu%ld/regs/identification/revidr_el1", i);
		put_file(r, &part, "revidr", path);
		groups_add(&g, i, &part);
	}
	groups_end(&g);
}

/* A line "name : value" of /proc/cpuinfo; NULL when it is none of that name. */
static const char *cpuinfo_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0)
		return NULL;
	line += len + strspn(line + len, " \t");
	return *line == ':' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

struct cpuinfo_key {
	const char *name, *key;
};

static void put_cpuinfo(const struct reading *r, const char *key, const struct cpuinfo_key *keys)
{
	struct groups g = {.e = r->e, .key = key, .first = -1};
	char memory[4096], path[512];
	struct emit part;
	struct lines l;
	uint64_t cpu = 0;
	char *line;
	int fd;

	snprintf(path, sizeof(path), "%s/proc/cpuinfo", r->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	lines_init(&l, fd);
	part_init(&part, memory, sizeof(memory));
	while ((line = lines_next(&l))) {
		const char *value = cpuinfo_value(line, "processor");

		if (value) {
			groups_add(&g, (long)cpu, &part);
			part_init(&part, memory, sizeof(memory));
			u64_parse(value, strlen(value), &cpu);
		}
		for (const struct cpuinfo_key *k = keys; k->name; k++)
			if ((value = cpuinfo_value(line, k->name)))
				emit_str(&part, k->key, value);
	}
	groups_add(&g, (long)cpu, &part);
	groups_end(&g);
	close(fd);
}

static void put_cpufreq(const struct reading *r)
{
	static const struct cpuinfo_key files[] = {
	        {"scaling_driver", "driver"},
	        {"scaling_governor", "governor"},
	        {"cpuinfo_min_freq", "min_khz"},
	        {"cpuinfo_max_freq", "max_khz"},
	        {"scaling_min_freq", "from_khz"},
	        {"scaling_max_freq", "to_khz"},
	        {NULL, NULL},
	};
	struct groups g = {.e = r->e, .key = "cpufreq", .first = -1};
	char memory[1024], path[160];
	struct emit part;

	for (long i = 0; i < cpus_configured(); i++) {
		part_init(&part, memory, sizeof(memory));
		for (const struct cpuinfo_key *k = files; k->name; k++) {
			snprintf(path, sizeof(path), CPU_DIR "/cpu%ld/cpufreq/%s", i, k->name);
			put_file(r, &part, k->key, path);
		}
		groups_add(&g, i, &part);
	}
	groups_end(&g);
	put_file(r, r->e, "boost", CPU_DIR "/cpufreq/boost");
}

/* ---- memory --------------------------------------------------------------------- */

/* "40000000-bfffffff : System RAM", not inside another. Without the right to see
 * addresses they all read as 0. */
static uint64_t ram_of_line(const char *line)
{
	char *end;
	unsigned long long from = strtoull(line, &end, 16), to;

	if (line[0] == ' ' || *end != '-')
		return 0;
	to = strtoull(end + 1, &end, 16);
	return to > from && !strcmp(end, " : System RAM") ? to - from + 1 : 0;
}

static void put_ram(const struct reading *r)
{
	uint64_t bytes = 0;
	struct lines l;
	char path[512], *line;
	int fd;

	snprintf(path, sizeof(path), "%s/proc/iomem", r->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	lines_init(&l, fd);
	while ((line = lines_next(&l)))
		bytes += ram_of_line(line);
	close(fd);
	if (bytes)
		emit_u64(r->e, "ram_bytes", bytes);
}

static void put_memory(const struct reading *r)
{
	char text[8192];
	uint64_t kb;

	if (read_below(r, "/proc/meminfo", text, sizeof(text)) > 0 &&
	    line_value(text, "MemTotal:", &kb))
		emit_u64(r->e, "memory_bytes", kb * 1024);
}

static void put_numa(const struct reading *r)
{
	static const char *const names[] = {"cpulist", "distance", NULL};
	char path[160], key[16], text[64];

	if (read_below(r, "/sys/devices/system/node/online", text, sizeof(text)) <= 0)
		return;
	emit_open(r->e, "numa");
	emit_str(r->e, "online", text);
	for (int i = 0; i < NODES_MAX; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", i);
		snprintf(key, sizeof(key), "node%d", i);
		put_files(r, key, path, names);
	}
	emit_close(r->e);
}

/* ---- the rest --------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* In the order of names: the kernel's own order differs by how it hashes them. */
static void put_mitigations(const struct reading *r)
{
	char names[NAMES_MAX][64], path[512];
	const char *list[NAMES_MAX + 1] = {0};
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" CPU_DIR "/vulnerabilities", r->root);
	dir = opendir(path);
	if (!dir)
		return;
	while (n < NAMES_MAX && (d = readdir(dir)))
		if (d->d_name[0] != '.' && strlen(d->d_name) < sizeof(names[0]))
			memcpy(names[n++], d->d_name, strlen(d->d_name) + 1);
	closedir(dir);
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++)
		list[i] = names[i];
	put_files(r, "mitigations", CPU_DIR "/vulnerabilities", list);
}

static void put_fdt(const struct reading *r)
{
	char path[512], hex[SHA256_HEX_SIZE];
	unsigned char *blob;
	size_t len = 0;
	ssize_t n;
	int fd;

	put_file(r, r->e, "dt_model", "/proc/device-tree/model");
	snprintf(path, sizeof(path), "%s/sys/firmware/fdt", r->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	blob = mmap(NULL, BLOB_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	while (blob != MAP_FAILED && len < BLOB_MAX &&
	       (n = read(fd, blob + len, BLOB_MAX - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (blob == MAP_FAILED)
		return;
	if (fdt_hash(blob, len, hex))
		emit_str(r->e, "fdt_sha256", hex);
	munmap(blob, BLOB_MAX);
}

void env_detected(struct emit *e, const char *log, size_t len)
{
	static const char words[] = "CPU features: detected: ";
	const char *at = log, *end = log + len;
	char seen[DETECTED][96];
	size_t n = 0;

	while (n < DETECTED && (at = memmem(at, (size_t)(end - at), words, sizeof(words) - 1))) {
		size_t k = 0, i = 0;

		at += sizeof(words) - 1;
		while (at + k < end && at[k] != '\n' && k < sizeof(seen[0]) - 1)
			k++;
		memcpy(seen[n], at, k);
		seen[n][k] = '\0';
		while (i < n && strcmp(seen[i], seen[n]) != 0)
			i++;
		if (k && i == n)
			n++;
	}
	if (!n)
		return;
	emit_array(e, "detected");
	for (size_t i = 0; i < n; i++)
		emit_str(e, NULL, seen[i]);
	emit_array_close(e);
}

/* The ring buffer, as far back as it goes. */
static void put_detected(struct emit *e)
{
	enum { READ_ALL = 3, SIZE_BUFFER = 10 };
	int size = klogctl(SIZE_BUFFER, NULL, 0), len;
	char *log;

	if (size <= 0)
		return;
	log = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (log == MAP_FAILED)
		return;
	len = klogctl(READ_ALL, log, size);
	if (len > 0)
		env_detected(e, log, (size_t)len);
	munmap(log, (size_t)size);
}

void env_describe(struct emit *e, const char *root)
{
	static const struct cpuinfo_key model[] = {
	        {"model name", "name"},   {"cpu family", "family"},   {"model", "model"},
	        {"stepping", "stepping"}, {"microcode", "microcode"}, {NULL, NULL},
	};
	static const struct cpuinfo_key features[] = {
	        {"Features", "has"}, {"flags", "has"}, {NULL, NULL}};
	static const char *const firmware[] = {"bios_vendor",  "bios_version",  "bios_date",
	                                       "bios_release", "sys_vendor",    "product_name",
	                                       "board_name",   "board_version", NULL};
	static const char *const soc[] = {"family", "machine", "revision", "soc_id", NULL};
	const struct reading r = {e, root};

	emit_open(e, "env");
	put_identification(&r);
	put_cpuinfo(&r, "model", model);
	put_cpuinfo(&r, "features", features);
	if (!*root)
		put_detected(e);
	emit_u64(e, "cpus", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
	put_file(&r, e, "smt", CPU_DIR "/smt/control");
	put_cpufreq(&r);
	put_ram(&r);
	put_memory(&r);
	put_numa(&r);
#ifdef __aarch64__
	{
		uint64_t hz;

		__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
		emit_u64(e, "timer_hz", hz);
	}
#endif
	put_file(&r, e, "clocksource",
	         "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	put_file(&r, e, "randomize_va_space", "/proc/sys/kernel/randomize_va_space");
	put_file(&r, e, "stat_interval", "/proc/sys/vm/stat_interval");
	put_file(&r, e, "percpu_pagelist_high_fraction",
	         "/proc/sys/vm/percpu_pagelist_high_fraction");
	put_files(&r, "soc", "/sys/devices/soc0", soc);
	put_files(&r, "firmware", "/sys/class/dmi/id", firmware);
	put_fdt(&r);
	put_file(&r, e, "efi_bits", "/sys/firmware/efi/fw_platform_size");
	put_mitigations(&r);
	thp_describe(e);
	files_describe(e);
	emit_close(e);
}
