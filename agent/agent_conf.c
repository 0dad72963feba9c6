#include "agent/agent_conf.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kind_words[] = {"qemu", NULL};
static const char *const profile_words[] = {"deterministic", "fast", NULL};

#define AT(member) offsetof(struct agent_conf, member)
#define GIB        (INT64_C(1) << 30)

static const struct conf_key agent_keys[] = {
        {"name", CONF_STR, AT(name), 1, 64, NULL, NULL,
         "how the agent is called on the server; the host's name when absent"},
        {"server", CONF_STR, AT(server), 8, 512, "http://127.0.0.1:8080", NULL,
         "address of the server, http:// or https://"},
        {"token_file", CONF_STR, AT(token_file), 1, PATH_MAX, NULL, NULL,
         "file that holds a token of role agent; must be given"},
        {"dir", CONF_STR, AT(dir), 1, 1024, NULL, NULL,
         "directory of the agent's own state and caches; must be given"},
        {"foldbench", CONF_STR, AT(foldbench), 1, PATH_MAX, NULL, NULL,
         "static arm64 foldbench for guests; must be given when there is a board"},
        {"builds", CONF_BOOL, AT(builds), 0, 0, "yes", NULL, "take resolve, walk and build jobs"},
        {"build_jobs", CONF_INT, AT(build_jobs), 0, 1024, "0", NULL,
         "compilers at once; 0: the number of processors"},
        {"build_timeout_s", CONF_INT, AT(build_timeout_s), 1, 604800, "7200", NULL,
         "seconds that a build may take"},
        {"fetch_timeout_s", CONF_INT, AT(fetch_timeout_s), 1, 86400, "3600", NULL,
         "seconds that a git fetch may take"},
        {"boot_timeout_s", CONF_INT, AT(boot_timeout_s), 1, 86400, "900", NULL,
         "seconds that a boot may take with its measurements"},
        {"fetch_max_bytes", CONF_INT, AT(fetch_max_bytes), 1 << 20, INT64_MAX, "8G", NULL,
         "disk that the mirror of one tree may take"},
        {"build_max_bytes", CONF_INT, AT(build_max_bytes), 1 << 20, INT64_MAX, "20G", NULL,
         "disk that one build may take"},
        {"build_memory_bytes", CONF_INT, AT(build_memory_bytes), 1 << 20, INT64_MAX, "8G", NULL,
         "memory that a build may take, all its processes together"},
        {"build_processes", CONF_INT, AT(build_processes), 16, 1 << 20, "4096", NULL,
         "processes that a build may have at once"},
        {"ccache_bytes", CONF_INT, AT(ccache_bytes), 0, INT64_MAX, "5G", NULL,
         "size of one compiler cache; 0: none"},
        {"disk_reserve_bytes", CONF_INT, AT(disk_reserve_bytes), 0, INT64_MAX, "512M", NULL,
         "free disk below which caches are evicted and no job is taken"},
        {"trees", CONF_LIST, AT(trees), 0, 0, "https://", NULL,
         "prefixes of the addresses that may be fetched"},
        {"trusted_trees", CONF_LIST, AT(trusted_trees), 0, 0, NULL, NULL,
         "addresses that are built without a sandbox where none can be had"},
        {0},
};

#undef AT
#define AT(member) offsetof(struct toolchain_conf, member)
static const struct conf_key toolchain_keys[] = {
        {"cross", CONF_STR, AT(cross), 0, 128, "", NULL,
         "prefix of the tools (CROSS_COMPILE); empty: the native ones"},
        {"compiler", CONF_STR, AT(compiler), 1, 64, "gcc", NULL,
         "gcc, clang, or one with a version"},
        {0},
};

#undef AT
#define AT(member) offsetof(struct board_conf, member)
static const struct conf_key board_keys[] = {
        {"kind", CONF_ENUM, AT(kind), 0, 0, "qemu", kind_words, "what boots the kernels"},
        {"profile", CONF_ENUM, AT(profile), 0, 0, "deterministic", profile_words,
         "deterministic counts instructions, fast measures time"},
        {"qemu", CONF_STR, AT(qemu), 1, PATH_MAX, "qemu-system-aarch64", NULL,
         "the emulator, a name or a path"},
        {"labels", CONF_LIST, AT(labels), 0, 0, NULL, NULL, "words that submissions may ask for"},
        {"untrusted", CONF_BOOL, AT(untrusted), 0, 0, "yes", NULL,
         "boots kernels of submitters that are not trusted"},
        {0},
};
#undef AT

