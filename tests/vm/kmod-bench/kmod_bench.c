// SPDX-License-Identifier: GPL-2.0
/*
 * Does accesses to BAR 0 of the edu function and tells what came of them.
 *
 *	modprobe kmod_bench what=trap
 *			accesses a second that end in no function at all
 *	what=write	posted writes a second, ascending values at 0x200
 *	what=read	reads a second
 *	what=atomic	reads a second under a spinlock with interrupts off
 *	what=hold	one read of ID under such a lock, and how long it took
 *	what=past	a thread reads ALIVE (and is held there by a breakpoint); then
 *			ALIVE is written and read under a spinlock
 *	what=pair	writes and reads in turn: each read has to see its write
 *	what=refused	one instruction that the module does not emulate, at 0x200
 *	latencies=1	with these: how long one takes, too
 *	what=counter	two threads add to the counter device of counter.cpp and read
 *			what it has: each one is given out once
 *	what=interrupt	interrupts whose handler reads the device, while a thread
 *			reads it too: no answer may be wrong
 *	what=vectors	one interrupt in each state that its vector may have
 *	what=torture	the same for as many seconds as "seconds" says, which may be
 *			changed meanwhile, while a thread on each CPU counts at 0x200,
 *			the CPU in the highest 8 bits
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#include "rates.h"

static char *what = "nothing";
module_param(what, charp, 0444);
static unsigned int count = 100000;
module_param(count, uint, 0444);
static bool latencies;
module_param(latencies, bool, 0444);
static unsigned int seconds = 10;
module_param(seconds, uint, 0644);

struct interrupts {
	void __iomem *bar;
	struct completion done;
	u32 wrong, reads, wrong_reads;
	u64 longest;
};

#define EDU_ID		0x00
#define EDU_ALIVE	0x04
#define EDU_IRQ_STATUS	0x24
#define EDU_IRQ_RAISE	0x60
#define EDU_IRQ_ACK	0x64
#define RAISED		0x5a

static irqreturn_t on_interrupt(int irq, void *data)
{
	struct interrupts *all = data;
	u64 start = ktime_get_ns();
	u32 raised = readl(all->bar + EDU_IRQ_STATUS);

	all->longest = max(all->longest, ktime_get_ns() - start);
	if (raised != RAISED) {
		all->wrong++;
		pr_info("kmod_bench: the handler read 0x%x instead of 0x%x\n", raised, RAISED);
	}
	writel(RAISED, all->bar + EDU_IRQ_ACK);
	complete(&all->done);
	return IRQ_HANDLED;
}

#include "vectors.h"

static int read_all_the_time(void *data)
{
	struct interrupts *all = data;

	while (!kthread_should_stop()) {
		all->reads++;
		if (readl(all->bar + EDU_ID) != 0x010000ed)
			all->wrong_reads++;
		cond_resched();
	}
	return 0;
}

/* What the trace has to show, of each CPU, without loss and in order. */
static int count_on_cpu(void *bar)
{
	u32 cpu = raw_smp_processor_id(), i;

	for (i = 1; !kthread_should_stop(); i++) {
		writel(cpu << 24 | i, (void __iomem *)bar + 0x200);
		usleep_range(500, 1000);
	}
	pr_info("kmod_bench: CPU %u counted to %u\n", cpu, i - 1);
	return 0;
}

static struct task_struct *counters[NR_CPUS];

static void start_counters(void __iomem *bar)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		counters[cpu] = kthread_run_on_cpu(count_on_cpu, (void __force *)bar, cpu,
						   "kmod_bench/%u");
}

static void stop_counters(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		if (!IS_ERR_OR_NULL(counters[cpu]))
			kthread_stop(counters[cpu]);
	}
}

static int run_interrupts(struct pci_dev *pdev, void __iomem *bar, bool torture)
{
	struct interrupts all = { .bar = bar };
	struct task_struct *reader;
	u32 i, lost = 0;
	u64 start, ns;
	int err;

	init_completion(&all.done);
	pci_set_master(pdev);
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI | PCI_IRQ_MSIX);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pdev, 0), on_interrupt, 0, "kmod_bench", &all);
	if (err)
		goto out_vectors;
	reader = kthread_run(read_all_the_time, &all, "kmod_bench");
	if (torture)
		start_counters(bar);
	start = ktime_get_ns();
	for (i = 0; lost < 10; i++) {
		if (torture ? ktime_get_ns() - start > READ_ONCE(seconds) * NSEC_PER_SEC :
			      i >= count)
			break;
		writel(RAISED, bar + EDU_IRQ_RAISE);
		if (!wait_for_completion_timeout(&all.done, (torture ? 100 : 10) * HZ))
			lost++;
	}
	ns = ktime_get_ns() - start;
	if (torture)
		stop_counters();
	if (!IS_ERR(reader))
		kthread_stop(reader);
	pr_info("kmod_bench: interrupts %u lost %u wrong %u, %llu a second, longest read %llu us; reads beside %u wrong %u\n",
		i, lost, all.wrong, i * 1000000000ULL / (ns ?: 1), all.longest / 1000, all.reads,
		all.wrong_reads);
	free_irq(pci_irq_vector(pdev, 0), &all);
