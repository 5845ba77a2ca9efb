/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pcilens: synthetic PCI functions on the running kernel's bus.
 *
 * Userspace opens /dev/pcilens (one file descriptor is one function), creates
 * the function, maps the event ring and the DMA pool, plugs the function in,
 * and then loops in PCILENS_IOC_WAIT: answer what was asked, get what is new.
 *
 *	fd = open("/dev/pcilens", O_RDWR | O_CLOEXEC);
 *	ioctl(fd, PCILENS_IOC_INFO, &info);
 *	ioctl(fd, PCILENS_IOC_CREATE, &create);
 *	ring = mmap(..., create.ring_bytes, fd, PCILENS_MMAP_RING);
 *	pool = mmap(..., create.pool_bytes, fd, PCILENS_MMAP_POOL);
 *	ioctl(fd, PCILENS_IOC_POLICY, &policy);		as often as wanted
 *	(start the thread that loops in PCILENS_IOC_WAIT)
 *	ioctl(fd, PCILENS_IOC_PLUG, &plug);		scans: needs the loop
 *
 * Everything is little endian and naturally aligned. Fields called reserved
 * must be zero; a request with a reserved bit set gets -EINVAL.
 */
#ifndef PCILENS_UAPI_H
#define PCILENS_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#if defined(__KERNEL__)
#include <linux/build_bug.h>
#elif !defined(__cplusplus)
#include <assert.h>
#endif

#define PCILENS_ABI_VERSION	2

/* Offsets for mmap() of the function's descriptor. */
#define PCILENS_MMAP_RING	0x00000000000ULL
#define PCILENS_MMAP_SLOTS	0x10000000000ULL
#define PCILENS_MMAP_POOL	0x20000000000ULL
/* The shadow memory of BAR n; its length is pcilens_bar.shadow_bytes. */
#define PCILENS_MMAP_SHADOW(n)	(0x80000000000ULL + ((__u64)(n) << 40))

/* pcilens_event.bar and pcilens_policy.bar beside 0..5. */
#define PCILENS_BAR_CONFIG	(-1)	/* offset is a config space offset */
#define PCILENS_BAR_DMA		(-2)	/* offset is an IOVA */
#define PCILENS_BAR_IRQ		(-3)	/* offset is a vector */

#define PCILENS_BARS		6
#define PCILENS_SLOTS		256	/* accesses that can wait at once */

/**
 * struct pcilens_info - what this module is and can (PCILENS_IOC_INFO)
 * @abi_version: PCILENS_ABI_VERSION of the module; another one is another ABI
 * @features: PCILENS_FEATURE_* that this build and this machine have
 * @max_atomic_hold_ms: largest accepted pcilens_create.atomic_hold_ms
 * @online_cpus: CPUs online now; with one, a non-sleepable access is never
 *	answered by userspace but from the shadow
 * @max_pool_bytes: largest accepted pcilens_create.pool_bytes
 * @max_ring_events: largest accepted pcilens_create.ring_events
 * @reserved: zero
 */
struct pcilens_info {
	__u32 abi_version;
	__u32 features;
	__u32 max_atomic_hold_ms;
	__u32 online_cpus;
	__u64 max_pool_bytes;
	__u32 max_ring_events;
	__u32 reserved;
};

#define PCILENS_FEATURE_MSIX		0x01U
#define PCILENS_FEATURE_MSI		0x02U
#define PCILENS_FEATURE_INTX		0x04U
#define PCILENS_FEATURE_USER_MMAP	0x08U	/* sysfs resourceN trapped */
#define PCILENS_FEATURE_DIRECT		0x10U
#define PCILENS_FEATURE_SLOTS		0x20U	/* PCILENS_MMAP_SLOTS */
#define PCILENS_FEATURE_KERNEL_ADDRESSES 0x40U	/* ip is not masked: CAP_SYSLOG */

/**
 * struct pcilens_bar - one base address register
 * @size: bytes, a power of two from 16, or 0 for no BAR; a 64-bit BAR n takes
 *	BAR n+1, whose size must be 0
 * @shadow_bytes: how much of it, from offset 0, has memory behind it for the
 *	policies shadow and direct and for reads that cannot wait; rounded up to
 *	whole pages by the module; the rest of the BAR reads as zeros
 * @flags: PCILENS_BAR_*
 * @reserved: zero
 */
