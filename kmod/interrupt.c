// SPDX-License-Identifier: GPL-2.0
/*
 * MSI-X and MSI. The kernel's own MSI domain programs the table; the table and
 * the pending bits are emulated here, since the kernel touches them with
 * interrupts off and reads them back. INTx is in intx.c.
 *
 * Sending is irq_inject_interrupt(), which makes the interrupt controller raise
 * the real vector again: so affinity, threading and accounting are the real ones.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "function.h"

static void lens_unmask_irq_work(struct irq_work *work)
{
	struct lens_function *fn = container_of(work, struct lens_function, unmask_irq_work);

	if (!kref_get_unless_zero(&fn->ref))
		return;
	if (!queue_work(lens_workqueue, &fn->unmask_work))
		lens_put(fn);
}

static void lens_unmask_work(struct work_struct *work);

int lens_interrupt_create(struct lens_function *fn)
{
	u8 *config = fn->config_image;
	u32 table, pba;

	raw_spin_lock_init(&fn->vector_lock);
	fn->unmask_irq_work = IRQ_WORK_INIT(lens_unmask_irq_work);
	INIT_WORK(&fn->unmask_work, lens_unmask_work);
	if (lens_intx_create(fn))
		return -EINVAL;
	fn->table_bar = -1;
	fn->pba_bar = -1;
	fn->pending = bitmap_zalloc(LENS_VECTORS, GFP_KERNEL);
	if (!fn->pending)
		return -ENOMEM;
	if (fn->cap_msix)
		fn->vectors = (lens_load(config + fn->cap_msix + PCI_MSIX_FLAGS, 2) &
			       PCI_MSIX_FLAGS_QSIZE) + 1;
	if (lens_vectors_create(fn))
		return -ENOMEM;
	if (!fn->cap_msix)
		return 0;
	table = lens_load(config + fn->cap_msix + PCI_MSIX_TABLE, 4);
	pba = lens_load(config + fn->cap_msix + PCI_MSIX_PBA, 4);
	fn->table_bar = table & PCI_MSIX_TABLE_BIR;
	fn->table_offset = table & PCI_MSIX_TABLE_OFFSET;
	fn->pba_bar = pba & PCI_MSIX_PBA_BIR;
	fn->pba_offset = pba & PCI_MSIX_PBA_OFFSET;
	if (fn->table_bar >= PCILENS_BARS || fn->pba_bar >= PCILENS_BARS ||
	    (u64)fn->table_offset + fn->vectors * PCI_MSIX_ENTRY_SIZE >
	    fn->bar[fn->table_bar].size ||
	    (u64)fn->pba_offset + DIV_ROUND_UP(fn->vectors, 64) * 8 > fn->bar[fn->pba_bar].size)
		return -EINVAL;
	fn->vector = vzalloc(fn->vectors * sizeof(*fn->vector));
	if (!fn->vector)
		return -ENOMEM;
	lens_interrupt_reset(fn);
	return 0;
}

void lens_interrupt_free(struct lens_function *fn)
{
	lens_intx_free(fn);
	irq_work_sync(&fn->unmask_irq_work);
	bitmap_free(fn->pending);
	vfree(fn->vector);
	lens_vectors_free(fn);
}

void lens_interrupt_reset(struct lens_function *fn)
{
	unsigned long flags;
	u32 i;

	raw_spin_lock_irqsave(&fn->vector_lock, flags);
	bitmap_zero(fn->pending, LENS_VECTORS);
	for (i = 0; i < fn->vectors; i++) {
		memset(&fn->vector[i], 0, sizeof(fn->vector[i]));
		fn->vector[i].word[3] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	}
	raw_spin_unlock_irqrestore(&fn->vector_lock, flags);
}

static void lens_emit_mask(struct lens_function *fn, const struct lens_site *site, u32 vector,
			   u64 value, int kind)
{
	struct pcilens_event event = {
		.kind = PCILENS_IRQ_MASK, .bar = PCILENS_BAR_IRQ, .offset = vector,
		.value = value, .aux = kind,
	};

	lens_emit(fn, site, &event, false);
}

/* Pending bits are looked at once the unmasking access is over. */
static void lens_deliver_pending(struct lens_function *fn)
{
	if (!bitmap_empty(fn->pending, LENS_VECTORS))
		irq_work_queue(&fn->unmask_irq_work);
}

static bool lens_enables(int kind, u16 control)
{
	return control & (kind == PCILENS_IRQ_MSIX ? PCI_MSIX_FLAGS_ENABLE : PCI_MSI_FLAGS_ENABLE);
}

