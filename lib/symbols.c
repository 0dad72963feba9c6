#include "lib/symbols.h"

#include "lib/mem.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
	struct symbol symbol;
	unsigned char type, binding;
};

struct symbols {
	struct entry *at; /* by address */
	size_t count, room;
	char *names; /* a copy of what the entries' names point into */
};

static bool is_code(Elf *elf, const GElf_Sym *sym)
{
	GElf_Shdr sh;
	Elf_Scn *scn;

	if (GELF_ST_TYPE(sym->st_info) == STT_FUNC)
		return sym->st_shndx != SHN_UNDEF;
	if (GELF_ST_TYPE(sym->st_info) != STT_NOTYPE || sym->st_shndx == SHN_UNDEF ||
	    sym->st_shndx >= SHN_LORESERVE)
		return false;
	scn = elf_getscn(elf, sym->st_shndx);
	return scn && gelf_getshdr(scn, &sh) && (sh.sh_flags & SHF_EXECINSTR);
}

static void add(struct symbols *s, const GElf_Sym *sym, const char *name)
{
	if (!name[0] || name[0] == '$' || str_starts(name, ".L"))
		return;
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 4096;
		s->at = xreallocarray(s->at, s->room, sizeof(*s->at));
	}
	s->at[s->count++] = (struct entry){{name, sym->st_value, sym->st_size},
	                                   GELF_ST_TYPE(sym->st_info),
	                                   GELF_ST_BIND(sym->st_info)};
}

static int by_address(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->symbol.address != y->symbol.address)
		return x->symbol.address < y->symbol.address ? -1 : 1;
	/* The better of the two first. */
	if ((x->type == STT_FUNC) != (y->type == STT_FUNC))
		return x->type == STT_FUNC ? -1 : 1;
	if ((x->binding == STB_GLOBAL) != (y->binding == STB_GLOBAL))
		return x->binding == STB_GLOBAL ? -1 : 1;
	if (strlen(x->symbol.name) != strlen(y->symbol.name))
		return strlen(x->symbol.name) < strlen(y->symbol.name) ? -1 : 1;
	return strcmp(x->symbol.name, y->symbol.name);
}

static void keep_best(struct symbols *s)
{
	size_t n = 0;

	qsort(s->at, s->count, sizeof(*s->at), by_address);
	for (size_t i = 0; i < s->count; i++)
		if (!n || s->at[n - 1].symbol.address != s->at[i].symbol.address)
			s->at[n++] = s->at[i];
	s->count = n;
}

/* Names are copied out, since the file is closed behind us. */
static enum err read_table(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, struct symbols *s,
                           struct why *w)
{
	Elf_Data *table = elf_getdata(scn, NULL);
	Elf_Scn *strings = elf_getscn(elf, sh->sh_link);
	Elf_Data *text = strings ? elf_getdata(strings, NULL) : NULL;
	size_t n = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;

	if (!table || !text || !text->d_size)
		return err_set(w, ERR_INPUT, "its symbol table cannot be read");
	s->names = xmalloc(text->d_size + 1);
	memcpy(s->names, text->d_buf, text->d_size);
	s->names[text->d_size] = '\0';
	for (size_t i = 0; i < n; i++) {
		GElf_Sym sym;

		if (gelf_getsym(table, (int)i, &sym) && sym.st_name < text->d_size &&
		    is_code(elf, &sym))
			add(s, &sym, s->names + sym.st_name);
	}
	return OK;
}

static enum err read_elf(Elf *elf, struct symbols *s, struct why *w)
{
	Elf_Scn *scn = NULL;

	if (elf_kind(elf) != ELF_K_ELF)
		return err_set(w, ERR_INPUT, "it is no ELF file");
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			return read_table(elf, scn, &sh, s, w);
	}
	return OK;
}

enum err symbols_load(const char *path, struct symbols **out, struct why *w)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct symbols *s;
	enum err e;
	Elf *elf;

	*out = NULL;
	if (fd < 0)
		return err_sys(w, ERR_INPUT, "cannot read \"%s\"", path);
	if (elf_version(EV_CURRENT) == EV_NONE) {
		close(fd);
		return err_set(w, ERR_INTERNAL, "libelf is too old");
	}
	s = xcalloc(1, sizeof(*s));
	elf = elf_begin(fd, ELF_C_READ, NULL);
	e = elf ? read_elf(elf, s, w) : err_set(w, ERR_INPUT, "%s", elf_errmsg(-1));
	if (e == OK && !s->count)
		e = err_set(w, ERR_INPUT, "it has no symbols: it is stripped");
	elf_end(elf);
	close(fd);
	if (e != OK) {
		symbols_free(s);
		return err_at(w, e, "%s", path);
	}
	keep_best(s);
	*out = s;
	return OK;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->at);
	free(s->names);
	free(s);
}

const struct symbol *symbols_at(const struct symbols *s, uint64_t address)
{
	size_t low = 0, high = s->count;
	const struct symbol *found;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->at[mid].symbol.address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	found = &s->at[low - 1].symbol;
	return found->size && address >= found->address + found->size ? NULL : found;
}

const struct symbol *symbols_find(const struct symbols *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (str_eq(s->at[i].symbol.name, name))
			return &s->at[i].symbol;
	return NULL;
}
