/* Addresses with known answers. */
#include "lib/guard.h"

#include "lib/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static bool permits(const struct guard *g, const char *text)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return guard_permits(g, (struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return guard_permits(g, (struct sockaddr *)&six);
}

static void known_answers(void **state)
{
	static const struct {
		const char *address;
		bool good;
	} rows[] = {
	        {"1.1.1.1", true},
	        {"8.8.8.8", true},
	        {"11.0.0.1", true},
	        {"9.255.255.255", true},
	        {"100.63.255.255", true},
	        {"100.128.0.0", true},
	        {"126.255.255.255", true},
	        {"128.0.0.1", true},
	        {"172.15.255.255", true},
	        {"172.32.0.0", true},
	        {"192.167.255.255", true},
	        {"198.17.255.255", true},
	        {"198.20.0.0", true},
	        {"223.255.255.255", true},
	        {"0.0.0.0", false},
	        {"0.1.2.3", false},
	        {"10.0.0.0", false},
	        {"10.255.255.255", false},
	        {"100.64.0.0", false},
	        {"100.127.255.255", false},
	        {"127.0.0.1", false},
	        {"127.255.255.254", false},
	        {"169.254.169.254", false},
	        {"172.16.0.0", false},
	        {"172.31.255.255", false},
	        {"192.0.0.8", false},
	        {"192.0.2.1", false},
	        {"192.88.99.1", false},
	        {"192.168.0.1", false},
	        {"198.18.0.1", false},
	        {"198.19.255.255", false},
	        {"198.51.100.7", false},
	        {"203.0.113.7", false},
	        {"224.0.0.1", false},
	        {"240.0.0.1", false},
	        {"255.255.255.255", false},
	        {"2606:4700:4700::1111", true},
	        {"2a00:1450:4001::1", true},
	        {"2400::1", true},
	        {"::", false},
	        {"::1", false},
	        {"::8.8.8.8", false}, /* the old "compatible" form is nobody's */
	        {"fe80::1", false},
	        {"fec0::1", false},
	        {"fc00::1", false},
	        {"fd12:3456::1", false},
	        {"ff02::1", false},
	        {"100::1", false},
	        {"2001:db8::1", false},
	        {"2001::1", false}, /* Teredo */
	        {"2001:1ff::1", false},
	        {"2001:200::1", true},
	        {"3fff::1", false},
	        {"::ffff:127.0.0.1", false},
	        {"::ffff:10.1.2.3", false},
	        {"::ffff:169.254.169.254", false},
	        {"::ffff:8.8.8.8", true},
	        {"64:ff9b::127.0.0.1", false},
	        {"64:ff9b::192.168.1.1", false},
	        {"64:ff9b::8.8.8.8", true},
	        {"64:ff9b:1::8.8.8.8", false},
	        {"2002:7f00:1::1", false}, /* 6to4 of 127.0.0.1 */
	        {"2002:c0a8:101::", false},
	        {"2002:808:808::1", true},
	};
	struct guard g = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (permits(&g, rows[i].address) != rows[i].good)
			fail_msg("%s is %s", rows[i].address,
			         rows[i].good ? "refused" : "permitted");
		assert_int_equal(guard_permits_text(&g, rows[i].address), rows[i].good);
	}
	assert_true(guard_permits_text(&g, "hooks.example.org"));
	assert_false(guard_permits(&g, &(struct sockaddr){.sa_family = AF_UNIX}));
}

static void what_an_operator_lists(void **state)
{
	struct guard g = {0};
	struct why w;

	(void)state;
	assert_int_equal(guard_allow(&g, "127.0.0.1/32", &w), OK);
	assert_int_equal(guard_allow(&g, "10.20.0.0/14", &w), OK);
	assert_int_equal(guard_allow(&g, "fd00:1::/32", &w), OK);
	assert_int_equal(guard_allow(&g, "::1", &w), OK);
	assert_true(permits(&g, "127.0.0.1"));
	assert_true(permits(&g, "::ffff:127.0.0.1"));
	assert_false(permits(&g, "127.0.0.2"));
	assert_true(permits(&g, "10.20.0.0"));
	assert_true(permits(&g, "10.23.255.255"));
	assert_false(permits(&g, "10.24.0.0"));
	assert_false(permits(&g, "10.19.255.255"));
	assert_true(permits(&g, "fd00:1:2::3"));
	assert_false(permits(&g, "fd00:2::3"));
	assert_true(permits(&g, "::1"));
	assert_true(permits(&g, "8.8.8.8"));
	guard_release(&g);
	assert_int_equal(guard_allow(&g, "0.0.0.0/0", &w), OK);
	assert_true(permits(&g, "192.168.1.1"));
	assert_false(permits(&g, "fe80::1"));
	guard_release(&g);
}

static void what_is_no_network(void **state)
{
	static const char *const bad[] = {
	        "",           "localhost",   "10.0.0.0/33", "10.0.0.0/-1",
	        "10.0.0.0/",  "10.0.0/8",    "10.0.0.1/8",  "::/129",
	        "fe80::1/10", "/8",          "10.0.0.0/8x", "0x7f000001",
	        "127.1",      "10.0.0.0 /8", "[::1]",
	};
	struct guard g = {0};
	struct why w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (guard_allow(&g, bad[i], &w) != ERR_INPUT)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(g.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(known_answers),
	        cmocka_unit_test(what_an_operator_lists),
	        cmocka_unit_test(what_is_no_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
