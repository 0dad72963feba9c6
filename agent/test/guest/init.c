/*
 * A guest's init that misbehaves in the way that its plan names, for what a
 * whole foldbench and a whole kernel do not do by themselves. Static, arm64.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

static char nonce[64] = "none";

static void say(const char *fmt, const char *arg)
{
	char line[512];

	snprintf(line, sizeof(line), fmt, arg);
	(void)!write(1, line, strlen(line));
}

static void kmsg(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void read_nonce(void)
{
	char text[2048] = "", *at;
	int fd = open("/proc/cmdline", O_RDONLY);

	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	at = strstr(text, "foldwatch.nonce=");
	if (at)
		snprintf(nonce, sizeof(nonce), "%.16s", at + 16);
}

int main(void)
{
	char plan[64] = "";
	int fd = open("/plan", O_RDONLY);

	(void)!read(fd, plan, sizeof(plan) - 1);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	read_nonce();
	if (!strncmp(plan, "silent", 6))
		for (;;)
			pause();
	if (!strncmp(plan, "die", 3))
		return 7; /* a real panic: attempted to kill init */
	if (!strncmp(plan, "early-off", 9)) {
		reboot(RB_POWER_OFF);
	}
	say("foldbench: begin nonce=%s\n",
	    !strncmp(plan, "foreign", 7) ? "ffffffffffffffff" : nonce);
	say("foldbench: case 1/2 fork/order=0,size=16M\n", "");
	if (!strncmp(plan, "hang", 4))
		for (;;)
			pause();
	if (!strncmp(plan, "reset", 5))
		reboot(RB_AUTOBOOT);
	if (!strncmp(plan, "bug", 3))
		kmsg("<0>BUG: Bad page state in process gmain  pfn:12a094\n");
	if (!strncmp(plan, "failed", 6))
		say("foldbench: failed: %s\n",
		    "plan:3: order: expected a number from 0 to 9, got \"7x\"");
	say("foldbench: end nonce=%s runs=0\n", nonce);
	sleep(1);
	reboot(RB_POWER_OFF);
	return 0;
}
