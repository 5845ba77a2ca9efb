// Whether this is a build with AddressSanitizer or ThreadSanitizer, which bring an allocator of
// their own and keep to themselves what lies where.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PCILENS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PCILENS_SANITIZED 1
#endif
#ifndef PCILENS_SANITIZED
#define PCILENS_SANITIZED 0
#endif
