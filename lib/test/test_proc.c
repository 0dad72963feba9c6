#include "lib/proc.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SH(script)                       \
	(const char *const[])            \
	{                                \
		"sh", "-c", script, NULL \
	}

static void expect_run(const struct proc_spec *spec, enum err expected, const char *output,
                       const char *reason)
{
	struct why w = {""};
	struct buf out;
	enum err e;

	buf_init(&out, 1 << 20);
	e = proc_run(spec, &out, &w);
	if (e != expected)
		fail_msg("got %d (%s), wanted %d", e, w.text, expected);
	if (output)
		assert_string_equal(out.data, output);
	if (reason)
		assert_string_equal(w.text, reason);
	buf_release(&out);
}

/* Gone, or a zombie that its new parent did not reap yet. */
static bool dead(pid_t pid)
{
	char path[64], line[256] = "";
	const char *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	state = strrchr(line, ')');
	return !state || state[2] == 'Z' || state[2] == 'X';
}

static bool dies_soon(pid_t pid)
{
	int64_t until = clock_mono_ns() + 50 * NS_PER_S;

	while (clock_mono_ns() < until) {
		if (dead(pid))
			return true;
		poll(NULL, 0, 5);
	}
	return false;
}

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void runs_and_takes_output(void **state)
{
	(void)state;
	expect_run(&(struct proc_spec){.argv = SH("echo one; echo two >&2")}, OK, "one\ntwo\n",
	           NULL);
	expect_run(&(struct proc_spec){.argv = SH("true")}, OK, "", NULL);
	assert_int_equal(proc_run(&(struct proc_spec){.argv = SH("echo x")}, NULL, NULL), OK);
}

static void tells_how_it_ended(void **state)
{
	char words[80];

	(void)state;
	expect_run(&(struct proc_spec){.argv = SH("echo a; echo '  fatal: no such ref  '; echo; "
	                                          "exit 128")},
	           ERR_IO, NULL, "\"sh\" exited with 128: fatal: no such ref");
	expect_run(&(struct proc_spec){.argv = SH("exit 2")}, ERR_IO, "", "\"sh\" exited with 2");
	expect_run(&(struct proc_spec){.argv = SH("kill -9 $$")}, ERR_IO, "",
	           "\"sh\" was killed by signal 9 (Killed)");
	expect_run(&(struct proc_spec){.argv = SH("printf '\\377\\001\\n'; exit 1")}, ERR_IO, NULL,
	           "\"sh\" exited with 1: ? ");
	proc_status_words(0x0200, words, sizeof(words));
	assert_string_equal(words, "exited with 2");
	proc_status_words(SIGSEGV, words, sizeof(words));
	assert_string_equal(words, "was killed by signal 11 (Segmentation fault)");
}

static void tells_what_cannot_run(void **state)
{
	char file[] = "/tmp/proc-test-XXXXXX";
	char *reason;
	int before = open_descriptors();
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	expect_run(&(struct proc_spec){.argv = (const char *const[]){"no-such-program", NULL}},
	           ERR_IO, "", "cannot run \"no-such-program\": no such program in PATH");
	expect_run(&(struct proc_spec){.argv = (const char *const[]){"/no/such", NULL}}, ERR_IO, "",
	           "cannot run \"/no/such\": No such file or directory");
	expect_run(&(struct proc_spec){.argv = (const char *const[]){"", NULL}}, ERR_IO, "",
	           "cannot run \"\": no such program in PATH");
	expect_run(&(struct proc_spec){.argv = (const char *const[]){NULL}}, ERR_INPUT, "",
	           "no program was named");
	reason = xasprintf("cannot run \"%s\": Permission denied", file);
	expect_run(&(struct proc_spec){.argv = (const char *const[]){file, NULL}}, ERR_IO, "",
	           reason);
	free(reason);
	expect_run(&(struct proc_spec){.argv = SH("true"), .dir = "/no/dir"}, ERR_IO, "",
	           "cannot run \"sh\" in \"/no/dir\": No such file or directory");
	expect_run(&(struct proc_spec){.argv = SH("true"), .out_path = "/no/dir/log"}, ERR_IO, "",
	           "cannot open \"/no/dir/log\": No such file or directory");
	unlink(file);
	assert_int_equal(open_descriptors(), before);
}

