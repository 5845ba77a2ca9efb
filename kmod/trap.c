// SPDX-License-Identifier: GPL-2.0
/*
 * From an access to a cookie to lens_access(). A cookie is no canonical address,
 * so the access raises #GP (#SS where rbp or rsp is the base). It is decoded in the
 * exception (see fixup.c, and the die notifier for #SS), which then returns to the
 * trampoline, where the access is emulated outside of it and can wait.
 */
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>

#include <asm/trapnr.h>

#include "decode.h"
#include "function.h"
#include "trap.h"

#define TRAPS	1024

static struct lens_trap lens_traps[TRAPS];
static unsigned long lens_traps_map[BITS_TO_LONGS(TRAPS)];

/* A trap is taken from here to the trampoline's first lines of C. */
static struct lens_trap *lens_trap_take(void)
{
	unsigned int start = raw_smp_processor_id() * 8 % TRAPS;
	unsigned int i, n;

	for (n = 0; n < TRAPS; n++) {
		i = (start + n) % TRAPS;
		if (!test_bit(i, lens_traps_map) && !test_and_set_bit_lock(i, lens_traps_map))
			return &lens_traps[i];
	}
	return NULL;
}

void lens_trap_give(struct lens_trap *trap)
{
	clear_bit_unlock(trap - lens_traps, lens_traps_map);
}

void lens_regs_from(struct lens_regs *to, const struct pt_regs *from)
{
	*to = (struct lens_regs) {
		.gp = {
			from->ax, from->cx, from->dx, from->bx,
			from->sp, from->bp, from->si, from->di,
			from->r8, from->r9, from->r10, from->r11,
			from->r12, from->r13, from->r14, from->r15,
		},
		.ip = from->ip,
		.flags = from->flags,
	};
}

/* Not sp: no instruction that we emulate changes it. */
void lens_regs_to(struct pt_regs *to, const struct lens_regs *from)
{
	to->ax = from->gp[0];
	to->cx = from->gp[1];
	to->dx = from->gp[2];
	to->bx = from->gp[3];
	to->bp = from->gp[5];
	to->si = from->gp[6];
	to->di = from->gp[7];
	to->r8 = from->gp[8];
	to->r9 = from->gp[9];
	to->r10 = from->gp[10];
	to->r11 = from->gp[11];
	to->r12 = from->gp[12];
	to->r13 = from->gp[13];
	to->r14 = from->gp[14];
	to->r15 = from->gp[15];
	to->ip = from->ip;
	to->flags = from->flags;
}

/* Inline: copy_from_kernel_nofault() costs more, and has a kprobe of ours inside. */
static u8 lens_read_code(unsigned long ip, u8 *code)
{
	u8 n = 0;

	if (ip < TASK_SIZE_MAX)
		return 0;
	pagefault_disable();
	__get_kernel_nofault(code, ip, u64, by_bytes);
	__get_kernel_nofault(code + LENS_INSN_MAX - 8, ip + LENS_INSN_MAX - 8, u64, by_bytes);
	pagefault_enable();
	return LENS_INSN_MAX;

by_bytes:
	for (; n < LENS_INSN_MAX; n++)
		__get_kernel_nofault(code + n, ip + n, u8, out);
out:
	pagefault_enable();
	return n;
}

static bool lens_is_ours(const struct lens_insn *insn, const struct lens_regs *regs)
{
	if (lens_is_cookie(lens_address(insn, regs)))
		return true;
	if (insn->op == LENS_OP_MOVS)
		return lens_is_cookie(regs->gp[LENS_SI]);
	return insn->address_register && lens_is_cookie(regs->gp[insn->reg]);
}

/* An oops follows; say whose fault it is and why. */
static void lens_explain(const struct pt_regs *pt, const u8 *code, u8 code_bytes, int err)
{
	struct lens_function *fn;
	struct lens_regs regs;
	int i;

	lens_regs_from(&regs, pt);
	for (i = 0; i < 16; i++) {
		if (!lens_is_cookie(regs.gp[i]))
			continue;
		fn = lens_get(&lens_functions[lens_cookie_function(regs.gp[i])]);
		if (!fn)
			continue;
		atomic64_inc(&fn->stat.refused);
		pr_warn("pcilens: function %u BAR%d+0x%llx: %pS touches it with an instruction that is %s: %*ph\n",
			fn->id, lens_cookie_bar(regs.gp[i]), regs.gp[i] & LENS_COOKIE_OFFSET_MASK,
			(void *)regs.ip,
			err == -EOPNOTSUPP ? "not emulated" : "not known", code_bytes, code);
		lens_put(fn);
		return;
	}
}

