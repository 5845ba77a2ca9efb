// The replay at work: feeds the link, plays its host and its clock, and compares what it records.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "core/host/host.hpp"
#include "core/link/link.hpp"
#include "core/replay/event_window.hpp"
#include "core/replay/replay.hpp"

namespace pcilens {

class Replayer final : public Host, public Recorder, public Clock {
 public:
  Replayer(TraceReader& trace, const MakeFunction& make, const ReplayOptions& options);
  Result<ReplayResult> run();

  // Host: memory and interrupts as they were recorded.
  std::string_view name() const override { return "replay"; }
  bool keeps_msix() const override { return on_kmod_; }
  Status dma_read(std::uint8_t, std::uint64_t iova, std::span<std::byte> data) override;
  Status dma_write(std::uint8_t, std::uint64_t, std::span<const std::byte>) override;
  void input(std::uint8_t, std::uint64_t what, std::span<std::byte> bytes) override;
  Status interrupt(std::uint8_t, std::uint64_t, std::uint64_t) override;

  // Clock: the recorded time of the transaction that is numbered now.
  std::uint64_t now_ns() override;

  // Recorder: what the fresh functions do.
  void event(const Transaction& t) override;
  void completion(const Transaction& t) override;
  void edit(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
            std::uint32_t) override {}
  void blob(BlobKind, std::uint64_t, std::span<const std::byte>) override {}

 private:
  Result<bool> has_config_writes();
  Result<void> make_functions();
  void send(const TraceEvent& recorded, bool aside);
  // replay_bus.cpp: by way of options_.bus.
  Result<void> open_bus();
  bool goes_over_bus(const Transaction& t) const;
  void send_over_bus(const Transaction& recorded, Transaction stimulus, bool aside);
  void came_back(const AccessBus::Arrived& arrived, const Transaction& sent,
                 const Transaction& done);
  void compare_config(const Transaction& recorded);
  void request(const Transaction& stimulus, bool aside,
               std::function<void(const Transaction&)> done);
  Result<void> find_points();
  void gate(const Transaction& t, Phase phase);
  void make_up_to(std::uint64_t seq);
  void plug_again(std::uint8_t index);
  void compare(const Transaction& now);
  void expect_nothing_left(std::uint64_t before);
  void diverge(std::uint64_t seq, std::string place, std::string expected, std::string got,
               Reason reason = Reason::Model);
  void stop_for_good(const Transaction& held);
  std::string describe(const Transaction& t) const;
  std::string describe(const TraceEvent& event) const;
  std::vector<std::string> lines_before(std::uint64_t seq);
  bool same_payload(const TraceEvent& recorded, const Transaction& now);

  TraceReader& trace_;
  const MakeFunction& make_;
  ReplayOptions options_;
  EventWindow recorded_;
  ReasonFinder reasons_;
  std::unique_ptr<Link> link_;
  std::shared_ptr<const Names> names_;
  bool on_kmod_ = false;               // the trace was recorded there
  std::array<bool, 256> elsewhere_{};  // by function
  std::map<std::uint64_t, TraceEdit> edits_;
  // What the recorded link did at a transaction, before or after the function had it: it went on
  // after a stop or a delay, or a rule took the function away there. A Stop is one without an end.
  struct Point {
    std::uint64_t seq, t_ns;
    Control what;
    bool after;
  };
  std::map<std::uint64_t, std::vector<Point>> points_;  // by the transaction's number
  std::uint64_t position_ = 0;       // the last recorded event that was dealt with
  std::uint64_t checked_ = 0;        // up to here, every recorded effect was looked for
  std::vector<std::uint64_t> seen_;  // effects since then
  bool cut_off_ = false;             // the last stimulus has no completion in the recording
  bool over_ = false;                // the recording ends in a stop: what follows is not in it
  ReplayResult result_;
  std::optional<Error> error_;
  std::unique_ptr<AccessBus> bus_;
  std::array<bool, 256> driven_{};  // functions whose driver has touched a BAR
};

}  // namespace pcilens
