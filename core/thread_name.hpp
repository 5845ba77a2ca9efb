// What the calling thread is for, as `top -H`, gdb and perf show it.
#pragma once

#include <pthread.h>

namespace pcilens {

// At most 15 characters, as the kernel keeps; a longer name is not set.
inline void name_thread(const char* what) {
  ::pthread_setname_np(::pthread_self(), what);
}

}  // namespace pcilens
