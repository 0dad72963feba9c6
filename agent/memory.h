/*
 * memory.h - give back what only the start needed.
 *
 * Most of the agent's resident memory is the text of libraries that their
 * constructors ran through once (libcurl brings four crypto libraries along).
 * Those pages are clean copies of files: the kernel drops them on request, and
 * reads in again what is used.
 */
#ifndef FOLDWATCH_MEMORY_H
#define FOLDWATCH_MEMORY_H

/* Drops text pages of this process and free heap. Does no harm at any time; is
 * of use when much was done that will not be done again soon. */
void memory_settle(void);

#endif
