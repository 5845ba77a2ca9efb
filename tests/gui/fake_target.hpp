// A target without a link: it holds a write of a small device, keeps rows, and does what commands
// ask in the plainest way. For view-models and for looking at the window apart from the rest.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens::test {

// The map of the pretended device: every kind of access, an enum, an array, a region.
const RegisterMap& fake_map();

class FakeTarget final : public Target {
 public:
  FakeTarget();

  // Holds a write of the driver's.
  void hold(std::uint64_t offset, std::uint64_t value);
  std::vector<DmaMapping> mappings = {
      {.function = 0, .iova = 0x10'0000, .size = 4096, .direction = DmaDirection::ToDevice},
      {.function = 0, .iova = 0x10'2000, .size = 8192}};

  // Changes the next snapshot.
  template <typename Change>
  void change(Change with) {
    std::function<void()> listener;
    {
      const std::lock_guard lock(mutex_);
      auto next = std::make_shared<Snapshot>(*snapshot_);
      with(*next);
      ++next->version;
      snapshot_ = std::move(next);
      listener = listener_;
    }
    if (listener) listener();
  }
  // Adds a completed row; its number is the snapshot's next.
  void add_row(TraceRow row);
  // What the last calls were, as text: "poke_write BAR0+0x4 0x7".
  std::vector<std::string> calls() const;

  std::shared_ptr<const Snapshot> snapshot() const override;
  void on_change(std::function<void()> listener) override;
  void pause(Done<void> done) override;
  void resume(Done<void> done) override;
  void step(Step step, Done<void> done) override;
  void edit(std::uint64_t value, Done<void> done) override;
  void add_breakpoint(Breakpoint breakpoint, Done<std::uint32_t> number) override;
  void enable_breakpoint(std::uint32_t number, bool enabled, Done<void> done) override;
  void remove_breakpoint(std::uint32_t number, Done<void> done) override;
  void add_fault(Fault fault, Done<std::uint32_t> number) override;
  void enable_fault(std::uint32_t number, bool enabled, Done<void> done) override;
  void remove_fault(std::uint32_t number, Done<void> done) override;
  void poke_read(Place place, Done<std::uint64_t> value) override;
  void poke_write(Place place, std::uint64_t value, Done<void> done) override;
  void force(Place place, std::uint64_t value, Done<void> done) override;
  void reset_function(std::uint8_t function, ResetKind kind, Done<void> done) override;
  void restart(Done<void> done) override;
  void trace_page(TraceRequest request, Done<TracePage> page) override;
  void trace_payload(std::uint64_t seq, Done<std::vector<std::byte>> bytes) override;
  void code_at(std::uint64_t seq, Done<CodeView> view) override;
  void count_matches(std::string expression, Done<MatchCount> count) override;
  void commands(CommandRequest request, Done<CommandPage> page) override;
  void dma_mappings(Done<std::vector<DmaMapping>> mappings) override;
  void dma_look(std::uint8_t function, std::uint64_t iova, std::uint32_t size,
                Done<std::vector<std::byte>> bytes) override;

 private:
  void note(std::string call);

  mutable std::mutex mutex_;
  std::shared_ptr<Snapshot> snapshot_;
  std::vector<TraceRow> rows_;
  std::vector<std::string> calls_;
  std::function<void()> listener_;
  std::uint32_t next_number_ = 1;
};

}  // namespace pcilens::test
