#include "core/target/driver_code.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/code/disassembly.hpp"
#include "core/code/own_process.hpp"
#include "core/target/source_text.hpp"
#include "core/thread_name.hpp"

namespace pcilens {
namespace {

constexpr std::size_t kInstructionsBefore = 8, kInstructionsAfter = 8;

std::string address(const CodePlace& place, std::uint64_t displacement) {
  if (place.symbol.empty()) return fmt::format("?+{:#x}", displacement);
  return displacement == 0 ? place.symbol : fmt::format("{}+{:#x}", place.symbol, displacement);
}

void add_instructions(const CodePlace& place, CodeView& view) {
  std::size_t call = 0;
  const auto all = disassemble(place.code, reinterpret_cast<std::uintptr_t>(place.code.data()));
  for (; call < all.size(); ++call)
    if (all[call].offset + all[call].bytes.size() / 2 == place.displacement) break;
  if (call == all.size()) return;
  const std::size_t first = call - std::min(call, kInstructionsBefore);
  const std::size_t end = std::min(all.size(), call + kInstructionsAfter + 1);
  for (std::size_t i = first; i < end; ++i)
    view.instructions.push_back({.address = address(place, all[i].offset),
                                 .bytes = all[i].bytes,
                                 .text = all[i].text,
                                 .accessing = i == call});
}

CodeView view_of(OwnProcess& process, const std::vector<std::uintptr_t>& stack) {
  CodeView view;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const CodePlace place = process.returning_to(stack[i]);
    // A function that was inlined has no displacement of its own.
    for (const CodePlace::Inlined& in : place.inlined)
      view.stack.push_back({.symbol = in.symbol, .file = in.file, .line = in.line});
    view.stack.push_back(
        {.symbol = address(place, place.displacement), .file = place.file, .line = place.line});
    if (i == 0) add_instructions(place, view);
  }
  add_source(view);
  return view;
}

}  // namespace

DriverCode::~DriverCode() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  asked_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DriverCode::describe(std::vector<std::uintptr_t> stack, Done<CodeView> done) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  questions_.emplace_back(std::move(stack), std::move(done));
  asked_.notify_one();
}

void DriverCode::run() {
  name_thread("driver code");
  OwnProcess process;
  for (;;) {
    std::unique_lock lock(mutex_);
    asked_.wait(lock, [this] { return ending_ || !questions_.empty(); });
    if (questions_.empty()) return;
    auto [stack, done] = std::move(questions_.front());
    questions_.pop_front();
    const bool ending = ending_;
    lock.unlock();
    if (ending)
      done(fail("this session was closed"));
    else
      done(view_of(process, stack));
  }
}

}  // namespace pcilens
