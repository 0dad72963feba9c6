#include "agent/announce.h"

#include "agent/elfhash.h"
#include "agent/toolchain.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"

#include <stdlib.h>
#include <string.h>

static json_t *toolchains(const struct agent_conf *conf)
{
	json_t *list = json_array();

	for (size_t i = 0; i < conf->toolchains && conf->builds; i++) {
		const struct toolchain_conf *t = &conf->toolchain[i];
		struct toolchain_facts f;
		struct why w;
		json_t *o;

		if (toolchain_probe(t, &f, &w) != OK) {
			log_warn("toolchain.unusable", "toolchain", t->name, "why", w.text, NULL);
			continue;
		}
		o = json_object();
		json_put_str(o, "name", t->name);
		json_put_str(o, "compiler", f.compiler);
		log_info("toolchain.found", "toolchain", t->name, "compiler", f.compiler, "linker",
		         f.linker, NULL);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *boards(const struct agent_conf *conf, const struct step_table *table)
{
	json_t *list = json_array();

	for (size_t i = 0; i < conf->boards; i++) {
		const struct board_conf *b = &conf->board[i];
		json_t *o = NULL;
		struct why w;

		if (table->probe(b, &o, &w) == OK)
			json_array_append_new(list, o);
		else
			log_warn("board.unusable", "board", b->name, "why", w.text, NULL);
	}
	return list;
}

/* The build-id of the foldbench that goes into guests. Without one, boots that
 * another foldbench made cannot be told apart beforehand: no reason to stop. */
static void bench(const struct agent_conf *conf, json_t *o)
{
	struct elf_facts f;
	struct why w;
	enum err e;

	if (!conf->foldbench)
		return;
	e = elf_facts(conf->foldbench, false, &f, &w);
	if (e == OK && !f.build_id[0])
		e = err_set(&w, ERR_INPUT, "\"%s\" has no build-id", conf->foldbench);
	if (e == OK)
		json_put_str(o, "bench", f.build_id);
	else
		log_warn("foldbench.unknown", "why", w.text, NULL);
}

enum err announce_write(const struct agent_conf *conf, const struct step_table *table,
                        struct why *w)
{
	char *path = path_join(conf->dir, "announce.json");
	json_t *o = json_object(), *trees = json_array(), *tools = toolchains(conf);
	char *text;
	enum err e;

	for (size_t i = 0; i < conf->trees.count; i++)
		json_array_append_new(trees, json_string(conf->trees.items[i]));
	json_put_str(o, "version", FOLDWATCH_VERSION);
	json_put_bool(o, "builds", json_array_size(tools) > 0);
	json_put(o, "toolchains", tools);
	json_put(o, "trees", trees);
	bench(conf, o);
	json_put(o, "boards", boards(conf, table));
	text = json_text(o);
	e = file_write(path, text, strlen(text), 0600, w);
	free(text);
	json_decref(o);
	free(path);
	return e;
}

bool announce_has_board(const json_t *body, const char *board)
{
	size_t i;
	json_t *o;

	json_array_foreach (json_object_get(body, "boards"), i, o) {
		if (strcmp(json_str(o, "name", ""), board) == 0)
			return true;
	}
	return false;
}

bool announce_has_toolchain(const json_t *body)
{
	return json_array_size(json_object_get(body, "toolchains")) > 0;
}
