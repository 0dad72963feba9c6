/*
 * foldbench: micro-benchmarks of memory management, one static binary for
 * guests and machines. As process 1 it is a guest's init; otherwise it takes
 * its cases from the command line. docs/man/foldbench.1 describes both.
 */
#include "bench/bench.h"
#include "bench/emit.h"
#include "bench/init.h"
#include "bench/plan.h"
#include "bench/suite.h"
#include "bench/table.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage_text[] =
        "Usage: foldbench run [OPTION]... CASE...     measure these cases\n"
        "       foldbench run [OPTION]... --plan FILE measure a plan\n"
        "       foldbench list                        benchmarks and their parameters\n"
        "       foldbench check FILE                  is a result whole?\n"
        "\n"
        "  --plan FILE      one case a line, with runs=, iterations=, warmup=\n"
        "  --runs N         processes a case (1)\n"
        "  --iterations N   timed samples a run (5)\n"
        "  --warmup N       samples before them, reported and left out by rule (1)\n"
        "  --metric M       ns (preset) or instructions\n"
        "  --order N, --size BYTES, --skew, --align, --fill, --block, --mode\n"
        "                   a parameter of every case that is named here\n"
        "  --nonce HEX      16 hex digits to be echoed in the result\n"
        "  --out FILE       write JSON Lines there; else to standard output when that\n"
        "                   is no terminal, and a table when it is\n"
        "  --help, --version\n"
        "\n"
        "Examples:\n"
        "  foldbench run fork --order 9\n"
        "  foldbench run --iterations 100 fork/order=0,size=1G fork/order=9,size=1G\n"
        "  foldbench run --plan plan.txt --metric instructions --out result.jsonl\n"
        "\n"
        "Exit status: 0 every run is valid or skipped, 1 a run is invalid, 2 bad usage\n"
        "or plan, 3 nothing could be measured or written.\n";

enum { EXIT_INVALID = 1, EXIT_USAGE = 2, EXIT_TROUBLE = 3 };

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

static int complain(int status, const char *text)
{
	fprintf(stderr, "foldbench: %s\n", text);
	return status;
}

static void progress(size_t number, size_t count, const char *text)
{
	fprintf(stderr, "foldbench: case %zu/%zu %s\n", number, count, text);
}

struct options {
	struct plan_counts counts;
	const char *plan, *out;
	const char *param[PARAM_COUNT]; /* given as options; NULL: not */
	int metric;
	char nonce[NONCE_SIZE];
};

#define PARAM_LETTER 256 /* + enum case_param: above every letter */

/* 0 to go on; otherwise the exit status + 1. */
static int read_options(int argc, char **argv, struct options *o, struct reason *w)
{
	static const struct option own[] = {
	        {"runs", required_argument, NULL, 'r'},
	        {"iterations", required_argument, NULL, 'i'},
	        {"warmup", required_argument, NULL, 'w'},
	        {"metric", required_argument, NULL, 'm'},
	        {"plan", required_argument, NULL, 'p'},
	        {"out", required_argument, NULL, 'o'},
	        {"nonce", required_argument, NULL, 'n'},
	        {"help", no_argument, NULL, 'h'},
	};
	const size_t owns = sizeof(own) / sizeof(own[0]);
	struct option longs[sizeof(own) / sizeof(own[0]) + PARAM_COUNT + 1] = {0};
	static const struct {
		int letter;
		const char *name;
	} counts[] = {{'r', "runs"}, {'i', "iterations"}, {'w', "warmup"}};
	int letter;

	memcpy(longs, own, sizeof(own));
	for (int i = 0; i < PARAM_COUNT; i++)
		longs[owns + (size_t)i] = (struct option){
		        case_param_table()[i].name, required_argument, NULL, PARAM_LETTER + i};
	while ((letter = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (letter >= PARAM_LETTER && letter < PARAM_LETTER + PARAM_COUNT) {
			o->param[letter - PARAM_LETTER] = optarg;
			continue;
		}
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			if (letter == counts[i].letter &&
			    plan_count_set(&o->counts, counts[i].name, optarg, w))
				return 1 + complain(EXIT_USAGE, w->text);
		switch (letter) {
		case 'm':
			o->metric = metric_find(optarg);
			if (o->metric >= 0)
				break;
			reason_set(w, "metric: expected ns or instructions, got \"%.64s\"", optarg);
			return 1 + complain(EXIT_USAGE, w->text);
		case 'n':
			if (strlen(optarg) == NONCE_SIZE - 1 &&
			    strspn(optarg, "0123456789abcdef") == NONCE_SIZE - 1) {
				memcpy(o->nonce, optarg, NONCE_SIZE);
				break;
			}
			reason_set(w, "nonce: expected 16 lower-case hex digits, got \"%.64s\"",
			           optarg);
			return 1 + complain(EXIT_USAGE, w->text);
		case 'p':
			o->plan = optarg;
			break;
		case 'o':
			o->out = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 1;
		case '?':
			return 1 + EXIT_USAGE;
		default:
			break;
		}
	}
	return 0;
}

/* The case with the parameters that were given as options; one that it names itself,
 * too, is then there twice, which the case's reader refuses. */
static bool add_case(const char *text, const struct options *o, struct plan *plan, struct reason *w)
{
	char whole[2 * CASE_TEXT];
	size_t len = (size_t)snprintf(whole, sizeof(whole), "%s", text);
	bool any = strchr(text, '/') != NULL;

	for (int i = 0; i < PARAM_COUNT && len < sizeof(whole); i++) {
		if (!o->param[i])
			continue;
		len += (size_t)snprintf(whole + len, sizeof(whole) - len, "%c%s=%s",
		                        any ? ',' : '/', case_param_table()[i].name, o->param[i]);
		any = true;
	}
	if (len >= sizeof(whole)) {
		reason_set(w, "%.64s...: a case is shorter", text);
		return false;
	}
	return !plan_add(plan, whole, &o->counts, w);
}

static bool make_plan(int argc, char **argv, const struct options *o, struct plan *plan,
                      struct reason *w)
{
	if (o->plan && optind < argc) {
		reason_set(w, "give cases or --plan, not both");
		return false;
	}
	for (int i = 0; o->plan && i < PARAM_COUNT; i++)
		if (o->param[i]) {
			reason_set(w, "--%s: a plan's cases have their own parameters",
			           case_param_table()[i].name);
			return false;
		}
	if (o->plan)
		return !plan_read(plan, o->plan, &o->counts, w);
	if (optind == argc) {
		reason_set(w, "no case is given: foldbench list shows what there is");
		return false;
	}
	*plan = (struct plan){0};
	for (int i = optind; i < argc; i++)
		if (!add_case(argv[i], o, plan, w))
			return false;
	return true;
}

static bool any_invalid(const struct emit *e)
{
	static const char word[] = "\"state\":\"invalid\"";

	return memmem(e->data, e->len, word, sizeof(word) - 1) != NULL;
}

static int hand_over(const struct suite *s, const char *path)
{
	int fd = STDOUT_FILENO;
	struct reason w = {""};

	if (!path && isatty(fd)) {
		table_print(stdout, s->out.data, s->out.len);
		return 0;
	}
	if (path)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || fd_write_all(fd, s->out.data, s->out.len) ||
	    (path && (fsync(fd) || close(fd)))) {
		reason_set(&w, "%.128s: %s", path ? path : "standard output", strerror(errno));
		return complain(EXIT_TROUBLE, w.text);
	}
	return 0;
}

