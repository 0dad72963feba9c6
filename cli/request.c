#include "cli/request.h"

#include "lib/file.h"
#include "lib/image.h"
#include "lib/mem.h"
#include "lib/preset.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_MAX   (1024 * 1024)
#define NOT_UTF8     "a kernel's words are not UTF-8"
#define FILE_URL_MAX (3 * PATH_MAX + 16)

/* The pair that is always asked about, order-0 and order-9, at sizes that a
 * small guest holds. */
const char *const request_cases[] = {
        "fork/order=0,size=256M",
        "fork/order=9,size=256M",
        "munmap/order=0,size=256M",
        "munmap/order=9,size=256M",
        "mremap/order=0,size=16M,skew=4K",
        "mremap/order=9,size=16M,skew=4K",
        "mremap/order=0,size=16M,align=64K",
        "mremap/order=9,size=16M,align=64K",
        "mremap/order=0,size=16M,align=2M",
        "mremap/order=9,size=16M,align=2M",
        NULL,
};

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._+-", c));
}

char *request_image_name(const char *path)
{
	const char *file = path_base(path);
	char *dir = xstrndup(path, (size_t)(file - path)), *out;
	const char *name;

	while (*dir && dir[strlen(dir) - 1] == '/')
		dir[strlen(dir) - 1] = '\0';
	name = path_base(dir);
	/* A build leaves its kernel as .../Image: the directory tells more. */
	if (!str_eq(file, "Image") || !*name || str_eq(name, ".") || str_eq(name, ".."))
		name = file;
	out = xstrndup(name, 60);
	for (char *p = out; *p; p++)
		if (!name_char(*p))
			*p = '-';
	free(dir);
	return out;
}

static bool taken(const json_t *kernels, const char *name)
{
	const json_t *k;
	size_t i;

	json_array_foreach (kernels, i, k)
		if (str_eq(json_str(k, "name", ""), name))
			return true;
	return false;
}

static enum err check_name(const json_t *kernels, const char *name, struct why *w)
{
	size_t n = strlen(name);

	if (n < 1 || n > 64 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                 "0123456789._+-") != n)
		return err_set(w, ERR_INPUT,
		               "kernel name \"%s\": expected 1 to 64 of A-Z a-z 0-9 . _ + -", name);
	if (taken(kernels, name))
		return err_set(w, ERR_INPUT, "kernel name \"%s\" is given twice", name);
	return OK;
}

enum err request_image(struct cli *cli, const char *name, const char *path, json_t *kernels,
                       struct why *w)
{
	char hex[SHA256_HEX];
	struct image img;
	json_t *k;
	enum err e = check_name(kernels, name, w);

	if (e)
		return e;
	e = image_probe(path, &img, w);
	if (!e)
		e = hash_file(path, hex, NULL, w);
	if (e == ERR_NOT_FOUND) /* a file of this machine; 404 is the server's */
		e = ERR_INPUT;
	if (!e)
		e = cli_put_file(cli, path, hex, w);
	if (e)
		return err_at(w, e, "kernel \"%s\"", name);
	k = json_object();
	json_put_str(k, "name", name);
	json_put_str(k, "image", hex);
	json_array_append_new(kernels, k);
	return OK;
}

/* The parts of a path, percent-encoded. */
static char *file_url(const char *path)
{
	struct buf b;
	const char *p = path;

	buf_init(&b, FILE_URL_MAX);
	buf_adds(&b, "file://");
	while (*p) {
		size_t n = strcspn(p, "/");
		char *part = xstrndup(p, n), *enc = url_encode(part);

		buf_adds(&b, enc);
		free(part);
		free(enc);
		p += n;
		if (*p == '/')
			buf_addc(&b, *p++);
	}
	return buf_take(&b, NULL);
}

/* A path that exists is a local repository: the agent gets a URL. */
enum err request_tree(const char *tree, char **url, struct why *w)
{
	struct stat st;
	char *real;

	*url = NULL;
	if (strstr(tree, "://")) {
		*url = xstrdup(tree);
		return OK;
	}
	if (stat(tree, &st) != 0 || !S_ISDIR(st.st_mode))
		return err_set(w, ERR_INPUT, "tree \"%s\" is neither a URL nor a directory here",
		               tree);
	real = realpath(tree, NULL);
	if (!real)
		return err_sys(w, ERR_IO, "cannot resolve \"%s\"", tree);
	*url = file_url(real);
	free(real);
	return OK;
}

enum err request_config(const char *value, json_t **out, struct why *w)
{
	struct buf text;
	enum err e;

	if (!strpbrk(value, "/.")) {
		*out = json_string(value);
		return *out ? OK : err_set(w, ERR_INPUT, NOT_UTF8);
	}
	buf_init(&text, CONFIG_MAX);
	e = cli_read_file(value, &text, w);
	if (!e && !utf8_valid(text.data, text.len))
		e = err_set(w, ERR_INPUT, "config file \"%s\" is not UTF-8 text", value);
	if (!e) {
		*out = json_object();
		json_put_str(*out, "name", path_base(value));
		json_put_str(*out, "text", text.data);
	}
	buf_release(&text);
	return e;
}

