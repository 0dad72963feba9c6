/*
 * needs.h - tests that take what a machine may not have are skipped with the reason.
 */
#ifndef FOLDWATCH_TEST_NEEDS_H
#define FOLDWATCH_TEST_NEEDS_H

#include "agent/sandbox.h"

#define NEEDS_SANDBOX()                                            \
	do {                                                       \
		struct why none;                                   \
                                                                   \
		if (sandbox_probe(&none)) {                        \
			print_message("skipped: %s\n", none.text); \
			skip();                                    \
		}                                                  \
	} while (0)

#endif
