/*
 * result_env.c - the conditions of a boot, in two parts. What must be equal for
 * numbers to be compared is its environment: the board, its firmware, what boots
 * it and measures on it. What the kernel under test brings along or makes of the
 * board are its traits: they are kept beside, for they are what a comparison of
 * kernels is about.
 */
#include "server/result.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* Members that are the kernel's, or that no count or time depends on. What a
 * newer foldbench or agent says besides counts, until it is listed here. */
static const char *const of_board[] = {"guest", "sandbox", "no_disk", NULL};
static const char *const of_guest[] = {"page_size", "block_size", "release", NULL};
static const char *const of_env[] = {"features",
                                     "detected",
                                     "soc",
                                     "thp",
                                     "mitigations",  /* by version and config */
                                     "memory_bytes", /* less what the kernel takes */
                                     "numa",         /* where it is built in */
                                     "efi_bits",
                                     "stat_interval",
                                     "files", /* of a boot that validates */
                                     "percpu_pagelist_high_fraction",
                                     NULL};

/* Words of a command line that name the kernel, or one boot. Where boots of one board
 * must have equal widths, another width is another command line. */
static const struct {
	const char *word;
	bool fixed;
} own_words[] = {{"BOOT_IMAGE=", false},
                 {"initrd=", false},
                 {"foldwatch.nonce=", true},
                 {"foldwatch.phase=", true}};

#define OWN_WORDS (sizeof(own_words) / sizeof(own_words[0]))

/* The command line with their values struck out. free() it. */
static char *strike(const char *cmdline)
{
	struct buf b;
	char *out;

	buf_init(&b, 1 << 20);
	while (*cmdline) {
		size_t len = strcspn(cmdline, " "), blanks = strspn(cmdline + len, " "), i, n = 0;

		for (i = 0; i < OWN_WORDS; i++) {
			n = strlen(own_words[i].word);
			if (len > n && strncmp(cmdline, own_words[i].word, n) == 0)
				break;
		}
		buf_add(&b, cmdline, i < OWN_WORDS ? n : len);
		for (; i < OWN_WORDS && n < len; n = own_words[i].fixed ? n + 1 : len)
			buf_addc(&b, '_');
		buf_add(&b, cmdline + len, blanks);
		cmdline += len + blanks;
	}
	out = buf_take(&b, NULL);
	buf_release(&b);
	return out ? out : xstrdup("");
}

/* Every string in it that is a command line, wherever it stands. */
static void strike_all(json_t *v)
{
	const char *key;
	json_t *x;
	void *next;
	size_t i;

	json_object_foreach_safe (v, next, key, x) {
		strike_all(x);
	}
	json_array_foreach (v, i, x) {
		strike_all(x);
	}
	if (json_is_string(v)) {
		char *text = strike(json_string_value(v));

		json_string_set(v, text);
		free(text);
	}
}

static void move(json_t *from, json_t *to, const char *const *keys)
{
	for (; *keys; keys++) {
		json_t *x = json_object_get(from, *keys);

		if (x)
			json_put(to, *keys, json_incref(x));
		json_object_del(from, *keys);
	}
}

static json_t *object_of(const char *text)
{
	json_t *o = text ? json_loads(text, 0, NULL) : NULL;

	if (json_is_object(o))
		return o;
	json_decref(o);
	return NULL;
}

static void store(struct pool *p, const char *nonce, json_t *o, const char **body, const char **id)
{
	char *text = json_canonical(o), hex[SHA256_HEX], *at;

	if (nonce && strlen(nonce) >= 8)
		for (at = text; (at = strstr(at, nonce));)
			memset(at, '_', strlen(nonce));
	hash_block(text, strlen(text), hex);
	*body = pool_str(p, text);
	*id = pool_str(p, hex);
	free(text);
	json_decref(o);
}

void result_env(struct pool *p, const json_t *board, struct boot *b)
{
	json_t *env = json_object(), *traits = json_object();
	json_t *at = board ? json_deep_copy(board) : NULL, *guest = object_of(b->env);
	json_t *guest_env = guest ? json_object_get(guest, "env") : NULL;
	json_t *own[3] = {json_object(), json_object(), json_object()};

	move(at, own[0], of_board);
	move(guest_env, own[1], of_env);
	move(guest, own[2], of_guest);
	/* What foldbench said stands in its result, and names the boot. */
	json_object_del(own[0], "guest");
	json_put(own[2], "env", own[1]);
	json_put(traits, "board", own[0]);
	json_put(traits, "guest", own[2]);
	json_put_str(env, "bench", b->bench);
	json_put(env, "board", at);
	json_put(env, "guest", guest);
	strike_all(env);
	store(p, b->nonce, env, &b->env, &b->env_id);
	store(p, b->nonce, traits, &b->traits, &b->traits_id);
}
