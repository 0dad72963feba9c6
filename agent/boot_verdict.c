/*
 * boot_verdict.c - see boot.h: what a boot's evidence amounts to.
 */
#include "agent/boot.h"

#include "lib/mem.h"

#include <inttypes.h>
#include <string.h>

/* Where it was, for a sentence: "in case 3 of 7, fork/order=9,size=256M". */
static void where(const struct console *c, struct buf *out)
{
	if (c->case_number)
		buf_addf(out, "in case %" PRId64 " of %" PRId64 ", %s", c->case_number, c->cases,
		         c->case_text);
	else
		buf_adds(out, "before its first case");
}

/* The fault that explains most: the first. */
static enum fail_class fault(const struct boot *b, struct why *w)
{
	const struct fault *f = scan_fault(b->console.scan, 0);
	size_t n = scan_total(b->console.scan);

	err_set(w, ERR_UNPROCESSABLE, "line %zu of the kernel's log: \"%.400s\"%s", f->line,
	        f->text, n > 1 ? " (and more after it)" : "");
	return FAIL_KERNEL;
}

/* The machine never got to foldbench, and its log holds no fault. */
static enum fail_class never_began(const struct boot *b, struct why *w)
{
	struct buf last;

	buf_init(&last, 1024);
	console_last_words(&b->console, &last);
	if (b->end == BOOT_DEADLINE)
		err_set(w, ERR_TIMEOUT,
		        "the kernel did not reach foldbench within %" PRId64
		        " s; its last lines: %.450s",
		        b->deadline_s, last.data);
	else if (b->end == BOOT_FLOOD)
		err_set(w, ERR_TOO_LARGE, "the kernel filled its console without end; last: %.450s",
		        last.data);
	else
		err_set(w, ERR_UNPROCESSABLE,
		        "the machine stopped before foldbench began; its last lines: %.450s",
		        last.data);
	buf_release(&last);
	return FAIL_BOOT;
}

/* It began, and there is no end. */
static enum fail_class never_ended(const struct boot *b, struct why *w)
{
	struct buf last, at;

	buf_init(&last, 1024);
	buf_init(&at, 512);
	console_last_words(&b->console, &last);
	where(&b->console, &at);
	if (b->end == BOOT_DEADLINE)
		err_set(w, ERR_TIMEOUT,
		        "no end within %" PRId64 " s: it stands %s; its last lines: %.350s",
		        b->deadline_s, at.data, last.data);
	else if (b->end == BOOT_FLOOD)
		err_set(w, ERR_TOO_LARGE,
		        "its console or its result grew without end, %s; last: %.350s", at.data,
		        last.data);
	else
		err_set(w, ERR_UNPROCESSABLE,
		        "the machine was reset or switched off %s; its last lines: %.350s", at.data,
		        last.data);
	buf_release(&last);
	buf_release(&at);
	return FAIL_KERNEL;
}

static enum fail_class result_class(const struct boot *b, struct why *w)
{
	static const enum fail_class classes[] = {
	        [RESULT_PROVED] = FAIL_NONE,       [RESULT_NONE] = FAIL_BENCH,
	        [RESULT_TORN] = FAIL_BENCH,        [RESULT_FOREIGN] = FAIL_BENCH,
	        [RESULT_OTHER_KERNEL] = FAIL_BOOT, [RESULT_MALFORMED] = FAIL_BENCH,
	};

	if (b->result_state != RESULT_PROVED)
		*w = b->result_why;
	return classes[b->result_state];
}

static enum fail_class tainted(const struct boot *b, struct why *w)
{
	char before[8], after[8];

	taint_letters(b->result.taint_before, before);
	taint_letters(b->result.taint_after, after);
	if (!*before && !*after)
		return FAIL_NONE;
	err_set(w, ERR_UNPROCESSABLE,
	        "the kernel was tainted (%s) %s, and its log does not say why",
	        *before ? before : after,
	        *before ? "before the first case" : "while it was measured");
	return FAIL_KERNEL;
}

enum fail_class boot_verdict(const struct boot *b, struct why *w)
{
	const struct console *c = &b->console;
	enum fail_class fail;

	if (b->end == BOOT_DIED && !c->ended) {
		err_set(w, ERR_IO, "%s", b->died);
		return FAIL_INFRA;
	}
	/* Whatever else went wrong, a fault of the kernel explains it. */
	if (scan_count(c->scan))
		return fault(b, w);
	if (c->failed[0]) {
		err_set(w, ERR_UNPROCESSABLE, "foldbench: %s", c->failed);
		return FAIL_BENCH;
	}
	if (!c->began)
		return never_began(b, w);
	if (!c->ended)
		return never_ended(b, w);
	fail = result_class(b, w);
	return fail != FAIL_NONE ? fail : tainted(b, w);
}
