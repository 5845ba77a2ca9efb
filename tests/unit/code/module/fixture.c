/* Compiled with debug information and linked into nothing, as a kernel module is. The test finds its
 * lines by the remarks. */
#include "kernel_read.h"

int module_fixture_sum(int count);

static int __attribute__((noinline)) one_register(const volatile int *bar, int i)
{
	int value = bar[2 * i]; /* the access itself */

	return value ^ 5;
}

static int twice(const volatile int *bar)
{
	return 2 * kernel_read(bar); /* by the kernel's accessor */
}

volatile int module_fixture_bar[16];

int module_fixture_sum(int count)
{
	int i, sum = 0;

	for (i = 0; i < count; i++)
		sum += one_register(module_fixture_bar, i); /* the call */
	return sum + twice(module_fixture_bar);
}
