// The server's side of the Target API, on its event loop's thread.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <kj/timer.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "core/target/remote.hpp"
#include "core/target/remote/event_loop.hpp"
#include "core/target/remote/wire.hpp"

namespace pcilens::remote {

class SessionServer;

// All clients of one target.
class Clients final : private kj::TaskSet::ErrorHandler {
 public:
  Clients(Target& target, std::shared_ptr<EventLoop> loop, TargetServer::Options options);
  ~Clients();

  void accept(kj::Own<kj::AsyncIoStream> stream);
  void listen(kj::Own<kj::ConnectionReceiver> receiver);
  void changed();

  Target& target() { return target_; }
  EventLoop& loop() { return *loop_; }
  const TargetServer::Options& options() const { return options_; }
  void said(const std::string& line) const;

  void enter(SessionServer& session);
  void leave(SessionServer& session);
  SessionServer* controller = nullptr;

  // Calls the target; the promise is kept on the loop's thread although the target answers on
  // another, and may do so after the client has gone.
  template <typename T>
  using Answer = std::shared_ptr<Result<T>>;  // never null
  template <typename T, typename Call>
  kj::Promise<Answer<T>> ask(Call&& call) {
    auto pair = kj::newPromiseAndFulfiller<Answer<T>>();
    const std::uint64_t id = ++last_question_;
    using Fulfiller = kj::Own<kj::PromiseFulfiller<Answer<T>>>;
    questions_.emplace(id, std::make_shared<Fulfiller>(kj::mv(pair.fulfiller)));
    call(Done<T>([this, id, loop = loop_](Result<T> result) {
      loop->post([this, id, answer = std::make_shared<Result<T>>(std::move(result))] {
        const auto it = questions_.find(id);
        if (it == questions_.end()) return;
        (*static_cast<Fulfiller*>(it->second.get()))->fulfill(Answer<T>(answer));
        questions_.erase(it);
      });
    }));
    return kj::mv(pair.promise);
  }

 private:
  void taskFailed(kj::Exception&& exception) override;
  kj::Promise<void> next(kj::ConnectionReceiver& receiver);

  Target& target_;
  std::shared_ptr<EventLoop> loop_;  // a late answer may outlive everything else
  TargetServer::Options options_;
  std::vector<SessionServer*> sessions_;
  std::map<std::uint64_t, std::shared_ptr<void>> questions_;  // fulfillers, by number
  std::uint64_t last_question_ = 0;
  kj::TaskSet tasks_;
};

}  // namespace pcilens::remote
