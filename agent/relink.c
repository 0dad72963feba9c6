/* relink.c - see relink.h. */
#include "agent/relink.h"

#include "agent/outfile.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAID ".foldwatch-layout/said"

/*
 * The linker that make finds. Behind the words that linker_text() puts before it:
 * name (of the real one), path (without us), cc, ar, layout. Partial links and the
 * vdso go by unchanged. What --whole-archive takes as archives (vmlinux.a; in older
 * trees the built-in.a of each directory) is written out as its members, each
 * behind its gap; vmlinux.o, which link-time optimisation leaves, gets one gap.
 * The generator is Park and Miller's, whose products awk's doubles hold exactly.
 */
static const char linker[] =
        "set -e\n"
        "ld=$(PATH=$path command -v \"$name\")\n"
        "out='' before='' other=''\n"
        "for a; do\n"
        "\t[ \"$before\" != -o ] || out=$a\n"
        "\t[ \"$a\" != -r ] || other=1\n"
        "\tbefore=$a\n"
        "done\n"
        "case ${out##*/} in\n"
        "vmlinux | vmlinux.unstripped | .tmp_vmlinux*) ;;\n"
        "*) other=1 ;;\n"
        "esac\n"
        "[ -z \"$other\" ] || exec \"$ld\" \"$@\"\n"
        "dir=.foldwatch-layout\n"
        "mkdir -p $dir\n"
        "i=0\n"
        "while [ $i -lt 16 ]; do\n"
        "\tprintf '.text\\n.space %d\\n.section .note.GNU-stack,\"\",%%progbits\\n' \\\n"
        "\t\t$((i * 16 + 16)) > $dir/gap.s\n"
        "\t$cc -c -o $dir/$i.o $dir/gap.s\n"
        "\ti=$((i + 1))\n"
        "done\n"
        ": > $dir/said\n"
        "gaps() {\n"
        "\tawk -v s=\"$1\" -v dir=$dir -v said=$dir/said '\n"
        "\tBEGIN { for (i = 0; i < 20; i++) s = s * 16807 % 2147483647 }\n"
        "\t{\n"
        "\t\ts = s * 16807 % 2147483647\n"
        "\t\tk = int(s / 65536) % 16\n"
        "\t\tprint dir \"/\" k \".o\"\n"
        "\t\tprint\n"
        "\t\tn++\n"
        "\t\tbytes += 16 * k + 16\n"
        "\t}\n"
        "\tEND { print n + 0, bytes + 0 >> said }'\n"
        "}\n"
        "left=$# whole='' at=$layout\n"
        "while [ $left -gt 0 ]; do\n"
        "\ta=$1\n"
        "\tshift\n"
        "\tleft=$((left - 1))\n"
        "\tcase $a in\n"
        "\t--whole-archive) whole=1 ;;\n"
        "\t--no-whole-archive) whole='' ;;\n"
        "\t*.a | *vmlinux.o)\n"
        "\t\tif [ -n \"$whole\" ]; then\n"
        "\t\t\tat=$((at + 1000))\n"
        "\t\t\tcase $a in\n"
        "\t\t\t*.a) $ar t \"$a\" ;;\n"
        "\t\t\t*) echo \"$a\" ;;\n"
        "\t\t\tesac | gaps $at > $dir/$at.list\n"
        "\t\t\ta=@$dir/$at.list\n"
        "\t\tfi\n"
        "\t\t;;\n"
        "\tesac\n"
        "\tset -- \"$@\" \"$a\"\n"
        "done\n"
        "exec \"$ld\" \"$@\"\n";

static char *linker_text(const struct build *b, const char *name)
{
	const char *cross = b->tools->cross ? b->tools->cross : "";
	char *ar = b->llvm ? xasprintf("llvm-ar%s", b->tools->compiler + strlen("clang"))
	                   : xasprintf("%sar", cross);
	char *text = xasprintf("#!/bin/sh\nname='%s' path=" BUILD_PATH "\ncc='%s%s'\nar='%s'\n"
	                       "layout=%lld\n%s",
	                       name, b->cc, b->llvm ? " --target=aarch64-linux-gnu" : "", ar,
	                       (long long)b->spec.layout, linker);

	free(ar);
	return text;
}

static enum err write_linker(struct build *b, struct why *w)
{
	char *name = toolchain_ld(b->tools), *text = linker_text(b, name), *path;
	enum err e;

	b->linkers = path_join(b->step->dir, "ld");
	path = path_join(b->linkers, name);
	e = dir_make(b->linkers, 0755, w);
	if (!e)
		e = file_write(path, text, strlen(text), 0755, w);
	free(path);
	free(text);
	free(name);
	return e;
}

/* What layout out/ holds. Written before make begins: a kernel that is there
 * never has another than this. */
static int64_t linked(const char *path)
{
	struct buf text;
	int64_t n = 0;

	buf_init(&text, 32);
	if (!file_read(path, &text, NULL))
		n = strtoll(text.data, NULL, 10);
	buf_release(&text);
	return n;
}

/* By a program in the sandbox: what lies in out/ is not ours. */
static enum err unlink_kernel(struct build *b, struct why *w)
{
	static const char *const names[] = {"vmlinux", "vmlinux.unstripped", SAID};
	struct argv a = {0};
	enum err e;
	size_t i;

	argv_add(&a, "rm", "-f", NULL);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		argv_addf(&a, "%s/%s", build_at(b, "/out", b->out), names[i]);
	e = build_run(b, &a, w);
	argv_release(&a);
	return e;
}

enum err relink_prepare(struct build *b, struct why *w)
{
	char *path = path_join(b->object_dir, "layout");
	enum err e = OK;

	if (linked(path) != b->spec.layout) {
		char text[32];

		snprintf(text, sizeof(text), "%lld", (long long)b->spec.layout);
		e = unlink_kernel(b, w);
		if (!e)
			e = file_write(path, text, strlen(text), 0600, w);
	}
	if (!e && b->spec.layout)
		e = write_linker(b, w);
	free(path);
	return e;
}

enum err relink_done(const struct build *b, int64_t *gaps, int64_t *bytes, struct why *w)
{
	struct buf text;
	char *at, *next;

	*gaps = *bytes = 0;
	if (!b->spec.layout)
		return OK;
	buf_init(&text, 64 * 1024);
	if (!outfile_read(b->out, SAID, &text, NULL)) {
		for (at = text.data; at && *at;
		     at = strchr(next, '\n') ? strchr(next, '\n') + 1 : NULL) {
			*gaps += strtoll(at, &next, 10);
			*bytes += strtoll(next, &next, 10);
		}
	}
	buf_release(&text);
	if (*gaps > 0 && *bytes >= 0)
		return OK;
	return err_set(w, ERR_UNPROCESSABLE,
	               "layout %lld: this tree links its kernel in a way that takes no gaps",
	               (long long)b->spec.layout);
}
