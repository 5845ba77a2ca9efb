// What sub-commands that serve until they are told to end have in common.
#pragma once

namespace pcilens::cli {

// SIGINT, SIGTERM and SIGHUP wait for wait_for_end_signal(). Before the first thread is made.
void block_end_signals();
void wait_for_end_signal();

}  // namespace pcilens::cli
