/*
 * rebuilt.h - derived rows against what `foldwatchd rebuild` makes of the facts.
 */
#ifndef FOLDWATCH_TEST_REBUILT_H
#define FOLDWATCH_TEST_REBUILT_H

#include "server/test/harness.h"

/* Stops the server, rebuilds, and expects each query (of one text column, in an order
 * of its own) to answer as before, with `word` somewhere. The server stays stopped. */
void daemon_expect_rebuilt(struct daemon *d, const char *const *queries, size_t n,
                           const char *word);

#endif
