/*
 * step_boot.c - job `boot`: an Image and a plan become numbers, or the reason
 * why there are none.
 */
#include "agent/boot.h"

#include "agent/host.h"
#include "agent/outfile.h"
#include "agent/profiling.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/zst.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CONSOLE_MAX (64 << 20)
#define FAULTS_MAX  200 /* in the report; the whole console is kept beside it */
#define ZSTD_LEVEL  9

static json_t *faults(const struct scan *s)
{
	size_t i, n = scan_count(s);
	json_t *list = json_array();

	for (i = 0; i < n && i < FAULTS_MAX; i++) {
		const struct fault *f = scan_fault(s, i);
		json_t *o = json_object();

		json_put_int(o, "line", (int64_t)f->line);
		json_put_str(o, "kind", f->kind);
		json_put_str(o, "function", f->function);
		json_put_str(o, "text", f->text);
		json_put_bool(o, "fatal", f->fatal);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *environment(const struct boot *b)
{
	json_t *o = json_object();
	struct qemu_boot q;
	char *cmdline;

	boot_qemu(b, &q);
	cmdline = qemu_cmdline(&q);
	json_put_str(o, "kind", "qemu");
	json_put_str(o, "profile",
	             b->board->profile == PROFILE_DETERMINISTIC ? "deterministic" : "fast");
	json_put_str(o, "qemu", b->qemu.number);
	if (b->qemu.package[0])
		json_put_str(o, "qemu_package", b->qemu.package);
	json_put_str(o, "boot_method", "qemu -kernel");
	if (b->board->profile != PROFILE_DETERMINISTIC)
		json_put(o, "host", host_describe());
	json_put(o, "argv", qemu_describe(&q));
	json_put_str(o, "cmdline", cmdline);
	json_put_int(o, "memory_bytes", b->spec.memory_bytes);
	json_put_str(o, "sandbox", b->sandboxed ? "bubblewrap" : "none");
	if (b->spec.files && !b->disk)
		json_put_str(o, "no_disk", b->disk_why.text);
	json_put(o, "guest", b->result.begin ? json_incref(b->result.begin) : json_null());
	free(cmdline);
	return o;
}

/* The console as it came, compressed, as an artifact. */
static enum err keep_console(const struct boot *b, struct step_outcome *out, struct why *w)
{
	char *path = path_join(b->step->dir, "console.zst");
	struct buf raw, packed;
	enum err e;

	buf_init(&raw, CONSOLE_MAX + (1 << 20));
	buf_init(&packed, CONSOLE_MAX * 2);
	e = outfile_read(b->run_dir, "console", &raw, w);
	if (e == ERR_NOT_FOUND || (!e && !raw.len)) {
		json_put(out->body, "console", json_null());
		json_put_int(out->body, "console_bytes", 0);
		e = OK;
	} else if (!e || e == ERR_TOO_LARGE) {
		json_put_int(out->body, "console_bytes", (int64_t)raw.len);
		e = zst_pack(raw.data, raw.len, ZSTD_LEVEL, &packed, w);
		if (!e)
			e = file_write(path, packed.data, packed.len, 0644, w);
		if (!e)
			e = step_artifact_add(out, path, w);
		if (!e)
			json_put_str(out->body, "console",
			             out->artifact[out->artifacts - 1].sha256);
	}
	buf_release(&raw);
	buf_release(&packed);
	free(path);
	return e;
}

static const char *reached(const struct boot *b)
{
	if (b->result_state == RESULT_PROVED && b->console.ended)
		return "measured";
	return b->console.began ? "booted" : "armed";
}

static enum err report(struct boot *b, struct step_outcome *out, struct why *w)
{
	bool proved = b->result_state == RESULT_PROVED;
	json_t *o = json_object();

	out->body = o;
	out->fail = boot_verdict(b, &out->why);
	json_put_bool(o, "valid", out->fail == FAIL_NONE);
	json_put_str(o, "why", out->fail == FAIL_NONE ? NULL : out->why.text);
	json_put_str(o, "reached", reached(b));
	json_put_str(o, "nonce", b->spec.nonce);
	json_put_str(o, "build_id",
	             b->result.begin ? json_str(b->result.begin, "build_id", NULL) : NULL);
	json_put_str(o, "boot_id",
	             b->result.begin ? json_str(b->result.begin, "boot_id", NULL) : NULL);
	json_put_real(o, "seconds", (double)(b->ended_ns - b->started_ns) / (double)NS_PER_S);
	json_put(o, "faults", faults(b->console.scan));
	json_put_int(o, "taint_before", b->result.taint_before);
	json_put_int(o, "taint_after", b->result.taint_after);
	json_put(o, "env", environment(b));
	/* Numbers without proof of identity are never reported. */
	json_put(o, "result",
	         proved ? json_stringn(b->result_text.data, b->result_text.len) : json_null());
	return keep_console(b, out, w);
}

static enum err boot(struct boot *b, struct profiling *p, struct step_outcome *out, struct why *w)
{
	const struct step *s = b->step;
	enum err e;

	e = boot_stage(b, w);
	if (!e) {
		profiling_stage(p, b);
		b->plugin = p->words;
		b->plugin_file = p->plugin;
		b->plugin_runs = p->runs;
	}
	if (!e)
		e = s->mark(s->mark_ctx, "staged", w);
	if (!e)
		e = s->mark(s->mark_ctx, "armed", w);
	if (!e)
		e = boot_run(b, w);
	if (!e)
		e = boot_collect(b, w);
	if (!e)
		e = report(b, out, w);
	if (!e)
		e = profiling_keep(p, b, out, w);
	if (!e && out->fail == FAIL_NONE)
		e = s->mark(s->mark_ctx, "measured", w);
	return e;
}

enum err step_boot(const struct step *s, struct step_outcome *out, struct why *w)
{
	struct profiling p = {0};
	struct boot b;
	enum err e;

	e = boot_open(&b, s, w);
	if (!e)
		e = boot(&b, &p, out, w);
	if (e && b.fail != FAIL_INFRA) {
		out->fail = b.fail;
		out->why = *w;
		e = OK;
	}
	profiling_release(&p);
	boot_close(&b);
	return e;
}
