#include "bench/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#define DEVICE "/dev/zram0"
#define ZRAM   "/sys/block/zram0/"

static bool ours;

/* The header of a swap area (include/linux/swap.h, union swap_header): at byte
 * 1024 of the first page, and the magic at its end. */
struct swap_info {
	uint32_t version;
	uint32_t last_page;
	uint32_t nr_badpages;
};

static bool write_header(size_t bytes, size_t page)
{
	static const char magic[10] = "SWAPSPACE2";
	struct swap_info info = {.version = 1, .last_page = (uint32_t)(bytes / page - 1)};
	static char first[64 << 10];
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	bool done;

	if (fd < 0 || page > sizeof(first)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	memset(first, 0, sizeof(first));
	memcpy(first + 1024, &info, sizeof(info));
	memcpy(first + page - sizeof(magic), magic, sizeof(magic));
	done = !fd_write_all(fd, first, page) && !fsync(fd);
	return !close(fd) && done;
}

/* Kilobytes of swap that are free; 0 where none is on. */
static uint64_t free_kb(void)
{
	char text[4096];
	uint64_t kb = 0;

	if (text_read("/proc/meminfo", text, sizeof(text)) < 0 ||
	    !line_value(text, "SwapFree:", &kb))
		return 0;
	return kb;
}

enum proof_answer swap_open(size_t bytes, struct reason *w)
{
	/* Some slots stay in the kernel's per-CPU caches. */
	size_t room = bytes + bytes / 4 + (4ul << 20);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char size[32], text[64];

	if (free_kb() >= room / 1024)
		return PROOF_HOLDS;
	if (access("/proc/swaps", F_OK)) {
		reason_set(w, "this kernel has no swap (CONFIG_SWAP)");
		return PROOF_CANNOT;
	}
	if (text_read(ZRAM "disksize", text, sizeof(text)) < 0) {
		reason_set(w,
		           "no swap is on for %zu bytes, and there is no zram0 to make some "
		           "(CONFIG_ZRAM)",
		           bytes);
		return PROOF_CANNOT;
	}
	if (strcmp(text, "0") != 0) {
		reason_set(w, "no swap is on for %zu bytes, and zram0 is in use", bytes);
		return PROOF_CANNOT;
	}
	snprintf(size, sizeof(size), "%zu", room / page * page);
	if (text_write(ZRAM "disksize", size)) {
		reason_set(w, "zram0 cannot be given %s bytes: %s", size, strerror(errno));
		return PROOF_CANNOT;
	}
	if (!write_header(room, page) || swapon(DEVICE, 0)) {
		reason_set(w, "swap on zram0: %s", strerror(errno));
		text_write(ZRAM "reset", "1");
		return PROOF_CANNOT;
	}
	ours = true;
	return PROOF_HOLDS;
}

void swap_close(void)
{
	if (!ours)
		return;
	if (swapoff(DEVICE) || text_write(ZRAM "reset", "1"))
		fprintf(stderr, "foldbench: swap on zram0 cannot be taken down: %s\n",
		        strerror(errno));
	ours = false;
}
