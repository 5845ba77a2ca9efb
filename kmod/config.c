// SPDX-License-Identifier: GPL-2.0
/*
 * Config space, served from a copy in the kernel: the PCI core reads it with
 * interrupts off and at times when nobody could answer.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "function.h"

#define PM_STATE_MASK	PCI_PM_CTRL_STATE_MASK

static u16 word(const u8 *config, u32 offset)
{
	return lens_load(config + offset, 2);
}

static void set_word(u8 *config, u32 offset, u16 value)
{
	lens_store(config + offset, 2, value);
}

static void set_dword(u8 *config, u32 offset, u32 value)
{
	lens_store(config + offset, 4, value);
}

/* The list of capabilities may come from a fuzzer: bounded, and within 256 bytes. */
static void lens_find_capabilities(struct lens_function *fn)
{
	u8 *config = fn->config_image;
	u8 at, hops;

	if (!(word(config, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return;
	at = config[PCI_CAPABILITY_LIST] & ~3;
	for (hops = 0; at >= 0x40 && at <= 0xf8 && hops < 48; hops++) {
		switch (config[at]) {
		case PCI_CAP_ID_PM:
			fn->cap_pm = at;
			break;
		case PCI_CAP_ID_MSI:
			if (at <= 0x100 - 0x18)
				fn->cap_msi = at;
			break;
		case PCI_CAP_ID_MSIX:
			if (at <= 0x100 - PCI_CAP_MSIX_SIZEOF)
				fn->cap_msix = at;
			break;
		case PCI_CAP_ID_EXP:
			if (at <= 0x100 - 0x14)
				fn->cap_pcie = at;
			break;
		case PCI_CAP_ID_AF:
			fn->cap_af = at;
			break;
		}
		at = config[at + 1] & ~3;
	}
}

static void lens_derive_bars(struct lens_function *fn)
{
	int i;

	for (i = 0; i < PCILENS_BARS; i++) {
		u32 at = PCI_BASE_ADDRESS_0 + 4 * i;
		u64 size = fn->bar[i].size;
		u64 mask = size ? ~(size - 1) : 0;
		u32 type = 0;

		if (fn->bar[i].flags & PCILENS_BAR_64BIT)
			type |= PCI_BASE_ADDRESS_MEM_TYPE_64;
		if (fn->bar[i].flags & PCILENS_BAR_PREFETCH)
			type |= PCI_BASE_ADDRESS_MEM_PREFETCH;
		set_dword(fn->config_image, at, type);
		set_dword(fn->config_write_mask, at, mask);
		set_dword(fn->config_w1c, at, 0);
		if (type & PCI_BASE_ADDRESS_MEM_TYPE_64) {
			i++;
			set_dword(fn->config_image, at + 4, 0);
			set_dword(fn->config_write_mask, at + 4, mask >> 32);
			set_dword(fn->config_w1c, at + 4, 0);
		}
	}
	set_dword(fn->config_image, PCI_ROM_ADDRESS, 0);	/* no expansion ROM */
	set_dword(fn->config_write_mask, PCI_ROM_ADDRESS, 0);
}

/* What the kernel must be able to write, whatever the masks say. */
static void lens_widen_masks(struct lens_function *fn)
{
	u8 *mask = fn->config_write_mask;
	u16 at, control;

	if (fn->cap_msix)
		set_word(mask, fn->cap_msix + PCI_MSIX_FLAGS,
			 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	at = fn->cap_msi;
	if (at) {
		control = word(fn->config_image, at + PCI_MSI_FLAGS);
		set_word(mask, at + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
		set_dword(mask, at + PCI_MSI_ADDRESS_LO, ~3U);
		if (control & PCI_MSI_FLAGS_64BIT)
			set_dword(mask, at + PCI_MSI_ADDRESS_HI, ~0U);
		set_word(mask, at + (control & PCI_MSI_FLAGS_64BIT ? PCI_MSI_DATA_64 :
				     PCI_MSI_DATA_32), 0xffff);
		if (control & PCI_MSI_FLAGS_MASKBIT)
			set_dword(mask, at + (control & PCI_MSI_FLAGS_64BIT ? PCI_MSI_MASK_64 :
					      PCI_MSI_MASK_32), ~0U);
	}
}

int lens_config_create(struct lens_function *fn, const struct pcilens_create *create,
		       const u8 *image, const u8 *write_mask, const u8 *w1c)
{
	raw_spin_lock_init(&fn->config_lock);
	fn->config_bytes = create->config_bytes;
	fn->config = kcalloc(4, LENS_CONFIG_BYTES, GFP_KERNEL);
	if (!fn->config)
		return -ENOMEM;
	fn->config_image = fn->config + LENS_CONFIG_BYTES;
	fn->config_write_mask = fn->config_image + LENS_CONFIG_BYTES;
	fn->config_w1c = fn->config_write_mask + LENS_CONFIG_BYTES;
	memcpy(fn->config_image, image, fn->config_bytes);
	memcpy(fn->config_write_mask, write_mask, fn->config_bytes);
	memcpy(fn->config_w1c, w1c, fn->config_bytes);
	if ((fn->config_image[PCI_HEADER_TYPE] & 0x7f) != PCI_HEADER_TYPE_NORMAL ||
	    word(fn->config_image, PCI_VENDOR_ID) == 0xffff)
		return -EINVAL;
	lens_find_capabilities(fn);
	lens_derive_bars(fn);
	lens_widen_masks(fn);
	memcpy(fn->config, fn->config_image, LENS_CONFIG_BYTES);
	return 0;
}

void lens_config_free(struct lens_function *fn)
{
	kfree(fn->config);
}

/* MSI's mask bits; its pending bits are the next dword (PCI 3.0, 6.8.1). 0: it has none. */
u32 lens_msi_mask_at(struct lens_function *fn)
{
	u16 control;

	if (!fn->cap_msi)
		return 0;
	control = word(fn->config_image, fn->cap_msi + PCI_MSI_FLAGS);
	if (!(control & PCI_MSI_FLAGS_MASKBIT))
		return 0;
	return fn->cap_msi + (control & PCI_MSI_FLAGS_64BIT ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);
}

u16 lens_config_word(struct lens_function *fn, u32 offset)
{
	return word(fn->config, offset);
}

/* BARs, COMMAND and the message control words are software's. */
static bool lens_config_is_softwares(struct lens_function *fn, u32 at)
{
	return (at >= PCI_BASE_ADDRESS_0 && at < PCI_BASE_ADDRESS_0 + 24) ||
	       (at >= PCI_COMMAND && at < PCI_COMMAND + 2) ||
	       (fn->cap_msi && at >= fn->cap_msi + PCI_MSI_FLAGS &&
		at < fn->cap_msi + PCI_MSI_FLAGS + 2) ||
	       (fn->cap_msix && at >= fn->cap_msix + PCI_MSIX_FLAGS &&
		at < fn->cap_msix + PCI_MSIX_FLAGS + 2);
}

int lens_config_copy(struct lens_function *fn, u32 offset, u32 length, u8 *data, bool write)
{
	unsigned long flags;
	u32 i;

	if (offset > fn->config_bytes || length > fn->config_bytes - offset)
		return -EINVAL;
	raw_spin_lock_irqsave(&fn->config_lock, flags);
	for (i = 0; i < length; i++) {
		if (!write)
			data[i] = fn->config[offset + i];
		else if (!lens_config_is_softwares(fn, offset + i))
			fn->config[offset + i] = data[i];
	}
	raw_spin_unlock_irqrestore(&fn->config_lock, flags);
	return 0;
}

/* As it was created: BARs, COMMAND and all. */
void lens_config_reset(struct lens_function *fn)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&fn->config_lock, flags);
	memcpy(fn->config, fn->config_image, fn->config_bytes);
	raw_spin_unlock_irqrestore(&fn->config_lock, flags);
}

static u64 lens_bar_address(const u8 *config, const struct lens_function *fn, int bar)
{
	u64 address = lens_load(config + PCI_BASE_ADDRESS_0 + 4 * bar, 4) &
		      PCI_BASE_ADDRESS_MEM_MASK;

	if (fn->bar[bar].flags & PCILENS_BAR_64BIT)
		address |= lens_load(config + PCI_BASE_ADDRESS_0 + 4 * bar + 4, 4) << 32;
	return address;
}

u64 lens_config_bar(struct lens_function *fn, int bar)
{
	return lens_bar_address(fn->config, fn, bar);
}

static void lens_emit_bars(struct lens_function *fn, const struct lens_site *site,
			   const u8 *before, const u8 *after)
{
	bool was = before[PCI_COMMAND] & PCI_COMMAND_MEMORY;
	bool is = after[PCI_COMMAND] & PCI_COMMAND_MEMORY;
	int i;

	for (i = 0; i < PCILENS_BARS; i++) {
		struct pcilens_event event = {
			.kind = PCILENS_BAR_CHANGE, .bar = i, .value = is,
			.offset = lens_bar_address(after, fn, i),
		};

		if (!fn->bar[i].size)
			continue;
		if (was != is || (is && event.offset != lens_bar_address(before, fn, i)))
			lens_emit(fn, site, &event, false);
	}
}

/* Which reset, if any, a write from @before to the masked @written asks for. */
static int lens_reset_asked(struct lens_function *fn, const u8 *before, const u8 *after,
			    u32 where, u32 size, u32 value)
{
	u32 at = fn->cap_pcie + PCI_EXP_DEVCTL;

	/* FLR and AF FLR read as 0, so the written value tells, not the result. */
	if (fn->cap_pcie && where <= at + 1 && where + size > at + 1 &&
	    lens_load(fn->config_image + fn->cap_pcie + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR &&
	    (value >> (8 * (at + 1 - where))) & (PCI_EXP_DEVCTL_BCR_FLR >> 8))
		return PCILENS_RESET_FLR;
	at = fn->cap_af + PCI_AF_CTRL;
	if (fn->cap_af && where <= at && where + size > at &&
	    (value >> (8 * (at - where))) & PCI_AF_CTRL_FLR)
		return PCILENS_RESET_FLR;
	at = fn->cap_pm + PCI_PM_CTRL;
	if (fn->cap_pm && (word(before, at) & PM_STATE_MASK) == 3 &&
	    (word(after, at) & PM_STATE_MASK) == 0 &&
	    !(word(after, at) & PCI_PM_CTRL_NO_SOFT_RESET))
		return PCILENS_RESET_PM;
	return 0;
}

/* The first 256 bytes are all that a write has effects in. */
struct lens_effects {
	u8 before[256];
	u8 after[256];
	int reset;
	u32 result;
};

static void lens_config_apply(struct lens_function *fn, u32 where, u32 size, u32 value,
			      struct lens_effects *effects)
{
	unsigned long flags;
	u32 i;

	raw_spin_lock_irqsave(&fn->config_lock, flags);
	memcpy(effects->before, fn->config, 256);
	for (i = 0; i < size; i++) {
		u8 mask = fn->config_write_mask[where + i];
		u8 w1c = fn->config_w1c[where + i];
		u8 byte = value >> (8 * i);
		u8 *to = &fn->config[where + i];

		*to = ((*to & ~mask) | (byte & mask)) & ~(byte & w1c & ~mask);
	}
	effects->result = lens_load(fn->config + where, size);
	memcpy(effects->after, fn->config, 256);
	effects->reset = lens_reset_asked(fn, effects->before, effects->after, where, size, value);
	if (effects->reset) {
		memcpy(fn->config, fn->config_image, fn->config_bytes);
		memcpy(effects->after, fn->config, 256);
	} else if (fn->cap_pcie) {
		fn->config[fn->cap_pcie + PCI_EXP_DEVCTL + 1] &= ~(PCI_EXP_DEVCTL_BCR_FLR >> 8);
	}
	raw_spin_unlock_irqrestore(&fn->config_lock, flags);
}

static void lens_config_effects(struct lens_function *fn, const struct lens_site *site,
				const struct lens_effects *effects)
{
	u16 at;

	if (effects->reset) {
		struct pcilens_event event = {
			.kind = PCILENS_RESET, .bar = PCILENS_BAR_CONFIG, .aux = effects->reset,
		};

		lens_interrupt_reset(fn);
		lens_emit(fn, site, &event, false);
	}
	lens_emit_bars(fn, site, effects->before, effects->after);
	if (word(effects->before, PCI_COMMAND) != word(effects->after, PCI_COMMAND))
		lens_intx_look(fn);
	at = fn->cap_msix + PCI_MSIX_FLAGS;
	if (fn->cap_msix && word(effects->before, at) != word(effects->after, at))
		lens_interrupt_control(fn, site, PCILENS_IRQ_MSIX, word(effects->after, at));
	at = fn->cap_msi + PCI_MSI_FLAGS;
	if (fn->cap_msi && word(effects->before, at) != word(effects->after, at))
		lens_interrupt_control(fn, site, PCILENS_IRQ_MSI, word(effects->after, at));
	at = lens_msi_mask_at(fn);
	if (at)
		lens_interrupt_mask(fn, site, lens_load(effects->before + at, 4),
				    lens_load(effects->after + at, 4));
}

static __always_inline void lens_config_site(struct lens_site *site)
{
	lens_site_init(site, _RET_IP_);
}

static void lens_config_read(struct lens_function *fn, const struct lens_site *site, u32 where,
			     u32 size, u32 *value)
{
	struct pcilens_event event = {
		.kind = PCILENS_CFG_READ, .bar = PCILENS_BAR_CONFIG, .size = size, .offset = where,
	};
	struct lens_range policy = lens_policy_at(&fn->config_ranges, where, size);
	bool stack = policy.flags & PCILENS_POLICY_STACK;
	u32 status, pending;
	u64 answer;

	if (where + size <= fn->config_bytes)
		event.value = lens_load(fn->config + where, size);
	pending = lens_msi_mask_at(fn) + 4;
	if (pending != 4 && where >= pending && where + size <= pending + 4)
		event.value = lens_interrupt_pending(fn) >> (8 * (where - pending)) &
			      lens_ones(size);
	*value = event.value;
	if (policy.read < PCILENS_MODE_SYNC) {
		event.flags = PCILENS_F_SHADOWED;
		lens_emit(fn, site, &event, stack);
		return;
	}
	if (policy.read == PCILENS_MODE_BREAK)
		event.flags = PCILENS_F_BREAK;
	if (lens_hold(fn, site, &event, stack, &answer, &status))
		*value = status == PCILENS_STATUS_SC ? answer & lens_ones(size) : lens_ones(size);
}

static int lens_config_write(struct lens_function *fn, const struct lens_site *site, u32 where,
			     u32 size, u32 value)
{
	struct pcilens_event event = {
		.kind = PCILENS_CFG_WRITE, .bar = PCILENS_BAR_CONFIG, .size = size,
		.offset = where, .value = value,
	};
	struct lens_range policy = lens_policy_at(&fn->config_ranges, where, size);
	bool stack = policy.flags & PCILENS_POLICY_STACK;
	struct lens_effects *effects;
	u32 status;
	u64 answer;

	if (where + size > fn->config_bytes)
		return PCIBIOS_SUCCESSFUL;
	/* 512 bytes are too many for an interrupt's stack. */
	effects = kmalloc(sizeof(*effects), GFP_ATOMIC);
	if (!effects)
		return PCIBIOS_SET_FAILED;	/* and the allocator's own trace says whose write */
	if (policy.write >= PCILENS_MODE_SYNC) {
		if (policy.write == PCILENS_MODE_BREAK)
			event.flags = PCILENS_F_BREAK;
		if (lens_hold(fn, site, &event, stack, &answer, &status) &&
		    status != PCILENS_STATUS_SC)
			goto out;	/* aborted: without effect */
		lens_config_apply(fn, where, size, value, effects);
	} else {
		lens_config_apply(fn, where, size, value, effects);
		event.aux = effects->result;
		lens_emit(fn, site, &event, stack);
	}
	lens_config_effects(fn, site, effects);
out:
	kfree(effects);
	return PCIBIOS_SUCCESSFUL;
}

static int lens_pci_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	struct lens_function *fn = lens_bus_function(bus, devfn);
	struct lens_site site;

	*value = lens_ones(size);
	if (!fn)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (lens_dead(fn)) {
		lens_put(fn);
		return PCIBIOS_DEVICE_NOT_FOUND;
	}
	lens_config_site(&site);
	if (READ_ONCE(fn->absent))
		lens_unclaimed_config(fn, &site, false, where, size, *value);
	else
		lens_config_read(fn, &site, where, size, value);
	lens_put(fn);
	return PCIBIOS_SUCCESSFUL;
}

static int lens_pci_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	struct lens_function *fn = lens_bus_function(bus, devfn);
	int result = PCIBIOS_SUCCESSFUL;
	struct lens_site site;

	if (!fn)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (lens_dead(fn)) {
		lens_put(fn);
		return PCIBIOS_DEVICE_NOT_FOUND;
	}
	lens_config_site(&site);
	if (READ_ONCE(fn->absent))
		lens_unclaimed_config(fn, &site, true, where, size, value);
	else
		result = lens_config_write(fn, &site, where, size, value);
	lens_put(fn);
	return result;
}

struct pci_ops lens_pci_ops = {
	.read = lens_pci_read,
	.write = lens_pci_write,
};