/* A write to config has changed MSI's mask bits. */
void lens_interrupt_mask(struct lens_function *fn, const struct lens_site *site, u32 before,
			 u32 after)
{
	u32 changed = before ^ after;
	int vector;

	for (vector = 0; vector < 32; vector++) {
		if (changed & BIT(vector))
			lens_emit_mask(fn, site, vector, !!(after & BIT(vector)), PCILENS_IRQ_MSI);
	}
	if (before & ~after)
		lens_deliver_pending(fn);
}

u32 lens_interrupt_pending(struct lens_function *fn)
{
	return lens_load((u8 *)fn->pending, 4);
}

void lens_interrupt_control(struct lens_function *fn, const struct lens_site *site, int kind,
			    u16 control)
{
	/* Who disables them to free them can sleep; the rest may find one that is late. */
	if (!lens_enables(kind, control) && site->may_sleep)
		lens_vectors_settle(fn);
	lens_emit_mask(fn, site, 0xffff, control, kind);
	lens_deliver_pending(fn);
}

static u64 lens_table_access(struct lens_function *fn, u32 offset, u8 size, bool write, u64 value,
			     int *unmasked, int *masked)
{
	u8 *table = (u8 *)fn->vector;
	u32 first = offset / PCI_MSIX_ENTRY_SIZE;
	unsigned long flags;
	u32 was;

	raw_spin_lock_irqsave(&fn->vector_lock, flags);
	was = fn->vector[first].word[3] & PCI_MSIX_ENTRY_CTRL_MASKBIT;
	if (write) {
		lens_store(table + offset, size, value);
		fn->vector[first].word[3] &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
		if (was && !fn->vector[first].word[3])
			*unmasked = first;
		else if (!was && fn->vector[first].word[3])
			*masked = first;
	} else {
		value = lens_load(table + offset, size);
	}
	raw_spin_unlock_irqrestore(&fn->vector_lock, flags);
	return value;
}

/* Whether the access was to the MSI-X table or PBA; then it is done. */
bool lens_interrupt_access(struct lens_function *fn, const struct lens_site *site, int bar,
			   u64 offset, u8 size, bool write, u64 *value)
{
	struct pcilens_event event = {
		.kind = write ? PCILENS_MEM_WRITE : PCILENS_MEM_READ, .bar = bar, .size = size,
		.offset = offset, .flags = PCILENS_F_KERNEL,
	};
	u32 table_bytes = fn->vectors * PCI_MSIX_ENTRY_SIZE;
	u32 pba_bytes = DIV_ROUND_UP(fn->vectors, 64) * 8;
	int unmasked = -1, masked = -1;

	if (bar == fn->table_bar && offset >= fn->table_offset &&
	    offset + size <= (u64)fn->table_offset + table_bytes) {
		u32 at = offset - fn->table_offset;

		/* Only what stays in one entry; PCIe asks for 4 or 8, aligned. */
		if (!IS_ALIGNED(at, size))
			*value = write ? *value : lens_ones(size);
		else
			*value = lens_table_access(fn, at, size, write, *value, &unmasked, &masked);
	} else if (bar == fn->pba_bar && offset >= fn->pba_offset &&
		   offset + size <= (u64)fn->pba_offset + pba_bytes) {
		if (!write)
			*value = lens_load((u8 *)fn->pending + (offset - fn->pba_offset), size);
	} else {
		return false;
	}
	event.value = *value;
	lens_emit(fn, site, &event, false);
	if (masked >= 0)
		lens_emit_mask(fn, site, masked, 1, PCILENS_IRQ_MSIX);
	if (unmasked >= 0) {
		lens_emit_mask(fn, site, unmasked, 0, PCILENS_IRQ_MSIX);
		lens_deliver_pending(fn);
	}
	return true;
}

/* MSI-X, MSI or 0; and whether the vector may be sent now. */
int lens_vector_state(struct lens_function *fn, u32 vector, bool *exists, bool *masked)
{
	u16 control;
	u32 mask = 0;

	*exists = false;
	*masked = false;
	if (fn->cap_msix) {
		control = lens_config_word(fn, fn->cap_msix + PCI_MSIX_FLAGS);
		if (control & PCI_MSIX_FLAGS_ENABLE) {
			*exists = vector < fn->vectors;
			*masked = *exists && (control & PCI_MSIX_FLAGS_MASKALL ||
					      READ_ONCE(fn->vector[vector].word[3]) &
					      PCI_MSIX_ENTRY_CTRL_MASKBIT);
			return PCILENS_IRQ_MSIX;
		}
	}
	if (fn->cap_msi) {
		control = lens_config_word(fn, fn->cap_msi + PCI_MSI_FLAGS);
		if (control & PCI_MSI_FLAGS_ENABLE) {
			/* 6 and 7 are reserved (PCI 3.0, 6.8.1.3). */
			*exists = vector < 1U << min((control & PCI_MSI_FLAGS_QSIZE) >> 4, 5);
			if (*exists && control & PCI_MSI_FLAGS_MASKBIT)
				mask = lens_load(fn->config + lens_msi_mask_at(fn), 4);
			*masked = *exists && mask >> vector & 1;
			return PCILENS_IRQ_MSI;
		}
	}
	return 0;
}

