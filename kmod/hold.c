// SPDX-License-Identifier: GPL-2.0
/*
 * An access that waits for userspace.
 *
 * Where the driver may sleep the hold has no limit. Where it may not, it spins,
 * up to fn->atomic_hold_ms: on one CPU nobody could ever answer, and on several
 * the others soon wait for the spinning one.
 */
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/nmi.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/syscall.h>

#include "function.h"

/*
 * How long a driver's thread that may sleep spins for a prompt answer first, where
 * nothing else wants its CPU. Twice as long each time that it fell asleep for an
 * answer which came soon after all (waking up may cost more than the answer took,
 * on an emulated machine a hundred times as much), and half as long after one that
 * took long, as at a breakpoint.
 */
#define LENS_PROMPT_LEAST_NS	(50 * NSEC_PER_USEC)
#define LENS_PROMPT_MOST_NS	(4 * NSEC_PER_MSEC)

/* How often a sleeping hold tells the detector of hung tasks, which looks each second at most. */
#define LENS_HUNG_TICKS		(HZ / 2)

/*
 * How often a spinning wait with interrupts off lets IPIs in. Not all the time,
 * and no PAUSE in between: under QEMU's TCG both take the lock of the whole
 * machine, and a CPU that takes it in a loop leaves none of it to the one that
 * would answer. Such waits went on up to the cap.
 */
static const u64 lens_window_ns = 100 * NSEC_PER_USEC;
/* They are slow: none before a spinning wait has lasted for so long. */
static const u64 lens_first_window_ns = 50 * NSEC_PER_USEC;

/*
 * The cap where the driver runs on top of a thread of the runtime, which it has
 * interrupted: if that thread has a lock, nobody can answer. Long enough for
 * another thread that finds it has not.
 */
static const u64 lens_on_top_ns = 100 * NSEC_PER_MSEC;

/*
 * CPUs on which a driver spins. One has to be left for the runtime: who would
 * take the last one is not held.
 */
static struct cpumask lens_spinning;
static DEFINE_RAW_SPINLOCK(lens_spinning_lock);

static bool lens_spinning_enter(bool *nested)
{
	unsigned int cpu = raw_smp_processor_id();
	unsigned long flags;
	bool room;

	raw_spin_lock_irqsave(&lens_spinning_lock, flags);
	*nested = cpumask_test_cpu(cpu, &lens_spinning);
	room = *nested || cpumask_weight(&lens_spinning) + 1 < num_online_cpus();
	if (room)
		cpumask_set_cpu(cpu, &lens_spinning);
	raw_spin_unlock_irqrestore(&lens_spinning_lock, flags);
	return room;
}

static void lens_spinning_leave(bool nested)
{
	if (!nested)
		cpumask_clear_cpu(raw_smp_processor_id(), &lens_spinning);
}

bool lens_cpu_spins(unsigned int cpu)
{
	return cpumask_test_cpu(cpu, &lens_spinning);
}

int lens_slots_create(struct lens_function *fn)
{
	int i;

	fn->runtime = get_pid(task_tgid(current));
	fn->prompt_ns = LENS_PROMPT_LEAST_NS;
	init_waitqueue_head(&fn->slot_queue);
	fn->slot = kcalloc(PCILENS_SLOTS, sizeof(*fn->slot), GFP_KERNEL);
	fn->shared_slot = vmalloc_user(PAGE_ALIGN(PCILENS_SLOTS * sizeof(*fn->shared_slot)));
	if (!fn->slot || !fn->shared_slot)
		return -ENOMEM;
	for (i = 0; i < PCILENS_SLOTS; i++) {
		raw_spin_lock_init(&fn->slot[i].lock);
		init_waitqueue_head(&fn->slot[i].queue);
	}
	return 0;
}

void lens_slots_free(struct lens_function *fn)
{
	put_pid(fn->runtime);
	kfree(fn->slot);
	vfree(fn->shared_slot);
}

static int lens_slot_take(struct lens_function *fn)
{
	unsigned int i;

	do {
		i = find_first_zero_bit(fn->slot_map, PCILENS_SLOTS);
		if (i >= PCILENS_SLOTS)
			return -EBUSY;
	} while (test_and_set_bit_lock(i, fn->slot_map));
	return i;
}

static void lens_slot_give(struct lens_function *fn, int i)
{
	clear_bit_unlock(i, fn->slot_map);
	/* Whoever waits for a slot looks at the map after it is on the queue. */
	smp_mb__after_atomic();
	/* Seldom anybody does: the queue's lock is not taken for nothing. */
	if (waitqueue_active(&fn->slot_queue))
		wake_up(&fn->slot_queue);
}

static DEFINE_PER_CPU(u64, lens_windowed_ns);

