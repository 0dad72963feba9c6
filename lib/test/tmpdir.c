#include "lib/test/tmpdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

int tmpdir_setup(void **state)
{
	const char *base = getenv("TMPDIR");
	char *dir;

	must(asprintf(&dir, "%s/foldwatch-test-XXXXXX", base ? base : "/tmp") > 0, "asprintf");
	must(mkdtemp(dir) != NULL, dir);
	*state = dir;
	return 0;
}

static int wipe(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* Not by dir_remove(), which is what some of these tests are about. */
int tmpdir_teardown(void **state)
{
	int rc = nftw(*state, wipe, 64, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return rc;
}

const char *in(const char *dir, const char *name)
{
	static char paths[8][4096];
	static unsigned int turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

void put_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	/* whatever the umask */
	must(f && fchmod(fileno(f), 0600) == 0, path);
	must(fwrite(data, 1, len, f) == len && fclose(f) == 0, path);
}

char *get_file(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t len = 0, n;
	char *text;

	if (!f)
		return NULL;
	text = malloc(1 << 20);
	must(text != NULL, "malloc");
	while ((n = fread(text + len, 1, (1 << 20) - 1 - len, f)) > 0)
		len += n;
	text[len] = '\0';
	fclose(f);
	return text;
}

bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

size_t count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	must(d != NULL, dir);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

int in_child(void (*fn)(void *arg), void *arg, char *err, size_t err_size)
{
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	must(pipe2(fds, O_CLOEXEC) == 0, "pipe2");
	fflush(NULL);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		fn(arg);
		_exit(0);
	}
	close(fds[1]);
	for (;;) {
		char piece[4096];

		n = read(fds[0], piece, sizeof(piece));
		if (n <= 0)
			break;
		if (!err)
			continue;
		if ((size_t)n > err_size - 1 - len)
			n = (ssize_t)(err_size - 1 - len);
		memcpy(err + len, piece, (size_t)n);
		len += (size_t)n;
	}
	if (err)
		err[len] = '\0';
	close(fds[0]);
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return status;
}
