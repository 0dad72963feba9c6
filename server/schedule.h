/*
 * schedule.h - which job is next, and what follows from a job's end.
 *
 * All functions run inside a db_write() function: what an event changes is one
 * transaction with the event itself, so that a stop at any instruction leaves
 * a state from which the next event goes on.
 *
 *     submission comes        schedule_advance()      resolve jobs
 *     a job ends well         schedule_resolved(), schedule_built(), schedule_booted()
 *     a job fails             schedule_failed()       retry, confirm, quarantine, give up
 *     a lease expires         schedule_expired()
 *     a person acts           schedule_cancel(), schedule_drain(), ...
 *     an agent announces      schedule_all()          what waited for it goes on
 *
 * Order: checks on a board come before work, then whose turn it is between
 * submitters and priorities (store_share.h), then the older submission and its own
 * order: resolve, build, then boots with the kernels A B B A by phase, so that
 * drift and order cancel.
 */
#ifndef FOLDWATCH_SERVER_SCHEDULE_H
#define FOLDWATCH_SERVER_SCHEDULE_H

#include "server/store_boot.h"
#include "server/store_job.h"
#include "server/store_kernel.h"
#include "server/store_series.h"

/* Grows when the way kernels are built changes what comes out. */
#define BUILD_RECIPE 2

#define LAYOUTS_MAX       8  /* of a kernel: 0 as its tree links it, 1 to 7 relinked */
#define BOOTS_MAX         32 /* phases, or boots of a kernel on a board */
#define BOOTS_PHASES      8  /* a kernel on a deterministic board, unless the plan says */
#define GUEST_EXTRA_BYTES (INT64_C(2) << 30) /* of memory, beside the largest case */
#define INFRA_RETRIES     3
#define INFRA_STREAK      2 /* infra failures in a row that quarantine a board */
#define FAILED_BOOTS      2 /* without a valid one: a kernel's other boots there are not tried */

/* Pages that are held in a phase (docs/api.md has the table). */
int64_t schedule_phase_pages(int64_t phase);

/* Trust domain of submitter x tree: 16 hex digits. tree NULL: prebuilt images. */
void schedule_domain(const char *submitter, const char *tree, char out[17]);
/* Content key of a kernel: sha256 over commit, config, toolchain with its
 * compiler, recipe and trust domain; of a prebuilt image over its hash.
 * `salt` 0, or the submission that must not share it. */
void schedule_kernel_key(const char *commit, const char *config_sha256, bool whole,
                         const char *toolchain, const char *compiler, const char *domain,
                         int64_t salt, char out[65]);
/* Of its relink with that layout, 1 to LAYOUTS_MAX - 1. */
void schedule_layout_key(const char *key, int64_t layout, char out[65]);
void schedule_image_key(const char *image, char out[65]);

/* Boots a kernel on a board that a submission begins with: as told, or (NONE)
 * BOOTS_PHASES, or those of the first look. */
int64_t schedule_boots(int64_t told, bool deterministic);
/* Boots of a kernel below which a board gives a table and no verdict (lib/stat). */
int64_t schedule_boots_least(bool deterministic);
/* Boots from..until - 1 of every kernel on a board, for the next look. Nothing
 * where the submission has ended. */
enum err schedule_more(struct db *db, int64_t sub, const char *board, int64_t from, int64_t until,
                       int64_t now_ms, struct why *w);

/* The same for boots that a person adds: of the baseline and of the kernels whose
 * positions are chosen. */
enum err schedule_added(struct db *db, int64_t sub, const char *board, const bool *chosen,
                        int64_t from, int64_t until, int64_t now_ms, struct why *w);

/* Moves an open submission on as far as facts allow. */
enum err schedule_advance(struct db *db, int64_t sub, int64_t now_ms, struct why *w);
enum err schedule_all(struct db *db, int64_t now_ms, struct why *w);

/* `found`: the patches of the submission's series and their bundle, as the agent told
 * them; nothing in it where it told none. */
enum err schedule_resolved(struct db *db, const struct job *j, const char *commit,
                           const char *subject, const struct series *found, int64_t now_ms,
                           struct why *w);
enum err schedule_built(struct db *db, const struct job *j, const struct kernel *built,
                        int64_t now_ms, struct why *w);
/* The boot is stored already; `valid` as it was stored. */
enum err schedule_booted(struct db *db, const struct job *j, int64_t boot, bool valid,
                         int64_t now_ms, struct why *w);
/* `boot` NONE: none was stored. */
enum err schedule_failed(struct db *db, const struct job *j, const char *class, const char *why,
                         int64_t boot, int64_t now_ms, struct why *w);
enum err schedule_expired(struct db *db, int64_t job, int64_t now_ms, struct why *w);
enum err schedule_cancel(struct db *db, int64_t sub, int64_t now_ms, struct why *w);
/* It is done without its boots, which nobody has been given yet. */
enum err schedule_spare(struct db *db, int64_t sub, const char *why, int64_t now_ms, struct why *w);

/* A person, `by` their token's label. */
enum err schedule_drain(struct db *db, const char *board, const char *why, const char *by,
                        int64_t now_ms, struct why *w);
enum err schedule_resume(struct db *db, const char *board, const char *why, const char *by,
                         int64_t now_ms, struct why *w);
enum err schedule_quarantine(struct db *db, const char *board, const char *why, const char *by,
                             int64_t now_ms, struct why *w);
/* A submission's two boots of one phase differ on the board (verdict.c): told
 * once. Its waiting boots there are cancelled, the board is quarantined. */
enum err schedule_mismatch(struct db *db, const char *board, int64_t sub, const char *why,
                           int64_t now_ms, struct why *w);

/* For schedule*.c alone. A submission ends, and the track that asked for it looks at it. */
enum err sched_sub_ends(struct db *db, int64_t sub, const char *state, const char *why,
                        int64_t now_ms, struct why *w);
/* The boots that a submission begins with; it is planned
 * then. */
enum err sched_lay_boots(struct db *db, struct pool *p, const struct sub *s,
                         const struct sub_kernels *k, int64_t now_ms, struct why *w);
/* Those of the steps of its search that have none yet: all kernels are ready or failed. */
enum err sched_lay_steps(struct db *db, struct pool *p, const struct sub *s,
                         const struct sub_kernels *k, int64_t now_ms, struct why *w);
/* Of a kernel that is another one's merge base: *commit, the other's, once it is known.
 * Where that one failed, k fails as well, and says so. NULL for any other kernel. */
enum err sched_base_of(struct db *db, struct pool *p, int64_t sub, struct sub_kernel *k,
                       const struct sub_kernels *all, const char **commit, struct why *w);
/* Is this the job that k waits for? */
bool sched_resolves(const struct job *j, const struct sub_kernel *k, const struct sub_kernels *all);
/* The series' kernels behind the baseline, which has its commit; or *why_not. Those that
 * are booted come first, in the order of the patches, then the tip in another
 * configuration, what validates the tip, and those that are only built
 * (schedule_series.c). */
enum err sched_series_kernels(struct db *db, struct pool *p, int64_t sub,
                              const struct sub_kernel *base, const struct series *s,
                              const char **why_not, struct why *w);
enum err sched_boot_failed(struct db *db, const struct job *j, const char *class, const char *why,
                           bool vanished, int64_t now_ms, struct why *w);
enum err sched_check_ended(struct db *db, const struct job *j, int64_t now_ms, struct why *w);
/* Fails the work that waits for a board which nobody will bring back. */
enum err sched_fail_waiting(struct db *db, const char *board, const char *why, int64_t now_ms,
                            struct why *w);

#endif
