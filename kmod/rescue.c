// SPDX-License-Identifier: GPL-2.0
/*
 * Threads of the runtime that are stuck behind a driver that spins.
 *
 * A driver that may not sleep and waits for an answer schedules nothing on its
 * CPU. The thread that would answer must not be queued there, and an interrupt
 * must not come on top of it.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/irqdesc.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/smpboot.h>

#include "function.h"

/* How often a spinning wait looks after threads of the runtime behind it. */
static const u64 lens_rescue_ns = NSEC_PER_MSEC;

/* How long an interrupt waits for our thread of the CPU that shall take it. */
static const u64 lens_raise_wait_ns = 10 * NSEC_PER_MSEC;

/* Waits on each CPU in which it schedules nothing, for an answer or for room in a ring. */
DEFINE_PER_CPU(int, lens_standing);

static bool lens_cpu_stands(unsigned int cpu)
{
	return READ_ONCE(per_cpu(lens_standing, cpu));
}

/* Moves a thread that is queued on @cpu, and lets it come back. */
static void lens_move_away(struct task_struct *task, int cpu)
{
	cpumask_var_t allowed, elsewhere;

	if (!alloc_cpumask_var(&allowed, GFP_KERNEL))
		return;
	if (alloc_cpumask_var(&elsewhere, GFP_KERNEL)) {
		cpumask_copy(allowed, task->cpus_ptr);
		cpumask_copy(elsewhere, allowed);
		cpumask_clear_cpu(cpu, elsewhere);
		/* On its way here to raise an interrupt: lens_raise() looks again. */
		if (cpumask_empty(elsewhere)) {
			cpumask_copy(elsewhere, cpu_possible_mask);
			cpumask_clear_cpu(cpu, elsewhere);
			cpumask_copy(allowed, elsewhere);
		}
		/* Where it has another mask by now, it is its own: see lens_raise(). */
		if (cpumask_intersects(elsewhere, cpu_online_mask) &&
		    !set_cpus_allowed_ptr(task, elsewhere) &&
		    cpumask_equal(task->cpus_ptr, elsewhere))
			set_cpus_allowed_ptr(task, allowed);
		free_cpumask_var(elsewhere);
	}
	free_cpumask_var(allowed);
}

/*
 * A driver that may not sleep spins on a CPU, and the very thread that would
 * answer may be stuck there: queued behind it, for it was preempted or woken
 * there and no tick comes that would balance the load; or asleep, with its timer
 * on that CPU, which takes no timer interrupt. This runs on another CPU, fetches
 * the first kind and wakes the second, whose wait then goes on somewhere else.
 *
 * One that was interrupted, not preempted, cannot be fetched (see lens_raise()),
 * and must not be tried: set_cpus_allowed_ptr() would wait until the spinning is
 * over, and all others with it.
 */
static void lens_rescue_from(struct lens_function *fn, unsigned int cpu)
{
	struct task_struct *thread, *found[16];
	struct task_struct *leader;
	int i, n = 0;

	leader = get_pid_task(fn->runtime, PIDTYPE_TGID);
	if (!leader)
		return;
	rcu_read_lock();
	for_each_thread(leader, thread) {
		if (n < ARRAY_SIZE(found) && task_cpu(thread) == cpu &&
		    !READ_ONCE(thread->on_cpu) &&
		    (task_is_running(thread) ||
		     READ_ONCE(thread->__state) & TASK_INTERRUPTIBLE)) {
			get_task_struct(thread);
			found[n++] = thread;
		}
	}
	rcu_read_unlock();
	for (i = 0; i < n; i++) {
		if (lens_cpu_stands(cpu) && !READ_ONCE(found[i]->on_cpu)) {
			/* Nothing where it runs: every such wait looks again. */
			wake_up_process(found[i]);
			if (task_cpu(found[i]) == cpu && task_is_running(found[i]))
				lens_move_away(found[i], cpu);
		}
		put_task_struct(found[i]);
	}
	put_task_struct(leader);
}

/*
 * A thread of the highest priority on each CPU. No worker of a workqueue: its
 * pool may need a new one first, made by a thread that is queued behind the
 * spinning driver itself.
 */
