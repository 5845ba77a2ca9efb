/* SPDX-License-Identifier: GPL-2.0 */
/* The instruction forms that drivers use on device memory, each near the address in rbx. */
#ifndef KMOD_FORMS_H
#define KMOD_FORMS_H

#include <linux/types.h>

struct registers {
	u64 a, c, d, si, di, flags;
};

#define FORM(number, text)							\
	static noinline void form_##number(void *p, struct registers *r)	\
	{									\
		asm volatile("pushq %[flags]\n\tpopfq\n\t" text "\n\t"		\
			     "pushfq\n\tpopq %[flags]"			\
			     : "+a" (r->a), "+c" (r->c), "+d" (r->d),		\
			       "+S" (r->si), "+D" (r->di), [flags] "+r" (r->flags) \
			     : "b" (p) : "memory", "cc");			\
	}									\
	static const char text_##number[] = text

FORM(0, "movb (%%rbx), %%al");
FORM(1, "movw 2(%%rbx), %%ax");
FORM(2, "movl 4(%%rbx), %%eax");
FORM(3, "movq 8(%%rbx), %%rax");
FORM(4, "movb %%ah, 3(%%rbx)");
FORM(5, "movw %%cx, 6(%%rbx)");
FORM(6, "movl %%edx, 4(%%rbx)");
FORM(7, "movq %%rcx, 8(%%rbx)");
FORM(8, "movb $0x5a, 1(%%rbx)");
FORM(9, "movw $0x1234, 2(%%rbx)");
FORM(10, "movl $0x89abcdef, 4(%%rbx)");
FORM(11, "movq $-5, 8(%%rbx)");
FORM(12, "movzbl (%%rbx), %%eax");
FORM(13, "movzwl 2(%%rbx), %%ecx");
FORM(14, "movsbq 1(%%rbx), %%rdx");
FORM(15, "movswl 2(%%rbx), %%eax");
FORM(16, "movslq 4(%%rbx), %%rax");
FORM(17, "movnti %%ecx, 4(%%rbx)");
FORM(18, "movnti %%rcx, 8(%%rbx)");
FORM(19, "addl %%ecx, 4(%%rbx)");
FORM(20, "adcq %%rcx, 8(%%rbx)");
FORM(21, "sbbw %%cx, 2(%%rbx)");
FORM(22, "subb %%cl, 1(%%rbx)");
FORM(23, "andl $0xff00ff, 4(%%rbx)");
FORM(24, "orb $0x81, (%%rbx)");
FORM(25, "xorq $-2, 8(%%rbx)");
FORM(26, "cmpl %%ecx, 4(%%rbx)");
FORM(27, "cmpl 4(%%rbx), %%ecx");
FORM(28, "addq 8(%%rbx), %%rax");
FORM(29, "subw 2(%%rbx), %%cx");
FORM(30, "testl %%ecx, 4(%%rbx)");
FORM(31, "testb $0x80, (%%rbx)");
FORM(32, "xchgl %%ecx, 4(%%rbx)");
FORM(33, "xchgb %%dh, (%%rbx)");
FORM(34, "incl 4(%%rbx)");
FORM(35, "decw 2(%%rbx)");
FORM(36, "lock; addl %%ecx, 4(%%rbx)");
FORM(37, "lock; xaddl %%edx, 4(%%rbx)");
FORM(38, "notl 4(%%rbx)");
FORM(39, "negq 8(%%rbx)");
FORM(40, "btsl $5, 4(%%rbx)");
FORM(41, "btrl $3, 4(%%rbx)");
FORM(42, "btcq $40, 8(%%rbx)");
FORM(43, "btl $9, 4(%%rbx)");
FORM(44, "andq $63, %%rcx\n\tbtsl %%ecx, 4(%%rbx)");
FORM(45, "lock; cmpxchgl %%ecx, 4(%%rbx)");
FORM(46, "movl 4(%%rbx), %%eax\n\tlock; cmpxchgl %%ecx, 4(%%rbx)");
FORM(47, "movq %%rbx, %%rdi\n\tmovl $7, %%ecx\n\trep; stosl");
FORM(48, "leaq 5(%%rbx), %%rdi\n\tmovl $3, %%ecx\n\trep; stosb");
FORM(49, "movq %%rbx, %%rdi\n\tmovl $6, %%ecx\n\trep; movsq");
FORM(50, "xchgq %%rsi, %%rdi\n\tmovq %%rbx, %%rsi\n\tmovl $9, %%ecx\n\trep; movsl\n\tmovq $0, %%rdi\n\txchgq %%rsi, %%rdi");
FORM(51, "movq %%rbx, %%rsi\n\tlodsw");
FORM(52, "leaq 16(%%rbx), %%rdi\n\tmovl $3, %%ecx\n\tstd\n\trep; stosl\n\tcld");
FORM(53, "pushq %%rbp\n\tmovq %%rbx, %%rbp\n\tmovl 4(%%rbp), %%eax\n\tpopq %%rbp");
FORM(54, "pushq %%rbp\n\tmovq %%rbx, %%rbp\n\tmovl %%ecx, 8(%%rbp)\n\tpopq %%rbp");
FORM(55, "movl $2, %%ecx\n\tmovl 4(%%rbx,%%rcx,4), %%eax");
FORM(56, "movl $1, %%ecx\n\tmovb %%dl, (%%rbx,%%rcx)");
FORM(57, "cmpb $0x7f, 1(%%rbx)");
FORM(58, "cmpw %%dx, 2(%%rbx)");
FORM(59, "movq %%rbx, %%rdi\n\txorl %%ecx, %%ecx\n\trep; stosb");
FORM(60, "movq %%r8, %%rdi\n\tmovq 8(%%rbx), %%r8\n\tmovq %%r8, %%rax\n\tmovq %%rdi, %%r8\n\txorl %%edi, %%edi");
FORM(61, "movsbl (%%rbx), %%ecx");
FORM(62, "movsbw 1(%%rbx), %%ax");
FORM(63, "movzbw 3(%%rbx), %%dx");
FORM(64, "movswq 2(%%rbx), %%rcx");
FORM(65, "lock; btsq $33, 8(%%rbx)");
FORM(66, "lock; btrw $7, 2(%%rbx)");
FORM(67, "lock; orb %%cl, 1(%%rbx)");
FORM(68, "lock; incl 4(%%rbx)");
FORM(69, "lock; cmpxchgb %%dl, (%%rbx)");
FORM(70, "lock; cmpxchgq %%rcx, 8(%%rbx)");
FORM(71, "xaddb %%dh, 1(%%rbx)");
FORM(72, "xchgq %%rcx, 8(%%rbx)");
FORM(73, "adcb 1(%%rbx), %%cl");
FORM(74, "sbbq 8(%%rbx), %%rdx");
FORM(75, "xorl 4(%%rbx), %%eax");
FORM(76, "andw 2(%%rbx), %%dx");
FORM(77, "orq 8(%%rbx), %%rcx");
FORM(78, "cmpb 1(%%rbx), %%dh");
FORM(79, "testw $0x8001, 2(%%rbx)");
FORM(80, "testq %%rdx, 8(%%rbx)");
FORM(81, "negb (%%rbx)");
FORM(82, "decq 8(%%rbx)");
FORM(83, "leaq 3(%%rbx), %%rdi\n\tmovl $13, %%ecx\n\trep; movsb");
FORM(84, "leaq 2(%%rbx), %%rdi\n\tmovl $5, %%ecx\n\trep; movsw");
FORM(85, "leaq 8(%%rbx), %%rdi\n\tmovl $4, %%ecx\n\trep; stosq");
FORM(86, "leaq 2(%%rbx), %%rdi\n\tmovl $4, %%ecx\n\trep; stosw");
FORM(87, "movq %%rbx, %%rsi\n\tleaq 64(%%rbx), %%rdi\n\tmovl $5, %%ecx\n\trep; movsq");
FORM(88, "pushq %%rbp\n\tmovq %%rbx, %%rbp\n\tlock; addl %%ecx, 4(%%rbp)\n\tpopq %%rbp");
FORM(89, "pushq %%rbp\n\tmovq %%rbx, %%rbp\n\tmovb $0x17, 1(%%rbp)\n\tpopq %%rbp");
FORM(90, "setne 1(%%rbx)");
FORM(91, "setg (%%rbx)");
FORM(92, "cmovel 4(%%rbx), %%eax");
FORM(93, "cmovaq 8(%%rbx), %%rcx");
FORM(94, "imull 4(%%rbx), %%ecx\n\tsetc %%al\n\ttestl %%ecx, %%ecx");
FORM(95, "bsrq 8(%%rbx), %%rdx\n\tsetz %%al\n\ttestl %%edx, %%edx");

