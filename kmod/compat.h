/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between Linux 6.1 and 6.12, and nothing else. Kbuild finds out which it is. */
#ifndef LENS_COMPAT_H
#define LENS_COMPAT_H

#if defined(__ASSEMBLY__) && !defined(LENS_UNWIND_HINT_UNDEFINED)
#define UNWIND_HINT_UNDEFINED UNWIND_HINT_EMPTY
#endif

#ifndef __ASSEMBLY__
#include <linux/mm.h>
#include <linux/pci.h>

/* Only the driver of that name may bind; NULL: any. */
static inline void lens_set_driver_override(struct pci_dev *pdev, const char *name)
{
#ifdef LENS_DEVICE_DRIVER_OVERRIDE
	device_set_driver_override(&pdev->dev, name ?: "");
#else
	driver_set_override(&pdev->dev, &pdev->driver_override, name ?: "",
			    name ? strlen(name) : 0);
#endif
}

/* Of a mapping that is being made and that nobody else sees yet. */
static inline void lens_vm_flags_add(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef LENS_VM_FLAGS_INIT
	vm_flags_init(vma, vma->vm_flags | flags);
#else
	vma->vm_flags |= flags;
#endif
}

static inline void lens_release_fault_lock(struct vm_fault *vmf)
{
#ifdef LENS_RELEASE_FAULT_LOCK
	release_fault_lock(vmf);
#else
	mmap_read_unlock(vmf->vma->vm_mm);
#endif
}
#endif

#endif