static int command_run(int argc, char **argv)
{
	struct options o = {
	        .counts = plan_preset, .metric = METRIC_NS, .nonce = "0000000000000000"};
	struct suite s = {.self = "/proc/self/exe", .progress = progress, .stop = &stop};
	struct sigaction act = {.sa_handler = on_signal};
	struct plan plan = {0};
	struct reason w = {""};
	int status = read_options(argc, argv, &o, &w);

	if (status)
		return status - 1;
	if (!make_plan(argc, argv, &o, &plan, &w)) {
		plan_release(&plan);
		return complain(EXIT_USAGE, w.text);
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	s.plan = &plan;
	s.metric = (enum metric)o.metric;
	memcpy(s.nonce, o.nonce, sizeof(s.nonce));
	if (!suite_memory(&s, &w) || !suite_run(&s, &w)) {
		status = complain(EXIT_TROUBLE, w.text);
	} else {
		status = hand_over(&s, o.out);
		if (!status && any_invalid(&s.out))
			status = EXIT_INVALID;
	}
	suite_release(&s);
	plan_release(&plan);
	return status;
}

/* ": ro, rw" where the parameter is a word. */
static void list_words(const struct case_bench_def *b, enum case_param param)
{
	const char *const *words = case_words(b, param);

	for (size_t i = 0; words && words[i]; i++)
		printf("%s%s", i ? ", " : ": ", words[i]);
}

static int command_list(int argc, char **argv)
{
	size_t count;
	const struct case_bench_def *b = case_bench_table(&count);
	const struct case_param_def *p = case_param_table();

	(void)argv;
	if (argc > 1)
		return complain(EXIT_USAGE, "list takes no arguments");
	for (size_t i = 0; i < count; i++) {
		printf("%s%s\n    %s\n", b[i].name,
		       bench_find(b[i].name) ? "" : " (not in this binary)", b[i].help);
		for (int k = 0; k < PARAM_COUNT; k++)
			if (b[i].takes & 1u << k) {
				printf("    %-6s %s", p[k].name, p[k].help);
				if (p[k].unit == UNIT_WORD)
					list_words(&b[i], (enum case_param)k);
				puts(b[i].must & 1u << k ? "; must be given" : "");
			}
	}
	return 0;
}

static int command_check(int argc, char **argv)
{
	struct reason w = {""};
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	int status = EXIT_TROUBLE, fd;

	if (argc != 2)
		return complain(EXIT_USAGE, "check takes one file");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !(text = malloc((size_t)st.st_size + 1))) {
		reason_set(&w, "%.128s: %s", argv[1], strerror(errno));
		complain(status, w.text);
		goto out;
	}
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	switch (emit_check(text, len)) {
	case EMIT_WHOLE:
		status = 0;
		printf("%s: whole\n", argv[1]);
		break;
	case EMIT_EMPTY:
		status = EXIT_INVALID;
		printf("%s: empty\n", argv[1]);
		break;
	case EMIT_TORN:
		status = EXIT_INVALID;
		printf("%s: torn: no closing line, or its length or CRC differs\n", argv[1]);
		break;
	}
out:
	if (fd >= 0)
		close(fd);
	free(text);
	return status;
}

static int command_one(int argc, char **argv)
{
	return suite_one(argc - 1, argv + 1);
}

static int command_help(int argc, char **argv)
{
	(void)argc, (void)argv;
	fputs(usage_text, stdout);
	return 0;
}

static int command_version(int argc, char **argv)
{
	(void)argc, (void)argv;
	printf("foldbench %s, result format %d\n", FOLDWATCH_VERSION, FORMAT);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
        {"run", command_run},     {"list", command_list},         {"check", command_check},
        {SUITE_ONE, command_one}, {"--help", command_help},       {"-h", command_help},
        {"help", command_help},   {"--version", command_version},
};

int main(int argc, char **argv)
{
	if (getpid() == 1)
		init_main();
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	if (argc > 1)
		fprintf(stderr, "foldbench: unknown command \"%.64s\"\n", argv[1]);
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}
