/*
 * tmpdir.h - a new directory for a test, removed after it.
 */
#ifndef FOLDWATCH_TEST_TMPDIR_H
#define FOLDWATCH_TEST_TMPDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* cmocka set-up and tear-down; *state is the path, char *. */
int tmpdir_setup(void **state);
int tmpdir_teardown(void **state);

/* dir/name in one of 8 buffers used in turn. */
const char *in(const char *dir, const char *name);
void put_file(const char *path, const void *data, size_t len);
/* The content as a string, or NULL; free() it. */
char *get_file(const char *path);
bool is_there(const char *path); /* links are not followed */
size_t count_entries(const char *dir);

/* Run fn in a child and return the status that waitpid(2) gives; what it
 * writes to standard error goes to err (may be NULL). */
int in_child(void (*fn)(void *arg), void *arg, char *err, size_t err_size);

#endif
