// A target whose link runs in a virtual machine and whose trace is kept here: commands go to the
// guest, questions about the trace are answered on this side, also when the guest is dead.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/target/kernel_log.hpp"
#include "core/target/recording.hpp"
#include "core/target/target.hpp"

namespace pcilens {

class GuestTarget final : public Target {
 public:
  // `link`: the guest's target; `recording`: what it writes, carried to a file here; `log`: what
  // its kernel says, which outlives this.
  GuestTarget(std::unique_ptr<Target> link, std::unique_ptr<Recording> recording,
              const KernelLog& log);
  ~GuestTarget() override;

  // The guest's kernel complains: everybody who looks is told, and the trace. Any thread.
  void complained(const KernelLog::Complaint& complaint);
  // What became of the drivers that the guest was to load. Any thread.
  void bound(Binding binding, std::string text);
  // Everything that the guest recorded is in the trace, which is closed; or why it is not. Once the
  // guest is no more.
  Result<void> close_trace() { return recording_->close(); }
  // A second listener beside the one of on_change: a server's. It is never called once this has
  // replaced it; it must not call the target.
  void also_on_change(std::function<void()> listener);

  std::shared_ptr<const Snapshot> snapshot() const override;
  void on_change(std::function<void()> listener) override;
  void pause(Done<void> done) override { link_->pause(std::move(done)); }
  void resume(Done<void> done) override { link_->resume(std::move(done)); }
  void step(Step step, Done<void> done) override { link_->step(std::move(step), std::move(done)); }
  void edit(std::uint64_t value, Done<void> done) override { link_->edit(value, std::move(done)); }
  void add_breakpoint(Breakpoint breakpoint, Done<std::uint32_t> number) override {
    link_->add_breakpoint(std::move(breakpoint), std::move(number));
  }
  void enable_breakpoint(std::uint32_t number, bool enabled, Done<void> done) override {
    link_->enable_breakpoint(number, enabled, std::move(done));
  }
  void remove_breakpoint(std::uint32_t number, Done<void> done) override {
    link_->remove_breakpoint(number, std::move(done));
  }
  void add_fault(Fault fault, Done<std::uint32_t> number) override {
    link_->add_fault(std::move(fault), std::move(number));
  }
  void enable_fault(std::uint32_t number, bool enabled, Done<void> done) override {
    link_->enable_fault(number, enabled, std::move(done));
  }
  void remove_fault(std::uint32_t number, Done<void> done) override {
    link_->remove_fault(number, std::move(done));
  }
  void poke_read(Place place, Done<std::uint64_t> value) override {
    link_->poke_read(place, std::move(value));
  }
  void poke_write(Place place, std::uint64_t value, Done<void> done) override {
    link_->poke_write(place, value, std::move(done));
  }
  void force(Place place, std::uint64_t value, Done<void> done) override {
    link_->force(place, value, std::move(done));
  }
  void reset_function(std::uint8_t function, ResetKind kind, Done<void> done) override {
    link_->reset_function(function, kind, std::move(done));
  }
  void restart(Done<void> done) override { link_->restart(std::move(done)); }
  void trace_page(TraceRequest request, Done<TracePage> page) override {
    recording_->page(std::move(request), std::move(page));
  }
  void trace_payload(std::uint64_t seq, Done<std::vector<std::byte>> bytes) override {
    recording_->payload(seq, std::move(bytes));
  }
  void code_at(std::uint64_t seq, Done<CodeView> view) override;
  void count_matches(std::string expression, Done<MatchCount> count) override {
    recording_->count(std::move(expression), std::move(count));
  }
  void commands(CommandRequest request, Done<CommandPage> page) override {
    recording_->commands(request, std::move(page));
  }
  void kernel_log(std::uint32_t most, Done<std::vector<std::string>> lines) override {
    lines(log_.last(most));
  }
  void dma_mappings(Done<std::vector<DmaMapping>> mappings) override {
    link_->dma_mappings(std::move(mappings));
  }
  void dma_look(std::uint8_t function, std::uint64_t iova, std::uint32_t size,
                Done<std::vector<std::byte>> bytes) override {
    link_->dma_look(function, iova, size, std::move(bytes));
  }

 private:
  void refresh();

  std::unique_ptr<Recording> recording_;
  const KernelLog& log_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<std::string> complaints_;
  Binding binding_ = Binding::Probing;
  std::string binding_text_;
  std::function<void()> listener_;
  std::mutex other_mutex_;
  std::function<void()> other_listener_;
  std::unique_ptr<Target> link_;  // first to go: it calls refresh()
};

}  // namespace pcilens
