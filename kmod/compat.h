/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between Linux 6.1 and 6.12, and nothing else. */
#ifndef LENS_COMPAT_H
#define LENS_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0) && defined(__ASSEMBLY__)
#define UNWIND_HINT_UNDEFINED UNWIND_HINT_EMPTY
#endif

#endif
