/* Histories: which numbers, which changes, and that neither depends on the order in which
 * the numbers came. */
#include "server/history.h"
#include "server/test/history_bed.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEPS "SELECT class || ' ' || position FROM history_change ORDER BY position"

struct bed {
	char dir[64];
	struct db_store *s;
	int64_t track;
};

static int setup(void **state)
{
	struct bed *b = xcalloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "/tmp/foldwatch-history.XXXXXX");
	if (!mkdtemp(b->dir))
		return -1;
	b->s = bed_open(b->dir);
	b->track = bed_track(b->s, "master");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	db_close(b->s);
	dir_remove(b->dir, NULL);
	free(b);
	return 0;
}

static struct bed_point det(const struct bed *b, int64_t position, int64_t against, double base,
                            double value)
{
	double change = value / base - 1;

	return (struct bed_point){.track = b->track,
	                          .position = position,
	                          .against = against,
	                          .board = "det",
	                          .value = value,
	                          .base = base,
	                          .tau = .001,
	                          .verdict = change >= .001    ? "slower"
	                                     : change <= -.001 ? "faster"
	                                                       : "same"};
}

static struct bed_point hw(const struct bed *b, int64_t position, double base, double value)
{
	struct bed_point x = det(b, position, position > 1 ? position - 1 : 0, base, value);

	x.board = "hw";
	x.tau = .01;
	x.verdict = "same";
	return x;
}

static void expect_rows(struct bed *b, const char *query, const char *want)
{
	char *got = bed_rows(b->s, query);

	assert_string_equal(got ? got : "", want);
	free(got);
}

/* Noise that repeats: about +-0.2 %. */
static double noise(int64_t i)
{
	uint64_t x = (uint64_t)i * 6364136223846793005u + 1442695040888963407u;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 32;
	return ((double)(x % 10000) / 10000 - .5) * .004;
}

static void every_step_is_a_change(void **state)
{
	struct bed *b = *state;
	struct bed_point x = det(b, 2, 1, 1000, 1000);

	bed_point(b->s, &x);
	x = det(b, 3, 2, 1000, 1020);
	bed_point(b->s, &x);
	x = det(b, 4, 3, 1020, 1020.5);
	bed_point(b->s, &x);
	x = det(b, 12, 4, 1020.5, 990);
	bed_point(b->s, &x);
	/* Position 1 has no submission and no point: only what the track has counts. */
	expect_rows(b, "SELECT CAST(position AS TEXT) FROM history_point ORDER BY position",
	            "2\n3\n4\n12\n");
	expect_rows(b, STEPS, "step 3\nstep 12\n");
	expect_rows(b,
	            "SELECT before || ' ' || after || ' ' || round(change, 4) || ' '"
	            " || round(low, 4) || ' ' || coalesce(score, '-') FROM history_change"
	            " WHERE position = 3",
	            "1000.0 1020.0 0.02 0.0195 -\n");
	expect_rows(b, "SELECT points || ' ' || class FROM history", "4 steady\n");
}

static void a_step_that_goes_back_is_a_transient(void **state)
{
	struct bed *b = *state;
	double v[] = {1000, 1000, 1050, 1050, 1000, 1000, 1030};

	for (int64_t i = 1; i < 7; i++) {
		struct bed_point x = det(b, i + 1, i, v[i - 1], v[i]);

		bed_point(b->s, &x);
	}
	expect_rows(b, STEPS, "transient 3\ntransient 5\nstep 7\n");
	/* Nor does what comes later make it anything else. */
	for (int64_t i = 7; i < 40; i++) {
		struct bed_point x = det(b, i + 1, i, 1030 + (i - 7) * 10., 1030 + (i - 6) * 10.);

		bed_point(b->s, &x);
	}
	expect_rows(b,
	            "SELECT class || ' ' || position FROM history_change WHERE class = 'transient'"
	            " ORDER BY position",
	            "transient 3\ntransient 5\n");
}

/* Point 9 is measured against point 2 first; then what lies between. */
static void a_hole_that_is_filled(void **state)
{
	struct bed *b = *state;
	struct bed_point x = det(b, 2, 1, 1000, 1000);

	bed_point(b->s, &x);
	x = det(b, 9, 2, 1000, 1020);
	bed_point(b->s, &x);
	expect_rows(b, STEPS, "step 9\n");
	x = det(b, 5, 2, 1000, 1020);
	bed_point(b->s, &x);
	expect_rows(b, STEPS, "step 5\n");
	x = det(b, 4, 2, 1000, 1000.2);
	bed_point(b->s, &x);
	expect_rows(b, STEPS, "step 5\n");
	/* No comparison has just these two: no interval. */
	expect_rows(b, "SELECT coalesce(low, '-') FROM history_change", "-\n");
}