struct pcilens_bar {
	__u64 size;
	__u64 shadow_bytes;
	__u32 flags;
	__u32 reserved;
};

#define PCILENS_BAR_64BIT	0x01U
#define PCILENS_BAR_PREFETCH	0x02U

/**
 * struct pcilens_create - describe the function (PCILENS_IOC_CREATE)
 * @config: user pointer to @config_bytes of config space at reset
 * @write_mask: user pointer to as many bytes: bits that software may write
 * @w1c_mask: user pointer to as many bytes: bits that software clears with 1
 * @config_bytes: 256 or 4096
 * @flags: zero
 * @bus_key: functions with the same key share a root bus (the first creates
 *	it); 0 asks for a bus of its own
 * @device: device number on that bus, 0..31
 * @function: function number, 0..7; function 0 must be plugged last where a
 *	device has several, since the scan starts there
 * @reserved0: zero
 * @atomic_hold_ms: cap for a hold where the driver may not sleep; 0: default
 * @ring_events: records in the ring, a power of two; 0: default
 * @pool_bytes: DMA pool, whole pages; 0: no DMA
 * @iova_base: out: IOVA of the pool's first byte; IOVA = base + pool offset
 * @ring_bytes: out: length for mmap(PCILENS_MMAP_RING)
 * @id: out: number of this function within the module, in no event but in logs
 * @reserved: zero
 * @bar: the BARs; the BAR registers in @config and @write_mask are ignored,
 *	the module derives them from here
 *
 * The module emulates what the kernel must have at once: config masks, BAR
 * sizing, the MSI-X table and PBA (found by the capability in @config), MSI
 * mask and pending bits, FLR.
 */
struct pcilens_create {
	__u64 config;
	__u64 write_mask;
	__u64 w1c_mask;
	__u32 config_bytes;
	__u32 flags;
	__u32 bus_key;
	__u8 device;
	__u8 function;
	__u16 reserved0;
	__u32 atomic_hold_ms;
	__u32 ring_events;
	__u64 pool_bytes;
	__u64 iova_base;
	__u64 ring_bytes;
	__u32 id;
	__u32 reserved;
	struct pcilens_bar bar[PCILENS_BARS];
};

/**
 * struct pcilens_plug - put the function on the bus (PCILENS_IOC_PLUG)
 * @domain: out: PCI domain
 * @bus: out: bus number
 * @devfn: out: device and function number, device << 3 | function
 * @flags: zero
 * @address: out: bus address that each BAR was given; 0 where there is none
 *
 * Returns when scan, resource assignment and driver binding are over: probe()
 * runs inside this call (or on a kernel worker), so another thread must be in
 * PCILENS_IOC_WAIT. -EEXIST: already plugged. -EBUSY: another thread is in here.
 *
 * PCILENS_IOC_UNPLUG removes the function and returns when the driver's remove()
 * is over; it waits for a PLUG that is still running. Closing the descriptor does
 * the same, but with a function that is dead already: the driver reads all-ones.
 */
struct pcilens_plug {
	__u32 domain;
	__u32 bus;
	__u32 devfn;
	__u32 flags;
	__u64 address[PCILENS_BARS];
};

/**
 * enum pcilens_mode - what happens to an access
 * @PCILENS_MODE_DEFAULT: BARs: sync for reads, posted for writes. Config:
 *	shadow for both
 * @PCILENS_MODE_SHADOW: done on the shadow in the kernel, and reported
 * @PCILENS_MODE_POSTED: writes only: reported, the driver goes on
 * @PCILENS_MODE_SYNC: the driver waits for the answer. A write of this mode
 *	completes when it is answered
 * @PCILENS_MODE_BREAK: as sync, and the event says PCILENS_F_BREAK
 * @PCILENS_MODE_DIRECT: BARs, read and write alike, page aligned, one range of
 *	each BAR, before plugging: mappings of a driver that lie inside are plain
 *	memory (the shadow's), and no access to them is seen. No later call takes
 *	it back, a second one before plugging replaces it. Through a mapping that
 *	goes further an access is trapped as any other
 *
 * On config space @PCILENS_MODE_SYNC and @PCILENS_MODE_BREAK hold the access;
 * a write's masked effect on the shadow comes after the answer, a read's answer
 * replaces what the shadow has.
 */
