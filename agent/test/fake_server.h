/*
 * fake_server.h - a fake of foldwatchd for the agent's tests, on loopback.
 *
 * It is a fake, and not the real server, because these tests need a server
 * that misbehaves on request: that is away, refuses, loses leases, answers
 * slowly, gives a job to another. It keeps the rules of docs/api.md that the
 * agent relies on: attempts fence, an idempotency key repeats its answer,
 * artifacts are verified, a log's offset must not leave a gap. The whole-system
 * tests run the agent against the real one.
 */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_JOBS 64

struct fake_job {
	int64_t id;
	char kind[16];
	char *spec;
	bool leased, done, cancel;
	int64_t attempt, expires_ns;
	char *result;   /* the accepted one */
	int results;    /* accepted; must never pass 1 */
	int duplicates; /* repeats of the accepted one */
	int fenced;     /* refused for their attempt */
	int renewals;
	int max_done; /* of the progress it was told */
	char *log;
	size_t log_len;
};

struct fake_server;

struct fake_server *fake_start(void);
void fake_free(struct fake_server *f);
/* Stop answering (the port is closed), and answer again on the same port. */
void fake_down(struct fake_server *f);
void fake_up(struct fake_server *f);
const char *fake_url(const struct fake_server *f);

/* A queued job; its id. */
int64_t fake_add(struct fake_server *f, const char *kind, const char *spec);
void fake_lease_s(struct fake_server *f, int64_t s);
void fake_cancel(struct fake_server *f, int64_t id);
/* Take the lease away, as if it had run out and been given to another. */
void fake_fence(struct fake_server *f, int64_t id);
/* Answer every POST of a result with this status instead (0: normally). */
void fake_refuse_results(struct fake_server *f, int status);
/* Answer everything with this status (0: normally). */
void fake_refuse_all(struct fake_server *f, int status);

/* A copy of what is known of a job now; release with fake_job_release(). */
struct fake_job fake_job(struct fake_server *f, int64_t id);
void fake_job_release(struct fake_job *j);
/* Order of the accepted results: ids, closed by 0. */
void fake_order(struct fake_server *f, int64_t *ids, size_t max);
int fake_claims(struct fake_server *f);
int fake_announces(struct fake_server *f);
/* A copy of the last announcement, or NULL. */
char *fake_announced(struct fake_server *f);
size_t fake_artifact_count(struct fake_server *f);
bool fake_has_artifact(struct fake_server *f, const char *sha256);

#endif
