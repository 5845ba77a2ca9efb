// SPDX-License-Identifier: GPL-2.0
/*
 * The instructions that compilers and the kernel's own assembly use on device
 * memory. Opcode tables: Intel SDM volume 2, appendix A.
 */
#include "decode.h"

#define FLAG_CF	(1ULL << 0)
#define FLAG_PF	(1ULL << 2)
#define FLAG_AF	(1ULL << 4)
#define FLAG_ZF	(1ULL << 6)
#define FLAG_SF	(1ULL << 7)
#define FLAG_DF	(1ULL << 10)
#define FLAG_OF	(1ULL << 11)
#define FLAGS_ARITHMETIC (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define NO_REGISTER 0xff

/* The bytes not read yet; @bad once it was read past the end. */
struct reader {
	const u8 *code;
	unsigned int at;
	unsigned int end;
	bool bad;
};

static u8 next(struct reader *r)
{
	if (r->at >= r->end) {
		r->bad = true;
		return 0;
	}
	return r->code[r->at++];
}

static s64 next_signed(struct reader *r, unsigned int bytes)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		value |= (u64)next(r) << (8 * i);
	if (bytes < 8 && value >> (8 * bytes - 1))
		value |= ~0ULL << (8 * bytes);
	return value;
}

struct prefixes {
	u8 rex;
	bool operand;
	bool address;
	bool repne;
	bool rep;
	bool lock;
	bool segment;
};

/* The memory operand; false for a register operand. */
static bool decode_modrm(struct reader *r, const struct prefixes *p, struct lens_insn *insn,
			 u8 *reg_field)
{
	u8 modrm = next(r);
	u8 mod = modrm >> 6;
	u8 rm = modrm & 7;

	*reg_field = (modrm >> 3) & 7;
	insn->reg = *reg_field | (p->rex & 4) << 1;
	insn->base = NO_REGISTER;
	insn->index = NO_REGISTER;
	if (mod == 3)
		return false;
	if (rm == 4) {
		u8 sib = next(r);
		u8 index = ((sib >> 3) & 7) | (p->rex & 2) << 2;

		insn->scale = sib >> 6;
		if (index != 4)
			insn->index = index;
		if ((sib & 7) == 5 && mod == 0)
			insn->displacement = next_signed(r, 4);
		else
			insn->base = (sib & 7) | (p->rex & 1) << 3;
	} else if (rm == 5 && mod == 0) {
		insn->rip = true;
		insn->displacement = next_signed(r, 4);
	} else {
		insn->base = rm | (p->rex & 1) << 3;
	}
	if (mod == 1)
		insn->displacement = next_signed(r, 1);
	else if (mod == 2)
		insn->displacement = next_signed(r, 4);
	return true;
}

/* Byte registers 4..7 without REX are ah, ch, dh, bh. */
static void byte_register(const struct prefixes *p, struct lens_insn *insn)
{
	if (insn->reg_size == 1 && !p->rex && insn->reg >= 4) {
		insn->reg -= 4;
		insn->high = true;
	}
}

static void sizes(const struct prefixes *p, struct lens_insn *insn, bool byte)
{
	u8 size = p->rex & 8 ? 8 : p->operand ? 2 : 4;

	insn->size = byte ? 1 : size;
	insn->reg_size = insn->size;
}

static void immediate(struct reader *r, struct lens_insn *insn, unsigned int bytes)
{
	insn->immediate = true;
	insn->value = next_signed(r, bytes);
}

