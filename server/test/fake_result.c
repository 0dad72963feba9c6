/* fake_result.c - what foldbench would have printed, by fake_agent.h's model. */
#include "server/test/fake_agent.h"

#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *fake_end(const char *lines, int64_t runs)
{
	size_t len = strlen(lines);

	return xasprintf("%s{\"type\":\"end\",\"runs\":%lld,\"taint\":0,\"bytes\":%zu,"
	                 "\"crc32\":\"%08x\"}\n",
	                 lines, (long long)runs, len, crc32_add(0, lines, len));
}

/* A number for a case that differs by kernel and phase, and repeats. */
static int64_t model(const struct fake *f, const char *name, const char *text, int64_t phase,
                     int64_t i)
{
	int64_t base = 1000000 + 1000 * phase;
	const char *c;

	for (c = text; *c; c++)
		base += 17 * *c;
	if (strstr(name, "slow") || str_eq(f->slow_kernel, name))
		base += base / 50;
	if (f->effect && (!f->effect_case || str_eq(f->effect_case, text)))
		base += (int64_t)((double)base * f->effect(name));
	if (f->effect_on)
		base += (int64_t)((double)base * f->effect_on(name, text));
	return base + (i == 0 ? 5000 : i % 3);
}

/* Sum of twelve even numbers: near enough normal. A kernel's boot of one number is
 * always the same, so that tests end alike. */
static double boot_noise(const struct fake *f, const json_t *spec)
{
	char hex[65];
	char *text = xasprintf("%lld %lld", (long long)json_int(spec, "kernel", 0),
	                       (long long)json_int(spec, "phase", 0));
	double sum = -6;

	hash_block(text, strlen(text), hex);
	free(text);
	for (int i = 0; i < 12; i++)
		sum += (double)strtol((char[]){hex[4 * i], hex[4 * i + 1], hex[4 * i + 2],
		                               hex[4 * i + 3], 0},
		                      NULL, 16) /
		       65535;
	return 1e6 * f->noise * sum;
}

char *fake_result(const struct fake *f, const json_t *spec, int64_t change)
{
	const char *plan = json_str(spec, "plan", "");
	char *copy = xstrdup(plan), *save = NULL, *line, *text, *out;
	const char *metric = json_str(spec, "metric", "");
	const json_t *ids = json_object_get(spec, "build_ids");
	const char *files = json_is_true(json_object_get(spec, "files")) ? f->files : NULL;
	int64_t runs = 0;
	struct buf b;

	if (f->noise > 0 && strcmp(metric, "ns") == 0)
		change += (int64_t)boot_noise(f, spec);
	buf_init(&b, 16 << 20);
	buf_addf(
	        &b,
	        "{\"type\":\"begin\",\"format\":1,\"nonce\":\"%s\",\"bench\":\"beef\",\"build_id\":"
	        "\"%s\",\"boot_id\":\"x\",\"release\":\"6.12.1\",\"version\":\"#1\",\"machine\":"
	        "\"aarch64\",\"metric\":\"%s\",\"page_size\":4096,\"block_size\":65536,"
	        "\"phase_pages\":%lld,\"taint\":0,\"cmdline\":\"foldwatch.nonce=%s foldwatch.phase="
	        "%04lld\",\"env\":{\"cpus\":1%s%s}}\n",
	        json_str(spec, "nonce", ""),
	        json_string_value(json_array_get(ids, json_array_size(ids) - 1)), metric,
	        (long long)json_int(spec, "phase_pages", 0), json_str(spec, "nonce", ""),
	        (long long)json_int(spec, "phase_pages", 0), files ? ",\"files\":" : "",
	        files ? files : "");
	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[128];
		int r, of, n, warm, i;

		if (line[0] == '#')
			continue;
		assert_int_equal(
		        sscanf(line, "%127s runs=%d iterations=%d warmup=%d", name, &of, &n, &warm),
		        4);
		for (r = 0; r < of; r++, runs++) {
			bool summed =
			        f->windows && str_eq(f->windows_kernel, json_str(spec, "name", ""));
			int windows = summed ? f->windows : 1;

			if (f->skip_order9 && strstr(name, "order=9")) {
				buf_addf(&b,
				         "{\"type\":\"run\",\"case\":\"%s\",\"run\":%d,\"state\":"
				         "\"skip\",\"why\":\"no such order here\"}\n",
				         name, r);
				continue;
			}
			buf_addf(&b,
			         "{\"type\":\"run\",\"case\":\"%s\",\"run\":%d,\"state\":\"valid\","
			         "\"metric\":\"%s\",\"unit\":\"%s\",\"better\":\"less\",\"warmup\":"
			         "%d,"
			         "\"batch\":1,",
			         name, r, metric, metric, warm);
			if (summed)
				buf_addf(&b, "\"windows\":%d,", windows);
			buf_adds(&b, "\"empty_window\":41,\"samples\":[");
			for (i = 0; i < warm + n; i++)
				buf_addf(&b, "%s%lld", i ? "," : "",
				         (long long)(windows *
				                     (model(f, json_str(spec, "name", ""), name,
				                            json_int(spec, "phase", 0), i) +
				                      change)));
			buf_adds(&b, "],\"evidence\":{\"folio_order\":0");
			if (f->covariates && strcmp(metric, "ns") == 0)
				buf_addf(&b, ",\"covariates\":%s",
				         strstr(json_str(spec, "name", ""), "slow")
				                 ? f->covariates_slow
				                 : f->covariates);
			buf_adds(&b, "}}\n");
		}
	}
	free(copy);
	text = buf_take(&b, NULL);
	out = fake_end(text, runs);
	free(text);
	return out;
}
