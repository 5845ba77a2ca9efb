/* SPDX-License-Identifier: GPL-2.0 */
/* The instruction forms that drivers use on device memory, each near the address in rbx. */
#ifndef KMOD_FORMS_H
#define KMOD_FORMS_H

#include <linux/types.h>

struct registers {
	u64 a, c, d, si, di, flags;
};

struct form {
	void (*run)(void *p, struct registers *r);
	const char *text;
};

/* Each row twice: its function, and its place in a table. */
#define FORM(number, code)							\
	static noinline void form_##number(void *p, struct registers *r)	\
	{									\
		asm volatile("pushq %[flags]\n\tpopfq\n\t" code "\n\t"		\
			     "pushfq\n\tpopq %[flags]"			\
			     : "+a" (r->a), "+c" (r->c), "+d" (r->d),		\
			       "+S" (r->si), "+D" (r->di), [flags] "+r" (r->flags) \
			     : "b" (p) : "memory", "cc");			\
	}
#include "emulated.h"
#include "refused.h"
#undef FORM

#define FORM(number, code)	{ form_##number, code },
static const struct form forms[] = {
#include "emulated.h"
};

static const struct form refused[] = {
#include "refused.h"
};

#undef FORM

#endif
