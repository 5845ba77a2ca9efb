/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One synthetic function and what the files of this module share.
 *
 * Lock order, outermost first. A lock is taken only inside those above it.
 *
 *	file->mutex		create, plug and unplug of one descriptor
 *	lens_buses_lock		which buses there are
 *	pci_rescan_remove	the PCI core's
 *	fn->policy_mutex	writers of the policy ranges
 *	fn->config_lock		raw, irqs off: config space
 *	fn->vector_lock		raw, irqs off: MSI-X table, pending bits
 *	dma->lock		raw, irqs off: mappings
 *	slot->lock		raw, irqs off: one answer
 *	lens_order		raw, irqs off: the order of all events
 *
 * lens_emit() takes lens_order and may wait for room, so it is called with none
 * of the locks from fn->config_lock on held.
 */
#ifndef LENS_FUNCTION_H
#define LENS_FUNCTION_H

#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "uapi/pcilens.h"

#define LENS_FUNCTIONS		256
#define LENS_VECTORS		2048
#define LENS_CONFIG_BYTES	4096
#define LENS_ATOMIC_HOLD_MS	1000
#define LENS_ATOMIC_HOLD_MAX_MS	10000
#define LENS_RING_EVENTS	16384
#define LENS_RING_EVENTS_MAX	SZ_1M
#define LENS_POOL_MAX		(256ULL * SZ_1M)
#define LENS_SHADOW_MAX		(256ULL * SZ_1M)
#define LENS_RANGES_MAX		4096

struct kprobe;
struct lens_bus;
struct lens_dma;

/* Ranges that do not overlap, in order. What lies between has the default. */
struct lens_range {
	u64 start;
	u64 end;	/* exclusive */
	u8 read;
	u8 write;
	u32 flags;
};

struct lens_ranges {
	struct rcu_head rcu;
	u32 count;
	struct lens_range range[];
};

struct lens_bar {
	u64 size;
	u64 shadow_bytes;
	void *shadow;
	u64 mapped;		/* bus address at which it was last mapped */
	u32 flags;
	struct lens_ranges __rcu *ranges;
	/* Plain memory, the same pages as the shadow's; set before plugging, whole pages. */
	u64 direct_start;
	u64 direct_end;		/* exclusive; 0: none */
};

/* One access that waits for its answer. */
struct lens_slot {
	raw_spinlock_t lock;
	bool waiting;
	bool answered;
	u32 generation;
	u32 status;
	u64 value;
	wait_queue_head_t queue;
};

struct lens_vector {
	u32 word[4];	/* address low, high, data, control: as in the table */
};

struct lens_statistics {
	atomic64_t events, reads, writes, answered, stale_answers, passed_stop, ring_waits;
	atomic64_t lost, refused, irq_delivered, irq_coalesced, irq_pending, irq_lost;
	atomic64_t dma_maps, dma_failed, dma_active;
	atomic_t waiting, iomaps;
};

struct lens_function {
	struct kref ref;
	struct work_struct free_work;
	struct rcu_head rcu;
	u32 id;			/* index in lens_functions and in every cookie */
	bool dead;		/* no runtime any more: reads are all-ones */
	bool absent;		/* it has left its slot: the same, but it may come back */
	u8 devfn;
	u32 bus_key;
	struct lens_bus *bus;	/* from the first plug on */
	bool plugged;

	struct lens_bar bar[PCILENS_BARS];
	struct mutex policy_mutex;	/* writers of the ranges and of direct */

	raw_spinlock_t config_lock;
	u32 config_bytes;
	u8 *config;		/* four images of LENS_CONFIG_BYTES each */
	u8 *config_image;
	u8 *config_write_mask;
	u8 *config_w1c;
	u16 cap_pm, cap_msi, cap_msix, cap_pcie, cap_af;
	struct lens_ranges __rcu *config_ranges;

	/* interrupt.c */
	raw_spinlock_t vector_lock;
	struct lens_vector *vector;
	u32 vectors;
	int table_bar, pba_bar;
	u32 table_offset, pba_offset;
	unsigned long *pending;
	struct irq_work unmask_irq_work;
	struct work_struct unmask_work;

