/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies straight between user memory and the BAR, and others that are allowed to
 * fault: on the BAR each has to do what it does on ordinary memory, also where the
 * user's page is not there, is read-only or comes only when it is touched.
 */
#ifndef KMOD_COPIES_H
#define KMOD_COPIES_H

#include <linux/mman.h>
#include <linux/uaccess.h>

#include <asm/asm.h>
#include <asm/smap.h>

/* As the kernel's own, for every width, whatever it chooses on this CPU; bytes left. */
#define REP_MOVS(suffix, type)							\
	static unsigned long rep_movs##suffix(void *to, const void *from, unsigned long n) \
	{									\
		unsigned long count = n / sizeof(type);				\
										\
		stac();								\
		asm volatile("1: rep; movs" #suffix "\n2:\n"			\
			     _ASM_EXTABLE_UA(1b, 2b)				\
			     : "+c" (count), "+D" (to), "+S" (from) : : "memory"); \
		clac();								\
		return count * sizeof(type) + n % sizeof(type);			\
	}

REP_MOVS(b, u8)
REP_MOVS(w, u16)
REP_MOVS(l, u32)
REP_MOVS(q, u64)

#define TO(name, call)								\
	static unsigned long to_##name(void *bar, void __user *user, unsigned long n) \
	{									\
		return call;							\
	}									\

#define FROM(name, call)							\
	static unsigned long from_##name(void *bar, void __user *user, unsigned long n) \
	{									\
		return call;							\
	}									\

TO(user, copy_to_user(user, bar, n))
TO(inatomic, __copy_to_user_inatomic(user, bar, n))
TO(movsb, rep_movsb((void __force *)user, bar, n))
TO(movsw, rep_movsw((void __force *)user, bar, n))
TO(movsl, rep_movsl((void __force *)user, bar, n))
TO(movsq, rep_movsq((void __force *)user, bar, n))
FROM(user, copy_from_user(bar, user, n))
FROM(inatomic, __copy_from_user_inatomic(bar, user, n))
FROM(nontemporal, copy_from_user_inatomic_nontemporal(bar, user, n))
FROM(movsb, rep_movsb(bar, (void __force *)user, n))
FROM(movsw, rep_movsw(bar, (void __force *)user, n))
FROM(movsl, rep_movsl(bar, (void __force *)user, n))
FROM(movsq, rep_movsq(bar, (void __force *)user, n))

struct copy {
	const char *name;
	unsigned long (*run)(void *bar, void __user *user, unsigned long n);
};

static const struct copy copies[] = {
	{ "copy_to_user", to_user },
	{ "__copy_to_user_inatomic", to_inatomic },
	{ "rep movsb to user", to_movsb },
	{ "rep movsw to user", to_movsw },
	{ "rep movsl to user", to_movsl },
	{ "rep movsq to user", to_movsq },
	{ "copy_from_user", from_user },
	{ "__copy_from_user_inatomic", from_inatomic },
	{ "copy_from_user_inatomic_nontemporal", from_nontemporal },
	{ "rep movsb from user", from_movsb },
	{ "rep movsw from user", from_movsw },
	{ "rep movsl from user", from_movsl },
	{ "rep movsq from user", from_movsq },
};

/*
 * Three pages of the user's: one that is there, one that comes when it is touched,
 * and a hole.
 */
struct place {
	const char *name;
	unsigned int at;
	bool no_faults;		/* page faults are off, and so is preemption */
	bool read_only;
};

static const struct place places[] = {
	{ "a page that is there", 64 },
	{ "a page that is there, page faults off", 64, true },
	{ "a page that comes when touched", PAGE_SIZE - 21 },
	{ "a page that comes when touched, page faults off", PAGE_SIZE - 21, true },
	{ "the end of what is mapped", 2 * PAGE_SIZE - 27 },
	{ "nothing", 2 * PAGE_SIZE + 8 },
	{ "a read-only page", 64, false, true },
};

static u8 *user_copy[2];	/* what the user has after each of both */

static unsigned long user_pages(const struct place *place)
{
	unsigned long pages = vm_mmap(NULL, 0, 3 * PAGE_SIZE, PROT_READ |
				      (place->read_only ? 0 : PROT_WRITE),
				      MAP_PRIVATE | MAP_ANONYMOUS, 0);
	unsigned int i;

	if (IS_ERR_VALUE(pages))
		return 0;
	vm_munmap(pages + 2 * PAGE_SIZE, PAGE_SIZE);
	for (i = 0; i < PAGE_SIZE && !place->read_only; i++)
		put_user((u8)(i * 7 + 3), (u8 __user *)(pages + i));
	return pages;
}

static bool run_copy(void *kernel, const struct copy *copy, const struct place *place,
		     unsigned int skew, unsigned int n, u8 *after, unsigned long *left)
{
	unsigned long pages = user_pages(place);
	void __user *user = (void __user *)(pages + place->at + skew / 8);

	if (!pages)
		return false;
	if (place->no_faults) {
		preempt_disable();
		pagefault_disable();
	}
	*left = copy->run(kernel + skew % 8, user, n);
	if (place->no_faults) {
		pagefault_enable();
		preempt_enable();
	}
	if (copy_from_user(after, (void __user *)pages, 2 * PAGE_SIZE))
		*left = ~0UL;
	vm_munmap(pages, 2 * PAGE_SIZE);
	return true;
}

