#include "agent/peer.h"
#include "agent/spool.h"
#include "lib/client.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESULT_MAX (80 << 20)
#define LOG_PIECE  (256 * 1024)

/* What an answer means for an entry. Everything of 4xx that is not here is for
 * good: the same bytes would be refused again. */
static const struct meaning {
	enum err e;
	enum post_end end;
} meanings[] = {
        {OK, POST_DONE},
        {ERR_UNAVAILABLE, POST_AWAY},
        {ERR_TIMEOUT, POST_AWAY},
        /* It is the agent that is not welcome, not the result: its owner mends that. */
        {ERR_AUTH, POST_REFUSED},
        {ERR_DENIED, POST_REFUSED},
        {ERR_BUSY, POST_REFUSED},
        {ERR_INTERNAL, POST_REFUSED},
        {ERR_NO_SPACE, POST_REFUSED},
        {ERR_IO, POST_LOCAL},
};

static enum post_end meaning_of(enum err e, int status)
{
	if (status == 408)
		return POST_REFUSED;
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].e == e)
			return meanings[i].end;
	}
	return POST_DEAD;
}

struct post {
	const struct spool *spool;
	const struct spool_entry *entry;
	struct client *client;
	char *dir; /* of the entry */
};

/* The rest of the live log. It is a comfort, not a fact: whatever the server
 * says about it, the result goes on its way. Only its absence stops here. */
static enum post_end post_log(const struct post *p, struct why *w)
{
	char *path = path_join(p->dir, "log");
	int64_t at = p->entry->log_sent;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *piece = xmalloc(LOG_PIECE);
	enum post_end end = POST_DONE;
	ssize_t n;

	while (fd >= 0 && end == POST_DONE && (n = pread(fd, piece, LOG_PIECE, at)) > 0) {
		char *url = xasprintf("/api/v1/jobs/%" PRId64 "/log?attempt=%" PRId64
		                      "&offset=%" PRId64,
		                      p->entry->job, p->entry->attempt, at);
		struct reply r;
		enum err e = client_bytes(p->client, "POST", url, "text/plain", piece, (size_t)n,
		                          NULL, NULL, &r, w);

		reply_release(&r);
		free(url);
		at += n;
		if (e == ERR_UNAVAILABLE || e == ERR_TIMEOUT)
			end = POST_AWAY;
		else if (e != OK)
			break;
	}
	if (fd >= 0)
		close(fd);
	free(piece);
	free(path);
	return end;
}

static enum post_end post_artifacts(const struct post *p, const json_t *list, struct why *w)
{
	size_t i;
	json_t *a;

	json_array_foreach (list, i, a) {
		const char *relative = json_str(a, "path", "");
		const char *hex = json_str(a, "sha256", "");
		char *path;
		enum err e;

		if (!path_is_safe(relative) || !hex_is(hex, 64)) {
			err_set(w, ERR_INPUT, "artifacts[%zu] of the result is malformed", i);
			return POST_DEAD;
		}
		path = path_join(p->dir, relative);
		if (!path_exists(path))
			e = err_set(w, ERR_NOT_FOUND, "the artifact \"%s\" is gone", relative);
		else
			e = client_put_artifact(p->client, path, hex, w);
		free(path);
		if (e != OK)
			return meaning_of(e, 0);
	}
	return POST_DONE;
}

static enum err result_load(const struct post *p, json_t **result, struct why *w)
{
	char *path = path_join(p->dir, "result.json");
	struct buf b;
	enum err e;

	buf_init(&b, RESULT_MAX);
	e = file_read(path, &b, w);
	if (e == OK)
		e = json_parse(b.data, b.len, RESULT_MAX, result, w);
	if (e == OK && !json_is_object(*result)) {
		json_decref(*result);
		*result = NULL;
		e = err_set(w, ERR_INPUT, "expected an object");
	}
	buf_release(&b);
	free(path);
	return err_at(w, e, "result.json");
}

static enum post_end post_result(const struct post *p, json_t *result, struct why *w)
{
	char *url = xasprintf("/api/v1/jobs/%" PRId64 "/result", p->entry->job);
	char *key = xasprintf("job-%" PRId64 "-attempt-%" PRId64, p->entry->job, p->entry->attempt);
	enum post_end end;
	struct reply r;
	enum err e;

