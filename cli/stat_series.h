/*
 * stat_series.h - a series from a file of lines `index,value`.
 */
#ifndef FOLDWATCH_CLI_STAT_SERIES_H
#define FOLDWATCH_CLI_STAT_SERIES_H

#include "lib/err.h"

#include <stddef.h>

#define SERIES_BYTES_MAX (64u << 20)

/* The values in the order of the lines, new memory. The first line may be a
 * header: any whose second field is no number. An index is any text without a
 * comma, a value a finite decimal number; blanks around both and the CR of a
 * CRLF count for nothing, and no line may be empty but those at the end. At
 * least one value. Errors name the line: `line 7: expected "index,value", got
 * "12"`. */
enum err stat_series_read(const char *text, size_t len, double **out, size_t *count, struct why *w);

#endif
