#include "agent/test/static_http.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_MAX (64 << 20)

static void send_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len && (n = write(fd, data, len)) > 0; len -= (size_t)n)
		data += n;
}

static void answer(int fd, const char *dir)
{
	static const char moved[] = "/moved/";
	char request[4096], *path, *end;
	ssize_t n = read(fd, request, sizeof(request) - 1);
	struct buf out, file;

	if (n <= 0)
		return;
	request[n] = '\0';
	path = strchr(request, ' ');
	path = path ? path + 1 : request;
	end = path + strcspn(path, " \r\n");
	*end = '\0';
	buf_init(&out, FILE_MAX);
	buf_init(&file, FILE_MAX);
	if (!strncmp(path, moved, strlen(moved))) {
		buf_addf(&out, "HTTP/1.0 302 Found\r\nLocation: /%s\r\n\r\n", path + strlen(moved));
	} else {
		char *name;

		path[strcspn(path, "?")] = '\0';
		name = xasprintf("%s%s", dir, path);
		if (strstr(path, "..") || file_read(name, &file, NULL))
			buf_adds(&out, "HTTP/1.0 404 Not Found\r\n\r\n");
		else
			buf_addf(&out, "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n", file.len);
		free(name);
	}
	send_all(fd, out.data, out.len);
	send_all(fd, file.data, file.len);
	buf_release(&out);
	buf_release(&file);
}

void static_http_start(struct static_http *s, const char *dir)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (!s->pid) {
		signal(SIGPIPE, SIG_IGN);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			int one = accept(fd, NULL, NULL);

			if (one < 0)
				continue;
			answer(one, dir);
			close(one);
		}
	}
	close(fd);
}

void static_http_stop(struct static_http *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}
