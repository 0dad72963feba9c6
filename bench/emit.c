#include "bench/emit.h"

#include "bench/text.h"

#include <stdio.h>
#include <string.h>

void emit_init(struct emit *e, void *memory, size_t size)
{
	*e = (struct emit){.data = memory, .size = size, .first = true};
}

void emit_raw(struct emit *e, const char *text, size_t len)
{
	if (e->full || len > e->size - e->len) {
		e->full = true;
		return;
	}
	memcpy(e->data + e->len, text, len);
	e->len += len;
}

static void put(struct emit *e, const char *text)
{
	emit_raw(e, text, strlen(text));
}

/*
 * One code point of UTF-8; returns its length, 0 where the bytes are none:
 * overlong forms, surrogates and what lies past U+10FFFF are none either.
 */
static size_t utf8_take(const unsigned char *s, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80   ? 1
	             : s[0] < 0xc0 ? 0
	             : s[0] < 0xe0 ? 2
	             : s[0] < 0xf0 ? 3
	             : s[0] < 0xf8 ? 4
	                           : 0;

	if (len <= 1) {
		*code = s[0];
		return len;
	}
	*code = s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return len;
}

static void put_code(struct emit *e, uint32_t code)
{
	char out[16];

	if (code == '"' || code == '\\')
		snprintf(out, sizeof(out), "\\%c", (int)code);
	else if (code >= 0x20 && code < 0x7f)
		snprintf(out, sizeof(out), "%c", (int)code);
	else if (code < 0x10000)
		snprintf(out, sizeof(out), "\\u%04x", code);
	else
		snprintf(out, sizeof(out), "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
		         0xdc00 + ((code - 0x10000) & 0x3ff));
	put(e, out);
}

static void put_quoted(struct emit *e, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	put(e, "\"");
	while (*s) {
		uint32_t code;
		size_t len = utf8_take(s, &code);

		put_code(e, len ? code : 0xfffd);
		s += len ? len : 1;
	}
	put(e, "\"");
}

static void put_key(struct emit *e, const char *key)
{
	if (!e->first)
		put(e, ",");
	e->first = false;
	if (key) {
		put_quoted(e, key);
		put(e, ":");
	}
}

void emit_open(struct emit *e, const char *key)
{
	put_key(e, key);
	put(e, "{");
	e->first = true;
}

void emit_close(struct emit *e)
{
	put(e, "}");
	e->first = false;
}

void emit_array(struct emit *e, const char *key)
{
	put_key(e, key);
	put(e, "[");
	e->first = true;
}

void emit_array_close(struct emit *e)
{
	put(e, "]");
	e->first = false;
}

void emit_str(struct emit *e, const char *key, const char *value)
{
	put_key(e, key);
	put_quoted(e, value);
}

void emit_u64(struct emit *e, const char *key, uint64_t value)
{
	char out[24];

	put_key(e, key);
	snprintf(out, sizeof(out), "%llu", (unsigned long long)value);
	put(e, out);
}

void emit_bool(struct emit *e, const char *key, bool value)
{
	put_key(e, key);
	put(e, value ? "true" : "false");
}

void emit_newline(struct emit *e)
{
	put(e, "\n");
	e->first = true;
}

void emit_end(struct emit *e, uint64_t runs, uint64_t taint)
{
	size_t bytes = e->len;
	uint32_t crc = crc32_ieee(0, e->data, e->len);
	char hex[16];

	snprintf(hex, sizeof(hex), "%08x", crc);
	emit_open(e, NULL);
	emit_str(e, "type", "end");
	emit_u64(e, "runs", runs);
	emit_u64(e, "taint", taint);
	emit_u64(e, "bytes", bytes);
	emit_str(e, "crc32", hex);
	emit_close(e);
	emit_newline(e);
}

uint32_t crc32_ieee(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *p = data;

	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1u));
	}
	return ~crc;
}

/* The number behind "key": in the line, or false. */
static bool member_u64(const char *line, const char *key, uint64_t *value)
{
	const char *at = strstr(line, key);

	if (!at)
		return false;
	at += strlen(key);
	return u64_parse(at, strspn(at, "0123456789"), value);
}

enum emit_check emit_check(const char *data, size_t len)
{
	char line[256], crc[32];
	const char *at;
	uint64_t bytes;
	size_t start, n;

	if (!len)
		return EMIT_EMPTY;
	if (data[len - 1] != '\n')
		return EMIT_TORN;
	for (start = len - 1; start && data[start - 1] != '\n'; start--)
		;
	n = len - start;
	if (n >= sizeof(line))
		return EMIT_TORN;
	memcpy(line, data + start, n);
	line[n] = '\0';
	if (!text_starts(line, "{\"type\":\"end\",") || !member_u64(line, "\"bytes\":", &bytes))
		return EMIT_TORN;
	snprintf(crc, sizeof(crc), "\"crc32\":\"%08x\"", crc32_ieee(0, data, start));
	at = strstr(line, crc);
	return bytes == start && at ? EMIT_WHOLE : EMIT_TORN;
}
