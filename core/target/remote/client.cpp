#include "core/target/remote/client.hpp"

#include <fmt/format.h>

namespace pcilens {
namespace remote {

// What the server calls.
class RemoteTarget::Watching final : public rpc::Watcher::Server {
 public:
  explicit Watching(RemoteTarget& target) : target_(target) {}

 protected:
  kj::Promise<void> changed(ChangedContext context) override {
    target_.received(context.getParams().getSnapshot());
    return kj::READY_NOW;
  }

 private:
  RemoteTarget& target_;
};

struct RemoteTarget::Connection final : private kj::TaskSet::ErrorHandler {
  explicit Connection(kj::Own<kj::AsyncIoStream> s)
      : stream(kj::mv(s)),
        network(*stream, capnp::rpc::twoparty::Side::CLIENT),
        system(capnp::makeRpcClient(network)),
        session(bootstrap()),
        tasks(*this) {}

  rpc::Session::Client bootstrap() {
    capnp::MallocMessageBuilder message;
    auto side = message.getRoot<capnp::rpc::twoparty::VatId>();
    side.setSide(capnp::rpc::twoparty::Side::SERVER);
    return system.bootstrap(side).castAs<rpc::Session>();
  }
  void taskFailed(kj::Exception&&) override {}

  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system;
  rpc::Session::Client session;
  kj::TaskSet tasks;
};

RemoteTarget::RemoteTarget(std::string name)
    : name_(std::move(name)),
      snapshot_([] {
        auto empty = std::make_shared<Snapshot>();
        empty->names = std::make_shared<Names>();
        return empty;
      }()),
      loop_([this] {
        connection_.reset();
        why_ended_ = {};  // we end it ourselves
        lost("this session was closed");
      }) {}

RemoteTarget::~RemoteTarget() {
  on_change({});
  loop_.stop();
}

// ---- the connection ----------------------------------------------------------------------------

Result<void> RemoteTarget::connect(Fd socket, const ConnectOptions& options) {
  why_ended_ = options.why_ended;
  const auto shared = std::make_shared<Fd>(std::move(socket));
  const auto promise = std::make_shared<std::promise<Result<void>>>();
  auto opened = promise->get_future();
  loop_.post([this, shared, promise, control = options.control] {
    open(std::move(*shared), control,
         [promise](Result<void> result) { promise->set_value(std::move(result)); });
  });
  if (opened.wait_for(options.patience) != std::future_status::ready)
    return fail(
        fmt::format("{}: no answer within {} s; is it a pcilens that serves there, and is it "
                    "alive?",
                    name_, options.patience.count() / 1000));
  return opened.get();
}

void RemoteTarget::open(Fd socket, bool control, Done<void> opened) {
  connection_ = std::make_unique<Connection>(loop_.io().lowLevelProvider->wrapSocketFd(
      socket.release(), kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP));
  connection_->tasks.add(connection_->network.onDisconnect().then(
      [this] { lost("the connection to " + name_ + " has ended"); },
      [this](kj::Exception&& e) { lost(reason(e)); }));
  const std::uint64_t id = ++last_call_;
  unanswered_[id] = [opened](const Error& e) { opened(tl::unexpected(e)); };
  auto request = connection_->session.openRequest();
  request.setVersion(rpc::PROTOCOL_VERSION);
  request.setControl(control);
  request.setWatcher(kj::heap<Watching>(*this));
  connection_->tasks.add(request.send().then(
      [this, id, opened](capnp::Response<rpc::Session::OpenResults>&& response) {
        if (unanswered_.erase(id) == 0) return;
        if (response.getError().size() > 0)
          return opened(fail(name_ + ": " + string(response.getError())));
        // The first snapshot has any number.
        when_shown(1, [opened] { opened({}); });
      },
      [this](kj::Exception&& e) { lost(reason(e)); }));
}

std::string RemoteTarget::reason(const kj::Exception& exception) const {
  if (exception.getType() == kj::Exception::Type::DISCONNECTED)
    return "the connection to " + name_ + " has ended";
  return fmt::format("{}: what comes from there is not understood ({})", name_,
                     exception.getDescription().cStr());
}

// Everything that is under way ends here, once.
void RemoteTarget::lost(const std::string& why) {
  if (!why_lost_.empty()) return;
  if (why_ended_) why_lost_ = why_ended_();
  if (why_lost_.empty()) why_lost_ = why + "; attach again, or look at the trace that was kept";
  auto unanswered = std::move(unanswered_);
  unanswered_.clear();
  auto until_shown = std::move(until_shown_);
  until_shown_.clear();
  auto ended = std::make_shared<Snapshot>(*snapshot());
  ended->version += 1;
  ended->state = RunState::Ended;
  ended->gone = true;
  ended->stop.reset();
  ended->driver = why_lost_;
  publish(std::move(ended));
  for (auto& [version, then] : until_shown) then();
  for (auto& [id, failed] : unanswered) failed(Error{why_lost_});
}

void RemoteTarget::received(rpc::Snapshot::Reader from) {
  if (!why_lost_.empty()) return;
  auto fresh = read(from, *snapshot());
  if (!fresh) return lost(name_ + ": " + fresh.error().message);
  publish(std::move(*fresh));
}

void RemoteTarget::publish(std::shared_ptr<const Snapshot> fresh) {
  const std::uint64_t version = fresh->version;
  std::function<void()> listener;
  {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(fresh);
    listener = listener_;
  }
  if (listener) listener();
  while (!until_shown_.empty() && until_shown_.begin()->first <= version) {
    auto then = std::move(until_shown_.begin()->second);
    until_shown_.erase(until_shown_.begin());
    then();
  }
}

void RemoteTarget::when_shown(std::uint64_t version, std::function<void()> then) {
  if (snapshot()->version >= version || !why_lost_.empty()) return then();
  until_shown_.emplace(version, std::move(then));
}

std::shared_ptr<const Snapshot> RemoteTarget::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void RemoteTarget::on_change(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

// ---- calls -------------------------------------------------------------------------------------

template <typename T, typename Send, typename Take>
void RemoteTarget::call(Done<T> done, Send send, Take take) {
  const bool posted = loop_.post([this, done, send = std::move(send), take] {
    if (!why_lost_.empty()) return done(fail(why_lost_));
    const std::uint64_t id = ++last_call_;
    unanswered_[id] = [done](const Error& e) { done(tl::unexpected(e)); };
    connection_->tasks.add(
        send(connection_->session)
            .then(
                [this, id, done, take](auto&& response) {
                  if (unanswered_.erase(id) == 0) return;
                  if (response.getError().size() > 0)
                    return done(fail(string(response.getError())));
                  take(response, done);
                },
                [this, id](kj::Exception&& e) {
                  if (e.getType() == kj::Exception::Type::DISCONNECTED) return lost(reason(e));
                  const auto it = unanswered_.find(id);
                  if (it == unanswered_.end()) return;
                  const auto failed = std::move(it->second);
                  unanswered_.erase(it);
                  failed(Error{fmt::format("{}: {}", name_, e.getDescription().cStr())});
                }));
  });
  if (!posted) done(fail("this session was closed; attach again"));
}

// Who asked shall see in the next snapshot what became of it.
template <typename Send>
void RemoteTarget::command(Done<void> done, Send send) {
  call<void>(std::move(done), std::move(send), [this](auto& response, const Done<void>& d) {
    when_shown(response.getVersion(), [d] { d({}); });
  });
}

void RemoteTarget::pause(Done<void> done) {
  command(std::move(done), [](auto& session) { return session.pauseRequest().send(); });
}
void RemoteTarget::resume(Done<void> done) {
  command(std::move(done), [](auto& session) { return session.resumeRequest().send(); });
}
void RemoteTarget::step(Step step, Done<void> done) {
  command(std::move(done), [step](auto& session) {
    auto request = session.stepRequest();
    request.setUntil(static_cast<std::uint8_t>(step.until));
    request.setExpression(text(step.expression));
    return request.send();
  });
}
void RemoteTarget::edit(std::uint64_t value, Done<void> done) {
  command(std::move(done), [value](auto& session) {
    auto request = session.editRequest();
    request.setValue(value);
    return request.send();
  });
}
void RemoteTarget::add_breakpoint(Breakpoint breakpoint, Done<std::uint32_t> number) {
  call<std::uint32_t>(
      std::move(number),
      [breakpoint = std::move(breakpoint)](auto& session) {
        auto request = session.addBreakpointRequest();
        write(request.initBreakpoint(), breakpoint);
        return request.send();
      },
      [this](auto& response, const Done<std::uint32_t>& done) {
        const auto value = static_cast<std::uint32_t>(response.getValue());
        when_shown(response.getVersion(), [done, value] { done(value); });
      });
}
void RemoteTarget::enable_breakpoint(std::uint32_t number, bool enabled, Done<void> done) {
  command(std::move(done), [number, enabled](auto& session) {
    auto request = session.enableBreakpointRequest();
    request.setNumber(number);
    request.setEnabled(enabled);
    return request.send();
  });
}
void RemoteTarget::remove_breakpoint(std::uint32_t number, Done<void> done) {
  command(std::move(done), [number](auto& session) {
    auto request = session.removeBreakpointRequest();
    request.setNumber(number);
    return request.send();
  });
}
void RemoteTarget::add_fault(Fault fault, Done<std::uint32_t> number) {
  call<std::uint32_t>(
      std::move(number),
      [fault = std::move(fault)](auto& session) {
        auto request = session.addFaultRequest();
        write(request.initFault(), fault);
        return request.send();
      },
      [this](auto& response, const Done<std::uint32_t>& done) {
        const auto value = static_cast<std::uint32_t>(response.getValue());
        when_shown(response.getVersion(), [done, value] { done(value); });
      });
}
void RemoteTarget::enable_fault(std::uint32_t number, bool enabled, Done<void> done) {
  command(std::move(done), [number, enabled](auto& session) {
    auto request = session.enableFaultRequest();
    request.setNumber(number);
    request.setEnabled(enabled);
    return request.send();
  });
}
void RemoteTarget::remove_fault(std::uint32_t number, Done<void> done) {
  command(std::move(done), [number](auto& session) {
    auto request = session.removeFaultRequest();
    request.setNumber(number);
    return request.send();
  });
}
void RemoteTarget::poke_read(Place place, Done<std::uint64_t> value) {
  call<std::uint64_t>(
      std::move(value),
      [place](auto& session) {
        auto request = session.pokeReadRequest();
        write(request.initPlace(), place);
        return request.send();
      },
      [this](auto& response, const Done<std::uint64_t>& done) {
        const std::uint64_t v = response.getValue();
        when_shown(response.getVersion(), [done, v] { done(v); });
      });
}
void RemoteTarget::poke_write(Place place, std::uint64_t value, Done<void> done) {
  command(std::move(done), [place, value](auto& session) {
    auto request = session.pokeWriteRequest();
    write(request.initPlace(), place);
    request.setValue(value);
    return request.send();
  });
}
void RemoteTarget::force(Place place, std::uint64_t value, Done<void> done) {
  command(std::move(done), [place, value](auto& session) {
    auto request = session.forceRequest();
    write(request.initPlace(), place);
    request.setValue(value);
    return request.send();
  });
}
void RemoteTarget::reset_function(std::uint8_t function, ResetKind kind, Done<void> done) {
  command(std::move(done), [function, kind](auto& session) {
    auto request = session.resetFunctionRequest();
    request.setFunction(function);
    request.setKind(static_cast<std::uint8_t>(kind));
    return request.send();
  });
}
void RemoteTarget::restart(Done<void> done) {
  command(std::move(done), [](auto& session) { return session.restartRequest().send(); });
}

void RemoteTarget::trace_page(TraceRequest request, Done<TracePage> page) {
  call<TracePage>(
      std::move(page),
      [request = std::move(request)](auto& session) {
        auto wire = session.tracePageRequest();
        wire.setFrom(request.from);
        wire.setLimit(request.limit);
        wire.setBackward(request.direction == TraceRequest::Direction::Backward);
        wire.setFilter(text(request.filter));
        wire.setBudget(request.budget);
        return wire.send();
      },
      [](auto& response, const Done<TracePage>& done) { done(read(response.getPage())); });
}
void RemoteTarget::trace_payload(std::uint64_t seq, Done<std::vector<std::byte>> bytes) {
  using Bytes = std::vector<std::byte>;
  call<Bytes>(
      std::move(bytes),
      [seq](auto& session) {
        auto request = session.tracePayloadRequest();
        request.setSeq(seq);
        return request.send();
      },
      [](auto& response, const Done<Bytes>& done) {
        const auto data =
            std::as_bytes(std::span(response.getBytes().begin(), response.getBytes().size()));
        done(Bytes(data.begin(), data.end()));
      });
}
void RemoteTarget::code_at(std::uint64_t seq, Done<CodeView> view) {
  call<CodeView>(
      std::move(view),
      [seq](auto& session) {
        auto request = session.codeAtRequest();
        request.setSeq(seq);
        return request.send();
      },
      [](auto& response, const Done<CodeView>& done) { done(read(response.getView())); });
}
void RemoteTarget::count_matches(std::string expression, Done<MatchCount> count) {
  call<MatchCount>(
      std::move(count),
      [expression = std::move(expression)](auto& session) {
        auto request = session.countMatchesRequest();
        request.setExpression(text(expression));
        return request.send();
      },
      [](auto& response, const Done<MatchCount>& done) {
        done(MatchCount{.matches = response.getMatches(),
                        .looked_at = response.getLookedAt(),
                        .of = response.getOf()});
      });
}
void RemoteTarget::commands(CommandRequest asked, Done<CommandPage> page) {
  call<CommandPage>(
      std::move(page),
      [asked](auto& session) {
        auto request = session.commandsRequest();
        request.setFunction(asked.function);
        request.setFrom(asked.from);
        request.setLimit(asked.limit);
        request.setSeq(asked.seq);
        return request.send();
      },
      [](auto& response, const Done<CommandPage>& done) { done(read(response.getPage())); });
}
void RemoteTarget::kernel_log(std::uint32_t most, Done<std::vector<std::string>> lines) {
  using Lines = std::vector<std::string>;
  call<Lines>(
      std::move(lines),
      [most](auto& session) {
        auto request = session.kernelLogRequest();
        request.setMost(most);
        return request.send();
      },
      [](auto& response, const Done<Lines>& done) {
        Lines read;
        for (const auto line : response.getLines()) read.push_back(string(line));
        done(std::move(read));
      });
}
void RemoteTarget::dma_mappings(Done<std::vector<DmaMapping>> mappings) {
  using Mappings = std::vector<DmaMapping>;
  call<Mappings>(
      std::move(mappings), [](auto& session) { return session.dmaMappingsRequest().send(); },
      [](auto& response, const Done<Mappings>& done) { done(read(response.getMappings())); });
}
void RemoteTarget::dma_look(std::uint8_t function, std::uint64_t iova, std::uint32_t size,
                            Done<std::vector<std::byte>> bytes) {
  using Bytes = std::vector<std::byte>;
  call<Bytes>(
      std::move(bytes),
      [=](auto& session) {
        auto request = session.dmaLookRequest();
        request.setFunction(function);
        request.setIova(iova);
        request.setSize(size);
        return request.send();
      },
      [size](auto& response, const Done<Bytes>& done) {
        const auto data =
            std::as_bytes(std::span(response.getBytes().begin(), response.getBytes().size()));
        if (data.size() > size)
          return done(fail("more memory came than was asked for; use the same pcilens on both"));
        done(Bytes(data.begin(), data.end()));
      });
}

}  // namespace remote

Result<std::unique_ptr<Target>> connect_target(const std::string& path, ConnectOptions options) {
  auto socket = remote::connect_to(path);
  if (!socket) return tl::unexpected(socket.error());
  return connect_target(socket->release(), path, options);
}

Result<std::unique_ptr<Target>> connect_target(int fd, const std::string& name,
                                               ConnectOptions options) {
  auto target = std::make_unique<remote::RemoteTarget>(name);
  if (auto connected = target->connect(remote::Fd(fd), options); !connected)
    return tl::unexpected(connected.error());
  return std::unique_ptr<Target>(std::move(target));
}

}  // namespace pcilens
