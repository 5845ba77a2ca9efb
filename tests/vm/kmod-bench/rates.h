/* SPDX-License-Identifier: GPL-2.0 */
/* How many accesses of a kind there are in a second, and how long one takes. */
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sort.h>
#include <linux/spinlock.h>

/* The function number of a cookie, bits 55:48, that nobody has: the trap by itself. */
static void rate_trap(void __iomem *bar, u32 i)
{
	writel(i, (void __iomem *)((unsigned long)bar | 0xffUL << 48));
}

static void rate_write(void __iomem *bar, u32 i)
{
	writel(i, bar + 0x200);
}

static void rate_read(void __iomem *bar, u32 i)
{
	readl(bar);
}

static void rate_atomic(void __iomem *bar, u32 i)
{
	static DEFINE_SPINLOCK(lock);
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	readl(bar);
	spin_unlock_irqrestore(&lock, flags);
}

static u32 rate_stale;

static void rate_pair(void __iomem *bar, u32 i)
{
	writel(i, bar + 4);
	rate_stale += readl(bar + 4) != ~i;
}

static const struct {
	const char *what;
	void (*once)(void __iomem *bar, u32 i);
} rates[] = {
	{ "trap", rate_trap }, { "write", rate_write }, { "read", rate_read },
	{ "atomic", rate_atomic }, { "pair", rate_pair },
};

static int rate_order(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* A second time around, with a look at the clock between any two. */
static int rate_latencies(void (*once)(void __iomem *bar, u32 i), void __iomem *bar, u32 count,
			  u32 *half, u32 *most)
{
	u32 *ns = kvmalloc_array(count, sizeof(*ns), GFP_KERNEL);
	u64 before, now;
	u32 i;

	if (!ns)
		return -ENOMEM;
	before = ktime_get_ns();
	for (i = 0; i < count; i++) {
		once(bar, i);
		now = ktime_get_ns();
		ns[i] = min_t(u64, now - before, U32_MAX);
		before = now;
	}
	sort(ns, count, sizeof(*ns), rate_order, NULL);
	*half = ns[count / 2];
	*most = ns[count - 1 - count / 1000];
	kvfree(ns);
	return 0;
}

/* 0, or an error; -EINVAL: there is no such kind. */
static int run_rate(const char *what, void __iomem *bar, u32 count, bool latencies)
{
	u32 i, half = 0, most = 0;
	size_t kind;
	u64 start, ns;
	int err = 0;

	for (kind = 0; kind < ARRAY_SIZE(rates) && strcmp(what, rates[kind].what); kind++)
		;
	if (kind == ARRAY_SIZE(rates) || !count)
		return -EINVAL;
	start = ktime_get_ns();
	for (i = 0; i < count; i++)
		rates[kind].once(bar, i);
	ns = ktime_get_ns() - start;
	if (latencies)
		err = rate_latencies(rates[kind].once, bar, count, &half, &most);
	if (!strcmp(what, "pair"))
		pr_info("kmod_bench: stale %u\n", rate_stale);
	pr_info("kmod_bench: %s %u in %llu us: %llu a second\n", what, count, ns / 1000,
		count * 1000000000ULL / (ns ?: 1));
	if (latencies && !err)
		pr_info("kmod_bench: %s p50 %u ns p99.9 %u ns\n", what, half, most);
	return err;
}
