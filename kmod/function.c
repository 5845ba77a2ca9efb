// SPDX-License-Identifier: GPL-2.0
/* The life of a function, and the policies of its ranges. */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "function.h"

struct workqueue_struct *lens_workqueue;
struct lens_function __rcu *lens_functions[LENS_FUNCTIONS];
static DEFINE_SPINLOCK(lens_functions_lock);
static u32 lens_next_id;

static void lens_free_work(struct work_struct *work)
{
	struct lens_function *fn = container_of(work, struct lens_function, free_work);
	int i;

	lens_remap_forget(fn);
	irq_work_sync(&fn->wake_readers);
	lens_interrupt_free(fn);
	lens_dma_free(fn);
	lens_slots_free(fn);
	lens_ring_free(fn);
	lens_config_free(fn);
	for (i = 0; i < PCILENS_BARS; i++) {
		vfree(fn->bar[i].shadow);
		kfree(rcu_dereference_protected(fn->bar[i].ranges, true));
	}
	kfree(rcu_dereference_protected(fn->config_ranges, true));
	if (fn->bus)
		lens_bus_put(fn->bus);
	kfree_rcu(fn, rcu);
}

static void lens_release(struct kref *ref)
{
	struct lens_function *fn = container_of(ref, struct lens_function, ref);

	/* The last reference may go in a driver's interrupt handler. */
	queue_work(lens_workqueue, &fn->free_work);
}

void lens_put(struct lens_function *fn)
{
	kref_put(&fn->ref, lens_release);
}

struct lens_function *lens_get(struct lens_function __rcu **where)
{
	struct lens_function *fn;

	rcu_read_lock();
	fn = rcu_dereference(*where);
	if (fn && !kref_get_unless_zero(&fn->ref))
		fn = NULL;
	rcu_read_unlock();
	return fn;
}

static int lens_bars_create(struct lens_function *fn, const struct pcilens_create *create)
{
	bool upper = false;
	int i;

	for (i = 0; i < PCILENS_BARS; i++) {
		const struct pcilens_bar *bar = &create->bar[i];

		if (bar->reserved || bar->flags & ~(PCILENS_BAR_64BIT | PCILENS_BAR_PREFETCH))
			return -EINVAL;
		if (!bar->size) {
			if (bar->shadow_bytes || bar->flags)
				return -EINVAL;
			upper = false;
			continue;
		}
		if (upper || bar->size < 16 || !is_power_of_2(bar->size) ||
		    bar->size > LENS_COOKIE_OFFSET_MASK + 1 ||
		    bar->shadow_bytes > bar->size || bar->shadow_bytes > LENS_SHADOW_MAX)
			return -EINVAL;
		upper = bar->flags & PCILENS_BAR_64BIT;
		if ((upper && i == PCILENS_BARS - 1) || (!upper && bar->size > SZ_1G))
			return -EINVAL;
		fn->bar[i].size = bar->size;
		fn->bar[i].flags = bar->flags;
		if (bar->shadow_bytes) {
			fn->bar[i].shadow_bytes = PAGE_ALIGN(bar->shadow_bytes);
			fn->bar[i].shadow = vmalloc_user(fn->bar[i].shadow_bytes);
			if (!fn->bar[i].shadow)
				return -ENOMEM;
		}
	}
	return 0;
}

struct lens_function *lens_function_create(const struct pcilens_create *create,
					   const u8 *image, const u8 *write_mask, const u8 *w1c)
{
	struct lens_function *fn;
	int err;

	fn = kzalloc(sizeof(*fn), GFP_KERNEL);
	if (!fn)
		return ERR_PTR(-ENOMEM);
	kref_init(&fn->ref);
	INIT_WORK(&fn->free_work, lens_free_work);
	mutex_init(&fn->policy_mutex);
	INIT_LIST_HEAD(&fn->direct_list);
	fn->bus_key = create->bus_key;
	fn->devfn = PCI_DEVFN(create->device, create->function);
	fn->atomic_hold_ms = create->atomic_hold_ms ?: LENS_ATOMIC_HOLD_MS;
	fn->collector_cpu = -1;

	/* Each is undone by its own _free(), which copes with what is not there. */
	err = lens_ring_create(fn, create->ring_events ?: LENS_RING_EVENTS);
	if (!err)
		err = lens_bars_create(fn, create);
	if (!err)
		err = lens_config_create(fn, create, image, write_mask, w1c);
	if (!err)
		err = lens_interrupt_create(fn);
	if (!err)
		err = lens_slots_create(fn);
	if (!err)
		err = lens_dma_create(fn, create->pool_bytes);
	if (err) {
		lens_put(fn);
		return ERR_PTR(err);
	}
	return fn;
}

/* Ids go round, so that a stale cookie seldom meets a new function. */
int lens_function_publish(struct lens_function *fn)
{
	int err = -ENOSPC;
	u32 i;

	spin_lock(&lens_functions_lock);
	for (i = 0; i < LENS_FUNCTIONS; i++) {
		u32 id = (lens_next_id + i) % LENS_FUNCTIONS;

		if (!rcu_access_pointer(lens_functions[id])) {
			fn->id = id;
			lens_next_id = id + 1;
			rcu_assign_pointer(lens_functions[id], fn);
			err = 0;
			break;
		}
	}
	spin_unlock(&lens_functions_lock);
	return err;
}

void lens_function_withdraw(struct lens_function *fn)
{
	spin_lock(&lens_functions_lock);
	RCU_INIT_POINTER(lens_functions[fn->id], NULL);
	spin_unlock(&lens_functions_lock);
}

