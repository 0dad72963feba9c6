/*
 * foldwatch-agent: builds and boots what the server asks for.
 */
#include "agent/agent_conf.h"
#include "agent/supervisor.h"
#include "lib/client.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONF "/etc/foldwatch/agent.conf"

static const struct step_table steps = {
        .resolve = step_resolve,
        .build = step_build,
        .boot = step_boot,
        .walk = step_walk,
        .probe = board_probe,
};

static void help(void)
{
	static const char *const headers[AGENT_SECTIONS] = {
	        "Keys of the configuration:",
	        "In a section [toolchain NAME]:",
	        "In a section [board NAME]:",
	};

	printf("usage: foldwatch-agent [-n] [-v] [-c FILE]\n"
	       "       foldwatch-agent --help | --version\n"
	       "\n"
	       "Takes jobs from a foldwatch server: resolves git references, builds kernels,\n"
	       "boots them on its boards and posts what was measured.\n"
	       "\n"
	       "  -c FILE     the configuration; default " DEFAULT_CONF "\n"
	       "  -n          only check the configuration\n"
	       "  -v          log more\n"
	       "\n"
	       "Example:\n"
	       "  foldwatch-agent -n -c agent.conf && foldwatch-agent -c agent.conf\n");
	for (int i = 0; i < AGENT_SECTIONS; i++) {
		const struct conf_key *k = agent_conf_keys((enum agent_section)i);

		printf("\n%s\n", headers[i]);
		for (; k->name; k++) {
			printf("  %-20s %s", k->name, k->help);
			if (k->preset && k->preset[0])
				printf(" (%s)", k->preset);
			putchar('\n');
		}
	}
}

static int fail(enum err e, const struct why *w)
{
	fprintf(stderr, "foldwatch-agent: %s\n", w->text);
	return err_exit_code(e);
}

static int run(const struct agent_conf *conf)
{
	struct why w;
	enum err e;

	/* Limits do not bind root, and what is built here is other people's code. */
	if (geteuid() == 0 || getuid() == 0) {
		err_set(&w, ERR_DENIED,
		        "refusing to run as root: it builds and boots untrusted kernels; start it "
		        "as a user of its own");
		return fail(ERR_DENIED, &w);
	}
	client_global_init();
	e = supervisor_run(conf, &steps, NULL, &w);
	return e == OK ? 0 : fail(e, &w);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'n'},
	        {"verbose", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},      {0},
	};
	const char *path = DEFAULT_CONF;
	struct agent_conf conf;
	bool check = false;
	struct why w;
	enum err e;
	int o, rc = 0;

	proc_stdio();
	while ((o = getopt_long(argc, argv, "c:nvhV", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'v':
			log_set_level(LOG_DEBUG);
			break;
		case 'h':
			help();
			return 0;
		case 'V':
			printf("foldwatch-agent %s\n", FOLDWATCH_VERSION);
			return 0;
		default:
			fprintf(stderr, "foldwatch-agent: --help shows the options\n");
			return err_exit_code(ERR_INPUT);
		}
	}
	if (optind < argc) {
		err_set(&w, ERR_INPUT, "unexpected argument \"%s\"; --help shows the options",
		        argv[optind]);
		return fail(ERR_INPUT, &w);
	}
	e = agent_conf_load(path, &conf, &w);
	if (e != OK)
		return fail(e, &w);
	if (check)
		printf("%s: ok\n", path);
	else
		rc = run(&conf);
	agent_conf_release(&conf);
	return rc;
}
