#include "lib/mailbox.h"

#include <ctype.h>
#include <string.h>

bool mailbox_is_plain(const char *s)
{
	const char *at = strchr(s, '@');
	size_t local = at ? (size_t)(at - s) : 0;
	bool dot = false;

	if (!local || local > 64 || strlen(s) >= MAILBOX_TEXT || s[0] == '.' || s[0] == '-')
		return false;
	for (const char *c = s; c < at; c++)
		if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+/=?^_`{|}~.-", *c))
			return false;
	for (const char *c = at + 1; *c; c++) {
		if (!isalnum((unsigned char)*c) && *c != '.' && *c != '-')
			return false;
		dot = *c == '.';
	}
	return at[1] && at[1] != '.' && at[1] != '-' && !dot;
}

bool mailbox_find(const char *text, size_t len, char out[MAILBOX_TEXT])
{
	const char *open, *close, *hash = memchr(text, '#', len);

	/* `stable@example.org # 6.12 and later`: what comes behind is no part of it. */
	if (hash && hash > text && (hash[-1] == ' ' || hash[-1] == '\t') &&
	    mailbox_find(text, (size_t)(hash - text), out))
		return true;
	open = memchr(text, '<', len);
	if (open) {
		close = memchr(open, '>', len - (size_t)(open - text));
		if (!close)
			return false;
		text = open + 1;
		len = (size_t)(close - text);
	}
	for (; len && (*text == ' ' || *text == '\t'); text++)
		len--;
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (!len || len >= MAILBOX_TEXT || memchr(text, '\0', len))
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return mailbox_is_plain(out);
}
