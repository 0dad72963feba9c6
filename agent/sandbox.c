/*
 * sandbox.c - see sandbox.h.
 */
#include "agent/sandbox.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Top directories that are links into /usr on merged systems, directories of
 * their own on others. */
static const char *const system_dirs[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"};

/* What ordinary programs look for: which awk is meant, where libraries lie,
 * the names of users. Nothing that is secret or of this machine alone. */
static const char *const etc_files[] = {"/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf",
                                        "/etc/ld.so.conf.d", "/etc/passwd",      "/etc/group",
                                        "/etc/nsswitch.conf"};

static void mount_system(struct argv *a)
{
	char target[PATH_MAX];
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(system_dirs); i++) {
		ssize_t n = readlink(system_dirs[i], target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = '\0';
			argv_add(a, "--symlink", target, system_dirs[i], NULL);
		} else if (!lstat(system_dirs[i], &st)) {
			argv_add(a, "--ro-bind", system_dirs[i], system_dirs[i], NULL);
		}
	}
	for (i = 0; i < ARRAY_SIZE(etc_files); i++)
		argv_add(a, "--ro-bind-try", etc_files[i], etc_files[i], NULL);
}

static void set_env(const struct sandbox *b, struct argv *a)
{
	const char *const *e;

	argv_add(a, "--clearenv", "--setenv", "PATH",
	         "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "--setenv", "HOME", "/tmp",
	         "--setenv", "LC_ALL", "C", "--setenv", "TZ", "UTC", NULL);
	for (e = b->env; e && *e; e++) {
		size_t n = strcspn(*e, "=");
		char *name = xstrndup(*e, n);

		argv_add(a, "--setenv", name, *e + n + 1, NULL);
		free(name);
	}
}

void sandbox_begin(const struct sandbox *b, struct argv *a)
{
	size_t i;

	argv_add(a, "bwrap", "--unshare-all", "--unshare-user", "--disable-userns",
	         "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname",
	         "foldwatch", NULL);
	mount_system(a);
	/* tmpfs takes memory that no rlimit counts: each has a size. */
	argv_add(a, "--proc", "/proc", "--dev", "/dev", "--size", "16777216", "--tmpfs", "/dev/shm",
	         "--size", NULL);
	argv_addf(a, "%" PRId64, b->tmp_bytes ? b->tmp_bytes : INT64_C(16) << 20);
	argv_add(a, "--tmpfs", "/tmp", NULL);
	if (b->device)
		argv_add(a, "--dev-bind", b->device, b->device, NULL);
	for (i = 0; i < b->mount_count; i++)
		argv_add(a, b->mounts[i].writable ? "--bind" : "--ro-bind", b->mounts[i].host,
		         b->mounts[i].at, NULL);
	/* The root that holds the mount points, and /dev, are memory too. */
	argv_add(a, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", b->dir ? b->dir : "/",
	         NULL);
	set_env(b, a);
	argv_add(a, "--", "prlimit", "--core=0", NULL);
	if (b->memory_bytes)
		argv_addf(a, "--as=%" PRId64, b->memory_bytes);
	if (b->file_bytes)
		argv_addf(a, "--fsize=%" PRId64, b->file_bytes);
	if (b->processes)
		argv_addf(a, "--nproc=%" PRId64, b->processes);
}

enum err sandbox_probe(struct why *w)
{
	static int known; /* 0: not tried, 1: can be had, -1: cannot */
	static struct why reason;
	struct sandbox b = {.processes = 64};
	struct argv a = {0};
	struct proc_spec spec = {.timeout_ns = 20 * NS_PER_S};
	struct why said = {""};

	if (!known) {
		sandbox_begin(&b, &a);
		argv_add(&a, "true", NULL);
		spec.argv = argv_list(&a);
		known = proc_run(&spec, NULL, &said) ? -1 : 1;
		if (known < 0)
			err_set(&reason, ERR_UNAVAILABLE,
			        "the sandbox cannot be had on this machine (%.400s)", said.text);
		argv_release(&a);
	}
	if (known > 0)
		return OK;
	if (w)
		*w = reason;
	return ERR_UNAVAILABLE;
}