/* Once on memory and once on the BAR, at every alignment of both. */
static unsigned int run_place(void __iomem *bar, const struct copy *copy, const struct place *place)
{
	static const unsigned int sizes[] = { 0, 1, 3, 8, 15, 37, 64, 71, 130, 200 };
	unsigned int i, skew, wrong = 0;
	unsigned long left[2];

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (skew = 0; skew < 64; skew += 5) {
			fill(bar);
			if (!run_copy(memory, copy, place, skew, sizes[i], user_copy[0],
				      &left[0]) ||
			    !run_copy((void __force *)bar, copy, place, skew, sizes[i],
				      user_copy[1], &left[1]))
				return 1;
			if (same(bar) && left[0] == left[1] &&
			    !memcmp(user_copy[0], user_copy[1], 2 * PAGE_SIZE))
				continue;
			if (!wrong++)
				pr_info("kmod_forms: WRONG %s, %s: %u bytes, skew %u: left %lu instead of %lu, user %d\n",
					copy->name, place->name, sizes[i], skew, left[1], left[0],
					memcmp(user_copy[0], user_copy[1], 2 * PAGE_SIZE));
		}
	}
	return wrong;
}

/* One value, and the kernel's own accesses that may fault. */
static void run_nofault(void __iomem *bar)
{
	void *io = (void __force *)bar;
	u64 a[2] = {}, b[2] = {};
	long c, d;

	fill(bar);
	c = __get_user(a[0], (u32 __user *)(memory + 4)) | __get_user(a[1], (u64 __user *)memory);
	d = __get_user(b[0], (u32 __user *)(io + 4)) | __get_user(b[1], (u64 __user *)io);
	if (c || d || a[0] != b[0] || a[1] != b[1])
		pr_info("kmod_forms: WRONG __get_user: %ld %ld\n", c, d);
	c = __put_user((u16)0x1234, (u16 __user *)(memory + 10));
	d = __put_user((u16)0x1234, (u16 __user *)(io + 10));
	if (c || d || !same(bar))
		pr_info("kmod_forms: WRONG __put_user: %ld %ld\n", c, d);
	c = copy_from_kernel_nofault(side, memory + 3, 61);
	d = copy_from_kernel_nofault(side2, io + 3, 61);
	if (c || d || !same(bar))
		pr_info("kmod_forms: WRONG copy_from_kernel_nofault: %ld %ld\n", c, d);
	__put_kernel_nofault(memory + 5, side, u32, fault);
	__put_kernel_nofault(io + 5, side, u32, fault);
	if (!same(bar))
fault:
		pr_info("kmod_forms: WRONG __put_kernel_nofault\n");
	c = get_kernel_nofault(a[0], (u64 *)(memory + 8));
	d = get_kernel_nofault(b[0], (u64 *)(io + 8));
	if (c || d || a[0] != b[0])
		pr_info("kmod_forms: WRONG get_kernel_nofault: %ld %ld\n", c, d);
	c = copy_mc_to_kernel(side, memory, 77);
	d = copy_mc_to_kernel(side2, io, 77);
	if (c || d || !same(bar))
		pr_info("kmod_forms: WRONG copy_mc_to_kernel: %ld %ld\n", c, d);
}

static bool is_untouched(unsigned long pages, unsigned long count)
{
	u8 first;

	return count == 5 && !get_user(first, (u8 __user *)pages) && first == 3;
}

/* User memory without stac(), or without an entry in the exception table: nobody's copy. */
static noinline void run_mistakes(void __iomem *bar)
{
	unsigned long pages = user_pages(&places[0]), count = 5;
	void *to = (void *)pages, *from = (void __force *)bar;

	fill(bar);
	stac();
	asm volatile("rep; movsb" : "+c" (count), "+D" (to), "+S" (from) : : "memory");
	clac();
	if (!is_untouched(pages, count))
		pr_info("kmod_forms: WRONG: user memory was written without a fixup\n");
	asm volatile("1: rep; movsb\n2:\n" _ASM_EXTABLE_UA(1b, 2b)
		     : "+c" (count), "+D" (to), "+S" (from) : : "memory");
	if (is_untouched(pages, count) != boot_cpu_has(X86_FEATURE_SMAP))
		pr_info("kmod_forms: WRONG: user memory was written without stac, or not without SMAP\n");
	vm_munmap(pages, 2 * PAGE_SIZE);
}

static void run_user_copies(void __iomem *bar)
{
	unsigned int i, j;

	user_copy[0] = kmalloc(4 * PAGE_SIZE, GFP_KERNEL);
	if (!user_copy[0])
		return;
	user_copy[1] = user_copy[0] + 2 * PAGE_SIZE;
	for (j = 0; j < ARRAY_SIZE(places); j++) {
		unsigned int wrong = 0;

		for (i = 0; i < ARRAY_SIZE(copies); i++)
			wrong += run_place(bar, &copies[i], &places[j]);
		pr_info("kmod_forms: copies at %s: wrong %u\n", places[j].name, wrong);
	}
	kfree(user_copy[0]);
	run_nofault(bar);
	run_mistakes(bar);
	pr_info("kmod_forms: copies done\n");
}

#endif
