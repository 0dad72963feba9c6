/* faults_decode.c - the process that reads a vmlinux (`foldwatchd decode FILE`). */
#include "server/faults.h"

#include "lib/decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define MEMORY_BYTES (UINT64_C(16) << 30)
#define CPU_S        100

/* What a made-up vmlinux can take from the machine. */
static void set_limits(void)
{
	const struct rlimit none = {0, 0}, cpu = {CPU_S, CPU_S};

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &cpu);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
	setrlimit(RLIMIT_AS, &(struct rlimit){MEMORY_BYTES, MEMORY_BYTES});
#endif
}

static const char *text(const char *s)
{
	return s ? s : "";
}

int faults_decode_main(const char *vmlinux)
{
	char line[1024], name[512];
	uint64_t offset, size;
	struct decode *d;
	struct why w;
	int exact;

	set_limits();
	if (decode_open(vmlinux, &d, &w) != OK) {
		fprintf(stderr, "foldwatchd: %s\n", w.text);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		struct decoded out = {0};

		if (sscanf(line, "%511s %" SCNu64 " %" SCNu64 " %d", name, &offset, &size,
		           &exact) == 4)
			decode_frame(d, &(struct decode_ask){name, offset, size, exact != 0}, &out);
		printf("%s\t%s\t%u\t%s\t%s\n", text(out.unit), text(out.file), out.line,
		       text(out.object), text(out.why));
		decoded_release(&out);
	}
	decode_close(d);
	return fflush(stdout) ? 1 : 0;
}
