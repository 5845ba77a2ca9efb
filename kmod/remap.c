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
#include "trap.h"

/* ip was changed: the document on kprobes asks for this one then. */
void lens_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

int __kprobes lens_override(struct pt_regs *regs, unsigned long result)
{
	regs->ax = result;
	regs->ip = (unsigned long)lens_return;
	return 1;
}

/* Functions that have mappings of plain memory, to be found by address. */
static LIST_HEAD(lens_directs);
static DEFINE_RAW_SPINLOCK(lens_directs_lock);

/* The memory must outlive the function: a driver may unmap it when all else is gone. */
static unsigned long __kprobes lens_map_direct(struct lens_function *fn, int bar, u64 offset)
{
	unsigned long flags;

	kref_get(&fn->ref);
	__module_get(THIS_MODULE);
	atomic_inc(&fn->direct_maps);
	raw_spin_lock_irqsave(&lens_directs_lock, flags);
	if (list_empty(&fn->direct_list))
		list_add(&fn->direct_list, &lens_directs);
	raw_spin_unlock_irqrestore(&lens_directs_lock, flags);
	return (unsigned long)fn->bar[bar].shadow + offset;
}

static bool __kprobes lens_has_direct(const struct lens_function *fn, u64 address)
{
	int bar;

	for (bar = 0; bar < PCILENS_BARS; bar++) {
		const struct lens_bar *b = &fn->bar[bar];

		if (b->direct_end && address >= (u64)b->shadow &&
		    address < (u64)b->shadow + b->shadow_bytes)
			return true;
	}
	return false;
}

static bool __kprobes lens_unmap_direct(u64 address)
{
	struct lens_function *fn, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&lens_directs_lock, flags);
	list_for_each_entry(fn, &lens_directs, direct_list) {
		if (lens_has_direct(fn, address)) {
			found = fn;
			break;
		}
	}
	/* A driver that unmaps twice must not take another one's reference. */
	if (found && atomic_dec_if_positive(&found->direct_maps) < 0) {
		raw_spin_unlock_irqrestore(&lens_directs_lock, flags);
		return true;
	}
	raw_spin_unlock_irqrestore(&lens_directs_lock, flags);
	if (!found)
		return false;
	atomic_dec(&found->stat.iomaps);
	lens_put(found);
	module_put(THIS_MODULE);
	return true;
}

/* The last reference is gone. */
void lens_remap_forget(struct lens_function *fn)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lens_directs_lock, flags);
	list_del_init(&fn->direct_list);
	raw_spin_unlock_irqrestore(&lens_directs_lock, flags);
}

static int __kprobes lens_map(struct kprobe *p, struct pt_regs *regs)
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
				result = lens_map_direct(fn, bar, offset);
			atomic_inc(&fn->stat.iomaps);
		}
		lens_put(fn);
		if (found)
			return lens_override(regs, result);
	}
	return 0;
}

static int __kprobes lens_unmap(struct kprobe *p, struct pt_regs *regs)
{
	struct lens_function *fn;
	u64 address = regs->di;

	if (lens_is_cookie(address)) {
		fn = lens_get(&lens_functions[lens_cookie_function(address)]);
		if (fn) {
			atomic_dec(&fn->stat.iomaps);
			lens_put(fn);
		}
	} else if (!lens_unmap_direct(address)) {
		return 0;
	}
	return lens_override(regs, 0);
}

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
