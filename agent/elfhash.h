/*
 * elfhash.h - what a vmlinux is, apart from what it calls itself.
 *
 * The section hash is SHA-256 over every section that is loaded (SHF_ALLOC) and
 * not empty, in the order of the file: name, address, size, and content unless
 * it has none in the file (.bss). Masked, that is read as zeros, are only
 *   - the descriptor of every GNU build-id note (the kernel's own and its
 *     vDSO's, wherever they stand in a section);
 *   - the banner: the symbols linux_banner and init_uts_ns's release and
 *     version (<linux/utsname.h>: six fields of 65 bytes); without a symbol
 *     table, every text from "Linux version " to its NUL;
 *   - line numbers in __bug_table. An entry on arm64 (<asm-generic/bug.h> with
 *     relative pointers) is s32 bug_addr_disp; s32 file_disp; u16 line; u16
 *     flags: 12 bytes; without CONFIG_DEBUG_BUGVERBOSE it has no file and no
 *     line: 8 bytes.
 * Two kernels with one section hash execute the same code on the same data: a
 * comment, a moved line or another time stamp does not make a new binary.
 */
#ifndef FOLDWATCH_ELFHASH_H
#define FOLDWATCH_ELFHASH_H

#include "lib/err.h"
#include "lib/hash.h"

#include <stdbool.h>

struct elf_facts {
	char section_hash[SHA256_HEX];
	char build_id[65];    /* of the kernel itself: hex, "" when it has none */
	unsigned int machine; /* EM_AARCH64 = 183 */
	int sections;         /* that were hashed */
};

/* ERR_INPUT with a sentence for what is no 64-bit little-endian ELF file, or a
 * damaged one. `bug_lines`: the kernel was built with CONFIG_DEBUG_BUGVERBOSE. */
enum err elf_facts(const char *path, bool bug_lines, struct elf_facts *f, struct why *w);

#endif