	/* vector.c */
	u32 *irq;		/* Linux's numbers; 0: not in service */
	u32 irqs;
	atomic_t raising;	/* interrupts on their way */
	wait_queue_head_t raised;

	/* intx.c */
	int intx_irq;		/* 0: the function has no pin */
	bool intx_asserted;
	struct irq_work intx_irq_work;
	struct delayed_work intx_again;

	/* ring.c */
	struct pcilens_ring *ring;	/* shared; what it says is checked */
	struct pcilens_event *record;
	u64 ring_bytes;
	u64 head;		/* lens_order; lockless readers */
	u64 tail;		/* last valid one that was seen; lens_order */
	u32 capacity;
	u64 gap;		/* events lost since the last record; lens_order */
	bool congested;		/* an atomic wait for room ran into its cap */
	wait_queue_head_t readers;
	wait_queue_head_t writers;
	wait_queue_head_t helpers;	/* PCILENS_WAIT_STUCK */
	u32 stuck;		/* times that a driver was seen spinning */
	struct irq_work wake_readers;
	bool tail_refused;	/* to be said outside of lens_order */
	int collector_cpu;
	u32 atomic_hold_ms;
	u32 stack_kinds;
	u64 secret;		/* masks addresses without CAP_SYSLOG */

	/* hold.c */
	struct lens_slot *slot;
	struct pcilens_slot *shared_slot;
	unsigned long slot_map[BITS_TO_LONGS(PCILENS_SLOTS)];
	wait_queue_head_t slot_queue;
	struct pid *runtime;	/* the process that answers */
	u32 prompt_ns;		/* how long a wait that may sleep spins first */

	struct lens_dma *dma;
	struct lens_statistics stat;

	/* remap.c: mappings of memory, each with a reference */
	struct list_head direct_list;
	atomic_t direct_maps;
};

/* Where an access comes from: filled by the trap, by config and by DMA. */
struct lens_site {
	u64 ip;
	struct pt_regs *regs;	/* walk the stack from here; NULL: from the caller */
	u8 code[15];
	u8 code_bytes;
	u8 instruction_bytes;
	u32 flags;
	bool may_sleep;
};

/* function.c */
extern struct workqueue_struct *lens_workqueue;
extern struct lens_function __rcu *lens_functions[LENS_FUNCTIONS];
struct lens_function *lens_function_create(const struct pcilens_create *create,
					   const u8 *image, const u8 *write_mask, const u8 *w1c);
int lens_function_publish(struct lens_function *fn);
void lens_function_withdraw(struct lens_function *fn);
struct lens_function *lens_get(struct lens_function __rcu **where);
void lens_put(struct lens_function *fn);
void lens_kill(struct lens_function *fn);
int lens_set_policy(struct lens_function *fn, const struct pcilens_policy *policy);
struct lens_range lens_policy_at(struct lens_ranges __rcu **ranges, u64 offset, u32 size);

static inline bool lens_dead(const struct lens_function *fn)
{
	return READ_ONCE(fn->dead);
}

static inline bool lens_may_sleep(void)
{
	return preemptible() && !rcu_preempt_depth() && !is_idle_task(current) && !in_nmi();
}

/* Whether all of these bytes are plain memory. */
static inline bool lens_is_direct(const struct lens_function *fn, int bar, u64 offset, u64 size)
{
	const struct lens_bar *b = &fn->bar[bar];

	return size && offset >= b->direct_start && offset < b->direct_end &&
	       size <= b->direct_end - offset;
}

void lens_site_init(struct lens_site *site, u64 ip);

/* access.c: the one road of every memory access */
u64 lens_access(struct lens_function *fn, const struct lens_site *site, int bar, u64 offset,
		u8 size, bool write, u64 value);
void lens_access_refused(struct lens_function *fn, const struct lens_site *site, int bar,
			 u64 offset);

/* ring.c */
int lens_ring_create(struct lens_function *fn, u32 events);
void lens_ring_free(struct lens_function *fn);
u64 lens_emit(struct lens_function *fn, const struct lens_site *site, struct pcilens_event *event,
	      bool stack);