enum pcilens_mode {
	PCILENS_MODE_DEFAULT = 0,
	PCILENS_MODE_SHADOW = 1,
	PCILENS_MODE_POSTED = 2,
	PCILENS_MODE_SYNC = 3,
	PCILENS_MODE_BREAK = 4,
	PCILENS_MODE_DIRECT = 5,
};

/**
 * struct pcilens_policy - set the mode of a range (PCILENS_IOC_POLICY)
 * @offset: first byte
 * @length: bytes; 0: to the end
 * @bar: 0..5 or PCILENS_BAR_CONFIG
 * @read: enum pcilens_mode
 * @write: enum pcilens_mode
 * @reserved0: zero
 * @flags: PCILENS_POLICY_*
 *
 * A later call overrides an earlier one where they overlap. An access takes
 * the strongest mode (break, sync, posted, shadow) of the bytes it touches.
 * May be called at any time; it acts on accesses that start after it returned.
 */
struct pcilens_policy {
	__u64 offset;
	__u64 length;
	__s8 bar;
	__u8 read;
	__u8 write;
	__u8 reserved0;
	__u32 flags;
};

#define PCILENS_POLICY_STACK	0x01U	/* a stack record with each event */

/**
 * struct pcilens_limits - what may change later (PCILENS_IOC_LIMITS)
 * @atomic_hold_ms: as in pcilens_create; 0 keeps it
 * @stack_kinds: bit (1 << kind) set: events of that kind carry a stack record
 * @flags: zero
 * @reserved: zero
 */
struct pcilens_limits {
	__u32 atomic_hold_ms;
	__u32 stack_kinds;
	__u32 flags;
	__u32 reserved;
};

/**
 * enum pcilens_kind - what a record tells
 * @PCILENS_NONE: never written
 * @PCILENS_CFG_READ: value is what the shadow has (what the driver gets, if
 *	nobody answers otherwise)
 * @PCILENS_CFG_WRITE: value as written, aux the register after the masks
 * @PCILENS_MEM_READ: value is what the driver got; with PCILENS_F_ANSWER it is
 *	undefined
 * @PCILENS_MEM_WRITE: value as written
 * @PCILENS_DMA_MAP: offset IOVA, value length, aux PCILENS_DMA_*
 * @PCILENS_DMA_UNMAP: same; the range is reused only after the reader has
 *	passed this record
 * @PCILENS_DMA_SYNC: same; the driver took or gave back the buffer
 * @PCILENS_IRQ: offset vector, aux enum pcilens_irq_result, value
 *	PCILENS_IRQ_MSIX, _MSI, _INTX or 0. It is written before the interrupt is
 *	raised; where raising ends otherwise (coalesced, no handler) a second
 *	record for the vector follows and says so
 * @PCILENS_IRQ_MASK: a vector's mask state changed; offset vector, value 1
 *	masked 0 unmasked; vector 0xffff: the function mask or enable bit,
 *	value as in MSI-X message control (15 enable, 14 mask), aux
 *	PCILENS_IRQ_MSI or PCILENS_IRQ_MSIX
 * @PCILENS_RESET: aux enum pcilens_reset; config space is back at its image
 * @PCILENS_BAR_CHANGE: a BAR's address or COMMAND's memory enable changed:
 *	bar, offset new bus address, value 1 decoding 0 not
 * @PCILENS_REFUSED: an instruction that is not emulated hit the BAR at offset.
 *	In the kernel it was passed over: nothing was written, what it would have
 *	loaded keeps its value. A userspace driver got SIGBUS
 * @PCILENS_GAP: value is how many events were lost before this record (the
 *	ring was full where the driver could not wait)
 * @PCILENS_STACK: struct pcilens_stack, right after the event it belongs to
 * @PCILENS_PLUGGED: aux 1 scanned and added, 0 removed
 * @PCILENS_EXPIRED: a hold ended before its answer came, at the cap or because the
 *	process of a userspace driver was killed: aux is the seq of the held event,
 *	slot and generation are its own, value is what the driver got (from the
 *	shadow). A runtime that delivers at three quarters of the cap sees none of
 *	the first sort
 * @PCILENS_UNBOUND: a driver was unbound from the function: its remove() is
 *	over, and what the kernel gives back for it is given back
 */
