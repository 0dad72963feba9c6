/*
 * log.h - one `key=value` line an event, on standard error.
 *
 *     log_info("job.claimed", "job", log_i(id), "board", log_s(name), NULL);
 *     -> ts=2024-02-02T08:07:56.123Z level=info event=job.claimed job=17 board=qemu-det
 *
 * Values with a space, a quote, '=' or a control character are quoted with C
 * escapes, so a line is always one line and can be parsed back. Secrets are
 * never given to it. A line is one write(2): lines of threads and of children
 * that share the descriptor do not mix. That holds up to PIPE_BUF (4,096) bytes:
 * a longer line is cut there, and its last pair is then cut=yes.
 */
#ifndef FOLDWATCH_LOG_H
#define FOLDWATCH_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Events above `level` are dropped. The default is LOG_INFO. */
void log_set_level(enum log_level level);
/* "error", "warn", "info" or "debug"; returns 0, or -1 for another word. */
int log_level_parse(const char *word, enum log_level *level);

/* Key and value strings in turn, closed by NULL. A NULL value prints as "-". */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_event(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_event(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_event(LOG_DEBUG, __VA_ARGS__)

/* Values for log_event. log_i formats into one of 16 buffers of the calling
 * thread, used in turn: valid until the sixteenth next call. */
const char *log_i(int64_t value);
const char *log_f(double value);
#define log_s(s) ((s) ? (s) : "-")

#endif
