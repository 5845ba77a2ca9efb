// SPDX-License-Identifier: GPL-2.0
/*
 * Every access form on BAR 0 of an edu function and on ordinary memory: same
 * result, same flags, same bytes. Through every kind of mapping that Linux has.
 * The runtime must run with --shadow, so that the BAR is memory.
 *
 *	modprobe kmod_forms
 *
 * It prints one line for each mapping: "NAME: forms N wrong N".
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <asm/fpu/api.h>

#include "forms.h"
#include "mappings.h"

#define AREA		256
#define AREA_AT		0x1000
#define ARITHMETIC	0x8d5	/* CF PF AF ZF SF OF */

static bool refuse;
module_param(refuse, bool, 0444);
MODULE_PARM_DESC(refuse, "only the instructions that are not emulated");

static bool direct;
module_param(direct, bool, 0444);
MODULE_PARM_DESC(direct, "the BAR is plain memory (kmod-edu --direct); one mapping is kept");

static bool copy;
module_param(copy, bool, 0444);
MODULE_PARM_DESC(copy, "copies between user memory and the BAR");

static void __iomem *kept;
static u8 *memory, *back, *side, *side2;
static u32 seed = 12345;

static u64 number(void)
{
	u64 value;

	seed = seed * 1664525 + 1013904223;
	value = seed;
	seed = seed * 1664525 + 1013904223;
	return value << 32 | seed;
}

/* Pointers into the area differ between the two, the rest must not. */
static u64 relative(u64 value, void *area)
{
	return value >= (u64)area && value < (u64)area + AREA ? value - (u64)area : value;
}

/* The same random bytes in memory and in the BAR. */
static void fill(void __iomem *bar)
{
	unsigned int j;

	for (j = 0; j < AREA; j += 8) {
		*(u64 *)(memory + j) = number();
		*(u64 *)(side + j) = number();
		writeq(*(u64 *)(memory + j), bar + j);
	}
	memcpy(side2, side, AREA);
}

static bool same(void __iomem *bar)
{
	unsigned int j;

	for (j = 0; j < AREA; j += 8)
		*(u64 *)(back + j) = readq(bar + j);
	return !memcmp(memory, back, AREA) && !memcmp(side, side2, AREA);
}

static unsigned int run_forms(const char *name, void __iomem *bar, unsigned int rounds)
{
	void *io = (void __force *)bar;
	unsigned int i, round, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		for (round = 0; round < rounds; round++) {
			struct registers start = {
				number(), number(), number(), 0, 0,
				0x202 | (number() & ARITHMETIC),
			};
			struct registers a = start, b = start;

			fill(bar);
			a.si = (u64)side;
			b.si = (u64)side2;
			forms[i].run(memory, &a);
			forms[i].run(io, &b);
			if (same(bar) && a.a == b.a && a.c == b.c && a.d == b.d &&
			    relative(relative(a.si, memory), side) ==
			    relative(relative(b.si, io), side2) &&
			    relative(a.di, memory) == relative(b.di, io) &&
			    !((a.flags ^ b.flags) & ARITHMETIC))
				continue;
			pr_info("kmod_forms: WRONG %s %s: a %llx/%llx c %llx/%llx d %llx/%llx flags %llx/%llx memory %d side %d\n",
				name, forms[i].text, a.a, b.a, a.c, b.c, a.d, b.d, a.flags,
				b.flags, memcmp(memory, back, AREA), memcmp(side, side2, AREA));
			wrong++;
			break;
		}
	}
	return wrong;
}

/* What the kernel has for device memory, of every length and at every alignment. */
static unsigned int run_copies(const char *name, void __iomem *bar)
{
	unsigned int n, at, wrong = 0;

	for (n = 0; n < 40; n++) {
		for (at = 0; at < 8; at++) {
			bool right;

			fill(bar);
			memcpy_toio(bar + at, side, n);
			memcpy(memory + at, side, n);
			right = same(bar);
			memset_io(bar + 100 + at, n, n);
			memset(memory + 100 + at, n, n);
			memcpy_fromio(side2 + at, bar + at, n);
			memcpy(side + at, memory + at, n);
			if (right && same(bar))
				continue;
			pr_info("kmod_forms: WRONG %s: memcpy_toio, memset_io or memcpy_fromio of %u at %u\n",
				name, n, at);
			wrong++;
		}
	}
	fill(bar);
	iowrite32_rep(bar + 4, side, 7);
	memcpy(memory + 4, side + 24, 4);
	__iowrite32_copy(bar + 32, side, 9);
	memcpy(memory + 32, side, 36);
	__iowrite64_copy(bar + 72, side, 5);
	memcpy(memory + 72, side, 40);
	ioread16_rep(bar + 120, side2, 3);
	for (n = 0; n < 3; n++)
		memcpy(side + 2 * n, memory + 120, 2);
	iowrite32be(0x12345678, bar + 200);
	*(__be32 *)(memory + 200) = cpu_to_be32(0x12345678);
	if (!same(bar) || ioread32be(bar + 200) != 0x12345678) {
		pr_info("kmod_forms: WRONG %s: ioread and iowrite\n", name);
		wrong++;
	}
	return wrong;
}

