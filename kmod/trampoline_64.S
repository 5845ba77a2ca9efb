/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>
#include <linux/objtool.h>

#include <asm/segment.h>
#include <asm/unwind_hints.h>

#include "compat.h"

/* struct lens_trap */
#define TRAP_AX		0x00(%rax)
#define TRAP_IP		0x08(%rax)
#define TRAP_FLAGS	0x10(%rax)
#define TRAP_SP		0x18(%rax)

	.text

/*
 * The exception of an access returns here instead of to the access, in the
 * driver's thread, with its stack and interrupt flag, rax = struct lens_trap.
 * Builds the pt_regs of the access, so that stack traces are exact, and leaves
 * through iretq to whatever ip the emulation has put there. Not through ret:
 * return thunks may change flags.
 */
SYM_CODE_START(lens_trampoline)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	pushq	$__KERNEL_DS
	pushq	TRAP_SP
	pushq	TRAP_FLAGS
	pushq	$__KERNEL_CS
	pushq	TRAP_IP
	pushq	$-1			/* orig_ax: no system call */
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	TRAP_AX
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	UNWIND_HINT_REGS

	movq	%rsp, %rdi
	movq	%rax, %rsi
	call	lens_trap_access

	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	UNWIND_HINT_IRET_REGS
	iretq
SYM_CODE_END(lens_trampoline)

/* Where a probed function is sent that must not run: rax is its result. */
SYM_FUNC_START(lens_return)
	RET
SYM_FUNC_END(lens_return)
