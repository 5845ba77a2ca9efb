/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's names for the integers, for kmod/decode.c and emulate.c as they are built for the unit
 * tests. What userspace has under this name comes first.
 */
#pragma GCC system_header /* for include_next */
#include_next <linux/types.h>
#ifndef PCILENS_TEST_TYPES_H
#define PCILENS_TEST_TYPES_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#endif
