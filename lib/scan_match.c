/*
 * scan_match.c - which pattern does a line match?
 *
 * Regular expressions are slow on a log of a hundred megabytes. Each pattern
 * has plain texts one of which it cannot do without; all of them together are
 * looked for in one pass (Aho and Corasick, "Efficient string matching", CACM
 * 18(6), 1975), and expressions see only what comes out of that.
 */
#include "lib/scan_table.h"

#include "lib/err.h"
#include "lib/mem.h"

#include <pthread.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STATES_MAX  2048
#define CLASSES_MAX 80

static struct {
	unsigned char class_of[256]; /* 0: in no needle */
	unsigned int classes;
	unsigned int states;
	uint16_t next[STATES_MAX][CLASSES_MAX];
	struct scan_hits hits[STATES_MAX];
	bool any[STATES_MAX]; /* hits is not empty */
	regex_t expressions[SCAN_ROWS_MAX];
} machine;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void add_needle(const char *s, size_t len, size_t row)
{
	unsigned int state = 0;

	if (!len)
		err_bug("row %zu of the scan table has an empty needle", row);
	for (size_t i = 0; i < len; i++) {
		unsigned char *class = &machine.class_of[(unsigned char)s[i]];

		if (!*class)
			*class = (unsigned char)++machine.classes;
		if (machine.classes >= CLASSES_MAX || machine.states >= STATES_MAX - 1)
			err_bug("the scan table has outgrown its automaton");
		if (!machine.next[state][*class])
			machine.next[state][*class] = (uint16_t)++machine.states;
		state = machine.next[state][*class];
	}
	machine.hits[state].rows[row / 64] |= 1ULL << (row % 64);
}

/* Breadth first, so that the state for the longest proper suffix is complete
 * when it is needed. */
static void link_states(void)
{
	static uint16_t queue[STATES_MAX], fallback[STATES_MAX];
	size_t head = 0, tail = 0;

	for (unsigned int c = 1; c <= machine.classes; c++)
		if (machine.next[0][c])
			queue[tail++] = machine.next[0][c];
	while (head < tail) {
		unsigned int state = queue[head++], back = fallback[state];

		for (size_t i = 0; i < ARRAY_SIZE(machine.hits[0].rows); i++)
			machine.hits[state].rows[i] |= machine.hits[back].rows[i];
		for (size_t i = 0; i < ARRAY_SIZE(machine.hits[0].rows); i++)
			machine.any[state] |= machine.hits[state].rows[i] != 0;
		for (unsigned int c = 1; c <= machine.classes; c++) {
			unsigned int to = machine.next[state][c];

			if (to) {
				fallback[to] = machine.next[back][c];
				queue[tail++] = (uint16_t)to;
			} else {
				machine.next[state][c] = machine.next[back][c];
			}
		}
	}
}

static void build(void)
{
	const struct scan_pattern *table;
	size_t rows;

	table = scan_table(&rows);
	for (size_t row = 0; row < rows; row++) {
		const char *at = table[row].needles;

		/* Anchored, regexec(3) tries one beginning and is done in one pass;
		 * else it tries each, and a line made for it takes its square. */
		char *anchored = xasprintf("^.*(%s)", table[row].pattern);

		if (regcomp(&machine.expressions[row], anchored, REG_EXTENDED | REG_NOSUB))
			err_bug("the scan pattern \"%s\" is no expression", table[row].pattern);
		free(anchored);
		while (*at) {
			size_t len = strcspn(at, "|");

			add_needle(at, len, row);
			at += len + (at[len] == '|');
		}
	}
	link_states();
}

void scan_match_init(void)
{
	pthread_once(&once, build);
}

unsigned int scan_match_feed(unsigned int state, const unsigned char *data, size_t len,
                             struct scan_hits *hits)
{
	for (size_t i = 0; i < len; i++) {
		state = machine.next[state][machine.class_of[data[i]]];
		if (machine.any[state])
			for (size_t k = 0; k < ARRAY_SIZE(hits->rows); k++)
				hits->rows[k] |= machine.hits[state].rows[k];
	}
	return state;
}

const struct scan_pattern *scan_match_line(const struct scan_hits *hits, const char *line)
{
	size_t rows;
	const struct scan_pattern *table = scan_table(&rows);

	for (size_t k = 0; k < ARRAY_SIZE(hits->rows); k++) {
		for (unsigned long long left = hits->rows[k]; left; left &= left - 1) {
			size_t row = k * 64 + (size_t)__builtin_ctzll(left);

			if (!regexec(&machine.expressions[row], line, 0, NULL, 0))
				return &table[row];
		}
	}
	return NULL;
}