enum pcilens_kind {
	PCILENS_NONE = 0,
	PCILENS_CFG_READ = 1,
	PCILENS_CFG_WRITE = 2,
	PCILENS_MEM_READ = 3,
	PCILENS_MEM_WRITE = 4,
	PCILENS_DMA_MAP = 5,
	PCILENS_DMA_UNMAP = 6,
	PCILENS_DMA_SYNC = 7,
	PCILENS_IRQ = 8,
	PCILENS_IRQ_MASK = 9,
	PCILENS_RESET = 10,
	PCILENS_BAR_CHANGE = 11,
	PCILENS_REFUSED = 12,
	PCILENS_GAP = 13,
	PCILENS_STACK = 14,
	PCILENS_PLUGGED = 15,
	PCILENS_EXPIRED = 16,
	PCILENS_UNBOUND = 17,
};

/**
 * enum pcilens_irq_result - what became of an interrupt
 * @PCILENS_IRQ_DELIVERED: the handler runs
 * @PCILENS_IRQ_COALESCED: the previous one has not been taken yet
 * @PCILENS_IRQ_PENDING: masked: pending bit set, delivered later
 * @PCILENS_IRQ_DISABLED: MSI-X, MSI or bus mastering is off: lost
 * @PCILENS_IRQ_NO_HANDLER: no driver has requested the vector: lost
 * @PCILENS_IRQ_LATE: a pending one, delivered at the unmask
 * @PCILENS_IRQ_DEASSERTED: INTx
 * @PCILENS_IRQ_BUSY: not raised: see PCILENS_INJECT_TRY
 */
enum pcilens_irq_result {
	PCILENS_IRQ_DELIVERED = 0,
	PCILENS_IRQ_COALESCED = 1,
	PCILENS_IRQ_PENDING = 2,
	PCILENS_IRQ_DISABLED = 3,
	PCILENS_IRQ_NO_HANDLER = 4,
	PCILENS_IRQ_LATE = 5,
	PCILENS_IRQ_DEASSERTED = 6,
	PCILENS_IRQ_BUSY = 7,
};

/**
 * enum pcilens_reset - who reset the function
 * @PCILENS_RESET_FLR: PCIe or AF function level reset
 * @PCILENS_RESET_PM: D3hot to D0 without No_Soft_Reset
 */
enum pcilens_reset {
	PCILENS_RESET_FLR = 1,
	PCILENS_RESET_PM = 2,
};

/* pcilens_event.aux of the DMA kinds: direction from the driver's view. */
#define PCILENS_DMA_TO_DEVICE		0x01U
#define PCILENS_DMA_FROM_DEVICE		0x02U
#define PCILENS_DMA_COHERENT		0x04U
#define PCILENS_DMA_FOR_CPU		0x08U	/* PCILENS_DMA_SYNC */
#define PCILENS_DMA_FOR_DEVICE		0x10U	/* PCILENS_DMA_SYNC */

/* pcilens_event.flags */
#define PCILENS_F_ANSWER	0x0001U	/* the driver waits: slot, generation */
#define PCILENS_F_BREAK		0x0002U	/* by mode break */
#define PCILENS_F_MAY_SLEEP	0x0004U	/* the hold has no time limit */
#define PCILENS_F_IRQS_OFF	0x0008U	/* interrupts are off in the driver */
#define PCILENS_F_IN_IRQ	0x0010U	/* hard or soft interrupt context */
#define PCILENS_F_SHADOWED	0x0020U	/* answered from the shadow, not asked */
#define PCILENS_F_PASSED_STOP	0x0040U	/* asked for a hold, could not be held */
#define PCILENS_F_KERNEL	0x0080U	/* emulated by the module: MSI-X table, PBA */
#define PCILENS_F_USER		0x0100U	/* a userspace driver, through resourceN */
#define PCILENS_F_STACK		0x0200U	/* a PCILENS_STACK record follows */
#define PCILENS_F_REP		0x0400U	/* one element of a string instruction */
#define PCILENS_F_LOCKED	0x0800U	/* half of a read-modify-write */
#define PCILENS_F_DEAD		0x1000U	/* the function was gone: all-ones */

