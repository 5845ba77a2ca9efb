// SPDX-License-Identifier: GPL-2.0
/* /dev/pcilens: what userspace asks for. Every size and index is checked here. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "function.h"

struct lens_file {
	struct kref ref;	/* the descriptor, and the plug worker */
	struct mutex mutex;
	struct lens_function *fn;	/* set once, under mutex */
	u64 secret;
	bool published;

	struct work_struct work;	/* plugs and unplugs, so that a kill can leave it */
	struct completion done;
	bool busy;
	bool unplug;
	struct pcilens_plug plug;
	int result;

	struct work_struct end_work;	/* what is left to do at close */
	struct completion ended;
};

static void lens_file_release(struct kref *ref)
{
	kfree(container_of(ref, struct lens_file, ref));
}

static void lens_file_work(struct work_struct *work)
{
	struct lens_file *file = container_of(work, struct lens_file, work);

	if (file->unplug) {
		lens_bus_unplug(file->fn);
		file->result = 0;
	} else {
		file->result = lens_bus_plug(file->fn, &file->plug);
	}
	complete_all(&file->done);
	kref_put(&file->ref, lens_file_release);
}

static void lens_file_end(struct work_struct *work)
{
	struct lens_file *file = container_of(work, struct lens_file, end_work);

	flush_work(&file->work);
	lens_bus_unplug(file->fn);
	if (file->published)
		lens_function_withdraw(file->fn);
	lens_put(file->fn);
	complete_all(&file->ended);
	kref_put(&file->ref, lens_file_release);
}

static int lens_open(struct inode *inode, struct file *filp)
{
	struct lens_file *file;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return -ENOMEM;
	kref_init(&file->ref);
	mutex_init(&file->mutex);
	INIT_WORK(&file->work, lens_file_work);
	INIT_WORK(&file->end_work, lens_file_end);
	init_completion(&file->done);
	init_completion(&file->ended);
	/* The bits of ip stay hidden, that two of them are equal does not. */
	if (!capable(CAP_SYSLOG))
		get_random_bytes(&file->secret, sizeof(file->secret));
	filp->private_data = file;
	return stream_open(inode, filp);
}

/*
 * The function goes away with its descriptor. A worker removes it: this thread
 * may be the one that still has to close another function, whose held driver
 * has a lock that the removal needs. So it waits for a while and no longer.
 */
static int lens_release(struct inode *inode, struct file *filp)
{
	struct lens_file *file = filp->private_data;

	if (file->fn) {
		lens_kill(file->fn);
		kref_get(&file->ref);
		queue_work(lens_workqueue, &file->end_work);
		wait_for_completion_timeout(&file->ended, 2 * HZ);
	}
	kref_put(&file->ref, lens_file_release);
	return 0;
}

