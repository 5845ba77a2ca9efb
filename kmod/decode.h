/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decodes and emulates the instructions with which x86-64 kernel code touches
 * device memory. Knows no kernel: it is also built in userspace, for tests, which
 * bring a <linux/types.h> of their own.
 */
#ifndef LENS_DECODE_H
#define LENS_DECODE_H

#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>

#define LENS_INSN_MAX	15

enum lens_op {
	LENS_OP_NONE,
	LENS_OP_LOAD,		/* mov, movzx, movsx, movsxd: register <- memory */
	LENS_OP_STORE,		/* mov, movnti, movdiri: memory <- register or immediate */
	LENS_OP_ALU,		/* add or adc sbb and sub xor cmp */
	LENS_OP_TEST,
	LENS_OP_XCHG,
	LENS_OP_INC,
	LENS_OP_DEC,
	LENS_OP_NOT,
	LENS_OP_NEG,
	LENS_OP_BIT,		/* bt bts btr btc */
	LENS_OP_CMPXCHG,
	LENS_OP_XADD,
	LENS_OP_MOVS,
	LENS_OP_STOS,
	LENS_OP_LODS,
	LENS_OP_CMOV,
	LENS_OP_SET,		/* setcc */
	LENS_OP_IMUL,		/* register <- memory * register or immediate */
	LENS_OP_COUNT,		/* bsf bsr tzcnt lzcnt popcnt */
	LENS_OP_MOVDIR64B,
	LENS_OP_FLUSH,		/* clflush, clflushopt, clwb: there is no cache */
	LENS_OP_REFUSED,	/* known, not emulated; can be passed over */
};

#define LENS_NO_REGISTER	0xff

/**
 * struct lens_insn - a decoded instruction
 * @op: what it does
 * @sub: ALU: 0 add .. 7 cmp as in the opcode; BIT: 0 bt 1 bts 2 btr 3 btc; CMOV, SET: the
 *	condition as in the opcode; COUNT: 0 bsf 1 bsr 2 tzcnt 3 lzcnt 4 popcnt
 * @length: bytes
 * @size: bytes of the memory operand
 * @reg_size: bytes of the register operand
 * @reg: register operand, 0 rax .. 15 r15
 * @high: the register operand is ah, ch, dh or bh
 * @sign: LOAD extends the sign
 * @to_memory: ALU writes its result to memory
 * @immediate: the other operand is @value, not the register
 * @rep: repeat with rcx
 * @lock: locked, or implicitly so (xchg)
 * @address32: address size prefix
 * @address_register: @reg is the address of another operand
 * @rip: address is relative to the next instruction
 * @base: base register or LENS_NO_REGISTER
 * @index: index register or LENS_NO_REGISTER
 * @scale: shift of the index
 * @value: immediate, sign extended
 * @displacement: of the address
 */
struct lens_insn {
	enum lens_op op;
	u8 sub;
	u8 length;
	u8 size;
	u8 reg_size;
	u8 reg;
	bool high;
	bool sign;
	bool to_memory;
	bool immediate;
	bool rep;
	bool lock;
	bool address32;
	bool address_register;
	bool rip;
	u8 base;
	u8 index;
	u8 scale;
	s64 value;
	s64 displacement;
};

/* Registers in the order of their encoding. */
struct lens_regs {
	u64 gp[16];
	u64 ip;
	u64 flags;
};

enum { LENS_AX, LENS_CX, LENS_DX, LENS_BX, LENS_SP, LENS_BP, LENS_SI, LENS_DI };

/**
 * struct lens_memory - how the emulation reaches memory
 * @read: read @size bytes (1, 2, 4, 8), zero extended
 * @write: write @size bytes
 * @again: asked between two elements of a string instruction; false ends the
 *	emulation with the registers as they are after the last element and ip on
 *	the instruction, which the CPU then resumes
 *
 * @read and @write return 0 or a negative errno that ends the emulation.
 */
struct lens_memory {
	int (*read)(void *context, u64 address, u8 size, u64 *value);
	int (*write)(void *context, u64 address, u8 size, u64 value);
	bool (*again)(void *context);
};

/*
 * 0; -EOPNOTSUPP: known, not emulated; -EINVAL: unknown or not to memory.
 * With -EOPNOTSUPP @insn->op is LENS_OP_REFUSED where the instruction does nothing
 * but compute, so that it may be passed over: then its length and its operand are
 * right (a displacement of EVEX is not scaled). Otherwise it is LENS_OP_NONE.
 */
int lens_decode(const u8 *code, unsigned int available, struct lens_insn *insn);

/* The address of the (first) memory operand; for MOVS the destination. */
u64 lens_address(const struct lens_insn *insn, const struct lens_regs *regs);

/* 0 with @regs advanced, or what @memory returned, with ip unchanged. */
int lens_emulate(const struct lens_insn *insn, struct lens_regs *regs,
		 const struct lens_memory *memory, void *context);

#endif