/* From here on the function looks removed: everything held goes on. */
void lens_kill(struct lens_function *fn)
{
	int i;

	WRITE_ONCE(fn->dead, true);
	smp_mb();	/* against the check of dead before each sleep */
	WRITE_ONCE(fn->ring->dead, 1);
	for (i = 0; i < PCILENS_SLOTS; i++)
		wake_up_all(&fn->slot[i].queue);
	wake_up_all(&fn->slot_queue);
	wake_up_all(&fn->readers);
	wake_up_all(&fn->writers);
	wake_up_all(&fn->helpers);
}

void lens_site_init(struct lens_site *site, u64 ip)
{
	memset(site, 0, sizeof(*site));
	site->ip = ip;
	site->may_sleep = lens_may_sleep();
	if (site->may_sleep)
		site->flags |= PCILENS_F_MAY_SLEEP;
	if (irqs_disabled())
		site->flags |= PCILENS_F_IRQS_OFF;
	if (in_hardirq() || in_serving_softirq())
		site->flags |= PCILENS_F_IN_IRQ;
}

static struct lens_ranges __rcu **lens_ranges_of(struct lens_function *fn, int bar, u64 *size)
{
	if (bar == PCILENS_BAR_CONFIG) {
		*size = fn->config_bytes;
		return &fn->config_ranges;
	}
	if (bar < 0 || bar >= PCILENS_BARS || !fn->bar[bar].size)
		return NULL;
	*size = fn->bar[bar].size;
	return &fn->bar[bar].ranges;
}

/* No later policy takes it back: there are mappings of it. */
static int lens_set_direct(struct lens_function *fn, int index, const struct lens_range *range)
{
	struct lens_bar *bar;
	int err = -EINVAL;

	if (index < 0 || range->flags)
		return -EINVAL;
	bar = &fn->bar[index];
	mutex_lock(&fn->policy_mutex);
	if (!READ_ONCE(fn->plugged) && PAGE_ALIGNED(range->start) &&
	    PAGE_ALIGNED(range->end) && range->end <= bar->shadow_bytes) {
		bar->direct_start = range->start;
		bar->direct_end = range->end;
		err = 0;
	}
	mutex_unlock(&fn->policy_mutex);
	return err;
}

/* The new range, and what the old ones have left and right of it. */
int lens_set_policy(struct lens_function *fn, const struct pcilens_policy *policy)
{
	struct lens_ranges __rcu **where;
	struct lens_ranges *old, *new;
	struct lens_range add;
	u32 count, i, n = 0;
	bool added;
	u64 size;

	where = lens_ranges_of(fn, policy->bar, &size);
	if (!where || policy->reserved0 || policy->flags & ~PCILENS_POLICY_STACK ||
	    policy->read > PCILENS_MODE_DIRECT || policy->read == PCILENS_MODE_POSTED ||
	    policy->write > PCILENS_MODE_DIRECT || policy->offset >= size ||
	    policy->length > size - policy->offset)
		return -EINVAL;
	add.start = policy->offset;
	add.end = policy->length ? policy->offset + policy->length : size;
	add.read = policy->read;
	add.write = policy->write;
	add.flags = policy->flags;
	if (add.read == PCILENS_MODE_DIRECT || add.write == PCILENS_MODE_DIRECT)
		return add.read == add.write ? lens_set_direct(fn, policy->bar, &add) : -EINVAL;
	if (policy->bar == PCILENS_BAR_CONFIG && add.write == PCILENS_MODE_POSTED)
		return -EINVAL;

	mutex_lock(&fn->policy_mutex);
	old = rcu_dereference_protected(*where, lockdep_is_held(&fn->policy_mutex));
	count = old ? old->count : 0;
	new = kzalloc(struct_size(new, range, count + 2), GFP_KERNEL);
	if (!new) {
		mutex_unlock(&fn->policy_mutex);
		return -ENOMEM;
	}
	/* Where no range is, the modes are the default ones. */
	added = !add.read && !add.write && !add.flags;
	for (i = 0; i < count; i++) {
		struct lens_range r = old->range[i];

		if (r.end <= add.start) {
			new->range[n++] = r;
			continue;
		}
		if (r.start < add.start) {
			new->range[n] = r;
			new->range[n++].end = add.start;
		}
		if (!added) {
			new->range[n++] = add;
			added = true;
		}
		if (r.end > add.end) {
			new->range[n] = r;
			new->range[n++].start = max(r.start, add.end);
		}
	}
	if (!added)
		new->range[n++] = add;
	/* Only here: a policy can be taken back at any number of them. */
	if (n > LENS_RANGES_MAX) {
		mutex_unlock(&fn->policy_mutex);
		kfree(new);
		return -ENOSPC;
	}
	new->count = n;
	rcu_assign_pointer(*where, new);
	mutex_unlock(&fn->policy_mutex);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* The strongest modes of the bytes from offset on; DEFAULT where none is set. */
struct lens_range lens_policy_at(struct lens_ranges __rcu **ranges, u64 offset, u32 size)
{
	struct lens_range found = { .start = offset, .end = offset + size };
	struct lens_ranges *all;
	u32 low = 0, high;

	rcu_read_lock();
	all = rcu_dereference(*ranges);
	high = all ? all->count : 0;
	while (low < high) {	/* the first range that ends after offset */
		u32 middle = (low + high) / 2;

		if (all->range[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	for (; all && low < all->count && all->range[low].start < offset + size; low++) {
		struct lens_range r = all->range[low];

		found.flags |= r.flags;
		found.read = max(found.read, r.read);
		found.write = max(found.write, r.write);
	}
	rcu_read_unlock();
	return found;
}
