#include "cli/stat_boots.h"

#include "lib/mem.h"
#include "lib/stat/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What is being read. */
struct reading {
	const char *place;
	struct why *w;
	size_t runs, iterations; /* the fewest of any boot and run */
	double *run;             /* medians of all runs so far */
	size_t run_count;
};

static enum err wrong(const struct reading *r, size_t boot, size_t run, size_t iteration,
                      const char *expected)
{
	char at[96] = "";
	int n = 0;

	if (boot != SIZE_MAX)
		n = snprintf(at, sizeof(at), "[%zu]", boot);
	if (run != SIZE_MAX)
		n += snprintf(at + n, sizeof(at) - (size_t)n, "[%zu]", run);
	if (iteration != SIZE_MAX)
		snprintf(at + n, sizeof(at) - (size_t)n, "[%zu]", iteration);
	return err_set(r->w, ERR_INPUT, "%s%s: expected %s", r->place, at, expected);
}

/* A run's iterations as numbers, or NULL after an error. */
static double *read_run(struct reading *r, const json_t *value, size_t boot, size_t run)
{
	size_t n = json_array_size(value);
	double *x;

	if (!json_is_array(value) || !n) {
		wrong(r, boot, run, SIZE_MAX, "an array of the run's iterations, at least one");
		return NULL;
	}
	x = xcalloc(n, sizeof(*x));
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(value, i);

		if (!json_is_number(v)) {
			wrong(r, boot, run, i, "a number");
			free(x);
			return NULL;
		}
		x[i] = json_number_value(v);
	}
	if (n < r->iterations)
		r->iterations = n;
	return x;
}

static enum err read_boot(struct reading *r, const json_t *value, size_t boot,
                          struct stat_boots *out)
{
	size_t n = json_array_size(value);
	double *mean;

	if (!json_is_array(value) || !n)
		return wrong(r, boot, SIZE_MAX, SIZE_MAX,
		             "an array of the boot's runs, at least one");
	mean = xcalloc(n, sizeof(*mean));
	r->run = xreallocarray(r->run, r->run_count + n, sizeof(*r->run));
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(value, i);
		double *x = read_run(r, one, boot, i);

		if (!x) {
			free(mean);
			return ERR_INPUT;
		}
		r->run[r->run_count + i] = stat_median(x, json_array_size(one));
		mean[i] = stat_mean(x, json_array_size(one));
		free(x);
	}
	out->median[boot] = stat_boot_number(r->run + r->run_count, n);
	out->mean[boot] = stat_boot_number(mean, n);
	free(mean);
	r->run_count += n;
	if (n < r->runs)
		r->runs = n;
	return OK;
}

/* The part that every boot and run has: the variances want a balanced design. */
static void levels(const json_t *value, const struct reading *r, struct stat_boots *out)
{
	struct stat_design d = {out->boots, r->runs, r->iterations, NULL};
	double *x;

	if (!out->boots)
		d.runs = d.iterations = 0;
	x = xcalloc(d.boots * d.runs * d.iterations + 1, sizeof(*x));
	for (size_t b = 0; b < d.boots; b++)
		for (size_t k = 0; k < d.runs; k++)
			for (size_t i = 0; i < d.iterations; i++)
				x[(b * d.runs + k) * d.iterations + i] =
				        json_number_value(json_array_get(
				                json_array_get(json_array_get(value, b), k), i));
	d.sample = x;
	stat_levels(&d, &out->levels);
	free(x);
}

enum err stat_boots_read(const json_t *value, const char *place, struct stat_boots *out,
                         struct why *w)
{
	struct reading r = {place, w, SIZE_MAX, SIZE_MAX, NULL, 0};
	enum err e = OK;

	*out = (struct stat_boots){.std_rel = NAN};
	if (!json_is_array(value))
		return wrong(&r, SIZE_MAX, SIZE_MAX, SIZE_MAX, "an array of boots");
	out->boots = json_array_size(value);
	out->median = xcalloc(out->boots + 1, sizeof(*out->median));
	out->mean = xcalloc(out->boots + 1, sizeof(*out->mean));
	for (size_t i = 0; e == OK && i < out->boots; i++)
		e = read_boot(&r, json_array_get(value, i), i, out);
	if (e == OK) {
		out->std_rel = stat_std_rel(r.run, r.run_count);
		levels(value, &r, out);
	}
	free(r.run);
	return e;
}

void stat_boots_release(struct stat_boots *b)
{
	free(b->median);
	free(b->mean);
	*b = (struct stat_boots){0};
}