out_vectors:
	pci_free_irq_vectors(pdev);
	return err;
}

static int read_alive(void *data)
{
	pr_info("kmod_bench: the held read got 0x%x\n", readl((void __iomem *)data + EDU_ALIVE));
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static int run_past(void __iomem *bar)
{
	static DEFINE_SPINLOCK(lock);
	struct task_struct *held = kthread_run(read_alive, (void __force *)bar, "kmod_bench");
	unsigned long flags;
	u64 start;
	u32 value;

	if (IS_ERR(held))
		return PTR_ERR(held);
	msleep(1000);
	spin_lock_irqsave(&lock, flags);
	start = ktime_get_ns();
	writel(0x1234, bar + EDU_ALIVE);
	value = readl(bar + EDU_ALIVE);
	start = ktime_get_ns() - start;
	spin_unlock_irqrestore(&lock, flags);
	pr_info("kmod_bench: past the stop 0x%x after %llu ms\n", value, start / 1000000);
	kthread_stop(held);
	return 0;
}

#define COUNTER_ADD	0x00
#define COUNTER_COUNT	0x04

struct counting {
	void __iomem *bar;
	u64 added, read;
};

static void count_once(struct counting *c, u32 i)
{
	u32 n = i % 7 + 1;

	writel(n, c->bar + COUNTER_ADD);
	c->added += n;
	if (i % 3 == 0)
		c->read += readl(c->bar + COUNTER_COUNT);
}

static int count_all_the_time(void *data)
{
	u32 i = 0;

	while (!kthread_should_stop()) {
		count_once(data, i++);
		cond_resched();
	}
	return 0;
}

static int run_counter(void __iomem *bar)
{
	struct counting here = { .bar = bar }, there = { .bar = bar };
	struct task_struct *other;
	u64 left;
	u32 i;

	readl(bar + COUNTER_COUNT);
	other = kthread_run(count_all_the_time, &there, "kmod_bench");
	if (IS_ERR(other))
		return PTR_ERR(other);
	for (i = 0; i < count; i++)
		count_once(&here, i);
	kthread_stop(other);
	left = readl(bar + COUNTER_COUNT);
	pr_info("kmod_bench: counter added %llu read %llu left %llu: %s\n",
		here.added + there.added, here.read + there.read, left,
		here.added + there.added == here.read + there.read + left ? "right" : "WRONG");
	return 0;
}

static int run_hold(void __iomem *bar)
{
	static DEFINE_SPINLOCK(lock);
	unsigned long flags;
	u64 start;
	u32 id;

	spin_lock_irqsave(&lock, flags);
	start = ktime_get_ns();
	id = readl(bar);
	spin_unlock_irqrestore(&lock, flags);
	pr_info("kmod_bench: read 0x%x after %llu ms\n", id, (ktime_get_ns() - start) / 1000000);
	return 0;
}

/* No instruction of any driver's: the bytes c1 23 03. */
static int run_refused(void __iomem *bar)
{
	u32 before = readl(bar);

	asm volatile("shll $3, (%%rbx)" : : "b" ((void __force *)bar + 0x200) : "memory", "cc");
	pr_info("kmod_bench: refused, and the driver goes on: %s\n",
		before == readl(bar) ? "right" : "WRONG");
	return 0;
}

static int run(struct pci_dev *pdev, void __iomem *bar)
{
	if (!strcmp(what, "nothing"))
		return 0;
	if (!strcmp(what, "interrupt"))
		return run_interrupts(pdev, bar, false);
	if (!strcmp(what, "vectors"))
		return run_vectors(pdev, bar);
	if (!strcmp(what, "torture"))
		return run_interrupts(pdev, bar, true);
	if (!strcmp(what, "past"))
		return run_past(bar);
	if (!strcmp(what, "counter"))
		return run_counter(bar);
	if (!strcmp(what, "hold"))
		return run_hold(bar);
	if (!strcmp(what, "refused"))
		return run_refused(bar);
	return run_rate(what, bar, count, latencies);
}

static int __init bench_init(void)
{
	unsigned int id = strcmp(what, "counter") ? 0x11e8 : 0x11e9;
	struct pci_dev *pdev = pci_get_device(0x1234, id, NULL);
	void __iomem *bar;
	int err;

	if (!pdev)
		return -ENODEV;
	err = pci_enable_device(pdev);
	if (err)
		goto out_put;
	bar = pci_iomap(pdev, 0, 0);
	err = -ENOMEM;
	if (!bar)
		goto out_disable;
	err = run(pdev, bar);
	pci_iounmap(pdev, bar);
out_disable:
	pci_disable_device(pdev);
out_put:
	pci_dev_put(pdev);
	return err;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Accesses to an edu function, checked and measured");
MODULE_LICENSE("GPL");
