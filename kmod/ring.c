// SPDX-License-Identifier: GPL-2.0
/*
 * The event ring: written here, read by userspace through its mapping.
 *
 * One lock, lens_order, is held from taking a sequence number to publishing the
 * record, for all functions: so whoever has seen event n in one ring finds
 * every event below n published in its own. The order is what this module is
 * for; the lock is held for some 100 ns.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/stacktrace.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "function.h"

static DEFINE_RAW_SPINLOCK(lens_order);
static u64 lens_seq;

static void lens_wake_readers(struct irq_work *work)
{
	struct lens_function *fn = container_of(work, struct lens_function, wake_readers);

	wake_up_all(&fn->readers);
	/* Not from under lens_order: a console may take its time, or be a function of ours. */
	if (xchg(&fn->tail_refused, false))
		pr_warn_ratelimited("pcilens: function %u: the ring's tail %llu is not between what was read and what was written; ignored\n",
				    fn->id, READ_ONCE(fn->ring->tail));
}

int lens_ring_create(struct lens_function *fn, u32 events)
{
	fn->wake_readers = IRQ_WORK_INIT(lens_wake_readers);
	init_waitqueue_head(&fn->readers);
	init_waitqueue_head(&fn->writers);
	init_waitqueue_head(&fn->helpers);
	if (!is_power_of_2(events) || events < 16 || events > LENS_RING_EVENTS_MAX)
		return -EINVAL;
	fn->capacity = events;
	fn->ring_bytes = PAGE_SIZE + (u64)events * sizeof(struct pcilens_event);
	fn->ring = vmalloc_user(fn->ring_bytes);
	if (!fn->ring)
		return -ENOMEM;
	fn->record = (void *)fn->ring + PAGE_SIZE;
	fn->ring->capacity = events;
	fn->ring->record_bytes = sizeof(struct pcilens_event);
	fn->ring->first_record = PAGE_SIZE;
	return 0;
}

void lens_ring_free(struct lens_function *fn)
{
	vfree(fn->ring);
}

/* The reader's tail, believed only within what it can have read. */
static u64 lens_ring_tail_locked(struct lens_function *fn)
{
	/* What the reader has read it no longer looks at: its room is free. */
	u64 tail = smp_load_acquire(&fn->ring->tail);

	if (tail - fn->tail <= fn->head - fn->tail) {
		fn->tail = tail;
	} else if (!fn->dead) {
		WRITE_ONCE(fn->tail_refused, true);
		irq_work_queue(&fn->wake_readers);
	}
	return fn->tail;
}

u64 lens_ring_tail(struct lens_function *fn)
{
	unsigned long flags;
	u64 tail;

	raw_spin_lock_irqsave(&lens_order, flags);
	tail = lens_ring_tail_locked(fn);
	raw_spin_unlock_irqrestore(&lens_order, flags);
	return tail;
}

static bool lens_ring_has_room(struct lens_function *fn, u32 records)
{
	/* A hint without the lock; the writer looks again inside it. */
	return READ_ONCE(fn->head) - READ_ONCE(fn->ring->tail) <= fn->capacity - records;
}

bool lens_ring_has_records(struct lens_function *fn)
{
	return READ_ONCE(fn->head) != READ_ONCE(fn->ring->tail);
}

static void lens_put_record(struct lens_function *fn, const void *record)
{
	fn->record[fn->head & (fn->capacity - 1)] = *(const struct pcilens_event *)record;
	fn->head++;
}

static u64 lens_mask_address(struct lens_function *fn, u64 ip)
{
	return ip ? ip ^ fn->secret : 0;
}

static bool lens_in_modules(u64 ip)
{
	return ip >= MODULES_VADDR && ip < MODULES_END;
}

/* The stack outside of this module: through the trampoline it is the driver's. */
static void lens_walk(struct lens_function *fn, struct pcilens_event *event,
		      struct pcilens_stack *stack)
{
	unsigned long frame[PCILENS_STACK_FRAMES + 12];
	unsigned int count, i, first = 0;

