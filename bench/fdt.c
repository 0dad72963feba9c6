#include "bench/fdt.h"

#include <string.h>

#define MAGIC 0xd00dfeedu

enum { OFF_MAGIC = 0, OFF_STRUCT = 8, OFF_STRINGS = 12, SIZE_STRINGS = 32, SIZE_STRUCT = 36 };
enum { HEADER = 40 };
enum { BEGIN_NODE = 1, END_NODE, PROP, NOP, END = 9 };

struct part {
	const unsigned char *at;
	size_t len;
};

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool part_of(const unsigned char *blob, size_t len, int offset, int size, struct part *out)
{
	uint32_t from = be32(blob + offset), n = be32(blob + size);

	*out = (struct part){blob + from, n};
	return from <= len && n <= len - from;
}

static bool take_word(struct part *p, uint32_t *word)
{
	if (p->len < 4)
		return false;
	*word = be32(p->at);
	p->at += 4;
	p->len -= 4;
	return true;
}

/* `len` bytes and what pads them to whole words. */
static bool take(struct part *p, size_t len, const unsigned char **at)
{
	size_t padded = (len + 3) & ~(size_t)3;

	if (len > p->len || padded > p->len)
		return false;
	*at = p->at;
	p->at += padded;
	p->len -= padded;
	return true;
}

static bool text_at(const struct part *p, size_t from, size_t *len)
{
	if (from >= p->len)
		return false;
	*len = strnlen((const char *)p->at + from, p->len - from) + 1;
	return from + *len <= p->len;
}

struct walk {
	struct part structs, strings;
	struct sha256 hash;
	unsigned int depth;
	unsigned int chosen; /* depth of /chosen while inside, else 0 */
};

static void add(struct walk *w, uint32_t token, const void *name, size_t name_len,
                const void *value, uint32_t value_len)
{
	if (w->chosen)
		return;
	sha256_add(&w->hash, (unsigned char[]){(unsigned char)token}, 1);
	sha256_add(&w->hash, name, name_len);
	/* With its length: else a value could pass for the tokens behind it. */
	for (int i = 24; i >= 0; i -= 8)
		sha256_add(&w->hash, (unsigned char[]){(unsigned char)(value_len >> i)}, 1);
	sha256_add(&w->hash, value, value_len);
}

static bool begin_node(struct walk *w)
{
	const unsigned char *name;
	size_t len;

	if (!text_at(&w->structs, 0, &len) || !take(&w->structs, len, &name))
		return false;
	w->depth++;
	if (!w->chosen && w->depth == 2 && !strcmp((const char *)name, "chosen"))
		w->chosen = w->depth;
	add(w, BEGIN_NODE, name, len, "", 0);
	return true;
}

static bool end_node(struct walk *w)
{
	if (!w->depth)
		return false;
	add(w, END_NODE, "", 0, "", 0);
	if (w->chosen == w->depth)
		w->chosen = 0;
	w->depth--;
	return true;
}

static bool property(struct walk *w)
{
	const unsigned char *value;
	uint32_t len, name;
	size_t name_len;

	if (!take_word(&w->structs, &len) || !take_word(&w->structs, &name) ||
	    !take(&w->structs, len, &value) || !text_at(&w->strings, name, &name_len))
		return false;
	add(w, PROP, w->strings.at + name, name_len, value, len);
	return true;
}

bool fdt_hash(const void *blob, size_t len, char hex[SHA256_HEX_SIZE])
{
	struct walk w = {0};
	uint32_t token;

	if (len < HEADER || be32((const unsigned char *)blob + OFF_MAGIC) != MAGIC ||
	    !part_of(blob, len, OFF_STRUCT, SIZE_STRUCT, &w.structs) ||
	    !part_of(blob, len, OFF_STRINGS, SIZE_STRINGS, &w.strings))
		return false;
	sha256_init(&w.hash);
	while (take_word(&w.structs, &token)) {
		bool fine = token == NOP;

		if (token == END) {
			sha256_hex(&w.hash, hex);
			return !w.depth;
		}
		if (token == BEGIN_NODE)
			fine = begin_node(&w);
		else if (token == END_NODE)
			fine = end_node(&w);
		else if (token == PROP)
			fine = property(&w);
		if (!fine)
			return false;
	}
	return false;
}
