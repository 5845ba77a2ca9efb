// SPDX-License-Identifier: GPL-2.0
/*
 * Random and malformed requests to /dev/pcilens, with a fixed seed. Nothing is
 * checked here: the kernel's log must stay clean and the machine alive.
 *
 *	kmod-fuzz [COUNT [SEED]]
 *
 * COUNT of each ioctl, of mmap(), and of each word that is shared with the kernel.
 * It prints how many of each there were.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pcilens.h"

static uint64_t state;
static uint8_t image[3][4096];
static uint8_t scratch[65536];

enum { CREATE, PLUG, UNPLUG, INFO, POLICY, LIMITS, WAIT, KICK, INJECT, CONFIG, SHADOW, PRESENCE,
       SYMBOLISE, STATISTICS, UNKNOWN, MAP, RING_WORD, SLOT_WORD, KINDS };
static const char *const names[KINDS] = {
	"CREATE", "PLUG", "UNPLUG", "INFO", "POLICY", "LIMITS", "WAIT", "KICK", "INJECT", "CONFIG",
	"SHADOW", "PRESENCE", "SYMBOLISE", "STATISTICS", "unknown ioctl", "mmap",
	"word of the ring", "word of a slot",
};

/* In memory that all rounds share. */
static _Atomic uint32_t *done;

static void counted(int kind)
{
	done[kind]++;
}

static uint64_t number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Mostly near the edges. */
static uint64_t value(void)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 255, 256, 257, 4095, 4096, 4097, 65536, 1 << 20,
		0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, 1ULL << 40, 1ULL << 63, ~0ULL,
	};

	if (number() % 4 == 0)
		return number();
	return edges[number() % (sizeof(edges) / sizeof(*edges))];
}

static void fill(void *at, size_t bytes)
{
	size_t i;

	for (i = 0; i + 4 <= bytes; i += 4) {
		uint32_t word = value();

		memcpy((uint8_t *)at + i, &word, 4);
	}
}

static uint64_t pointer(void)
{
	switch (number() % 4) {
	case 0: return 0;
	case 1: return value();
	default: return (uintptr_t)scratch;
	}
}

static void create(int fd, int wrong)
{
	struct pcilens_create c = { 0 };
	int i;

	for (i = 0; i < 4096; i++)
		image[number() % 3][i] = number();
	image[0][0x0e] = 0;		/* header type */
	image[0][0x34] = 0x40 + number() % 0xc0;
	if (number() % 2)
		image[0][0x06] |= 0x10;
	c.config = (uintptr_t)image[0];
	c.write_mask = (uintptr_t)image[1];
	c.w1c_mask = (uintptr_t)image[2];
	c.config_bytes = number() % 8 ? 4096 : 256;
	c.device = number() % 32;
	c.ring_events = 16 << number() % 8;
	c.atomic_hold_ms = 1;
	c.pool_bytes = (number() % 64) << 12;
	for (i = 0; i < 6; i += 2) {
		c.bar[i].size = number() % 3 ? 1ULL << (4 + number() % 24) : 0;
		c.bar[i].shadow_bytes = c.bar[i].size > 65536 ? 65536 : c.bar[i].size;
		c.bar[i].flags = c.bar[i].size ? number() % 4 : 0;
	}
	if (wrong || number() % 4 == 0)
		fill((uint8_t *)&c + number() % sizeof(c) / 4 * 4, 4);
	counted(CREATE);
	ioctl(fd, PCILENS_IOC_CREATE, number() % 16 ? (void *)&c : (void *)pointer());
}

static void any_request(int fd, int kind)
{
	union {
		struct pcilens_policy policy;
		struct pcilens_limits limits;
		struct pcilens_wait wait;
		struct pcilens_inject inject;
		struct pcilens_config config;
		struct pcilens_memory memory;
		struct pcilens_presence presence;
		struct pcilens_symbol symbol;
		uint8_t bytes[512];
	} u;
	void *at = number() % 16 ? &u : (void *)pointer();

	fill(&u, sizeof(u));
	counted(kind);
	switch (kind) {
	case CREATE: {
		/* Mostly wrong ones, on a descriptor of their own. */
		int other = open("/dev/pcilens", O_RDWR);

		done[kind]--;
		create(number() % 8 ? other : fd, number() % 8);
		close(other);
		break;
	}
	case INFO:
		ioctl(fd, PCILENS_IOC_INFO, number() % 4 ? (uintptr_t)scratch : pointer());
		break;
	case POLICY:
		if (number() % 2) {
			u.policy.bar = number() % 8 - 1;
			u.policy.read = number() % 6;
			u.policy.write = number() % 6;
			u.policy.flags = number() % 2;
			u.policy.reserved0 = 0;
		}
		ioctl(fd, PCILENS_IOC_POLICY, at);
		break;
	case LIMITS:
		if (number() % 2)
			u.limits.flags = u.limits.reserved = 0;
		ioctl(fd, PCILENS_IOC_LIMITS, at);
		break;
	case WAIT:
		u.wait.answers = pointer();
		u.wait.answer_count %= 300;
		u.wait.flags = number() % 8 ? number() % 4 : u.wait.flags;
		u.wait.timeout_ns = number() % 1000;
		u.wait.spin_ns %= 1000;
		if (number() % 8)
			u.wait.reserved = 0;
		fill(scratch, 4096);
		((struct pcilens_wait *)scratch)->timeout_ns = 1000;
		ioctl(fd, PCILENS_IOC_WAIT, at);
		break;
	case KICK:
		ioctl(fd, PCILENS_IOC_KICK, value());
		break;
	case INJECT:
		u.inject.vector = number() % 2 ? number() % 8 : u.inject.vector;
		u.inject.flags = number() % 8 ? number() % 4 : u.inject.flags;
		ioctl(fd, PCILENS_IOC_INJECT, at);
		break;
	case CONFIG:
		u.config.data = pointer();
		u.config.reserved = number() % 8 ? 0 : u.config.reserved;
		u.config.flags = number() % 8 ? number() % 2 : u.config.flags;
		if (number() % 2) {
			u.config.offset %= 4096;
			u.config.length %= 64;
		}
		ioctl(fd, PCILENS_IOC_CONFIG, at);
		break;
	case SHADOW:
		u.memory.data = pointer();
		u.memory.length %= 65537;
		u.memory.bar = number() % 8;
		u.memory.flags = number() % 8 ? number() % 2 : u.memory.flags;
		ioctl(fd, PCILENS_IOC_SHADOW, at);
		break;
	case PRESENCE:
		u.presence.present = number() % 8 ? number() % 2 : u.presence.present;
		u.presence.reserved = number() % 8 ? 0 : u.presence.reserved;
		ioctl(fd, PCILENS_IOC_PRESENCE, at);
		break;
	case SYMBOLISE:
		ioctl(fd, PCILENS_IOC_SYMBOLISE, at);
		break;
	case STATISTICS:
		ioctl(fd, PCILENS_IOC_STATISTICS, number() % 4 ? (uintptr_t)scratch : pointer());
		break;
	case UNKNOWN:
		ioctl(fd, value(), pointer());
		break;
	case MAP: {
		static const int protections[] = {
			PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE, PROT_NONE, PROT_READ | PROT_EXEC,
		};
		size_t bytes = number() % 8 ? 4096 * (1 + number() % 20) : value() % (1ULL << 34);
		void *map = mmap(NULL, bytes, protections[number() % 5],
				 number() % 8 ? MAP_SHARED : MAP_PRIVATE, fd,
				 number() % 2 ? (number() % 16) << 40 | (number() % 4) << 12
					      : value() & ~4095ULL);

		if (map != MAP_FAILED)
			munmap(map, bytes);
		break;
	}
	}
}