static void the_same_binary_carries_on(void **state)
{
	struct bed *b = *state;
	struct bed_point x = det(b, 2, 1, 1000, 1000);

	x.binary = "one";
	bed_point(b->s, &x);
	x = det(b, 3, 2, 1000, NAN);
	x.binary = "one";
	x.verdict = "invalid";
	bed_point(b->s, &x);
	x = det(b, 4, 3, NAN, NAN);
	x.binary = "one";
	x.verdict = "invalid";
	bed_point(b->s, &x);
	x = det(b, 5, 4, NAN, NAN);
	x.verdict = "invalid";
	bed_point(b->s, &x);
	expect_rows(b,
	            "SELECT position || ' ' || value || ' ' || carried FROM history_point"
	            " ORDER BY position",
	            "2 1000.0 0\n3 1000.0 1\n4 1000.0 1\n");
	expect_rows(b, STEPS, "");
}

/* The point before is measured in the new environment too, and begins its history. */
static void a_new_environment_is_another_history(void **state)
{
	struct bed *b = *state;
	struct bed_point x = det(b, 2, 1, 1000, 1000);

	bed_point(b->s, &x);
	x = det(b, 3, 2, 1500, 1530);
	x.env = "e2";
	bed_point(b->s, &x);
	expect_rows(b,
	            "SELECT h.env_id || ' ' || p.position || ' ' || p.value FROM history h"
	            " JOIN history_point p ON p.history_id = h.id ORDER BY h.env_id, p.position",
	            "e1 2 1000.0\ne2 2 1500.0\ne2 3 1530.0\n");
	expect_rows(b, STEPS, "step 3\n");
}

static void noise_has_no_changes_and_a_step_has_one(void **state)
{
	struct bed *b = *state;
	double last = 1000, v;

	for (int64_t i = 1; i <= 60; i++) {
		struct bed_point x;

		v = 1000 * (1 + noise(i)) * (i >= 40 ? 1.03 : 1);
		x = hw(b, i, i == 1 ? NAN : last, v);
		bed_point(b->s, &x);
		last = v;
		if (i == 39)
			expect_rows(b, STEPS, "");
		if (i == 39)
			expect_rows(b, "SELECT title FROM alert", "");
		/* Told at its first point. */
		if (i == 40)
			expect_rows(b, "SELECT kernel || ' ' || submission_id FROM alert",
			            "p40 10000040\n");
	}
	expect_rows(b, "SELECT class || ' ' || position FROM history_change WHERE class = 'step'",
	            "step 40\n");
	expect_rows(b, "SELECT kernel || ' ' || state FROM alert", "p40 new\n");
	expect_rows(
	        b,
	        "SELECT (change > 0.025 AND low > 0.02 AND high < 0.04) || ' ' || (score < .001)"
	        " FROM history_change WHERE class = 'step'",
	        "1 1\n");
	expect_rows(b, "SELECT class FROM history", "step\n");
}

/* What is better is found, and not told. */
static void an_improvement_is_no_alert(void **state)
{
	struct bed *b = *state;
	double last = 1000, v;

	for (int64_t i = 1; i <= 40; i++) {
		struct bed_point x;

		v = 1000 * (1 + noise(i)) * (i >= 25 ? .95 : 1);
		x = hw(b, i, i == 1 ? NAN : last, v);
		bed_point(b->s, &x);
		last = v;
	}
	expect_rows(b, "SELECT class || ' ' || position FROM history_change WHERE class = 'step'",
	            "step 25\n");
	expect_rows(b, "SELECT title FROM alert", "");
}

/* Less than a point shows by itself: it is told when the step is found. */
static void a_small_step_is_told_late(void **state)
{
	struct bed *b = *state;
	double last = 1000, v;

	for (int64_t i = 1; i <= 70; i++) {
		struct bed_point x;

		v = 1000 * (1 + 2.5 * noise(i)) * (i >= 40 ? 1.011 : 1);
		x = hw(b, i, i == 1 ? NAN : last, v);
		bed_point(b->s, &x);
		last = v;
	}
	expect_rows(b, "SELECT CAST(count(*) AS TEXT) FROM alert", "1\n");
	expect_rows(b, "SELECT CAST(count(*) AS TEXT) FROM history_change WHERE class = 'step'",
	            "1\n");
}

#define MANY 1000

static void fill(struct bed *b, struct bed_point *x)
{
	double last = 1000, v;

	for (int64_t i = 0; i < MANY; i++) {
		double level = 1;

		if (i >= 90)
			level = 1.04;
		if (i >= 395)
			level = 1.02;
		if (i >= 402)
			level = 1.05;
		if (i >= 600 && i < 604)
			level = 1.2;
		if (i >= 850)
			level = .99;
		v = 1000 * (1 + noise(i)) * level;
		x[i] = hw(b, i + 1, i ? last : NAN, v);
		if (i % 97 == 5)
			x[i].value *= 1.08; /* outliers */
		last = v;
	}
}

