// SPDX-License-Identifier: GPL-2.0
/*
 * The instructions that compilers and the kernel's own assembly use on device
 * memory. Opcode tables: Intel SDM volume 2, appendix A.
 */
#include "decode.h"

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
	insn->base = LENS_NO_REGISTER;
	insn->index = LENS_NO_REGISTER;
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

/* The same where ModRM.reg is a register, or nothing. */
static int decode_operands(struct reader *r, const struct prefixes *p, struct lens_insn *insn)
{
	u8 field;

	return decode_modrm(r, p, insn, &field) ? 0 : -EINVAL;
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

/*
 * Known, and not emulated: how long it is and where its operand lies, so that it
 * can be named and passed over. -EINVAL where no memory is touched.
 */
static int refused(struct reader *r, const struct prefixes *p, struct lens_insn *insn,
		   unsigned int immediates)
{
	u8 field;

	if (!decode_modrm(r, p, insn, &field))
		return -EINVAL;
	while (immediates--)
		next(r);
	insn->op = LENS_OP_REFUSED;
	return -EOPNOTSUPP;
}

/* Opcodes of map 1 that have an immediate byte: pshufw, shifts, cmpps, pinsrw, shufps ... */
static bool has_immediate(u8 op)
{
	return (op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xc2 ||
	       (op >= 0xc4 && op <= 0xc6);
}

/* Opcodes of map 1 with the vector registers' operands, and what else takes a ModRM byte. */
static int decode_vector(struct reader *r, const struct prefixes *p, struct lens_insn *insn, u8 op)
{
	if (op != 0x77 && ((op >= 0x10 && op <= 0x17) || (op >= 0x28 && op <= 0x2f) ||
			   (op >= 0x50 && op <= 0x7f && op != 0x78 && op != 0x79) ||
			   op == 0xa4 || op == 0xa5 || op == 0xac || op == 0xad ||
			   op == 0xc2 || (op >= 0xc4 && op <= 0xc6) ||
			   (op >= 0xd0 && op <= 0xfe)))
		return refused(r, p, insn, has_immediate(op));
	return -EINVAL;
}

/* VEX and EVEX: the bits of REX are in the prefix, inverted, and so is the map. */
static int decode_vex(struct reader *r, struct prefixes *p, struct lens_insn *insn, u8 op)
{
	u8 first = next(r);
	u8 map = op == 0xc5 ? 1 : first & (op == 0x62 ? 7 : 0x1f);

	if (p->rex || p->operand || p->rep || p->repne || p->lock)
		return -EINVAL;
	p->rex = (~first >> 5) & (op == 0xc5 ? 4 : 7);
	if (op == 0x62 && (first & 8 || !(next(r) & 4)))
		return -EINVAL;	/* registers from r16 on: APX */
	if (op != 0xc5)
		next(r);
	op = next(r);
	if (!map || map > 6 || map == 4 || (map == 1 && op == 0x77))
		return -EINVAL;
	return refused(r, p, insn, map == 3 || (map == 1 && has_immediate(op)));
}

static int decode_two_byte(struct reader *r, const struct prefixes *p, struct lens_insn *insn)
{
	u8 op = next(r);
	u8 field;
	int err;

	sizes(p, insn, false);
	if ((op & 0xf0) == 0x40 || (op & 0xf0) == 0x90) {	/* cmov, set */
		insn->op = op < 0x50 ? LENS_OP_CMOV : LENS_OP_SET;
		insn->sub = op & 15;
		insn->size = op < 0x50 ? insn->size : 1;
		return decode_operands(r, p, insn);
	}
	switch (op) {
	case 0xaf:
		insn->op = LENS_OP_IMUL;
		return decode_operands(r, p, insn);
	case 0xb8: case 0xbc: case 0xbd:	/* popcnt, bsf, bsr; tzcnt and lzcnt with F3 */
		if (p->repne || (op == 0xb8 && !p->rep))
			return -EINVAL;
		insn->op = LENS_OP_COUNT;
		insn->sub = op == 0xb8 ? 4 : (op & 1) + 2 * p->rep;
		return decode_operands(r, p, insn);
	case 0xb6: case 0xb7: case 0xbe: case 0xbf:
		insn->op = LENS_OP_LOAD;
		insn->sign = op >= 0xbe;
		insn->size = op & 1 ? 2 : 1;
		return decode_operands(r, p, insn);
	case 0xc3:	/* movnti; with a prefix it raises #UD */
		if (p->operand || p->rep || p->repne)
			return -EINVAL;
		insn->op = LENS_OP_STORE;
		return decode_operands(r, p, insn);
	case 0xa3: case 0xab: case 0xb3: case 0xbb:
		insn->op = LENS_OP_BIT;
		insn->sub = (op >> 3) & 3;
		return decode_operands(r, p, insn);
	case 0xba:
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
		if (op == 0xf9 && !p->operand && !p->rep && !p->repne) {
			insn->op = LENS_OP_STORE;
			return decode_operands(r, p, insn);
		}
		if (op == 0xf8 && p->operand && !p->rep && !p->repne) {
			insn->op = LENS_OP_MOVDIR64B;
			insn->address_register = true;
			insn->size = 8;
			return decode_operands(r, p, insn);
		}
		insn->address_register = op == 0xf8;	/* ENQCMD, ENQCMDS */
		return refused(r, p, insn, 0);	/* movbe, SSE */
	case 0x3a:
		next(r);
		return refused(r, p, insn, 1);
	case 0xae:	/* clflush, clflushopt, clwb; the rest is about the FPU's state */
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		if (p->rep || p->repne || (field != 7 && !(field == 6 && p->operand)))
			return -EOPNOTSUPP;
		insn->op = LENS_OP_FLUSH;
		return 0;
	case 0xc7:	/* cmpxchg8b, cmpxchg16b */
		err = refused(r, p, insn, 0);
		if ((insn->reg & 7) != 1)
			insn->op = LENS_OP_NONE;
		return err;
	}
	return decode_vector(r, p, insn, op);
}

static int decode_one_byte(struct reader *r, const struct prefixes *p, struct lens_insn *insn,
			   u8 op)
{
	bool byte = !(op & 1);
	u8 field;

	sizes(p, insn, byte);
	if (op < 0x40 && (op & 7) < 4) {	/* ALU r/m,r and r,r/m */
		insn->op = LENS_OP_ALU;
		insn->sub = op >> 3;
		insn->to_memory = !(op & 2);
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		byte_register(p, insn);
		return 0;
	}
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
		insn->op = LENS_OP_LOAD;
		insn->sign = true;
		insn->size = insn->reg_size == 2 ? 2 : 4;
		return decode_operands(r, p, insn);
	case 0xa0: case 0xa1: case 0xa2: case 0xa3:
		insn->op = op < 0xa2 ? LENS_OP_LOAD : LENS_OP_STORE;
		insn->base = LENS_NO_REGISTER;
		insn->index = LENS_NO_REGISTER;
		insn->displacement = next_signed(r, p->address ? 4 : 8);
		return 0;
	case 0xa4: case 0xa5: case 0xaa: case 0xab: case 0xac: case 0xad:
		insn->op = op < 0xa8 ? LENS_OP_MOVS : op < 0xac ? LENS_OP_STOS : LENS_OP_LODS;
		insn->rep = p->rep || p->repne;
		insn->base = LENS_NO_REGISTER;
		insn->index = LENS_NO_REGISTER;
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
		if (field > 3) {	/* mul, div with a memory operand */
			insn->op = LENS_OP_REFUSED;
			return -EOPNOTSUPP;
		}
		insn->op = field == 2 ? LENS_OP_NOT : LENS_OP_NEG;
		return 0;
	case 0xfe: case 0xff:
		if (!decode_modrm(r, p, insn, &field))
			return -EINVAL;
		if (field > 1)
			return field == 6 ? -EOPNOTSUPP : -EINVAL;
		insn->op = field ? LENS_OP_DEC : LENS_OP_INC;
		return 0;
	case 0xa6: case 0xa7: case 0xae: case 0xaf:	/* cmps, scas */
		insn->op = LENS_OP_REFUSED;
		insn->base = LENS_DI;
		insn->index = LENS_NO_REGISTER;
		insn->reg = LENS_SI;
		insn->address_register = op < 0xa8;
		return -EOPNOTSUPP;
	case 0x69: case 0x6b:
		insn->op = LENS_OP_IMUL;
		if (decode_operands(r, p, insn))
			return -EINVAL;
		immediate(r, insn, op == 0x6b ? 1 : insn->size == 2 ? 2 : 4);
		return 0;
	case 0xc0: case 0xc1: case 0xd0: case 0xd1: case 0xd2: case 0xd3:	/* shifts */
		return refused(r, p, insn, op < 0xd0);
	case 0x8f:	/* pop: the stack would be wrong without it */
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
	else if (op == 0x62 || op == 0xc4 || op == 0xc5)
		err = decode_vex(&r, &p, insn, op);
	else
		err = decode_one_byte(&r, &p, insn, op);
	if (!err && p.segment)
		err = -EOPNOTSUPP;	/* per-CPU and TLS data is never device memory */
	if (r.bad)
		err = -EINVAL;
	if (err && (insn->op != LENS_OP_REFUSED || err == -EINVAL || p.segment))
		insn->op = LENS_OP_NONE;
	insn->length = r.at;
	return err;
}