static long lens_info(struct lens_file *file, void __user *to)
{
	struct pcilens_info info = {
		.abi_version = PCILENS_ABI_VERSION,
		.features = PCILENS_FEATURE_MSIX | PCILENS_FEATURE_MSI | PCILENS_FEATURE_INTX |
			    PCILENS_FEATURE_DIRECT | PCILENS_FEATURE_SLOTS |
			    PCILENS_FEATURE_USER_MMAP,
		.max_atomic_hold_ms = LENS_ATOMIC_HOLD_MAX_MS,
		.online_cpus = num_online_cpus(),
		.max_pool_bytes = LENS_POOL_MAX - SZ_1M,
		.max_ring_events = LENS_RING_EVENTS_MAX,
	};

	if (!file->secret)
		info.features |= PCILENS_FEATURE_KERNEL_ADDRESSES;
	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long lens_create(struct lens_file *file, void __user *user)
{
	struct pcilens_create create;
	struct lens_function *fn;
	u8 *images;
	long err;

	if (copy_from_user(&create, user, sizeof(create)))
		return -EFAULT;
	if ((create.config_bytes != 256 && create.config_bytes != 4096) || create.flags ||
	    create.reserved0 || create.reserved || create.device > 31 || create.function > 7 ||
	    create.atomic_hold_ms > LENS_ATOMIC_HOLD_MAX_MS)
		return -EINVAL;
	images = kcalloc(3, LENS_CONFIG_BYTES, GFP_KERNEL);
	if (!images)
		return -ENOMEM;
	err = -EFAULT;
	if (copy_from_user(images, u64_to_user_ptr(create.config), create.config_bytes) ||
	    copy_from_user(images + LENS_CONFIG_BYTES, u64_to_user_ptr(create.write_mask),
			   create.config_bytes) ||
	    copy_from_user(images + 2 * LENS_CONFIG_BYTES, u64_to_user_ptr(create.w1c_mask),
			   create.config_bytes))
		goto out;
	err = mutex_lock_interruptible(&file->mutex);
	if (err)
		goto out;
	err = -EEXIST;
	if (file->fn)
		goto out_unlock;
	fn = lens_function_create(&create, images, images + LENS_CONFIG_BYTES,
				  images + 2 * LENS_CONFIG_BYTES);
	err = PTR_ERR_OR_ZERO(fn);
	if (err)
		goto out_unlock;
	fn->secret = file->secret;
	err = lens_function_publish(fn);
	if (err) {
		lens_put(fn);
		goto out_unlock;
	}
	file->published = true;
	create.iova_base = lens_dma_base(fn);
	create.ring_bytes = fn->ring_bytes;
	create.id = fn->id;
	smp_store_release(&file->fn, fn);	/* whole, for ioctls without the mutex */
	if (copy_to_user(user, &create, sizeof(create)))
		err = -EFAULT;
out_unlock:
	mutex_unlock(&file->mutex);
out:
	kfree(images);
	return err;
}

/*
 * A worker does it, since probe() may be held for hours inside: a runtime that
 * is killed must be able to leave this call, or nobody would close its file.
 */
static long lens_plug(struct lens_file *file, bool unplug)
{
	long err;

	err = mutex_lock_killable(&file->mutex);
	if (err)
		return err;
	if (file->busy && !completion_done(&file->done)) {
		/* Unplugging follows plugging; a second plug is refused. */
		err = unplug ? wait_for_completion_killable(&file->done) : -EBUSY;
		if (err) {
			mutex_unlock(&file->mutex);
			return err;
		}
	}
	reinit_completion(&file->done);
	file->busy = true;
	file->unplug = unplug;
	memset(&file->plug, 0, sizeof(file->plug));
	kref_get(&file->ref);
	queue_work(lens_workqueue, &file->work);
	mutex_unlock(&file->mutex);
	err = wait_for_completion_killable(&file->done);
	return err ?: file->result;
}

static long lens_wait(struct lens_function *fn, void __user *user)
{
	struct pcilens_wait wait;
	struct pcilens_answer answer;
	struct pcilens_answer __user *answers;
	u32 i;
	long err;

	if (copy_from_user(&wait, user, sizeof(wait)))
		return -EFAULT;
	if (wait.answer_count > PCILENS_SLOTS || wait.reserved ||
	    wait.flags & ~(PCILENS_WAIT_NO_CPU | PCILENS_WAIT_STUCK))
		return -EINVAL;
	answers = u64_to_user_ptr(wait.answers);
	wait.refused = 0;
	if (!(wait.flags & (PCILENS_WAIT_NO_CPU | PCILENS_WAIT_STUCK)))
		WRITE_ONCE(fn->collector_cpu, raw_smp_processor_id());
	for (i = 0; i < wait.answer_count; i++) {
		if (copy_from_user(&answer, &answers[i], sizeof(answer)))
			return -EFAULT;
		answer.result = lens_answer(fn, &answer);
		if (answer.result) {
			wait.refused++;
			pr_debug("pcilens: function %u: answer to slot %u.%u refused\n", fn->id,
				 answer.slot, answer.generation);
		}
		if (put_user(answer.result, &answers[i].result))
			return -EFAULT;
	}
	lens_dma_reclaim(fn);
	if (wait.flags & PCILENS_WAIT_STUCK)
		err = lens_stuck_wait(fn, wait.timeout_ns);
	else
		err = lens_ring_wait(fn, wait.timeout_ns, wait.spin_ns);
	/* The answers are given: a restart would give them again. */
	if (err == -ERESTARTSYS)
		err = -EINTR;
	wait.head = READ_ONCE(fn->head);
	if (copy_to_user(user, &wait, sizeof(wait)))
		return -EFAULT;
	return err;
}

static long lens_inject(struct lens_function *fn, void __user *user)
{
	struct pcilens_inject inject;
	long err;

	if (copy_from_user(&inject, user, sizeof(inject)))
		return -EFAULT;
	inject.seq = 0;
	err = lens_interrupt_inject(fn, &inject);
	if (!err && copy_to_user(user, &inject, sizeof(inject)))
		err = -EFAULT;
	return err;
}

static long lens_config(struct lens_function *fn, void __user *user)
{
	struct pcilens_config request;
	void __user *data;
	u8 *buffer;
	long err;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (request.flags & ~PCILENS_CONFIG_WRITE || request.reserved ||
	    request.length > LENS_CONFIG_BYTES)
		return -EINVAL;
	data = u64_to_user_ptr(request.data);
	buffer = kzalloc(LENS_CONFIG_BYTES, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	err = -EFAULT;
	if (request.flags & PCILENS_CONFIG_WRITE &&
	    copy_from_user(buffer, data, request.length))
		goto out;
	err = lens_config_copy(fn, request.offset, request.length, buffer,
			       request.flags & PCILENS_CONFIG_WRITE);
	if (!err && !(request.flags & PCILENS_CONFIG_WRITE) &&
	    copy_to_user(data, buffer, request.length))
		err = -EFAULT;
out:
	kfree(buffer);
	return err;
}

static long lens_presence(struct lens_function *fn, void __user *user)
{
	struct pcilens_presence request;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (request.present > 1 || request.reserved)
		return -EINVAL;
	lens_presence_set(fn, request.present);
	return 0;
}

static long lens_shadow(struct lens_function *fn, void __user *user)
{
	struct pcilens_memory request;
	void __user *data;
	void *shadow;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (request.flags & ~PCILENS_CONFIG_WRITE || request.bar >= PCILENS_BARS ||
	    request.offset > fn->bar[request.bar].shadow_bytes ||
	    request.length > fn->bar[request.bar].shadow_bytes - request.offset)
		return -EINVAL;
	if (!request.length)
		return 0;
	data = u64_to_user_ptr(request.data);
	shadow = fn->bar[request.bar].shadow + request.offset;
	if (request.flags & PCILENS_CONFIG_WRITE)
		return copy_from_user(shadow, data, request.length) ? -EFAULT : 0;
	return copy_to_user(data, shadow, request.length) ? -EFAULT : 0;
}

static long lens_policy(struct lens_function *fn, void __user *user)
{
	struct pcilens_policy policy;

	if (copy_from_user(&policy, user, sizeof(policy)))
		return -EFAULT;
	return lens_set_policy(fn, &policy);
}

static long lens_limits(struct lens_function *fn, void __user *user)
{
	struct pcilens_limits limits;

	if (copy_from_user(&limits, user, sizeof(limits)))
		return -EFAULT;
	if (limits.flags || limits.reserved || limits.atomic_hold_ms > LENS_ATOMIC_HOLD_MAX_MS)
		return -EINVAL;
	if (limits.atomic_hold_ms)
		WRITE_ONCE(fn->atomic_hold_ms, limits.atomic_hold_ms);
	WRITE_ONCE(fn->stack_kinds, limits.stack_kinds);
	return 0;
}

/* "symbol+0x12/0x34 [module 0123abcd...]" as sprint_symbol_build_id() has it. */
static long lens_parse_symbol(struct pcilens_symbol *symbol, char *text)
{
	char *plus = strrchr(text, '+');
	char *module = strstr(text, " [");
	char *build_id, *end;
	unsigned long long bytes, displacement;

	if (!plus || sscanf(plus, "+0x%llx/0x%llx", &displacement, &bytes) != 2)
		return -ENOENT;
	symbol->displacement = displacement;
	symbol->symbol_bytes = bytes;
	*plus = 0;
	strscpy(symbol->symbol, text, sizeof(symbol->symbol));
	if (!module)
		return 0;
	module += 2;
	end = strchr(module, ']');
	if (end)
		*end = 0;
	build_id = strchr(module, ' ');
	if (build_id) {
		*build_id++ = 0;
		symbol->build_id_bytes = min(strlen(build_id) / 2, sizeof(symbol->build_id));
		if (hex2bin(symbol->build_id, build_id, symbol->build_id_bytes))
			symbol->build_id_bytes = 0;
	}
	strscpy(symbol->module, module, sizeof(symbol->module));
	return 0;
}

static long lens_symbolise(struct lens_function *fn, void __user *user)
{
	struct pcilens_symbol *symbol;
	char *text;
	long err = -ENOMEM;
	u64 ip;

	symbol = kzalloc(sizeof(*symbol), GFP_KERNEL);
	text = kzalloc(KSYM_SYMBOL_LEN, GFP_KERNEL);
	if (!symbol || !text)
		goto out;
	err = -EFAULT;
	if (get_user(ip, &((struct pcilens_symbol __user *)user)->ip))
		goto out;
	symbol->ip = ip;
	sprint_symbol_build_id(text, ip ^ fn->secret);
	err = lens_parse_symbol(symbol, text);
	if (!err && copy_to_user(user, symbol, sizeof(*symbol)))
		err = -EFAULT;
out:
	kfree(text);
	kfree(symbol);
	return err;
}

static long lens_get_statistics(struct lens_function *fn, void __user *user)
{
	struct lens_statistics *stat = &fn->stat;
	struct pcilens_statistics out = {
		.events = atomic64_read(&stat->events),
		.reads = atomic64_read(&stat->reads),
		.writes = atomic64_read(&stat->writes),
		.answered = atomic64_read(&stat->answered),
		.stale_answers = atomic64_read(&stat->stale_answers),
		.passed_stop = atomic64_read(&stat->passed_stop),
		.ring_waits = atomic64_read(&stat->ring_waits),
		.lost = atomic64_read(&stat->lost),
		.refused = atomic64_read(&stat->refused),
		.irq_delivered = atomic64_read(&stat->irq_delivered),
		.irq_coalesced = atomic64_read(&stat->irq_coalesced),
		.irq_pending = atomic64_read(&stat->irq_pending),
		.irq_lost = atomic64_read(&stat->irq_lost),
		.dma_maps = atomic64_read(&stat->dma_maps),
		.dma_failed = atomic64_read(&stat->dma_failed),
		.dma_active = atomic64_read(&stat->dma_active),
		.pool_free = lens_dma_available(fn),
		.waiting = atomic_read(&stat->waiting),
		.collector_cpu = READ_ONCE(fn->collector_cpu),
		.iomaps = atomic_read(&stat->iomaps),
	};

	return copy_to_user(user, &out, sizeof(out)) ? -EFAULT : 0;
}

static long lens_ioctl(struct file *filp, unsigned int command, unsigned long argument)
{
	struct lens_file *file = filp->private_data;
	void __user *user = (void __user *)argument;
	struct lens_function *fn;
	long err;

	if (command == PCILENS_IOC_INFO)
		return lens_info(file, user);
	if (command == PCILENS_IOC_CREATE)
		return lens_create(file, user);
	fn = smp_load_acquire(&file->fn);	/* pairs with lens_create() */
	if (!fn)
		return -ENODEV;
	switch (command) {
	case PCILENS_IOC_PLUG:
		err = lens_plug(file, false);
		if (!err && copy_to_user(user, &file->plug, sizeof(file->plug)))
			err = -EFAULT;
		return err;
	case PCILENS_IOC_UNPLUG:
		return lens_plug(file, true);
	case PCILENS_IOC_POLICY:
		return lens_policy(fn, user);
	case PCILENS_IOC_LIMITS:
		return lens_limits(fn, user);
	case PCILENS_IOC_WAIT:
		return lens_wait(fn, user);
	case PCILENS_IOC_KICK:
		lens_kick(fn);
		return 0;
	case PCILENS_IOC_INJECT:
		return lens_inject(fn, user);
	case PCILENS_IOC_CONFIG:
		return lens_config(fn, user);
	case PCILENS_IOC_PRESENCE:
		return lens_presence(fn, user);
	case PCILENS_IOC_SHADOW:
		return lens_shadow(fn, user);
	case PCILENS_IOC_SYMBOLISE:
		return lens_symbolise(fn, user);
	case PCILENS_IOC_STATISTICS:
		return lens_get_statistics(fn, user);
	}
	return -ENOTTY;
}

static int lens_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct lens_file *file = filp->private_data;
	struct lens_function *fn = smp_load_acquire(&file->fn);	/* pairs with lens_create() */
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 bytes = vma->vm_end - vma->vm_start;
	u64 base = offset & ~(PCILENS_MMAP_SLOTS - 1);
	void *memory = NULL;
	u64 size = 0;
	int bar;

	if (!fn)
		return -ENODEV;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (base == PCILENS_MMAP_RING) {
		memory = fn->ring;
		size = fn->ring_bytes;
	} else if (base == PCILENS_MMAP_SLOTS) {
		memory = fn->shared_slot;
		size = PAGE_ALIGN(PCILENS_SLOTS * sizeof(struct pcilens_slot));
	} else if (base == PCILENS_MMAP_POOL) {
		memory = lens_dma_memory(fn);
		size = lens_dma_bytes(fn);
	} else {
		for (bar = 0; bar < PCILENS_BARS; bar++) {
			if (base != PCILENS_MMAP_SHADOW(bar))
				continue;
			memory = fn->bar[bar].shadow;
			size = fn->bar[bar].shadow_bytes;
		}
	}
	offset -= base;
	if (!memory || offset > size || bytes > size - offset)
		return -EINVAL;
	return remap_vmalloc_range(vma, memory, offset >> PAGE_SHIFT);
}

static __poll_t lens_poll(struct file *filp, poll_table *table)
{
	struct lens_file *file = filp->private_data;
	struct lens_function *fn = smp_load_acquire(&file->fn);	/* pairs with lens_create() */

	if (!fn)
		return EPOLLERR;
	poll_wait(filp, &fn->readers, table);
	if (lens_dead(fn))
		return EPOLLHUP;
	return lens_ring_has_records(fn) ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations lens_fops = {
	.owner = THIS_MODULE,
	.open = lens_open,
	.release = lens_release,
	.unlocked_ioctl = lens_ioctl,
	.mmap = lens_mmap,
	.poll = lens_poll,
};

static struct miscdevice lens_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pcilens",
	.fops = &lens_fops,
	.mode = 0600,
};

int lens_chardev_init(void)
{
	return misc_register(&lens_misc);
}

void lens_chardev_exit(void)
{
	misc_deregister(&lens_misc);
}
