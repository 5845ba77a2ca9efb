// SPDX-License-Identifier: GPL-2.0
/*
 * ioremap() of our windows: kprobes at the entry of the mapping functions give
 * cookies instead of mappings. Nothing is mapped, so nothing can be touched by
 * mistake, and pci_iomap(), devm_*() and the MSI-X table come this way too.
 */
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include "function.h"

void lens_return(void);

/* ip was changed: the document on kprobes asks for this one then. */
void lens_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

int lens_override(struct pt_regs *regs, unsigned long result)
{
	regs->ax = result;
	regs->ip = (unsigned long)lens_return;
	return 1;
}
NOKPROBE_SYMBOL(lens_override);

static bool lens_is_direct(struct lens_function *fn, int bar, u64 offset, u64 size)
{
	struct lens_ranges *all;
	bool direct = false;
	u32 i;

	rcu_read_lock();
	all = rcu_dereference(fn->bar[bar].ranges);
	for (i = 0; all && i < all->count; i++)
		direct |= all->range[i].read == PCILENS_MODE_DIRECT &&
			  all->range[i].start <= offset && offset + size <= all->range[i].end;
	rcu_read_unlock();
	return direct;
}

static int lens_map(struct kprobe *p, struct pt_regs *regs)
{
	phys_addr_t phys = regs->di;
	u64 size = regs->si, offset;
	u32 i;
	int bar;

	for (i = 0; i < LENS_FUNCTIONS; i++) {
		struct lens_function *fn = lens_get(&lens_functions[i]);
		unsigned long result;
		bool found;

		if (!fn)
			continue;
		found = lens_bus_has(fn, phys, &bar, &offset);
		if (found) {
			result = lens_cookie(fn, bar, offset);
			if (lens_is_direct(fn, bar, offset, size))
				result = (unsigned long)fn->bar[bar].shadow + offset;
			atomic_inc(&fn->stat.iomaps);
		}
		lens_put(fn);
		if (found)
			return lens_override(regs, result);
	}
	return 0;
}
NOKPROBE_SYMBOL(lens_map);

static int lens_unmap(struct kprobe *p, struct pt_regs *regs)
{
	u64 address = regs->di;
	bool ours = lens_is_cookie(address);
	u32 i;

	for (i = 0; i < LENS_FUNCTIONS; i++) {
		struct lens_function *fn = lens_get(&lens_functions[i]);
		bool mine;
		int bar;

		if (!fn)
			continue;
		mine = lens_is_cookie(address) && lens_cookie_function(address) == i;
		for (bar = 0; bar < PCILENS_BARS; bar++)
			mine |= fn->bar[bar].shadow && address >= (u64)fn->bar[bar].shadow &&
				address < (u64)fn->bar[bar].shadow + fn->bar[bar].shadow_bytes;
		if (mine)
			atomic_dec(&fn->stat.iomaps);
		ours |= mine;
		lens_put(fn);
	}
	return ours ? lens_override(regs, 0) : 0;
}
NOKPROBE_SYMBOL(lens_unmap);

#define PROBE(name, handler) {						\
	.symbol_name = name, .pre_handler = handler, .post_handler = lens_post, \
}

static struct kprobe lens_probes[] = {
	PROBE("ioremap", lens_map),
	PROBE("ioremap_wc", lens_map),
	PROBE("ioremap_wt", lens_map),
	PROBE("ioremap_uc", lens_map),
	PROBE("ioremap_cache", lens_map),
	PROBE("ioremap_prot", lens_map),
	PROBE("ioremap_encrypted", lens_map),
	PROBE("memremap", lens_map),
	PROBE("iounmap", lens_unmap),
	PROBE("memunmap", lens_unmap),
};

int lens_remap_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(lens_probes); i++) {
		err = register_kprobe(&lens_probes[i]);
		if (err == -ENOENT) {
			/* Not in every configuration; then nobody calls it either. */
			lens_probes[i].addr = NULL;
			continue;
		}
		if (err) {
			pr_err("pcilens: no kprobe at %s(): error %d\n",
			       lens_probes[i].symbol_name, err);
			lens_probes[i].addr = NULL;
			lens_remap_exit();
			return err;
		}
	}
	return 0;
}

void lens_remap_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(lens_probes); i++) {
		if (lens_probes[i].addr)
			unregister_kprobe(&lens_probes[i]);
	}
}
