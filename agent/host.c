#include "agent/host.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CPU_DIR "/sys/devices/system/cpu"

/* The first line of a small file. */
static void put_file(json_t *o, const char *key, const char *path)
{
	struct buf b;

	buf_init(&b, 4096);
	if (file_read(path, &b, NULL) == OK && b.len) {
		b.data[strcspn(b.data, "\n")] = '\0';
		json_put_str(o, key, b.data);
	}
	buf_release(&b);
}

/* x86 names its CPU; arm64 has it as a number. */
static void put_model(json_t *o)
{
	static const char name[] = "model name";
	struct buf b;
	char *at;

	buf_init(&b, 16 << 20);
	if (file_read("/proc/cpuinfo", &b, NULL) == OK && b.len && (at = strstr(b.data, name)) &&
	    (at = strchr(at, ':'))) {
		at += 1 + strspn(at + 1, " ");
		at[strcspn(at, "\n")] = '\0';
		json_put_str(o, "cpu", at);
	} else {
		put_file(o, "cpu", CPU_DIR "/cpu0/regs/identification/midr_el1");
	}
	buf_release(&b);
}

json_t *host_describe(void)
{
	json_t *o = json_object();
	struct utsname u;

	if (!uname(&u)) {
		json_put_str(o, "machine", u.machine);
		json_put_str(o, "kernel", u.release);
	}
	json_put_int(o, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	put_model(o);
	put_file(o, "governor", CPU_DIR "/cpu0/cpufreq/scaling_governor");
	put_file(o, "max_khz", CPU_DIR "/cpu0/cpufreq/scaling_max_freq");
	put_file(o, "smt", CPU_DIR "/smt/control");
	return o;
}