#define FORM_ROW(n) { form_##n, text_##n }
static const struct {
	void (*run)(void *p, struct registers *r);
	const char *text;
} forms[] = {
	FORM_ROW(0), FORM_ROW(1), FORM_ROW(2), FORM_ROW(3), FORM_ROW(4), FORM_ROW(5),
	FORM_ROW(6), FORM_ROW(7), FORM_ROW(8), FORM_ROW(9), FORM_ROW(10), FORM_ROW(11),
	FORM_ROW(12), FORM_ROW(13), FORM_ROW(14), FORM_ROW(15), FORM_ROW(16), FORM_ROW(17),
	FORM_ROW(18), FORM_ROW(19), FORM_ROW(20), FORM_ROW(21), FORM_ROW(22), FORM_ROW(23),
	FORM_ROW(24), FORM_ROW(25), FORM_ROW(26), FORM_ROW(27), FORM_ROW(28), FORM_ROW(29),
	FORM_ROW(30), FORM_ROW(31), FORM_ROW(32), FORM_ROW(33), FORM_ROW(34), FORM_ROW(35),
	FORM_ROW(36), FORM_ROW(37), FORM_ROW(38), FORM_ROW(39), FORM_ROW(40), FORM_ROW(41),
	FORM_ROW(42), FORM_ROW(43), FORM_ROW(44), FORM_ROW(45), FORM_ROW(46), FORM_ROW(47),
	FORM_ROW(48), FORM_ROW(49), FORM_ROW(50), FORM_ROW(51), FORM_ROW(52), FORM_ROW(53),
	FORM_ROW(54), FORM_ROW(55), FORM_ROW(56), FORM_ROW(57), FORM_ROW(58), FORM_ROW(59),
	FORM_ROW(60), FORM_ROW(61), FORM_ROW(62), FORM_ROW(63), FORM_ROW(64), FORM_ROW(65),
	FORM_ROW(66), FORM_ROW(67), FORM_ROW(68), FORM_ROW(69), FORM_ROW(70), FORM_ROW(71),
	FORM_ROW(72), FORM_ROW(73), FORM_ROW(74), FORM_ROW(75), FORM_ROW(76), FORM_ROW(77),
	FORM_ROW(78), FORM_ROW(79), FORM_ROW(80), FORM_ROW(81), FORM_ROW(82), FORM_ROW(83),
	FORM_ROW(84), FORM_ROW(85), FORM_ROW(86), FORM_ROW(87), FORM_ROW(88), FORM_ROW(89),
	FORM_ROW(90), FORM_ROW(91), FORM_ROW(92), FORM_ROW(93), FORM_ROW(94), FORM_ROW(95),
};

