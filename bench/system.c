#include "bench/system.h"

#include "bench/cut.h"
#include "bench/env.h"
#include "bench/text.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

uint64_t system_taint(void)
{
	char text[64];
	long len = text_read("/proc/sys/kernel/tainted", text, sizeof(text));
	uint64_t taint = 0;

	if (len > 0)
		u64_parse(text, (size_t)len, &taint);
	return taint;
}

void build_id_from_notes(const void *notes, size_t len, char *out, size_t size)
{
	const char *at = notes;

	out[0] = '\0';
	while (len >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		size_t name, desc;

		memcpy(&h, at, sizeof(h));
		name = ((size_t)h.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
		at += sizeof(h);
		len -= sizeof(h);
		if (name > len || desc > len - name)
			return;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && !memcmp(at, "GNU", 4) &&
		    2 * (size_t)h.n_descsz < size) {
			for (size_t i = 0; i < h.n_descsz; i++)
				snprintf(out + 2 * i, 3, "%02x", (unsigned char)at[name + i]);
			return;
		}
		at += name + desc;
		len -= name + desc;
	}
}

static int own_notes(struct dl_phdr_info *info, size_t info_size, void *out)
{
	(void)info_size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_NOTE && !*(char *)out)
			build_id_from_notes((const char *)info->dlpi_addr + p->p_vaddr, p->p_memsz,
			                    out, 65);
	}
	return 1; /* the first object is the program */
}

void system_begin(struct emit *e, const char *nonce, unsigned int phase_pages, enum metric metric)
{
	static char notes[65536];
	char own[65] = "", kernel[65] = "", text[4096];
	struct utsname u;
	long page = sysconf(_SC_PAGESIZE);
	ssize_t len;
	int fd;

	dl_iterate_phdr(own_notes, own);
	/* Notes are no text: a build-id may end in 0a, which text_read() would take
	 * for a newline. */
	fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, notes, sizeof(notes));
	if (fd >= 0)
		close(fd);
	if (len > 0)
		build_id_from_notes(notes, (size_t)len, kernel, sizeof(kernel));
	if (uname(&u))
		memset(&u, 0, sizeof(u));

	emit_open(e, NULL);
	emit_str(e, "type", "begin");
	emit_u64(e, "format", FORMAT);
	emit_str(e, "nonce", nonce);
	emit_str(e, "bench", own);
	emit_str(e, "build_id", kernel);
	emit_str(e, "boot_id",
	         text_read("/proc/sys/kernel/random/boot_id", text, sizeof(text)) > 0 ? text : "");
	emit_str(e, "release", u.release);
	emit_str(e, "version", u.version);
	emit_str(e, "machine", u.machine);
	emit_str(e, "metric", metrics[metric].name);
	emit_u64(e, "page_size", (uint64_t)page);
	emit_u64(e, "block_size", block_bytes((size_t)page));
	emit_u64(e, "phase_pages", phase_pages);
	emit_u64(e, "taint", system_taint());
	emit_str(e, "cmdline", text_read("/proc/cmdline", text, sizeof(text)) > 0 ? text : "");
	env_describe(e, "");
	emit_close(e);
	emit_newline(e);
}
