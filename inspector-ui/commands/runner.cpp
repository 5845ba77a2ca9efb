#include "inspector-ui/commands/runner.hpp"

#include <utility>

#include "core/thread_name.hpp"

namespace pcilens::ui {

CommandRunner::CommandRunner(Target& target, const CommandTable& table, Finished finished)
    : target_(target),
      table_(table),
      finished_(std::move(finished)),
      thread_([this](std::stop_token stop) { loop(stop); }) {}

CommandRunner::~CommandRunner() {
  thread_.request_stop();
  const std::lock_guard lock(mutex_);
  current_.request_stop();
}

void CommandRunner::run(std::string line, std::string selected) {
  post({.line = std::move(line),
        .command = nullptr,
        .arguments = {},
        .selected = std::move(selected)});
}

void CommandRunner::run(const Command& command, Arguments arguments, std::string selected) {
  post({.line = std::string(command.id),
        .command = &command,
        .arguments = std::move(arguments),
        .selected = std::move(selected)});
}

std::optional<CommandRunner::Running> CommandRunner::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

void CommandRunner::cancel() {
  const std::lock_guard lock(mutex_);
  current_.request_stop();
}

void CommandRunner::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    current_.request_stop();
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void CommandRunner::loop(std::stop_token stop) {
  name_thread("commands");
  for (;;) {
    Job job;
    std::stop_token cancelled;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      // One that others wait behind begins as cancelled: only what waits looks at it.
      current_ = std::stop_source();
      if (!jobs_.empty() || stop.stop_requested()) current_.request_stop();
      cancelled = current_.get_token();
      running_ = Running{job.line, std::chrono::steady_clock::now()};
    }
    Context context{.target = target_,
                    .table = table_,
                    .cancelled = cancelled,
                    .selected = job.selected,
                    .source = source,
                    .quit = quit};
    auto output = job.command != nullptr ? run_command(context, *job.command, job.arguments)
                                         : run_line(context, job.line);
    {
      const std::lock_guard lock(mutex_);
      running_.reset();
    }
    finished_(job.line, output);
  }
}

}  // namespace pcilens::ui