/* One pass of a spinning wait. */
void lens_spin_window(void)
{
	u64 now = ktime_get_ns();

	if (now - this_cpu_read(lens_windowed_ns) < lens_window_ns)
		return;
	this_cpu_write(lens_windowed_ns, now);
	touch_nmi_watchdog();	/* and that of soft lockups */
	lens_rescue(now);
	if (irqs_disabled()) {
		unsigned long cr8;

		/*
		 * The driver runs with interrupts off, but other CPUs wait for
		 * this one in IPIs: let those in, vectors 0xf0 and up, and
		 * nothing else. lens_spin_begin() has seen to it that none of
		 * them reschedules or runs soft interrupts on its way out.
		 */
		asm volatile("mov %%cr8, %0" : "=r" (cr8));
		asm volatile("mov %0, %%cr8" : : "r" (0xeUL) : "memory");
		asm volatile("sti; nop; nop; cli" : : : "memory");
		asm volatile("mov %0, %%cr8" : : "r" (cr8) : "memory");
	}
}

void lens_spin_begin(void)
{
	preempt_count_add(PREEMPT_OFFSET + SOFTIRQ_DISABLE_OFFSET);
	this_cpu_inc(lens_standing);
}

void lens_spin_end(void)
{
	this_cpu_dec(lens_standing);
	/* Not local_bh_enable(): that wants interrupts on. */
	preempt_count_sub(PREEMPT_OFFSET + SOFTIRQ_DISABLE_OFFSET);
}

/* By an ioctl, or through the shared slot, where the runtime stores the generation last. */
static bool lens_slot_answered(struct lens_slot *slot, struct pcilens_slot *shared)
{
	return READ_ONCE(slot->answered) ||
	       /* The generation before value and status. */
	       smp_load_acquire(&shared->generation) == slot->generation;
}

/* The wait is over: no answer is taken any more. Whether there was one. */
static bool lens_slot_take_answer(struct lens_slot *slot, struct pcilens_slot *shared, u64 *value,
				  u32 *status)
{
	unsigned long flags;
	bool answered;

	raw_spin_lock_irqsave(&slot->lock, flags);
	slot->waiting = false;
	if (!slot->answered && lens_slot_answered(slot, shared)) {
		slot->value = READ_ONCE(shared->value);
		slot->status = READ_ONCE(shared->status);
		slot->answered = true;
	}
	answered = slot->answered;
	*value = slot->value;
	*status = slot->status;
	raw_spin_unlock_irqrestore(&slot->lock, flags);
	return answered;
}

/* @since: when the access was made, as ktime_get_ns() says. */
static bool lens_spin_for_answer(struct lens_function *fn, struct lens_slot *slot,
				 struct pcilens_slot *shared, bool may_sleep, u64 since,
				 u64 limit_ns)
{
	for (;;) {
		u64 spun;
		int i;

		for (i = 0; i < 16; i++) {
			if (lens_slot_answered(slot, shared))
				return true;
		}
		spun = ktime_get_ns() - since;
		if (lens_dead(fn) || spun >= limit_ns)
			return false;
		if (may_sleep) {
			if (need_resched() || fn->collector_cpu == raw_smp_processor_id())
				return false;
		} else if (spun > lens_first_window_ns) {
			lens_spin_window();
		}
	}
}

/* Whether this is an interrupt on top of the runtime's own code. */
static bool lens_on_runtime(struct lens_function *fn)
{
	if (!in_hardirq() && !in_serving_softirq())
		return false;
	return !(current->flags & PF_KTHREAD) && task_tgid(current) == fn->runtime &&
	       syscall_get_nr(current, task_pt_regs(current)) == -1;
}

/* 0 after LENS_HUNG_TICKS; a process may be killed, a driver has locks to give back. */
static long lens_sleep(struct lens_function *fn, struct lens_slot *slot,
		       struct pcilens_slot *shared, bool user)
{
	if (user)
		return wait_event_killable_timeout(slot->queue,
						   lens_slot_answered(slot, shared) ||
						   lens_dead(fn), LENS_HUNG_TICKS);
	return wait_event_idle_timeout(slot->queue,
				       lens_slot_answered(slot, shared) || lens_dead(fn),
				       LENS_HUNG_TICKS);
}

static void lens_wait_for_answer(struct lens_function *fn, const struct lens_site *site,
				 struct lens_slot *slot, struct pcilens_slot *shared, u64 since)
{
	u32 prompt_ns;
	long left;