/* The words that the kernel reads from memory that is shared with it. */
static void any_word(int fd, int kind)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			     kind == RING_WORD ? PCILENS_MMAP_RING : PCILENS_MMAP_SLOTS);
	struct pcilens_ring *ring = (void *)page;
	int i;

	for (i = 0; page != MAP_FAILED && i < 8; i++) {
		if (kind == RING_WORD && i < 6)
			ring->tail = i % 2 ? ring->head - number() % 4 : value();
		else
			fill(page + number() % (kind == RING_WORD ? 36 : 1024) * 4, 4);
		counted(kind);
		ioctl(fd, PCILENS_IOC_KICK);
	}
	if (page == MAP_FAILED)
		counted(kind);
	else
		munmap(page, 4096);
}

/* Blocks for as long as a driver is held, and nobody answers here. */
static void *plug(void *descriptor)
{
	int fd = (intptr_t)descriptor, i;
	uint8_t result[64];

	for (i = 0; i < 40; i++) {
		counted(PLUG);
		ioctl(fd, PCILENS_IOC_PLUG, i % 4 ? result : (void *)(uintptr_t)i);
		counted(UNPLUG);
		ioctl(fd, PCILENS_IOC_UNPLUG, (uintptr_t)i);
	}
	return NULL;
}

/* One descriptor; the end of the process closes it, whatever state it is in. */
static int round_of(int requests)
{
	int fd = open("/dev/pcilens", O_RDWR);
	pthread_t threads[2];
	int i, kind;

	if (fd < 0) {
		perror("/dev/pcilens");
		return 2;
	}
	if (number() % 8)
		create(fd, 0);
	for (i = 0; i < requests; i++) {
		if (i == requests / 4 || i == requests / 2)
			pthread_create(&threads[i > requests / 4], NULL, plug, (void *)(intptr_t)fd);
		kind = number() % KINDS;
		if (kind == RING_WORD || kind == SLOT_WORD)
			any_word(fd, kind);
		else if (kind != PLUG && kind != UNPLUG)
			any_request(fd, kind);
	}
	return 0;
}

/* Opens the node as somebody else than root with all its rights; says what came of it. */
static int open_as(const char *who)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (!strcmp(who, "user")) {
		if (setgroups(0, NULL) || setgid(1000) || setuid(1000))
			return 2;
	} else {
		if (syscall(SYS_capget, &header, data))
			return 2;
		data[0].effective &= ~(1U << CAP_SYS_RAWIO);
		data[0].permitted &= ~(1U << CAP_SYS_RAWIO);
		if (syscall(SYS_capset, &header, data))
			return 2;
	}
	puts(open("/dev/pcilens", O_RDWR) < 0 ? strerror(errno) : "opened");
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? atoi(argv[1]) : 10000;
	int kind, status, rounds = 0, killed = 0;

	if (argc > 2 && !strcmp(argv[1], "open-as"))
		return open_as(argv[2]);
	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ULL;
	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (kind = 0; kind < KINDS;) {
		number();
		fflush(stdout);
		rounds++;
		if (!fork()) {
			alarm(2);	/* some wait for a driver that nobody answers: a signal ends them */
			_exit(round_of(400));
		}
		state += 0x9e3779b97f4a7c15ULL;
		/* SIGBUS or SIGSEGV of its own making is no failure. */
		wait(&status);
		if (WIFEXITED(status) && WEXITSTATUS(status))
			return WEXITSTATUS(status);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
		while (kind < KINDS && done[kind] >= count)
			kind++;
	}
	for (kind = 0; kind < KINDS; kind++)
		printf("%u x %s\n", done[kind], names[kind]);
	printf("%d descriptors, %d of them killed in a wait\n", rounds, killed);
	return 0;
}
