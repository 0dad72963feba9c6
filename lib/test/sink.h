/*
 * sink.h - a small mail server, or web server, on loopback that keeps what it is sent,
 * and has manners good and bad.
 *
 *     struct sink *s = sink_new(SINK_SMTP);
 *     sink_script(s, 2, (const int[]){450, 250});   how tries are answered, in turn
 *     ... smtp://127.0.0.1:sink_port(s) ...
 *     sink_await(s, 1, 5000);                       messages that came whole
 *     char *text = sink_message(s, 0);              free() it
 *     sink_free(s);
 *
 * A try is a connection. An answer is the reply to RCPT (SMTP; 250 takes the message)
 * or a status (HTTP), or one of the words below; the last one of a script repeats.
 */
#ifndef FOLDWATCH_LIB_TEST_SINK_H
#define FOLDWATCH_LIB_TEST_SINK_H

#include <stddef.h>

enum sink_kind { SINK_SMTP, SINK_HTTP };

#define SINK_HANG    (-1) /* says nothing at all */
#define SINK_SWALLOW (-2) /* takes the whole message, and never answers */
#define SINK_DROP    (-3) /* closes at once */

struct sink;

struct sink *sink_new(enum sink_kind kind);
void sink_free(struct sink *s);
int sink_port(const struct sink *s);
void sink_script(struct sink *s, size_t n, const int *answers);
/* SMTP: offers STARTTLS with a certificate of its own making, which stands in this
 * file (a path below `dir`, free() it). */
char *sink_offer_tls(struct sink *s, const char *dir);
int sink_tries(struct sink *s);
/* Messages received whole, however they were answered. */
int sink_count(struct sink *s);
/* Waits for so many; returns how many there are then. */
int sink_await(struct sink *s, int n, int timeout_ms);
/* The i-th: a mail's lines without CR, dots undone, or a request's head, an empty
 * line and its body. NULL: there is none. */
char *sink_message(struct sink *s, int i);
/* SMTP: the commands of all tries so far, a line each; "TLS" where it began. */
char *sink_commands(struct sink *s);

#endif
