/* answer.c - a boot is claimed, and answered as an agent would; what is got over a wire. */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/scan.h"
#include "lib/zst.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_random(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return *s >> 33;
}

/* What foldbench writes (docs/foldbench-format.md), as long as it writes it. */
static char *result_text(const json_t *spec)
{
	const char *nonce = json_str(spec, "nonce", ""), *metric = json_str(spec, "metric", "");
	const char *id = json_string_value(json_array_get(json_object_get(spec, "build_ids"), 0));
	char *plan = xstrdup(json_str(spec, "plan", "")), *save = NULL, *line;
	uint64_t seed = (uint64_t)clock_mono_ns();
	uint64_t times = str_starts(json_str(spec, "name", ""), "slow") ? 2 : 1;
	int64_t runs = 0;
	struct buf b;
	size_t len;

	buf_init(&b, 16 << 20);
	buf_addf(
	        &b,
	        "{\"type\":\"begin\",\"format\":1,\"nonce\":\"%s\",\"bench\":\"beef\",\"build_id\""
	        ":\"%s\",\"boot_id\":\"3f2b\",\"release\":\"6.12.0-bench\",\"version\":\"#1 SMP\","
	        "\"machine\":\"aarch64\",\"metric\":\"%s\",\"page_size\":4096,\"block_size\":65536,"
	        "\"phase_pages\":0,\"taint\":0,\"cmdline\":\"console=ttyAMA0 nokaslr norandmaps "
	        "foldwatch.nonce=%s foldwatch.phase=0000\",\"env\":{\"midr\":\"0x413fd0c1\","
	        "\"cpus\":1,\"memory_bytes\":2415919104,\"timer_hz\":62500000}}\n",
	        nonce, id, metric, nonce);
	for (line = strtok_r(plan, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint64_t base = times * (900000 + next_random(&seed) % 200000);

		if (line[0] == '#')
			continue;
		line[strcspn(line, " ")] = '\0';
		buf_addf(&b,
		         "{\"type\":\"run\",\"case\":\"%s\",\"run\":0,\"state\":\"valid\","
		         "\"metric\":\"%s\",\"unit\":\"%s\",\"better\":\"less\",\"warmup\":1,"
		         "\"batch\":1,\"empty_window\":41,\"samples\":[",
		         line, metric, metric);
		for (int i = 0; i < SAMPLES; i++)
			buf_addf(&b, "%s%llu", i ? "," : "",
			         (unsigned long long)(base + next_random(&seed) % 20000));
		buf_adds(&b, "],\"evidence\":{\"proof\":\"pagemap\",\"folio_order\":0,"
		             "\"pfn_contiguous\":true,\"folios\":65536,\"vmas\":1,"
		             "\"anon_huge_kb\":0,\"same_after\":true,\"thp_split_page\":0,"
		             "\"thp_split_pmd\":0,\"switches\":0}}\n");
		runs++;
	}
	len = b.len;
	buf_addf(&b,
	         "{\"type\":\"end\",\"runs\":%lld,\"taint\":0,\"bytes\":%zu,\"crc32\":\"%08x\"}\n",
	         (long long)runs, len, crc32_add(0, b.data, len));
	free(plan);
	return buf_take(&b, NULL);
}

/* A log with a WARN in a function, as an agent hands it in: stored, and what was seen in it. */
static void put_fault(struct client *c, json_t *boot, const char *function)
{
	struct scan *scan = scan_new(0);
	const struct fault *f;
	struct buf log, packed;
	struct why w;
	char hex[65];

	buf_init(&log, 1 << 20);
	buf_init(&packed, 1 << 20);
	for (int i = 0; i < 400; i++)
		buf_addf(&log, "[    0.%06d] a driver, number %d, says what it found\n", i * 997,
		         i);
	buf_addf(&log,
	         "[    0.900000] ------------[ cut here ]------------\n"
	         "[    0.900001] WARNING: CPU: 0 PID: 1 at drivers/foo.c:9 %s+0x4/0x60\n"
	         "[    0.900002] Modules linked in:\n"
	         "[    0.900003] Call trace:\n"
	         "[    0.900004]  %s+0x4/0x60\n"
	         "[    0.900005]  do_one_initcall+0x50/0x300\n"
	         "[    0.900006] ---[ end trace 0000000000000000 ]---\n",
	         function, function);
	scan_feed(scan, log.data, log.len);
	scan_end(scan);
	if (scan_count(scan) != 1)
		die("the log of %s has %zu faults", function, scan_count(scan));
	f = scan_fault(scan, 0);
	json_put(boot, "faults",
	         json_pack("[{s:I, s:s, s:s?, s:s, s:b}]", "line", (json_int_t)f->line, "kind",
	                   f->kind, "function", f->function, "text", f->text, "fatal", f->fatal));
	json_put_bool(boot, "valid", false);
	json_put_str(boot, "why", f->text);
	if (zst_pack(log.data, log.len, 3, &packed, &w) != OK)
		die("%s", w.text);
	world_artifact(c, packed.data, packed.len, hex);
	json_put_str(boot, "console", hex);
	json_put_int(boot, "console_bytes", (int64_t)log.len);
	scan_free(scan);
	buf_release(&packed);
	buf_release(&log);
}

static void write_answer(struct client *c, const json_t *lease, struct answer *out)
{
	const json_t *spec = json_object_get(lease, "spec");
	json_t *body = json_object(), *boot = json_object();
	const char *kernel = json_str(spec, "name", "");
	char *result = result_text(spec);

	out->job = json_int(lease, "id", -1);
	snprintf(out->key, sizeof(out->key), "job-%lld-attempt-%lld", (long long)out->job,
	         (long long)json_int(lease, "attempt", 0));
	json_put_bool(boot, "valid", true);
	json_put_str(boot, "reached", "measured");
	json_put_str(boot, "nonce", json_str(spec, "nonce", ""));
	json_put_str(boot, "boot_id", "3f2b");
	json_put_real(boot, "seconds", 31.5);
	json_put(boot, "faults", json_array());
	json_put(boot, "env",
	         json_pack("{s:s, s:[s,s,s,s]}", "qemu", "QEMU emulator version 7.2", "argv", "-M",
	                   "virt-7.2", "-cpu", "neoverse-n1"));
	json_put_str(boot, "result", result);
	if (str_starts(kernel, "warn"))
		put_fault(c, boot, kernel);
	json_put_int(body, "attempt", json_int(lease, "attempt", 0));
	json_put_str(body, "state", "done");
	json_put(body, "boot", boot);
	out->body = json_text(body);
	out->len = strlen(out->body);
	json_decref(body);
	free(result);
}

bool claim(struct client *c, size_t board, struct answer *out)
{
	json_t *body = json_pack("{s:o, s:[s], s:[o]}", "agent", json_sprintf("l%02zu", board),
	                         "kinds", "boot", "boards", json_sprintf("b%02zu", board));
	struct reply r;
	struct why w;
	bool got;

	if (client_json(c, "POST", "/api/v1/jobs/claim", body, NULL, &r, &w) != OK)
		die("claim: %s", w.text);
	got = r.status == 200;
	if (got)
		write_answer(c, r.json, out);
	reply_release(&r);
	json_decref(body);
	return got;
}

void post(struct client *c, const struct answer *a)
{
	char path[64];
	struct reply r;
	struct why w;

	snprintf(path, sizeof(path), "/api/v1/jobs/%lld/result", (long long)a->job);
	if (client_bytes(c, "POST", path, "application/json", a->body, a->len, NULL, a->key, &r,
	                 &w) != OK)
		die("result of job %lld: %s", (long long)a->job, w.text);
	if (!str_eq(json_str(r.json, "state", ""), "done"))
		die("job %lld is not done after its result", (long long)a->job);
	reply_release(&r);
}

void answer_release(struct answer *a)
{
	free(a->body);
	*a = (struct answer){0};
}
