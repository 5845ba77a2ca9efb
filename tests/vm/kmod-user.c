// SPDX-License-Identifier: GPL-2.0
/*
 * A driver in userspace: the edu function's BAR 0 through sysfs.
 *
 *	kmod-user /sys/bus/pci/devices/.../resource0 [movups|movdqa|vmovdqu|cmpxchg16b|direct|stay]
 *
 * With the name of an instruction only that: the module refuses it. direct: the BAR
 * is plain memory (kmod-edu --direct); stay: and is written for ever.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int refused(volatile void *bar, const char *name)
{
	if (!strcmp(name, "movups"))
		asm volatile("movups %%xmm0, (%0)" : : "r" (bar) : "memory");
	else if (!strcmp(name, "movdqa"))
		asm volatile("movdqa 16(%0), %%xmm0" : : "r" (bar) : "xmm0");
	else if (!strcmp(name, "vmovdqu"))
		asm volatile("vmovdqu (%0), %%ymm0" : : "r" (bar) : "xmm0");
	else if (!strcmp(name, "cmpxchg16b"))
		asm volatile("lock cmpxchg16b (%0)" : : "r" (bar) : "rax", "rdx", "memory", "cc");
	return 3;	/* not refused, or no such name */
}

static int direct(volatile uint8_t *bar, int stay)
{
	volatile uint32_t *word = (void *)bar;
	uint32_t sum = 0, i, round = 0x5a5a;

	for (i = 0; i < 0x1000; i++) {
		bar[0x1000 + i] = i * 7;
		sum += (uint8_t)(i * 7);
	}
	word[0x100 / 4] = round;
	for (i = 0; i < 2000 && word[0x104 / 4] != ~round; i++)
		usleep(1000);
	printf("direct %s\n", word[0x104 / 4] == ~round && word[0x108 / 4] == sum ? "right" : "wrong");
	while (stay)
		word[0x200 / 4]++;
	return 0;
}

int main(int argc, char **argv)
{
	volatile uint32_t *bar;
	struct timespec a, b;
	uint32_t i;
	int fd;

	if (argc != 2 && argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	fd = open(argv[1], O_RDWR | O_SYNC);
	bar = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED) {
		perror(argv[1]);
		return 2;
	}
	if (argc == 3 && (!strcmp(argv[2], "direct") || !strcmp(argv[2], "stay")))
		return direct((void *)bar, !strcmp(argv[2], "stay"));
	if (argc == 3)
		return refused(bar, argv[2]);
	printf("id 0x%x\n", bar[0]);
	bar[1] = 0x12345678;
	printf("alive 0x%x\n", bar[1]);
	bar[2] = 6;
	printf("factorial %u\n", bar[2]);
	/* Another mapping, from a page further on. */
	bar = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	if (bar == MAP_FAILED)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 10000; i++)
		bar[0] = i;
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("10000 writes in %ld us\n",
	       (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
	return 0;
}
