// The target in this process: a link with its functions, a host, and a recording.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/host/sim/sim_host.hpp"
#include "core/link/link.hpp"
#include "core/target/device_loader.hpp"
#include "core/target/driver_code.hpp"
#include "core/target/recording.hpp"
#include "core/target/session.hpp"
#include "core/target/target.hpp"

namespace pcilens {

class LocalTarget final : public Target {
 public:
  static Result<std::unique_ptr<Target>> open(const SessionOptions& options);
  ~LocalTarget() override;

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
  // One life of the link: from a start of the driver to the next restart.
  struct Run {
    // `choices` outlive it.
    Run(Clock& clock, Recorder& recorder, std::uint64_t last_seq,
        const std::vector<DeviceChoice>& choices)
        : link(clock, recorder, {.last_seq = last_seq, .fresh = [this, &choices](std::uint8_t i) {
                                   return make_function(devices[i]->device(), choices[i].options);
                                 }}) {}
    std::vector<std::shared_ptr<LoadedDevice>> devices;  // their code outlives the functions
    std::unique_ptr<Host> host;                          // the link refers to it to its end
    Link link;
    sim::SimHost* sim = nullptr;
    unsigned drivers = 0;  // still at work
    bool over = false;     // another one takes its place; under the link's lock
  };

  explicit LocalTarget(SessionOptions options) : options_(std::move(options)) {}
  Result<std::shared_ptr<Run>> make_run(const Run* previous);
  Result<void> begin(const std::shared_ptr<Run>& run, const Run* previous);
  void end(Run& run);
  void restarted();
  std::shared_ptr<Run> run() const;
  void said(std::string line);
  void publish(Run& run, bool at_once);
  Result<void> let_go(const Link& link, Result<void> result);
  void watch_plug_ins(Run& run);
  // Runs `act` under the link's lock; while a restart is under way, on the link that comes.
  void post(std::function<void(Run&)> act);
  // The same, and hands its result to `done`.
  template <typename T>
  void command(Done<T> done, std::function<Result<T>(Link&)> act);

  SessionOptions options_;
  SteadyClock clock_;
  std::unique_ptr<Recording> recording_;
  DriverCode driver_code_;

  mutable std::mutex mutex_;  // the members below; never held while calling out
  std::shared_ptr<Run> run_;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<Snapshot>();
  std::function<void()> listener_;
  std::string driver_;
  std::atomic<bool> dirty_{true};
  bool restarting_ = false, ending_ = false;
  std::vector<std::function<void(Run&)>> late_;  // asked for since the restart
  std::thread restarter_;
  // The link thread's alone.
  std::chrono::steady_clock::time_point published_{}, watched_{};
  std::chrono::nanoseconds publishing_{};  // what the last one took
  std::uint64_t published_seq_ = 0;
  std::optional<std::pair<std::uint64_t, Phase>> released_;  // a hold that ends just now
};

}  // namespace pcilens