static int decode_two_byte(struct reader *r, const struct prefixes *p, struct lens_insn *insn)
{
	u8 op = next(r);
	u8 field;

	switch (op) {
	case 0xb6: case 0xb7: case 0xbe: case 0xbf:
		sizes(p, insn, false);
		insn->op = LENS_OP_LOAD;
		insn->sign = op >= 0xbe;
		insn->size = op & 1 ? 2 : 1;
		return decode_modrm(r, p, insn, &field) ? 0 : -EINVAL;
	case 0xc3:
		sizes(p, insn, false);
		insn->op = LENS_OP_STORE;
		return decode_modrm(r, p, insn, &field) ? 0 : -EINVAL;
	case 0xa3: case 0xab: case 0xb3: case 0xbb:
		sizes(p, insn, false);
		insn->op = LENS_OP_BIT;
		insn->sub = (op >> 3) & 3;
		return decode_modrm(r, p, insn, &field) ? 0 : -EINVAL;
	case 0xba:
		sizes(p, insn, false);
		insn->op = LENS_OP_BIT;
		if (!decode_modrm(r, p, insn, &field) || field < 4)
			return -EINVAL;
		insn->sub = field & 3;
		immediate(r, insn, 1);
		return 0;
	case 0xb0: case 0xb1: case 0xc0: case 0xc1:
		sizes(p, insn, !(op & 1));
		insn->op = op < 0xc0 ? LENS_OP_CMPXCHG : LENS_OP_XADD;
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		byte_register(p, insn);
		return 0;
	case 0x38:
		op = next(r);
		sizes(p, insn, false);
		if (op == 0xf9 && !p->operand && !p->rep && !p->repne) {
			insn->op = LENS_OP_STORE;
			return decode_modrm(r, p, insn, &field) ? 0 : -EINVAL;
		}
		if (op == 0xf8 && p->operand) {
			insn->op = LENS_OP_MOVDIR64B;
			insn->size = 8;
			return decode_modrm(r, p, insn, &field) ? 0 : -EINVAL;
		}
		return -EOPNOTSUPP;	/* ENQCMD, ENQCMDS, movbe, SSE4 */
	case 0x10: case 0x11: case 0x12: case 0x13: case 0x16: case 0x17:
	case 0x28: case 0x29: case 0x2b: case 0x6e: case 0x6f: case 0x7e: case 0x7f:
	case 0xc7: case 0xd6: case 0xe7: case 0xf0:
		return -EOPNOTSUPP;	/* SSE moves, cmpxchg8b/16b */
	}
	return -EINVAL;
}

static int decode_one_byte(struct reader *r, const struct prefixes *p, struct lens_insn *insn,
			   u8 op)
{
	bool byte = !(op & 1);
	u8 field;

	if (op < 0x40 && (op & 7) < 4) {	/* ALU r/m,r and r,r/m */
		sizes(p, insn, byte);
		insn->op = LENS_OP_ALU;
		insn->sub = op >> 3;
		insn->to_memory = !(op & 2);
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		byte_register(p, insn);
		return 0;
	}

	sizes(p, insn, byte);
	switch (op) {
	case 0x80: case 0x81: case 0x83:
		insn->op = LENS_OP_ALU;
		insn->to_memory = true;
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		insn->sub = field;
		immediate(r, insn, op != 0x81 ? 1 : insn->size == 2 ? 2 : 4);
		return 0;
	case 0x84: case 0x85: case 0x86: case 0x87: case 0x88: case 0x89: case 0x8a: case 0x8b:
		insn->op = op < 0x86 ? LENS_OP_TEST : op < 0x88 ? LENS_OP_XCHG :
			   op < 0x8a ? LENS_OP_STORE : LENS_OP_LOAD;
		insn->lock |= insn->op == LENS_OP_XCHG;
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		byte_register(p, insn);
		return 0;
	case 0x63:	/* movsxd */
		sizes(p, insn, false);
		insn->op = LENS_OP_LOAD;
		insn->sign = true;
		insn->size = insn->reg_size == 2 ? 2 : 4;
		return decode_modrm(r, p, insn, &field) ? 0 : -EINVAL;
	case 0xa0: case 0xa1: case 0xa2: case 0xa3:
		insn->op = op < 0xa2 ? LENS_OP_LOAD : LENS_OP_STORE;
		insn->base = NO_REGISTER;
		insn->index = NO_REGISTER;
		insn->displacement = next_signed(r, p->address ? 4 : 8);
		return 0;
	case 0xa4: case 0xa5: case 0xaa: case 0xab: case 0xac: case 0xad:
		insn->op = op < 0xa8 ? LENS_OP_MOVS : op < 0xac ? LENS_OP_STOS : LENS_OP_LODS;
		insn->rep = p->rep || p->repne;
		insn->base = NO_REGISTER;
		insn->index = NO_REGISTER;
		return 0;
	case 0xc6: case 0xc7:
		insn->op = LENS_OP_STORE;
		if (!decode_modrm(r, p, insn, &field) || field)
			return -EINVAL;
		immediate(r, insn, insn->size > 4 ? 4 : insn->size);
		return 0;
	case 0xf6: case 0xf7:
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		if (field < 2) {
			insn->op = LENS_OP_TEST;
			immediate(r, insn, insn->size > 4 ? 4 : insn->size);
			return 0;
		}
		if (field > 3)
			return -EOPNOTSUPP;	/* mul, div with a memory operand */
		insn->op = field == 2 ? LENS_OP_NOT : LENS_OP_NEG;
		return 0;
	case 0xfe: case 0xff:
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		if (field > 1)
			return field == 6 ? -EOPNOTSUPP : -EINVAL;
		insn->op = field ? LENS_OP_DEC : LENS_OP_INC;
		return 0;
	case 0x62: case 0xc4: case 0xc5:	/* EVEX, VEX */
	case 0xa6: case 0xa7: case 0xae: case 0xaf:	/* cmps, scas */
	case 0x69: case 0x6b: case 0x8f:	/* imul, pop */
	case 0xc0: case 0xc1: case 0xd0: case 0xd1: case 0xd2: case 0xd3:	/* shifts */
		return -EOPNOTSUPP;
	}
	return -EINVAL;
}