/* Those that the module passes over. */
FORM(refused_0, "movups %%xmm0, (%%rbx)");
FORM(refused_1, "movups (%%rbx), %%xmm1");
FORM(refused_2, "movaps %%xmm2, 16(%%rbx)");
FORM(refused_3, "movdqa 16(%%rbx), %%xmm3");
FORM(refused_4, "movdqu %%xmm4, 1(%%rbx)");
FORM(refused_5, "movntdq %%xmm5, 32(%%rbx)");
FORM(refused_6, "movntps %%xmm9, 48(%%rbx)");
FORM(refused_7, "movntdqa 32(%%rbx), %%xmm6");
FORM(refused_8, "movq %%xmm7, 8(%%rbx)");
FORM(refused_9, "movd (%%rbx), %%xmm8");
FORM(refused_10, "movss 4(%%rbx), %%xmm1");
FORM(refused_11, "paddd (%%rbx), %%xmm1");
FORM(refused_12, "pinsrd $1, 4(%%rbx), %%xmm2");
FORM(refused_13, "vmovdqu %%ymm0, (%%rbx)");
FORM(refused_14, "vmovdqa 32(%%rbx), %%ymm9");
FORM(refused_15, "vmovntdq %%ymm1, 64(%%rbx)");
FORM(refused_16, "vpinsrw $2, (%%rbx), %%xmm3, %%xmm4");
FORM(refused_17, "movq %%mm0, (%%rbx)");
FORM(refused_18, "lock; cmpxchg8b 8(%%rbx)");
FORM(refused_19, "lock; cmpxchg16b 16(%%rbx)");
FORM(refused_20, "shll $3, 4(%%rbx)");
FORM(refused_21, "mull 4(%%rbx)");
FORM(refused_22, "movbe %%ecx, 4(%%rbx)");
FORM(refused_23, "movl $4, %%ecx\n\trepe; cmpsb\n\tmovl $2, %%ecx");

static const struct {
	void (*run)(void *p, struct registers *r);
	const char *text;
} refused[] = {
	FORM_ROW(refused_0), FORM_ROW(refused_1), FORM_ROW(refused_2),
	FORM_ROW(refused_3), FORM_ROW(refused_4), FORM_ROW(refused_5),
	FORM_ROW(refused_6), FORM_ROW(refused_7), FORM_ROW(refused_8),
	FORM_ROW(refused_9), FORM_ROW(refused_10), FORM_ROW(refused_11),
	FORM_ROW(refused_12), FORM_ROW(refused_13), FORM_ROW(refused_14),
	FORM_ROW(refused_15), FORM_ROW(refused_16), FORM_ROW(refused_17),
	FORM_ROW(refused_18), FORM_ROW(refused_19), FORM_ROW(refused_20),
	FORM_ROW(refused_21), FORM_ROW(refused_22), FORM_ROW(refused_23),
};

#endif
