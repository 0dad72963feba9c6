/* straight.c - what the server stores and reads, by SQLite alone. */
#include "tests/bench/bench.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* The tables that a boot's result adds rows to, and which of them are its. */
static const struct {
	const char *name, *where, *conflict;
} tables[] = {
        {"environment",
         "env_id IN (SELECT env_id FROM boot WHERE id = ?1"
         " UNION SELECT traits_id FROM boot WHERE id = ?1)",
         " ON CONFLICT DO NOTHING"},
        {"boot", "id = ?1", ""},
        {"run", "boot_id = ?1", ""},
        {"run_stat", "boot_id = ?1", ""},
        {"submission_boot", "boot_id = ?1", ""},
        {"job_result", "boot_id = ?1", ""},
};
#define TABLES ARRAY_SIZE(tables)

struct value {
	int type;
	int64_t i;
	double d;
	void *data;
	int len;
};
struct rows {
	size_t count[TABLES], columns[TABLES];
	struct value *at[TABLES]; /* row by row */
};
struct straight {
	sqlite3 *sql;
	sqlite3_stmt *begin, *commit, *insert[TABLES];
};

static sqlite3 *open_file(const char *path, int flags)
{
	static bool configured;
	sqlite3 *sql = NULL;

	/* As the server has it. */
	if (!configured) {
		sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
		sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
		sqlite3_initialize();
	}
	configured = true;
	if (sqlite3_open_v2(path, &sql, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		die("%s: %s", path, sqlite3_errmsg(sql));
	sqlite3_busy_timeout(sql, 10000);
	return sql;
}

static void exec(sqlite3 *sql, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(sql, text, NULL, NULL, &message) != SQLITE_OK)
		die("%s: %s", text, message);
}

static sqlite3_stmt *prepare(sqlite3 *sql, const char *text)
{
	sqlite3_stmt *s;

	if (sqlite3_prepare_v3(sql, text, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
		die("%s: %s", text, sqlite3_errmsg(sql));
	return s;
}

static void run(sqlite3_stmt *s)
{
	if (sqlite3_step(s) != SQLITE_DONE)
		die("%s: %s", sqlite3_sql(s), sqlite3_errmsg(sqlite3_db_handle(s)));
	sqlite3_reset(s);
}

/* ---- writing */

struct straight *straight_copy(const char *from, const char *to)
{
	struct straight *s = xcalloc(1, sizeof(*s));
	sqlite3 *source = open_file(from, SQLITE_OPEN_READONLY);
	char *text = sqlite3_mprintf("VACUUM INTO %Q", to);

	exec(source, text);
	sqlite3_free(text);
	sqlite3_close(source);
	s->sql = open_file(to, SQLITE_OPEN_READWRITE);
	/* The server's own settings: db.c. The WAL goes into the file after as
	 * many pages, by SQLite's own rule. */
	exec(s->sql, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	             "PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192;"
	             "PRAGMA wal_autocheckpoint = 2000");
	s->begin = prepare(s->sql, "BEGIN IMMEDIATE");
	s->commit = prepare(s->sql, "COMMIT");
	for (size_t t = 0; t < TABLES; t++) {
		char *sql = xasprintf("SELECT * FROM %s", tables[t].name);
		sqlite3_stmt *q = prepare(s->sql, sql);
		struct buf b;

		buf_init(&b, 4096);
		buf_addf(&b, "INSERT INTO %s VALUES (?1", tables[t].name);
		for (int i = 2; i <= sqlite3_column_count(q); i++)
			buf_addf(&b, ", ?%d", i);
		buf_addf(&b, ")%s", tables[t].conflict);
		s->insert[t] = prepare(s->sql, b.data);
		buf_release(&b);
		sqlite3_finalize(q);
		free(sql);
	}
	return s;
}

void straight_close(struct straight *s)
{
	sqlite3_finalize(s->begin);
	sqlite3_finalize(s->commit);
	for (size_t t = 0; t < TABLES; t++)
		sqlite3_finalize(s->insert[t]);
	sqlite3_close(s->sql);
	free(s);
}

static void take(sqlite3_stmt *q, int column, struct value *v)
{
	const void *data = NULL;

	v->type = sqlite3_column_type(q, column);
	if (v->type == SQLITE_INTEGER)
		v->i = sqlite3_column_int64(q, column);
	else if (v->type == SQLITE_FLOAT)
		v->d = sqlite3_column_double(q, column);
	else if (v->type == SQLITE_TEXT)
		data = sqlite3_column_text(q, column);
	else if (v->type == SQLITE_BLOB)
		data = sqlite3_column_blob(q, column);
	if (data) {
		v->len = sqlite3_column_bytes(q, column);
		v->data = xmalloc((size_t)v->len + 1);
		memcpy(v->data, data, (size_t)v->len);
	}
}

static struct rows *load(sqlite3 *sql, int64_t boot)
{
	struct rows *r = xcalloc(1, sizeof(*r));

	for (size_t t = 0; t < TABLES; t++) {
		char *text =
		        xasprintf("SELECT * FROM %s WHERE %s", tables[t].name, tables[t].where);
		sqlite3_stmt *q = prepare(sql, text);
		size_t columns = (size_t)sqlite3_column_count(q);

		r->columns[t] = columns;
		sqlite3_bind_int64(q, 1, boot);
		while (sqlite3_step(q) == SQLITE_ROW) {
			struct value *row;

			r->at[t] =
			        xreallocarray(r->at[t], (r->count[t] + 1) * columns, sizeof(*row));
			row = r->at[t] + r->count[t]++ * columns;
			memset(row, 0, columns * sizeof(*row));
			for (size_t i = 0; i < columns; i++)
				take(q, (int)i, &row[i]);
		}
		sqlite3_finalize(q);
		free(text);
	}
	return r;
}

void rows_free(struct rows *r)
{
	for (size_t t = 0; t < TABLES; t++) {
		for (size_t i = 0; i < r->count[t] * r->columns[t]; i++)
			free(r->at[t][i].data);
		free(r->at[t]);
	}
	free(r);
}

size_t straight_load(const char *from, int64_t after, struct rows ***out)
{
	sqlite3 *sql = open_file(from, SQLITE_OPEN_READONLY);
	sqlite3_stmt *q = prepare(sql, "SELECT id FROM boot WHERE id > ?1 ORDER BY id");
	size_t n = 0;

	*out = NULL;
	sqlite3_bind_int64(q, 1, after);
	while (sqlite3_step(q) == SQLITE_ROW) {
		*out = xreallocarray(*out, n + 1, sizeof(**out));
		(*out)[n++] = load(sql, sqlite3_column_int64(q, 0));
	}
	sqlite3_finalize(q);
	sqlite3_close(sql);
	return n;
}

static void bind(sqlite3_stmt *s, int at, const struct value *v)
{
	if (v->type == SQLITE_INTEGER)
		sqlite3_bind_int64(s, at, v->i);
	else if (v->type == SQLITE_FLOAT)
		sqlite3_bind_double(s, at, v->d);
	else if (v->type == SQLITE_TEXT)
		sqlite3_bind_text(s, at, v->data, v->len, SQLITE_STATIC);
	else if (v->type == SQLITE_BLOB)
		sqlite3_bind_blob(s, at, v->data, v->len, SQLITE_STATIC);
	else
		sqlite3_bind_null(s, at);
}

void straight_insert(struct straight *s, const struct rows *r)
{
	run(s->begin);
	for (size_t t = 0; t < TABLES; t++) {
		for (size_t row = 0; row < r->count[t]; row++) {
			const struct value *v = r->at[t] + row * r->columns[t];

			for (size_t i = 0; i < r->columns[t]; i++)
				bind(s->insert[t], (int)i + 1, &v[i]);
			run(s->insert[t]);
		}
	}
	run(s->commit);
}

static int64_t one_number(const char *from, const char *text)
{
	sqlite3 *sql = open_file(from, SQLITE_OPEN_READONLY);
	sqlite3_stmt *q = prepare(sql, text);
	int64_t n = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;

	sqlite3_finalize(q);
	sqlite3_close(sql);
	return n;
}

int64_t straight_newest(const char *from)
{
	return one_number(from, "SELECT coalesce(max(id), 0) FROM boot");
}

int64_t straight_samples(const char *from)
{
	return one_number(from, "SELECT sum(count) FROM run");
}

/* ---- reading */

/* What a comparison is made of: its submission, kernels, cases, boots, and one
 * row a run of each; and the two forms in which it is stored. */
static const char *const facts_sql[] = {
        "SELECT * FROM submission WHERE id = ?1",
        "SELECT k.* FROM submission_kernel s JOIN kernel k ON k.id = s.kernel_id"
        " WHERE s.submission_id = ?1 ORDER BY s.pos",
        "SELECT c.id, c.text FROM submission_case s JOIN bench_case c ON c.id = s.case_id"
        " WHERE s.submission_id = ?1 ORDER BY s.pos",
        "SELECT b.* FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
        " WHERE s.submission_id = ?1 ORDER BY b.id",
        "SELECT t.boot_id, t.case_id, t.median, t.mean FROM submission_boot s"
        " JOIN run_stat t ON t.boot_id = s.boot_id WHERE s.submission_id = ?1"
        " ORDER BY t.boot_id, t.case_id, t.number",
};
static const char *const cells_sql[] = {
        "SELECT last_boot, complete FROM comparison WHERE submission_id = ?1",
        "SELECT * FROM cell WHERE submission_id = ?1 ORDER BY pos",
        "SELECT * FROM cell_thrown WHERE submission_id = ?1 ORDER BY pos",
        "SELECT text FROM cell_note WHERE submission_id = ?1 ORDER BY pos",
};
static const char *const body_sql[] = {
        "SELECT body FROM comparison WHERE submission_id = ?1",
};

struct reading {
	sqlite3 *sql;
	sqlite3_stmt *begin, *commit;
	sqlite3_stmt *facts[ARRAY_SIZE(facts_sql)], *cells[ARRAY_SIZE(cells_sql)],
	        *body[ARRAY_SIZE(body_sql)];
	char *copy;
};
#define COPY_MAX (4u << 20)

struct reading *reading_open(const char *from)
{
	struct reading *r = xcalloc(1, sizeof(*r));

	r->sql = open_file(from, SQLITE_OPEN_READONLY);
	exec(r->sql, "PRAGMA cache_size = -1024");
	r->begin = prepare(r->sql, "BEGIN");
	r->commit = prepare(r->sql, "COMMIT");
	for (size_t i = 0; i < ARRAY_SIZE(facts_sql); i++)
		r->facts[i] = prepare(r->sql, facts_sql[i]);
	for (size_t i = 0; i < ARRAY_SIZE(cells_sql); i++)
		r->cells[i] = prepare(r->sql, cells_sql[i]);
	for (size_t i = 0; i < ARRAY_SIZE(body_sql); i++)
		r->body[i] = prepare(r->sql, body_sql[i]);
	r->copy = xmalloc(COPY_MAX);
	return r;
}

void reading_close(struct reading *r)
{
	sqlite3_stmt *s;

	while ((s = sqlite3_next_stmt(r->sql, NULL)))
		sqlite3_finalize(s);
	sqlite3_close(r->sql);
	free(r->copy);
	free(r);
}

/* A value, copied; returns its bytes. */
static size_t fetch(sqlite3_stmt *q, int column, char *to, size_t room)
{
	int type = sqlite3_column_type(q, column);
	int64_t i = type == SQLITE_INTEGER ? sqlite3_column_int64(q, column) : 0;
	double d = type == SQLITE_FLOAT ? sqlite3_column_double(q, column) : 0;
	const void *data = type == SQLITE_INTEGER ? (const void *)&i
	                   : type == SQLITE_FLOAT ? (const void *)&d
	                                          : sqlite3_column_blob(q, column);
	size_t len = type == SQLITE_INTEGER || type == SQLITE_FLOAT
	                     ? sizeof(i)
	                     : (size_t)sqlite3_column_bytes(q, column);

	if (!data || len > room)
		return 0;
	memcpy(to, data, len);
	return len;
}

/* Every value is fetched and copied: rows that nobody looks at are not read. */
static size_t read_all(struct reading *r, sqlite3_stmt *const *q, size_t n, int64_t id)
{
	size_t at = 0;

	run(r->begin);
	for (size_t i = 0; i < n; i++) {
		sqlite3_bind_int64(q[i], 1, id);
		while (sqlite3_step(q[i]) == SQLITE_ROW) {
			for (int c = 0; c < sqlite3_column_count(q[i]); c++)
				at += fetch(q[i], c, r->copy + at, COPY_MAX - at);
		}
		sqlite3_reset(q[i]);
	}
	run(r->commit);
	return at;
}

size_t reading_facts(struct reading *r, int64_t submission)
{
	return read_all(r, r->facts, ARRAY_SIZE(facts_sql), submission);
}

size_t reading_cells(struct reading *r, int64_t submission)
{
	return read_all(r, r->cells, ARRAY_SIZE(cells_sql), submission);
}

size_t reading_body(struct reading *r, int64_t submission)
{
	return read_all(r, r->body, ARRAY_SIZE(body_sql), submission);
}