bool lens_ring_has_records(struct lens_function *fn);
u64 lens_ring_tail(struct lens_function *fn);
int lens_ring_wait(struct lens_function *fn, s64 timeout_ns, u32 spin_ns);
int lens_stuck_wait(struct lens_function *fn, s64 timeout_ns);

/* hold.c */
int lens_slots_create(struct lens_function *fn);
void lens_slots_free(struct lens_function *fn);
bool lens_hold(struct lens_function *fn, const struct lens_site *site,
	       struct pcilens_event *event, bool stack, u64 *value, u32 *status);
int lens_answer(struct lens_function *fn, const struct pcilens_answer *answer);
void lens_kick(struct lens_function *fn);
void lens_spin_begin(void);
bool lens_cpu_spins(unsigned int cpu);
void lens_spin_window(void);
void lens_spin_end(void);

/* rescue.c: who would answer is not left behind who waits for it */
DECLARE_PER_CPU(int, lens_standing);
int lens_rescue_init(void);
void lens_rescue_exit(void);
void lens_rescue(u64 now);
int lens_raise_now(struct lens_function *fn, u32 vector, int irq);
int lens_raise_on(struct lens_function *fn, u32 vector, int irq, unsigned int cpu);

/* config.c */
extern struct pci_ops lens_pci_ops;
int lens_config_create(struct lens_function *fn, const struct pcilens_create *create,
		       const u8 *image, const u8 *write_mask, const u8 *w1c);
void lens_config_free(struct lens_function *fn);
int lens_config_copy(struct lens_function *fn, u32 offset, u32 length, u8 *data, bool write);
u16 lens_config_word(struct lens_function *fn, u32 offset);
u32 lens_msi_mask_at(struct lens_function *fn);
u64 lens_config_bar(struct lens_function *fn, int bar);
void lens_config_reset(struct lens_function *fn);

/* presence.c: what nobody claims */
bool lens_decodes(struct lens_function *fn, int bar);
u64 lens_unclaimed_access(struct lens_function *fn, const struct lens_site *site,
			  struct pcilens_event *event);
void lens_unclaimed_config(struct lens_function *fn, const struct lens_site *site, bool write,
			   u32 where, u32 size, u32 value);
void lens_presence_set(struct lens_function *fn, bool present);

/* bus.c */
void lens_bus_put(struct lens_bus *bus);
int lens_bus_plug(struct lens_function *fn, struct pcilens_plug *plug);
void lens_bus_unplug(struct lens_function *fn);
struct lens_function *lens_bus_function(struct pci_bus *pci, unsigned int devfn);
struct lens_function *lens_device_function(struct device *dev);
bool lens_bus_has(struct lens_function *fn, phys_addr_t phys, int *bar, u64 *offset);
int lens_bus_init(void);
void lens_bus_exit(void);

/* interrupt.c */
int lens_interrupt_create(struct lens_function *fn);
void lens_interrupt_free(struct lens_function *fn);
void lens_interrupt_reset(struct lens_function *fn);
bool lens_interrupt_access(struct lens_function *fn, const struct lens_site *site, int bar,
			   u64 offset, u8 size, bool write, u64 *value);
void lens_interrupt_control(struct lens_function *fn, const struct lens_site *site, int kind,
			    u16 control);
void lens_interrupt_mask(struct lens_function *fn, const struct lens_site *site, u32 before,
			 u32 after);
u32 lens_interrupt_pending(struct lens_function *fn);
int lens_vector_state(struct lens_function *fn, u32 vector, bool *exists, bool *masked);
int lens_interrupt_inject(struct lens_function *fn, struct pcilens_inject *inject);

/* vector.c: Linux's numbers of the vectors */
int lens_vectors_create(struct lens_function *fn);
void lens_vectors_free(struct lens_function *fn);
void lens_vectors_settle(struct lens_function *fn);
void lens_vectors_forget(struct lens_function *fn);
int lens_vector_get(struct lens_function *fn, u32 vector, int kind);
void lens_vector_put(struct lens_function *fn);
bool lens_vector_is(const struct lens_function *fn, u32 vector, int irq);
int lens_vectors_init(void);
void lens_vectors_exit(void);

