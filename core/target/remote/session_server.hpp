// What one client of a TargetServer calls.
#pragma once

#include <chrono>
#include <optional>

#include "core/target/remote/server.hpp"

namespace pcilens::remote {

class SessionServer final : public rpc::Session::Server, private kj::TaskSet::ErrorHandler {
 public:
  explicit SessionServer(Clients& clients) : clients_(clients), tasks_(*this) {}
  ~SessionServer();

  // Sends the newest snapshot if the client has an older one. `at_once`: although the last one has
  // not been taken yet.
  void push(bool at_once);
  // The connection has gone; calls that are still under way change nothing here.
  void disconnected();

 protected:
  kj::Promise<void> open(OpenContext context) override;
  kj::Promise<void> takeControl(TakeControlContext context) override;
  kj::Promise<void> pause(PauseContext context) override;
  kj::Promise<void> resume(ResumeContext context) override;
  kj::Promise<void> step(StepContext context) override;
  kj::Promise<void> edit(EditContext context) override;
  kj::Promise<void> addBreakpoint(AddBreakpointContext context) override;
  kj::Promise<void> enableBreakpoint(EnableBreakpointContext context) override;
  kj::Promise<void> removeBreakpoint(RemoveBreakpointContext context) override;
  kj::Promise<void> addFault(AddFaultContext context) override;
  kj::Promise<void> enableFault(EnableFaultContext context) override;
  kj::Promise<void> removeFault(RemoveFaultContext context) override;
  kj::Promise<void> pokeRead(PokeReadContext context) override;
  kj::Promise<void> pokeWrite(PokeWriteContext context) override;
  kj::Promise<void> force(ForceContext context) override;
  kj::Promise<void> resetFunction(ResetFunctionContext context) override;
  kj::Promise<void> restart(RestartContext context) override;
  kj::Promise<void> tracePage(TracePageContext context) override;
  kj::Promise<void> tracePayload(TracePayloadContext context) override;
  kj::Promise<void> codeAt(CodeAtContext context) override;
  kj::Promise<void> countMatches(CountMatchesContext context) override;
  kj::Promise<void> commands(CommandsContext context) override;
  kj::Promise<void> kernelLog(KernelLogContext context) override;
  kj::Promise<void> dmaMappings(DmaMappingsContext context) override;
  kj::Promise<void> dmaLook(DmaLookContext context) override;

 private:
  std::string refusal() const;  // empty: this client may command
  template <typename Context>
  void answer(Context& context, const Error* error);
  template <typename Context, typename Call>
  kj::Promise<void> command(Context context, Call call);
  template <typename Context, typename Call>
  kj::Promise<void> question(Context context, Call call);
  template <typename T, typename Context, typename Call, typename Fill>
  kj::Promise<void> look_up(Context context, Call call, Fill fill);
  void pushed();
  void taskFailed(kj::Exception&&) override {}

  Clients& clients_;  // until the connection has gone; a call under way may keep this longer
  bool gone_ = false;
  std::optional<rpc::Watcher::Client> watcher_;
  std::shared_ptr<const Snapshot> sent_;
  unsigned under_way_ = 0;              // snapshots that the client has not taken yet
  bool waiting_ = false;                // for the next moment to send one
  std::chrono::nanoseconds sent_at_{};  // the last one, in this thread's own time
  kj::TaskSet tasks_;
};

}  // namespace pcilens::remote
