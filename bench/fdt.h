/*
 * fdt.h - the flattened device tree that firmware handed to the kernel.
 *
 * Its /chosen node holds what belongs to one boot (command line, seeds, where
 * the initramfs lies), and the header how the blob was packed: neither is of
 * the board.
 */
#ifndef FOLDBENCH_FDT_H
#define FOLDBENCH_FDT_H

#include "bench/sha256.h"

#include <stdbool.h>
#include <stddef.h>

/* SHA-256 over the nodes, properties and values of a blob (Devicetree
 * Specification 0.4, chapter 5) in their order, without /chosen. False for what
 * is no such blob, whatever is in it. */
bool fdt_hash(const void *blob, size_t len, char hex[SHA256_HEX_SIZE]);

#endif
