/*
 * swap.h - somewhere to page out to: compressed memory (zram).
 *
 * Where swap is on already, that is taken as it is. Otherwise /dev/zram0 is set
 * up, if the kernel has one that nobody uses; swap_close() takes it down again.
 * On a machine that is somebody's, nothing is set up behind their back but in a
 * device that was idle.
 */
#ifndef FOLDBENCH_SWAP_H
#define FOLDBENCH_SWAP_H

#include "bench/proof.h"
#include "bench/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Room for `bytes`. PROOF_CANNOT with the reason where there is none to be had. */
enum proof_answer swap_open(size_t bytes, struct reason *w);
void swap_close(void);

#endif