	/* What is null in our file is left out of what is said. */
	if (json_is_null(json_object_get(result, "class")))
		json_object_del(result, "class");
	if (json_is_null(json_object_get(result, "why")))
		json_object_del(result, "why");
	json_object_del(result, "artifacts");
	json_put_int(result, "attempt", p->entry->attempt);
	e = client_json(p->client, "POST", url, result, key, &r, w);
	end = r.status == 409 ? POST_FENCED : meaning_of(e, r.status);
	reply_release(&r);
	free(key);
	free(url);
	return end;
}

/* The sentence stands beside the result before it moves; a disk that is too full
 * for the sentence does not keep the result from moving. */
static enum post_end bury(const struct post *p, enum post_end end, const struct why *reason)
{
	char *why = path_join(p->dir, "why");
	char *artifacts = path_join(p->dir, "artifact");
	char *to = xasprintf("%s/dead/%s", p->spool->dir, p->entry->name);
	char *text = xasprintf("%s: %s\n", end == POST_FENCED ? "fenced" : "refused", reason->text);
	struct why w;
	enum err e;

	if (file_write(why, text, strlen(text), 0600, &w) != OK)
		log_warn("spool.no_sentence", "entry", p->entry->name, "why", w.text, NULL);
	/* Whoever has the job now makes the same artifacts again. */
	if (end == POST_FENCED && dir_remove(artifacts, &w) != OK)
		log_warn("spool.artifacts_stay", "entry", p->entry->name, "why", w.text, NULL);
	for (int n = 1; path_exists(to); n++) {
		free(to);
		to = xasprintf("%s/dead/%s.%d", p->spool->dir, p->entry->name, n);
	}
	e = file_rename(p->dir, to, &w);
	log_warn(end == POST_FENCED ? "spool.fenced" : "spool.dead", "job", log_i(p->entry->job),
	         "attempt", log_i(p->entry->attempt), "kept_as", to, "why",
	         e == OK ? reason->text : w.text, NULL);
	free(to);
	free(text);
	free(artifacts);
	free(why);
	return e == OK ? end : POST_LOCAL;
}

static enum post_end done(const struct post *p, struct why *w)
{
	char *to = xasprintf("%s/trash/%s", p->spool->dir, p->entry->name);
	enum err e;

	/* A sweep that was interrupted may have left one of that name. */
	if (path_exists(to))
		dir_remove(to, w);
	e = file_rename(p->dir, to, w);
	free(to);
	if (e != OK)
		return POST_LOCAL;
	log_info("spool.acknowledged", "job", log_i(p->entry->job), "attempt",
	         log_i(p->entry->attempt), NULL);
	return POST_DONE;
}

int spool_post(const struct agent_conf *conf, const struct spool *s,
               const struct spool_entry *entry)
{
	struct post p = {.spool = s, .entry = entry};
	enum post_end end = POST_DONE;
	json_t *result = NULL;
	struct why w = {""};
	enum err e;

	e = peer_client(conf, &p.client, &w);
	if (e != OK) {
		log_warn("spool.waits", "why", w.text, NULL);
		return POST_LOCAL;
	}
	p.dir = spool_path(s, entry);
	e = result_load(&p, &result, &w);
	if (e != OK)
		/* unreadable or not there: posting later would not mend it */
		end = e == ERR_IO ? POST_LOCAL : POST_DEAD;
	if (end == POST_DONE)
		end = post_log(&p, &w);
	if (end == POST_DONE)
		end = post_artifacts(&p, json_object_get(result, "artifacts"), &w);
	if (end == POST_DONE)
		end = post_result(&p, result, &w);
	json_decref(result);
	if (end == POST_DEAD || end == POST_FENCED)
		end = bury(&p, end, &w);
	else if (end == POST_DONE)
		end = done(&p, &w);
	else
		log_warn("spool.waits", "job", log_i(entry->job), "why", w.text, NULL);
	client_free(p.client);
	free(p.dir);
	return (int)end;
}
