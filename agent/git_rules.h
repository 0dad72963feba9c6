/*
 * git_rules.h - which addresses are fetched and which refs are asked for.
 *
 * Both come from people who submit, and end up as arguments of git: what could
 * be read as an option, another protocol, a file of this machine or a pattern
 * is refused here, before git sees it.
 */
#ifndef FOLDWATCH_GIT_RULES_H
#define FOLDWATCH_GIT_RULES_H

#include "lib/conf.h"
#include "lib/err.h"

#include <stdbool.h>

#define GIT_URL_MAX 1024
#define GIT_REF_MAX 256

/* `trees` are the prefixes that the agent's owner allows; an empty list stands
 * for "https://". A prefix ends at a boundary: "https://a.org" allows
 * "https://a.org/x.git", not "https://a.org.evil.net/". Refused besides: user
 * names and passwords in the address (they would be shown on pages), "..",
 * anything but printable ASCII, schemes other than https, http, git, ssh and
 * file. */
enum err git_check_url(const struct conf_list *trees, const char *url, struct why *w);
/* The scheme of a checked address ("https"), for GIT_ALLOW_PROTOCOL; `out`
 * holds at least 8 bytes. */
void git_url_scheme(const char *url, char *out, size_t size);
/* True when a prefix that allows the address names its host, as "https://a.org/" does and
 * "https://" does not: the owner knows where that is. Files of this machine are none of a
 * host's: true. */
bool git_names_host(const struct conf_list *trees, const char *url);

/* The rules of git check-ref-format(1) (https://git-scm.com/docs/git-check-ref-format),
 * and no leading '-'. "HEAD" and 40 hex digits pass too. */
enum err git_check_ref(const char *ref, struct why *w);
/* True for exactly 40 lower-case hex digits. */
bool git_is_commit(const char *ref);

#endif