const struct conf_key *agent_conf_keys(enum agent_section section)
{
	static const struct conf_key *const tables[] = {agent_keys, toolchain_keys, board_keys};

	return tables[section];
}

static void *open_top(void *ctx, const char *name, struct why *w)
{
	(void)name;
	(void)w;
	return ctx;
}

/* A name becomes a part of file names and of command lines. */
static bool name_is_plain(const char *name, struct why *w)
{
	if (name[0] != '.' && name[0] != '-')
		return true;
	err_set(w, ERR_INPUT, "\"%s\": a name begins with a letter or a digit", name);
	return false;
}

static void *open_toolchain(void *ctx, const char *name, struct why *w)
{
	struct agent_conf *c = ctx;
	struct toolchain_conf *t;

	if (!name_is_plain(name, w))
		return NULL;
	if (c->toolchains == AGENT_TOOLCHAINS) {
		err_set(w, ERR_INPUT, "more than %d toolchains", AGENT_TOOLCHAINS);
		return NULL;
	}
	t = &c->toolchain[c->toolchains++];
	snprintf(t->name, sizeof(t->name), "%s", name);
	return t;
}

static void *open_board(void *ctx, const char *name, struct why *w)
{
	struct agent_conf *c = ctx;
	struct board_conf *b;

	if (!name_is_plain(name, w))
		return NULL;
	if (c->boards == AGENT_BOARDS) {
		err_set(w, ERR_INPUT, "more than %d boards", AGENT_BOARDS);
		return NULL;
	}
	b = &c->board[c->boards++];
	snprintf(b->name, sizeof(b->name), "%s", name);
	return b;
}

/*
 * The line on which `key` stands below the header `[kind name]` (kind NULL: the
 * lines before the first header), or the header's own line, or 0. The table
 * checks types and bounds with their lines; this is for what it cannot know.
 */
static unsigned int line_of(const char *text, const char *kind, const char *name, const char *key)
{
	char want[160];
	bool inside = kind == NULL;
	unsigned int line = 0, header = 0;
	size_t len = strlen(key);

	snprintf(want, sizeof(want), "[%s %s]", kind ? kind : "", name ? name : "");
	while (*text) {
		size_t n = strcspn(text, "\n");

		line++;
		if (text[0] == '[') {
			inside = kind && strncmp(text, want, strlen(want)) == 0;
			if (inside)
				header = line;
		} else if (inside) {
			const char *p = text + strspn(text, " \t");

			if (strncmp(p, key, len) == 0 && strchr(" \t=", p[len]))
				return line;
		}
		text += n;
		text += *text == '\n';
	}
	return header;
}

struct check {
	const char *file;
	const char *text;
	struct why *w;
};

static enum err bad(const struct check *k, const char *kind, const char *name, const char *key,
                    const char *message)
{
	unsigned int line = line_of(k->text, kind, name, key);

	if (line)
		return err_set(k->w, ERR_INPUT, "%s:%u: %s: %s", k->file, line, key, message);
	return err_set(k->w, ERR_INPUT, "%s: %s: %s", k->file, key, message);
}

