/*
 * build.h - the places and the commands of one kernel build (inside step_build).
 *
 *     DIR/builds/DOMAIN/           one for each trust domain (submitter x tree)
 *         lock
 *         src/  index              the checkout, and git's index of it
 *         o/KEY/                   one for each configuration x toolchain
 *             out/                 make's O=
 *             open                 is there while make runs: what it left is torn
 *             configured           the commit whose Kconfig made out/.config
 *             layout               the layout that out/vmlinux has (relink.h)
 *     DIR/ccache/DOMAIN/
 *
 * Inside the sandbox src, out and the compiler cache stand at /src (read-only),
 * /out and /ccache, and the asked configuration at /asked.config. All that lies
 * in out/ and ccache/ was written by untrusted code and is read through
 * outfile.h only.
 */
#ifndef FOLDWATCH_BUILD_H
#define FOLDWATCH_BUILD_H

#include "agent/argv.h"
#include "agent/makelog.h"
#include "agent/step.h"
#include "agent/toolchain.h"

#include <stdbool.h>

/* Where programs of a build are looked for. */
#define BUILD_PATH "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

struct build_spec {
	const char *tree, *ref, *commit, *name, *toolchain;
	const char *series,
	        *base; /* a patch's: the bundle that holds it, and what that stands on */
	json_t *config;
	int64_t objects_before, layout;
	const char *config_sha256, *config_name, *text;
	bool whole;
};

struct build {
	const struct step *step;
	struct build_spec spec;
	const struct toolchain_conf *tools;
	char *cc; /* "aarch64-linux-gnu-gcc" */
	bool llvm;
	struct toolchain_facts facts;
	bool sandboxed, ccached;
	char *home, *src, *index, *object_dir, *out, *ccache, *asked;
	char *linkers; /* a directory that comes first in PATH, or NULL (relink.h) */
	int hold_fd, hold_ccache_fd, lock_fd;
	bool fresh;      /* out/ was empty */
	bool configured; /* out/.config is what this commit would give */
	bool debug_info; /* the configuration itself asks for some */
	struct makelog log;
	int64_t shown_ns;
	enum fail_class fail; /* whose the error is */
};

enum err build_spec_decode(const json_t *spec, struct build_spec *b, struct why *w);

/* Finds the toolchain, decides on the sandbox, takes holds and lock. */
enum err build_open(struct build *b, const struct step *s, struct why *w);
void build_close(struct build *b);
/* out/ is there and whole afterwards (what a killed make left is removed), the
 * least used of the others are gone, and b->asked holds spec.text. */
enum err build_prepare(struct build *b, struct why *w);
/* make runs from here on / ended by itself: out/ can be trusted to make again. */
enum err build_begin_make(struct build *b, struct why *w);
enum err build_end_make(struct build *b, struct why *w);

/* The commit that out/.config stands for is remembered, or forgotten (NULL). */
enum err build_set_configured(struct build *b, const char *commit, struct why *w);
/* Into commit (41 bytes); false when there is none. */
bool build_get_configured(const struct build *b, char commit[41]);
/* True for files that a configuration depends on: Kconfig files, what their
 * macros run, and Makefiles. */
bool build_path_configures(const char *path);

/* How many objects the kernel in out/ is made of, also when this build made
 * only a few of them: what progress counts to next time. */
int64_t build_objects(const struct build *b);

/* Run make with `targets` (NULL-terminated) and its lines to makelog; `step`
 * names it in progress. Not OK when it failed: the sentence quotes the errors. */
enum err build_make(struct build *b, const char *step, const char *const *targets,
                    const char *const *extra_env, struct why *w);
/* Any other program in the same surroundings. */
enum err build_run(struct build *b, const struct argv *command, struct why *w);
/* The path of src, out or asked.config as the programs see it. */
const char *build_at(const struct build *b, const char *inside, const char *host);

#endif
