#include "server/auth.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4648, section 5, without padding: 32 bytes give 43 characters. */
static void make(char text[TOKEN_TEXT])
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char raw[33] = {0};

	random_bytes(raw, 32);
	for (int i = 0; i < TOKEN_TEXT - 1; i++) {
		int bit = i * 6, byte = bit / 8;
		unsigned int two = (unsigned int)raw[byte] << 8 | raw[byte + 1];

		text[i] = digits[two >> (10 - bit % 8) & 63];
	}
	text[TOKEN_TEXT - 1] = '\0';
}

enum err auth_issue(struct server *srv, const char *label, enum role role, char text[TOKEN_TEXT],
                    struct token *out, struct why *w)
{
	make(text);
	*out = (struct token){.role = role, .created_ms = clock_wall_ms()};
	snprintf(out->label, sizeof(out->label), "%s", label);
	hash_block(text, strlen(text), out->hash);
	return token_add(srv->store, out, w);
}

enum err auth_check(struct server *srv, const char *token, enum role *role, int64_t *id,
                    char *label_out, struct why *w)
{
	char hash[SHA256_HEX];
	struct token t = {0};
	enum err e;

	hash_block(token, strlen(token), hash);
	e = token_by_hash(db_reader(srv->store), hash, &t, w);
	if (e == ERR_NOT_FOUND || (e == OK && !equal_const_time(hash, t.hash, sizeof(hash))) ||
	    (e == OK && t.revoked_ms >= 0))
		return err_set(w, ERR_AUTH, "this token is not known here, or was revoked");
	if (e != OK)
		return e;
	*role = t.role;
	*id = t.id;
	memcpy(label_out, t.label, TOKEN_LABEL);
	return OK;
}

enum err auth_admin_file(struct server *srv, bool anew, bool *made, struct why *w)
{
	struct token t = {.role = ROLE_ADMIN, .label = "admin", .created_ms = clock_wall_ms()};
	char text[TOKEN_TEXT + 1], *path;
	int64_t admins = 0;
	enum err e;

	*made = false;
	e = token_admins(db_reader(srv->store), &admins, w);
	if (e != OK || (admins && !anew))
		return e;
	make(text);
	hash_block(text, strlen(text), t.hash);
	text[TOKEN_TEXT - 1] = '\n';
	path = path_join(srv->conf.dir, "admin.token");
	/* The file first: a token that nobody can read would be no use, and
	 * without its row the next start makes another. */
	e = file_write(path, text, TOKEN_TEXT, 0600, w);
	if (e == OK)
		e = token_add(srv->store, &t, w);
	*made = e == OK;
	free(path);
	return e;
}
