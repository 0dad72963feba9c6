/* What proves that pages are as a case asks: it holds, and fails by what breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/bench.h"
#include "bench/folio.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (4ul << 20)

static void order_0_region(struct region *r)
{
	ptrdiff_t align = (ptrdiff_t)table_bytes((size_t)sysconf(_SC_PAGESIZE));
	struct reason w = {""};

	memset(r, 0, sizeof(*r));
	assert_true(region_reserve(r, SIZE, 0, 0, &w));
	assert_int_equal((uintptr_t)r->at % (uintptr_t)align, 0);
	assert_true(r->at - r->reserved >= align);
	assert_true(r->reserved + r->reserved_size - (r->at + r->size) >= align);
	assert_true(region_map(r, &w));
	assert_true(folio_populate(r->at, r->size, 0, &w));
}

static void proof_holds_and_fails(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct region r;
	struct proof p;
	struct reason w = {""};
	bool frames;

	(void)state;
	order_0_region(&r);
	assert_int_equal(proof_folios(r.at, r.size, 0, &p, &w), PROOF_HOLDS);
	assert_int_equal(p.folios, SIZE / page);
	frames = !strcmp(p.means, "pagemap");
	assert_true(frames || !strcmp(p.means, "vma"));
	/* Small pages are no large folios. */
	assert_int_equal(proof_folios(r.at, r.size, 4, &p, &w),
	                 frames ? PROOF_WRONG : PROOF_CANNOT);
	assert_true(strlen(w.text) > 0);
	if (frames) {
		assert_int_equal(madvise(r.at + 5 * page, page, MADV_DONTNEED), 0);
		assert_int_equal(proof_folios(r.at, r.size, 0, &p, &w), PROOF_WRONG);
		assert_string_equal(strchr(w.text, 'i'), "is not present (frame 0, order 0)");
		r.at[5 * page] = 1;
		assert_int_equal(proof_folios(r.at, r.size, 0, &p, &w), PROOF_HOLDS);
	}
	/* A second VMA: what a failed merge leaves. */
	assert_int_equal(mprotect(r.at + 7 * page, page, PROT_READ), 0);
	assert_int_equal(proof_folios(r.at, r.size, 0, &p, &w), PROOF_WRONG);
	assert_non_null(strstr(w.text, "3 VMAs"));
	assert_int_equal(proof_gone(r.at, r.size, &w), PROOF_WRONG);
	assert_true(region_unmap(&r, &w));
	assert_int_equal(proof_gone(r.at, r.size, &w), PROOF_HOLDS);
	assert_int_equal(proof_folios(r.at, r.size, 0, &p, &w), PROOF_WRONG);
	region_release(&r);
}

/* The proofs of what a call left: each holds, and fails by what breaks it. */
static void proofs_behind_a_call(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct proof_bits present = {.mask = PM_PRESENT, .out = PM_PRESENT, .what = "is not there"};
	struct reason w = {""};
	struct region r;

	(void)state;
	order_0_region(&r);
	assert_int_equal(proof_bits(r.at, r.size, &present, &w), PROOF_HOLDS);
	assert_int_equal(proof_exclusive(r.at, r.size, true, &w), PROOF_HOLDS);
	assert_int_equal(proof_exclusive(r.at, r.size, false, &w), PROOF_WRONG);
	assert_non_null(strstr(w.text, "page 0 of"));
	assert_int_equal(proof_writable(r.at, r.size, r.size, &w), PROOF_HOLDS);
	assert_int_equal(proof_smaps_kb(r.at, r.size, "Rss:", SIZE / 1024, &w), PROOF_HOLDS);
	assert_int_equal(proof_vmas(r.at, r.size, 1, &w), PROOF_HOLDS);

	/* One page of the first half goes: only who expects that is content. */
	assert_int_equal(madvise(r.at + 3 * page, page, MADV_DONTNEED), 0);
	assert_int_equal(proof_bits(r.at, r.size, &present, &w), PROOF_WRONG);
	assert_non_null(strstr(w.text, "page 3 of"));
	assert_non_null(strstr(w.text, "is not there"));
	assert_int_equal(proof_smaps_kb(r.at, r.size, "Rss:", SIZE / 1024, &w), PROOF_WRONG);
	present.cut = (struct cut){.step = SIZE, .from = 3 * page, .len = page};
	assert_int_equal(proof_bits(r.at, r.size, &present, &w), PROOF_HOLDS);

	assert_int_equal(mprotect(r.at, page, PROT_READ), 0);
	assert_int_equal(proof_writable(r.at, r.size, r.size, &w), PROOF_WRONG);
	assert_int_equal(proof_writable(r.at, r.size, r.size - page, &w), PROOF_HOLDS);
	assert_int_equal(proof_vmas(r.at, r.size, 1, &w), PROOF_WRONG);
	assert_int_equal(proof_vmas(r.at, r.size, 2, &w), PROOF_HOLDS);
	region_release(&r);
}

static void shared_pages_are_no_proof(void **state)
{
	struct reason w = {""};
	struct proof p;
	char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
	                MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	(void)state;
	assert_ptr_not_equal(at, MAP_FAILED);
	assert_int_not_equal(proof_folios(at, SIZE, 0, &p, &w), PROOF_HOLDS);
	munmap(at, SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(proof_holds_and_fails),
	        cmocka_unit_test(proofs_behind_a_call),
	        cmocka_unit_test(shared_pages_are_no_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