/* `config=X` or `toolchain=X` after the ref. */
static enum err add_option(json_t *k, const char *item, const char *spec, struct why *w)
{
	static const char *const known[] = {"config", "toolchain"};
	json_t *value = NULL;
	const char *text;
	enum err e;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t n = strlen(known[i]);

		if (!str_starts(item, known[i]) || item[n] != '=')
			continue;
		text = item + n + 1;
		if (!*text)
			return err_set(w, ERR_INPUT, "kernel \"%s\": %s= is empty", spec, known[i]);
		if (json_object_get(k, known[i]))
			return err_set(w, ERR_INPUT, "kernel \"%s\": %s= is given twice", spec,
			               known[i]);
		if (i == 0)
			e = request_config(text, &value, w);
		else
			e = (value = json_string(text)) ? OK : err_set(w, ERR_INPUT, NOT_UTF8);
		if (!e)
			json_put(k, known[i], value);
		return e;
	}
	return err_set(w, ERR_INPUT,
	               "kernel \"%s\": unknown \"%s\"; known are config= and toolchain=", spec,
	               item);
}

static enum err request_source(const char *name, const char *rest, const char *spec,
                               json_t *kernels, struct why *w)
{
	const char *hash = strrchr(rest, '#');
	char *tree, *options, *url, *save = NULL, *item;
	json_t *k = json_object();
	enum err e = OK;

	if (!hash || hash == rest || !hash[1] || hash[1] == ',') {
		json_decref(k);
		return err_set(w, ERR_INPUT,
		               "kernel \"%s\": expected NAME=TREE#REF or NAME=image:PATH", spec);
	}
	tree = xstrndup(rest, (size_t)(hash - rest));
	options = xstrdup(hash + 1);
	json_put_str(k, "name", name);
	e = request_tree(tree, &url, w);
	item = strtok_r(options, ",", &save);
	if (!e) {
		json_put_str(k, "tree", url);
		json_put_str(k, "ref", item);
	}
	while (!e && (item = strtok_r(NULL, ",", &save)))
		e = add_option(k, item, spec, w);
	free(url);
	free(tree);
	free(options);
	if (e)
		json_decref(k);
	else
		json_array_append_new(kernels, k);
	return e;
}

enum err request_kernel(struct cli *cli, const char *spec, json_t *kernels, struct why *w)
{
	const char *eq = strchr(spec, '='), *rest;
	char *name;
	enum err e;

	if (!utf8_valid(spec, strlen(spec)))
		return err_set(w, ERR_INPUT, NOT_UTF8);
	if (!eq)
		return err_set(w, ERR_INPUT,
		               "kernel \"%s\": expected NAME=TREE#REF or NAME=image:PATH", spec);
	name = xstrndup(spec, (size_t)(eq - spec));
	rest = eq + 1;
	e = check_name(kernels, name, w);
	if (!e && str_starts(rest, "image:"))
		e = request_image(cli, name, rest + strlen("image:"), kernels, w);
	else if (!e)
		e = request_source(name, rest, spec, kernels, w);
	free(name);
	return e;
}

/* ---- its plan */

#define UNSET INT64_MIN

enum err request_strings(const char *option, const struct conf_list *list, json_t *out,
                         struct why *w)
{
	for (size_t i = 0; i < list->count; i++) {
		json_t *item = json_string(list->items[i]);

		if (!item)
			return err_set(w, ERR_INPUT, "%s: \"%s\" is not UTF-8", option,
			               list->items[i]);
		json_array_append_new(out, item);
	}
	return OK;
}

void request_plan_clear(struct request_plan *p)
{
	*p = (struct request_plan){UNSET, UNSET, UNSET, UNSET, UNSET, UNSET, -1};
}

static void put_part(json_t *o, const char *key, int64_t told, int64_t preset)
{
	if (told != UNSET)
		json_put_int(o, key, told);
	else if (preset >= 0)
		json_put_int(o, key, preset);
}

void request_plan_put(json_t *body, const struct request_plan *p, const struct preset *preset)
{
	json_t *plan = json_object();

	put_part(plan, "boots", p->boots, preset ? preset->boots : -1);
	put_part(plan, "runs", p->runs, preset ? preset->runs : -1);
	put_part(plan, "iterations", p->iterations, preset ? preset->iterations : -1);
	put_part(plan, "warmup", p->warmup, preset ? preset->warmup : -1);
	put_part(plan, "layouts", p->layouts, -1);
	json_put(body, "plan", plan);
	put_part(body, "priority", p->priority, -1);
	if (p->threshold_pct >= 0)
		json_put_real(body, "threshold", p->threshold_pct / 100);
}