static void lens_count(struct lens_function *fn, u32 result)
{
	switch (result) {
	case PCILENS_IRQ_DELIVERED: case PCILENS_IRQ_LATE:
		atomic64_inc(&fn->stat.irq_delivered);
		break;
	case PCILENS_IRQ_COALESCED:
		atomic64_inc(&fn->stat.irq_coalesced);
		break;
	case PCILENS_IRQ_PENDING:
		atomic64_inc(&fn->stat.irq_pending);
		break;
	case PCILENS_IRQ_DISABLED: case PCILENS_IRQ_NO_HANDLER:
		atomic64_inc(&fn->stat.irq_lost);
		break;
	}
}

static u64 lens_report(struct lens_function *fn, u32 vector, u32 result, int kind)
{
	struct pcilens_event event = {
		.kind = PCILENS_IRQ, .bar = PCILENS_BAR_IRQ, .offset = vector, .aux = result,
		.value = kind,
	};
	struct lens_site site;

	/*
	 * The caller may be the very thread that empties the ring: it must not
	 * wait for room for longer than an atomic one.
	 */
	lens_site_init(&site, 0);
	site.may_sleep = false;
	return lens_emit(fn, &site, &event, false);
}

/*
 * Whether the vector may be raised by this thread on this CPU. The handler may
 * read the device with interrupts off. The thread that it interrupts is stuck
 * until the answer comes, with the locks that it has: so that is never the one
 * that sends, which has the lock of the runtime's link. And the CPU that takes it
 * is never the last one on which the runtime can run.
 */
static bool lens_may_raise(const struct cpumask *takes)
{
	unsigned int cpu, free = 0;
	bool spins = false;

	if (cpumask_test_cpu(raw_smp_processor_id(), takes))
		return false;
	for_each_online_cpu(cpu) {
		if (cpumask_test_cpu(cpu, takes))
			spins |= lens_cpu_spins(cpu);
		else
			free += !lens_cpu_spins(cpu);
	}
	return spins || free;
}

/* Where this thread has to be to raise it; false: nowhere, now. */
static bool lens_raise_from(const struct cpumask *takes, struct cpumask *where)
{
	unsigned int cpu;

	cpumask_clear(where);
	for_each_online_cpu(cpu) {
		if (!cpumask_test_cpu(cpu, takes) && !lens_cpu_spins(cpu))
			cpumask_set_cpu(cpu, where);
	}
	return !cpumask_empty(where);
}

/* With the caller's CPU fixed: the chip has one target for a vector. */
static int lens_raise_at(struct lens_function *fn, u32 vector, int irq,
			 const struct cpumask *takes)
{
	unsigned int cpu = cpumask_first_and(takes, cpu_online_mask);

	return cpu < nr_cpu_ids ? lens_raise_on(fn, vector, irq, cpu) :
				  lens_raise_now(fn, vector, irq);
}

/* The CPUs that take it, as of now: they change, and the interrupt may go. */
static void lens_taking(int irq, struct cpumask *takes)
{
	const struct cpumask *now;

	cpumask_clear(takes);
	rcu_read_lock();
	now = irq_get_effective_affinity_mask(irq);
	if (now)
		cpumask_copy(takes, now);
	rcu_read_unlock();
}

/*
 * Raises the vector: 0, -EBUSY where the last one has not been taken yet, -EAGAIN
 * where a handler that reads the device could not be answered now, else as
 * lens_raise_now().
 */
