// SPDX-License-Identifier: GPL-2.0
/*
 * What a decoded instruction does, with the flags that the Intel SDM, volume 2,
 * gives it.
 */
#include "decode.h"

#define FLAG_CF	0x001ULL
#define FLAG_PF	0x004ULL
#define FLAG_AF	0x010ULL
#define FLAG_ZF	0x040ULL
#define FLAG_SF	0x080ULL
#define FLAG_DF	0x400ULL
#define FLAG_OF	0x800ULL
#define FLAGS_ARITHMETIC (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

static u64 truncate(u64 value, u8 size)
{
	return size == 8 ? value : value & ((1ULL << (8 * size)) - 1);
}

static u64 sign_extend(u64 value, u8 size)
{
	u8 shift = 64 - 8 * size;

	return (u64)((s64)(value << shift) >> shift);
}

static u64 get_register(const struct lens_insn *insn, const struct lens_regs *regs)
{
	u64 value = regs->gp[insn->reg];

	return truncate(insn->high ? value >> 8 : value, insn->reg_size);
}

/* As the CPU does: 32 bits clear the upper half, 8 and 16 keep the rest. */
static void set(u64 *reg, u8 size, bool high, u64 value)
{
	if (high)
		*reg = (*reg & ~0xff00ULL) | (value & 0xff) << 8;
	else if (size >= 4)
		*reg = truncate(value, size);
	else
		*reg = (*reg & ~truncate(~0ULL, size)) | truncate(value, size);
}

static void set_register(const struct lens_insn *insn, struct lens_regs *regs, u64 value)
{
	set(&regs->gp[insn->reg], insn->reg_size, insn->high, value);
}

static u64 result_flags(u64 value, u8 size)
{
	u64 flags = 0;

	value = truncate(value, size);
	if (!value)
		flags |= FLAG_ZF;
	if (value >> (8 * size - 1))
		flags |= FLAG_SF;
	if (!(__builtin_popcount((u32)value & 0xff) & 1))
		flags |= FLAG_PF;
	return flags;
}

static void set_flags(struct lens_regs *regs, u64 mask, u64 flags)
{
	regs->flags = (regs->flags & ~mask) | (flags & mask);
}

/* a <op> b with the flags of the SDM; @sub as in the opcode, 7 is cmp. */
static u64 alu(u8 sub, u64 a, u64 b, u8 size, struct lens_regs *regs)
{
	u64 carry = (sub == 2 || sub == 3) && regs->flags & FLAG_CF;
	u64 sign = 1ULL << (8 * size - 1);
	u64 flags = 0;
	u64 result;

	a = truncate(a, size);
	b = truncate(b, size);
	switch (sub) {
	case 0: case 2:
		result = truncate(a + b + carry, size);
		if (result < a || (carry && result == a))
			flags |= FLAG_CF;
		if ((a ^ result) & (b ^ result) & sign)
			flags |= FLAG_OF;
		flags |= (a ^ b ^ result) & FLAG_AF;
		break;
	case 3: case 5: case 7:
		result = truncate(a - b - carry, size);
		if (a < b || (carry && a == b))
			flags |= FLAG_CF;
		if ((a ^ b) & (a ^ result) & sign)
			flags |= FLAG_OF;
		flags |= (a ^ b ^ result) & FLAG_AF;
		break;
	case 1:
		result = a | b;
		break;
	case 4:
		result = a & b;
		break;
	default:
		result = a ^ b;
		break;
	}
	flags |= result_flags(result, size);
	set_flags(regs, FLAGS_ARITHMETIC, flags);
	return result;
}

u64 lens_address(const struct lens_insn *insn, const struct lens_regs *regs)
{
	u64 address = insn->displacement;

	if (insn->op == LENS_OP_MOVS || insn->op == LENS_OP_STOS)
		address = regs->gp[LENS_DI];
	else if (insn->op == LENS_OP_LODS)
		address = regs->gp[LENS_SI];
	else if (insn->rip)
		address += regs->ip + insn->length;
	if (insn->base != LENS_NO_REGISTER)
		address += regs->gp[insn->base];
	if (insn->index != LENS_NO_REGISTER)
		address += regs->gp[insn->index] << insn->scale;
	if (insn->address32)
		address = (u32)address;
	return address;
}

