/*
 * boot.c - see boot.h: staging, and running the machine.
 */
#include "agent/boot.h"

#include "agent/cache.h"
#include "agent/disk.h"
#include "agent/initramfs.h"
#include "agent/outfile.h"
#include "agent/profiling.h"
#include "agent/sandbox.h"
#include "agent/watch.h"
#include "lib/client.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONSOLE_MAX (INT64_C(64) << 20)
#define QEMU_OVER   (INT64_C(8) << 30) /* address space of QEMU besides the guest's memory */
#define AFTER_FATAL (10 * NS_PER_S)
#define AFTER_END   (10 * NS_PER_S)
#define LOOK_MS     100
#define PLAN_MAX    (256 << 10)
#define TOKEN_MAX   4096

static const struct json_field spec_fields[] = {
        {"kernel", JSON_INT, offsetof(struct boot_spec, kernel), JSON_NULLOK, 0, INT64_MAX, NULL},
        {"name", JSON_STR, offsetof(struct boot_spec, name), JSON_NULLOK, 0, 0, NULL},
        {"board", JSON_STR, offsetof(struct boot_spec, board), JSON_MUST, 1, 64, NULL},
        {"image", JSON_STR, offsetof(struct boot_spec, image), JSON_MUST, 64, 64, NULL},
        {"vmlinux", JSON_STR, offsetof(struct boot_spec, vmlinux), JSON_NULLOK, 64, 64, NULL},
        {"build_ids", JSON_ARR, offsetof(struct boot_spec, build_ids), JSON_MUST, 0, 64, NULL},
        {"nonce", JSON_STR, offsetof(struct boot_spec, nonce), JSON_MUST, 16, 16, NULL},
        {"plan", JSON_STR, offsetof(struct boot_spec, plan), JSON_MUST | JSON_TEXT, 1, PLAN_MAX,
         NULL},
        {"phase", JSON_INT, offsetof(struct boot_spec, phase), JSON_NULLOK, 0, 1000000, NULL},
        {"phase_pages", JSON_INT, offsetof(struct boot_spec, phase_pages), JSON_NULLOK, 0, 9999,
         NULL},
        {"replicate", JSON_INT, offsetof(struct boot_spec, replicate), JSON_NULLOK, 0, 1000000,
         NULL},
        {"metric", JSON_STR, offsetof(struct boot_spec, metric), JSON_MUST, 1, 12, NULL},
        {"memory_bytes", JSON_INT, offsetof(struct boot_spec, memory_bytes), JSON_MUST,
         QEMU_MEMORY_MIN, QEMU_MEMORY_MAX, NULL},
        {"health", JSON_BOOL, offsetof(struct boot_spec, health), JSON_NULLOK, 0, 0, NULL},
        {"files", JSON_BOOL, offsetof(struct boot_spec, files), JSON_NULLOK, 0, 0, NULL},
        {"timeout_s", JSON_INT, offsetof(struct boot_spec, timeout_s), JSON_NULLOK, 1, 1000000,
         NULL},
        {0},
};

static bool plain_metric(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz")];
}

/* Both stand in a command line, where a blank would begin another word. */
static enum err check_words(const struct boot_spec *s, struct why *w)
{
	if (!hex_is(s->nonce, 16))
		return err_set(w, ERR_INPUT, "spec.nonce: expected 16 hex digits, got \"%s\"",
		               s->nonce);
	if (!hex_is(s->image, 64))
		return err_set(w, ERR_INPUT, "spec.image: expected 64 hex digits, got \"%s\"",
		               s->image);
	if (s->vmlinux && !hex_is(s->vmlinux, 64))
		return err_set(w, ERR_INPUT, "spec.vmlinux: expected 64 hex digits, got \"%s\"",
		               s->vmlinux);
	if (!plain_metric(s->metric))
		return err_set(w, ERR_INPUT, "spec.metric: expected a word, got \"%s\"", s->metric);
	return OK;
}

enum err boot_open(struct boot *b, const struct step *s, struct why *w)
{
	const struct agent_conf *c = s->conf;
	enum err e;
	size_t i;

