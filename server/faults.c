#include "server/faults.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/place.h"
#include "lib/proc.h"
#include "lib/zst.h"
#include "server/alerts.h"
#include "server/notify.h"
#include "server/store_artifact.h"
#include "server/store_fault.h"
#include "server/store_kernel.h"

#include <stdlib.h>
#include <string.h>

#define CONSOLE_MAX (64u << 20)
#define ASK_MAX     (56u << 10) /* what a process can be given (proc.h) */
#define ANSWER_MAX  (4u << 20)
#define DECODE_S    120

/* One boot on its way to its places. */
struct deriving {
	struct server *srv;
	struct pool *pool;
	struct boot boot;
	struct scan *scan; /* NULL: no console could be read */
	struct fault *fault;
	struct place_ask *ask;
	struct decoded *decoded;
	bool *answered;
	const char *why; /* why nothing was decoded */
	struct fault_rows rows;
};

static void read_console(struct deriving *d)
{
	char *path;
	struct buf packed, plain;
	struct why w;

	if (!d->boot.console)
		return;
	path = artifact_path(d->srv->conf.dir, d->boot.console);
	buf_init(&packed, CONSOLE_MAX);
	buf_init(&plain, CONSOLE_MAX);
	if (file_read(path, &packed, &w) == OK &&
	    zst_unpack(packed.data, packed.len, &plain, &w) == OK) {
		d->scan = scan_new(0);
		scan_feed(d->scan, plain.data, plain.len);
		scan_end(d->scan);
	}
	buf_release(&packed);
	buf_release(&plain);
	free(path);
}

/* What the agent reported is the fact; its report is found again in the console. */
static void find_reports(struct deriving *d)
{
	for (size_t i = 0; i < d->boot.faults; i++) {
		const struct boot_fault *b = &d->boot.fault[i];
		struct fault *f = &d->fault[i];

		*f = (struct fault){.line = (size_t)b->line,
		                    .kind = b->kind,
		                    .function = pool_str(d->pool, b->function),
		                    .text = pool_str(d->pool, b->text),
		                    .fatal = b->fatal};
		for (size_t k = 0; d->scan && k < scan_count(d->scan); k++) {
			const struct fault *s = scan_fault(d->scan, k);

			if (s->line != f->line || !str_eq(s->kind, f->kind))
				continue;
			f->trace = s->trace;
			f->paged = s->paged;
			if (!f->function)
				f->function = s->function;
			break;
		}
		place_ask(f, &d->ask[i]);
	}
}

/* ---- asking the vmlinux */

/* "unit\tfile\tline\tobject\twhy" */
static void read_answer(char *line, struct decoded *out)
{
	char *field[5] = {0}, *save = line;

	for (size_t i = 0; i < ARRAY_SIZE(field) && save; i++)
		field[i] = strsep(&save, "\t");
	if (!field[4])
		return;
	*out = (struct decoded){.unit = *field[0] ? xstrdup(field[0]) : NULL,
	                        .file = *field[1] ? xstrdup(field[1]) : NULL,
	                        .line = (unsigned int)strtoul(field[2], NULL, 10),
	                        .object = *field[3] ? xstrdup(field[3]) : NULL,
	                        .why = *field[4] ? xstrdup(field[4]) : NULL};
}

static void ask_vmlinux(struct deriving *d, const char *vmlinux)
{
	char *path = artifact_path(d->srv->conf.dir, vmlinux), *save = NULL, *line;
	const char *const argv[] = {"/proc/self/exe", "decode", path, NULL};
	struct proc_spec spec = {.argv = argv, .timeout_ns = DECODE_S * NS_PER_S, .out_only = true};
	size_t *asked = pool_alloc(d->pool, d->boot.faults * sizeof(*asked)), n = 0, i;
	struct buf ask, answer;
	struct why w;

	buf_init(&ask, ASK_MAX);
	buf_init(&answer, ANSWER_MAX);
	for (i = 0; i < d->boot.faults; i++) {
		const struct decode_ask *a = &d->ask[i].frame;

		if (a->name && !d->ask[i].module &&
		    buf_addf(&ask, "%s %llu %llu %d\n", a->name, (unsigned long long)a->offset,
		             (unsigned long long)a->size, a->exact))
			asked[n++] = i;
	}
	spec.input = ask.data;
	if (n && proc_run(&spec, &answer, &w) != OK)
		d->why = "its kernel's vmlinux could not be read";
	for (i = 0, line = n && !d->why ? strtok_r(answer.data, "\n", &save) : NULL; line && i < n;
	     i++, line = strtok_r(NULL, "\n", &save)) {
		read_answer(line, &d->decoded[asked[i]]);
		d->answered[asked[i]] = true;
	}
	buf_release(&ask);
	buf_release(&answer);
	free(path);
}

