/*
 * bench.h - what the groups of `make bench` share.
 *
 * A measurement drives the programs of build/ as they are: foldwatchd on a
 * loopback port with a state directory of its own, spoken to by lib's client
 * or by a keep-alive socket, and beside it, in this process, the same work
 * done by SQLite alone. What goes wrong ends the whole (die()): a measurement
 * that is half done says nothing. Children die with this process.
 */
#ifndef FOLDWATCH_TESTS_BENCH_H
#define FOLDWATCH_TESTS_BENCH_H

#include "lib/client.h"
#include "lib/proc.h"

#include <math.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CASES       60
#define SAMPLES     100 /* of one run: 1 of the warm-up, 99 iterations */
#define CLIENTS     8
#define KERNELS_MAX 4

struct settings {
	const char *work;     /* a directory of ours that is removed at the end */
	const char *programs; /* foldwatchd, foldwatch-agent, foldbench-arm64 */
	const char *share;    /* holds kernel/ and tests/ */
	const char *image;    /* an arm64 Image that boots, or NULL */
	const char *vmlinux;  /* its symbols, or NULL */
	const char *kept;     /* where the pipeline keeps source and builds */
};
extern struct settings settings;

_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sleep_ms(int ms);

/* One line of the table and one member of bench.json. */
enum bound { NO_BOUND, RATIO_MIN, RATIO_MAX, VALUE_MAX };
struct figure {
	const char *name;
	double value;
	const char *unit;
	double ratio;        /* NAN: none */
	const char *against; /* NULL: nothing */
	enum bound kind;
	double bound;
};
void report(const struct figure *f);
/* Sorts v. */
double quantile(double *v, size_t n, double q);

/* ---- world.c: a server, those who work for it, and their load */

struct world {
	struct proc server, agent;
	char *name, *dir, *address;
	int port;
	char *submit_token, *agent_token;
	struct client *submit, *worker;
	char image[KERNELS_MAX][65];
	size_t boards;
	int64_t submissions;
};
struct world *world_start(const char *name);
void world_stop(struct world *w);
/* Somebody else who submits; put it into w->submit, or client_free() it. */
struct client *world_submitter(const struct world *w, const char *label);
/* Its server ends, and starts again on the same state, at another address. */
void world_pause(struct world *w);
void world_resume(struct world *w);
char *world_db(const struct world *w);
/* Agents l00, l01, ... with one board each: b00, b01, ... */
void world_boards(struct world *w, size_t n);
/* `kernels` prebuilt images x CASES cases x `boots` boots on boards
 * b[first] ... b[first + n - 1]. */
int64_t world_submit(struct world *w, size_t kernels, int64_t boots, size_t first, size_t n);
/* A kernel that nobody has seen on one board, `against` k0 or alone. Its name says how its
 * boots are answered: "slow..." takes twice as long in all cases, "warn..." shows a WARN in
 * a function of that name. */
int64_t world_submit_new(struct world *w, const char *name, bool against, int64_t boots,
                         size_t board);
/* Until its comparison is complete. */
void world_await(struct world *w, int64_t submission);
/* Until the server has used no processor for a while. */
void world_quiet(struct world *w);

void world_artifact(struct client *c, const void *data, size_t len, char hex[65]);

/* ---- answer.c */

/* A boot that is leased to us, with the answer as an agent writes it. */
struct answer {
	int64_t job;
	char key[64];
	char *body;
	size_t len;
};
/* False when there is nothing for that board. */
bool claim(struct client *c, size_t board, struct answer *out);
void post(struct client *c, const struct answer *a);
void answer_release(struct answer *a);
struct client *world_worker(const struct world *w);

/* ---- wire.c */

/* GET over one connection that stays; returns the length of the body, with which
 * `in` ends. */
struct wire {
	int fd;
	char *in;
};
struct wire wire_connect(const struct world *w);
size_t wire_get(struct wire *c, const char *path);
void wire_close(struct wire *c);

/* The real agent with one virtual board, connected to the world's server. */
void world_agent(struct world *w);
/* Two kernels for that board: settings.image, or one that never comes up. */
int64_t world_boot_image(struct world *w);
/* Whether the agent has or had a boot of it. */
bool world_booted(struct world *w, int64_t submission);
void world_cancel(struct world *w, int64_t submission);
/* Until the agent has nothing to do either. */
void world_rest(struct world *w);

/* ---- straight.c: the same rows through SQLite alone */

struct straight; /* a copy of a server's database, with its settings */
struct rows;     /* everything that was stored with one boot */

struct straight *straight_copy(const char *from, const char *to);
void straight_close(struct straight *s);
/* The boots after `after` in the database at `from`, oldest first. */
size_t straight_load(const char *from, int64_t after, struct rows ***out);
/* One transaction; returns when it is durable. */
void straight_insert(struct straight *s, const struct rows *r);
void rows_free(struct rows *r);
int64_t straight_newest(const char *from);
int64_t straight_samples(const char *from);

struct reading; /* a read connection as the server's */
struct reading *reading_open(const char *from);
void reading_close(struct reading *r);
/* Read what a comparison is made of, or what it was stored as; returns bytes. */
size_t reading_facts(struct reading *r, int64_t submission);
size_t reading_cells(struct reading *r, int64_t submission);
size_t reading_body(struct reading *r, int64_t submission);

/* ---- process.c */

struct usage {
	double rss_mib, peak_mib, cpu_s;
};
struct usage usage_of(pid_t pid);

/* ---- groups */

void bench_ingest(void);
void bench_turns(void);
void bench_alerts(void);
void bench_compare(void);
void bench_memory(void);
void bench_idle(void);
void bench_stat(void);
void bench_history(void);
void bench_presets(void);
void bench_seed_fork(void);
void bench_pipeline(void);
/* A server with about so many million samples of finished submissions; made
 * once, shared by the groups. */
struct world *stored(int millions);
void stored_stop(void);

#endif
