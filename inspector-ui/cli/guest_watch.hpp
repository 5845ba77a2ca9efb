// Looks after a guest that runs: what its kernel and its start script say, and how it ended.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "core/target/driver_report.hpp"
#include "core/target/kernel_log.hpp"

namespace pcilens::cli {

// The start script's last line, before the runtime's exit code.
inline constexpr std::string_view kRuntimeEnded = "@ended";

// A file that somebody else writes, line by line.
class GrowingFile {
 public:
  explicit GrowingFile(std::string path) : path_(std::move(path)) {}
  // Lines that have been completed since it was asked last.
  std::vector<std::string> more();

 private:
  std::string path_;
  std::uint64_t read_to_ = 0;
};

class GuestWatch {
 public:
  struct Options {
    int qemu = -1;           // process id, of a child whose exit status stays to be taken
    std::string console;     // file: what the kernel says
    std::string said;        // file: what the start script and the runtime say
    std::string complaints;  // file: what of the kernel is a complaint
    // Ends the connection to a runtime that is no more; false: there is none yet.
    std::function<bool()> hang_up;
  };
  static Result<std::unique_ptr<GuestWatch>> start(Options options);
  ~GuestWatch();
  GuestWatch(const GuestWatch&) = delete;
  GuestWatch& operator=(const GuestWatch&) = delete;

  // How the guest or its runtime has ended, in one sentence, waited for a few seconds; empty where
  // they live. Any thread.
  std::string why_ended();
  // What the kernel says.
  const KernelLog& log() const { return *log_; }
  // From here on the kernel's complaints are told, and once what became of the drivers, on a thread
  // of the watch's own; at first what was so far.
  struct Listener {
    std::function<void(const KernelLog::Complaint&)> complained;
    std::function<void(Binding, const std::string& text)> bound;
  };
  void listen(Listener listener);
  // The end is wanted: nobody waits for its reason any longer. Then join(): nothing is told any
  // more.
  void stop();
  void join();

 private:
  GuestWatch(Options options, std::unique_ptr<KernelLog> log);
  void run();
  void read(bool last);
  void tell(std::vector<KernelLog::Complaint> complaints);
  void tell_binding();
  void ended(std::string how);
  std::string why_qemu_ended(int status) const;

  const Options options_;
  GrowingFile console_, said_;
  const std::unique_ptr<KernelLog> log_;
  // The watching thread's.
  std::string panic_;       // the kernel's sentence
  std::string last_words_;  // of the runtime
  int runtime_code_ = -1;   // -1: it has not ended
  DriverReport drivers_;
  bool drivers_told_ = false;

  std::mutex mutex_;
  std::condition_variable known_;
  std::string how_;
  bool stopping_ = false;
  Listener listener_;
  std::vector<KernelLog::Complaint> untold_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace pcilens::cli
