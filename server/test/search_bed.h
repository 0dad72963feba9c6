/*
 * search_bed.h - a series of 25 patches over the real server, of which some are told to
 * matter, and what the search for them came to.
 */
#ifndef FOLDWATCH_TEST_SEARCH_BED_H
#define FOLDWATCH_TEST_SEARCH_BED_H

#include "server/test/fake_agent.h"

#include "lib/json.h"

#define TREE   "\"tree\":\"https://example.org/linux.git\",\"base\":\"v6.12\""
#define UNMAP  "munmap/order=0,size=16M"
#define FORK   "fork/order=0,size=16M"
#define MARKS  ",\"marks\":{\"basic\":12,\"batch\":20}"
#define EACH   7 /* boots of a kernel: six phases, one of them twice */
#define BOOTS  ",\"plan\":{\"boots\":6}"
#define PLAIN  BOOTS ",\"validate\":false"
#define SERIES 25

extern char search_bundle[65]; /* the artifact's sha256 */
/* From which patch on UNMAP is slower, until which (0: for good), from which on FORK is
 * faster, and from which on it is slower by two halves, each under a verdict; 0: none. */
extern int slow_from, slow_until, fast_from, half_from;

/* For cmocka: *state is the struct fake; nothing matters yet. */
int search_setup(void **state);
/* Members of "series", and of the submission behind its cases. */
int64_t search_submit(struct fake *f, const char *series, const char *rest);
json_t *search_shown(struct fake *f, int64_t id);
/* Works until it is in that state: a step is asked for when the one before is judged. */
json_t *search_worked(struct fake *f, int64_t id, const char *state);
json_t *measured(struct fake *f, const char *series, const char *rest);
/* "p07" holds 7; marks hold theirs. */
int patches_in(const char *name);
int boots_of(const json_t *s);
size_t effects_of(const json_t *s);
size_t steps_of(const json_t *s);
void expect_effect(const json_t *s, size_t i, const char *case_text, const char *verdict, int first,
                   int last);

#endif
