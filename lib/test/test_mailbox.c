/* Addresses of people: which are taken, and how they are found in trailers. */
#include "lib/mailbox.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_plain(void **state)
{
	static const char *const good[] = {"a@b", "ada.l+x@example.org", "o'neil@example.org",
	                                   "x_y@a-b.example.org"};
	static const char *const bad[] = {"",
	                                  "a",
	                                  "@b",
	                                  "a@",
	                                  "a@.b",
	                                  "a@b.",
	                                  "-a@b",
	                                  ".a@b",
	                                  "a b@c",
	                                  "a@b c",
	                                  "a@b\n",
	                                  "a\r\n@b",
	                                  "a@b,c@d",
	                                  "\"a\"@b",
	                                  "<a@b>",
	                                  "a@[1.2.3.4]",
	                                  "a@b\xc3\xa4",
	                                  "\xc3\xa4@b",
	                                  "a@b\nBcc: c@d",
	                                  "a@b;c",
	                                  "a@b@c",
	                                  "a:b@c",
	                                  "dev@.org",
	                                  "dev@-x.org",
	                                  "-oQ@example.org",
	                                  "a@example.org>"};
	char longest[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(mailbox_is_plain(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (mailbox_is_plain(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	memset(longest, 'a', sizeof(longest));
	longest[1] = '@';
	longest[254] = '\0';
	assert_true(mailbox_is_plain(longest));
	longest[254] = 'a';
	longest[255] = '\0';
	assert_false(mailbox_is_plain(longest));
}

static void test_found(void **state)
{
	static const struct {
		const char *text, *address;
	} cases[] = {
	        {"Ada L <ada@example.org>", "ada@example.org"},
	        {"ada@example.org", "ada@example.org"},
	        {"  ada@example.org \t", "ada@example.org"},
	        {"stable@vger.kernel.org # 6.1+", "stable@vger.kernel.org"},
	        {"<stable@vger.kernel.org> # 6.1+", "stable@vger.kernel.org"},
	        {"J\xc3\xbcrgen <j@example.org>", "j@example.org"},
	        {"\xff\xfe <x@example.org>", "x@example.org"},
	        {"Ada <ada@example.org", NULL},
	        {"Ada <>", NULL},
	        {"Ada <a@b>, Bob <c@d>", "a@b"},
	        {"Ada <a@b\nBcc: x@y>", NULL},
	        {"", NULL},
	        {"syzbot+0123@syzkaller.appspotmail.com", "syzbot+0123@syzkaller.appspotmail.com"},
	        {"a@example.org\t# as told to <b@example.org>", "a@example.org"},
	        {"Ann #1 <ann@example.org> # twice", "ann@example.org"},
	        {"a@example.org#c", NULL},
	        {"# nobody@example.org", NULL},
	        {" # ", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[MAILBOX_TEXT];
		bool is = mailbox_find(cases[i].text, strlen(cases[i].text), out);

		assert_int_equal(is, cases[i].address != NULL);
		if (is)
			assert_string_equal(out, cases[i].address);
	}
	assert_false(mailbox_find("a@b\0c", 5, (char[MAILBOX_TEXT]){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_plain),
	        cmocka_unit_test(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
