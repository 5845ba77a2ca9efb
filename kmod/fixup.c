// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses that are allowed to fault: copy_to_user() and copy_from_user() straight
 * on a BAR, copy_from_kernel_nofault(), and all else that has an entry in the
 * kernel's exception table.
 *
 * The kernel looks at that table before it asks the die notifier, and an access to a
 * cookie would end there. So fixup_exception() is entered by a kprobe, and what is
 * ours never gets to the table. For all that goes on without it the notifier is
 * still there, also where this kprobe is missed (in an interrupt on top of itself).
 */
#include <linux/kprobes.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include <asm/extable.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>

#include "function.h"
#include "trap.h"

/* A direct call: where the CPU tracks indirect branches the function is no target of one. */
DEFINE_STATIC_CALL_RET0(lens_fixup, fixup_exception);

/* fixup_exception(pt, trapnr, error_code, fault_addr) */
static int __kprobes lens_fixup_entered(struct kprobe *p, struct pt_regs *regs)
{
	struct pt_regs *pt = (struct pt_regs *)regs->di;

	if ((int)regs->si != X86_TRAP_GP || !lens_trap(pt))
		return 0;
	return lens_override(regs, 1);
}

/* copy_from_kernel_nofault_allowed(from, size) wants an address of the kernel's. */
static int __kprobes lens_nofault_entered(struct kprobe *p, struct pt_regs *regs)
{
	if (!lens_is_cookie(regs->di))
		return 0;
	return lens_override(regs, true);
}

static struct kprobe lens_fixup_probe = {
	.symbol_name = "fixup_exception",
	.pre_handler = lens_fixup_entered,
	.post_handler = lens_post,
};

static struct kprobe lens_nofault_probe = {
	.symbol_name = "copy_from_kernel_nofault_allowed",
	.pre_handler = lens_nofault_entered,
	.post_handler = lens_post,
};

/**
 * lens_may_fault - whether an access may touch user memory
 * @pt: the registers of the access
 *
 * A user pointer in an access that has no exception table entry, or outside of what
 * stac allows, is a mistake, and would be an oops on real hardware.
 */
bool lens_may_fault(const struct pt_regs *pt)
{
	struct pt_regs copy = *pt;

	if (boot_cpu_has(X86_FEATURE_SMAP) && !(pt->flags & X86_EFLAGS_AC))
		return false;
	return static_call(lens_fixup)(&copy, X86_TRAP_PF, 0, 0);
}

/**
 * lens_fault - end an access as the fault of one of its operands does
 * @pt: the registers as the fault would find them; get those of the fixup
 * @address: of the operand
 * @write: or read
 *
 * Return: whether the access has a fixup
 */
bool lens_fault(struct pt_regs *pt, unsigned long address, bool write)
{
	return static_call(lens_fixup)(pt, X86_TRAP_PF, write ? X86_PF_WRITE : 0, address);
}

int lens_fixup_init(void)
{
	int err = register_kprobe(&lens_fixup_probe);

	if (err) {
		pr_err("pcilens: no kprobe at %s(): error %d\n", lens_fixup_probe.symbol_name, err);
		return err;
	}
	static_call_update(lens_fixup, (typeof(fixup_exception) *)lens_fixup_probe.addr);
	err = register_kprobe(&lens_nofault_probe);
	if (err) {
		pr_err("pcilens: no kprobe at %s(): error %d\n", lens_nofault_probe.symbol_name,
		       err);
		unregister_kprobe(&lens_fixup_probe);
	}
	return err;
}

void lens_fixup_exit(void)
{
	unregister_kprobe(&lens_nofault_probe);
	unregister_kprobe(&lens_fixup_probe);
}