#include "copies.h"

/* Each is passed over: neither memory nor registers change, and the log names it. */
static void run_refused(void __iomem *bar)
{
	struct registers before = { 1, 2, 3, 0, 0, 0x202 }, r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		fill(bar);
		r = before;
		r.si = (u64)memory;
		r.di = (u64)bar;
		kernel_fpu_begin();
		refused[i].run((void __force *)bar, &r);
		kernel_fpu_end();
		if (!same(bar) || r.a != before.a || r.c != before.c || r.d != before.d ||
		    r.si != (u64)memory || r.di != (u64)bar)
			pr_info("kmod_forms: WRONG: %s was not passed over\n", refused[i].text);
		else
			pr_info("kmod_forms: passed over: %s\n", refused[i].text);
		msleep(600);	/* the log takes 10 lines in 5 s */
	}
	pr_info("kmod_forms: refused %zu\n", ARRAY_SIZE(refused));
}

static void run_mapping(struct pci_dev *pdev, const struct mapping *mapping)
{
	void __iomem *bar = mapping->map(pdev);
	unsigned int wrong;

	if (IS_ERR_OR_NULL((void __force *)bar)) {
		pr_info("kmod_forms: WRONG %s: no mapping, %ld\n", mapping->name, (long)bar);
		return;
	}
	/* Bits 62..56 of a kernel address are ones: this is none. */
	if ((u64)bar >> 56 != 0x80)
		pr_info("kmod_forms: WRONG %s: %llx is a real mapping\n", mapping->name, (u64)bar);
	bar += AREA_AT;
	wrong = run_forms(mapping->name, bar, 8);
	wrong += run_copies(mapping->name, bar);
	pr_info("kmod_forms: %s: forms %zu wrong %u\n", mapping->name, ARRAY_SIZE(forms), wrong);
	mapping->unmap(pdev, bar - AREA_AT);
}

/* What the driver writes the runtime adds up, and writes the sum where the driver reads it. */
static void run_direct(struct pci_dev *pdev, const struct mapping *mapping, u32 round)
{
	void __iomem *bar = mapping->map(pdev);
	u32 sum = 0, i, tries;

	if (IS_ERR_OR_NULL((void __force *)bar) || (u64)bar >> 56 == 0x80) {
		pr_info("kmod_forms: WRONG %s: %llx is no mapping of memory\n", mapping->name,
			(u64)bar);
		return;
	}
	for (i = 0; i < AREA; i++)
		memory[i] = number() >> 40;
	for (i = 0; i < 0x1000; i += AREA)
		memcpy_toio(bar + AREA_AT + i, memory, AREA);
	for (i = 0; i < AREA; i++)
		sum += 0x1000 / AREA * memory[i];
	writel(round, bar + 0x100);
	for (tries = 0; tries < 2000 && readl(bar + 0x104) != ~round; tries++)
		usleep_range(1000, 2000);
	if (readl(bar + 0x104) == ~round && readl(bar + 0x108) == sum)
		pr_info("kmod_forms: direct %s: right\n", mapping->name);
	else
		pr_info("kmod_forms: WRONG direct %s: %x instead of %x, sum %x instead of %x\n",
			mapping->name, readl(bar + 0x104), ~round, readl(bar + 0x108), sum);
	mapping->unmap(pdev, bar);
}

static int __init forms_init(void)
{
	struct pci_dev *pdev = pci_get_device(0x1234, 0x11e8, NULL);
	void __iomem *bar;
	unsigned int i;
	int err;

	if (!pdev)
		return -ENODEV;
	err = pci_enable_device(pdev);
	if (err)
		goto out_put;
	memory = kmalloc(4 * AREA, GFP_KERNEL);
	err = -ENOMEM;
	if (!memory)
		goto out_disable;
	back = memory + AREA;
	side = back + AREA;
	side2 = side + AREA;
	if (refuse || copy) {
		bar = ioremap(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
		if (bar && refuse)
			run_refused(bar + AREA_AT);
		if (bar && copy)
			run_user_copies(bar + AREA_AT);
		iounmap(bar);
	} else if (direct) {
		for (i = 0; i < ARRAY_SIZE(mappings); i++)
			run_direct(pdev, &mappings[i], i + 1);
		kept = ioremap_wc(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
	} else {
		for (i = 0; i < ARRAY_SIZE(mappings); i++)
			run_mapping(pdev, &mappings[i]);
	}
	kfree(memory);
	err = 0;
out_disable:
	pci_disable_device(pdev);
out_put:
	pci_dev_put(pdev);
	return err;
}

/* The function may be gone by now; its memory is not. */
static void __exit forms_exit(void)
{
	if (!kept)
		return;
	writel(1, kept + AREA_AT);
	pr_info("kmod_forms: the kept mapping reads %u\n", readl(kept + AREA_AT));
	iounmap(kept);
}

module_init(forms_init);
module_exit(forms_exit);

MODULE_DESCRIPTION("Every access form through every kind of mapping, checked");
MODULE_LICENSE("GPL");