	*b = (struct boot){.step = s,
	                   .hold_fd = -1,
	                   .hold_vmlinux_fd = -1,
	                   .console_fd = -1,
	                   .fail = FAIL_INFRA};
	buf_init(&b->result_text, RESULT_MAX);
	b->spec.timeout_s = c->boot_timeout_s;
	e = json_decode((json_t *)s->spec, "spec", spec_fields, &b->spec, w);
	if (!e)
		e = check_words(&b->spec, w);
	if (e)
		return e;
	for (i = 0; i < c->boards; i++) {
		if (str_eq(c->board[i].name, b->spec.board))
			b->board = &c->board[i];
	}
	if (!b->board)
		return err_set(w, ERR_NOT_FOUND, "this agent has no board \"%s\"", b->spec.board);
	b->deadline_s =
	        b->spec.timeout_s < c->boot_timeout_s ? b->spec.timeout_s : c->boot_timeout_s;
	b->sandboxed = !sandbox_probe(NULL);
	b->run_dir = path_join(s->dir, "run");
	b->initramfs = path_join(s->dir, "initramfs.cpio");
	b->console_path = path_join(b->run_dir, "console");
	b->result_path = path_join(b->run_dir, "result.jsonl");
	console_init(&b->console, b->spec.nonce);
	return qemu_version(b->board->qemu, &b->qemu, w);
}

