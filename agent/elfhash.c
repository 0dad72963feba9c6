/*
 * elfhash.c - see elfhash.h.
 */
#include "agent/elfhash.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UTS_FIELD   65
#define UTS_FIELDS  6
#define UTS_RELEASE 2
#define UTS_VERSION 3
#define BUG_ENTRY   12
#define BUG_LINE    8

/* A part of the address space to be read as zeros. */
struct mask {
	uint64_t at, size;
};

struct hasher {
	Elf *elf;
	const char *path;
	struct mask mask[8];
	int masks;
	bool has_symbols, bug_lines;
	struct hash *hash;
	struct elf_facts *facts;
};

static enum err damaged(const struct hasher *h, struct why *w)
{
	const char *said = elf_errmsg(-1);

	return err_set(w, ERR_INPUT, "\"%s\" is damaged: %s", h->path, said ? said : "no reason");
}

static void add_mask(struct hasher *h, uint64_t at, uint64_t size)
{
	if (h->masks < (int)ARRAY_SIZE(h->mask))
		h->mask[h->masks++] = (struct mask){at, size};
}

static void note_symbol(struct hasher *h, const char *name, const GElf_Sym *sym)
{
	if (str_eq(name, "linux_banner")) {
		add_mask(h, sym->st_value, sym->st_size);
	} else if (str_eq(name, "init_uts_ns") && sym->st_size >= UTS_FIELDS * UTS_FIELD) {
		add_mask(h, sym->st_value + UTS_RELEASE * UTS_FIELD, UTS_FIELD);
		add_mask(h, sym->st_value + UTS_VERSION * UTS_FIELD, UTS_FIELD);
	}
}

static enum err read_symbols(struct hasher *h, struct why *w)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(h->elf, scn)) != NULL) {
		Elf_Data *data;
		GElf_Sym sym;
		int i, n;

		if (!gelf_getshdr(scn, &sh))
			return damaged(h, w);
		if (sh.sh_type != SHT_SYMTAB || !sh.sh_entsize)
			continue;
		data = elf_getdata(scn, NULL);
		if (!data)
			return damaged(h, w);
		n = (int)(data->d_size / sh.sh_entsize);
		for (i = 0; i < n && gelf_getsym(data, i, &sym); i++) {
			const char *name = elf_strptr(h->elf, sh.sh_link, sym.st_name);

			h->has_symbols = true;
			if (name)
				note_symbol(h, name, &sym);
		}
	}
	return OK;
}

/* ---- masking a copy of a section */

static void mask_ranges(const struct hasher *h, unsigned char *data, uint64_t addr, uint64_t size)
{
	int i;

	for (i = 0; i < h->masks; i++) {
		const struct mask *m = &h->mask[i];
		uint64_t from = m->at > addr ? m->at - addr : 0, n;

		if (m->at < addr || from >= size)
			continue;
		n = m->size < size - from ? m->size : size - from;
		memset(data + from, 0, n);
	}
}

/* Every GNU build-id note: n_namesz 4, n_descsz, NT_GNU_BUILD_ID (3), "GNU".
 * The first that stands in a section of notes is the file's own. */
static void mask_build_ids(struct hasher *h, unsigned char *data, uint64_t size, bool notes)
{
	static const unsigned char tail[8] = {3, 0, 0, 0, 'G', 'N', 'U', 0};
	uint64_t at = 0;

	while (size >= 16 && at <= size - 16) {
		unsigned char *p = memmem(data + at, size - at, tail, sizeof(tail));
		uint32_t desc;

		if (!p)
			return;
		at = (uint64_t)(p - data) + sizeof(tail);
		if ((uint64_t)(p - data) < 8 || memcmp(p - 8, "\4\0\0", 4) != 0)
			continue;
		desc = (uint32_t)p[-4] | (uint32_t)p[-3] << 8 | (uint32_t)p[-2] << 16 |
		       (uint32_t)p[-1] << 24;
		if (!desc || desc > 32 || desc > size - at)
			continue;
		if (notes && !h->facts->build_id[0])
			hex_encode(data + at, desc, h->facts->build_id);
		memset(data + at, 0, desc);
	}
}