#define LENS_FLAGS_ARITHMETIC	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
				 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)
#define LENS_FLAGS_NONE		(~0x3f7fd7UL)

/*
 * Bits of EFLAGS that no CPU has set and no instruction can set. QEMU's TCG was seen
 * to have them, once in 600 stops of the soak: it had lost track of its flags, NT
 * among them, with which the next iretq faults.
 */
static void lens_mend_flags(struct pt_regs *pt)
{
	if (likely(!(pt->flags & LENS_FLAGS_NONE)))
		return;
	pr_warn_once("pcilens: EFLAGS are 0x%lx at %pS, which no CPU can have: the emulator has lost them\n",
		     pt->flags, (void *)pt->ip);
	pt->flags &= X86_EFLAGS_IF | LENS_FLAGS_ARITHMETIC;
	pt->flags |= X86_EFLAGS_FIXED;
}

/* 0: it is ours; -ENOENT: it is not; else why it can neither be emulated nor passed over. */
static int lens_trap_decode(const struct pt_regs *pt, struct lens_insn *insn, u8 *code,
			    u8 *code_bytes)
{
	struct lens_regs regs;
	int err;

	*code_bytes = lens_read_code(pt->ip, code);
	lens_regs_from(&regs, pt);
	err = lens_decode(code, *code_bytes, insn);
	if (err && insn->op != LENS_OP_REFUSED)
		return err;
	return lens_is_ours(insn, &regs) ? 0 : -ENOENT;
}

/* Sends the thread through the trampoline; an exception returns there. */
static bool lens_trap_enter(struct pt_regs *pt, const struct lens_insn *insn, const u8 *code,
			    u8 code_bytes)
{
	struct lens_trap *trap;

	if (in_nmi()) {
		pr_warn("pcilens: device access in an NMI at %pS cannot be emulated\n",
			(void *)pt->ip);
		return false;
	}
	trap = lens_trap_take();
	if (!trap)
		return true;	/* again, from the start */
	lens_mend_flags(pt);
	trap->ax = pt->ax;
	trap->ip = pt->ip;
	trap->flags = pt->flags;
	trap->sp = pt->sp;
	trap->insn = *insn;
	memcpy(trap->code, code, sizeof(trap->code));
	trap->code_bytes = code_bytes;

	/* Nothing can be pushed here: this very pt_regs lies below pt->sp. */
	pt->ax = (unsigned long)trap;
	pt->ip = (unsigned long)lens_trampoline;
	pt->flags &= ~(X86_EFLAGS_AC | X86_EFLAGS_DF | X86_EFLAGS_NT);
	return true;
}

/**
 * lens_trap - take over an access that has raised #GP
 * @pt: its registers
 *
 * Return: whether it is ours; then the exception is to return, and nothing else. What
 * is not emulated, but may be passed over, is left to the exception table first
 */
bool lens_trap(struct pt_regs *pt)
{
	u8 code[LENS_INSN_MAX];
	struct lens_insn insn;
	u8 code_bytes;

	return !user_mode(pt) && !lens_trap_decode(pt, &insn, code, &code_bytes) &&
	       insn.op != LENS_OP_REFUSED && lens_trap_enter(pt, &insn, code, code_bytes);
}

static int lens_die(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;
	struct pt_regs *pt = args->regs;
	u8 code[LENS_INSN_MAX];
	struct lens_insn insn;
	u8 code_bytes;
	int err;

	if (!(event == DIE_GPF || (event == DIE_TRAP && args->trapnr == X86_TRAP_SS)) ||
	    user_mode(pt))
		return NOTIFY_DONE;
	err = lens_trap_decode(pt, &insn, code, &code_bytes);
	if (!err)
		return lens_trap_enter(pt, &insn, code, code_bytes) ? NOTIFY_STOP : NOTIFY_DONE;
	if (err != -ENOENT)
		lens_explain(pt, code, code_bytes, err);
	return NOTIFY_DONE;
}

static struct notifier_block lens_die_notifier = {
	.notifier_call = lens_die,
	.priority = INT_MAX - 1,	/* after the kprobes' */
};

int lens_trap_init(void)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT)) {
		pr_err("pcilens: a kernel with CONFIG_PREEMPT_COUNT is needed, to know where a driver may be held\n");
		return -EOPNOTSUPP;
	}
	return register_die_notifier(&lens_die_notifier);
}

void lens_trap_exit(void)
{
	unregister_die_notifier(&lens_die_notifier);
	/* Threads may still be between the exception and the end of the trampoline. */
	synchronize_rcu_tasks();
}
