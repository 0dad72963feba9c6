/* faults_decode.c - the process that reads a vmlinux (`foldwatchd decode FILE`). */
#include "server/faults.h"

#include "lib/decode.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
	char line[1024];
	struct decode *d;
	struct why w;

	set_limits();
	if (decode_open(vmlinux, &d, &w) != OK) {
		fprintf(stderr, "foldwatchd: %s\n", w.text);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		char *at = strchr(line, ' ');
		struct decode_ask ask = {.name = line};
		struct decoded out = {0};

		if (at) {
			*at = '\0';
			ask.offset = strtoull(at + 1, &at, 10);
			ask.size = strtoull(at, &at, 10);
			ask.exact = strtoull(at, NULL, 10) != 0;
			decode_frame(d, &ask, &out);
		}
		printf("%s\t%s\t%u\t%s\t%s\n", text(out.unit), text(out.file), out.line,
		       text(out.object), text(out.why));
		decoded_release(&out);
	}
	decode_close(d);
	return fflush(stdout) ? 1 : 0;
}