	if (!site->may_sleep) {
		u64 limit = (u64)READ_ONCE(fn->atomic_hold_ms) * NSEC_PER_MSEC;

		if (lens_on_runtime(fn))
			limit = min(limit, lens_on_top_ns);
		lens_spin_for_answer(fn, slot, shared, false, since, limit);
		return;
	}
	prompt_ns = READ_ONCE(fn->prompt_ns);
	if (num_online_cpus() > 1 && fn->collector_cpu != raw_smp_processor_id() &&
	    lens_spin_for_answer(fn, slot, shared, true, since, prompt_ns))
		return;
	WRITE_ONCE(shared->sleeping, 1);
	smp_mb();	/* pairs with the fence in userspace before it reads sleeping */
	do {
		/* Leaves the task running, also where the driver had set another state. */
		left = lens_sleep(fn, slot, shared, site->flags & PCILENS_F_USER);
		/* Who waits for a lock of this driver's is no hung task: somebody looks at it. */
		if (!left)
			reset_hung_task_detector();
	} while (!left);
	/* Of several drivers' threads any may have the last word. */
	WRITE_ONCE(fn->prompt_ns, ktime_get_ns() - since < LENS_PROMPT_MOST_NS ?
		   min_t(u32, 2 * prompt_ns, LENS_PROMPT_MOST_NS) :
		   max_t(u32, prompt_ns / 2, LENS_PROMPT_LEAST_NS));
}

/**
 * lens_hold - report an access and wait for its answer
 * @fn: the function
 * @site: who makes the access
 * @event: the access; gets PCILENS_F_ANSWER, a slot and a generation, unless
 *	it cannot be held
 * @stack: walk the stack
 * @value: out: the answer's value
 * @status: out: the answer's enum pcilens_status
 *
 * Return: whether it was answered. If not, the function is dead, the process of a
 * userspace driver was killed, or the access could not wait (the last CPU, no free
 * slot, the cap); the event has been written in every case and says
 * PCILENS_F_PASSED_STOP, or a PCILENS_EXPIRED follows from lens_access()
 */
bool lens_hold(struct lens_function *fn, const struct lens_site *site,
	       struct pcilens_event *event, bool stack, u64 *value, u32 *status)
{
	struct pcilens_slot *shared;
	struct lens_slot *slot;
	unsigned long flags;
	bool answered, nested = false;
	int i;

	i = -EBUSY;
	if (site->may_sleep) {
		wait_event_idle(fn->slot_queue, (i = lens_slot_take(fn)) >= 0 || lens_dead(fn));
	} else {
		lens_spin_begin();
		if (lens_spinning_enter(&nested)) {
			i = lens_slot_take(fn);
			if (i < 0)
				lens_spinning_leave(nested);
		}
		if (i < 0)
			lens_spin_end();
	}
	if (i < 0) {
		/* @event->value is the shadow's already. */
		if (event->kind == PCILENS_MEM_READ || event->kind == PCILENS_CFG_READ)
			event->flags |= PCILENS_F_SHADOWED;
		event->flags |= PCILENS_F_PASSED_STOP;
		lens_emit(fn, site, event, stack);
		atomic64_inc(&fn->stat.passed_stop);
		return false;
	}

	slot = &fn->slot[i];
	shared = &fn->shared_slot[i];
	raw_spin_lock_irqsave(&slot->lock, flags);
	slot->generation++;
	if (!slot->generation)
		slot->generation = 1;	/* what a fresh shared slot does not have */
	slot->answered = false;
	slot->waiting = true;
	raw_spin_unlock_irqrestore(&slot->lock, flags);
	WRITE_ONCE(shared->sleeping, 0);

	event->flags |= PCILENS_F_ANSWER;
	event->slot = i;
	event->generation = slot->generation;
	atomic_inc(&fn->stat.waiting);
	/* An event that was lost to a full ring can never be answered. */
	if (lens_emit(fn, site, event, stack))
		lens_wait_for_answer(fn, site, slot, shared, event->time_ns);
	atomic_dec(&fn->stat.waiting);
	if (!site->may_sleep) {
		lens_spinning_leave(nested);
		lens_spin_end();
	}

	answered = lens_slot_take_answer(slot, shared, value, status);
	lens_slot_give(fn, i);
	if (answered)
		atomic64_inc(&fn->stat.answered);
	else if (!lens_dead(fn))
		atomic64_inc(&fn->stat.passed_stop);
	return answered;
}

int lens_answer(struct lens_function *fn, const struct pcilens_answer *answer)
{
	struct lens_slot *slot;
	unsigned long flags;
	int err = -ESTALE;

	if (answer->slot >= PCILENS_SLOTS || answer->status > PCILENS_STATUS_TIMEOUT)
		return -EINVAL;
	slot = &fn->slot[answer->slot];
	raw_spin_lock_irqsave(&slot->lock, flags);
	if (slot->waiting && !slot->answered && slot->generation == answer->generation) {
		slot->value = answer->value;
		slot->status = answer->status;
		WRITE_ONCE(slot->answered, true);
		err = 0;
	}
	raw_spin_unlock_irqrestore(&slot->lock, flags);
	if (err)
		atomic64_inc(&fn->stat.stale_answers);
	else if (wq_has_sleeper(&slot->queue))
		wake_up(&slot->queue);
	return err;
}

/* Userspace answered through shared slots whose owner sleeps. */
void lens_kick(struct lens_function *fn)
{
	int i;

	for_each_set_bit(i, fn->slot_map, PCILENS_SLOTS)
		wake_up(&fn->slot[i].queue);
}
