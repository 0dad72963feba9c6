#include "agent/toolchain.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_clang(const struct toolchain_conf *t)
{
	return str_starts(t->compiler, "clang");
}

char *toolchain_cc(const struct toolchain_conf *t)
{
	return xasprintf("%s%s", is_clang(t) ? "" : t->cross, t->compiler);
}

char *toolchain_ld(const struct toolchain_conf *t)
{
	/* "clang-16" comes with "ld.lld-16" */
	if (is_clang(t))
		return xasprintf("ld.lld%s", t->compiler + strlen("clang"));
	return xasprintf("%sld", t->cross);
}

static enum err first_line(const char *program, char *out, size_t size, struct why *w)
{
	const char *argv[] = {program, "--version", NULL};
	const struct proc_spec spec = {.argv = argv, .timeout_ns = 10 * NS_PER_S};
	struct buf text, clean;
	enum err e;

	buf_init(&text, 64 * 1024);
	buf_init(&clean, 4096);
	e = proc_run(&spec, &text, w);
	if (e == OK) {
		size_t n = strcspn(text.data, "\r\n");

		utf8_scrub(&clean, text.data, n < 200 ? n : 200);
		snprintf(out, size, "%s", clean.data);
		if (clean.len == 0)
			e = err_set(w, ERR_IO, "\"%s --version\" printed nothing", program);
	}
	buf_release(&clean);
	buf_release(&text);
	return e;
}

enum err toolchain_probe(const struct toolchain_conf *t, struct toolchain_facts *f, struct why *w)
{
	char *cc = toolchain_cc(t), *ld = toolchain_ld(t);
	enum err e;

	e = first_line(cc, f->compiler, sizeof(f->compiler), w);
	if (e == OK)
		e = first_line(ld, f->linker, sizeof(f->linker), w);
	free(ld);
	free(cc);
	return err_at(w, e, "toolchain \"%s\"", t->name);
}
