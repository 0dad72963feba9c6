#include "cli/test/place.h"

#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int place_setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	char cwd[4096], *extra;
	struct daemon *d;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	extra = xasprintf("kernel_dir = %s/kernel\n", cwd);
	d = daemon_new(extra);
	free(extra);
	daemon_start(d);
	p->f = fake_new(d);
	p->dir = path_join(d->dir, "user");
	assert_int_equal(mkdir(p->dir, 0700), 0);
	p->server = xasprintf("FOLDWATCH_SERVER=%s", d->base);
	p->submit = xasprintf("FOLDWATCH_TOKEN=%s", p->f->submit);
	p->admin = xasprintf("FOLDWATCH_TOKEN=%s", d->admin);
	*state = p;
	return 0;
}

int place_teardown(void **state)
{
	struct place *p = *state;
	struct daemon *d = p->f->d;

	fake_free(p->f);
	if (d->pid)
		daemon_stop(d);
	daemon_free(d);
	free(p->dir);
	free(p->server);
	free(p->submit);
	free(p->admin);
	free(p);
	return 0;
}

char *number(int64_t n)
{
	return xasprintf("%lld", (long long)n);
}

int64_t submitted(struct place *p)
{
	json_t *sub;
	int64_t id;

	json_of(p, p->submit, &sub, "submit", "--baseline", "base", "--kernel",
	        "base=" TREE "#v6.12", "--kernel", "slow=" TREE "#next,config=contpte-y", "--case",
	        CASE, "--case", CASE_9, "--boots", "8");
	id = int_at(sub, "id");
	assert_string_equal(str_at(sub, "title"), "slow against base");
	assert_string_equal(str_at(sub, "baseline"), "base");
	assert_string_equal(str_at(sub, "kernels.1.config"), "contpte-y");
	assert_int_equal(int_at(sub, "plan.boots"), 8);
	json_decref(sub);
	return id;
}

void finish(struct place *p, int64_t id, const char *state)
{
	json_t *sub;

	fake_work(p->f);
	sub = fake_await(p->f, id, state);
	json_decref(sub);
}
