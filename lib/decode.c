#include "lib/decode.h"

#include "lib/mem.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every kernel has this file: what stands before it is where the tree was. */
#define ANCHOR "init/main.c"

/* kallsyms takes a function to end where the next begins, the symbol table
 * where its code ends: what lies between is padding. */
#define PADDING 4096

struct decode {
	int fd;
	Elf *elf;
	Dwarf *dwarf;     /* NULL: no DWARF */
	Elf_Data *symbol; /* of .symtab */
	size_t symbols, strings;
	char *root; /* "/src/": the tree's place when it was compiled; "" */
};

/* ---- paths */

/* "/out/../src/mm/./memory.c" to "/src/mm/memory.c". free() it. */
static char *tidy(const char *path)
{
	char *out = xmalloc(strlen(path) + 2);
	size_t len = 0;
	bool absolute = *path == '/';

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !memcmp(path, "..", 2) && len) {
			while (len && out[len - 1] != '/')
				len--;
			len -= len > 0;
		} else if (n && !(n == 1 && *path == '.')) {
			if (len || absolute)
				out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n + (path[n] == '/');
	}
	out[len] = '\0';
	return out;
}

static char *whole_path(Dwarf_Die *unit, const char *name)
{
	Dwarf_Attribute attr;
	const char *dir =
	        *name == '/' ? NULL : dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
	char *joined = dir ? xasprintf("%s/%s", dir, name) : xstrdup(name), *path = tidy(joined);

	free(joined);
	return path;
}

/* Letters that a path of the kernel's tree has; NULL for anything else, which
 * somebody made up. Takes `path`. */
static char *in_tree(const struct decode *d, char *path)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                           "0123456789_-+.,/";
	const char *rest = str_starts(path, d->root) ? path + strlen(d->root) : path;
	size_t len = strlen(rest);
	char *out = len && len <= 256 && strspn(rest, good) == len ? xstrdup(rest) : NULL;

	free(path);
	return out;
}

/* ---- opening */

static void find_symbols(struct decode *d)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(d->elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB || !sh.sh_entsize)
			continue;
		d->symbol = elf_getdata(scn, NULL);
		d->symbols = d->symbol ? sh.sh_size / sh.sh_entsize : 0;
		d->strings = sh.sh_link;
		return;
	}
}

static bool next_unit(struct decode *d, Dwarf_CU **cu, Dwarf_Die *unit)
{
	return dwarf_get_units(d->dwarf, *cu, cu, NULL, NULL, unit, NULL) == 0;
}

static void find_root(struct decode *d)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit;

	while (next_unit(d, &cu, &unit)) {
		const char *name = dwarf_diename(&unit);
		char *path;

		if (!name || !str_ends(name, ANCHOR))
			continue;
		path = whole_path(&unit, name);
		if (str_eq(path, ANCHOR) || str_ends(path, "/" ANCHOR)) {
			path[strlen(path) - strlen(ANCHOR)] = '\0';
			free(d->root);
			d->root = path;
			return;
		}
		free(path);
	}
}

enum err decode_open(const char *path, struct decode **out, struct why *w)
{
	struct decode *d = xcalloc(1, sizeof(*d));
	enum err e = OK;

	*out = NULL;
	d->root = xstrdup("");
	d->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0)
		e = err_sys(w, ERR_INPUT, "cannot read \"%s\"", path);
	else if (elf_version(EV_CURRENT) == EV_NONE)
		e = err_set(w, ERR_INTERNAL, "libelf is too old");
	if (e == OK)
		d->elf = elf_begin(d->fd, ELF_C_READ_MMAP, NULL);
	if (e == OK && (!d->elf || elf_kind(d->elf) != ELF_K_ELF))
		e = err_set(w, ERR_INPUT, "%s: it is no ELF file", path);
	if (e == OK) {
		find_symbols(d);
		if (!d->symbols)
			e = err_set(w, ERR_INPUT, "%s: it has no symbols: it is stripped", path);
	}
	if (e != OK) {
		decode_close(d);
		return e;
	}
	d->dwarf = dwarf_begin_elf(d->elf, DWARF_C_READ, NULL);
	if (d->dwarf)
		find_root(d);
	*out = d;
	return OK;
}

