// SPDX-License-Identifier: GPL-2.0
/*
 * INTx: a level, on an interrupt of our own. While the line is asserted, the
 * handler runs again and again, a tick apart: the device deasserts it some time
 * after the driver's acknowledging write, which is posted.
 */
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>

#include "function.h"

static bool lens_intx_active(struct lens_function *fn)
{
	return READ_ONCE(fn->intx_asserted) && !lens_dead(fn) &&
	       !(lens_config_word(fn, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE);
}

/* Soon, on another CPU than @cpu, where the runtime is: it has to answer the handler. */
static void lens_intx_queue(struct lens_function *fn, int cpu, unsigned long delay)
{
	int other = cpumask_any_but(cpu_online_mask, cpu);

	queue_delayed_work_on(other < nr_cpu_ids ? other : raw_smp_processor_id(),
			      system_highpri_wq, &fn->intx_again, delay);
}

/* Handlers expect an interrupt, not a worker. */
static void lens_intx_irq_work(struct irq_work *work)
{
	struct lens_function *fn = container_of(work, struct lens_function, intx_irq_work);

	if (!lens_intx_active(fn))
		return;
	generic_handle_irq(fn->intx_irq);
	if (lens_intx_active(fn))
		lens_intx_queue(fn, READ_ONCE(fn->collector_cpu), 1);
}

static void lens_intx_again(struct work_struct *work)
{
	struct lens_function *fn = container_of(to_delayed_work(work), struct lens_function,
						intx_again);

	if (lens_intx_active(fn))
		irq_work_queue(&fn->intx_irq_work);
}

int lens_intx_create(struct lens_function *fn)
{
	int irq;

	fn->intx_irq_work = IRQ_WORK_INIT_HARD(lens_intx_irq_work);
	INIT_DELAYED_WORK(&fn->intx_again, lens_intx_again);
	if (!fn->config_image[PCI_INTERRUPT_PIN])
		return 0;
	if (fn->config_image[PCI_INTERRUPT_PIN] > 4)
		return -EINVAL;
	irq = irq_alloc_desc(NUMA_NO_NODE);
	if (irq < 0)
		return irq;
	irq_set_chip_and_handler_name(irq, &dummy_irq_chip, handle_level_irq, "pcilens");
	fn->intx_irq = irq;
	return 0;
}

void lens_intx_free(struct lens_function *fn)
{
	if (!fn->intx_irq)
		return;
	WRITE_ONCE(fn->intx_asserted, false);
	irq_work_sync(&fn->intx_irq_work);
	cancel_delayed_work_sync(&fn->intx_again);
	irq_work_sync(&fn->intx_irq_work);
	irq_free_desc(fn->intx_irq);
}

/* Its driver finds the interrupt in pdev->irq, which ACPI is not to look for. */
void lens_intx_attach(struct pci_dev *pdev)
{
	struct lens_function *fn = lens_device_function(&pdev->dev);

	if (!fn)
		return;
	if (fn->intx_irq) {
		pdev->irq = fn->intx_irq;
		pdev->irq_managed = 1;
	}
	lens_put(fn);
}

/* Asserts or deasserts the line; what a PCILENS_IRQ record says of it. */
u32 lens_intx_set(struct lens_function *fn, bool asserted)
{
	u16 status;

	if (!fn->intx_irq)
		return asserted ? PCILENS_IRQ_DISABLED : PCILENS_IRQ_DEASSERTED;
	WRITE_ONCE(fn->intx_asserted, asserted);
	status = lens_config_word(fn, PCI_STATUS) & ~PCI_STATUS_INTERRUPT;
	status |= asserted ? PCI_STATUS_INTERRUPT : 0;
	lens_config_copy(fn, PCI_STATUS, 2, (u8 *)&status, true);
	if (!asserted)
		return PCILENS_IRQ_DEASSERTED;
	return lens_intx_active(fn) ? PCILENS_IRQ_DELIVERED : PCILENS_IRQ_PENDING;
}

/* After the record of the assertion, and where COMMAND has changed. */
void lens_intx_look(struct lens_function *fn)
{
	if (fn->intx_irq && lens_intx_active(fn))
		lens_intx_queue(fn, raw_smp_processor_id(), 0);
}