int lens_decode(const u8 *code, unsigned int available, struct lens_insn *insn)
{
	struct reader r = { .code = code };
	struct prefixes p = { 0 };
	int err;
	u8 op;

	r.end = available < LENS_INSN_MAX ? available : LENS_INSN_MAX;
	memset(insn, 0, sizeof(*insn));
	for (;;) {
		op = next(&r);
		if (op == 0x66)
			p.operand = true;
		else if (op == 0x67)
			p.address = true;
		else if (op == 0xf0)
			p.lock = true;
		else if (op == 0xf2)
			p.repne = true;
		else if (op == 0xf3)
			p.rep = true;
		else if (op == 0x64 || op == 0x65)
			p.segment = true;
		else if (op != 0x26 && op != 0x2e && op != 0x36 && op != 0x3e)
			break;
	}
	if ((op & 0xf0) == 0x40) {
		p.rex = op;
		op = next(&r);
	}
	insn->lock = p.lock;
	insn->address32 = p.address;
	if (op == 0x0f)
		err = decode_two_byte(&r, &p, insn);
	else
		err = decode_one_byte(&r, &p, insn, op);
	if (r.bad)
		return -EINVAL;
	if (!err && p.segment)
		err = -EOPNOTSUPP;	/* per-CPU and TLS data is never device memory */
	insn->length = r.at;
	return err;
}

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
	if (insn->base != NO_REGISTER)
		address += regs->gp[insn->base];
	if (insn->index != NO_REGISTER)
		address += regs->gp[insn->index] << insn->scale;
	if (insn->address32)
		address = (u32)address;
	return address;
}

static int emulate_string(const struct lens_insn *insn, struct lens_regs *regs,
			  const struct lens_memory *memory, void *context)
{
	u64 step = regs->flags & FLAG_DF ? -(u64)insn->size : insn->size;
	u64 *count = &regs->gp[LENS_CX];
	u64 value;
	int err;

	if (insn->address32)
		return -EOPNOTSUPP;
	while (!insn->rep || *count) {
		value = regs->gp[LENS_AX];
		if (insn->op != LENS_OP_STOS) {
			err = memory->read(context, regs->gp[LENS_SI], insn->size, &value);
			if (err)
				return err;
		}
		if (insn->op == LENS_OP_LODS) {
			set(&regs->gp[LENS_AX], insn->size, false, value);
		} else {
			err = memory->write(context, regs->gp[LENS_DI], insn->size,
					    truncate(value, insn->size));
			if (err)
				return err;
			regs->gp[LENS_DI] += step;
		}
		if (insn->op != LENS_OP_STOS)
			regs->gp[LENS_SI] += step;
		if (!insn->rep)
			break;
		if (--*count && memory->again && !memory->again(context))
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
	u64 block[8];
	unsigned int i;
	int err;

	for (i = 0; i < 8; i++) {
		err = memory->read(context, source + 8 * i, 8, &block[i]);
		if (err)
			return err;
	}
	for (i = 0; i < 8; i++) {
		err = memory->write(context, regs->gp[insn->reg] + 8 * i, 8, block[i]);
		if (err)
			return err;
	}
	regs->ip += insn->length;
	return 0;
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
	case LENS_OP_MOVS: case LENS_OP_STOS: case LENS_OP_LODS:
		return emulate_string(insn, regs, memory, context);
	case LENS_OP_BIT:
		return emulate_bit(insn, regs, memory, context);
	case LENS_OP_MOVDIR64B:
		return emulate_movdir64b(insn, regs, memory, context);
	case LENS_OP_NONE:
		return -EINVAL;
	default:
		return emulate_change(insn, regs, memory, context);
	}
	regs->ip += insn->length;
	return 0;
}
