#include "lib/json.h"

#include "lib/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
	struct why w = {""};
	json_t *v;

	if (json_parse(text, strlen(text), 1 << 20, &v, &w))
		fail_msg("%s: %s", text, w.text);
	return v;
}

static void refused(const char *text, size_t len, enum err expected, const char *words)
{
	struct why w = {""};
	json_t *v = (json_t *)&w;
	enum err e = json_parse(text, len, 1 << 20, &v, &w);

	if (e != expected || v || !strstr(w.text, words))
		fail_msg("%.60s: got %d \"%s\", wanted %d \"%s\"", text, e, w.text, expected,
		         words);
}

static void parses_any_value(void **state)
{
	static const char *const good[] = {"{}",
	                                   "[]",
	                                   "\"\"",
	                                   "0",
	                                   "-0",
	                                   "1.5e3",
	                                   "9223372036854775807",
	                                   "null",
	                                   "true",
	                                   " [1 , 2]\r\n",
	                                   "{\"a\":{\"b\":[]}}",
	                                   "\"\\u00e9\\ud83d\\ude00\"",
	                                   "\"\xf0\x9f\x98\x80\"",
	                                   "-9223372036854775808",
	                                   "1e-999"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		json_decref(parse(good[i]));
}

static void refuses_bad_text(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
	        {"", "got nothing"},
	        {" ", "line 1"},
	        {"{", "line 1"},
	        {"[1,2", "line 1"},
	        {"[1,]", "line 1 column 4"},
	        {"{\"a\":1,}", "line 1"},
	        {"{\"a\" 1}", "':' expected"},
	        {"{\n\"a\": x}", "line 2"},
	        {"{\"a\":1,\"a\":2}", "duplicate object key"},
	        {"{\"b\":{\"a\":1,\"\\u0061\":2}}", "duplicate object key"},
	        {"{} {}", "end of file expected"},
	        {"[1] x", "end of file expected"},
	        {"NaN", "line 1"},
	        {"[NaN]", "line 1"},
	        {"[Infinity]", "line 1"},
	        {"[-Infinity]", "line 1"},
	        {"1e999", "overflow"},
	        {"[-1e999]", "overflow"},
	        {"9223372036854775808", "too big"},
	        {"-9223372036854775809", "too big"},
	        {"[01]", "line 1"},
	        {"[+1]", "line 1"},
	        {"[.5]", "line 1"},
	        {"[1.]", "line 1"},
	        {"[0x10]", "line 1"},
	        {"'a'", "line 1"},
	        {"[\"a\nb\"]", "line 1"},
	        {"\"\\u0000\"", "\\u0000"},
	        {"{\"a\\u0000b\":1}", "\\u0000"},
	        {"\"\\ud800\"", "line 1"},
	        {"\"\\x41\"", "line 1"},
	        {"\"\xff\"", "line 1"},
	        {"\"\xc0\xaf\"", "line 1"},
	        {"\"\xed\xa0\x80\"", "line 1"},
	        {"\"\xf4\x90\x80\x80\"", "line 1"},
	        {"\"\xc3", "line 1"},
	        {"\xef\xbb\xbf{}", "line 1"},
	        {"// note\n{}", "line 1"},
	        {"{\"a\":tru}", "line 1"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refused(bad[i].text, strlen(bad[i].text), ERR_INPUT, bad[i].words);
	refused("[1,\0 2]", 7, ERR_INPUT, "line 1");
	refused("{}\0", 3, ERR_INPUT, "line 1");
}

static void caps_depth_before_the_parser(void **state)
{
	const size_t deep = 1000 * 1000;
	char *text = xmalloc(deep);
	char nested[80];

	(void)state;
	memset(nested, '[', 32);
	memset(nested + 32, ']', 32);
	nested[64] = '\0';
	json_decref(parse(nested));
	memset(nested, '[', 33);
	memset(nested + 33, ']', 33);
	nested[66] = '\0';
	refused(nested, 66, ERR_INPUT, "line 1 column 33: nested more than 32 levels deep");
	memset(text, '[', deep);
	refused(text, deep, ERR_INPUT, "nested more than 32");
	memset(text, '{', deep);
	refused(text, deep, ERR_INPUT, "nested more than 32");
	free(text);
	/* brackets in strings are not levels, also behind an escaped quote */
	json_decref(parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""));
	json_decref(parse("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\\"]"));
	/* many, but side by side */
	json_decref(parse("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
	                  "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
}

static void caps_size(void **state)
{
	struct why w;
	json_t *v;

	(void)state;
	assert_int_equal(json_parse("[1,2]", 5, 5, &v, &w), OK);
	json_decref(v);
	assert_int_equal(json_parse("[1,2]", 5, 4, &v, &w), ERR_TOO_LARGE);
	assert_null(v);
	assert_string_equal(w.text, "5 bytes of JSON are more than the 4 allowed");
}

/* ---- field tables */

static const char *const states[] = {"done", "failed", "lost", NULL};

struct sample {
	const char *name, *text;
	int64_t boots;
	double share;
	bool on;
	json_t *obj, *arr, *any;
	int state;
};

static const struct json_field fields[] = {
        {"name", JSON_STR, offsetof(struct sample, name), JSON_MUST, 1, 8, NULL},
        {"text", JSON_STR, offsetof(struct sample, text), JSON_TEXT, 0, 0, NULL},
        {"boots", JSON_INT, offsetof(struct sample, boots), JSON_NULLOK, 1, 1000, NULL},
        {"share", JSON_NUM, offsetof(struct sample, share), 0, 0, 0, NULL},
        {"on", JSON_BOOL, offsetof(struct sample, on), 0, 0, 0, NULL},
        {"obj", JSON_OBJ, offsetof(struct sample, obj), 0, 0, 0, NULL},
        {"arr", JSON_ARR, offsetof(struct sample, arr), 0, 1, 2, NULL},
        {"any", JSON_ANY, offsetof(struct sample, any), 0, 0, 0, NULL},
        {"state", JSON_WORD, offsetof(struct sample, state), 0, 0, 0, states},
        {0},
};

static void decodes_every_kind(void **state)
{
	json_t *v = parse("{\"name\":\"contpte\",\"text\":\"a\\tb\\r\\nc\",\"boots\":1000,"
	                  "\"share\":0.25,\"on\":true,\"obj\":{\"x\":1},\"arr\":[1,2],\"any\":null,"
	                  "\"state\":\"lost\"}");
	struct sample s = {0};
	struct why w;

	(void)state;
	assert_int_equal(json_decode(v, "", fields, &s, &w), OK);
	assert_string_equal(s.name, "contpte");
	assert_string_equal(s.text, "a\tb\r\nc");
	assert_int_equal(s.boots, 1000);
	assert_true(s.share == 0.25);
	assert_true(s.on);
	assert_int_equal(json_int(s.obj, "x", 0), 1);
	assert_int_equal(json_array_size(s.arr), 2);
	assert_true(json_is_null(s.any));
	assert_int_equal(s.state, 2);
	json_decref(v);
}

static void keeps_defaults(void **state)
{
	json_t *v = parse("{\"name\":\"n\",\"boots\":null,\"share\":3}");
	struct sample s = {.boots = 7, .state = 1, .text = "was"};

	(void)state;
	assert_int_equal(json_decode(v, "", fields, &s, NULL), OK);
	assert_int_equal(s.boots, 7);
	assert_int_equal(s.state, 1);
	assert_string_equal(s.text, "was");
	assert_true(s.share == 3.0);
	json_decref(v);
}

static void names_the_place(void **state)
{
	static const struct {
		const char *text, *reason;
	} bad[] = {
	        {"{}", "k[0].name: missing"},
	        {"{\"name\":null}", "k[0].name: expected a string, got null"},
	        {"{\"name\":3}", "k[0].name: expected a string, got a number"},
	        {"{\"name\":\"\"}", "k[0].name: must not be empty"},
	        {"{\"name\":\"123456789\"}", "k[0].name: expected 1 to 8 bytes, got 9"},
	        {"{\"name\":\"a\\tb\"}", "k[0].name: holds a control character"},
	        {"{\"name\":\"a\\u007f\"}", "k[0].name: holds a control character"},
	        {"{\"name\":\"a\\u009b1m\"}", "k[0].name: holds a control character"},
	        {"{\"name\":\"n\",\"text\":\"\\u001b[1m\"}",
	         "k[0].text: holds a control character"},
	        {"{\"name\":\"n\",\"boots\":\"3\"}",
	         "k[0].boots: expected an integer, got a string"},
	        {"{\"name\":\"n\",\"boots\":3.0}",
	         "k[0].boots: expected an integer, got a number with a fraction"},
	        {"{\"name\":\"n\",\"boots\":0}", "k[0].boots: expected 1 to 1000, got 0"},
	        {"{\"name\":\"n\",\"boots\":1001}", "k[0].boots: expected 1 to 1000, got 1001"},
	        {"{\"name\":\"n\",\"boots\":-9223372036854775808}",
	         "k[0].boots: expected 1 to 1000, got -9223372036854775808"},
	        {"{\"name\":\"n\",\"share\":\"1\"}", "k[0].share: expected a number, got a string"},
	        {"{\"name\":\"n\",\"share\":null}", "k[0].share: expected a number, got null"},
	        {"{\"name\":\"n\",\"on\":1}", "k[0].on: expected true or false, got a number"},
	        {"{\"name\":\"n\",\"obj\":[]}", "k[0].obj: expected an object, got an array"},
	        {"{\"name\":\"n\",\"arr\":{}}", "k[0].arr: expected an array, got an object"},
	        {"{\"name\":\"n\",\"arr\":[]}", "k[0].arr: expected 1 to 2 elements, got 0"},
	        {"{\"name\":\"n\",\"arr\":[1,2,3]}", "k[0].arr: expected 1 to 2 elements, got 3"},
	        {"{\"name\":\"n\",\"state\":false}",
	         "k[0].state: expected a string, got true or false"},
	        {"{\"name\":\"n\",\"state\":\"Done\"}",
	         "k[0].state: expected \"done\", \"failed\" or \"lost\", got \"Done\""},
	        {"{\"name\":\"n\",\"boot\":1}", "k[0].boot: unknown field"},
	        {"{\"name\":\"n\",\"a b\\n\":1}", "k[0].\"a b \": unknown field"},
	        {"{\"name\":\"n\",\"\":1}", "k[0].\"\": unknown field"},
	        {"[]", "k[0]: expected an object, got an array"},
	        {"\"x\"", "k[0]: expected an object, got a string"},
	};
	struct sample s;
	struct why w;
	size_t i;
	json_t *v;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		v = parse(bad[i].text);
		s = (struct sample){0};
		assert_int_equal(json_decode(v, "k[0]", fields, &s, &w), ERR_INPUT);
		assert_string_equal(w.text, bad[i].reason);
		json_decref(v);
	}
	v = parse("{}");
	assert_int_equal(json_decode(v, "", fields, &s, &w), ERR_INPUT);
	assert_string_equal(w.text, "name: missing");
	json_decref(v);
	assert_int_equal(json_decode(NULL, "", fields, &s, &w), ERR_INPUT);
	assert_string_equal(w.text, "expected an object");
}

static void cuts_long_names_between_characters(void **state)
{
	struct buf b;
	struct why w;
	struct sample s = {0};
	json_t *v;
	int i;

	(void)state;
	buf_init(&b, 100000);
	buf_adds(&b, "{\"name\":\"n\",\"x");
	for (i = 0; i < 1000; i++)
		buf_adds(&b, "\xc3\xa9");
	buf_adds(&b, "\":1}");
	v = parse(b.data);
	assert_int_equal(json_decode(v, "", fields, &s, &w), ERR_INPUT);
	assert_true(utf8_valid(w.text, strlen(w.text)));
	assert_non_null(strstr(w.text, "\"...: unknown field"));
	assert_null(strchr(w.text, '?'));
	json_decref(v);
	buf_release(&b);
}

static void default_bound_of_strings(void **state)
{
	char *text = xmalloc(5000);
	struct sample s = {0};
	struct why w;
	json_t *v;

	(void)state;
	memset(text, 'x', 4999);
	text[4097] = '\0';
	v = json_object();
	json_put_str(v, "name", "n");
	json_put_str(v, "text", text + 1);
	assert_int_equal(json_decode(v, "", fields, &s, &w), OK);
	json_put_str(v, "text", text);
	assert_int_equal(json_decode(v, "", fields, &s, &w), ERR_INPUT);
	assert_string_equal(w.text, "text: expected 0 to 4096 bytes, got 4097");
	json_decref(v);
	free(text);
}

/* ---- out */

static void writes_text(void **state)
{
	json_t *v = json_object();
	char *s;

	(void)state;
	json_put_int(v, "z", INT64_MIN);
	json_put_str(v, "s", NULL);
	json_put_str(v, "bad", "a\xff\r\nb\x1b");
	json_put_real(v, "nan", NAN);
	json_put_real(v, "inf", INFINITY);
	json_put_real(v, "half", 0.5);
	json_put_bool(v, "b", true);
	json_put(v, "a", json_pack("[{s:i,s:i}]", "y", 1, "x", 2));
	json_put(v, "n", NULL);
	s = json_canonical(v);
	assert_string_equal(s, "{\"a\":[{\"x\":2,\"y\":1}],\"b\":true,"
	                       "\"bad\":\"a\xef\xbf\xbd\\nb\xef\xbf\xbd\",\"half\":0.5,"
	                       "\"inf\":null,\"n\":null,\"nan\":null,\"s\":null,"
	                       "\"z\":-9223372036854775808}");
	free(s);
	s = json_text(v);
	assert_null(strpbrk(s, " \n"));
	assert_ptr_equal(strstr(s, "{\"z\":"), s);
	free(s);
	json_decref(v);
	v = json_string("top");
	s = json_text(v);
	assert_string_equal(s, "\"top\"");
	free(s);
	json_decref(v);
}

static void reads_with_defaults(void **state)
{
	json_t *v = parse("{\"s\":\"x\",\"i\":3,\"r\":1.5,\"b\":true,\"n\":null}");

	(void)state;
	assert_string_equal(json_str(v, "s", "d"), "x");
	assert_string_equal(json_str(v, "i", "d"), "d");
	assert_string_equal(json_str(v, "n", "d"), "d");
	assert_null(json_str(v, "none", NULL));
	assert_int_equal(json_int(v, "i", 9), 3);
	assert_int_equal(json_int(v, "r", 9), 9);
	assert_true(json_num(v, "i", 9) == 3.0);
	assert_true(json_num(v, "r", 9) == 1.5);
	assert_true(json_num(v, "s", 9) == 9.0);
	assert_true(json_flag(v, "b", false));
	assert_true(json_flag(v, "i", true));
	assert_false(json_flag(v, "none", false));
	assert_null(json_str(NULL, "s", NULL));
	assert_int_equal(json_int(NULL, "s", 4), 4);
	json_decref(v);
}

/* ---- UTF-8 */

static void scrubs(void **state)
{
	static const struct {
		const char *in, *out;
	} pairs[] = {
	        {"", ""},
	        {"plain\ttext\n", "plain\ttext\n"},
	        {"a\r\nb\r", "a\nb\xef\xbf\xbd"},
	        {"caf\xc3\xa9", "caf\xc3\xa9"},
	        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
	        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
	        {"\x1b[0m", "\xef\xbf\xbd[0m"},
	        {"\xc2\x9b", "\xef\xbf\xbd"},
	        {"\x7f", "\xef\xbf\xbd"},
	};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 100);
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		buf_reset(&b);
		utf8_scrub(&b, pairs[i].in, strlen(pairs[i].in));
		assert_string_equal(b.data, pairs[i].out);
	}
	buf_reset(&b);
	utf8_scrub(&b, "a\0b", 3);
	assert_string_equal(b.data, "a\xef\xbf\xbd"
	                            "b");
	buf_release(&b);
	buf_init(&b, 5); /* the second piece does not fit: nothing after it either */
	utf8_scrub(&b,
	           "ab\x01"
	           "cde\x01"
	           "f",
	           8);
	assert_string_equal(b.data, "ab\xef\xbf\xbd");
	assert_true(b.full);
	buf_release(&b);
}

static void knows_utf8(void **state)
{
	(void)state;
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("\xf4\x8f\xbf\xbf", 4));
	assert_false(utf8_valid("a\0b", 3));
	assert_false(utf8_valid("\xe2\x82\xac", 2));
	assert_true(utf8_has_control("\n", 1, false));
	assert_false(utf8_has_control("\n\r\t", 3, true));
	assert_true(utf8_has_control("\xc2\x80", 2, true));
	assert_false(utf8_has_control("\xc2\xa0", 2, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(parses_any_value),
	        cmocka_unit_test(refuses_bad_text),
	        cmocka_unit_test(caps_depth_before_the_parser),
	        cmocka_unit_test(caps_size),
	        cmocka_unit_test(decodes_every_kind),
	        cmocka_unit_test(keeps_defaults),
	        cmocka_unit_test(names_the_place),
	        cmocka_unit_test(cuts_long_names_between_characters),
	        cmocka_unit_test(default_bound_of_strings),
	        cmocka_unit_test(writes_text),
	        cmocka_unit_test(reads_with_defaults),
	        cmocka_unit_test(scrubs),
	        cmocka_unit_test(knows_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
