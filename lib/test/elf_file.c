#include "lib/test/elf_file.h"

#include "lib/mem.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void section(Elf *elf, uint32_t type, uint64_t flags, uint32_t link, uint64_t entry,
                    void *data, size_t len, Elf_Type kind, uint32_t name)
{
	Elf_Scn *scn = elf_newscn(elf);
	Elf_Data *d = elf_newdata(scn);
	GElf_Shdr sh;

	d->d_align = 8;
	d->d_buf = data;
	d->d_size = len;
	d->d_type = kind;
	d->d_version = EV_CURRENT;
	assert_non_null(gelf_getshdr(scn, &sh));
	sh.sh_name = name;
	sh.sh_type = type;
	sh.sh_flags = flags;
	sh.sh_link = link;
	sh.sh_info = type == SHT_SYMTAB;
	sh.sh_entsize = entry;
	assert_true(gelf_update_shdr(scn, &sh) != 0);
}

void elf_file(const char *path, const struct elf_symbol *s, size_t count)
{
	static char names[] = "\0.text\0.symtab\0.strtab";
	static uint32_t code[4];
	Elf64_Sym *table = xcalloc(count + 1, sizeof(*table));
	char strings[4096] = "";
	size_t at = 1;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	GElf_Ehdr eh;
	Elf *elf;

	assert_true(fd >= 0);
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(s[i].name) + 1;

		assert_true(at + n < sizeof(strings));
		table[i + 1].st_name = (Elf64_Word)at;
		table[i + 1].st_value = s[i].address;
		table[i + 1].st_size = s[i].size;
		table[i + 1].st_shndx = 1;
		table[i + 1].st_info = (unsigned char)ELF64_ST_INFO(s[i].binding, s[i].type);
		memcpy(strings + at, s[i].name, n);
		at += n;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	assert_non_null(elf);
	assert_non_null(gelf_newehdr(elf, ELFCLASS64));
	assert_non_null(gelf_getehdr(elf, &eh));
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_machine = EM_AARCH64;
	eh.e_type = ET_EXEC;
	eh.e_version = EV_CURRENT;
	eh.e_shstrndx = 4;
	assert_true(gelf_update_ehdr(elf, &eh) != 0);
	section(elf, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 0, code, sizeof(code), ELF_T_WORD,
	        1);
	section(elf, SHT_SYMTAB, 0, 3, sizeof(*table), table, (count + 1) * sizeof(*table),
	        ELF_T_SYM, 7);
	section(elf, SHT_STRTAB, 0, 0, 0, strings, at, ELF_T_BYTE, 15);
	section(elf, SHT_STRTAB, 0, 0, 0, names, sizeof(names), ELF_T_BYTE, 15);
	assert_true(elf_update(elf, ELF_C_WRITE) > 0);
	elf_end(elf);
	close(fd);
	free(table);
}
