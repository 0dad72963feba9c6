/*
 * api_log.c - live logs of jobs: files, one an attempt, at logs/JOB.ATTEMPT.
 *
 * A file's length is the truth about what came; a lock for each job's file
 * keeps two posts of one part from being taken twice.
 */
#include "server/api_util.h"

#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_MAX (1 << 20)
#define LOG_MAX  (64 << 20)

#define LOCKS 32
static pthread_mutex_t locks[LOCKS] = {[0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER};

static char *log_path(const struct http_req *req, int64_t job, int64_t attempt)
{
	return xasprintf("%s/logs/%lld.%lld", req->srv->conf.dir, (long long)job,
	                 (long long)attempt);
}

static enum err append(int fd, const char *data, size_t len, struct why *w)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(w, ERR_IO, "cannot write the log");
		data += n;
		len -= (size_t)n;
	}
	return OK;
}

/* Takes what of [offset, offset + len) is new; *end gets the length then. */
static enum err take_part(const char *path, int64_t offset, const char *data, size_t len,
                          int64_t *end, struct why *w)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	size_t known;
	enum err e = OK;

	if (fd < 0)
		return err_sys(w, ERR_IO, "cannot open the log");
	if (fstat(fd, &st) != 0)
		e = err_sys(w, ERR_IO, "cannot read the log's length");
	else if (offset > st.st_size)
		e = err_set(w, ERR_CONFLICT, "offset %lld is past the log's end at %lld",
		            (long long)offset, (long long)st.st_size);
	else if (offset + (int64_t)len > LOG_MAX)
		e = err_set(w, ERR_TOO_LARGE, "a log holds at most %d bytes", LOG_MAX);
	if (e == OK) {
		known = (size_t)(st.st_size - offset);
		*end = st.st_size;
		if (known < len) {
			e = append(fd, data + known, len - known, w);
			*end = offset + (int64_t)len;
		}
	}
	close(fd);
	return e;
}

enum err job_log_post(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	pthread_mutex_t *lock = &locks[req->id % LOCKS];
	int64_t attempt, offset, end = 0;
	struct job j;
	char *path, *dir;
	enum err e = http_query_int(req, "attempt", 1, INT64_MAX, -1, &attempt, w);

	if (e == OK)
		e = http_query_int(req, "offset", 0, LOG_MAX, -1, &offset, w);
	if (e == OK && (attempt < 0 || offset < 0))
		e = err_set(w, ERR_INPUT, "%s: missing in the query",
		            attempt < 0 ? "attempt" : "offset");
	if (e == OK)
		e = store_job_get(db_reader(req->srv->store), req->id, p, &j, w);
	if (e == OK && j.attempt != attempt)
		e = err_set(w, ERR_CONFLICT, "job %lld is at attempt %lld, not %lld",
		            (long long)j.id, (long long)j.attempt, (long long)attempt);
	pool_free(p);
	if (e != OK)
		return e;
	dir = path_join(req->srv->conf.dir, "logs");
	path = log_path(req, req->id, attempt);
	pthread_mutex_lock(lock);
	e = dir_make(dir, 0700, w);
	if (e == OK)
		e = take_part(path, offset, req->body ? req->body : "", req->body_len, &end, w);
	pthread_mutex_unlock(lock);
	free(path);
	free(dir);
	if (e != OK)
		return e;
	r->json = json_object();
	json_put_int(r->json, "offset", end);
	http_resp_header(r, "Foldwatch-Next-Offset", "%lld", (long long)end);
	return OK;
}

static enum err read_part(const char *path, int64_t offset, struct buf *out, struct why *w)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *part;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? OK : err_sys(w, ERR_IO, "cannot open the log");
	part = xmalloc(PART_MAX);
	do
		n = pread(fd, part, PART_MAX, offset);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n > 0)
		buf_add(out, part, (size_t)n);
	free(part);
	return n < 0 ? err_sys(w, ERR_IO, "cannot read the log") : OK;
}

enum err job_log_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	int64_t attempt, offset;
	struct job j;
	char *path;
	bool ended;
	enum err e = http_query_int(req, "offset", 0, INT64_MAX, 0, &offset, w);

	if (e == OK)
		e = store_job_get(db_reader(req->srv->store), req->id, p, &j, w);
	if (e == OK)
		e = http_query_int(req, "attempt", 1, INT64_MAX, j.attempt, &attempt, w);
	if (e != OK) {
		pool_free(p);
		return e;
	}
	/* Before the file is read: what is there when the job has ended is all. */
	ended = attempt < j.attempt || (!str_eq(j.state, "queued") && !str_eq(j.state, "leased"));
	pool_free(p);
	buf_init(&r->body, PART_MAX);
	r->type = "text/plain; charset=utf-8";
	path = log_path(req, req->id, attempt);
	e = read_part(path, offset, &r->body, w);
	free(path);
	if (e != OK)
		return e;
	http_resp_header(r, "Foldwatch-Next-Offset", "%lld",
	                 (long long)offset + (long long)r->body.len);
	http_resp_header(r, "Foldwatch-Log-Complete", "%s",
	                 ended && r->body.len < PART_MAX ? "yes" : "no");
	return OK;
}
