#include "cli/kernel_files.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a directory */

static enum err in_dir(const char *word, struct kernel_files *out, struct why *w)
{
	char *deep = path_join(word, "arch/arm64/boot/Image"), *flat = path_join(word, "Image");
	enum err e = OK;

	out->vmlinux = path_join(word, "vmlinux");
	out->image = path_exists(deep) ? xstrdup(deep) : xstrdup(flat);
	if (!path_exists(out->image))
		e = err_set(w, ERR_INPUT, "\"%s\" holds neither arch/arm64/boot/Image nor Image",
		            word);
	else if (!path_exists(out->vmlinux))
		e = err_set(w, ERR_INPUT, "\"%s\" holds no vmlinux", word);
	free(deep);
	free(flat);
	return e;
}

/* ---- the server */

enum err kernel_files_submission(struct cli *cli, const char *word, int64_t *id, struct why *w)
{
	struct reply r = {0};
	enum err e;

	if (!str_eq(word, "latest"))
		return int_parse(word, 1, INT64_MAX, id, w) == OK
		               ? OK
		               : err_set(w, ERR_INPUT, "--submission: expected a number or latest");
	e = cli_get(cli, "/api/v1/comparisons/latest", &r, w);
	if (e == OK)
		*id = json_int(r.json, "submission", -1);
	reply_release(&r);
	return e;
}

static enum err kernel_id(struct cli *cli, int64_t submission, const char *name, int64_t *id,
                          struct why *w)
{
	struct reply r = {0};
	char path[64];
	const json_t *k;
	size_t i;
	enum err e;

	*id = -1;
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)submission);
	e = cli_get(cli, path, &r, w);
	json_array_foreach (json_object_get(r.json, "kernels"), i, k) {
		if (e == OK && str_eq(json_str(k, "name", ""), name))
			*id = json_int(k, "id", -1);
	}
	reply_release(&r);
	if (e == OK && *id < 0)
		e = err_set(w, ERR_INPUT,
		            "submission %lld has no kernel \"%s\" that was built (a directory is "
		            "named with a slash: ./%s)",
		            (long long)submission, name, name);
	return e;
}

enum err kernel_files_fetch(struct cli *cli, const char *hex, const char *path, struct why *w)
{
	struct client *c;
	enum err e = cli_connect(cli, &c, w);

	return e == OK ? client_get_artifact(c, hex, path, w) : e;
}

static enum err fetch(struct cli *cli, const char *hex, const char *dir, char letter,
                      const char *file, char **path, struct why *w)
{
	char *name = xasprintf("%c.%s", letter, file);

	*path = path_join(dir, name);
	free(name);
	return kernel_files_fetch(cli, hex, *path, w);
}

static enum err from_server(struct cli *cli, const char *name, const char *submission,
                            const char *dir, char letter, struct kernel_files *out, struct why *w)
{
	struct reply r = {0};
	int64_t sub = -1, id = -1;
	const char *image, *vmlinux;
	char path[64];
	enum err e = kernel_files_submission(cli, submission, &sub, w);

	if (e == OK)
		e = kernel_id(cli, sub, name, &id, w);
	if (e != OK)
		return e;
	snprintf(path, sizeof(path), "/api/v1/kernels/%lld", (long long)id);
	e = cli_get(cli, path, &r, w);
	image = json_str(r.json, "image", NULL);
	vmlinux = json_str(r.json, "vmlinux", NULL);
	if (e == OK && (!image || !vmlinux))
		e = err_set(w, ERR_INPUT,
		            "kernel \"%s\": the server holds no vmlinux of it, which names its "
		            "functions (a prebuilt image has none)",
		            name);
	if (e == OK)
		e = fetch(cli, image, dir, letter, "Image", &out->image, w);
	if (e == OK)
		e = fetch(cli, vmlinux, dir, letter, "vmlinux", &out->vmlinux, w);
	reply_release(&r);
	return e;
}

enum err kernel_files_find(struct cli *cli, const char *word, const char *submission,
                           const char *dir, char letter, struct kernel_files *out, struct why *w)
{
	*out = (struct kernel_files){.name = xstrdup(word)};
	if (strchr(word, '/') || str_eq(word, "."))
		return in_dir(word, out, w);
	return from_server(cli, word, submission, dir, letter, out, w);
}

void kernel_files_release(struct kernel_files *k)
{
	free(k->name);
	free(k->image);
	free(k->vmlinux);
	*k = (struct kernel_files){0};
}
