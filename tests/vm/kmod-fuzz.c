// SPDX-License-Identifier: GPL-2.0
/*
 * Random and malformed requests to /dev/pcilens, with a fixed seed. Nothing is
 * checked here: the kernel's log must stay clean and the machine alive.
 *
 *	kmod-fuzz [COUNT [SEED]]
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pcilens.h"

static uint64_t state;
static uint8_t image[3][4096];
static uint8_t scratch[65536];

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

static void create(int fd)
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
	if (number() % 4 == 0)
		fill((uint8_t *)&c + number() % sizeof(c) / 4 * 4, 4);
	ioctl(fd, PCILENS_IOC_CREATE, &c);
}

static void request(int fd)
{
	union {
		struct pcilens_policy policy;
		struct pcilens_limits limits;
		struct pcilens_wait wait;
		struct pcilens_inject inject;
		struct pcilens_config config;
		struct pcilens_memory memory;
		struct pcilens_symbol symbol;
		struct pcilens_place place;
		uint8_t bytes[512];
	} u;

	fill(&u, sizeof(u));
	fill(scratch, 4096);
	switch (number() % 11) {
	case 0:
		if (number() % 2) {
			u.policy.bar = number() % 8 - 1;
			u.policy.read = number() % 6;
			u.policy.write = number() % 6;
			u.policy.flags = number() % 2;
			u.policy.reserved0 = 0;
		}
		ioctl(fd, PCILENS_IOC_POLICY, &u);
		break;
	case 1:
		ioctl(fd, PCILENS_IOC_LIMITS, &u);
		break;
	case 2:
		u.wait.answers = pointer();
		u.wait.answer_count %= 300;
		u.wait.flags = number() % 8 ? 0 : u.wait.flags;
		u.wait.timeout_ns = number() % 1000;
		u.wait.spin_ns %= 1000;
		u.wait.reserved = 0;
		ioctl(fd, PCILENS_IOC_WAIT, &u);
		break;
	case 3:
		u.inject.vector = number() % 2 ? number() % 8 : u.inject.vector;
		u.inject.flags = number() % 2;
		ioctl(fd, PCILENS_IOC_INJECT, &u);
		break;
	case 4:
		u.config.data = pointer();
		u.config.reserved = 0;
		u.config.flags = number() % 2;
		ioctl(fd, PCILENS_IOC_CONFIG, &u);
		break;
	case 5:
		u.memory.data = pointer();
		u.memory.length %= 65537;
		u.memory.bar = number() % 8;
		u.memory.flags = number() % 2;
		ioctl(fd, PCILENS_IOC_SHADOW, &u);
		break;
	case 6:
		ioctl(fd, PCILENS_IOC_SYMBOLISE, &u);
		break;
	case 7:
		ioctl(fd, PCILENS_IOC_KICK, 0);
		ioctl(fd, PCILENS_IOC_PLACE, &u);
		break;
	case 8:
		ioctl(fd, PCILENS_IOC_STATISTICS, number() % 8 ? (uintptr_t)scratch : pointer());
		ioctl(fd, PCILENS_IOC_INFO, number() % 8 ? (uintptr_t)scratch : pointer());
		break;
	case 9: {
		void *at = mmap(NULL, 4096 * (1 + number() % 20), PROT_READ | PROT_WRITE,
				number() % 8 ? MAP_SHARED : MAP_PRIVATE, fd,
				number() % 2 ? (number() % 16) << 40 : value() & ~4095ULL);

		if (at == MAP_FAILED)
			break;
		/* The words of the ring and of the slots, and the pool's first bytes. */
		fill(at, 256);
		munmap(at, 4096);
		break;
	}
	case 10:
		ioctl(fd, value(), pointer());
		break;
	}
}

/* Blocks for as long as a driver is held, and nobody answers here. */
static void *plug(void *fd)
{
	uint8_t result[64];

	ioctl((int)(intptr_t)fd, PCILENS_IOC_PLUG, result);
	ioctl((int)(intptr_t)fd, PCILENS_IOC_UNPLUG);
	return NULL;
}

/* One descriptor; the end of the process closes it, whatever state it is in. */
static int round_of(int requests)
{
	int fd = open("/dev/pcilens", O_RDWR);
	pthread_t thread;
	int i;

	if (fd < 0) {
		perror("/dev/pcilens");
		return 2;
	}
	if (number() % 8)
		create(fd);
	for (i = 0; i < requests; i++) {
		if (i == requests / 4)
			pthread_create(&thread, NULL, plug, (void *)(intptr_t)fd);
		request(fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 10000;
	int done, status;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ULL;
	for (done = 0; done < count; done += 100) {
		number();
		fflush(stdout);
		if (!fork())
			_exit(round_of(100));
		state += 0x9e3779b97f4a7c15ULL;
		/* SIGBUS or SIGSEGV of its own making is no failure. */
		wait(&status);
		if (WIFEXITED(status) && WEXITSTATUS(status))
			return WEXITSTATUS(status);
	}
	printf("%d requests\n", done);
	return 0;
}