static void gives_directory_environment_and_input(void **state)
{
	const char *const env[] = {"A=1", "B=two words", NULL};
	struct why w;
	char *text;

	(void)state;
	expect_run(&(struct proc_spec){.argv = SH("pwd"), .dir = "/usr"}, OK, "/usr\n", NULL);
	expect_run(&(struct proc_spec){.argv = SH("echo $A $B $HOME"), .env = env}, OK,
	           "1 two words\n", NULL);
	expect_run(&(struct proc_spec){.argv = SH("cat"), .input = "given\n"}, OK, "given\n", NULL);
	expect_run(&(struct proc_spec){.argv = SH("cat")}, OK, "", NULL);
	text = xmalloc(60 * 1024 + 2);
	memset(text, 'x', 60 * 1024 + 1);
	text[60 * 1024 + 1] = '\0';
	assert_int_equal(proc_run(&(struct proc_spec){.argv = SH("cat"), .input = text}, NULL, &w),
	                 ERR_TOO_LARGE);
	text[60 * 1024] = '\0';
	expect_run(&(struct proc_spec){.argv = SH("cat"), .input = text}, OK, text, NULL);
	free(text);
	expect_run(
	        &(struct proc_spec){.argv = SH("read a b; echo $a"), .input_path = "/proc/version"},
	        OK, "Linux\n", NULL);
	assert_int_equal(proc_run(&(struct proc_spec){.argv = SH("cat"), .input_path = "/no/file"},
	                          NULL, &w),
	                 ERR_IO);
	assert_string_equal(w.text, "cannot open \"/no/file\": No such file or directory");
}