static int emulate_string(const struct lens_insn *insn, struct lens_regs *regs,
			  const struct lens_memory *memory, void *context)
{
	u64 step = regs->flags & FLAG_DF ? -(u64)insn->size : insn->size;
	u8 width = insn->address32 ? 4 : 8;	/* of rsi, rdi and rcx */
	u64 *count = &regs->gp[LENS_CX];
	u64 *from = &regs->gp[LENS_SI];
	u64 *to = &regs->gp[LENS_DI];
	u64 value;
	int err;

	while (!insn->rep || truncate(*count, width)) {
		value = regs->gp[LENS_AX];
		if (insn->op != LENS_OP_STOS) {
			err = memory->read(context, truncate(*from, width), insn->size, &value);
			if (err)
				return err;
		}
		if (insn->op == LENS_OP_LODS) {
			set(&regs->gp[LENS_AX], insn->size, false, value);
		} else {
			err = memory->write(context, truncate(*to, width), insn->size,
					    truncate(value, insn->size));
			if (err)
				return err;
			set(to, width, false, *to + step);
		}
		if (insn->op != LENS_OP_STOS)
			set(from, width, false, *from + step);
		if (!insn->rep)
			break;
		set(count, width, false, *count - 1);
		if (*count && memory->again && !memory->again(context))
			return 0;
	}
	regs->ip += insn->length;
	return 0;
}

static int emulate_bit(const struct lens_insn *insn, struct lens_regs *regs,
		       const struct lens_memory *memory, void *context)
{
	u64 address = lens_address(insn, regs);
	u8 bits = 8 * insn->size;
	u64 bit = (u64)insn->value;
	u64 value, changed;
	int err;

	if (!insn->immediate) {
		/* A register may name a bit far from the operand, also before it. */
		s64 offset = sign_extend(get_register(insn, regs), insn->reg_size);

		address += (offset >> (insn->size == 8 ? 6 : insn->size == 4 ? 5 : 4)) *
			   insn->size;
		bit = (u64)offset;
	}
	bit = 1ULL << (bit & (bits - 1));
	err = memory->read(context, address, insn->size, &value);
	if (err)
		return err;
	changed = insn->sub == 1 ? value | bit : insn->sub == 2 ? value & ~bit : value ^ bit;
	if (insn->sub) {
		err = memory->write(context, address, insn->size, changed);
		if (err)
			return err;
	}
	set_flags(regs, FLAG_CF, value & bit ? FLAG_CF : 0);
	regs->ip += insn->length;
	return 0;
}

static int emulate_movdir64b(const struct lens_insn *insn, struct lens_regs *regs,
			     const struct lens_memory *memory, void *context)
{
	u64 source = lens_address(insn, regs);
	u64 target = truncate(regs->gp[insn->reg], insn->address32 ? 4 : 8);
	u64 block[8];
	unsigned int i;
	int err;

	if (target % sizeof(block))
		return -EINVAL;	/* the CPU's own #GP */
	for (i = 0; i < 8; i++) {
		err = memory->read(context, source + 8 * i, 8, &block[i]);
		if (err)
			return err;
	}
	for (i = 0; i < 8; i++) {
		err = memory->write(context, target + 8 * i, 8, block[i]);
		if (err)
			return err;
	}
	regs->ip += insn->length;
	return 0;
}

/* The condition in the opcode's low bits: SDM volume 1, appendix B. */
static bool condition(u8 code, u64 flags)
{
	static const u64 any[] = {
		FLAG_OF, FLAG_CF, FLAG_ZF, FLAG_CF | FLAG_ZF, FLAG_SF, FLAG_PF, 0, FLAG_ZF,
	};
	bool holds = flags & any[code >> 1];

	if (code >= 12)	/* less; less or equal */
		holds |= !(flags & FLAG_SF) != !(flags & FLAG_OF);
	return holds != (code & 1);
}

/* All that the flags tell is whether the product is too long. */
static u64 multiply(u64 a, u64 b, u8 size, struct lens_regs *regs)
{
	s64 product;
	bool over = __builtin_mul_overflow((s64)sign_extend(a, size), (s64)sign_extend(b, size),
					   &product);

	over |= (s64)sign_extend(product, size) != product;
	set_flags(regs, FLAG_CF | FLAG_OF, over ? FLAG_CF | FLAG_OF : 0);
	return product;
}

static void count_bits(const struct lens_insn *insn, u64 value, struct lens_regs *regs)
{
	u64 first = value ? __builtin_ctzll(value) : 0;
	u64 last = value ? 63 - __builtin_clzll(value) : 0;
	u64 bits = 8 * insn->size;
	u64 zero = value ? 0 : ~0ULL;
	u64 result = bits;

	if (insn->sub == 4) {
		for (result = 0; value; value &= value - 1)
			result++;
		set_flags(regs, FLAGS_ARITHMETIC, zero & FLAG_ZF);
	} else if (insn->sub >= 2) {
		if (value)
			result = insn->sub == 2 ? first : bits - 1 - last;
		set_flags(regs, FLAG_CF | FLAG_ZF, (zero & FLAG_CF) | (result ? 0 : FLAG_ZF));
	} else {
		set_flags(regs, FLAG_ZF, zero);
		if (!value)
			return;	/* the register keeps its value */
		result = insn->sub ? last : first;
	}
	set_register(insn, regs, result);
}

