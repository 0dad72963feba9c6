/*
 * table.h - a result as a table for somebody at a terminal.
 */
#ifndef FOLDBENCH_TABLE_H
#define FOLDBENCH_TABLE_H

#include <stddef.h>
#include <stdio.h>

/* `text` is JSON Lines as emit.h makes them; lines that are no runs are passed
 * over. One row a run: its case, median, least and most of the samples after
 * warm-up, or its state and the reason. */
void table_print(FILE *out, const char *text, size_t len);

#endif
