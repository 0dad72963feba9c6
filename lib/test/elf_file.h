/*
 * elf_file.h - a small ELF file with the symbols that a test wants.
 */
#ifndef FOLDWATCH_TEST_ELF_FILE_H
#define FOLDWATCH_TEST_ELF_FILE_H

#include <stddef.h>
#include <stdint.h>

struct elf_symbol {
	const char *name;
	uint64_t address, size;
	int type;    /* STT_FUNC, STT_NOTYPE, STT_OBJECT */
	int binding; /* STB_LOCAL, STB_GLOBAL */
};

/* arm64, with one executable section; all symbols are in it. */
void elf_file(const char *path, const struct elf_symbol *s, size_t count);

#endif