void decode_close(struct decode *d)
{
	if (!d)
		return;
	dwarf_end(d->dwarf);
	elf_end(d->elf);
	if (d->fd >= 0)
		close(d->fd);
	free(d->root);
	free(d);
}

/* ---- one address */

static bool unit_at(struct decode *d, uint64_t address, Dwarf_Die *unit)
{
	Dwarf_CU *cu = NULL;

	if (dwarf_addrdie(d->dwarf, address, unit))
		return true;
	/* clang writes no table of addresses. */
	while (next_unit(d, &cu, unit))
		if (dwarf_haspc(unit, address) == 1)
			return true;
	return false;
}

static void by_dwarf(struct decode *d, uint64_t address, struct decoded *out)
{
	Dwarf_Die unit;
	Dwarf_Line *line;
	const char *name;
	int number;

	if (!d->dwarf || !unit_at(d, address, &unit))
		return;
	name = dwarf_diename(&unit);
	if (name)
		out->unit = in_tree(d, whole_path(&unit, name));
	line = dwarf_getsrc_die(&unit, address);
	name = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (name && !dwarf_lineno(line, &number) && number > 0) {
		out->file = in_tree(d, whole_path(&unit, name));
		out->line = out->file ? (unsigned int)number : 0;
	}
}

static bool fits(const GElf_Sym *sym, const struct decode_ask *ask)
{
	if (GELF_ST_TYPE(sym->st_info) != STT_FUNC && GELF_ST_TYPE(sym->st_info) != STT_NOTYPE)
		return false;
	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS)
		return false;
	if (!ask->size || !sym->st_size)
		return true;
	return ask->offset <= ask->size && sym->st_size <= ask->size &&
	       ask->size - sym->st_size < PADDING;
}

static void add_found(struct decode *d, const GElf_Sym *sym, const char *file,
                      const struct decode_ask *ask, struct decoded *out, size_t *found)
{
	/* A return address may be the first byte of what follows the call. */
	uint64_t address = sym->st_value + ask->offset - (!ask->exact && ask->offset);
	struct decoded one = {0};

	by_dwarf(d, address, &one);
	if (file && strlen(file) <= 128)
		one.object = xstrdup(file);
	if (!*found) {
		*out = one;
	} else if (!str_eq(out->unit, one.unit) || !str_eq(out->object, one.object)) {
		/* Of several equal names one alone may fit; here more do. */
		decoded_release(out);
		out->why = xstrdup("several functions are called that");
		decoded_release(&one);
	} else {
		decoded_release(&one);
	}
	(*found)++;
}

void decode_frame(struct decode *d, const struct decode_ask *ask, struct decoded *out)
{
	const char *file = NULL, *name;
	size_t found = 0;
	GElf_Sym sym;

	*out = (struct decoded){0};
	for (size_t i = 0; i < d->symbols && !out->why; i++) {
		if (!gelf_getsym(d->symbol, (int)i, &sym))
			break;
		name = elf_strptr(d->elf, d->strings, sym.st_name);
		if (GELF_ST_TYPE(sym.st_info) == STT_FILE)
			file = name;
		else if (GELF_ST_BIND(sym.st_info) != STB_LOCAL)
			file = NULL; /* globals stand behind all locals, of no file */
		if (name && str_eq(name, ask->name) && fits(&sym, ask))
			add_found(d, &sym, file, ask, out, &found);
	}
	if (out->why || out->unit)
		return;
	out->why = xstrdup(!found      ? "no function of that name and size is in the vmlinux"
	                   : !d->dwarf ? "the vmlinux holds no line tables"
	                               : "the vmlinux holds no line table for it");
}

void decoded_release(struct decoded *out)
{
	free(out->unit);
	free(out->file);
	free(out->object);
	free(out->why);
	*out = (struct decoded){0};
}
