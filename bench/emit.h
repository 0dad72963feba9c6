/*
 * emit.h - JSON Lines into memory that was taken beforehand.
 *
 * Nothing may be allocated between two timed windows, so the text of a whole
 * plan goes to one buffer whose pages are touched before the first case. What
 * does not fit sets `full`, and the caller says so instead of writing half.
 *
 *     emit_init(&e, memory, bytes);
 *     emit_open(&e, NULL);                     {
 *     emit_str(&e, "type", "begin");           "type":"begin"
 *     emit_open(&e, "env");                    ,"env":{
 *     emit_close(&e);                          }
 *     emit_close(&e);                          }
 *     emit_newline(&e);
 *     emit_end(&e, runs, taint);               the closing line with length and CRC
 *
 * Strings come out as 7-bit ASCII; bytes that are not UTF-8 become U+FFFD.
 */
#ifndef FOLDBENCH_EMIT_H
#define FOLDBENCH_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emit {
	char *data;
	size_t len, size;
	bool full;
	bool first; /* no comma before the next member */
};

void emit_init(struct emit *e, void *memory, size_t size);
/* Text as it stands. */
void emit_raw(struct emit *e, const char *text, size_t len);
/* A key of NULL: a member of an array, or the top level. */
void emit_open(struct emit *e, const char *key);
void emit_close(struct emit *e);
void emit_array(struct emit *e, const char *key);
void emit_array_close(struct emit *e);
void emit_str(struct emit *e, const char *key, const char *value);
void emit_u64(struct emit *e, const char *key, uint64_t value);
void emit_bool(struct emit *e, const char *key, bool value);
void emit_newline(struct emit *e);
/* The `end` line over everything so far. */
void emit_end(struct emit *e, uint64_t runs, uint64_t taint);

/* CRC-32 as IEEE 802.3 has it (reflected polynomial 0xedb88320, as in zlib):
 * of "123456789" it is cbf43926. Begin with 0; feed in parts at will. */
uint32_t crc32_ieee(uint32_t crc, const void *data, size_t len);

enum emit_check { EMIT_WHOLE, EMIT_TORN, EMIT_EMPTY };
/* Does this text end with an `end` line that agrees with what is before it? */
enum emit_check emit_check(const char *data, size_t len);

#endif
