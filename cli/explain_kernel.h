/*
 * explain_kernel.h - the image and the symbols of a kernel that `foldwatch explain`
 * names.
 */
#ifndef FOLDWATCH_CLI_EXPLAIN_KERNEL_H
#define FOLDWATCH_CLI_EXPLAIN_KERNEL_H

#include "cli/cli.h"

struct explain_kernel {
	char *name, *image, *vmlinux; /* paths */
};

/* `word` with a slash in it (or "."): a directory, of a kernel's build
 * (arch/arm64/boot/Image and vmlinux) or with both beside each other. Else the name
 * of a kernel of the submission ("latest" or its number), whose files are fetched
 * from the server into `dir` as LETTER.Image and LETTER.vmlinux. */
enum err explain_kernel_find(struct cli *cli, const char *word, const char *submission,
                             const char *dir, char letter, struct explain_kernel *out,
                             struct why *w);
void explain_kernel_release(struct explain_kernel *k);

#endif
