// SPDX-License-Identifier: GPL-2.0
/*
 * From an access to a cookie to lens_access(). A cookie is no canonical address,
 * so the access raises #GP (#SS where rbp or rsp is the base), the die notifier
 * decodes it, and sends the thread through the trampoline, where the access is
 * emulated outside of the exception and can wait.
 */
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>

#include <asm/trapnr.h>

#include "decode.h"
#include "function.h"

#define TRAPS	1024

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

static void lens_trap_give(struct lens_trap *trap)
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

static u8 lens_read_code(unsigned long ip, u8 *code)
{
	u8 n;

	if (ip < TASK_SIZE_MAX)
		return 0;
	if (!copy_from_kernel_nofault(code, (void *)ip, LENS_INSN_MAX))
		return LENS_INSN_MAX;
	for (n = 0; n < LENS_INSN_MAX; n++) {
		if (copy_from_kernel_nofault(code + n, (void *)(ip + n), 1))
			break;
	}
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
static void lens_explain(const struct lens_regs *regs, const u8 *code, u8 code_bytes, int err)
{
	struct lens_function *fn;
	int i;

	for (i = 0; i < 16; i++) {
		if (!lens_is_cookie(regs->gp[i]))
			continue;
		fn = lens_get(&lens_functions[lens_cookie_function(regs->gp[i])]);
		if (!fn)
			continue;
		atomic64_inc(&fn->stat.refused);
		pr_warn("pcilens: function %u BAR%d+0x%llx: %pS touches it with an instruction that is %s: %*ph\n",
			fn->id, lens_cookie_bar(regs->gp[i]),
			regs->gp[i] & LENS_COOKIE_OFFSET_MASK, (void *)regs->ip,
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

static int lens_die(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;
	struct pt_regs *pt = args->regs;
	u8 code[LENS_INSN_MAX];
	struct lens_trap *trap;
	struct lens_insn insn;
	struct lens_regs regs;
	u8 code_bytes;
	int err;

	if (!(event == DIE_GPF || (event == DIE_TRAP && args->trapnr == X86_TRAP_SS)) ||
	    user_mode(pt))
		return NOTIFY_DONE;
	code_bytes = lens_read_code(pt->ip, code);
	lens_regs_from(&regs, pt);
	err = lens_decode(code, code_bytes, &insn);
	if (err && insn.op != LENS_OP_REFUSED) {
		lens_explain(&regs, code, code_bytes, err);
		return NOTIFY_DONE;
	}
	if (!lens_is_ours(&insn, &regs))
		return NOTIFY_DONE;
	if (in_nmi()) {
		pr_warn("pcilens: device access in an NMI at %pS cannot be emulated\n",
			(void *)pt->ip);
		return NOTIFY_DONE;
	}
	trap = lens_trap_take();
	if (!trap)
		return NOTIFY_STOP;	/* again, from the start */
	lens_mend_flags(pt);
	trap->ax = pt->ax;
	trap->ip = pt->ip;
	trap->flags = pt->flags;
	trap->sp = pt->sp;
	trap->insn = insn;
	memcpy(trap->code, code, sizeof(trap->code));
	trap->code_bytes = code_bytes;

	/* Nothing can be pushed here: this very pt_regs lies below pt->sp. */
	pt->ax = (unsigned long)trap;
	pt->ip = (unsigned long)lens_trampoline;
	pt->flags &= ~(X86_EFLAGS_AC | X86_EFLAGS_DF | X86_EFLAGS_NT);
	return NOTIFY_STOP;
}

struct lens_access_context {
	struct lens_site site;
	bool rep;
	bool lock;
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

static int lens_read(void *data, u64 address, u8 size, u64 *value)
{
	if (address < TASK_SIZE_MAX)
		return -EFAULT;
	if (lens_is_cookie(address))
		*value = lens_cookie_access(data, address, size, false, 0);
	else
		*value = lens_load((void *)address, size);
	return 0;
}

static int lens_write(void *data, u64 address, u8 size, u64 value)
{
	if (address < TASK_SIZE_MAX)
		return -EFAULT;
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
	struct lens_access_context context;
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
	if (err) {
		pr_warn_ratelimited("pcilens: %pS: the access was skipped, error %d: %*ph\n",
				    (void *)pt->ip, err, context.site.code_bytes,
				    context.site.code);
		regs.ip += insn.length;
	}
	regs.flags &= ~X86_EFLAGS_RF;	/* a fault sets it; the access is over */
	lens_regs_to(pt, &regs);
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
