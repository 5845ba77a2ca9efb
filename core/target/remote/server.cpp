#include "core/target/remote/server.hpp"

#include <algorithm>

#include "core/target/remote/session_server.hpp"
#include "core/target/remote/socket.hpp"
#include "core/target/remote/stream.hpp"

namespace pcilens {
namespace remote {
namespace {

// A client sends commands only; what is larger than 8 MiB is an attack or another protocol.
capnp::ReaderOptions client_limits() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 1u << 20;
  return options;
}

struct Connection {
  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  SessionServer* session;  // the capability's
  rpc::Session::Client capability;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system;

  Connection(kj::Own<kj::AsyncIoStream> s, kj::Own<SessionServer> server)
      : stream(kj::mv(s)),
        network(*stream, capnp::rpc::twoparty::Side::SERVER, client_limits()),
        session(server.get()),
        capability(kj::mv(server)),
        system(capnp::makeRpcServer(network, capability)) {}
  ~Connection() { session->disconnected(); }
};

}  // namespace

Clients::Clients(Target& target, std::shared_ptr<EventLoop> loop, TargetServer::Options options)
    : target_(target), loop_(std::move(loop)), options_(std::move(options)), tasks_(*this) {}

Clients::~Clients() = default;

void Clients::said(const std::string& line) const {
  if (options_.said) options_.said(line);
}

void Clients::taskFailed(kj::Exception&& exception) {
  said(std::string("a client was dropped: ") + exception.getDescription().cStr());
}

void Clients::accept(kj::Own<kj::AsyncIoStream> stream) {
  auto connection = kj::heap<Connection>(kj::mv(stream), kj::heap<SessionServer>(*this));
  // Errors of the stream end the connection like its end does.
  auto ended = connection->network.onDisconnect();
  tasks_.add(ended.attach(kj::mv(connection)));
}

kj::Promise<void> Clients::next(kj::ConnectionReceiver& receiver) {
  return receiver.accept().then([this, &receiver](kj::Own<kj::AsyncIoStream> stream) {
    bool ours = true;
    KJ_IF_MAYBE (fd, stream->getFd()) ours = peer_is_ours(*fd);
    if (ours) accept(kj::mv(stream));
    return next(receiver);
  });
}

void Clients::listen(kj::Own<kj::ConnectionReceiver> receiver) {
  auto forever = next(*receiver);
  tasks_.add(forever.attach(kj::mv(receiver)));
}

void Clients::changed() {
  for (SessionServer* session : sessions_) session->push(false);
}

void Clients::enter(SessionServer& session) {
  sessions_.push_back(&session);
}

void Clients::leave(SessionServer& session) {
  const auto it = std::find(sessions_.begin(), sessions_.end(), &session);
  if (it == sessions_.end()) return;
  sessions_.erase(it);
  if (controller == &session) controller = nullptr;
  said("a client left");
}

}  // namespace remote

// ---- the server as its owner sees it -----------------------------------------------------------

struct TargetServer::State {
  explicit State(Target& t) : target(t) {}

  Target& target;
  bool takes_changes = false;
  std::string path;
  std::optional<remote::ListeningSocket> socket;
  std::unique_ptr<remote::Clients> clients;  // the loop thread's
  std::shared_ptr<remote::EventLoop> loop;
  std::unique_ptr<remote::StreamBridge> bridge;
  std::atomic<bool> posted{false};
  // What the target calls: it may do so once more while we take the listener back.
  struct Hook {
    std::mutex mutex;
    State* state;
  };
  std::shared_ptr<Hook> hook;

  void start(Options options) {
    loop = std::make_shared<remote::EventLoop>([this] { clients.reset(); });
    takes_changes = options.take_changes;
    loop->post([this, options = std::move(options)] {
      clients = std::make_unique<remote::Clients>(target, loop, options);
    });
  }
  void changed() {
    // Many changes between two rounds of the loop are one.
    if (posted.exchange(true)) return;
    loop->post([this] {
      posted = false;
      clients->changed();
    });
  }
};

TargetServer::TargetServer(std::unique_ptr<State> state) : state_(std::move(state)) {
  if (!state_->takes_changes) return;
  state_->hook = std::make_shared<State::Hook>();
  state_->hook->state = state_.get();
  state_->target.on_change([hook = state_->hook] {
    const std::lock_guard lock(hook->mutex);
    if (hook->state != nullptr) hook->state->changed();
  });
}

Result<std::unique_ptr<TargetServer>> TargetServer::on_socket(Target& target,
                                                              const std::string& path,
                                                              Options options) {
  auto socket = remote::ListeningSocket::open(path);
  if (!socket) return tl::unexpected(socket.error());
  auto state = std::make_unique<State>(target);
  state->path = path;
  state->socket.emplace(std::move(*socket));
  state->start(std::move(options));
  state->loop->post([s = state.get()] {
    s->clients->listen(s->loop->io().lowLevelProvider->wrapListenSocketFd(
        s->socket->fd(), kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK));
  });
  return std::unique_ptr<TargetServer>(new TargetServer(std::move(state)));
}

Result<std::unique_ptr<TargetServer>> TargetServer::on_stream(Target& target, int fd,
                                                              Options options) {
  auto state = std::make_unique<State>(target);
  state->start(std::move(options));
  state->bridge =
      std::make_unique<remote::StreamBridge>(remote::Fd(fd), [s = state.get()](remote::Fd client) {
        const auto shared = std::make_shared<remote::Fd>(std::move(client));
        s->loop->post([s, shared] {
          s->clients->accept(s->loop->io().lowLevelProvider->wrapSocketFd(
              shared->release(), kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP));
        });
      });
  return std::unique_ptr<TargetServer>(new TargetServer(std::move(state)));
}

TargetServer::~TargetServer() {
  if (state_->hook) {
    state_->target.on_change({});
    const std::lock_guard lock(state_->hook->mutex);
    state_->hook->state = nullptr;
  }
  state_->bridge.reset();
  state_->loop->stop();
}

void TargetServer::changed() {
  state_->changed();
}
const std::string& TargetServer::path() const {
  return state_->path;
}

}  // namespace pcilens
