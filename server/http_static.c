/*
 * http_static.c - the files of web/, by an explicit list of types.
 *
 * What has no type here is not served, nor is anything that is hidden, or a
 * symbolic link, or not a regular file.
 */
#include "server/http_priv.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *suffix, *type;
} types[] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/vnd.microsoft.icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_ends(path, types[i].suffix))
			return types[i].type;
	}
	return NULL;
}

/* Only plain names, none that begins with a dot: nothing above, nothing hidden. */
static bool plain(const char *path)
{
	for (const char *p = path; *p; p++) {
		bool first = p == path || p[-1] == '/';

		if (first && (*p == '.' || *p == '/'))
			return false;
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/",
		            *p))
			return false;
	}
	return path_is_safe(path);
}

enum err http_static(struct exchange *x, const char *path, struct http_resp *r, struct why *w)
{
	struct stat st;
	char *rel, *full;
	enum err e = OK;

	while (*path == '/')
		path++;
	rel = !*path || str_ends(path, "/") ? xasprintf("%sindex.html", path) : xstrdup(path);
	full = path_join(x->http->conf.web_dir, rel);
	r->type = type_of(rel);
	if (!r->type || !plain(rel) || lstat(full, &st) != 0 || !S_ISREG(st.st_mode)) {
		e = err_set(w, ERR_NOT_FOUND, "there is nothing at \"/%s\"", path);
		goto out;
	}
	http_resp_header(r, "ETag", "\"%llx-%llx-%llx\"", (unsigned long long)st.st_size,
	                 (unsigned long long)st.st_mtim.tv_sec,
	                 (unsigned long long)st.st_mtim.tv_nsec);
	/* Asked again each time, answered with 304: an upgrade shows at once. */
	http_resp_header(r, "Cache-Control", "no-cache");
	r->file_path = full;
	full = NULL;
out:
	free(full);
	free(rel);
	return e;
}
