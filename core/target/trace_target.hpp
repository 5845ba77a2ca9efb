// A trace file as a target: it is run, stepped and stopped like the driver that it recorded, and
// every screen shows it as of that moment. It cannot be changed: pokes, forces and faults are
// refused, and the file is only read.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/target/recording.hpp"
#include "core/target/target.hpp"
#include "core/target/trace_cursor.hpp"

namespace pcilens {

// The functions that a trace describes, under its names: no place in it, and no register values.
std::shared_ptr<Snapshot> snapshot_of(TraceReader& trace);

class TraceTarget final : public Target {
 public:
  // Stands at the driver's first access to a BAR, as a live session does. `prepare` may put names
  // upon the trace before it is looked at.
  static Result<std::unique_ptr<Target>> open(
      const std::string& trace, const std::function<void(TraceReader&)>& prepare = {});
  ~TraceTarget() override;

  std::shared_ptr<const Snapshot> snapshot() const override;
  void on_change(std::function<void()> listener) override;
  void pause(Done<void> done) override;
  void resume(Done<void> done) override;
  void step(Step step, Done<void> done) override;
  void go_to(std::uint64_t seq, Done<void> done) override;
  void restart(Done<void> done) override;
  void add_breakpoint(Breakpoint breakpoint, Done<std::uint32_t> number) override;
  void enable_breakpoint(std::uint32_t number, bool enabled, Done<void> done) override;
  void remove_breakpoint(std::uint32_t number, Done<void> done) override;

  void edit(std::uint64_t value, Done<void> done) override;
  void add_fault(Fault fault, Done<std::uint32_t> number) override;
  void enable_fault(std::uint32_t number, bool enabled, Done<void> done) override;
  void remove_fault(std::uint32_t number, Done<void> done) override;
  void poke_read(Place place, Done<std::uint64_t> value) override;
  void poke_write(Place place, std::uint64_t value, Done<void> done) override;
  void force(Place place, std::uint64_t value, Done<void> done) override;
  void reset_function(std::uint8_t function, ResetKind kind, Done<void> done) override;

  void trace_page(TraceRequest request, Done<TracePage> page) override;
  void trace_payload(std::uint64_t seq, Done<std::vector<std::byte>> bytes) override;
  void code_at(std::uint64_t seq, Done<CodeView> view) override;
  void count_matches(std::string expression, Done<MatchCount> count) override;
  void dma_mappings(Done<std::vector<DmaMapping>> mappings) override;
  void dma_look(std::uint8_t function, std::uint64_t iova, std::uint32_t size,
                Done<std::vector<std::byte>> bytes) override;
  void commands(CommandRequest request, Done<CommandPage> page) override;

 private:
  TraceTarget() = default;
  // All of these run on the recording's thread.
  void run_on(std::optional<Step> step, Done<void> done);
  void with_breakpoints(Done<void> done, std::function<Result<void>(BreakpointTable&)> act);
  Result<void> stand(std::optional<TraceCursor::Found> found, std::string reason);
  Result<void> stand_at(std::uint64_t seq, std::string reason);
  Result<std::shared_ptr<Snapshot>> shown(TraceReader& trace);
  void publish(std::shared_ptr<Snapshot> fresh);

  TraceReader* trace_ = nullptr;  // the recording's
  std::optional<TraceCursor> cursor_;
  BreakpointTable breakpoints_;
  std::uint64_t first_access_ = 0;  // 0: the trace has none

  std::atomic<bool> cancel_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<Snapshot>();
  std::function<void()> listener_;
  std::unique_ptr<Recording> recording_;  // first to go: its thread uses the rest
};

}  // namespace pcilens
