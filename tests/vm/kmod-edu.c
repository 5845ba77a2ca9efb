// SPDX-License-Identifier: GPL-2.0
/*
 * An edu device straight on the module's uapi, in C and alone: the module is
 * tested by it without the runtime library.
 *
 *	kmod-edu [options]
 *	  --read OFFSET:SECONDS	hold the first read of BAR0+OFFSET that long
 *	  --write OFFSET:SECONDS	the same for a write, by mode break
 *	  --change OFFSET:VALUE	answer the first read of OFFSET with VALUE
 *	  --msi			offer MSI only
 *	  --plain-msi		the same, without mask bits
 *	  --vector-hold SECONDS	hold each write that disables MSI, and send one meanwhile
 *	  --intx		offer neither MSI nor MSI-X
 *	  --size BYTES		of BAR 0
 *	  --spin NS		poll that long in each wait
 *	  --cpu N		pin the thread that answers
 *	  --ring EVENTS
 *	  --atomic-ms MS	cap for holds where the driver may not sleep
 *	  --sync-writes		all writes wait for their answer
 *	  --shadow		all accesses are done in the kernel
 *	  --direct		BAR 0 is plain memory
 *	  --slow US		sleep after each event
 *	  --stacks		record and print the driver's stacks
 *	  --ascending OFFSET	values written there must count up from 0
 *	  --unplug SECONDS	after that many seconds, by the ioctl
 *	  --places		set as many policies as there is room for, take all back
 *	  --verbose		print every event
 *
 * Prints "plugged", "held ...", "released ..." as they happen. Ends at SIGTERM
 * with the statistics.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pcilens.h"

#define MSIX_TABLE	0x60000
#define MSIX_PBA	0x61000
#define BUFFER		0x40000
#define CAP_MSI		0x50
#define CAP_MSIX	0x70
#define CAP_PCIE	0x80

static int fd;
static struct pcilens_ring *ring;
static uint8_t *pool;
static volatile uint32_t *shadow_of_bar;
static struct pcilens_create create;
static volatile sig_atomic_t ending;

static uint64_t read_hold_at = ~0ULL, write_hold_at = ~0ULL, change_at = ~0ULL, change_to;
static uint64_t ascending_at = ~0ULL, ascending, out_of_order;
static unsigned int read_hold, write_hold, spin_ns, slow_us, unplug_after;
static uint64_t bar_bytes = 1 << 20;
static bool intx, msi_only, plain_msi, verbose, stacks, shadow, sync_writes, direct, places;
static unsigned int vector_hold;
static int cpu = -1;

/* The device. */
static uint8_t buffer[4096];
static uint32_t alive, factorial, status, irq_status;
static uint64_t dma[4];