static enum err decode_all(struct deriving *d, struct why *w)
{
	struct kernel k = {0};
	enum err e = store_kernel_get(db_reader(d->srv->store), d->boot.kernel, d->pool, &k, w);

	if (e == OK && !k.vmlinux)
		d->why = "its kernel has no stored vmlinux";
	else if (e == OK)
		ask_vmlinux(d, k.vmlinux);
	return e;
}

/* ---- storing */

static void lay_row(struct deriving *d, size_t i)
{
	struct fault_row *r = pool_push(d->pool, (void **)&d->rows.at, &d->rows.count, sizeof(*r));
	struct place p;

	place_of(&d->fault[i], &d->ask[i], d->answered[i] ? &d->decoded[i] : NULL, d->why, &p);
	*r = (struct fault_row){.function = pool_str(d->pool, p.function),
	                        .file = pool_str(d->pool, p.file),
	                        .place = pool_str(d->pool, p.where),
	                        .signature = pool_str(d->pool, p.signature),
	                        .never = p.never,
	                        .why = pool_str(d->pool, p.why),
	                        .decoded = p.decoded};
	place_release(&p);
}

static enum err save(struct db *db, void *arg, struct why *w)
{
	const struct deriving *d = arg;
	enum err e = store_place_save(db, d->boot.id, &d->rows, w);

	/* A rebuild tells nobody anything. */
	return e == OK && d->srv->telling
	               ? alerts_placed(db, d->boot.id, &d->rows, clock_wall_ms(), w)
	               : e;
}

static enum err derive(struct server *srv, int64_t boot, struct why *w)
{
	struct deriving d = {.srv = srv, .pool = pool_new()};
	struct db *rd = db_reader(srv->store);
	enum err e = store_boot_get(rd, boot, d.pool, &d.boot, w);
	size_t i, n;

	if (e == OK)
		e = store_boot_faults(rd, d.pool, &d.boot, w);
	n = e == OK ? d.boot.faults : 0;
	d.fault = pool_alloc(d.pool, n * sizeof(*d.fault));
	d.ask = pool_alloc(d.pool, n * sizeof(*d.ask));
	d.decoded = pool_alloc(d.pool, n * sizeof(*d.decoded));
	d.answered = pool_alloc(d.pool, n * sizeof(*d.answered));
	if (e == OK) {
		read_console(&d);
		find_reports(&d);
		e = decode_all(&d, w);
	}
	for (i = 0; e == OK && i < n; i++)
		lay_row(&d, i);
	if (e == OK)
		e = db_write(srv->store, save, &d, w);
	notify_poke(srv);
	for (i = 0; i < n; i++) {
		place_ask_release(&d.ask[i]);
		decoded_release(&d.decoded[i]);
	}
	scan_free(d.scan);
	pool_free(d.pool);
	return err_at(w, e, "faults of boot %lld", (long long)boot);
}

static enum err derive_after(struct server *srv, int64_t submission, int64_t after, struct why *w)
{
	struct pool *p = pool_new();
	struct ids boots = {0};
	size_t i;
	enum err e = store_place_missing(db_reader(srv->store), submission, after, p, &boots, w);

	for (i = 0; e == OK && i < boots.count; i++)
		e = derive(srv, boots.at[i], w);
	pool_free(p);
	return e;
}

enum err faults_derive(struct server *srv, int64_t submission, struct why *w)
{
	return derive_after(srv, submission, 0, w);
}

enum err faults_derive_new(struct server *srv, int64_t *after, struct why *w)
{
	int64_t newest;
	enum err e = store_place_newest(db_reader(srv->store), &newest, w);

	if (e != OK || newest == *after)
		return e;
	e = derive_after(srv, NONE, *after, w);
	if (e == OK)
		*after = newest;
	return e;
}