/* Read, change, write back: the flags only once all of it went well. */
static int emulate_change(const struct lens_insn *insn, struct lens_regs *regs,
			  const struct lens_memory *memory, void *context)
{
	u64 address = lens_address(insn, regs);
	u64 operand = insn->immediate ? (u64)insn->value : get_register(insn, regs);
	struct lens_regs after = *regs;
	bool write = true;
	u64 value, result;
	int err;

	err = memory->read(context, address, insn->size, &value);
	if (err)
		return err;
	switch (insn->op) {
	case LENS_OP_ALU:
		write = insn->to_memory && insn->sub != 7;
		result = insn->to_memory ? alu(insn->sub, value, operand, insn->size, &after) :
					   alu(insn->sub, operand, value, insn->size, &after);
		if (!insn->to_memory && insn->sub != 7)
			set_register(insn, &after, result);
		break;
	case LENS_OP_TEST:
		alu(4, value, operand, insn->size, &after);
		result = value;
		write = false;
		break;
	case LENS_OP_XCHG:
		result = operand;
		set_register(insn, &after, value);
		break;
	case LENS_OP_XADD:
		result = alu(0, value, operand, insn->size, &after);
		set_register(insn, &after, value);
		break;
	case LENS_OP_CMOV:
		result = condition(insn->sub, regs->flags) ? value : get_register(insn, regs);
		set_register(insn, &after, result);
		write = false;
		break;
	case LENS_OP_IMUL:
		result = multiply(value, operand, insn->size, &after);
		set_register(insn, &after, result);
		write = false;
		break;
	case LENS_OP_COUNT:
		count_bits(insn, value, &after);
		result = value;
		write = false;
		break;
	case LENS_OP_INC: case LENS_OP_DEC:
		result = alu(insn->op == LENS_OP_INC ? 0 : 5, value, 1, insn->size, &after);
		set_flags(&after, FLAG_CF, regs->flags);
		break;
	case LENS_OP_NOT:
		result = ~value;
		break;
	case LENS_OP_NEG:
		result = alu(5, 0, value, insn->size, &after);
		break;
	case LENS_OP_CMPXCHG:
		alu(7, regs->gp[LENS_AX], value, insn->size, &after);
		result = after.flags & FLAG_ZF ? operand : value;
		if (!(after.flags & FLAG_ZF))
			set(&after.gp[LENS_AX], insn->size, false, value);
		break;
	default:
		return -EINVAL;
	}
	if (write) {
		err = memory->write(context, address, insn->size, truncate(result, insn->size));
		if (err)
			return err;
	}
	*regs = after;
	regs->ip += insn->length;
	return 0;
}

int lens_emulate(const struct lens_insn *insn, struct lens_regs *regs,
		 const struct lens_memory *memory, void *context)
{
	u64 value;
	int err;

	switch (insn->op) {
	case LENS_OP_LOAD:
		err = memory->read(context, lens_address(insn, regs), insn->size, &value);
		if (err)
			return err;
		if (insn->sign)
			value = sign_extend(value, insn->size);
		set_register(insn, regs, value);
		break;
	case LENS_OP_STORE:
		value = insn->immediate ? (u64)insn->value : get_register(insn, regs);
		err = memory->write(context, lens_address(insn, regs), insn->size,
				    truncate(value, insn->size));
		if (err)
			return err;
		break;
	case LENS_OP_SET:
		err = memory->write(context, lens_address(insn, regs), 1,
				    condition(insn->sub, regs->flags));
		if (err)
			return err;
		break;
	case LENS_OP_MOVS: case LENS_OP_STOS: case LENS_OP_LODS:
		return emulate_string(insn, regs, memory, context);
	case LENS_OP_BIT:
		return emulate_bit(insn, regs, memory, context);
	case LENS_OP_MOVDIR64B:
		return emulate_movdir64b(insn, regs, memory, context);
	case LENS_OP_FLUSH:
		break;
	case LENS_OP_NONE: case LENS_OP_REFUSED:
		return -EINVAL;
	default:
		return emulate_change(insn, regs, memory, context);
	}
	regs->ip += insn->length;
	return 0;
}
