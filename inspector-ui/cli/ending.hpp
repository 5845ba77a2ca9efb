// How the program ends when it is told to from outside: nothing recorded is lost, and no file of
// its own is left behind.
#pragma once

#include <thread>

namespace pcilens::cli {

// First of all: a descriptor of 0 to 2 that is closed would be taken by the next file that is
// opened, and written to as if it were standard output. And a pipe whose reader has gone is an
// error of its writer, not the program's end.
void guard_standard_streams();

// SIGTERM and SIGHUP (and SIGINT where `interrupt` says so) close all recordings and then end the
// program as they do by themselves. Before the first thread is made.
void end_on_signals(bool interrupt = false);

// While it lives, SIGINT, SIGTERM and SIGHUP do the same at once: for a start that takes a while,
// and that nobody answers for yet. Who comes after it finds them blocked. Before any other thread
// is made.
class EndOnSignals {
 public:
  EndOnSignals();
  ~EndOnSignals();
  EndOnSignals(const EndOnSignals&) = delete;
  EndOnSignals& operator=(const EndOnSignals&) = delete;

 private:
  int signals_, stop_;  // file descriptors
  std::thread thread_;
};

// For who serves until it is told to end: SIGINT, SIGTERM and SIGHUP wait for
// wait_for_end_signal(), and its caller closes everything. Before the first thread is made.
void block_end_signals();
void wait_for_end_signal();

// Exit code of a program whose standard output could not take everything: 141 where its reader has
// gone, as a shell tells it; else that of "cannot", and why. `code` where all was written.
// `error`: the errno of a write that failed, where it is known.
int check_output(int code, int error = 0);

}  // namespace pcilens::cli