/**
 * struct pcilens_event - one record of the ring
 * @seq: place in the one order of all functions of the module; has gaps for a
 *	reader who sees one function only. Having seen n in any ring, every
 *	record below n is published in its ring
 * @time_ns: CLOCK_MONOTONIC when the access was made
 * @kind: enum pcilens_kind
 * @bar: 0..5, PCILENS_BAR_CONFIG, PCILENS_BAR_DMA, PCILENS_BAR_IRQ
 * @size: bytes of the access: 1, 2, 4, 8; 0 where it has no sense
 * @flags: PCILENS_F_*
 * @offset: by kind
 * @value: by kind, zero extended
 * @aux: by kind
 * @ip: the accessing instruction; 0 where there is none. Give it to
 *	PCILENS_IOC_SYMBOLISE. Masked by a secret of the descriptor unless
 *	PCILENS_FEATURE_KERNEL_ADDRESSES; equal places have equal ip either way
 * @slot: with PCILENS_F_ANSWER: where the answer goes
 * @generation: goes with @slot; an answer with an older one is refused
 * @pid: process (thread group) as the initial namespace numbers it
 * @tid: thread
 * @comm: name of the thread, zero padded, not terminated where it is 16 long
 * @code: bytes of the instruction at @ip and after it
 * @code_bytes: how many of @code are valid
 * @cpu: CPU that made the access
 * @instruction_bytes: length of the instruction, 0: not decoded
 * @reserved0: zero
 * @driver_ip: with PCILENS_F_STACK: the innermost frame inside a module, which
 *	is the driver also where @ip is in the kernel itself (ioread32(), config
 *	and DMA calls); 0: none
 * @reserved1: zero
 */
struct pcilens_event {
	__u64 seq;
	__u64 time_ns;
	__u16 kind;
	__s8 bar;
	__u8 size;
	__u32 flags;
	__u64 offset;
	__u64 value;
	__u64 aux;
	__u64 ip;
	__u32 slot;
	__u32 generation;
	__u32 pid;
	__u32 tid;
	__u8 comm[16];
	__u8 code[15];
	__u8 code_bytes;
	__u16 cpu;
	__u8 instruction_bytes;
	__u8 reserved0[5];
	__u64 driver_ip;
	__u64 reserved1;
};

#define PCILENS_STACK_FRAMES	13

/**
 * struct pcilens_stack - the record after an event with PCILENS_F_STACK
 * @seq: that of the event
 * @time_ns: that of the event
 * @kind: PCILENS_STACK
 * @bar: 0
 * @count: valid frames
 * @flags: zero
 * @frame: innermost first, as pcilens_event.ip
 */
struct pcilens_stack {
	__u64 seq;
	__u64 time_ns;
	__u16 kind;
	__s8 bar;
	__u8 count;
	__u32 flags;
	__u64 frame[PCILENS_STACK_FRAMES];
};

/**
 * struct pcilens_ring - first page of PCILENS_MMAP_RING
 * @head: records written since the start, by the module; load-acquire it
 * @reserved0: another cache line
 * @tail: records consumed since the start, by the reader; store-release it.
 *	A tail beyond head, behind an earlier tail or more than @capacity behind
 *	head is ignored, and the kernel's log says so
 * @reserved1: another cache line
 * @capacity: records, a power of two
 * @record_bytes: sizeof(struct pcilens_event)
 * @first_record: bytes from the start of the mapping to record 0
 * @dead: 1 once the module has given the function up
 *
 * Record i is at @first_record + (i & (@capacity - 1)) * @record_bytes.
 */
struct pcilens_ring {
	__u64 head;
	__u64 reserved0[7];
	__u64 tail;
	__u64 reserved1[7];
	__u32 capacity;
	__u32 record_bytes;
	__u32 first_record;
	__u32 dead;
};

/**
 * enum pcilens_status - a completion's status
 * @PCILENS_STATUS_SC: successful completion
 * @PCILENS_STATUS_UR: unsupported request: all-ones
 * @PCILENS_STATUS_CA: completer abort: all-ones
 * @PCILENS_STATUS_TIMEOUT: completion timeout: all-ones
 */
