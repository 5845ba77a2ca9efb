// SPDX-License-Identifier: GPL-2.0
/* What becomes of a memory access: policy, report, answer. */
#include "function.h"

/* The shadow's bytes; zeros beyond it. */
static u64 lens_shadow_load(struct lens_function *fn, int bar, u64 offset, u8 size)
{
	struct lens_bar *b = &fn->bar[bar];

	if (offset + size <= b->shadow_bytes)
		return lens_load(b->shadow + offset, size);
	return 0;
}

static void lens_shadow_store(struct lens_function *fn, int bar, u64 offset, u8 size, u64 value)
{
	struct lens_bar *b = &fn->bar[bar];

	if (offset + size <= b->shadow_bytes)
		lens_store(b->shadow + offset, size, value);
}

static void lens_emit_expired(struct lens_function *fn, const struct lens_site *site,
			      const struct pcilens_event *held, u64 value)
{
	struct pcilens_event event = {
		.kind = PCILENS_EXPIRED, .bar = held->bar, .size = held->size,
		.flags = PCILENS_F_PASSED_STOP, .offset = held->offset, .value = value,
		.aux = held->seq, .slot = held->slot, .generation = held->generation,
	};

	lens_emit(fn, site, &event, false);
}

/**
 * lens_access - a driver reads or writes a BAR
 * @fn: the function
 * @site: who
 * @bar: 0..5
 * @offset: in the BAR
 * @size: 1, 2, 4 or 8
 * @write: or read
 * @value: what a write writes
 *
 * Return: what a read reads
 */
u64 lens_access(struct lens_function *fn, const struct lens_site *site, int bar, u64 offset,
		u8 size, bool write, u64 value)
{
	struct pcilens_event event = {
		.kind = write ? PCILENS_MEM_WRITE : PCILENS_MEM_READ,
		.bar = bar, .size = size, .offset = offset, .value = write ? value : 0,
	};
	struct lens_range policy;
	u64 answer = 0;
	u32 status = PCILENS_STATUS_SC;
	bool stack;
	u8 mode;

	atomic64_inc(write ? &fn->stat.writes : &fn->stat.reads);
	if (lens_dead(fn) || bar >= PCILENS_BARS || !fn->bar[bar].size ||
	    offset + size > fn->bar[bar].size)
		return lens_ones(size);
	if (!lens_decodes(fn, bar))
		return lens_unclaimed_access(fn, site, &event);
	if (lens_interrupt_access(fn, site, bar, offset, size, write, &value))
		return value;

	policy = lens_policy_at(&fn->bar[bar].ranges, offset, size);
	stack = policy.flags & PCILENS_POLICY_STACK;
	mode = write ? policy.write : policy.read;
	if (mode == PCILENS_MODE_DEFAULT)
		mode = write ? PCILENS_MODE_POSTED : PCILENS_MODE_SYNC;

	switch (mode) {
	case PCILENS_MODE_SHADOW:
		if (write) {
			lens_shadow_store(fn, bar, offset, size, value);
		} else {
			answer = lens_shadow_load(fn, bar, offset, size);
			event.value = answer;
		}
		event.flags |= PCILENS_F_SHADOWED;
		lens_emit(fn, site, &event, stack);
		return answer;
	case PCILENS_MODE_POSTED:
		lens_emit(fn, site, &event, stack);
		return 0;
	case PCILENS_MODE_BREAK:
		event.flags |= PCILENS_F_BREAK;
		break;
	}

	/* What it gets where it can neither wait nor be answered. */
	if (!write && !site->may_sleep)
		event.value = lens_shadow_load(fn, bar, offset, size);
	if (!lens_hold(fn, site, &event, stack, &answer, &status)) {
		if (lens_dead(fn))
			return lens_ones(size);
		if (!(event.flags & PCILENS_F_ANSWER))
			return write ? value : event.value;
		answer = write ? value : lens_shadow_load(fn, bar, offset, size);
		lens_emit_expired(fn, site, &event, answer);
		return answer;
	}
	return status == PCILENS_STATUS_SC ? answer & lens_ones(size) : lens_ones(size);
}

/* It cannot be emulated: no value, and no size. */
void lens_access_refused(struct lens_function *fn, const struct lens_site *site, int bar,
			 u64 offset)
{
	struct pcilens_event event = {
		.kind = PCILENS_REFUSED, .bar = bar, .offset = offset,
	};

	atomic64_inc(&fn->stat.refused);
	if (!lens_dead(fn) && bar < PCILENS_BARS)
		lens_emit(fn, site, &event, false);
}
