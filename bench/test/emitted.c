#include "bench/test/emitted.h"

#include "lib/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

json_t *emitted_by(void (*emit)(const void *of, struct emit *e), const void *of)
{
	static char memory[1024];
	json_t *o = NULL;
	struct emit e;
	struct why w;

	emit_init(&e, memory, sizeof(memory));
	emit_open(&e, NULL);
	emit(of, &e);
	emit_close(&e);
	assert_false(e.full);
	assert_int_equal(json_parse(e.data, e.len, sizeof(memory), &o, &w), OK);
	return o;
}
