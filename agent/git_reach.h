/*
 * git_reach.h - where git may go on a stranger's word.
 *
 *     e = git_begin_remote(g, &a, &w);           instead of git_begin(), for what asks the tree
 *     if (!e) ... argv_add(&a, "fetch", ..., "--", g->url, NULL) ...
 *
 * A prefix of `trees` that names a host is the owner's word that this host may be asked,
 * wherever it is. By one that names none (https://) a person who submits could have the agent
 * ask whatever its own network offers. So the host is looked up here, addresses that are not
 * of the public internet are refused (lib/guard.h), and git is told the others
 * (http.curloptResolve): a name that means something else a moment later leads nowhere. Git
 * follows no redirects. Where the environment names a proxy, a host that only the proxy can
 * look up is the proxy's business.
 */
#ifndef FOLDWATCH_GIT_REACH_H
#define FOLDWATCH_GIT_REACH_H

#include "agent/git.h"

#include <netdb.h>

/* ERR_DENIED where it leads to private addresses only, ERR_UNAVAILABLE where the host cannot
 * be looked up; for git_blamed(). */
enum err git_begin_remote(const struct git *g, struct argv *a, struct why *w);

/* ---- pure parts, for tests */

/* "https://Host:444/x" -> "host" and "444"; the scheme's own port where none is said. The
 * user of ssh is left out. False: a host that is not made of letters, digits, '-' and '.',
 * and no address in brackets. */
bool git_url_host(const char *url, char *host, size_t size, char port[6]);
/* "host:443:192.0.2.1,[2001:db8::1]": those that the guard permits; NULL where it permits
 * none. free() it. */
char *git_pin(const char *host, const char *port, const struct addrinfo *list);

#endif