/* The same rows, whether points come in order, or holes are filled later, or all at a
 * rebuild. */
static void the_order_does_not_matter(void **state)
{
	struct bed *b = *state;
	struct bed_point *x = xcalloc(MANY, sizeof(*x));
	char *in_order, *other;
	struct bed late;
	void *second = NULL;

	fill(b, x);
	bed_points(b->s, x, MANY);
	for (int64_t i = 0; i < MANY; i++)
		bed_derive(b->s, b->track, i + 1, false);
	in_order = bed_histories(b->s);
	assert_non_null(strstr(in_order, "hw e1 91 step"));
	assert_non_null(strstr(in_order, "hw e1 851 step"));
	assert_non_null(strstr(in_order, "transient"));
	assert_non_null(strstr(in_order, "outlier"));

	assert_int_equal(setup(&second), 0);
	late = *(struct bed *)second;
	/* Some and a stretch of them are holes at first; a point that comes later
	 * brings the one before it along only where it has a submission of its own. */
	for (int64_t i = 0; i < MANY; i++)
		if (i % 41 && (i < 300 || i > 312))
			bed_points(late.s, &x[i], 1);
	for (int64_t i = 0; i < MANY; i++)
		if (i % 41 && (i < 300 || i > 312))
			bed_derive(late.s, late.track, i + 1, false);
	for (int64_t i = MANY - 1; i >= 0; i--)
		if (!(i % 41 && (i < 300 || i > 312))) {
			bed_points(late.s, &x[i], 1);
			bed_derive(late.s, late.track, i + 1, false);
		}
	other = bed_histories(late.s);
	assert_string_equal(other, in_order);
	free(other);
	teardown(&second);

	/* And again is nothing new. */
	for (int64_t i = 500; i < 520; i++)
		bed_derive(b->s, b->track, i, false);
	other = bed_histories(b->s);
	assert_string_equal(other, in_order);
	free(other);
	free(in_order);
	free(x);
}

/* The same of a board whose changes are known, in two orders that no branch would have. */
static void nor_on_a_deterministic_board(void **state)
{
	struct bed *b = *state;
	struct bed_point x[90];
	char *in_order, *other;
	void *second = NULL;
	struct bed *late;
	double last = 1000;

	for (int64_t i = 0; i < 90; i++) {
		double v = i % 11 == 3 ? last * 1.02 : i % 11 == 6 ? last / 1.02 : last * 1.0003;

		x[i] = det(b, i + 2, i + 1, last, v);
		last = v;
	}
	bed_points(b->s, x, 90);
	for (int64_t i = 0; i < 90; i++)
		bed_derive(b->s, b->track, i + 2, true);
	in_order = bed_histories(b->s);
	assert_non_null(strstr(in_order, "transient"));
	assert_int_equal(setup(&second), 0);
	late = second;
	for (int64_t i = 0; i < 90; i++) {
		bed_points(late->s, &x[i * 37 % 90], 1);
		bed_derive(late->s, late->track, i * 37 % 90 + 2, true);
	}
	other = bed_histories(late->s);
	assert_string_equal(other, in_order);
	free(other);
	free(in_order);
	teardown(&second);
}

static enum err void_one(struct db *db, void *arg, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE cell SET mean = NULL, verdict = 'invalid'"
	                                   " WHERE kernel = 'p3'");

	(void)arg;
	return db_run(q, w);
}

static void a_point_whose_boots_are_voided_goes(void **state)
{
	struct bed *b = *state;
	struct bed_point x = det(b, 2, 1, 1000, 1000);
	struct why w;

	bed_point(b->s, &x);
	x = det(b, 3, 2, 1000, 1020);
	bed_point(b->s, &x);
	x = det(b, 4, 3, 1020, 1020);
	bed_point(b->s, &x);
	expect_rows(b, STEPS, "step 3\n");
	assert_int_equal(db_write(b->s, void_one, NULL, &w), OK);
	bed_derive(b->s, b->track, 3, true);
	expect_rows(b,
	            "SELECT position || ' ' || coalesce(against, '-') FROM history_point"
	            " ORDER BY position",
	            "2 -\n4 3\n");
	expect_rows(b, STEPS, "step 4\n");
	expect_rows(b, "SELECT CAST(points AS TEXT) FROM history", "2\n");
}

#define with(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        with(every_step_is_a_change),
	        with(a_step_that_goes_back_is_a_transient),
	        with(a_hole_that_is_filled),
	        with(the_same_binary_carries_on),
	        with(a_new_environment_is_another_history),
	        with(noise_has_no_changes_and_a_step_has_one),
	        with(an_improvement_is_no_alert),
	        with(a_small_step_is_told_late),
	        with(the_order_does_not_matter),
	        with(nor_on_a_deterministic_board),
	        with(a_point_whose_boots_are_voided_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