static void mask_bug_lines(unsigned char *data, uint64_t size)
{
	uint64_t at;

	if (size % BUG_ENTRY)
		return; /* another layout: masking would hide something else */
	for (at = 0; at < size; at += BUG_ENTRY)
		memset(data + at + BUG_LINE, 0, 2);
}

static void mask_banners(unsigned char *data, uint64_t size)
{
	static const char banner[] = "Linux version ";
	unsigned char *p = data, *end = data + size;

	while ((p = memmem(p, (size_t)(end - p), banner, sizeof(banner) - 1)) != NULL) {
		while (p < end && *p)
			*p++ = 0;
	}
}

static void hash_number(struct hash *hash, uint64_t n)
{
	unsigned char le[8];
	int i;

	for (i = 0; i < 8; i++)
		le[i] = (unsigned char)(n >> (8 * i));
	hash_add(hash, le, sizeof(le));
}

static enum err hash_content(struct hasher *h, Elf_Scn *scn, const GElf_Shdr *sh, const char *name,
                             struct why *w)
{
	Elf_Data *data = elf_rawdata(scn, NULL);
	unsigned char *copy;

	if (!data || !data->d_buf || data->d_size != sh->sh_size)
		return damaged(h, w);
	copy = xmalloc(data->d_size);
	memcpy(copy, data->d_buf, data->d_size);
	mask_ranges(h, copy, sh->sh_addr, sh->sh_size);
	mask_build_ids(h, copy, sh->sh_size, sh->sh_type == SHT_NOTE);
	if (h->bug_lines && str_eq(name, "__bug_table"))
		mask_bug_lines(copy, sh->sh_size);
	if (!h->has_symbols)
		mask_banners(copy, sh->sh_size);
	hash_add(h->hash, copy, sh->sh_size);
	free(copy);
	return OK;
}

static enum err hash_sections(struct hasher *h, struct why *w)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t names;
	enum err e = OK;

	if (elf_getshdrstrndx(h->elf, &names))
		return damaged(h, w);
	while (!e && (scn = elf_nextscn(h->elf, scn)) != NULL) {
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			return damaged(h, w);
		if (!(sh.sh_flags & SHF_ALLOC) || !sh.sh_size)
			continue;
		name = elf_strptr(h->elf, names, sh.sh_name);
		if (!name)
			return damaged(h, w);
		hash_add(h->hash, name, strlen(name) + 1);
		hash_number(h->hash, sh.sh_addr);
		hash_number(h->hash, sh.sh_size);
		if (sh.sh_type != SHT_NOBITS)
			e = hash_content(h, scn, &sh, name, w);
		h->facts->sections++;
	}
	return e;
}

static enum err check_header(struct hasher *h, struct why *w)
{
	const char *ident = elf_getident(h->elf, NULL);
	GElf_Ehdr eh;

	if (elf_kind(h->elf) != ELF_K_ELF || !ident)
		return err_set(w, ERR_INPUT, "\"%s\" is no ELF file", h->path);
	if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB)
		return err_set(w, ERR_INPUT, "\"%s\" is no 64-bit little-endian ELF file", h->path);
	if (!gelf_getehdr(h->elf, &eh))
		return damaged(h, w);
	h->facts->machine = eh.e_machine;
	return OK;
}

static enum err read_facts(struct hasher *h, struct why *w)
{
	enum err e = check_header(h, w);

	if (!e)
		e = read_symbols(h, w);
	if (e)
		return e;
	h->hash = hash_new();
	e = hash_sections(h, w);
	if (e) {
		hash_abort(h->hash);
		return e;
	}
	hash_final(h->hash, h->facts->section_hash);
	if (!h->facts->sections)
		return err_set(w, ERR_INPUT, "\"%s\" holds no section that is loaded", h->path);
	return OK;
}

enum err elf_facts(const char *path, bool bug_lines, struct elf_facts *f, struct why *w)
{
	struct hasher h = {.path = path, .bug_lines = bug_lines, .facts = f};
	enum err e;
	int fd;

	*f = (struct elf_facts){.machine = 0};
	if (elf_version(EV_CURRENT) == EV_NONE)
		return err_set(w, ERR_INTERNAL, "libelf is too old");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(w, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open \"%s\"",
		               path);
	h.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	e = h.elf ? read_facts(&h, w) : damaged(&h, w);
	elf_end(h.elf);
	close(fd);
	return e;
}