static bool all_of(const char *s, const char *set)
{
	return s[0] && s[strspn(s, set)] == '\0';
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static enum err check_path(const struct check *k, const char *key, const char *path)
{
	if (!path)
		return bad(k, NULL, NULL, key, "must be given");
	if (path[0] != '/')
		return bad(k, NULL, NULL, key, "expected an absolute path");
	return OK;
}

static enum err check_top(const struct check *k, struct agent_conf *c)
{
	enum err e;
	size_t n;

	if (!c->name) {
		char host[HOST_NAME_MAX + 1] = "";

		if (gethostname(host, sizeof(host) - 1) || strlen(host) > 64)
			host[0] = '\0';
		c->name = xstrdup(host);
	}
	if (!all_of(c->name, LETTERS DIGITS "._-") || c->name[0] == '.' || c->name[0] == '-')
		return bad(k, NULL, NULL, "name",
		           "expected 1 to 64 letters, digits, '.', '_' or '-', the first a letter "
		           "or a digit");
	if (!str_starts(c->server, "http://") && !str_starts(c->server, "https://"))
		return bad(k, NULL, NULL, "server", "expected http://HOST:PORT or https://HOST");
	n = strlen(c->server);
	while (n > 8 && c->server[n - 1] == '/')
		c->server[--n] = '\0';
	if (strpbrk(c->server, " \t?#@\"\\") || strlen(strstr(c->server, "//")) < 3)
		return bad(k, NULL, NULL, "server",
		           "expected an address without user, query and fragment");
	if ((e = check_path(k, "token_file", c->token_file)) != OK ||
	    (e = check_path(k, "dir", c->dir)) != OK)
		return e;
	if ((c->boards || c->foldbench) && (e = check_path(k, "foldbench", c->foldbench)) != OK)
		return e;
	if (!c->builds && c->boards == 0)
		return bad(k, NULL, NULL, "builds",
		           "the agent would have nothing to do: no board, and builds = no");
	if (c->builds && c->toolchains == 0)
		return bad(k, NULL, NULL, "builds",
		           "builds need a toolchain: a section [toolchain gcc]");
	for (size_t i = 0; i < c->trees.count; i++) {
		if (!strchr(c->trees.items[i], ':'))
			return bad(
			        k, NULL, NULL, "trees",
			        "expected prefixes of addresses such as https:// or file:///srv/");
	}
	return OK;
}

static enum err check_sections(const struct check *k, const struct agent_conf *c)
{
	for (size_t i = 0; i < c->toolchains; i++) {
		const struct toolchain_conf *t = &c->toolchain[i];

		/* Both are parts of a program's name, looked up in PATH. */
		if (t->cross[0] && !all_of(t->cross, LETTERS DIGITS "._+-"))
			return bad(k, "toolchain", t->name, "cross",
			           "expected letters, digits, '.', '_', '+' and '-'");
		if (!all_of(t->compiler, LETTERS DIGITS "._+-") ||
		    (!str_starts(t->compiler, "gcc") && !str_starts(t->compiler, "clang")))
			return bad(k, "toolchain", t->name, "compiler",
			           "expected gcc or clang, perhaps with a version");
	}
	for (size_t i = 0; i < c->boards; i++) {
		const struct board_conf *b = &c->board[i];

		for (size_t j = 0; j < b->labels.count; j++) {
			if (strlen(b->labels.items[j]) > 64 ||
			    !all_of(b->labels.items[j], LETTERS DIGITS "._-"))
				return bad(k, "board", b->name, "labels",
				           "expected words of letters, digits, '.', '_' and '-'");
		}
	}
	return OK;
}

enum err agent_conf_load(const char *path, struct agent_conf *c, struct why *w)
{
	const struct conf_block blocks[] = {
	        {NULL, agent_keys, open_top},
	        {"toolchain", toolchain_keys, open_toolchain},
	        {"board", board_keys, open_board},
	};
	struct check k = {.file = path, .w = w};
	struct buf text;
	enum err e;

	memset(c, 0, sizeof(*c));
	buf_init(&text, 1 << 20);
	e = file_read(path, &text, w);
	if (e == OK)
		e = conf_parse(path, text.data, text.len, blocks, ARRAY_SIZE(blocks), c, w);
	k.text = text.data;
	if (e == OK)
		e = check_top(&k, c);
	if (e == OK)
		e = check_sections(&k, c);
	buf_release(&text);
	if (e != OK)
		agent_conf_release(c);
	return e;
}

void agent_conf_release(struct agent_conf *c)
{
	conf_release(agent_keys, c);
	for (size_t i = 0; i < c->toolchains; i++)
		conf_release(toolchain_keys, &c->toolchain[i]);
	for (size_t i = 0; i < c->boards; i++)
		conf_release(board_keys, &c->board[i]);
	memset(c, 0, sizeof(*c));
}
