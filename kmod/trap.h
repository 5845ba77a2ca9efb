/* SPDX-License-Identifier: GPL-2.0 */
/* An access between the exception that it raised and the trampoline. */
#ifndef LENS_TRAP_H
#define LENS_TRAP_H

#include <linux/linkage.h>
#include <linux/types.h>

#include "decode.h"

struct pt_regs;

/* The trampoline knows the first four. */
struct lens_trap {
	unsigned long ax;
	unsigned long ip;
	unsigned long flags;
	unsigned long sp;
	struct lens_insn insn;
	u8 code[LENS_INSN_MAX];
	u8 code_bytes;
};

/* trap.c: in the exception */
bool lens_trap(struct pt_regs *pt);
void lens_trap_give(struct lens_trap *trap);
void lens_regs_from(struct lens_regs *to, const struct pt_regs *from);
void lens_regs_to(struct pt_regs *to, const struct lens_regs *from);

/* fixup.c: accesses that are allowed to fault */
bool lens_may_fault(const struct pt_regs *pt);
bool lens_fault(struct pt_regs *pt, unsigned long address, bool write);

/* trampoline_64.S, and what it calls */
void lens_trampoline(void);
void lens_return(void);
asmlinkage void lens_trap_access(struct pt_regs *pt, struct lens_trap *trap);

#endif