enum pcilens_status {
	PCILENS_STATUS_SC = 0,
	PCILENS_STATUS_UR = 1,
	PCILENS_STATUS_CA = 2,
	PCILENS_STATUS_TIMEOUT = 3,
};

/**
 * struct pcilens_answer - the completion of an event with PCILENS_F_ANSWER
 * @slot: from the event
 * @generation: from the event
 * @value: what a read returns; ignored for a write
 * @status: enum pcilens_status
 * @result: out: 0; -ESTALE: too late, the hold had ended (its cap, or a newer
 *	owner of the slot); -EINVAL: no such slot or status
 */
struct pcilens_answer {
	__u32 slot;
	__u32 generation;
	__u64 value;
	__u32 status;
	__s32 result;
};

/**
 * struct pcilens_wait - answer, then wait (PCILENS_IOC_WAIT)
 * @answers: user pointer to @answer_count struct pcilens_answer, done first
 * @answer_count: 0..PCILENS_SLOTS
 * @flags: PCILENS_WAIT_*
 * @timeout_ns: how long to wait for @head to pass the ring's tail; 0: do not
 *	wait; negative: without limit
 * @spin_ns: out of @timeout_ns, poll that long before sleeping. For synchronous
 *	reads at full rate; only where the driver runs on another CPU
 * @refused: out: answers whose result is not 0
 * @head: out: the ring's head
 * @reserved: zero
 *
 * Returns 0 with records to read; -ETIMEDOUT without; -EINTR after a signal,
 * with the answers given (do not give them again); -ENODEV once the function
 * is dead. Any number of threads may call it.
 */
struct pcilens_wait {
	__u64 answers;
	__u32 answer_count;
	__u32 flags;
	__s64 timeout_ns;
	__u32 spin_ns;
	__u32 refused;
	__u64 head;
	__u64 reserved;
};

/* Do not take this thread's CPU for the collector's: only answers. */
#define PCILENS_WAIT_NO_CPU	0x01U
/*
 * Wait for a driver that has spun for a millisecond, of any function, and not for
 * records: for a second thread that looks after the first.
 */
#define PCILENS_WAIT_STUCK	0x02U

/**
 * struct pcilens_slot - one element of PCILENS_MMAP_SLOTS
 * @value: as in pcilens_answer
 * @status: as in pcilens_answer
 * @generation: store-release it last: that is the answer
 * @sleeping: 1 while the driver's thread sleeps for it. After storing
 *	@generation and a full fence, a reader that sees 1 must call
 *	PCILENS_IOC_KICK
 * @reserved: zero
 *
 * A way to answer without a system call, where the driver spins.
 */
struct pcilens_slot {
	__u64 value;
	__u32 status;
	__u32 generation;
	__u32 sleeping;
	__u32 reserved[11];
};

/**
 * struct pcilens_inject - send an interrupt (PCILENS_IOC_INJECT)
 * @vector: MSI-X or MSI vector; 0 for INTx
 * @flags: PCILENS_INJECT_*
 * @result: out: enum pcilens_irq_result
 * @kind: out: PCILENS_IRQ_MSIX, PCILENS_IRQ_MSI, PCILENS_IRQ_INTX or 0
 * @seq: out: seq of the PCILENS_IRQ record
 *
 * With neither MSI-X nor MSI enabled the INTx line is meant: it stays asserted
 * until it is injected again with PCILENS_INJECT_DEASSERT.
 */
struct pcilens_inject {
	__u32 vector;
	__u32 flags;
	__u32 result;
	__u32 kind;
	__u64 seq;
};

#define PCILENS_INJECT_DEASSERT	0x01U
/*
 * The caller has a lock that answering needs: where the handler could not be
 * answered, since the other CPUs spin for an answer already, the result is
 * PCILENS_IRQ_BUSY. Answer them, then inject again.
 */
#define PCILENS_INJECT_TRY	0x02U

#define PCILENS_IRQ_INTX	1
#define PCILENS_IRQ_MSI		2
#define PCILENS_IRQ_MSIX	3

/**
 * struct pcilens_config - the function changes or reads its own config space
 *	(PCILENS_IOC_CONFIG)
 * @data: user pointer to @length bytes
 * @offset: first byte
 * @length: bytes
 * @flags: PCILENS_CONFIG_*
 * @reserved: zero
 *
 * No masks apply and no event is written. BAR registers, COMMAND and the MSI
 * and MSI-X message control words belong to software: a write leaves them as
 * they are.
 */