	memset(stack, 0, sizeof(*stack));
	stack->kind = PCILENS_STACK;
	count = stack_trace_save(frame, ARRAY_SIZE(frame), 0);
	while (first < count && within_module(frame[first], THIS_MODULE))
		first++;
	event->driver_ip = 0;
	for (i = first; i < count && stack->count < PCILENS_STACK_FRAMES; i++) {
		if (!event->driver_ip && lens_in_modules(frame[i]))
			event->driver_ip = lens_mask_address(fn, frame[i]);
		stack->frame[stack->count++] = lens_mask_address(fn, frame[i]);
	}
}

static void lens_wait_for_room(struct lens_function *fn, const struct lens_site *site, u32 records,
			       u64 *waited_since)
{
	if (!*waited_since) {
		*waited_since = ktime_get_ns();
		atomic64_inc(&fn->stat.ring_waits);
	}
	if (site->may_sleep) {
		/* The tail moves without a system call: look now and then. */
		wait_event_idle_timeout(fn->writers, lens_ring_has_room(fn, records) || fn->dead,
					msecs_to_jiffies(10) ?: 1);
		return;
	}
	lens_spin_begin();
	while (!lens_ring_has_room(fn, records) && !lens_dead(fn) &&
	       ktime_get_ns() - *waited_since < (u64)fn->atomic_hold_ms * NSEC_PER_MSEC)
		lens_spin_window();
	lens_spin_end();
}

/**
 * lens_emit - write an event, and its stack, into the ring
 * @fn: the function
 * @site: who makes the access
 * @event: kind, bar, size, flags, offset, value, aux, slot and generation are
 *	the caller's; the rest is filled in
 * @stack: walk the stack
 *
 * Waits while the ring is full: for as long as it takes where the caller may
 * sleep, else up to the cap, after which the event is lost, counted, and told by
 * a gap record before the next one.
 *
 * Return: the event's sequence number; 0: lost, or the function is dead
 */
u64 lens_emit(struct lens_function *fn, const struct lens_site *site, struct pcilens_event *event,
	      bool stack)
{
	struct pcilens_stack trace;
	u64 waited_since = 0;
	unsigned long flags;
	u32 records;
	u64 seq = 0;

	stack |= fn->stack_kinds & (1U << event->kind);
	event->flags |= site->flags;
	event->ip = lens_mask_address(fn, site->ip);
	memcpy(event->code, site->code, sizeof(event->code));
	event->code_bytes = site->code_bytes;
	event->instruction_bytes = site->instruction_bytes;
	event->pid = task_tgid_nr(current);
	event->tid = task_pid_nr(current);
	memcpy(event->comm, current->comm, sizeof(event->comm));
	event->cpu = raw_smp_processor_id();
	if (stack) {
		event->flags |= PCILENS_F_STACK;
		lens_walk(fn, event, &trace);
	}

	for (;;) {
		raw_spin_lock_irqsave(&lens_order, flags);
		if (fn->dead) {
			raw_spin_unlock_irqrestore(&lens_order, flags);
			return 0;
		}
		records = 1 + stack + !!fn->gap;
		if (fn->head + records - lens_ring_tail_locked(fn) <= fn->capacity)
			break;
		if (!site->may_sleep &&
		    (fn->congested || (waited_since && ktime_get_ns() - waited_since >=
				       (u64)fn->atomic_hold_ms * NSEC_PER_MSEC))) {
			/* Only the first one waits: a dead slow reader stays slow. */
			fn->congested = true;
			fn->gap++;
			raw_spin_unlock_irqrestore(&lens_order, flags);
			atomic64_inc(&fn->stat.lost);
			return 0;
		}
		raw_spin_unlock_irqrestore(&lens_order, flags);
		lens_wait_for_room(fn, site, records, &waited_since);
	}

	fn->congested = false;
	event->time_ns = ktime_get_ns();
	if (fn->gap) {
		struct pcilens_event gap = {
			.seq = ++lens_seq, .time_ns = event->time_ns, .kind = PCILENS_GAP,
			.value = fn->gap, .cpu = event->cpu,
		};

		lens_put_record(fn, &gap);
		fn->gap = 0;
	}
	seq = ++lens_seq;
	event->seq = seq;
	lens_put_record(fn, event);
	if (stack) {
		trace.seq = seq;
		trace.time_ns = event->time_ns;
		lens_put_record(fn, &trace);
	}
	/* The records before the number of them. */
	smp_store_release(&fn->ring->head, fn->head);
	raw_spin_unlock_irqrestore(&lens_order, flags);

	atomic64_inc(&fn->stat.events);
	/*
	 * Pairs with the barrier of the reader that goes to sleep. With interrupts off
	 * the driver may have any lock, the scheduler's too.
	 */
	if (wq_has_sleeper(&fn->readers)) {
		if (!irqs_disabled() && !in_nmi())
			wake_up_all(&fn->readers);
		else
			irq_work_queue(&fn->wake_readers);
	}
	return seq;
}

