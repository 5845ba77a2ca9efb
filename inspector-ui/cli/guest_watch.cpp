#include "inspector-ui/cli/guest_watch.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/thread_name.hpp"

namespace pcilens::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 50ms;
// A kernel that panics says so, and then QEMU ends: both are there long before this.
constexpr auto kPatience = 5s;
constexpr std::string_view kRuntimeSays = "pcilens: ";

}  // namespace

std::vector<std::string> GrowingFile::more() {
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(read_to_));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  text.resize(text.rfind('\n') + 1);  // npos + 1 is 0
  read_to_ += text.size();
  std::vector<std::string> lines;
  for (std::size_t at = 0, end; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<std::unique_ptr<GuestWatch>> GuestWatch::start(Options options) {
  std::ifstream file(options.complaints);
  const std::string complaints{std::istreambuf_iterator<char>(file), {}};
  if (complaints.empty())
    return fail(options.complaints + ": cannot be read; install pcilens again");
  auto log = KernelLog::create(complaints);
  if (!log) return tl::unexpected(log.error());
  return std::unique_ptr<GuestWatch>(new GuestWatch(std::move(options), std::move(*log)));
}

GuestWatch::GuestWatch(Options options, std::unique_ptr<KernelLog> log)
    : options_(std::move(options)),
      console_(options_.console),
      said_(options_.said),
      log_(std::move(log)),
      thread_([this] { run(); }) {}

GuestWatch::~GuestWatch() {
  stop();
  join();
}

void GuestWatch::join() {
  if (thread_.joinable()) thread_.join();
}

std::string GuestWatch::why_ended() {
  std::unique_lock lock(mutex_);
  known_.wait_for(lock, kPatience, [this] { return stopping_ || !how_.empty(); });
  return how_;
}

void GuestWatch::listen(Listener listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void GuestWatch::tell(std::vector<KernelLog::Complaint> complaints) {
  decltype(listener_.complained) complained;
  {
    const std::lock_guard lock(mutex_);
    untold_.insert(untold_.end(), complaints.begin(), complaints.end());
    if (!listener_.complained) return;
    complained = listener_.complained;
    complaints = std::exchange(untold_, {});
  }
  for (const auto& complaint : complaints) complained(complaint);
}

void GuestWatch::tell_binding() {
  decltype(listener_.bound) bound;
  {
    const std::lock_guard lock(mutex_);
    bound = listener_.bound;
  }
  if (!bound) return;
  drivers_told_ = true;
  bound(drivers_.binding(), drivers_.text(*log_));
}

void GuestWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (how_.empty()) how_ = "the session has ended";
  }
  known_.notify_all();
}

void GuestWatch::ended(std::string how) {
  {
    const std::lock_guard lock(mutex_);
    if (!how_.empty()) return;
    how_ = std::move(how);
  }
  known_.notify_all();
}

void GuestWatch::read(bool last) {
  // What the kernel said of a driver has been on its console before the report: it is told of one
  // look later, when that has been read for sure.
  if (drivers_.settled() && !drivers_told_) tell_binding();
  for (const std::string& line : said_.more()) {
    if (drivers_.add(line)) continue;
    if (line.starts_with(kRuntimeEnded))
      runtime_code_ = std::atoi(line.c_str() + kRuntimeEnded.size());
    else if (line.starts_with(kRuntimeSays))
      last_words_ = line.substr(kRuntimeSays.size());
  }
  auto lines = console_.more();
  for (std::string& line : lines) log_->add(std::move(line));
  auto complaints = log_->take_complaints(lines.empty() || last);
  for (const auto& complaint : complaints)
    if (complaint.panic && panic_.empty()) panic_ = complaint.text;
  tell(std::move(complaints));
}

std::string GuestWatch::why_qemu_ended(int status) const {
  if (!panic_.empty()) return "the guest is dead: " + panic_;
  if (WIFSIGNALED(status)) return fmt::format("QEMU was killed by signal {}", WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return fmt::format("QEMU ended with code {}", WEXITSTATUS(status));
  return last_words_.empty() ? "the guest has ended" : "the guest has ended: " + last_words_;
}

void GuestWatch::run() {
  name_thread("guest watch");
  bool told = false, hung_up = false;
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex_);
      last = known_.wait_for(lock, kLook, [this] { return stopping_; });
    }
    // WNOWAIT: the number stays ours until its parent has used it. Looked at before the files, so
    // that all it had to say is in them.
    siginfo_t how{};
    if (::waitid(P_PID, static_cast<id_t>(options_.qemu), &how, WEXITED | WNOHANG | WNOWAIT) != 0 &&
        errno != EINTR)
      return;
    read(last || how.si_pid != 0);
    if (how.si_pid != 0) {
      ended(why_qemu_ended(how.si_code == CLD_EXITED ? how.si_status << 8 : how.si_status));
      return;
    }
    if (told && !hung_up) hung_up = options_.hang_up();
    // A runtime that goes down with its kernel is told of with that.
    if (told || runtime_code_ < 0 || !panic_.empty()) continue;
    told = true;
    if (runtime_code_ > 128)
      ended(
          fmt::format("the guest's runtime was killed by signal {}; its functions are gone from "
                      "the guest's bus",
                      runtime_code_ - 128));
    else
      ended(last_words_.empty()
                ? fmt::format("the guest's runtime has ended with code {}", runtime_code_)
                : "the guest's runtime has ended: " + last_words_);
    hung_up = options_.hang_up();
  }
}

}  // namespace pcilens::cli
