/* lib/report: properties that hold for any names and numbers; one fixed seed. */
#include "lib/mem.h"
#include "lib/report/report.h"
#include "lib/test/report_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	/* xorshift64*: the same sequence everywhere */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * UINT64_C(2685821657736338717) >> 33) % below;
}

static char *any_text(size_t max)
{
	static const char *const parts[] = {
	        "a",
	        "Z9",
	        "-",
	        "--- ",
	        "|",
	        "||",
	        "\n",
	        "\r",
	        "\t",
	        " ",
	        "    ",
	        "\xc3\xa9",
	        "\xe2\x82\xac",
	        "\xf0\x9f\x90\xa7",
	        "\xff",
	        "\xc3",
	        "\x01",
	        "\x7f",
	        "From ",
	        "`````",
	        "=cmd()",
	        "\"",
	        "~",
	        "%s%n",
	        "contpte-v5-with-a-rather-long-name",
	        ",",
	        "/",
	        "order=",
	        "&lt;",
	};
	size_t n = draw(max);
	char *s = xstrdup("");

	for (size_t i = 0; i < n; i++) {
		char *longer = xasprintf("%s%s", s, parts[draw(ARRAY_SIZE(parts))]);

		free(s);
		s = longer;
	}
	return s;
}

static double any_number(void)
{
	static const double odd[] = {0,     -0.0, NAN, 1e-12,  -1e-12,   .0005,     -.0005,  19.487,
	                             1e300, -1,   1e9, -.9999, INFINITY, -INFINITY, 4.9e-324};

	if (draw(2))
		return odd[draw(ARRAY_SIZE(odd))];
	return ((double)draw(2000000) - 1000000) / 1e6;
}

static struct cmp *any_comparison(void)
{
	struct cmp *c = cmp_new();
	size_t kernels = 1 + draw(5), boards = 1 + draw(4), cases = 1 + draw(6);

	for (size_t i = 0; i < kernels; i++) {
		char *name = any_text(8);
		size_t k = cmp_add_kernel(c, name);

		free(name);
		if (!c->kernel[k].subject) {
			c->kernel[k].subject = any_text(30);
			c->kernel[k].commit = any_text(5);
			c->kernel[k].config = any_text(5);
			c->kernel[k].compiler = any_text(20);
		}
	}
	c->baseline = draw(c->kernels);
	for (size_t i = 0; i < boards; i++) {
		char *name = any_text(8);
		size_t b = cmp_add_board(c, name);

		free(name);
		c->board[b].emulated = draw(2);
		c->board[b].deterministic = draw(2);
	}
	cmp_add_metric(c, "instructions");
	cmp_add_metric(c, draw(2) ? "ns" : "a metric of somebody's, with a very long name indeed");
	for (size_t i = 0; i < cases; i++) {
		char *rest = any_text(6);
		char *name = draw(3) ? xasprintf("fork/order=%d,size=1G,x=%s", (int)draw(10), rest)
		                     : xstrdup(rest);

		cmp_add_case(c, name);
		free(name);
		free(rest);
	}
	for (size_t i = 0, n = draw(40); i < n; i++) {
		struct cmp_cell *x = cmp_add_cell(c, draw(c->boards), draw(c->cases),
		                                  draw(c->metrics), draw(c->kernels));

		x->change = any_number();
		x->low = any_number();
		x->high = any_number();
		x->at_most = any_number();
		x->mean_change = any_number();
		x->std_rel = fabs(any_number());
		x->level = .95;
		x->tau = .01;
		x->boots = (int64_t)draw(3) ? (int64_t)draw(9) : INT64_MAX;
		x->runs = INT64_MAX;
		x->invalid_boots = (int64_t)draw(3);
		x->skewed = draw(2);
		x->verdict = (enum verdict)draw(VERDICT_COUNT);
		x->why = draw(2) ? any_text(60) : NULL;
	}
	for (size_t i = 0, n = draw(30); i < n; i++) {
		char *why = any_text(80);

		cmp_add_thrown(c, draw(c->boards), draw(c->kernels), (int64_t)draw(1000),
		               (int64_t)draw(20) - 1, why);
		free(why);
	}
	c->plan = (struct cmp_plan){(int64_t)draw(3) - 1, (int64_t)draw(3) - 1,
	                            draw(2) ? INT64_MAX : 0, (int64_t)draw(2)};
	cmp_standard_notes(c);
	return c;
}

/* Quoted fields hold what they like; a record ends with CRLF outside of them. */
static void check_csv(const char *p)
{
	size_t fields = 1;

	while (*p) {
		if (*p == '"') {
			for (p++; *p != '"' || p[1] == '"'; p++) {
				assert_true(*p != '\0');
				p += *p == '"';
			}
			p++;
			assert_true(*p == ',' || *p == '\r');
			continue;
		}
		if (*p == ',') {
			fields++;
			assert_false(p[1] == '=' || p[1] == '@' || p[1] == '+');
		}
		if (*p == '\r') {
			assert_int_equal(p[1], '\n');
			assert_int_equal(fields, 23);
			fields = 1;
			p++;
		}
		p++;
	}
	assert_int_equal(fields, 1);
}

static void any_names_and_numbers(void **state)
{
	struct buf out;

	(void)state;
	seed = 20240202;
	buf_init(&out, 16 << 20);
	for (int round = 0; round < 400; round++) {
		struct cmp *c = any_comparison();
		struct report_opts o = {NULL};
		char *what = xasprintf("round %d", round);

		if (draw(2))
			o.address = "https://a-rather-long-host-name.example.org/with/a/path/that/"
			            "is/longer/than/any/line/may/be";
		for (int t = REPORT_ALL; t < REPORT_TABLES; t++) {
			buf_reset(&out);
			report_text(c, (enum report_table)t, &o, &out);
			report_check(&out, what);
			buf_reset(&out);
			report_markdown(c, (enum report_table)t, &o, &out);
			assert_false(out.full);
			/* every fence that opens closes, and none in between */
			assert_int_equal(report_times(out.data, "\n`````text\n"),
			                 report_times(out.data, "\n`````\n"));
		}
		buf_reset(&out);
		report_csv(c, &out);
		check_csv(out.data);
		free(what);
		cmp_free(c);
	}
	buf_release(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(any_names_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
