// A target that lives in another process.
#pragma once

#include <capnp/rpc-twoparty.h>

#include <map>
#include <mutex>
#include <optional>

#include "core/target/remote.hpp"
#include "core/target/remote/event_loop.hpp"
#include "core/target/remote/socket.hpp"
#include "core/target/remote/wire.hpp"

namespace pcilens::remote {

class RemoteTarget final : public Target {
 public:
  explicit RemoteTarget(std::string name);
  ~RemoteTarget() override;
  // Waits for the first snapshot.
  Result<void> connect(Fd socket, const ConnectOptions& options);

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
  void kernel_log(std::uint32_t most, Done<std::vector<std::string>> lines) override;
  void dma_mappings(Done<std::vector<DmaMapping>> mappings) override;
  void dma_look(std::uint8_t function, std::uint64_t iova, std::uint32_t size,
                Done<std::vector<std::byte>> bytes) override;

 private:
  class Watching;
  struct Connection;

  // On the loop's thread.
  void open(Fd socket, bool control, Done<void> opened);
  void received(rpc::Snapshot::Reader snapshot);
  void lost(const std::string& why);
  void publish(std::shared_ptr<const Snapshot> fresh);
  void when_shown(std::uint64_t version, std::function<void()> then);
  std::string reason(const kj::Exception& exception) const;
  // Sends what `send(session)` makes; `take(response)` gives the Result<T>. Any thread.
  template <typename T, typename Send, typename Take>
  void call(Done<T> done, Send send, Take take);
  template <typename Send>
  void command(Done<void> done, Send send);

  const std::string name_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::function<void()> listener_;

  // The loop thread's.
  std::unique_ptr<Connection> connection_;
  std::string why_lost_;
  std::function<std::string()> why_ended_;
  std::map<std::uint64_t, std::function<void(const Error&)>> unanswered_;
  std::uint64_t last_call_ = 0;
  std::multimap<std::uint64_t, std::function<void()>> until_shown_;  // by snapshot version
  EventLoop loop_;
};

}  // namespace pcilens::remote