static int lens_raise(struct lens_function *fn, u32 vector, int irq, bool try)
{
	bool free_to_go = !(current->flags & PF_KTHREAD);
	cpumask_var_t allowed, takes, where;
	bool moved = false;
	int err = -ENOMEM;
	int tries;

	if (num_online_cpus() == 1)
		return lens_raise_now(fn, vector, irq);
	if (!alloc_cpumask_var(&allowed, GFP_KERNEL))
		return err;
	if (!alloc_cpumask_var(&takes, GFP_KERNEL))
		goto free_allowed;
	if (!alloc_cpumask_var(&where, GFP_KERNEL))
		goto free_takes;
	err = -EAGAIN;
	for (tries = 0; err == -EAGAIN && tries < 3; tries++) {
		bool may;

		lens_taking(irq, takes);
		preempt_disable();
		may = !free_to_go || lens_may_raise(takes);
		/* Our own thread there may have to run for it, and it runs at once. */
		if (may)
			err = lens_raise_at(fn, vector, irq, takes);
		preempt_enable();
		if (err != -EAGAIN)
			break;
		if (!free_to_go)
			continue;
		if (!lens_raise_from(takes, where))
			break;	/* the other CPUs spin, or there is none */
		if (!moved)
			cpumask_copy(allowed, current->cpus_ptr);
		moved = true;
		if (set_cpus_allowed_ptr(current, where))
			break;
	}
	if (err == -EAGAIN && !try)
		err = lens_raise_now(fn, vector, irq);
	if (moved)
		set_cpus_allowed_ptr(current, allowed);
	free_cpumask_var(where);
free_takes:
	free_cpumask_var(takes);
free_allowed:
	free_cpumask_var(allowed);
	return err;
}

/*
 * Reports, then sends, so that what the handler does comes after the interrupt
 * in the ring. Where it turns out otherwise, a second record says so.
 */
static u32 lens_send(struct lens_function *fn, u32 vector, int kind, u32 result, bool try,
		     u64 *seq)
{
	int irq, err = -ENODEV;

	*seq = lens_report(fn, vector, result, kind);
	irq = lens_vector_get(fn, vector, kind);
	if (irq) {
		err = lens_raise(fn, vector, irq, try);
		lens_vector_put(fn);
	}
	if (err) {
		result = err == -EBUSY ? PCILENS_IRQ_COALESCED :
			 err == -EAGAIN ? PCILENS_IRQ_BUSY : PCILENS_IRQ_NO_HANDLER;
		lens_report(fn, vector, result, kind);
	}
	lens_count(fn, result);
	return result;
}

static void lens_unmask_work(struct work_struct *work)
{
	struct lens_function *fn = container_of(work, struct lens_function, unmask_work);
	bool exists, masked;
	u32 vector;
	u64 seq;

	for_each_set_bit(vector, fn->pending, LENS_VECTORS) {
		int kind = lens_vector_state(fn, vector, &exists, &masked);

		if (!kind || masked)
			continue;
		if (test_and_clear_bit(vector, fn->pending) && exists)
			lens_send(fn, vector, kind, PCILENS_IRQ_LATE, false, &seq);
	}
	lens_put(fn);
}

int lens_interrupt_inject(struct lens_function *fn, struct pcilens_inject *inject)
{
	bool exists, masked;

	if (inject->flags & ~(PCILENS_INJECT_DEASSERT | PCILENS_INJECT_TRY) ||
	    inject->vector >= LENS_VECTORS)
		return -EINVAL;
	inject->kind = lens_vector_state(fn, inject->vector, &exists, &masked);
	if (READ_ONCE(fn->absent)) {
		inject->result = PCILENS_IRQ_DISABLED;
		inject->seq = lens_report(fn, inject->vector, inject->result, inject->kind);
		lens_count(fn, inject->result);
		return 0;
	}
	if (inject->flags & PCILENS_INJECT_DEASSERT || !inject->kind) {
		inject->kind = PCILENS_IRQ_INTX;
		inject->result = lens_intx_set(fn, !(inject->flags & PCILENS_INJECT_DEASSERT));
		inject->seq = lens_report(fn, 0, inject->result, inject->kind);
		lens_count(fn, inject->result);
		lens_intx_look(fn);
		return 0;
	}
	if (!(lens_config_word(fn, PCI_COMMAND) & PCI_COMMAND_MASTER))
		inject->result = PCILENS_IRQ_DISABLED;
	else if (!exists)
		return -EINVAL;
	else if (masked)
		inject->result = PCILENS_IRQ_PENDING;
	else
		inject->result = PCILENS_IRQ_DELIVERED;

	if (inject->result == PCILENS_IRQ_DELIVERED) {
		inject->result = lens_send(fn, inject->vector, inject->kind, inject->result,
					   inject->flags & PCILENS_INJECT_TRY, &inject->seq);
		return 0;
	}
	inject->seq = lens_report(fn, inject->vector, inject->result, inject->kind);
	lens_count(fn, inject->result);
	if (inject->result == PCILENS_IRQ_PENDING) {
		set_bit(inject->vector, fn->pending);
		/* It may have been unmasked in between. */
		lens_vector_state(fn, inject->vector, &exists, &masked);
		if (!masked)
			lens_deliver_pending(fn);
	}
	return 0;
}
