/*
 * initramfs.h - the guest's first file system: foldbench as /init, and its plan.
 *
 * A "newc" cpio archive, not compressed, of
 *     /dev /proc /sys /tmp    directories
 *     /dev/console            character device 5:1: the kernel opens it for init
 *     /init                   foldbench, mode 0755
 *     /plan                   the plan's text
 * with times, owners and inode numbers fixed: the same two files give the same
 * bytes, so that they move nothing in a guest's memory.
 */
#ifndef FOLDWATCH_INITRAMFS_H
#define FOLDWATCH_INITRAMFS_H

#include "lib/err.h"

#include <stddef.h>

#define INIT_MAX_BYTES (64 << 20)

/* `init` is the path of a static binary for the guest. Makes or replaces `path`. */
enum err initramfs_write(const char *path, const char *init, const char *plan, size_t plan_len,
                         struct why *w);

#endif
