/*
 * series.h - a patch series on the command line: a range of commits of this work tree,
 * or a file or a folder of patches, as a submission's `series`.
 *
 * Of a range a git bundle is made and uploaded: its head (gitformat-bundle(5)) by
 * hand, and behind it a thin pack by `git pack-objects`, because `git bundle create`
 * wants the tip to have a name and this work tree is not ours to write to.
 */
#ifndef FOLDWATCH_CLI_SERIES_H
#define FOLDWATCH_CLI_SERIES_H

#include "cli/cli.h"

#define SERIES_PATCHES_MAX 500
#define SERIES_BYTES_MAX   (64 << 20)

struct series_opts {
	const char *range, *mails;      /* --each-patch, --series: at most one */
	const char *base, *tree;        /* NULL: found */
	const char *config, *toolchain; /* NULL: the service's */
	const char *tip_config;
	struct conf_list marks; /* "basic=19,batch=23" */
	bool all, marks_only;
	int64_t steps; /* -1: the service's */
};

/* Uploads what there is to, and puts "series" into the request; *title is a line for
 * people, free() it. */
enum err series_request(struct cli *cli, const struct series_opts *o, json_t *req, char **title,
                        struct why *w);
/* ERR_INPUT where one of them is given without a series. */
enum err series_unused(const struct series_opts *o, struct why *w);

/* ---- parts, for series*.c and tests */

/* The commits of a range: count, and the ends. */
struct series_range {
	char base[41], tip[41];
	size_t count;
};
/* git rev-list --reverse --parents: one line of commits, or a sentence about `range`. */
enum err series_parse_range(const char *range, const char *list, struct series_range *out,
                            struct why *w);
/* The last "base-commit: 40 digits" line; false: none. */
bool series_base_trailer(const char *mails, char base[41]);
/* "a=1,b=2" into an object. */
enum err series_marks(const struct conf_list *given, json_t *out, struct why *w);
/* The bundle of a range, uploaded, with its hash. */
enum err series_bundle(struct cli *cli, const struct series_range *r, char hex[SHA256_HEX],
                       struct why *w);
/* A file, or the *.patch, *.eml and *.mbox of a folder in the order of their names. */
enum err series_mails(const char *path, struct buf *out, struct why *w);
/* Run git here; its output goes to out. */
enum err series_git(struct buf *out, struct why *w, ...) __attribute__((sentinel));

#endif
