/*
 * makelog.c - see makelog.h.
 */
#include "agent/makelog.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <ctype.h>
#include <string.h>

/* "  CC      mm/memory.o", "  AS [M]  x.o": two blanks, a word in capitals,
 * blanks, the target. Tools for the host (HOSTCC) are no part of the kernel. */
static const char *object_of(const char *line)
{
	static const char *const words[] = {"CC", "AS", "LD", "AR", "RUSTC", "CC [M]", "AS [M]"};
	const char *word = line + 2, *target;
	size_t i, n = 0;

	if (line[0] != ' ' || line[1] != ' ' || !isupper((unsigned char)line[2]))
		return NULL;
	while (word[n] && !(word[n] == ' ' && word[n + 1] != '['))
		n++;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i]) == n && !strncmp(words[i], word, n))
			break;
	}
	if (i == ARRAY_SIZE(words))
		return NULL;
	target = word + n + strspn(word + n, " ");
	return str_ends(target, ".o") || str_ends(target, ".a") ? target : NULL;
}

/* The tree stands at /src and the objects at /out inside the sandbox; a path
 * that people know begins below it. */
static const char *below_tree(const char *line)
{
	static const char *const roots[] = {"/src/", "../", "./"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roots); i++) {
		if (str_starts(line, roots[i]))
			return line + strlen(roots[i]);
	}
	return line;
}

/* "file:12:3: error: ...", "file:12: Error: ..." (assembler), and what the
 * linker says. */
static bool is_error(const char *line)
{
	static const char *const words[] = {": error: ",
	                                    ": fatal error: ",
	                                    ": Error: ",
	                                    "undefined reference to ",
	                                    "multiple definition of ",
	                                    "undefined symbol: ",
	                                    "internal compiler error"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

static void quote(char *to, size_t size, const char *line)
{
	struct buf clean;
	size_t n;

	buf_init(&clean, 8192);
	utf8_scrub(&clean, line, strlen(line));
	n = clean.len < size - 1 ? clean.len : size - 1;
	/* Not in the middle of a character. */
	while (n && n < clean.len && ((unsigned char)clean.data[n] & 0xc0) == 0x80)
		n--;
	memcpy(to, clean.data, n);
	to[n] = '\0';
	buf_release(&clean);
}

bool makelog_line(struct makelog *m, const char *line)
{
	const char *object = object_of(line);

	if (object) {
		m->objects++;
		quote(m->current, sizeof(m->current), object);
		return true;
	}
	if (is_error(line)) {
		if (m->errors < MAKELOG_ERRORS)
			quote(m->error[m->errors], sizeof(m->error[0]), below_tree(line));
		m->errors++;
	} else if (!m->stopped[0] && strstr(line, "*** ")) {
		quote(m->stopped, sizeof(m->stopped), line);
	}
	return false;
}

void makelog_sentence(const struct makelog *m, struct buf *out)
{
	int i;

	for (i = 0; i < m->errors && i < MAKELOG_ERRORS; i++)
		buf_addf(out, "%s%s", i ? "; " : "", m->error[i]);
	if (!m->errors)
		buf_adds(out, m->stopped);
}
