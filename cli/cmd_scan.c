/* foldwatch scan-log: the faults in any kernel log. Needs no server. */
#include "cli/commands.h"
#include "cli/table.h"

#include "lib/mem.h"
#include "lib/place.h"
#include "lib/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_CLEAN  0
#define EXIT_FAULTS 1

struct scan_opts {
	bool banners;
};

static const struct cli_opt scan_table_opts[] = {
        {"many-boots", OPT_FLAG, offsetof(struct scan_opts, banners), NULL,
         "the file holds several boots: a second banner is no fault", 0, 0, false},
        {0},
};

static enum err feed(struct scan *s, const char *path, struct why *w)
{
	int fd = str_eq(path, "-") ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	char *block = xmalloc(1 << 16);
	ssize_t n = -1;
	enum err e = OK;

	if (fd < 0)
		e = err_sys(w, ERR_INPUT, "cannot read \"%s\"", path);
	while (!e && ((n = read(fd, block, 1 << 16)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			scan_feed(s, block, (size_t)n);
	if (!e && n < 0)
		e = err_sys(w, ERR_INPUT, "cannot read \"%s\"", path);
	if (fd >= 0)
		close(fd);
	free(block);
	return e;
}

/* As far as the log itself says it: no vmlinux is at hand. */
static void put_place(json_t *o, const struct fault *f)
{
	struct place_ask ask;
	struct place p;

	place_ask(f, &ask);
	place_of(f, &ask, NULL, NULL, &p);
	json_put_str(o, "signature", p.signature);
	json_put_str(o, "place", p.where);
	place_release(&p);
	place_ask_release(&ask);
}

static json_t *to_json(const struct scan *s)
{
	json_t *root = json_object(), *list = json_array();

	for (size_t i = 0; i < scan_count(s); i++) {
		const struct fault *f = scan_fault(s, i);
		json_t *o = json_object();

		json_put_int(o, "line", (int64_t)f->line);
		json_put_str(o, "kind", f->kind);
		json_put_str(o, "function", f->function);
		json_put_str(o, "text", f->text);
		put_place(o, f);
		json_array_append_new(list, o);
	}
	json_put(root, "faults", list);
	if (scan_total(s) > scan_count(s))
		json_put_int(root, "total", (int64_t)scan_total(s));
	return root;
}

static void print_faults(const struct scan *s)
{
	for (size_t i = 0; i < scan_count(s); i++) {
		const struct fault *f = scan_fault(s, i);
		char *line =
		        xasprintf("%zu: %s%s%s: %s", f->line, f->kind, f->function ? " in " : "",
		                  f->function ? f->function : "", f->text);

		print_clean(line);
		free(line);
	}
	if (scan_total(s) > scan_count(s))
		printf("%zu faults in all, %zu shown\n", scan_total(s), scan_count(s));
}

static enum err run_scan(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct scan_opts *o = opt;
	struct scan *s = scan_new(o->banners ? SCAN_BANNER_OK : 0);
	enum err e = feed(s, argv[0], w);

	(void)argc;
	if (!e) {
		scan_end(s);
		cli->exit_code = scan_count(s) ? EXIT_FAULTS : EXIT_CLEAN;
	}
	if (!e && cli->json) {
		json_t *root = to_json(s);

		e = cli_print_json(root, w);
		json_decref(root);
	} else if (!e) {
		print_faults(s);
		if (fflush(stdout) == EOF)
			e = err_sys(w, ERR_INPUT, "cannot write to standard output");
	}
	scan_free(s);
	/* 1 says that there are faults: everything that fails is 2 */
	return e ? ERR_INPUT : OK;
}

const struct cli_command cmd_scan_log = {
        .name = "scan-log",
        .args = "FILE|-",
        .summary = "show the faults in a kernel log",
        .help = "Reads any kernel log, of x86 and arm64, from its first byte on.\n"
                "Exit codes: 0 clean, 1 faults, 2 cannot read.\n"
                "\n"
                "examples:\n  foldwatch scan-log dmesg.txt\n  dmesg | foldwatch scan-log - "
                "--json\n",
        .opts = scan_table_opts,
        .size = sizeof(struct scan_opts),
        .min_args = 1,
        .max_args = 1,
        .local = true,
        .run = run_scan,
};
