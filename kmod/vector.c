// SPDX-License-Identifier: GPL-2.0
/*
 * Linux's numbers of a function's vectors.
 *
 * The kernel tells them behind a mutex, which a driver that takes or gives back
 * vectors has while it accesses config space. Such an access may be held for hours
 * at a breakpoint, and who sends an interrupt meanwhile must not wait for it: it may
 * be the very thread that answers it. So they are taken from where the kernel writes
 * a vector's message: a real one when it puts the interrupt into service or sends it
 * to another CPU, zeros when it takes it out, which is before its number may become
 * somebody else's.
 *
 * And as on PCIe, where the completion of a config write does not pass the messages
 * before it: the write that disables MSI or MSI-X is not over while an interrupt is
 * on its way. The kernel frees no number before.
 */
#include <linux/kprobes.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/vmalloc.h>

#include "function.h"

#define MSI_VECTORS	32

int lens_vectors_create(struct lens_function *fn)
{
	init_waitqueue_head(&fn->raised);
	fn->irqs = max_t(u32, fn->vectors, MSI_VECTORS);
	fn->irq = vzalloc(array_size(fn->irqs, sizeof(*fn->irq)));
	return fn->irq ? 0 : -ENOMEM;
}

void lens_vectors_free(struct lens_function *fn)
{
	vfree(fn->irq);
}

/* Where no more are raised: until those that are on their way have been. */
void lens_vectors_settle(struct lens_function *fn)
{
	/* Who has found the vectors enabled has counted itself when we have the lock. */
	raw_spin_lock_irq(&fn->vector_lock);
	raw_spin_unlock_irq(&fn->vector_lock);
	wait_event_idle(fn->raised, !atomic_read(&fn->raising));
}

/* There is no driver any more, whatever it has left enabled. */
void lens_vectors_forget(struct lens_function *fn)
{
	u32 i;

	for (i = 0; i < fn->irqs; i++)
		WRITE_ONCE(fn->irq[i], 0);
	lens_vectors_settle(fn);
}

/**
 * lens_vector_get - Linux's number of a vector
 * @fn: the function
 * @vector: which exists
 * @kind: PCILENS_IRQ_MSIX or PCILENS_IRQ_MSI
 *
 * MSI or MSI-X is not disabled before lens_vector_put(), which must follow soon.
 *
 * Return: the number; 0: it is not in service
 */
int lens_vector_get(struct lens_function *fn, u32 vector, int kind)
{
	bool exists, masked;
	unsigned long flags;
	int irq = 0;

	raw_spin_lock_irqsave(&fn->vector_lock, flags);
	if (!lens_dead(fn) && lens_vector_state(fn, vector, &exists, &masked) == kind && exists)
		irq = READ_ONCE(fn->irq[vector]);
	if (irq)
		atomic_inc(&fn->raising);
	raw_spin_unlock_irqrestore(&fn->vector_lock, flags);
	return irq;
}

void lens_vector_put(struct lens_function *fn)
{
	if (atomic_dec_and_test(&fn->raising))
		wake_up(&fn->raised);
}

/* Whether @irq, of lens_vector_get(), is still in service as @vector. */
bool lens_vector_is(const struct lens_function *fn, u32 vector, int irq)
{
	return READ_ONCE(fn->irq[vector]) == irq;
}

/* __pci_write_msi_msg(desc, msg), often with interrupts off and the interrupt's lock held */
static int __kprobes lens_message(struct kprobe *p, struct pt_regs *regs)
{
	struct msi_desc *desc = (struct msi_desc *)regs->di;
	struct msi_msg *message = (struct msi_msg *)regs->si;
	struct pci_dev *pdev = to_pci_dev(desc->dev);
	struct lens_function *fn;
	u32 i, at = desc->msi_index;

	if (pdev->bus->ops != &lens_pci_ops)
		return 0;
	fn = lens_device_function(&pdev->dev);
	if (!fn)
		return 0;
	/* MSI has one descriptor for all of its vectors. */
	for (i = 0; i < desc->nvec_used && at + i < fn->irqs; i++)
		WRITE_ONCE(fn->irq[at + i], message->address_lo ? desc->irq + i : 0);
	lens_put(fn);
	return 0;
}

static struct kprobe lens_message_probe = {
	.symbol_name = "__pci_write_msi_msg",
	.pre_handler = lens_message,
};

int lens_vectors_init(void)
{
	int err = register_kprobe(&lens_message_probe);

	if (err)
		pr_err("pcilens: no kprobe at %s(): error %d\n", lens_message_probe.symbol_name,
		       err);
	return err;
}

void lens_vectors_exit(void)
{
	unregister_kprobe(&lens_message_probe);
}
