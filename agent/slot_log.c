/*
 * slot_log.c - what a step says: its output, kept as the job's log with a cap,
 * and its progress.
 */
#include "agent/slot.h"

#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 65536
/* In one turn of the loop, so that a loud step does not hold up the others. */
#define READS_MAX  32

static void log_put(struct slot *s, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(s->log_fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* A full disk: the log has a hole, the job goes on. */
			s->log_dropped += len;
			return;
		}
		s->log_len += n;
		data += n;
		len -= (size_t)n;
	}
}

void slot_log_begin(struct slot *s)
{
	static const char note[] =
	        "foldwatch-agent: the agent was interrupted; the step begins again\n";
	char *path = path_join(s->dir, "log");
	struct stat st;

	if (s->log_fd >= 0)
		close(s->log_fd);
	s->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	s->log_len = s->log_sent = 0;
	s->log_dropped = 0;
	buf_reset(&s->tail);
	if (s->log_fd >= 0 && fstat(s->log_fd, &st) == 0)
		s->log_len = st.st_size;
	if (s->log_len > 0)
		log_put(s, note, sizeof(note) - 1);
}

void slot_log_end(struct slot *s)
{
	char note[96];

	if (s->log_fd < 0)
		return;
	if (s->log_dropped > 0) {
		int n = snprintf(note, sizeof(note),
		                 "\nfoldwatch-agent: ... %" PRIu64 " bytes left out ...\n",
		                 s->log_dropped);

		log_put(s, note, (size_t)n);
	}
	log_put(s, s->tail.data, s->tail.len);
	close(s->log_fd);
	s->log_fd = -1;
	buf_release(&s->tail);
	buf_init(&s->tail, SLOT_TAIL_MAX);
}

size_t slot_log_next(const struct slot *s, char *out, size_t max)
{
	char *path;
	ssize_t n;
	int fd;

	if (s->log_sent >= s->log_len || !s->dir)
		return 0;
	path = path_join(s->dir, "log");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	free(path);
	if (fd < 0)
		return 0;
	n = pread(fd, out, max, s->log_sent);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* The head goes to the file, the end is kept in a window that slides. */
static void output(struct slot *s, const char *data, size_t len)
{
	size_t room = s->log_len < SLOT_LOG_MAX ? (size_t)(SLOT_LOG_MAX - s->log_len) : 0;
	size_t over;

	if (room > len)
		room = len;
	if (room > 0 && s->log_fd >= 0)
		log_put(s, data, room);
	data += room;
	len -= room;
	if (len > SLOT_TAIL_MAX) {
		s->log_dropped += len - SLOT_TAIL_MAX;
		data += len - SLOT_TAIL_MAX;
		len = SLOT_TAIL_MAX;
	}
	if (len == 0)
		return;
	if (s->tail.len + len > SLOT_TAIL_MAX) {
		over = s->tail.len + len - SLOT_TAIL_MAX;
		s->log_dropped += over;
		buf_drop(&s->tail, over);
	}
	buf_add(&s->tail, data, len);
}

static void said(struct slot *s, const char *line, size_t len)
{
	json_t *o = NULL;
	struct why w;
	const char *step;

	/* Our own writing; what does not parse was cut by a killed step. */
	if (json_parse(line, len, 8192, &o, &w) != OK)
		return;
	step = json_str(o, "step", "");
	if (json_is_object(o) && step[0]) {
		snprintf(s->progress.step, sizeof(s->progress.step), "%s", step);
		s->progress.done = json_int(o, "done", 0);
		s->progress.total = json_int(o, "total", -1);
		s->progress_new = true;
	}
	json_decref(o);
}

static void read_say(struct slot *s)
{
	char piece[4096];
	ssize_t n;

	while (s->child.say_fd >= 0 && (n = read(s->child.say_fd, piece, sizeof(piece))) != 0) {
		char *end;

		if (n < 0)
			return; /* nothing there now */
		if (!buf_add(&s->say, piece, (size_t)n))
			buf_reset(&s->say);
		while ((end = memchr(s->say.data, '\n', s->say.len))) {
			size_t len = (size_t)(end - s->say.data);

			said(s, s->say.data, len);
			buf_drop(&s->say, len + 1);
		}
	}
	/* The end: nothing is to be polled there any more. */
	if (s->child.say_fd >= 0)
		close(s->child.say_fd);
	s->child.say_fd = -1;
}

static void read_output(struct slot *s)
{
	char *piece = xmalloc(READ_BYTES);
	ssize_t n = 1;

	for (int i = 0; i < READS_MAX && s->child.out_fd >= 0 && n > 0; i++) {
		do
			n = read(s->child.out_fd, piece, READ_BYTES);
		while (n < 0 && errno == EINTR);
		if (n > 0)
			output(s, piece, (size_t)n);
	}
	free(piece);
	if (n == 0) {
		close(s->child.out_fd);
		s->child.out_fd = -1;
	}
}

void slot_read(struct slot *s)
{
	if (s->child.say_fd >= 0)
		read_say(s);
	if (s->child.out_fd >= 0)
		read_output(s);
}