struct pcilens_config {
	__u64 data;
	__u32 offset;
	__u32 length;
	__u32 flags;
	__u32 reserved;
};

#define PCILENS_CONFIG_WRITE	0x01U

/**
 * struct pcilens_presence - the function leaves its slot, or another one is put
 *	into it (PCILENS_IOC_PRESENCE)
 * @present: 0 or 1
 * @reserved: zero
 *
 * 0: as a card that is pulled out where nobody watches the slot. Config space, BARs
 * and MSI-X table read as all-ones, writes are lost, and nothing interrupts. The
 * records of such accesses have PCILENS_F_KERNEL and PCILENS_STATUS_UR in aux. The
 * kernel still has its device, until somebody removes it.
 *
 * 1: a fresh one stands there: config space and MSI-X table as they were created. It
 * decodes nothing until its BARs and COMMAND are set up again, which a driver that has
 * noticed nothing does not do.
 */
struct pcilens_presence {
	__u32 present;
	__u32 reserved;
};

/**
 * struct pcilens_memory - read or write a BAR's shadow (PCILENS_IOC_SHADOW)
 * @data: user pointer to @length bytes
 * @offset: first byte in the BAR
 * @length: bytes
 * @bar: 0..5
 * @flags: PCILENS_CONFIG_WRITE
 *
 * The same memory as PCILENS_MMAP_SHADOW, for those who do not map it.
 */
struct pcilens_memory {
	__u64 data;
	__u64 offset;
	__u64 length;
	__u32 bar;
	__u32 flags;
};

/**
 * struct pcilens_symbol - what is at an address (PCILENS_IOC_SYMBOLISE)
 * @ip: pcilens_event.ip or a frame
 * @displacement: out: bytes from the symbol's start
 * @symbol_bytes: out: length of the symbol
 * @build_id_bytes: out: valid bytes of @build_id
 * @reserved: zero
 * @build_id: out: of the module, or of the kernel
 * @symbol: out: name, terminated
 * @module: out: name, terminated; empty for the kernel itself
 *
 * -ENOENT: no symbol there (the module may be gone).
 */
struct pcilens_symbol {
	__u64 ip;
	__u64 displacement;
	__u64 symbol_bytes;
	__u32 build_id_bytes;
	__u32 reserved;
	__u8 build_id[32];
	char symbol[256];
	char module[64];
};

/**
 * struct pcilens_statistics - counted since CREATE (PCILENS_IOC_STATISTICS)
 * @events: records written, stacks excluded
 * @reads: memory reads trapped
 * @writes: memory writes trapped
 * @answered: accesses that userspace answered
 * @stale_answers: answers refused with -ESTALE
 * @passed_stop: holds that ended at the cap or could not be made
 * @ring_waits: accesses that waited for room in the ring
 * @lost: events lost to a full ring, each told by a gap record
 * @refused: instructions not emulated
 * @irq_delivered: by result
 * @irq_coalesced: by result
 * @irq_pending: by result
 * @irq_lost: disabled or without a handler
 * @dma_maps: mappings made
 * @dma_failed: mappings refused: pool full, size or mask
 * @dma_active: mappings that exist now
 * @pool_free: bytes
 * @waiting: accesses that wait for an answer now
 * @collector_cpu: CPU of the thread last in PCILENS_IOC_WAIT
 * @iomaps: ioremaps that exist now
 * @reserved: zero
 */
struct pcilens_statistics {
	__u64 events;
	__u64 reads;
	__u64 writes;
	__u64 answered;
	__u64 stale_answers;
	__u64 passed_stop;
	__u64 ring_waits;
	__u64 lost;
	__u64 refused;
	__u64 irq_delivered;
	__u64 irq_coalesced;
	__u64 irq_pending;
	__u64 irq_lost;
	__u64 dma_maps;
	__u64 dma_failed;
	__u64 dma_active;
	__u64 pool_free;
	__u32 waiting;
	__u32 collector_cpu;
	__u32 iomaps;
	__u32 reserved[5];
};

