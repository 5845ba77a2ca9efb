#include "core/target/remote/session_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/thread_time.hpp"

namespace pcilens::remote {
namespace {

constexpr auto kBetweenSnapshots = 16 * kj::MILLISECONDS;
constexpr auto kMostBetweenSnapshots = 200 * kj::MILLISECONDS;
constexpr unsigned kMostUnderWay = 8;        // to a client that takes none
constexpr std::uint32_t kMostRows = 20'000;  // in one page
constexpr std::size_t kMostPayload = 32u << 20;

kj::StringPtr message_of(const Error& error) {
  return error.message.empty() ? kj::StringPtr("it failed") : text(error.message);
}

}  // namespace

SessionServer::~SessionServer() {
  disconnected();
}

void SessionServer::disconnected() {
  if (std::exchange(gone_, true)) return;
  watcher_.reset();
  clients_.leave(*this);
}

// ---- state -------------------------------------------------------------------------------------

void SessionServer::push(bool at_once) {
  if (!watcher_) return;
  const auto now = clients_.target().snapshot();
  if (sent_ && sent_->version == now->version) return;
  const bool urgent = !sent_ || sent_->state != now->state;
  if (!at_once && (under_way_ > 0 || (waiting_ && !urgent))) return;
  if (under_way_ >= kMostUnderWay) return;
  // Writing it is the smaller part: sending, the client's answer and the timers cost this thread
  // more, and all that it did since the last one is what the next one will cost.
  const auto at = thread_time();
  const auto cost = at - std::exchange(sent_at_, at);
  auto request = watcher_->changedRequest();
  write(request.initSnapshot(), *now, sent_.get());
  sent_ = now;
  ++under_way_;
  waiting_ = true;
  tasks_.add(request.send().ignoreResult().then([this] {
    --under_way_;
    push(false);
  }));
  const auto pause = std::clamp(pause_after(cost).count() * kj::NANOSECONDS, kBetweenSnapshots,
                                kMostBetweenSnapshots);
  tasks_.add(clients_.loop().io().provider->getTimer().afterDelay(pause).then([this] {
    waiting_ = false;
    push(false);
  }));
}

kj::Promise<void> SessionServer::open(OpenContext context) {
  const auto parameters = context.getParams();
  auto results = context.getResults();
  results.setVersion(rpc::PROTOCOL_VERSION);
  if (parameters.getVersion() != rpc::PROTOCOL_VERSION) {
    results.setError(
        text(fmt::format("this pcilens speaks version {} of its API and the other one {}; use the "
                         "same on both sides",
                         parameters.getVersion(), rpc::PROTOCOL_VERSION)));
    return kj::READY_NOW;
  }
  if (watcher_) {
    results.setError("this client has opened the session already");
    return kj::READY_NOW;
  }
  watcher_ = parameters.getWatcher();
  clients_.enter(*this);
  if (parameters.getControl() ||
      (clients_.controller == nullptr && clients_.options().first_controls))
    clients_.controller = this;
  results.setControls(clients_.controller == this);
  clients_.said(clients_.controller == this ? "a client attached and controls"
                                            : "a client attached and watches");
  push(true);
  return kj::READY_NOW;
}

kj::Promise<void> SessionServer::takeControl(TakeControlContext context) {
  if (watcher_)
    clients_.controller = this;
  else
    context.getResults().setError("open the session first");
  return kj::READY_NOW;
}

// ---- commands ----------------------------------------------------------------------------------

std::string SessionServer::refusal() const {
  if (!watcher_) return "open the session first";
  if (clients_.controller != this)
    return "another one controls this session and you watch; \"pcilens attach --control\" takes "
           "over";
  return {};
}

template <typename Context>
void SessionServer::answer(Context& context, const Error* error) {
  // What the call did shows in the newest snapshot, which the client gets before this answer.
  push(true);
  if (error != nullptr) context.getResults().setError(message_of(*error));
  context.getResults().setVersion(sent_ ? sent_->version : 0);
}

// call(target, done) for what answers with success alone.
template <typename Context, typename Call>
kj::Promise<void> SessionServer::command(Context context, Call call) {
  if (const std::string why = refusal(); !why.empty()) {
    context.getResults().setError(text(why));
    return kj::READY_NOW;
  }
  return clients_.ask<void>([&](Done<void> done) { call(clients_.target(), std::move(done)); })
      .then([this, context](Clients::Answer<void>&& result) mutable {
        answer(context, *result ? nullptr : &result->error());
      });
}

// call(target, done) for what answers with a number.
template <typename Context, typename Call>
kj::Promise<void> SessionServer::question(Context context, Call call) {
  if (const std::string why = refusal(); !why.empty()) {
    context.getResults().setError(text(why));
    return kj::READY_NOW;
  }
  using Value = typename Call::Value;
  return clients_
      .ask<Value>([&](Done<Value> done) { call.act(clients_.target(), std::move(done)); })
      .then([this, context](Clients::Answer<Value>&& result) mutable {
        answer(context, *result ? nullptr : &result->error());
        if (*result) context.getResults().setValue(**result);
      });
}

namespace {

template <typename T, typename Act>
struct Valued {
  using Value = T;
  Act act;
};
template <typename T, typename Act>
Valued<T, Act> valued(Act act) {
  return {std::move(act)};
}

// A command whose parameters could not be read fails like one that the target refuses.
template <typename Context, typename T>
bool refuse(Context& context, const Result<T>& parameters) {
  if (parameters) return false;
  context.getResults().setError(text(parameters.error().message));
  return true;
}

}  // namespace

kj::Promise<void> SessionServer::pause(PauseContext context) {
  return command(context, [](Target& t, Done<void> done) { t.pause(std::move(done)); });
}
kj::Promise<void> SessionServer::resume(ResumeContext context) {
  return command(context, [](Target& t, Done<void> done) { t.resume(std::move(done)); });
}
kj::Promise<void> SessionServer::step(StepContext context) {
  const auto until = checked(context.getParams().getUntil(), Step::Until::Any);
  if (refuse(context, until)) return kj::READY_NOW;
  Step step{.until = *until, .expression = string(context.getParams().getExpression())};
  return command(context, [step](Target& t, Done<void> done) { t.step(step, std::move(done)); });
}
kj::Promise<void> SessionServer::edit(EditContext context) {
  return command(context, [value = context.getParams().getValue()](Target& t, Done<void> done) {
    t.edit(value, std::move(done));
  });
}
kj::Promise<void> SessionServer::addBreakpoint(AddBreakpointContext context) {
  auto breakpoint = read(context.getParams().getBreakpoint());
  if (refuse(context, breakpoint)) return kj::READY_NOW;
  return question(context, valued<std::uint32_t>([&](Target& t, Done<std::uint32_t> done) {
                    t.add_breakpoint(std::move(*breakpoint), std::move(done));
                  }));
}
kj::Promise<void> SessionServer::enableBreakpoint(EnableBreakpointContext context) {
  const auto p = context.getParams();
  return command(context, [p](Target& t, Done<void> done) {
    t.enable_breakpoint(p.getNumber(), p.getEnabled(), std::move(done));
  });
}
kj::Promise<void> SessionServer::removeBreakpoint(RemoveBreakpointContext context) {
  const auto p = context.getParams();
  return command(context, [p](Target& t, Done<void> done) {
    t.remove_breakpoint(p.getNumber(), std::move(done));
  });
}
kj::Promise<void> SessionServer::addFault(AddFaultContext context) {
  auto fault = read(context.getParams().getFault());
  if (refuse(context, fault)) return kj::READY_NOW;
  return question(context, valued<std::uint32_t>([&](Target& t, Done<std::uint32_t> done) {
                    t.add_fault(std::move(*fault), std::move(done));
                  }));
}
kj::Promise<void> SessionServer::enableFault(EnableFaultContext context) {
  const auto p = context.getParams();
  return command(context, [p](Target& t, Done<void> done) {
    t.enable_fault(p.getNumber(), p.getEnabled(), std::move(done));
  });
}
kj::Promise<void> SessionServer::removeFault(RemoveFaultContext context) {
  const auto p = context.getParams();
  return command(
      context, [p](Target& t, Done<void> done) { t.remove_fault(p.getNumber(), std::move(done)); });
}
kj::Promise<void> SessionServer::pokeRead(PokeReadContext context) {
  const auto place = read(context.getParams().getPlace());
  if (refuse(context, place)) return kj::READY_NOW;
  return question(context, valued<std::uint64_t>([&](Target& t, Done<std::uint64_t> done) {
                    t.poke_read(*place, std::move(done));
                  }));
}
kj::Promise<void> SessionServer::pokeWrite(PokeWriteContext context) {
  const auto place = read(context.getParams().getPlace());
  if (refuse(context, place)) return kj::READY_NOW;
  return command(context, [&](Target& t, Done<void> done) {
    t.poke_write(*place, context.getParams().getValue(), std::move(done));
  });
}
kj::Promise<void> SessionServer::force(ForceContext context) {
  const auto place = read(context.getParams().getPlace());
  if (refuse(context, place)) return kj::READY_NOW;
  return command(context, [&](Target& t, Done<void> done) {
    t.force(*place, context.getParams().getValue(), std::move(done));
  });
}
kj::Promise<void> SessionServer::resetFunction(ResetFunctionContext context) {
  const auto kind = checked(context.getParams().getKind(), ResetKind::HotPlug);
  if (refuse(context, kind)) return kj::READY_NOW;
  return command(context, [&](Target& t, Done<void> done) {
    t.reset_function(context.getParams().getFunction(), *kind, std::move(done));
  });
}
kj::Promise<void> SessionServer::restart(RestartContext context) {
  return command(context, [](Target& t, Done<void> done) { t.restart(std::move(done)); });
}

// ---- the trace: for all clients ----------------------------------------------------------------

template <typename T, typename Context, typename Call, typename Fill>
kj::Promise<void> SessionServer::look_up(Context context, Call call, Fill fill) {
  if (!watcher_) {
    context.getResults().setError("open the session first");
    return kj::READY_NOW;
  }
  return clients_.ask<T>([&](Done<T> done) { call(clients_.target(), std::move(done)); })
      .then([context, fill](Clients::Answer<T>&& result) mutable {
        if (*result)
          fill(context.getResults(), **result);
        else
          context.getResults().setError(message_of(result->error()));
      });
}

kj::Promise<void> SessionServer::tracePage(TracePageContext context) {
  const auto p = context.getParams();
  TraceRequest request{.from = p.getFrom(),
                       .limit = std::min(p.getLimit(), kMostRows),
                       .direction = p.getBackward() ? TraceRequest::Direction::Backward
                                                    : TraceRequest::Direction::Forward,
                       .filter = string(p.getFilter()),
                       .budget = p.getBudget()};
  return look_up<TracePage>(
      context,
      [&](Target& t, Done<TracePage> done) { t.trace_page(std::move(request), std::move(done)); },
      [](auto results, const TracePage& page) { write(results.initPage(), page); });
}

kj::Promise<void> SessionServer::tracePayload(TracePayloadContext context) {
  using Bytes = std::vector<std::byte>;
  const auto seq = context.getParams().getSeq();
  return look_up<Bytes>(
      context, [seq](Target& t, Done<Bytes> done) { t.trace_payload(seq, std::move(done)); },
      [seq](auto results, const Bytes& bytes) {
        if (bytes.size() > kMostPayload)
          results.setError(
              text(fmt::format("transaction {} has {} bytes, too many to send; read "
                               "them from the trace's file",
                               seq, bytes.size())));
        else
          results.setBytes({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
      });
}

kj::Promise<void> SessionServer::codeAt(CodeAtContext context) {
  const auto seq = context.getParams().getSeq();
  return look_up<CodeView>(
      context, [seq](Target& t, Done<CodeView> done) { t.code_at(seq, std::move(done)); },
      [](auto results, const CodeView& view) { write(results.initView(), view); });
}

kj::Promise<void> SessionServer::countMatches(CountMatchesContext context) {
  auto expression = string(context.getParams().getExpression());
  return look_up<MatchCount>(
      context,
      [&](Target& t, Done<MatchCount> done) {
        t.count_matches(std::move(expression), std::move(done));
      },
      [](auto results, const MatchCount& count) {
        results.setMatches(count.matches);
        results.setLookedAt(count.looked_at);
        results.setOf(count.of);
      });
}

kj::Promise<void> SessionServer::commands(CommandsContext context) {
  const auto p = context.getParams();
  const CommandRequest request{
      .function = p.getFunction(), .from = p.getFrom(), .limit = p.getLimit(), .seq = p.getSeq()};
  return look_up<CommandPage>(
      context,
      [request](Target& t, Done<CommandPage> done) { t.commands(request, std::move(done)); },
      [](auto results, const CommandPage& page) { write(results.initPage(), page); });
}

kj::Promise<void> SessionServer::kernelLog(KernelLogContext context) {
  using Lines = std::vector<std::string>;
  const auto most = std::min(context.getParams().getMost(), kMostRows);
  return look_up<Lines>(
      context, [most](Target& t, Done<Lines> done) { t.kernel_log(most, std::move(done)); },
      [](auto results, const Lines& lines) {
        auto to = results.initLines(static_cast<unsigned>(lines.size()));
        for (unsigned i = 0; i < to.size(); ++i) to.set(i, text(lines[i]));
      });
}

kj::Promise<void> SessionServer::dmaMappings(DmaMappingsContext context) {
  using Mappings = std::vector<DmaMapping>;
  return look_up<Mappings>(
      context, [](Target& t, Done<Mappings> done) { t.dma_mappings(std::move(done)); },
      [](auto results, const Mappings& mappings) {
        write(results.initMappings(static_cast<unsigned>(mappings.size())), mappings);
      });
}

kj::Promise<void> SessionServer::dmaLook(DmaLookContext context) {
  using Bytes = std::vector<std::byte>;
  const auto p = context.getParams();
  return look_up<Bytes>(
      context,
      [p](Target& t, Done<Bytes> done) {
        t.dma_look(p.getFunction(), p.getIova(), p.getSize(), std::move(done));
      },
      [](auto results, const Bytes& bytes) {
        results.setBytes({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
      });
}

}  // namespace pcilens::remote
