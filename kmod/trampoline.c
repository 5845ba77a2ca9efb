// SPDX-License-Identifier: GPL-2.0
/*
 * An access outside of the exception that it raised: in the driver's thread, on its
 * stack, with its interrupt flag. May sleep where the driver may.
 */
#include <linux/printk.h>
#include <linux/uaccess.h>

#include "decode.h"
#include "function.h"
#include "trap.h"

struct lens_access_context {
	struct lens_site site;
	const struct pt_regs *pt;
	bool asked;		/* whether it may touch user memory */
	bool may_fault;
	bool faulted;		/* it did, here */
	bool fault_write;
	u64 fault_address;
};

static u64 lens_cookie_access(struct lens_access_context *context, u64 address, u8 size,
			      bool write, u64 value)
{
	struct lens_function *fn = lens_get(&lens_functions[lens_cookie_function(address)]);

	if (!fn)
		return lens_ones(size);
	value = lens_access(fn, &context->site, lens_cookie_bar(address),
			    address & LENS_COOKIE_OFFSET_MASK, size, write, value);
	lens_put(fn);
	return value;
}

static bool lens_may_touch_user(struct lens_access_context *context, u64 address, u8 size)
{
	if (!context->asked)
		context->may_fault = lens_may_fault(context->pt);
	context->asked = true;
	return context->may_fault && access_ok((void __user *)address, size);
}

/*
 * The operand in user memory of a movs. By the instruction that the access itself is
 * made of, so that a fault is resolved, sleeps or fails as its own would.
 */
static int lens_user_load(u64 address, u8 size, u64 *value)
{
	void __user *from = (void __user *)address;
	u8 byte;
	u16 word;
	u32 dword;
	int err;

	switch (size) {
	case 1:
		err = __get_user(byte, (u8 __user *)from);
		*value = byte;
		return err;
	case 2:
		err = __get_user(word, (u16 __user *)from);
		*value = word;
		return err;
	case 4:
		err = __get_user(dword, (u32 __user *)from);
		*value = dword;
		return err;
	}
	return __get_user(*value, (u64 __user *)from);
}

static int lens_user_store(u64 address, u8 size, u64 value)
{
	void __user *to = (void __user *)address;

	switch (size) {
	case 1: return __put_user((u8)value, (u8 __user *)to);
	case 2: return __put_user((u16)value, (u16 __user *)to);
	case 4: return __put_user((u32)value, (u32 __user *)to);
	}
	return __put_user(value, (u64 __user *)to);
}

static int lens_user_fault(struct lens_access_context *context, u64 address, bool write)
{
	context->faulted = true;
	context->fault_address = address;
	context->fault_write = write;
	return -EFAULT;
}

static int lens_read(void *data, u64 address, u8 size, u64 *value)
{
	if (address < TASK_SIZE_MAX) {
		if (!lens_may_touch_user(data, address, size))
			return -EFAULT;
		return lens_user_load(address, size, value) ?
			lens_user_fault(data, address, false) : 0;
	}
	if (lens_is_cookie(address))
		*value = lens_cookie_access(data, address, size, false, 0);
	else
		*value = lens_load((void *)address, size);
	return 0;
}

static int lens_write(void *data, u64 address, u8 size, u64 value)
{
	if (address < TASK_SIZE_MAX) {
		if (!lens_may_touch_user(data, address, size))
			return -EFAULT;
		return lens_user_store(address, size, value) ?
			lens_user_fault(data, address, true) : 0;
	}
	if (lens_is_cookie(address))
		lens_cookie_access(data, address, size, true, value);
	else
		lens_store((void *)address, size, value);
	return 0;
}

static const struct lens_memory lens_trap_memory = {
	.read = lens_read,
	.write = lens_write,
};

/*
 * Known, not emulated. An oops would take the driver's thread away with all that
 * it holds, so the access ends as one that no device claims: what it writes is
 * lost, what it would load keeps its value, and everybody is told.
 */
static void lens_refuse(const struct lens_site *site, const struct lens_insn *insn,
			const struct lens_regs *regs)
{
	u64 address = lens_address(insn, regs);
	struct lens_function *fn;

	if (!lens_is_cookie(address))
		address = regs->gp[insn->reg];
	fn = lens_get(&lens_functions[lens_cookie_function(address)]);
	if (!fn)
		return;
	pr_warn_ratelimited("pcilens: function %u BAR%d+0x%llx: %pS touches it with an instruction that is not emulated; passed over: %*ph\n",
			    fn->id, lens_cookie_bar(address), address & LENS_COOKIE_OFFSET_MASK,
			    (void *)regs->ip, insn->length, site->code);
	lens_access_refused(fn, site, lens_cookie_bar(address), address & LENS_COOKIE_OFFSET_MASK);
	lens_put(fn);
}

/* Called by the trampoline, as if the driver had called it in place of the access. */
asmlinkage void lens_trap_access(struct pt_regs *pt, struct lens_trap *trap)
{
	struct lens_access_context context = { .pt = pt };
	struct lens_insn insn = trap->insn;
	struct lens_regs regs;
	int err = 0;

	lens_site_init(&context.site, pt->ip);
	memcpy(context.site.code, trap->code, sizeof(context.site.code));
	context.site.code_bytes = trap->code_bytes;
	lens_trap_give(trap);
	context.site.instruction_bytes = insn.length;
	if (insn.rep)
		context.site.flags |= PCILENS_F_REP;
	if (insn.lock)
		context.site.flags |= PCILENS_F_LOCKED;

	lens_regs_from(&regs, pt);
	if (insn.op == LENS_OP_REFUSED) {
		lens_refuse(&context.site, &insn, &regs);
		regs.ip += insn.length;
	} else {
		err = lens_emulate(&insn, &regs, &lens_trap_memory, &context);
	}
	if (context.faulted) {
		/* What of a rep movs is done stays done, and its fixup finds the rest. */
		regs.flags &= ~X86_EFLAGS_RF;
		lens_regs_to(pt, &regs);
		if (lens_fault(pt, context.fault_address, context.fault_write))
			return;
	}
	if (err) {
		pr_warn_ratelimited("pcilens: %pS: the access was skipped, error %d: %*ph\n",
				    (void *)pt->ip, err, context.site.code_bytes,
				    context.site.code);
		regs.ip += insn.length;
	}
	regs.flags &= ~X86_EFLAGS_RF;	/* a fault sets it; the access is over */
	lens_regs_to(pt, &regs);
}