static void fail(const char *what)
{
	fprintf(stderr, "kmod-edu: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void raise_irq(uint32_t bits)
{
	struct pcilens_inject inject = { 0 };

	irq_status |= bits;
	shadow_of_bar[0x24 / 4] = irq_status;	/* for a handler on the only CPU */
	if (ioctl(fd, PCILENS_IOC_INJECT, &inject))
		printf("inject: %s\n", strerror(errno));
	else if (verbose)
		printf("inject: result %u kind %u\n", inject.result, inject.kind);
}

static void *inject_one(void *done)
{
	struct pcilens_inject inject = { 0 };
	double start = now();
	int err;

	irq_status |= 0x5a;
	err = ioctl(fd, PCILENS_IOC_INJECT, &inject);
	printf("sent while MSI is being disabled: %s, result %u kind %u, %s\n",
	       err ? strerror(errno) : "ok", inject.result, inject.kind,
	       now() - start < 1 ? "at once" : "late");
	__atomic_store_n((bool *)done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The driver waits at its write that disables MSI; an interrupt is sent meanwhile. */
static void hold_vector(void)
{
	static bool done;
	pthread_t thread;
	double start = now();

	done = false;
	pthread_create(&thread, NULL, inject_one, &done);
	pthread_detach(thread);
	while (now() - start < vector_hold && !ending)
		usleep(50000);
	printf("MSI's disabling held %u s: %s\n", vector_hold,
	       __atomic_load_n(&done, __ATOMIC_ACQUIRE) ? "the sender has gone on" :
	       "the sender is STUCK");
}

static void run_dma(void)
{
	bool from_device = dma[3] & 2;
	uint64_t iova = (from_device ? dma[1] : dma[0]) - create.iova_base;
	uint64_t inside = (from_device ? dma[0] : dma[1]) - BUFFER;

	if (inside > sizeof(buffer) || dma[2] > sizeof(buffer) - inside ||
	    iova > create.pool_bytes || dma[2] > create.pool_bytes - iova) {
		printf("DMA out of range\n");
		return;
	}
	if (from_device)
		memcpy(pool + iova, buffer + inside, dma[2]);
	else
		memcpy(buffer + inside, pool + iova, dma[2]);
	dma[3] &= ~1ULL;
	if (dma[3] & 4)
		raise_irq(0x100);
}

static uint64_t device_read(uint64_t offset)
{
	switch (offset) {
	case 0x00: return 0x010000ed;
	case 0x04: return ~alive;
	case 0x08: return factorial;
	case 0x20: return status;
	case 0x24: return irq_status;
	case 0x80: case 0x88: case 0x90: case 0x98: return dma[(offset - 0x80) / 8];
	}
	return ~0ULL;
}

static void device_write(uint64_t offset, uint64_t value)
{
	uint32_t n;

	switch (offset) {
	case 0x04:
		alive = value;
		break;
	case 0x08:
		factorial = 1;
		for (n = value; n > 1; n--)
			factorial *= n;
		if (status & 0x80)
			raise_irq(1);
		break;
	case 0x20:
		status = value & 0x80;
		break;
	case 0x60:
		raise_irq(value);
		break;
	case 0x64:
		irq_status &= ~value;
		shadow_of_bar[0x24 / 4] = irq_status;
		if (intx && !irq_status) {
			struct pcilens_inject down = { .flags = PCILENS_INJECT_DEASSERT };

			ioctl(fd, PCILENS_IOC_INJECT, &down);
		}
		break;
	case 0x80: case 0x88: case 0x90:
		dma[(offset - 0x80) / 8] = value;
		break;
	case 0x98:
		dma[3] = value;
		if (value & 1)
			run_dma();
		break;
	}
}

static const char *symbol(uint64_t ip)
{
	static char text[400];
	struct pcilens_symbol s = { .ip = ip };

	if (ioctl(fd, PCILENS_IOC_SYMBOLISE, &s))
		return "?";
	snprintf(text, sizeof(text), "%s%s%s+0x%llx", s.module, *s.module ? ":" : "", s.symbol,
		 (unsigned long long)s.displacement);
	return text;
}

static void print_event(const struct pcilens_event *e)
{
	static const char *const kind[] = {
		"none", "cfg_read", "cfg_write", "mem_read", "mem_write", "dma_map", "dma_unmap",
		"dma_sync", "irq", "irq_mask", "reset", "bar_change", "refused", "gap", "stack",
		"plugged", "expired", "unbound",
	};

	printf("%llu %s bar %d +0x%llx size %u value 0x%llx aux 0x%llx flags 0x%x %.16s cpu %u %s\n",
	       (unsigned long long)e->seq, e->kind <= PCILENS_UNBOUND ? kind[e->kind] : "?",
	       e->bar, (unsigned long long)e->offset, e->size, (unsigned long long)e->value,
	       (unsigned long long)e->aux, e->flags, e->comm, e->cpu, e->ip ? symbol(e->ip) : "");
}

static void print_stack(const struct pcilens_stack *s)
{
	int i;

	for (i = 0; i < s->count; i++)
		printf("    %s\n", symbol(s->frame[i]));
}

static void hold(const struct pcilens_event *e, const char *what, unsigned int seconds)
{
	double start = now();
	int i;

	printf("held %s 0x%llx by %.16s at %s%s, code", what, (unsigned long long)e->offset,
	       e->comm, symbol(e->ip), e->flags & PCILENS_F_MAY_SLEEP ? "" : " (atomic)");
	for (i = 0; i < e->instruction_bytes; i++)
		printf(" %02x", e->code[i]);
	printf("\n");
	while (now() - start < seconds && !ending)
		usleep(50000);
	printf("released %s 0x%llx after %.0f s\n", what, (unsigned long long)e->offset,
	       now() - start);
}

/* Whether @answer is to be given. */
static bool handle(const struct pcilens_event *e, struct pcilens_answer *answer)
{
	uint64_t value;

	if (slow_us)
		usleep(slow_us);
	if (e->kind == PCILENS_STACK) {
		if (stacks)
			print_stack((const struct pcilens_stack *)e);
		return false;
	}
	if (verbose || (stacks && e->flags & PCILENS_F_STACK) || e->kind == PCILENS_GAP)
		print_event(e);
	if (e->kind == PCILENS_RESET) {
		status = irq_status = 0;
		printf("reset %llu\n", (unsigned long long)e->aux);
	}
	*answer = (struct pcilens_answer) { .slot = e->slot, .generation = e->generation };
	if (e->flags & (PCILENS_F_KERNEL | PCILENS_F_SHADOWED))
		return false;
	if (e->kind == PCILENS_CFG_WRITE && e->offset == CAP_MSI + 2) {
		static bool enabled;

		if (enabled && !(e->value & 1) && vector_hold)
			hold_vector();
		enabled = e->value & 1;
	}
	if (e->kind == PCILENS_MEM_READ && e->flags & PCILENS_F_ANSWER) {
		if (e->offset == read_hold_at && read_hold) {
			hold(e, "read", read_hold);
			read_hold = 0;
		}
		value = device_read(e->offset);
		if (e->offset == change_at) {
			value = change_to;
			change_at = ~0ULL;
			printf("changed 0x%llx\n", (unsigned long long)e->offset);
		}
		answer->value = value;
	} else if (e->kind == PCILENS_MEM_WRITE) {
		if (e->offset == write_hold_at && write_hold) {
			hold(e, "write", write_hold);
			write_hold = 0;
		}
		device_write(e->offset, e->value);
		if (e->offset == ascending_at && e->value != ascending++) {
			out_of_order++;
			ascending = e->value + 1;
		}
	}
	return e->flags & PCILENS_F_ANSWER;
}

static void *collect(void *unused)
{
	struct pcilens_answer answers[1];
	struct pcilens_wait wait = { .answers = (uintptr_t)answers };
	uint64_t tail = 0, head, last = 0;
	cpu_set_t set;

	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	while (!ending) {
		wait.timeout_ns = 200000000;
		wait.spin_ns = spin_ns;
		if (ioctl(fd, PCILENS_IOC_WAIT, &wait) && errno != ETIMEDOUT && errno != EINTR) {
			if (!ending)
				fail("wait");
			break;
		}
		if (wait.refused)
			printf("answer refused: %s\n", strerror(-answers[0].result));
		wait.answer_count = 0;
		head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
		while (tail != head && !wait.answer_count) {
			const struct pcilens_event *e = (const void *)ring + ring->first_record +
				(tail & (ring->capacity - 1)) * ring->record_bytes;
			struct pcilens_event copy = *e;

			if (copy.seq < last || (copy.seq == last && copy.kind != PCILENS_STACK))
				printf("ERROR: seq %llu after %llu\n",
				       (unsigned long long)copy.seq, (unsigned long long)last);
			last = copy.seq;
			tail++;
			__atomic_store_n(&ring->tail, tail, __ATOMIC_RELEASE);
			if (handle(&copy, &answers[0]))
				wait.answer_count = 1;
		}
	}
	return NULL;
}

static void *plug(void *unused)
{
	struct pcilens_plug p;

	if (ioctl(fd, PCILENS_IOC_PLUG, &p))
		printf("plug: %s\n", strerror(errno));
	else
		printf("plugged %04x:%02x:%02x.%x BAR0 0x%llx\n", p.domain, p.bus, p.devfn >> 3,
		       p.devfn & 7, (unsigned long long)p.address[0]);
	if (unplug_after) {
		sleep(unplug_after);
		printf("unplug: %s\n", ioctl(fd, PCILENS_IOC_UNPLUG) ? strerror(errno) : "done");
	}
	return NULL;
}

static void put(uint8_t *at, unsigned int bytes, uint64_t value)
{
	memcpy(at, &value, bytes);
}

static void describe(uint8_t *image, uint8_t *mask, uint8_t *w1c)
{
	put(image + 0x00, 4, 0x11e81234);
	put(image + 0x06, 2, 0x0010);		/* capabilities */
	put(image + 0x08, 4, 0x00ff0010);
	put(image + 0x2c, 4, 0x11001af4);
	put(image + 0x34, 1, 0x40);
	put(mask + 0x04, 2, 0x0547);
	put(w1c + 0x06, 2, 0xf900);
	put(mask + 0x0c, 1, 0xff);
	put(mask + 0x3c, 1, 0xff);
	/* PM */
	put(image + 0x40, 4, 0x00030001 | (intx ? CAP_PCIE : CAP_MSI) << 8);
	put(image + 0x3d, 1, intx);
	put(image + 0x44, 4, 0x00000008);
	put(mask + 0x44, 2, 0x0003);
	/* MSI, 64 bit, with mask bits or without, one vector */
	put(image + CAP_MSI, 4, (plain_msi ? 0x00800005 : 0x01800005) |
	    (msi_only ? CAP_PCIE : CAP_MSIX) << 8);
	/* MSI-X, one vector */
	put(image + CAP_MSIX, 4, 0x00000011 | CAP_PCIE << 8);
	put(image + CAP_MSIX + 4, 4, MSIX_TABLE);
	put(image + CAP_MSIX + 8, 4, MSIX_PBA);
	/* PCIe endpoint with FLR, 2.5 GT/s x1 */
	put(image + CAP_PCIE, 4, 0x00020010);
	put(image + CAP_PCIE + 4, 4, 0x10008000);
	put(mask + CAP_PCIE + 8, 2, 0x70ff);
	put(image + CAP_PCIE + 0x0c, 4, 0x00000011);
	put(image + CAP_PCIE + 0x12, 2, 0x0011);
}

static void at_signal(int signal)
{
	ending = 1;
}

static void options(int argc, char **argv)
{
	static const struct option table[] = {
		{ "read", 1, 0, 'r' }, { "write", 1, 0, 'w' }, { "change", 1, 0, 'c' },
		{ "msi", 0, 0, 'm' }, { "plain-msi", 0, 0, 'M' }, { "vector-hold", 1, 0, 'V' },
		{ "intx", 0, 0, 'i' }, { "size", 1, 0, 'z' }, { "spin", 1, 0, 's' },
		{ "cpu", 1, 0, 'p' }, { "ring", 1, 0, 'R' }, { "atomic-ms", 1, 0, 'a' },
		{ "sync-writes", 0, 0, 'y' }, { "shadow", 0, 0, 'h' }, { "direct", 0, 0, 'd' },
		{ "slow", 1, 0, 'l' }, { "stacks", 0, 0, 'k' }, { "verbose", 0, 0, 'v' },
		{ "unplug", 1, 0, 'u' }, { "places", 0, 0, 'P' }, { "ascending", 1, 0, 'A' },
		{ "bus", 1, 0, 'b' }, { "function", 1, 0, 'f' }, { 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		char *colon = optarg ? strchr(optarg, ':') : NULL;
		uint64_t first = optarg ? strtoull(optarg, NULL, 0) : 0;
		uint64_t second = colon ? strtoull(colon + 1, NULL, 0) : 0;

		switch (option) {
		case 'r': read_hold_at = first; read_hold = second; break;
		case 'w': write_hold_at = first; write_hold = second; break;
		case 'c': change_at = first; change_to = second; break;
		case 'm': msi_only = true; break;
		case 'M': msi_only = plain_msi = true; break;
		case 'V': vector_hold = first; break;
		case 'i': intx = true; break;
		case 'z': bar_bytes = first; break;
		case 's': spin_ns = first; break;
		case 'p': cpu = first; break;
		case 'R': create.ring_events = first; break;
		case 'a': create.atomic_hold_ms = first; break;
		case 'y': sync_writes = true; break;
		case 'h': shadow = true; break;
		case 'd': direct = true; break;
		case 'P': places = true; break;
		case 'l': slow_us = first; break;
		case 'k': stacks = true; break;
		case 'v': verbose = true; break;
		case 'u': unplug_after = first; break;
		case 'A': ascending_at = first; break;
		case 'b': create.bus_key = first; break;
		case 'f': create.function = first; break;
		default: exit(2);
		}
	}
}

/* --direct: adds up what a driver wrote, whenever it writes another number at 0x100. */
static void *mirror(void *memory)
{
	volatile uint32_t *word = memory;
	volatile uint8_t *byte = memory;
	uint32_t last = 0, sum, i;

	for (;;) {
		usleep(200);
		if (word[0x100 / 4] == last)
			continue;
		last = word[0x100 / 4];
		for (sum = 0, i = 0; i < 0x1000; i++)
			sum += byte[0x1000 + i];
		word[0x108 / 4] = sum;
		__atomic_store_n(&word[0x104 / 4], ~last, __ATOMIC_RELEASE);
	}
	return NULL;
}

static bool try_policy(uint64_t offset, uint64_t length, uint8_t read, uint8_t write)
{
	struct pcilens_policy p = {
		.offset = offset, .length = length, .read = read, .write = write,
		.flags = stacks ? PCILENS_POLICY_STACK : 0,
	};

	return !ioctl(fd, PCILENS_IOC_POLICY, &p);
}

static void policy(uint64_t offset, uint64_t length, uint8_t read, uint8_t write)
{
	if (!try_policy(offset, length, read, write))
		fail("policy");
}

static void fill_places(void)
{
	uint64_t set = 0, i;

	while (try_policy(8 * set, 4, PCILENS_MODE_SYNC, PCILENS_MODE_SYNC))
		set++;
	printf("places %llu: %s\n", (unsigned long long)set, strerror(errno));
	for (i = 0; i < set; i++)
		policy(8 * i, 4, PCILENS_MODE_DEFAULT, PCILENS_MODE_DEFAULT);
	printf("places taken back\n");
}

int main(int argc, char **argv)
{
	static uint8_t image[4096], mask[4096], w1c[4096];
	struct sigaction action = { .sa_handler = at_signal };
	struct pcilens_statistics s;
	struct pcilens_info info;
	pthread_t collector, plugger;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	options(argc, argv);
	fd = open("/dev/pcilens", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail("/dev/pcilens");
	if (ioctl(fd, PCILENS_IOC_INFO, &info) || info.abi_version != PCILENS_ABI_VERSION)
		fail("info");
	describe(image, mask, w1c);
	create.config = (uintptr_t)image;
	create.write_mask = (uintptr_t)mask;
	create.w1c_mask = (uintptr_t)w1c;
	create.config_bytes = sizeof(image);
	create.device = 4;
	create.pool_bytes = 8 << 20;
	create.bar[0].size = bar_bytes;
	create.bar[0].shadow_bytes = bar_bytes;
	if (ioctl(fd, PCILENS_IOC_CREATE, &create))
		fail("create");
	ring = mmap(NULL, create.ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    PCILENS_MMAP_RING);
	pool = mmap(NULL, create.pool_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    PCILENS_MMAP_POOL);
	shadow_of_bar = mmap(NULL, direct ? 8192 : 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			     PCILENS_MMAP_SHADOW(0));
	if (ring == MAP_FAILED || pool == MAP_FAILED || shadow_of_bar == MAP_FAILED)
		fail("mmap");
	if (stacks)
		policy(0, 0, PCILENS_MODE_DEFAULT, PCILENS_MODE_DEFAULT);
	if (sync_writes)
		policy(0, 0, PCILENS_MODE_DEFAULT, PCILENS_MODE_SYNC);
	if (shadow)
		policy(0, 0, PCILENS_MODE_SHADOW, PCILENS_MODE_SHADOW);
	if (places)
		fill_places();
	if (direct) {
		pthread_t thread;

		policy(0, 0, PCILENS_MODE_DIRECT, PCILENS_MODE_DIRECT);
		pthread_create(&thread, NULL, mirror, (void *)shadow_of_bar);
	}
	if (vector_hold) {
		struct pcilens_policy p = {
			.bar = PCILENS_BAR_CONFIG, .offset = CAP_MSI + 2, .length = 2,
			.write = PCILENS_MODE_SYNC,
		};

		if (ioctl(fd, PCILENS_IOC_POLICY, &p))
			fail("policy");
	}
	if (write_hold)
		policy(write_hold_at, 4, PCILENS_MODE_DEFAULT, PCILENS_MODE_BREAK);
	pthread_create(&collector, NULL, collect, NULL);
	pthread_create(&plugger, NULL, plug, NULL);
	pthread_join(collector, NULL);
	if (ascending_at != ~0ULL)
		printf("ascending %llu out of order %llu\n", (unsigned long long)ascending,
		       (unsigned long long)out_of_order);
	if (!ioctl(fd, PCILENS_IOC_STATISTICS, &s))
		printf("events %llu reads %llu writes %llu answered %llu stale %llu passed %llu waits %llu lost %llu refused %llu irq %llu/%llu/%llu/%llu dma %llu active %llu failed %llu\n",
		       s.events, s.reads, s.writes, s.answered, s.stale_answers, s.passed_stop,
		       s.ring_waits, s.lost, s.refused, s.irq_delivered, s.irq_coalesced,
		       s.irq_pending, s.irq_lost, s.dma_maps, s.dma_active, s.dma_failed);
	return 0;
}
