// SPDX-License-Identifier: GPL-2.0
/*
 * A function that leaves its slot without a word, and one that is put into it. The
 * kernel has its device all the while, and what it finds there is what it finds on
 * real hardware: all-ones, or a card that nobody has set up.
 */
#include "function.h"

/* A root complex answers for it: PCIe 5.0, 2.3.1. */
static void lens_unclaimed(struct lens_function *fn, const struct lens_site *site,
			   struct pcilens_event *event)
{
	event->flags = PCILENS_F_KERNEL;
	event->aux = PCILENS_STATUS_UR;
	lens_emit(fn, site, event, false);
}

/* An access to a BAR that the function does not decode. */
u64 lens_unclaimed_access(struct lens_function *fn, const struct lens_site *site,
			  struct pcilens_event *event)
{
	if (event->kind == PCILENS_MEM_READ)
		event->value = lens_ones(event->size);
	lens_unclaimed(fn, site, event);
	return lens_ones(event->size);
}

/* The same of config space, in a slot that is empty. */
void lens_unclaimed_config(struct lens_function *fn, const struct lens_site *site, bool write,
			   u32 where, u32 size, u32 value)
{
	struct pcilens_event event = {
		.kind = write ? PCILENS_CFG_WRITE : PCILENS_CFG_READ,
		.bar = PCILENS_BAR_CONFIG, .size = size, .offset = where, .value = value,
	};

	lens_unclaimed(fn, site, &event);
}

/* PCIe 5.0, 5.3.1: in D1, D2 and D3hot only config requests are served. */
static bool lens_sleeps(struct lens_function *fn)
{
	return fn->cap_pm &&
	       lens_config_word(fn, fn->cap_pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK;
}

/**
 * lens_decodes - whether the function claims accesses to a BAR
 * @fn: the function
 * @bar: of which somebody has a mapping
 *
 * It is there and awake, decodes memory, and its BAR says the address that was mapped:
 * one that was reset or put there anew has none.
 */
bool lens_decodes(struct lens_function *fn, int bar)
{
	return !READ_ONCE(fn->absent) &&
	       lens_config_word(fn, PCI_COMMAND) & PCI_COMMAND_MEMORY &&
	       lens_config_bar(fn, bar) == READ_ONCE(fn->bar[bar].mapped) && !lens_sleeps(fn);
}

void lens_presence_set(struct lens_function *fn, bool present)
{
	WRITE_ONCE(fn->absent, true);
	lens_intx_set(fn, false);
	if (!present)
		return;
	lens_interrupt_reset(fn);
	lens_config_reset(fn);
	WRITE_ONCE(fn->absent, false);
}
