#include "bench/table.h"

#include "bench/meter.h"
#include "bench/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The text behind "key": in a line of ours, or NULL. Our writer puts no white
 * space there, and inside strings quotes are escaped, so `"key":` is a key. */
static const char *member(const char *line, const char *key)
{
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	return at ? at + strlen(quoted) : NULL;
}

static void member_str(const char *line, const char *key, char *out, size_t size)
{
	const char *at = member(line, key);
	size_t n = 0;

	for (at = at && *at == '"' ? at + 1 : ""; *at && *at != '"' && n + 1 < size; at++) {
		if (*at == '\\' && at[1])
			at++;
		out[n++] = *at;
	}
	out[n] = '\0';
}

static uint64_t member_number(const char *line, const char *key)
{
	const char *at = member(line, key);
	uint64_t v = 0;

	if (at)
		u64_parse(at, strspn(at, "0123456789"), &v);
	return v;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void row_valid(FILE *out, const char *line, const char *name)
{
	const char *at = member(line, "samples");
	uint64_t warmup = member_number(line, "warmup"), windows = member_number(line, "windows");
	uint64_t *v;
	size_t n = 0, room = 1;
	char unit[32];

	if (!at || *at != '[')
		return;
	for (const char *p = at; *p && *p != ']'; p++)
		room += *p == ',';
	v = calloc(room, sizeof(*v));
	if (!v)
		return;
	for (at++; *at && *at != ']' && n < room;) {
		size_t len = strspn(at, "0123456789");

		if (!u64_parse(at, len, &v[n]))
			break;
		n++;
		at += len;
		at += *at == ',';
	}
	member_str(line, "unit", unit, sizeof(unit));
	if (n > warmup) {
		uint64_t *s = v + warmup;

		n -= warmup;
		if (!windows)
			windows = 1;
		for (size_t i = 0; i < n; i++)
			s[i] = (s[i] + windows / 2) / windows;
		qsort(s, n, sizeof(*s), compare);
		fprintf(out, "%-44s %4llu %14llu %14llu %14llu  %s", name,
		        (unsigned long long)member_number(line, "run"),
		        (unsigned long long)(n % 2 ? s[n / 2]
		                                   : s[n / 2 - 1] / 2 + s[n / 2] / 2 +
		                                             (s[n / 2 - 1] % 2 + s[n / 2] % 2) / 2),
		        (unsigned long long)s[0], (unsigned long long)s[n - 1], unit);
		if (windows > 1)
			fprintf(out, " (%llu windows a sample: one is under %d ticks of the clock)",
			        (unsigned long long)windows, METER_TICKS);
		fputc('\n', out);
	}
	free(v);
}

void table_print(FILE *out, const char *text, size_t len)
{
	static const char run[] = "{\"type\":\"run\",";
	const char *end = text + len;

	fprintf(out, "%-44s %4s %14s %14s %14s\n", "case", "run", "median", "least", "most");
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = nl ? (size_t)(nl - text) : (size_t)(end - text);
		char name[160], state[16], why[400], *line = strndup(text, n);

		text += n + 1;
		if (!line)
			return;
		if (!strncmp(line, run, sizeof(run) - 1)) {
			member_str(line, "case", name, sizeof(name));
			member_str(line, "state", state, sizeof(state));
			member_str(line, "why", why, sizeof(why));
			if (!strcmp(state, "valid"))
				row_valid(out, line, name);
			else
				fprintf(out, "%-44s %4llu %s: %s\n", name,
				        (unsigned long long)member_number(line, "run"), state, why);
		}
		free(line);
	}
}