static void child_starts_clean(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, was;
	sigset_t block, before;
	int leak = fcntl(STDOUT_FILENO, F_DUPFD, 57);

	(void)state;
	assert_int_equal(leak, 57); /* not close-on-exec */
	sigaction(SIGPIPE, &ignore, &was);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	/* glibc keeps 32 and 33 to itself, and its posix_spawn (make's) hands them
	 * on ignored: that digit says nothing of ours. */
	expect_run(&(struct proc_spec){.argv = SH("sed -nE '/^Sig(Blk|Ign):/s/\t0{7}[01][08]/\t/p' "
	                                          "/proc/self/status")},
	           OK, "SigBlk:\t0000000\nSigIgn:\t0000000\n", NULL);
	expect_run(&(struct proc_spec){.argv = SH("test -e /proc/self/fd/57 && echo leaked; "
	                                          "test -e /proc/self/fd/2 && echo two; exit 0")},
	           OK, "two\n", NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	sigaction(SIGPIPE, &was, NULL);
	close(leak);
}

static void works_with_standard_descriptors_closed(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid) {
		struct buf out;

		close(0);
		close(1);
		close(2);
		buf_init(&out, 100);
		if (proc_run(&(struct proc_spec){.argv = SH("cat; echo e >&2"), .input = "i\n"},
		             &out, NULL))
			_exit(1);
		_exit(strcmp(out.data, "i\ne\n") ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void survives_an_ignored_sigchld(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, was;

	(void)state;
	sigaction(SIGCHLD, &ignore, &was);
	expect_run(&(struct proc_spec){.argv = SH("exit 4")}, ERR_IO, "", "\"sh\" exited with 4");
	sigaction(SIGCHLD, &was, NULL);
}

static void a_deadline_ends_it(void **state)
{
	int64_t start = clock_mono_ns();

	(void)state;
	expect_run(&(struct proc_spec){.argv = SH("echo at work; sleep 600"),
	                               .timeout_ns = 3 * NS_PER_S},
	           ERR_TIMEOUT, "at work\n", "\"sh\" did not end within 3 s: at work");
	assert_true(clock_mono_ns() - start < 300 * NS_PER_S);
}

static void one_that_ignores_sigterm_is_killed_later(void **state)
{
	int64_t start = clock_mono_ns(), took;

	(void)state;
	expect_run(&(struct proc_spec){.argv = SH("trap '' TERM; while :; do sleep 60; done"),
	                               .timeout_ns = 100 * NS_PER_MS},
	           ERR_TIMEOUT, "", "\"sh\" did not end within 0.1 s");
	took = clock_mono_ns() - start;
	assert_true(took >= 5 * NS_PER_S);
}

static void stop_reaches_a_stopped_group(void **state)
{
	struct proc p;
	siginfo_t info;

	(void)state;
	proc_init(&p, 100, 100);
	assert_int_equal(
	        proc_start(&p, &(struct proc_spec){.argv = SH("kill -STOP $$; sleep 60")}, NULL),
	        OK);
	assert_int_equal(waitid(P_PID, (id_t)p.pid, &info, WSTOPPED | WNOWAIT), 0);
	assert_false(proc_poll(&p));
	assert_true(proc_next_ns(&p) == INT64_MAX);
	proc_stop(&p);
	assert_true(proc_next_ns(&p) < INT64_MAX);
	while (!proc_poll(&p))
		poll(NULL, 0, 5);
	assert_true(WIFSIGNALED(p.status) && WTERMSIG(p.status) == SIGTERM);
	assert_false(p.timed_out);
	proc_release(&p);
}

static void nothing_of_the_group_is_left(void **state)
{
	struct buf out;
	struct proc p;
	pid_t pid;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(
	        proc_run(&(struct proc_spec){.argv = SH("sleep 60 & echo $!; exit 0")}, &out, NULL),
	        OK);
	pid = (pid_t)strtol(out.data, NULL, 10);
	assert_true(pid > 1);
	assert_true(dies_soon(pid));
	buf_release(&out);

	proc_init(&p, 100, 100);
	assert_int_equal(proc_start(&p,
	                            &(struct proc_spec){.argv = SH("sleep 60 & echo $!; sleep 60")},
	                            NULL),
	                 OK);
	while (!memchr(p.head.data, '\n', p.head.len)) {
		struct pollfd fd = {.fd = p.out_fd, .events = POLLIN};

		poll(&fd, 1, 1000);
		assert_true(proc_read(&p, NULL, NULL));
	}
	pid = (pid_t)strtol(p.head.data, NULL, 10);
	assert_true(pid > 1 && !dead(pid));
	proc_release(&p);
	assert_true(dies_soon(pid));
	assert_int_equal(p.pid, 0);
}

static void does_not_wait_for_who_left_the_group(void **state)
{
	int64_t start = clock_mono_ns();

	(void)state;
	/* It holds the pipe's other end for a minute */
	expect_run(&(struct proc_spec){.argv = SH("setsid sleep 60 & sleep 0.2; echo done")}, OK,
	           "done\n", NULL);
	assert_true(clock_mono_ns() - start < 50 * NS_PER_S);
}

static void dies_with_its_supervisor(void **state)
{
	int ends[2], status;
	pid_t middle, pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	middle = fork();
	if (!middle) {
		struct proc p;

		proc_init(&p, 100, 100);
		if (proc_start(&p, &(struct proc_spec){.argv = SH("sleep 60; :")}, NULL))
			_exit(1);
		if (write(ends[1], &p.pid, sizeof(p.pid)) != sizeof(p.pid))
			_exit(1);
		pause();
		_exit(1);
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	assert_false(dead(pid));
	kill(middle, SIGKILL);
	assert_int_equal(waitpid(middle, &status, 0), middle);
	assert_true(dies_soon(pid));
	close(ends[0]);
	close(ends[1]);
}

struct sum {
	uint64_t bytes;
};

static void add(void *ctx, const char *data, size_t len)
{
	(void)data;
	((struct sum *)ctx)->bytes += len;
}

static void wait_to_end(struct proc *p, struct sum *sum)
{
	while (!proc_poll(p)) {
		struct pollfd fds[2] = {{.fd = p->out_fd, .events = POLLIN},
		                        {.fd = p->pid_fd, .events = POLLIN}};

		poll(fds, 2, 50);
		proc_read(p, add, sum);
	}
	while (proc_read(p, add, sum))
		;
}

static void keeps_head_and_tail(void **state)
{
	struct sum sum = {0};
	struct proc p;

	(void)state;
	proc_init(&p, 10, 12);
	assert_int_equal(proc_start(&p, &(struct proc_spec){.argv = SH("seq 1 200000")}, NULL), OK);
	wait_to_end(&p, &sum);
	assert_string_equal(p.head.data, "1\n2\n3\n4\n5\n");
	assert_string_equal(p.tail.data, "9999\n200000\n");
	assert_true(p.out_bytes == 1288895 && sum.bytes == p.out_bytes);
	assert_int_equal(p.out_fd, -1);
	assert_false(proc_read(&p, NULL, NULL));
	assert_true(WIFEXITED(p.status) && !WEXITSTATUS(p.status));
	proc_release(&p);

	/* to the last byte of the head, and one more */
	proc_init(&p, 3, 5);
	assert_int_equal(proc_start(&p, &(struct proc_spec){.argv = SH("printf abc")}, NULL), OK);
	wait_to_end(&p, &sum);
	assert_string_equal(p.head.data, "abc");
	assert_int_equal(p.tail.len, 0);
	proc_release(&p);
	assert_int_equal(proc_start(&p, &(struct proc_spec){.argv = SH("printf abcd")}, NULL), OK);
	wait_to_end(&p, &sum);
	assert_string_equal(p.head.data, "abc");
	assert_string_equal(p.tail.data, "d");
	proc_release(&p);
}

static void caps_what_it_hands_out(void **state)
{
	struct buf out;
	struct why w;

	(void)state;
	buf_init(&out, 1001);
	assert_int_equal(proc_run(&(struct proc_spec){.argv = SH("yes | head -c 30000000; "
	                                                         "echo; echo last; exit 1")},
	                          &out, &w),
	                 ERR_IO);
	assert_string_equal(w.text, "\"sh\" exited with 1: last");
	assert_int_equal(out.len, 1001);
	assert_true(out.full);
	assert_memory_equal(out.data + 999, "\ny", 2);
	buf_release(&out);
}

static void an_endless_writer_is_stopped(void **state)
{
	(void)state;
	assert_int_equal(
	        proc_run(&(struct proc_spec){.argv = SH("exec yes"), .timeout_ns = 200 * NS_PER_MS},
	                 NULL, NULL),
	        ERR_TIMEOUT);
}

static void appends_to_a_file(void **state)
{
	char file[] = "/tmp/proc-test-XXXXXX";
	int fd = mkstemp(file);
	char text[100];
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	expect_run(&(struct proc_spec){.argv = SH("echo a; echo b >&2"), .out_path = file}, OK, "",
	           NULL);
	expect_run(&(struct proc_spec){.argv = SH("echo c; exit 1"), .out_path = file}, ERR_IO, "",
	           "\"sh\" exited with 1");
	n = read(fd, text, sizeof(text));
	assert_int_equal(n, 6);
	assert_memory_equal(text, "a\nb\nc\n", 6);
	close(fd);
	unlink(file);
}

static void leaves_standard_error_alone(void **state)
{
	int was = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	(void)state;
	dup2(null, STDERR_FILENO);
	expect_run(&(struct proc_spec){.argv = SH("echo out; echo err >&2"), .out_only = true}, OK,
	           "out\n", NULL);
	dup2(was, STDERR_FILENO);
	close(was);
	close(null);
}

static void leaks_no_descriptor(void **state)
{
	int before = open_descriptors(), i;

	(void)state;
	for (i = 0; i < 20; i++)
		expect_run(&(struct proc_spec){.argv = SH("cat"), .input = "x"}, OK, "x", NULL);
	assert_int_equal(open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(runs_and_takes_output),
	        cmocka_unit_test(tells_how_it_ended),
	        cmocka_unit_test(tells_what_cannot_run),
	        cmocka_unit_test(gives_directory_environment_and_input),
	        cmocka_unit_test(child_starts_clean),
	        cmocka_unit_test(works_with_standard_descriptors_closed),
	        cmocka_unit_test(survives_an_ignored_sigchld),
	        cmocka_unit_test(a_deadline_ends_it),
	        cmocka_unit_test(one_that_ignores_sigterm_is_killed_later),
	        cmocka_unit_test(stop_reaches_a_stopped_group),
	        cmocka_unit_test(nothing_of_the_group_is_left),
	        cmocka_unit_test(does_not_wait_for_who_left_the_group),
	        cmocka_unit_test(dies_with_its_supervisor),
	        cmocka_unit_test(keeps_head_and_tail),
	        cmocka_unit_test(caps_what_it_hands_out),
	        cmocka_unit_test(an_endless_writer_is_stopped),
	        cmocka_unit_test(appends_to_a_file),
	        cmocka_unit_test(leaves_standard_error_alone),
	        cmocka_unit_test(leaks_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
