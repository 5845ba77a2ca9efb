// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers in userspace: a mapping of sysfs' resourceN has no pages of ours. Each
 * access faults, and is emulated in the fault, with the registers that the
 * thread entered the kernel with. Where a BAR is plain memory it has pages.
 */
#include <linux/file.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "function.h"
#include "trap.h"

struct lens_user_access {
	struct lens_site site;
	struct lens_function *fn;
	int bar;
	u64 start;	/* of the mapping, in the address space and in the BAR */
	u64 end;
	u64 offset;
};

static bool lens_user_is_bar(const struct lens_user_access *access, u64 address, u8 size)
{
	return address >= access->start && address <= access->end - size;
}

static int lens_user_read(void *context, u64 address, u8 size, u64 *value)
{
	struct lens_user_access *access = context;

	*value = 0;
	if (!lens_user_is_bar(access, address, size))
		return copy_from_user(value, (void __user *)address, size) ? -EFAULT : 0;
	*value = lens_access(access->fn, &access->site, access->bar,
			     address - access->start + access->offset, size, false, 0);
	return 0;
}

static int lens_user_write(void *context, u64 address, u8 size, u64 value)
{
	struct lens_user_access *access = context;

	if (!lens_user_is_bar(access, address, size))
		return copy_to_user((void __user *)address, &value, size) ? -EFAULT : 0;
	lens_access(access->fn, &access->site, access->bar,
		    address - access->start + access->offset, size, true, value);
	return 0;
}

static bool lens_user_again(void *context)
{
	return !fatal_signal_pending(current);
}

static const struct lens_memory lens_user_memory = {
	.read = lens_user_read,
	.write = lens_user_write,
	.again = lens_user_again,
};

/* Without any lock: reading the instruction may fault, and the answer may be late. */
static int lens_user_emulate(struct lens_user_access *access, struct pt_regs *pt)
{
	struct lens_regs regs;
	struct lens_insn insn;
	unsigned long left;
	int err;

	lens_site_init(&access->site, pt->ip);
	access->site.flags |= PCILENS_F_USER;
	left = copy_from_user(access->site.code, (void __user *)pt->ip, LENS_INSN_MAX);
	access->site.code_bytes = LENS_INSN_MAX - left;
	err = lens_decode(access->site.code, access->site.code_bytes, &insn);
	access->site.instruction_bytes = insn.length;
	lens_regs_from(&regs, pt);
	if (err) {
		u64 offset = lens_address(&insn, &regs) - access->start + access->offset;

		pr_warn_ratelimited("pcilens: function %u: %s[%d] touches BAR%d with an instruction that is not emulated: %*ph\n",
				    access->fn->id, current->comm, task_pid_nr(current),
				    access->bar, access->site.code_bytes, access->site.code);
		lens_access_refused(access->fn, &access->site, access->bar,
				    insn.op == LENS_OP_REFUSED ? offset : 0);
		return err;
	}
	if (insn.rep)
		access->site.flags |= PCILENS_F_REP;
	if (insn.lock)
		access->site.flags |= PCILENS_F_LOCKED;
	err = lens_emulate(&insn, &regs, &lens_user_memory, access);
	if (!err)
		lens_regs_to(pt, &regs);
	return err;
}

/* Plain memory: its pages, which live until the last mapping is gone. */
static bool lens_user_direct(const struct lens_user_access *access, struct vm_fault *vmf)
{
	u64 offset = (vmf->address & PAGE_MASK) - access->start + access->offset;

	if (!lens_is_direct(access->fn, access->bar, offset, PAGE_SIZE))
		return false;
	vmf->page = vmalloc_to_page(access->fn->bar[access->bar].shadow + offset);
	get_page(vmf->page);
	return true;
}

static vm_fault_t lens_user_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct pt_regs *pt = task_pt_regs(current);
	struct lens_user_access access;
	u64 cookie = (u64)vma->vm_private_data;
	struct file *file;
	int err;

	access.fn = lens_get(&lens_functions[lens_cookie_function(cookie)]);
	if (!access.fn)
		return VM_FAULT_SIGBUS;
	access.bar = lens_cookie_bar(cookie);
	access.start = vma->vm_start;
	access.end = vma->vm_end;
	access.offset = (cookie + ((u64)vma->vm_pgoff << PAGE_SHIFT)) & LENS_COOKIE_OFFSET_MASK;
	if (lens_user_direct(&access, vmf)) {
		lens_put(access.fn);
		return 0;
	}
	/* Not for ptrace, get_user_pages() or copy_to_user(). */
	if (!(vmf->flags & FAULT_FLAG_USER) || vmf->flags & FAULT_FLAG_REMOTE ||
	    !user_64bit_mode(pt)) {
		lens_put(access.fn);
		return VM_FAULT_SIGBUS;
	}

	/*
	 * Our caller, kernfs, looks at the file again when this returns. The
	 * reference goes at the return to userspace, after that.
	 */
	file = get_file(vma->vm_file);
	lens_release_fault_lock(vmf);
	err = lens_user_emulate(&access, pt);
	lens_put(access.fn);
	fput(file);
	if (err)
		force_sig(SIGBUS);
	return VM_FAULT_COMPLETED | VM_FAULT_NOPAGE;
}

/* kernfs has one, so pages come read-only at first; only plain memory has pages. */
static vm_fault_t lens_user_mkwrite(struct vm_fault *vmf)
{
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct lens_user_vm_ops = {
	.fault = lens_user_fault,
	.page_mkwrite = lens_user_mkwrite,
};

/* remap_pfn_range(vma, address, pfn, size, prot) of a BAR of ours */
static int __kprobes lens_user_map(struct kprobe *p, struct pt_regs *regs)
{
	struct vm_area_struct *vma = (void *)regs->di;
	phys_addr_t phys = (phys_addr_t)regs->dx << PAGE_SHIFT;
	u64 cookie, offset;
	int bar;
	u32 i;

	for (i = 0; i < LENS_FUNCTIONS; i++) {
		struct lens_function *fn = lens_get(&lens_functions[i]);
		bool found, direct;

		if (!fn)
			continue;
		found = lens_bus_has(fn, phys, &bar, &offset);
		direct = found && fn->bar[bar].direct_end;
		/*
		 * The offset that page offset 0 would have: a mapping that is
		 * split later keeps its private data, but not its page offset.
		 */
		offset -= (u64)vma->vm_pgoff << PAGE_SHIFT;
		cookie = lens_cookie(fn, bar, offset & LENS_COOKIE_OFFSET_MASK);
		lens_put(fn);
		if (!found)
			continue;
		if (regs->si != vma->vm_start || regs->cx != vma->vm_end - vma->vm_start)
			return lens_override(regs, -EINVAL);
		vma->vm_private_data = (void *)cookie;
		vma->vm_ops = &lens_user_vm_ops;
		/* With memory in it there are pages, which are cached. */
		if (direct)
			vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
		lens_vm_flags_add(vma, VM_IO | (direct ? VM_MIXEDMAP : VM_PFNMAP) |
				  VM_DONTEXPAND | VM_DONTDUMP);
		return lens_override(regs, 0);
	}
	return 0;
}

static struct kprobe lens_user_probe = {
	.symbol_name = "remap_pfn_range",
	.pre_handler = lens_user_map,
	.post_handler = lens_post,
};

int lens_user_map_init(void)
{
	return register_kprobe(&lens_user_probe);
}

void lens_user_map_exit(void)
{
	unregister_kprobe(&lens_user_probe);
}