void boot_close(struct boot *b)
{
	char *const owned[] = {b->run_dir,   b->image,        b->vmlinux,    b->disk,
	                       b->initramfs, b->console_path, b->result_path};
	size_t i;

	/* Some 100M that nobody looks at again. */
	if (b->disk)
		unlink(b->disk);
	if (b->hold_fd >= 0)
		close(b->hold_fd);
	if (b->hold_vmlinux_fd >= 0)
		close(b->hold_vmlinux_fd);
	if (b->console_fd >= 0)
		close(b->console_fd);
	if (b->console.scan)
		console_release(&b->console);
	result_release(&b->result);
	buf_release(&b->result_text);
	for (i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
}

/* ---- staging */

static enum err download(const struct boot *b, const char *sha256, const char *path, struct why *w)
{
	const struct agent_conf *c = b->step->conf;
	struct client *client;
	struct buf token;
	enum err e;

	buf_init(&token, TOKEN_MAX);
	e = c->token_file ? file_read(c->token_file, &token, w) : OK;
	if (!e) {
		token.data[strcspn(token.data, " \t\r\n")] = '\0';
		client = client_new(c->server, token.len ? token.data : NULL,
		                    "foldwatch-agent/" FOLDWATCH_VERSION);
		step_progress(b->step, "download", 0, -1);
		e = client_get_artifact(client, sha256, path, w);
		client_free(client);
	}
	buf_release(&token);
	return e;
}

/* images/SHA256/NAME, from an earlier boot or from the server. */
static enum err get_file(const struct boot *b, const char *sha256, const char *name, char **path,
                         int *hold_fd, struct why *w)
{
	char *entry = xasprintf("images/%s", sha256), *dir;
	char hex[SHA256_HEX] = "";
	enum err e = OK;

	*hold_fd = cache_hold(b->step->conf->dir, entry, w);
	dir = path_join(b->step->conf->dir, entry);
	*path = path_join(dir, name);
	free(dir);
	free(entry);
	if (*hold_fd < 0)
		return ERR_IO;
	/* Kept from an earlier boot, and still what it was? */
	if (hash_file(*path, hex, NULL, NULL) || !str_eq(hex, sha256))
		e = download(b, sha256, *path, w);
	return e;
}

static enum err get_image(struct boot *b, struct why *w)
{
	enum err e = get_file(b, b->spec.image, "Image", &b->image, &b->hold_fd, w);

	return err_at(w, e, "image %.12s", b->spec.image);
}

/* Only its function names are of use, and only for a profile. */
static enum err get_vmlinux(struct boot *b, struct why *w)
{
	enum err e = OK;

	if (b->spec.vmlinux && b->board->profile == PROFILE_DETERMINISTIC)
		e = get_file(b, b->spec.vmlinux, "vmlinux", &b->vmlinux, &b->hold_vmlinux_fd, w);
	return err_at(w, e, "vmlinux %.12s", b->spec.vmlinux ? b->spec.vmlinux : "");
}

static enum err check_image(struct boot *b, struct why *w)
{
	struct why said;
	const char *rest;
	size_t quoted = strlen(b->image) + 2;
	enum err e = image_probe(b->image, &b->image_facts, &said);

	if (!e)
		return OK;
	b->fail = e == ERR_INPUT ? FAIL_BOOT : FAIL_INFRA;
	/* Where the agent keeps it says nothing to who sent it. */
	rest = said.text[0] == '"' && strlen(said.text) > quoted ? said.text + quoted : NULL;
	return err_set(w, e, "image %.12s%s%.700s", b->spec.image, rest ? "" : ": ",
	               rest ? rest : said.text);
}

/* The log of the cases counts without it, too: the boot goes on and says so. */
static void make_disk(struct boot *b)
{
	b->disk = path_join(b->run_dir, "disk");
	if (!disk_make(b->disk, &b->disk_why))
		return;
	log_warn("boot.no_disk", "why", b->disk_why.text, NULL);
	free(b->disk);
	b->disk = NULL;
}

enum err boot_stage(struct boot *b, struct why *w)
{
	const struct step *s = b->step;
	enum err e;

	step_progress(s, "stage", 0, -1);
	e = cache_evict(s->conf->dir, (uint64_t)s->conf->disk_reserve_bytes, NULL, w);
	if (!e)
		e = get_image(b, w);
	if (e)
		return e;
	e = check_image(b, w);
	if (!e)
		e = get_vmlinux(b, w);
	if (e)
		return e;
	if (!json_array_size(b->spec.build_ids)) {
		b->fail = FAIL_BOOT;
		return err_set(
		        w, ERR_UNPROCESSABLE,
		        "the image carries no GNU build-id: its boots could not be told from "
		        "others");
	}
	if (!s->conf->foldbench)
		return err_set(w, ERR_NOT_FOUND,
		               "the agent's configuration names no foldbench for guests");
	dir_remove(b->run_dir, NULL);
	e = dir_make(b->run_dir, 0700, w);
	if (!e && b->spec.files)
		make_disk(b);
	if (!e)
		e = initramfs_write(b->initramfs, s->conf->foldbench, b->spec.plan,
		                    strlen(b->spec.plan), w);
	return e;
}

/* ---- running */

void boot_qemu(const struct boot *b, struct qemu_boot *q)
{
	*q = (struct qemu_boot){.board = b->board,
	                        .memory_bytes = b->spec.memory_bytes,
	                        .nonce = b->spec.nonce,
	                        .metric = b->spec.metric,
	                        .phase_pages = b->spec.phase_pages,
	                        .image = b->sandboxed ? "/in/Image" : b->image,
	                        .initramfs = b->sandboxed ? "/in/initramfs.cpio" : b->initramfs,
	                        .console = b->sandboxed ? "/run/console" : b->console_path,
	                        .result = b->sandboxed ? "/run/result.jsonl" : b->result_path,
	                        .disk = b->disk && b->sandboxed ? "/run/disk" : b->disk,
	                        .plugin = b->plugin};
}

/* An emulator is no security boundary, and what it runs is other people's
 * code: where the sandbox can be had, it sees its four files and nothing else. */
static void make_argv(const struct boot *b, struct argv *a)
{
	char *qemu_dir = xstrdup(b->board->qemu), *slash = strrchr(qemu_dir, '/');
	struct sandbox_mount mounts[6] = {{b->image, "/in/Image", false},
	                                  {b->initramfs, "/in/initramfs.cpio", false},
	                                  {b->run_dir, "/run", true}};
	struct sandbox box = {.mounts = mounts,
	                      .mount_count = 3,
	                      .dir = "/run",
	                      .device = qemu_has_kvm() ? "/dev/kvm" : NULL,
	                      .memory_bytes = b->spec.memory_bytes + QEMU_OVER,
	                      .file_bytes = CONSOLE_MAX + RESULT_MAX + (b->disk ? DISK_BYTES : 0),
	                      .processes = 512};
	struct qemu_boot q;

	if (slash && !str_starts(qemu_dir, "/usr/")) {
		*slash = '\0';
		mounts[box.mount_count++] = (struct sandbox_mount){qemu_dir, qemu_dir, false};
	}
	if (b->plugin) {
		mounts[box.mount_count++] =
		        (struct sandbox_mount){b->plugin_file, PROFILING_PLUGIN, false};
		mounts[box.mount_count++] =
		        (struct sandbox_mount){b->plugin_runs, PROFILING_RUNS, false};
	}
	boot_qemu(b, &q);
	if (b->sandboxed) {
		sandbox_begin(&box, a);
	} else {
		argv_add(a, "prlimit", "--core=0", NULL);
		argv_addf(a, "--as=%" PRId64, box.memory_bytes);
		argv_addf(a, "--fsize=%" PRId64, box.file_bytes);
	}
	qemu_argv(&q, a);
	free(qemu_dir);
}

/* Everything the console holds by now. */
static void read_console(struct boot *b)
{
	char data[65536];
	ssize_t n;

	if (b->console_fd < 0)
		b->console_fd =
		        open(b->console_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	while (b->console_fd >= 0 && (int64_t)b->console.bytes < CONSOLE_MAX &&
	       (n = read(b->console_fd, data, sizeof(data))) > 0) {
		console_feed(&b->console, data, (size_t)n);
		/* The job's live log is this console. */
		watch_log(data, (size_t)n);
	}
}

static int64_t file_bytes(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_size;
}

struct since {
	int64_t fatal_ns, end_ns, shown_case;
};

/* Should the machine be ended now? */
static bool is_over(struct boot *b, struct since *s)
{
	int64_t now = clock_mono_ns();

	if (!s->fatal_ns && scan_fatal(b->console.scan))
		s->fatal_ns = now;
	if (!s->end_ns && (b->console.ended || b->console.failed[0]))
		s->end_ns = now;
	/* A fatal line is followed by what explains it. */
	if (s->fatal_ns && now - s->fatal_ns > AFTER_FATAL)
		b->end = BOOT_FATAL;
	else if (s->end_ns && now - s->end_ns > AFTER_END)
		b->end = BOOT_LINGERED;
	else if ((int64_t)b->console.bytes >= CONSOLE_MAX ||
	         file_bytes(b->result_path) > RESULT_MAX)
		b->end = BOOT_FLOOD;
	else
		return false;
	return true;
}

static enum err show(struct boot *b, struct since *s, struct why *w)
{
	const struct console *c = &b->console;

	if (c->began && !b->marked_booted) {
		b->marked_booted = true;
		step_progress(b->step, "measure", 0, c->cases ? c->cases : -1);
		return b->step->mark(b->step->mark_ctx, "booted", w);
	}
	if (c->case_number != s->shown_case) {
		s->shown_case = c->case_number;
		/* The case that runs is not done yet. */
		step_progress(b->step, "measure", c->case_number - 1, c->cases);
	}
	return OK;
}

static enum err watch_machine(struct boot *b, struct proc *p, struct why *w)
{
	struct since since = {0};
	bool ending = false;
	enum err e = OK;

	while (!proc_poll(p)) {
		struct pollfd fds[2] = {{.fd = p->out_fd, .events = POLLIN},
		                        {.fd = p->pid_fd, .events = POLLIN}};

		poll(fds, 2, LOOK_MS);
		proc_read(p, NULL, NULL);
		read_console(b);
		e = show(b, &since, w);
		if (!ending && (e || is_over(b, &since))) {
			ending = true;
			proc_stop(p);
		}
		if (e)
			break;
	}
	proc_read(p, NULL, NULL);
	read_console(b);
	console_end(&b->console);
	b->ended_ns = clock_mono_ns();
	if (!e)
		e = show(b, &since, w);
	if (!e && p->timed_out)
		b->end = BOOT_DEADLINE;
	else if (!e && !ending && (!WIFEXITED(p->status) || WEXITSTATUS(p->status)))
		b->end = BOOT_DIED;
	return e;
}

static void say_how_it_died(struct boot *b, const struct proc *p)
{
	char words[80], line[300];
	struct buf clean;
	size_t n;

	proc_status_words(p->status, words, sizeof(words));
	buf_init(&clean, 16384);
	utf8_scrub(&clean, p->head.data, p->head.len);
	n = strcspn(clean.data, "\n");
	snprintf(line, sizeof(line), "%.*s", (int)(n < 290 ? n : 290), clean.data);
	snprintf(b->died, sizeof(b->died), "%s %s%s%s", path_base(b->board->qemu), words,
	         line[0] ? ": " : "", line);
	buf_release(&clean);
}

enum err boot_run(struct boot *b, struct why *w)
{
	struct proc_spec spec = {.timeout_ns = b->deadline_s * NS_PER_S};
	struct argv a = {0}, env = {0};
	struct proc p;
	enum err e;

	make_argv(b, &a);
	argv_add(&env, "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", NULL);
	argv_pass_env(&env, "FOLDWATCH_JOB_DIR");
	spec.argv = argv_list(&a);
	spec.env = argv_list(&env);
	spec.dir = b->run_dir;
	step_progress(b->step, "boot", 0, -1);
	b->started_ns = clock_mono_ns();
	proc_init(&p, 4096, 0);
	e = proc_start(&p, &spec, w);
	if (!e)
		e = watch_machine(b, &p, w);
	if (!e)
		say_how_it_died(b, &p);
	proc_release(&p);
	argv_release(&a);
	argv_release(&env);
	return e;
}

enum err boot_collect(struct boot *b, struct why *w)
{
	struct result_want want = {
	        .nonce = b->spec.nonce, .metric = b->spec.metric, .build_ids = b->spec.build_ids};
	enum err e = outfile_read(b->run_dir, "result.jsonl", &b->result_text, w);

	if (e == ERR_TOO_LARGE || e == ERR_INPUT) {
		b->result_state = RESULT_TORN;
		b->result_why = *w;
		buf_reset(&b->result_text);
		return OK;
	}
	if (e && e != ERR_NOT_FOUND)
		return e;
	b->result_state = result_check(b->result_text.data, b->result_text.len, &want, &b->result,
	                               &b->result_why);
	return OK;
}
