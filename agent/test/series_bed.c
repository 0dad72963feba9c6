#include "agent/test/series_bed.h"

#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void series_script(const char *dir, const char *script)
{
	char *all = xasprintf(
	        "set -e; export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t "
	        "GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t GIT_AUTHOR_DATE='1700000000 +0100' "
	        "GIT_COMMITTER_DATE='1700000001 +0000'\n%s",
	        script);

	run_ok(dir, "sh", "-c", all, NULL);
	free(all);
}

void series_bed_init(struct series_bed *b, const char *commits)
{
	bed_init(&b->bed, NULL, "file:///");
	bed_origin(&b->bed);
	b->work = path_join(b->bed.dir, "work");
	series_script(b->bed.origin,
	              "git init -q -b main .\n"
	              "mkdir mm; for i in $(seq 200); do echo line $i; done > mm/a.c\n"
	              "git add -A; git commit -q -m older; echo b > mm/b.c; git add -A\n"
	              "git commit -q -m base; git tag v1");
	series_script(b->bed.dir, "git clone -q origin work");
	series_script(b->work, commits);
	run_line(b->base, sizeof(b->base), b->bed.origin, "git", "rev-parse", "main", NULL);
}

void series_bed_release(struct series_bed *b)
{
	free(b->work);
	bed_release(&b->bed);
}

enum err series_resolve(struct series_bed *b, const char *kind, const char *file, const char *ref,
                        struct step_outcome *out)
{
	json_t *o = json_object(), *s = json_object();
	char *path = path_join(b->work, file), *name, *to, hex[SHA256_HEX];
	struct step *step;
	struct why w;

	assert_int_equal(hash_file(path, hex, NULL, &w), OK);
	json_put_str(o, "tree", b->bed.url);
	json_put_str(o, "ref", ref);
	json_put_str(s, kind, hex);
	json_put(o, "series", s);
	step = bed_job(&b->bed, o);
	name = xasprintf("series-%s", hex);
	to = path_join(b->bed.job_dir, name);
	assert_int_equal(file_copy(path, to, &w), OK);
	free(path);
	free(name);
	free(to);
	*out = (struct step_outcome){.fail = FAIL_NONE};
	return step_resolve(step, out, &w);
}