static DEFINE_PER_CPU(struct task_struct *, lens_rescuer);
static DEFINE_PER_CPU(bool, lens_rescue_asked);

/**
 * lens_raise_now - send an interrupt to the CPU that takes it, as hardware does
 * @fn: the function that sends it
 * @vector: which
 * @irq: Linux' number of it, by lens_vector_get()
 *
 * Return: 0, -EBUSY where the last one has not been taken yet, -ENODEV where nobody
 * takes it, or as irq_inject_interrupt()
 */
int lens_raise_now(struct lens_function *fn, u32 vector, int irq)
{
	struct irq_data *data;
	struct irq_desc *desc;
	unsigned long flags;
	int err;

	/* One that nobody has requested has no vector of a CPU's: 0 would be sent. */
	if (!lens_vector_is(fn, vector, irq) || !irq_has_action(irq))
		return -ENODEV;
	err = irq_inject_interrupt(irq);
	if (err != -EBUSY)
		return err;
	/*
	 * The kernel believes that the last one is on its way. It may have been
	 * thrown away: it came while nobody had requested the interrupt. Another
	 * one merges with it where it has not; else the handler runs again.
	 */
	rcu_read_lock();
	data = irq_get_irq_data(irq);
	if (data) {
		desc = irq_data_to_desc(data);
		raw_spin_lock_irqsave(&desc->lock, flags);
		if (irqd_is_activated(data) && data->chip && data->chip->irq_retrigger)
			data->chip->irq_retrigger(data);
		raw_spin_unlock_irqrestore(&desc->lock, flags);
	}
	rcu_read_unlock();
	return err;
}

/* An interrupt that the thread of a CPU shall raise there, see lens_raise_on(). */
struct lens_raise {
	enum { RAISE_FREE, RAISE_TAKEN, RAISE_ASKED, RAISE_UNDER_WAY, RAISE_DONE } state;
	struct lens_function *fn;
	u32 vector;
	int irq;
	int err;
};

static DEFINE_PER_CPU(struct lens_raise, lens_raise_asked);

static bool lens_raise_is_asked(unsigned int cpu)
{
	return READ_ONCE(per_cpu(lens_raise_asked, cpu).state) == RAISE_ASKED;
}

static int lens_rescuer_should_run(unsigned int cpu)
{
	return READ_ONCE(per_cpu(lens_rescue_asked, cpu)) || lens_raise_is_asked(cpu);
}

static void lens_raise_here(struct lens_raise *raise)
{
	if (cmpxchg(&raise->state, RAISE_ASKED, RAISE_UNDER_WAY) != RAISE_ASKED)
		return;
	local_irq_disable();
	raise->err = lens_raise_now(raise->fn, raise->vector, raise->irq);
	/* With its result. */
	smp_store_release(&raise->state, RAISE_DONE);
	local_irq_enable();	/* it comes here, at the latest */
}

static bool lens_runtime_is_on(struct lens_function *fn, unsigned int cpu)
{
	struct task_struct *leader, *thread;
	bool is = false;

	rcu_read_lock();
	leader = pid_task(fn->runtime, PIDTYPE_TGID);
	if (leader) {
		for_each_thread(leader, thread)
			is |= READ_ONCE(thread->on_cpu) && task_cpu(thread) == cpu;
	}
	rcu_read_unlock();
	return is;
}

/**
 * lens_raise_on - make a CPU take an interrupt
 * @fn: the function that sends it
 * @vector: which
 * @irq: Linux' number of it
 * @cpu: the CPU that takes it, and not the caller's, which is fixed
 *
 * Not on top of a thread of the runtime. Its handler may read the device, and that
 * thread may have any lock, of the runtime's own or in the kernel: of the very
 * futex that the thread waits for which would answer. So where one runs there, our
 * own thread of that CPU takes its place first.
 *
 * Return: as lens_raise_now(), -EAGAIN where our thread did not get to run
 */
