// An NVMe 1.4 controller with one namespace. One class, split by verb:
//   nvme.cpp           the entry: options, config space, and what each register does
//   nvme_reset.cpp     enabling, resetting and shutting down
//   nvme_queues.cpp    from a doorbell to the fetched command, from its result to the interrupt
//   nvme_prp.cpp       data between memory and the controller, by PRPs
//   nvme_admin.cpp     admin commands; their queues, identify pages, logs, features and events in
//                      nvme_admin_queues.cpp nvme_identify.cpp nvme_log.cpp nvme_features.cpp
//   nvme_io.cpp        reading and writing blocks
//   nvme_store.cpp     where the blocks lie
// Beside the model: nvme_decoder.cpp turns a trace back into commands, nvme_driver.cpp drives it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/function/function.hpp"
#include "devices/nvme/nvme_commands.hpp"
#include "devices/nvme/nvme_map.hpp"
#include "devices/nvme/nvme_store.hpp"

namespace pcilens::nvme {

struct Settings {
  Store::Options store{.size = 64ull << 20};
  std::uint32_t block = 512;            // bytes: 512 or 4096
  unsigned io_queues = 64;              // 1..64
  unsigned dstrd = 0;                   // 0..2: doorbell stride 4 << dstrd
  bool doorbell_buffer = false;         // offer shadow doorbells
  std::chrono::nanoseconds ready{0};    // from CC.EN to CSTS.RDY
  std::chrono::nanoseconds latency{0};  // added to every I/O command
};

using Entry = std::array<std::byte, kSqeBytes>;

// A fetched command on its way.
struct Command {
  Entry entry;
  std::uint16_t sq = 0;
  std::uint16_t cid = 0;
  std::uint32_t sq_life = 0;  // of the queue that it came from
  bool aborted = false;

  std::uint64_t get(const StructurePart& p) const { return load(entry, p); }
};

// What goes into its completion.
struct Outcome {
  std::uint16_t status = kSuccess;
  std::uint32_t dw0 = 0;
  bool complete = true;  // false: it stays outstanding (event requests)
};

class Nvme : public Function {
 public:
  Nvme(const Settings& settings, std::unique_ptr<Store> store);
  ~Nvme() override;

 private:
  struct SubmissionQueue {
    std::uint64_t base = 0;
    std::uint32_t entries = 0;  // 0: there is no such queue
    std::uint32_t head = 0, tail = 0;
    std::uint16_t cq = 0;
    std::uint32_t life = 0;  // grows when it is created or deleted
    bool fetching = false;
  };
  struct Completed {  // a result that waits for its place
    std::uint16_t sq, cid;
    std::uint32_t sq_head;
    std::uint16_t status;
    std::uint32_t dw0;
  };
  struct CompletionQueue {
    std::uint64_t base = 0;
    std::uint32_t entries = 0;  // 0: there is no such queue
    std::uint32_t head = 0, tail = 0;
    std::uint16_t vector = 0;
    bool phase = true, interrupts = false, draining = false;
    std::uint32_t life = 0;
    unsigned users = 0;  // submission queues
    std::deque<Completed> results;

    bool full() const { return (tail + 1) % entries == head; }
  };

  // ---- nvme_reset.cpp
  void configured(const RegisterWrite& w);
  bool may_enable();
  Task<> enable();
  Task<> shut_down();
  void reset_controller(bool keep_admin_queues);
  void reset_subsystem();
  void on_reset(ResetKind) override;
  void fatal(std::string_view why);
  bool processing();

  // ---- nvme_queues.cpp
  void submission_doorbell(const RegisterWrite& w);
  void wrong_doorbell(const RegisterWrite& w, std::uint8_t event, const std::string& why);
  void completion_doorbell(const RegisterWrite& w);
  bool has_room(const SubmissionQueue& sq) const;
  void fetch_from(std::uint16_t sq);
  Task<> fetch(std::uint16_t sq);
  Task<> execute(Command command);
  void complete(const Command& command, const Outcome& outcome);
  void post(std::uint16_t cq, const Completed& result);
  Task<> drain(std::uint16_t cq);
  void update_intx();
  Task<bool> look_at_shadow(std::uint16_t sq);
  void create_sq(std::uint16_t id, std::uint64_t base, std::uint32_t entries, std::uint16_t cq);
  void create_cq(std::uint16_t id, std::uint64_t base, std::uint32_t entries, std::uint16_t vector,
                 bool interrupts);
  void delete_sq(std::uint16_t id);
  void delete_cq(std::uint16_t id);

  // ---- nvme_prp.cpp
  // Moves data.size() bytes, MDTS at most, to or from the pages that the command names.
  Task<std::uint16_t> move(const Command& command, std::span<std::byte> data, bool to_host);
  std::uint64_t page_size();

  // ---- nvme_admin.cpp and its like
  Task<Outcome> admin(Command& command);
  Outcome abort(const Command& command);
  Task<Outcome> format(const Command& command);
  Task<Outcome> doorbell_buffer(const Command& command);
  Outcome create_io_cq(const Command& command);
  Outcome create_io_sq(const Command& command);
  Outcome delete_io_sq(const Command& command);
  Outcome delete_io_cq(const Command& command);
  Task<Outcome> identify(const Command& command);
  Task<Outcome> log_page(const Command& command);
  void log_error(const Command& command, std::uint16_t status);
  void smart_log(std::span<std::byte> page);
  Task<Outcome> set_feature(const Command& command);
  Task<Outcome> get_feature(const Command& command);
  Outcome async_event(const Command& command);
  void raise_event(std::uint8_t type, std::uint8_t info, std::uint8_t log);
  void send_events();
  void event_handled(std::uint8_t log);

  // ---- nvme_io.cpp
  Task<Outcome> io(Command& command);
  Task<std::uint16_t> read_blocks(const Command& command, std::uint64_t at, std::uint64_t bytes);
  Task<std::uint16_t> write_blocks(const Command& command, std::uint64_t at, std::uint64_t bytes);
  Task<std::uint16_t> compare_blocks(const Command& command, std::uint64_t at, std::uint64_t bytes);
  Task<std::uint16_t> manage_dataset(const Command& command);
  Task<bool> fetch_blocks(std::uint64_t at, std::span<std::byte> data);
  std::uint64_t blocks() const { return store_->size() / block_; }

  // What lasts as long as the function: no reset changes it.
  const Settings settings_;
  const Layout layout_;
  std::unique_ptr<Store> store_;
  std::uint32_t block_;  // bytes; a format changes it
  std::uint64_t data_read_ = 0, data_written_ = 0, read_commands_ = 0, write_commands_ = 0;
  std::uint64_t errors_ = 0, power_cycles_ = 1, unsafe_shutdowns_ = 0;
  bool in_use_ = false;                              // enabled, and no shutdown was announced
  std::deque<std::array<std::byte, 64>> error_log_;  // newest first

  // What a reset of the controller takes back.
  std::array<SubmissionQueue, kQueues> sqs_;
  std::array<CompletionQueue, kQueues> cqs_;
  std::vector<Command*> under_way_;           // for abort
  std::deque<std::uint16_t> event_requests_;  // their command identifiers
  struct Event {
    std::uint8_t type, info, log;
  };
  std::deque<Event> events_;
  std::uint8_t masked_events_ = 0;  // types reported, and their log not read yet
  struct Features;
  std::unique_ptr<Features> features_;
  std::uint64_t shadow_ = 0, event_index_ = 0;  // IOVAs of the doorbell buffers; 0: not used
};

}  // namespace pcilens::nvme
