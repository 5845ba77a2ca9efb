// The options of every sub-command that opens a device: --device, --host, --trace, --watch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/target/session.hpp"

namespace CLI {
class App;
}

namespace pcilens::cli {

// What people see first: opened where nothing else is asked for.
inline constexpr const char* kDefaultDevice = "nvme";

struct SessionArguments {
  std::vector<std::string> devices;  // "edu", "./mycard.so,seed=1"
  std::string disk;                  // a file for the first device's option "disk"
  std::string host = "sim";
  std::string user;  // kmod: whom root becomes; empty: who called sudo
  std::string trace;
  std::string recording;               // a trace to look at, instead of a device
  std::vector<std::string> registers;  // and files with its registers (register_files.hpp)
  bool overwrite = false;              // an earlier trace of that name
  bool watch = false;
  bool no_hold = false, stacks = false;
  bool no_driver = false;
  // What of the trace could not be written, said at the session's end; empty: it is whole.
  std::shared_ptr<std::string> not_written = std::make_shared<std::string>();
};

// --overwrite, beside a --trace that has been added.
void add_overwrite_option(CLI::App& app, bool& overwrite);
void add_session_options(CLI::App& app, SessionArguments& arguments);
// "NAME[,option=value...]".
Result<DeviceChoice> parse_device(const std::string& text);
Result<SessionOptions> session_options(const SessionArguments& arguments);
// Whether the driver is held at its first access soon after opening.
bool will_be_held(const SessionArguments& arguments);
// The positional TRACE of those that show a recording as well.
void add_recording_option(CLI::App& app, SessionArguments& arguments);
// Opens it, with Ctrl-C kept for the console.
Result<std::unique_ptr<Target>> open(const SessionArguments& arguments);
// Ends it. `code`, or that of "cannot" where its trace could not be written to its end.
int end(std::unique_ptr<Target> target, const SessionArguments& arguments, int code);

}  // namespace pcilens::cli