/*
 * As wait_event_interruptible_hrtimeout(), but by ticks: a timer of its own for each
 * wait makes the CPU's clock be set twice, which costs more than the wait where the
 * machine is emulated. Negative: without limit.
 */
#define lens_wait_ticks(queue, condition, timeout_ns)					\
({											\
	s64 limit = timeout_ns;								\
	long left = wait_event_interruptible_timeout(queue, condition,			\
			limit < 0 ? MAX_SCHEDULE_TIMEOUT : nsecs_to_jiffies(limit) + 1); \
											\
	left < 0 ? (int)left : left ? 0 : -ETIME;					\
})

/* 0: there are records; -ETIMEDOUT, -ERESTARTSYS or -ENODEV. */
int lens_ring_wait(struct lens_function *fn, s64 timeout_ns, u32 spin_ns)
{
	u64 start = ktime_get_ns();
	int err;

	wake_up_all(&fn->writers);	/* the tail may have moved */
	for (;;) {
		if (lens_ring_has_records(fn))
			return 0;
		if (lens_dead(fn))
			return -ENODEV;
		if (!timeout_ns)
			return -ETIMEDOUT;
		if (ktime_get_ns() - start >= spin_ns || need_resched() || signal_pending(current))
			break;
		cpu_relax();
	}
	if (timeout_ns > 0 && ktime_get_ns() - start >= (u64)timeout_ns)
		return -ETIMEDOUT;
	if (timeout_ns < 0 || timeout_ns > 2 * TICK_NSEC)
		err = lens_wait_ticks(fn->readers, lens_ring_has_records(fn) || lens_dead(fn),
				      timeout_ns);
	else
		err = wait_event_interruptible_hrtimeout(fn->readers,
							 lens_ring_has_records(fn) || lens_dead(fn),
							 ns_to_ktime(timeout_ns));
	if (err == -ETIME)
		return -ETIMEDOUT;
	if (err)
		return err;
	/* Another thread may have taken the records in the meantime: that is no end. */
	return lens_dead(fn) && !lens_ring_has_records(fn) ? -ENODEV : 0;
}

/*
 * Until a driver spins that nobody has answered for a millisecond. 0: one does;
 * -ETIMEDOUT, -ERESTARTSYS or -ENODEV.
 */
int lens_stuck_wait(struct lens_function *fn, s64 timeout_ns)
{
	u32 seen = READ_ONCE(fn->stuck);
	int err;

	err = lens_wait_ticks(fn->helpers, READ_ONCE(fn->stuck) != seen || lens_dead(fn),
			      timeout_ns);
	if (lens_dead(fn))
		return -ENODEV;
	return err == -ETIME ? -ETIMEDOUT : err;
}
