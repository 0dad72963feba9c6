/*
 * store_token.h - bearer tokens: who may do what. Only hashes are stored.
 */
#ifndef FOLDWATCH_STORE_TOKEN_H
#define FOLDWATCH_STORE_TOKEN_H

#include "lib/hash.h"
#include "server/db.h"
#include "server/http.h"

#define TOKEN_LABEL 65 /* bytes of a label with its NUL */

struct token {
	int64_t id;
	char hash[SHA256_HEX];
	char label[TOKEN_LABEL];
	enum role role;
	int64_t created_ms;
	int64_t revoked_ms; /* -1: valid */
};

/* "read", "submit", "agent", "admin"; NULL-terminated, by role - 1. */
extern const char *const token_roles[];

/* Stores hash, label, role and created_ms; fills id. */
enum err token_add(struct db_store *store, struct token *t, struct why *w);
/* ERR_NOT_FOUND for a hash that is not there; revoked ones are found. */
enum err token_by_hash(struct db *db, const char *hash, struct token *out, struct why *w);
/* Revokes, once: a second time changes nothing. ERR_NOT_FOUND; ERR_CONFLICT for
 * the last valid admin token, without which nobody could make another. */
enum err token_revoke(struct db_store *store, int64_t id, int64_t now_ms, struct token *out,
                      struct why *w);
/* All, oldest first. */
enum err token_each(struct db *db, void (*each)(void *ctx, const struct token *t), void *ctx,
                    struct why *w);
/* What the valid tokens of a label let it do: ROLE_ADMIN, ROLE_SUBMIT, or ROLE_NONE for
 * neither. */
enum err token_role_of(struct db *db, const char *label, enum role *role, struct why *w);
/* How many valid admin tokens there are. */
enum err token_admins(struct db *db, int64_t *count, struct why *w);

#endif
