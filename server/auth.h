/*
 * auth.h - who is behind a bearer token.
 *
 * A token is 32 random bytes as 43 characters of base64url. It is shown once;
 * what is stored is its SHA-256, which needs no salt because the token has the
 * entropy that a password lacks.
 */
#ifndef FOLDWATCH_AUTH_H
#define FOLDWATCH_AUTH_H

#include "server/server.h"
#include "server/store_token.h"

#define TOKEN_TEXT 44 /* bytes of a token with its NUL */

/* Makes, stores and returns (in text) a new token. */
enum err auth_issue(struct server *srv, const char *label, enum role role, char text[TOKEN_TEXT],
                    struct token *out, struct why *w);
/* For struct http_conf: ERR_AUTH for unknown and revoked ones alike. */
enum err auth_check(struct server *srv, const char *token, enum role *role, int64_t *id,
                    char *label_out, struct why *w);
/* Writes a new admin token to dir/admin.token (0600, durable) when there is no
 * valid one, or always when `anew`. *made says whether it did. */
enum err auth_admin_file(struct server *srv, bool anew, bool *made, struct why *w);

#endif