/* intx.c */
int lens_intx_create(struct lens_function *fn);
void lens_intx_free(struct lens_function *fn);
void lens_intx_attach(struct pci_dev *pdev);
u32 lens_intx_set(struct lens_function *fn, bool asserted);
void lens_intx_look(struct lens_function *fn);

/* dma.c */
int lens_dma_create(struct lens_function *fn, u64 bytes);
void lens_dma_free(struct lens_function *fn);
void lens_dma_attach(struct device *dev);
void lens_dma_reclaim(struct lens_function *fn);
u64 lens_dma_base(struct lens_function *fn);
u64 lens_dma_bytes(struct lens_function *fn);
void *lens_dma_memory(struct lens_function *fn);
u64 lens_dma_available(struct lens_function *fn);

/* remap.c: ioremap() and friends give cookies for our windows */
int lens_override(struct pt_regs *regs, unsigned long result);
void lens_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags);
void lens_remap_forget(struct lens_function *fn);
int lens_remap_init(void);
void lens_remap_exit(void);

/* trap.c, fixup.c: an access to a cookie ends in lens_access(), see trap.h */
int lens_trap_init(void);
void lens_trap_exit(void);
int lens_fixup_init(void);
void lens_fixup_exit(void);

/* user_map.c: the same for sysfs' resourceN */
int lens_user_map_init(void);
void lens_user_map_exit(void);

/* chardev.c */
int lens_chardev_init(void);
void lens_chardev_exit(void);

/*
 * A cookie is what ioremap() returns for a BAR of ours: bit 63 set and bits
 * 62:56 and 47 clear, which no CPU takes for an address, with 4 or 5 page table
 * levels, with linear address masking or without.
 *
 *	63	1
 *	55:48	function
 *	46:44	BAR
 *	43:0	offset
 */
#define LENS_COOKIE_FIXED_MASK	0xff00800000000000ULL
#define LENS_COOKIE_FIXED	0x8000000000000000ULL
#define LENS_COOKIE_OFFSET_MASK	0x00000fffffffffffULL

static inline bool lens_is_cookie(u64 address)
{
	return (address & LENS_COOKIE_FIXED_MASK) == LENS_COOKIE_FIXED;
}

static inline u64 lens_cookie(const struct lens_function *fn, int bar, u64 offset)
{
	return LENS_COOKIE_FIXED | (u64)fn->id << 48 | (u64)bar << 44 | offset;
}

static inline u32 lens_cookie_function(u64 cookie)
{
	return (cookie >> 48) & 0xff;
}

static inline int lens_cookie_bar(u64 cookie)
{
	return (cookie >> 44) & 7;
}

static inline u64 lens_ones(u8 size)
{
	return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

/* 1, 2, 4 or 8 bytes of little-endian memory, in one access where aligned. */
static inline u64 lens_load(const void *from, u8 size)
{
	u64 value = 0;

	if (IS_ALIGNED((unsigned long)from, size)) {
		switch (size) {
		case 1: return READ_ONCE(*(const u8 *)from);
		case 2: return READ_ONCE(*(const u16 *)from);
		case 4: return READ_ONCE(*(const u32 *)from);
		case 8: return READ_ONCE(*(const u64 *)from);
		}
	}
	memcpy(&value, from, size);
	return value;
}

static inline void lens_store(void *to, u8 size, u64 value)
{
	if (IS_ALIGNED((unsigned long)to, size)) {
		switch (size) {
		case 1:
			WRITE_ONCE(*(u8 *)to, value);
			return;
		case 2:
			WRITE_ONCE(*(u16 *)to, value);
			return;
		case 4:
			WRITE_ONCE(*(u32 *)to, value);
			return;
		case 8:
			WRITE_ONCE(*(u64 *)to, value);
			return;
		}
	}
	memcpy(to, &value, size);
}

#endif
