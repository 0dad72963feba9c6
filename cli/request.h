/*
 * request.h - the words of a submission on the command line.
 */
#ifndef FOLDWATCH_REQUEST_H
#define FOLDWATCH_REQUEST_H

#include "cli/cli.h"

/* The cases that a submission without --case measures, closed by NULL. */
extern const char *const request_cases[];

/* A kernel of a submission from `NAME=TREE#REF[,config=SET|FILE][,toolchain=T]`
 * or `NAME=image:PATH`, appended to `kernels`.
 *
 * TREE is a URL, or the path of a local repository, which becomes file://. A
 * config value with a slash or a dot in it is a file and is sent as text;
 * another is the name of a set. An image is checked and uploaded (unless the
 * server has it). The name must be new in `kernels`. */
enum err request_kernel(struct cli *cli, const char *spec, json_t *kernels, struct why *w);

/* TREE and the value of config= as above; free() *url. */
enum err request_tree(const char *tree, char **url, struct why *w);
enum err request_config(const char *value, json_t **out, struct why *w);

/* Each as a string of `out`; one that is not UTF-8 is an error that names the option. */
enum err request_strings(const char *option, const struct conf_list *list, json_t *out,
                         struct why *w);

/* "a/Image" -> "a", "old.img" -> "old.img"; free() it. */
char *request_image_name(const char *path);
enum err request_image(struct cli *cli, const char *name, const char *path, json_t *kernels,
                       struct why *w);

/* The numbers of a plan as options give them. */
struct request_plan {
	int64_t boots, runs, iterations, warmup, layouts, priority;
	double threshold_pct;
};
/* Before options are read: none is given. */
void request_plan_clear(struct request_plan *p);
/* "plan", "priority" and "threshold": what the command line says, else the preset (NULL:
 * none), else they are left to the service. */
struct preset;
void request_plan_put(json_t *body, const struct request_plan *p, const struct preset *preset);

#endif
