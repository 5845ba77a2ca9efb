/* SPDX-License-Identifier: GPL-2.0 */
/* One vector through its life: requested, moved, given back, taken again. */
#include <linux/irq.h>
#include <linux/msi.h>

/* The device sends one; whether the handler ran. */
static bool vector_arrives(struct interrupts *all, u64 *ms)
{
	u64 start = ktime_get_ns();
	bool came;

	writel(RAISED, all->bar + EDU_IRQ_RAISE);
	came = wait_for_completion_timeout(&all->done, 5 * HZ);
	*ms = (ktime_get_ns() - start) / NSEC_PER_MSEC;
	return came;
}

static void vector_says(const char *when, bool right, u64 ms)
{
	pr_info("kmod_bench: vector %s: %s after %llu ms\n", when, right ? "right" : "WRONG", ms);
}

static int run_vector(struct pci_dev *pdev, struct interrupts *all, int round)
{
	unsigned int cpu;
	int irq, err;
	bool right;
	u64 ms;

	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI | PCI_IRQ_MSIX);
	if (err < 0)
		return err;
	irq = pci_irq_vector(pdev, 0);
	/* Nobody has requested it: where it cannot be masked it is lost. */
	if (!irq_get_msi_desc(irq)->pci.msi_attrib.can_mask) {
		writel(RAISED, all->bar + EDU_IRQ_RAISE);
		writel(RAISED, all->bar + EDU_IRQ_ACK);
		readl(all->bar + EDU_IRQ_STATUS);
	}
	err = request_irq(irq, on_interrupt, 0, "kmod_bench", all);
	if (err)
		goto out_vectors;
	/* One that came while it was given back is pending, where it could be masked. */
	if (round)
		wait_for_completion_timeout(&all->done, HZ);
	right = vector_arrives(all, &ms);
	vector_says(round ? "taken again" : "requested", right, ms);
	/* What the kernel's own look at the number of a vector would wait for. */
	msi_lock_descs(&pdev->dev);
	right = vector_arrives(all, &ms);
	msi_unlock_descs(&pdev->dev);
	vector_says("with the kernel's mutex", right && ms < 1000, ms);
	for_each_online_cpu(cpu) {
		err = irq_set_affinity(irq, cpumask_of(cpu));
		right = vector_arrives(all, &ms);
		vector_says("moved", right && !err, ms);
	}
	disable_irq(irq);
	enable_irq(irq);
	right = vector_arrives(all, &ms);
	vector_says("enabled again", right, ms);
	free_irq(irq, all);
	err = 0;
out_vectors:
	pci_free_irq_vectors(pdev);	/* the runtime holds it, and sends one meanwhile */
	return err;
}

static int run_vectors(struct pci_dev *pdev, void __iomem *bar)
{
	struct interrupts all = { .bar = bar };
	int err, round;

	init_completion(&all.done);
	pci_set_master(pdev);
	for (round = 0; round < 2; round++) {
		err = run_vector(pdev, &all, round);
		if (err)
			return err;
	}
	pr_info("kmod_bench: vectors wrong %u\n", all.wrong);
	return 0;
}
