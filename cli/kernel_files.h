/*
 * kernel_files.h - the image and the symbols of a kernel that the command line
 * names.
 */
#ifndef FOLDWATCH_CLI_KERNEL_FILES_H
#define FOLDWATCH_CLI_KERNEL_FILES_H

#include "cli/cli.h"

struct kernel_files {
	char *name, *image, *vmlinux; /* paths */
};

/* `word` with a slash in it (or "."): a directory, of a kernel's build
 * (arch/arm64/boot/Image and vmlinux) or with both beside each other. Else the name
 * of a kernel of the submission ("latest" or its number), whose files are fetched
 * from the server into `dir` as LETTER.Image and LETTER.vmlinux. */
enum err kernel_files_find(struct cli *cli, const char *word, const char *submission,
                           const char *dir, char letter, struct kernel_files *out, struct why *w);
/* The submission of a number; of "latest" the newest with a finished comparison. */
enum err kernel_files_submission(struct cli *cli, const char *word, int64_t *id, struct why *w);
/* An artifact into a file. */
enum err kernel_files_fetch(struct cli *cli, const char *hex, const char *path, struct why *w);
void kernel_files_release(struct kernel_files *k);

#endif
