/*
 * tell.h - a step of an alert as text for its receivers. Pure: structs in, text out.
 *
 *     struct telling t = {.alert = &a, .cells = &cells, .step = &step, ...};
 *     tell_mail(&t, "fw@example.org", "dev@example.org", at_ms, &out);   its date
 *     tell_webhook(&t, &out);  tell_slack(&t, &out);
 *
 * Equal structs give equal text: a letter that is sent again is the same letter.
 */
#ifndef FOLDWATCH_SERVER_TELL_H
#define FOLDWATCH_SERVER_TELL_H

#include "lib/buf.h"
#include "server/store_alert.h"
#include "server/store_tell.h"

#include <jansson.h>

/* The commit that a bisection found, and the submission that measured it against what is
 * before it. */
#define SUSPECT_MOVERS 5
struct suspect_mover {
	const char *function;
	double before, after; /* instructions a window */
};

struct suspect {
	const char *commit, *subject, *author, *parent;
	int64_t range; /* commits before it that could not be told from it */
	bool shared;   /* others have a part in the change */
	int64_t steps, boots;
	double confidence; /* NAN: there were no steps */
	int64_t proof;
	const char *kernel;       /* its name there */
	struct alert_cells cells; /* what moved there */
	/* Functions that run more or fewer instructions in the first of them, the largest
	 * move first. */
	struct suspect_mover mover[SUSPECT_MOVERS];
	size_t movers;
};

/* A patch of a series that makes a case worse, or several that could not be told apart, and
 * the cell where it does so most (search.h). */
struct tell_patch {
	const char *commit, *subject, *author; /* of the last */
	int64_t first, last;
	const char *case_text, *board;
	double change;
	size_t cells; /* in which it does so */
};

struct telling {
	const struct alert *alert;
	const struct alert_cells *cells;
	const struct alert_step *step;
	const char *delivery;
	const char *fault_line;         /* fault: what the log said; NULL: not known */
	const char *fault_place;        /* and where, or NULL */
	const struct suspect *suspect;  /* NULL: none was found before this step */
	const struct tell_patch *patch; /* of the alert's series, by their place in it */
	size_t patches;
	json_t *bisection;      /* docs/api.md's, borrowed; NULL: as suspect */
	const char *public_url; /* NULL: none is printed */
	int64_t subscription;
	const char *const *cc; /* mail: addresses that get a copy, plain (lib/mailbox.h) */
	size_t cc_count;
};

/*
 * A whole mail, lines ending with \n: 7-bit ASCII, at most 72 columns but for an
 * address. What moved, a small table, both kernels, the suspect, one command. Message-ID is the
 * same for all who get that step, so that who gets it twice sees it once; steps after the
 * first are answers to it.
 */
void tell_mail(const struct telling *t, const char *from, const char *to, int64_t at_ms,
               struct buf *out);
/* {"delivery","event","alert":ALERT with its `bisection`,"step":STEP,"url"} */
void tell_webhook(const struct telling *t, struct buf *out);
/* {"text":"..."} as Slack and what resembles it take it. */
void tell_slack(const struct telling *t, struct buf *out);

/* A command of which each word stands for itself in a shell: what reproduces the alert.
 * free() it. */
char *tell_command(const struct telling *t);

#endif