#define PCILENS_MAGIC		0xCE
#define PCILENS_IOC_INFO	_IOR(PCILENS_MAGIC, 0, struct pcilens_info)
#define PCILENS_IOC_CREATE	_IOWR(PCILENS_MAGIC, 1, struct pcilens_create)
#define PCILENS_IOC_PLUG	_IOWR(PCILENS_MAGIC, 2, struct pcilens_plug)
#define PCILENS_IOC_UNPLUG	_IO(PCILENS_MAGIC, 3)
#define PCILENS_IOC_POLICY	_IOW(PCILENS_MAGIC, 4, struct pcilens_policy)
#define PCILENS_IOC_LIMITS	_IOW(PCILENS_MAGIC, 5, struct pcilens_limits)
#define PCILENS_IOC_WAIT	_IOWR(PCILENS_MAGIC, 6, struct pcilens_wait)
#define PCILENS_IOC_KICK	_IO(PCILENS_MAGIC, 7)
#define PCILENS_IOC_INJECT	_IOWR(PCILENS_MAGIC, 8, struct pcilens_inject)
#define PCILENS_IOC_CONFIG	_IOW(PCILENS_MAGIC, 9, struct pcilens_config)
#define PCILENS_IOC_SHADOW	_IOW(PCILENS_MAGIC, 10, struct pcilens_memory)
#define PCILENS_IOC_SYMBOLISE	_IOWR(PCILENS_MAGIC, 11, struct pcilens_symbol)
#define PCILENS_IOC_STATISTICS	_IOR(PCILENS_MAGIC, 12, struct pcilens_statistics)
#define PCILENS_IOC_PRESENCE	_IOW(PCILENS_MAGIC, 13, struct pcilens_presence)

static_assert(sizeof(struct pcilens_info) == 32, "pcilens_info");
static_assert(sizeof(struct pcilens_bar) == 24, "pcilens_bar");
static_assert(sizeof(struct pcilens_create) == 224, "pcilens_create");
static_assert(__builtin_offsetof(struct pcilens_create, pool_bytes) == 48, "pool_bytes");
static_assert(__builtin_offsetof(struct pcilens_create, bar) == 80, "bar");
static_assert(sizeof(struct pcilens_plug) == 64, "pcilens_plug");
static_assert(sizeof(struct pcilens_policy) == 24, "pcilens_policy");
static_assert(sizeof(struct pcilens_limits) == 16, "pcilens_limits");
static_assert(sizeof(struct pcilens_event) == 128, "pcilens_event");
static_assert(__builtin_offsetof(struct pcilens_event, offset) == 24, "offset");
static_assert(__builtin_offsetof(struct pcilens_event, ip) == 48, "ip");
static_assert(__builtin_offsetof(struct pcilens_event, comm) == 72, "comm");
static_assert(__builtin_offsetof(struct pcilens_event, cpu) == 104, "cpu");
static_assert(__builtin_offsetof(struct pcilens_event, driver_ip) == 112, "driver_ip");
static_assert(sizeof(struct pcilens_stack) == sizeof(struct pcilens_event), "pcilens_stack");
static_assert(__builtin_offsetof(struct pcilens_stack, frame) == 24, "frame");
static_assert(__builtin_offsetof(struct pcilens_ring, tail) == 64, "tail");
static_assert(__builtin_offsetof(struct pcilens_ring, capacity) == 128, "capacity");
static_assert(sizeof(struct pcilens_ring) == 144, "pcilens_ring");
static_assert(sizeof(struct pcilens_answer) == 24, "pcilens_answer");
static_assert(sizeof(struct pcilens_wait) == 48, "pcilens_wait");
static_assert(sizeof(struct pcilens_slot) == 64, "pcilens_slot");
static_assert(sizeof(struct pcilens_inject) == 24, "pcilens_inject");
static_assert(sizeof(struct pcilens_config) == 24, "pcilens_config");
static_assert(sizeof(struct pcilens_presence) == 8, "pcilens_presence");
static_assert(sizeof(struct pcilens_memory) == 32, "pcilens_memory");
static_assert(sizeof(struct pcilens_symbol) == 384, "pcilens_symbol");
static_assert(sizeof(struct pcilens_statistics) == 168, "pcilens_statistics");

#endif /* PCILENS_UAPI_H */