int lens_raise_on(struct lens_function *fn, u32 vector, int irq, unsigned int cpu)
{
	struct lens_raise *raise = per_cpu_ptr(&lens_raise_asked, cpu);
	struct task_struct *rescuer = per_cpu(lens_rescuer, cpu);
	unsigned int here = raw_smp_processor_id();
	u64 since = ktime_get_ns();
	int err;

	if (!rescuer || lens_cpu_stands(cpu) || !lens_runtime_is_on(fn, cpu) ||
	    cmpxchg(&raise->state, RAISE_FREE, RAISE_TAKEN) != RAISE_FREE)
		return lens_raise_now(fn, vector, irq);
	raise->fn = fn;
	raise->vector = vector;
	raise->irq = irq;
	/* With the number of the interrupt. */
	smp_store_release(&raise->state, RAISE_ASKED);
	wake_up_process(rescuer);
	/* Done: its result is there. */
	while (smp_load_acquire(&raise->state) != RAISE_DONE) {
		/*
		 * It may have begun to stand before our thread got to run. Or
		 * somebody there waits for the thread of this CPU, which cannot
		 * run as long as we wait: then one of the two gives in.
		 */
		bool stands = lens_cpu_stands(cpu);

		if ((stands || (here < cpu && lens_raise_is_asked(here)) ||
		     ktime_get_ns() - since > lens_raise_wait_ns) &&
		    cmpxchg(&raise->state, RAISE_ASKED, RAISE_TAKEN) == RAISE_ASKED) {
			raise->err = stands ? lens_raise_now(fn, vector, irq) : -EAGAIN;
			break;
		}
		cpu_relax();
	}
	err = raise->err;
	/* The next one to raise may overwrite the result, which we have. */
	smp_store_release(&raise->state, RAISE_FREE);
	return err;
}

static void lens_rescuer_run(unsigned int here)
{
	unsigned int cpu, i;

	lens_raise_here(per_cpu_ptr(&lens_raise_asked, here));
	if (!READ_ONCE(per_cpu(lens_rescue_asked, here)))
		return;
	WRITE_ONCE(per_cpu(lens_rescue_asked, here), false);
	for (i = 0; i < LENS_FUNCTIONS; i++) {
		struct lens_function *fn = lens_get(&lens_functions[i]);

		if (!fn)
			continue;
		WRITE_ONCE(fn->stuck, fn->stuck + 1);
		wake_up_all(&fn->helpers);
		for_each_online_cpu(cpu) {
			if (lens_cpu_stands(cpu))
				lens_rescue_from(fn, cpu);
		}
		lens_put(fn);
	}
}

static void lens_rescuer_setup(unsigned int cpu)
{
	sched_set_fifo(current);
}

static struct smp_hotplug_thread lens_rescuers = {
	.store = &lens_rescuer,
	.setup = lens_rescuer_setup,
	.thread_should_run = lens_rescuer_should_run,
	.thread_fn = lens_rescuer_run,
	.thread_comm = "pcilens/%u",
};

/* On a CPU that stands: asks one that does not. */
static void lens_ask_rescuer(struct irq_work *work)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct task_struct *rescuer = per_cpu(lens_rescuer, cpu);

		if (lens_cpu_stands(cpu) || !rescuer)
			continue;
		WRITE_ONCE(per_cpu(lens_rescue_asked, cpu), true);
		wake_up_process(rescuer);
		return;
	}
}

static struct irq_work lens_rescue_irq_work = IRQ_WORK_INIT_HARD(lens_ask_rescuer);
static u64 lens_rescued_ns;

/**
 * lens_rescue - look after threads of the runtime behind spinning drivers
 * @now: ktime_get_ns()
 *
 * To be called by a wait that spins, as often as it likes.
 */
void lens_rescue(u64 now)
{
	if (now - READ_ONCE(lens_rescued_ns) < lens_rescue_ns || num_online_cpus() < 2)
		return;
	WRITE_ONCE(lens_rescued_ns, now);
	irq_work_queue(&lens_rescue_irq_work);
}

int lens_rescue_init(void)
{
	return smpboot_register_percpu_thread(&lens_rescuers);
}

void lens_rescue_exit(void)
{
	irq_work_sync(&lens_rescue_irq_work);
	smpboot_unregister_percpu_thread(&lens_rescuers);
}
