#include "bench/thp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ORDERS 16 /* more than any page size has */
#define SAVED  32

/* What was written, with the text to put back. */
static struct {
	char name[64];
	char text[64];
} saved[SAVED];
static size_t saved_count;

static void path_of(const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", THP_DIR, name);
}

/* The present value: of a choice the word in brackets. */
static bool value_now(const char *name, char *out, size_t size)
{
	char path[160], text[256];

	path_of(name, path, sizeof(path));
	if (text_read(path, text, sizeof(text)) < 0)
		return false;
	if (strchr(text, '['))
		choice_parse(text, out, size);
	else
		snprintf(out, size, "%.*s", (int)size - 1, text);
	return true;
}

/* Returns 0, or an errno. Writes only what differs. */
static int value_set(const char *name, const char *text)
{
	char path[160], now[64];
	size_t i;

	if (!value_now(name, now, sizeof(now)))
		return errno ? errno : ENOENT;
	if (!strcmp(now, text))
		return 0;
	path_of(name, path, sizeof(path));
	if (text_write(path, text))
		return errno;
	for (i = 0; i < saved_count; i++)
		if (!strcmp(saved[i].name, name))
			return 0;
	if (saved_count < SAVED) {
		snprintf(saved[saved_count].name, sizeof(saved[0].name), "%s", name);
		snprintf(saved[saved_count].text, sizeof(saved[0].text), "%s", now);
		saved_count++;
	}
	return 0;
}

void thp_restore(void)
{
	while (saved_count) {
		char path[160];

		saved_count--;
		path_of(saved[saved_count].name, path, sizeof(path));
		/* Nothing is left to do about one that does not take it back. */
		if (text_write(path, saved[saved_count].text))
			fprintf(stderr, "foldbench: cannot set %s back to \"%s\": %s\n", path,
			        saved[saved_count].text, strerror(errno));
	}
}

int thp_pmd_order(void)
{
	char text[64];
	uint64_t bytes, page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!value_now("hpage_pmd_size", text, sizeof(text)) ||
	    !u64_parse(text, strlen(text), &bytes) || bytes < page)
		return -1;
	return __builtin_ctzll(bytes) - __builtin_ctzll(page);
}

/* The switch of one size; `name` is that of the switch of all. */
static void size_control(unsigned int order, const char *name, char *out, size_t size)
{
	unsigned long kb = ((unsigned long)sysconf(_SC_PAGESIZE) << order) / 1024;

	snprintf(out, size, "hugepages-%lukB/%s", kb, name);
}

static bool exists(const char *name)
{
	char path[160];

	path_of(name, path, sizeof(path));
	return !access(path, F_OK);
}

static void find_control(unsigned int order, const char *all, char *out, size_t size)
{
	size_control(order, all, out, size);
	if (exists(out))
		return;
	/* Before 6.8 (for files 6.11) there is one switch, for the one size there is. */
	if ((int)order == thp_pmd_order() && exists(all))
		snprintf(out, size, "%s", all);
	else
		out[0] = '\0';
}

void thp_control(unsigned int order, char *out, size_t size)
{
	find_control(order, "enabled", out, size);
}

void thp_quiet(void)
{
	static const struct {
		const char *name, *text;
	} quiet[] = {
	        {"use_zero_page", "0"},
	        {"shrink_underused", "0"},
	        /* As long as they go: khugepaged would collapse or scan in a window. */
	        {"khugepaged/scan_sleep_millisecs", "4294967295"},
	        {"khugepaged/alloc_sleep_millisecs", "4294967295"},
	};

	for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
		if (exists(quiet[i].name))
			value_set(quiet[i].name, quiet[i].text);
}

/* Of the switches with that name the one of this order is set to the word that
 * gives to who asks by madvise, and the others to "never". */
static enum thp_answer only(unsigned int order, const char *all, const char *word, const char *of,
                            struct reason *w)
{
	char control[64], name[64], now[64];
	int error;

	find_control(order, all, control, sizeof(control));
	if (order && !control[0]) {
		if (thp_pmd_order() < 0)
			reason_set(w,
			           "this kernel has no large folios (CONFIG_TRANSPARENT_HUGEPAGE)");
		else
			reason_set(w, "this kernel has no mTHP control for order %u%s", order, of);
		return THP_CANNOT;
	}
	for (unsigned int o = 1; o < ORDERS; o++) {
		size_control(o, all, name, sizeof(name));
		if (o == order || !exists(name))
			continue;
		error = value_set(name, "never");
		/* Order 0 needs nobody's leave: its region refuses large folios itself. */
		if (error && order) {
			reason_set(w, THP_DIR "/%s cannot be set to \"never\": %s", name,
			           strerror(error));
			return THP_CANNOT;
		}
	}
	if (!order)
		return THP_READY;
	if (value_now(control, now, sizeof(now)) && !strcmp(now, "always"))
		return THP_READY;
	error = value_set(control, word);
	if (error) {
		reason_set(w, THP_DIR "/%s cannot be set to \"%s\": %s", control, word,
		           strerror(error));
		return THP_CANNOT;
	}
	return THP_READY;
}

enum thp_answer thp_only(unsigned int order, struct reason *w)
{
	return only(order, "enabled", "madvise", "", w);
}

enum thp_answer thp_only_file(unsigned int order, struct reason *w)
{
	return only(order, "shmem_enabled", "advise", " of files", w);
}

void thp_describe(struct emit *e)
{
	static const char *const plain[] = {"enabled", "defrag", "use_zero_page",
	                                    "shrink_underused", "hpage_pmd_size"};
	char name[64], now[64];

	emit_open(e, "thp");
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (value_now(plain[i], now, sizeof(now)))
			emit_str(e, plain[i], now);
	for (unsigned int o = 1; o < ORDERS; o++) {
		size_control(o, "enabled", name, sizeof(name));
		if (value_now(name, now, sizeof(now)))
			emit_str(e, name, now);
	}
	emit_close(e);
}
