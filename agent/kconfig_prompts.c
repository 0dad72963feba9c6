/*
 * kconfig_prompts.c - which symbols people set: those with a prompt, as the
 * Kconfig files of a tree declare them.
 */
#include "agent/kconfig.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KCONFIG_FILE_MAX (4 << 20)
#define DEPTH_MAX        32

static void add_name(struct kconfig *k, const char *name, size_t len)
{
	if (!(k->count & (k->count - 1)))
		k->line = xreallocarray(k->line, k->count ? k->count * 2 : 1, sizeof(*k->line));
	k->line[k->count].name = xstrndup(name, len);
	k->line[k->count++].value = xstrdup("");
}

/* The word at the start of s, and what follows it past blanks. */
static bool word_is(const char *s, size_t len, const char *word, size_t *rest)
{
	size_t n = strlen(word);

	if (len < n || strncmp(s, word, n) != 0)
		return false;
	if (len > n && !isspace((unsigned char)s[n]))
		return false;
	while (n < len && isspace((unsigned char)s[n]))
		n++;
	*rest = n;
	return true;
}

/* Documentation/kbuild/kconfig-language.rst: a block begins with "config X" or
 * "menuconfig X"; "bool "text"" and its like, or "prompt "text"", give it a
 * prompt. */
void kconfig_add_prompts(struct kconfig *k, const char *text, size_t len)
{
	static const char *const heads[] = {"config", "menuconfig"};
	static const char *const prompts[] = {"bool", "tristate", "string", "int", "hex", "prompt"};
	const char *name = NULL;
	size_t at = 0, name_bytes = 0, i, rest;

	while (at < len) {
		const char *s = text + at, *end = memchr(s, '\n', len - at);
		size_t n = end ? (size_t)(end - s) : len - at;

		at += n + 1;
		while (n && isspace((unsigned char)*s))
			s++, n--;
		for (i = 0; i < ARRAY_SIZE(heads); i++) {
			if (!word_is(s, n, heads[i], &rest))
				continue;
			name = s + rest;
			for (name_bytes = 0; rest + name_bytes < n; name_bytes++) {
				if (!isalnum((unsigned char)name[name_bytes]) &&
				    name[name_bytes] != '_')
					break;
			}
		}
		for (i = 0; name && i < ARRAY_SIZE(prompts); i++) {
			if (!word_is(s, n, prompts[i], &rest) || rest >= n ||
			    (s[rest] != '"' && s[rest] != '\''))
				continue;
			add_name(k, name, name_bytes);
			name = NULL;
		}
	}
}

static enum err read_one(struct kconfig *k, int dir, const char *name, struct why *w)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0)
		return OK; /* a link, or gone: no file of Kconfig's */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > KCONFIG_FILE_MAX) {
		close(fd);
		return OK;
	}
	text = xmalloc((size_t)st.st_size + 1);
	n = pread(fd, text, (size_t)st.st_size, 0);
	if (n > 0)
		kconfig_add_prompts(k, text, (size_t)n);
	free(text);
	close(fd);
	return n < 0 ? err_sys(w, ERR_IO, "cannot read \"%s\"", name) : OK;
}

/* Takes over `fd`. */
static enum err read_dir(struct kconfig *k, int fd, int depth, struct why *w)
{
	struct dirent *d;
	enum err e = OK;
	DIR *dir = fdopendir(fd);

	if (!dir) {
		close(fd);
		return err_sys(w, ERR_IO, "cannot list a directory of the tree");
	}
	while (!e && (d = readdir(dir)) != NULL) {
		int sub;

		if (str_starts(d->d_name, "Kconfig")) {
			e = read_one(k, fd, d->d_name, w);
			continue;
		}
		if (d->d_name[0] == '.' || depth == DEPTH_MAX ||
		    (d->d_type != DT_DIR && d->d_type != DT_UNKNOWN))
			continue;
		sub = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			e = read_dir(k, sub, depth + 1, w);
	}
	closedir(dir);
	return e;
}

enum err kconfig_read_prompts(struct kconfig *k, const char *tree_dir, struct why *w)
{
	int fd = open(tree_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e;

	*k = (struct kconfig){0};
	if (fd < 0)
		return err_sys(w, ERR_IO, "cannot list \"%s\"", tree_dir);
	e = read_dir(k, fd, 0, w);
	kconfig_sort(k);
	return e;
}
