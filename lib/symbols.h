/*
 * symbols.h - which function is at an address: the symbol table of an ELF file.
 *
 *     e = symbols_load("vmlinux", &s, &w);
 *     symbols_at(s, 0xffff800080012a10)->name        "cpu_switch_to"
 *     symbols_free(s);
 *
 * Functions, and labels of assembler in executable sections (arm64's entry code
 * has no types); no mapping symbols ($x, $d), no local labels (.L). Where
 * several stand at one address the function goes before the label, then the
 * global before the local, then the shorter name.
 */
#ifndef FOLDWATCH_SYMBOLS_H
#define FOLDWATCH_SYMBOLS_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

struct symbol {
	const char *name; /* borrowed from the table */
	uint64_t address;
	uint64_t size; /* as the table says; 0: it does not */
};

struct symbols;

/* ERR_INPUT for a file that is no ELF or has no symbols ("stripped"). */
enum err symbols_load(const char *path, struct symbols **out, struct why *w);
void symbols_free(struct symbols *s);
/* The last that begins at or before the address, or NULL; one with a size does not
 * reach past its end. */
const struct symbol *symbols_at(const struct symbols *s, uint64_t address);
/* By name, or NULL; of several the first. */
const struct symbol *symbols_find(const struct symbols *s, const char *name);

#endif
