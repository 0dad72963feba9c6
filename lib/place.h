/*
 * place.h - where in the kernel's source a fault was, and its signature: a word
 * that is the same for every build, like `warning:copy_page_range:mm/memory.c`.
 *
 *     place_ask(f, &ask);                     what has to be looked up, if anything
 *     decode_frame(d, &ask.frame, &decoded);  where there is a vmlinux
 *     place_of(f, &ask, &decoded, &place);    decoded NULL: what the log itself says
 *     use(place.signature);
 *     place_release(&place);
 *     place_ask_release(&ask);
 *
 * The function is the innermost of the report that is not one that only reports
 * (refcount_warn_saturate, kasan_report, a lock's own): what is at fault is who
 * called it. The file is the one that was compiled to it, not a header inlined
 * there: a WARN of rmap.h in copy_page_range is mm/memory.c's. Without a vmlinux
 * it is what the log names, where that is a .c file; else it is unknown.
 */
#ifndef FOLDWATCH_PLACE_H
#define FOLDWATCH_PLACE_H

#include "lib/decode.h"
#include "lib/scan.h"

struct place_ask {
	struct decode_ask frame; /* name NULL: the log names no function with an offset */
	char *name;              /* what frame.name points to */
	char *function;          /* without .isra.0 and the like; NULL: none is known */
	bool module;             /* of a module: no vmlinux has it */
	bool reporter;           /* nobody but one that only reports is named */
	char *said;              /* the file that the log names for it, or NULL */
	unsigned int said_line;
};

struct place {
	char *function;    /* or NULL */
	char *file;        /* "mm/memory.c"; NULL: unknown */
	char *where;       /* "include/linux/rmap.h:208", as near as can be told; NULL */
	char *signature;   /* KIND:FUNCTION:FILE, "-" for what is unknown */
	const char *never; /* why it can never be a known fault, or NULL; static */
	bool decoded;      /* by a vmlinux */
	char *why;         /* why not, or NULL */
};

void place_ask(const struct fault *f, struct place_ask *ask);
void place_ask_release(struct place_ask *ask);
/* `decoded` NULL: there is no vmlinux, and `why` says so. */
void place_of(const struct fault *f, const struct place_ask *ask, const struct decoded *decoded,
              const char *why, struct place *out);
void place_release(struct place *p);

/* Why nobody may list a signature as known; NULL: it may be. "" is never given.
 * Also for text that is no signature. Static. */
const char *place_never(const char *signature);
/* True for mm/, arch/X/mm/, and whatever has a directory `mm` in it. */
bool place_is_mm(const char *file);

#define PLACE_SIGNATURE_MAX 512

#endif
