// From transactions to commands: doorbell, fetch, PRPs, data, completion and interrupt of one
// command belong together. Works on any trace of an NVMe controller, and on one without DMA (real
// hardware, recorded at its registers) tells as much as doorbells tell.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/function/protocol.hpp"
#include "devices/nvme/nvme_commands.hpp"
#include "devices/nvme/nvme_map.hpp"

namespace pcilens::nvme {

std::unique_ptr<ProtocolDecoder> make_decoder();

// Of one submission entry: what its fields say, and the gist in a few words.
std::vector<ProtocolField> entry_fields(std::span<const std::byte> entry, bool admin);
std::string entry_name(std::span<const std::byte> entry, bool admin);
std::string entry_summary(std::span<const std::byte> entry, bool admin);
// "success", "LBA out of range (0/80)"; `status` as in Code.
std::string status_text(std::uint16_t status);

class Decoder final : public ProtocolDecoder {
 public:
  void look(const Transaction& t) override;
  std::uint64_t first_number() const override { return first_; }
  std::uint64_t last_number() const override { return first_ + commands_.size() - 1; }
  const ProtocolCommand* command(std::uint64_t number) const override;

 private:
  using Number = std::uint64_t;
  struct Queue {
    std::uint64_t base = 0;
    std::uint32_t entries = 0;  // 0: unknown
    std::uint32_t tail = 0;     // submission: last doorbell; completion: next to be written
    std::uint32_t head = 0;     // completion: last doorbell
    std::uint16_t vector = 0;
    std::deque<std::pair<std::uint32_t, Number>> rung;  // entries announced and not fetched
    std::vector<Number> unread;       // completion: written, and its doorbell not rung
    std::vector<Number> unsignalled;  // completion: written, and no interrupt came
  };
  // What is known of a command beside what is shown.
  struct Under {
    std::array<std::byte, kSqeBytes> entry{};
    std::uint16_t sq = 0;
    std::uint64_t list = 0;            // where the next part of its PRP list lies; 0: there is none
    std::uint64_t pages = 0;           // of data, 0: not known
    std::vector<std::uint64_t> owned;  // seqs that lead to it
  };

  ProtocolCommand& add(std::uint16_t sq, std::uint64_t t_ns);
  Number add_unrung(std::uint16_t sq, std::uint64_t t_ns);
  ProtocolCommand* find(Number number);
  void step(Number number, std::uint64_t seq, const char* what);
  void own(Number number, std::uint64_t seq);
  void forget(Number number);
  void register_write(const Transaction& t);
  void doorbell(const Transaction& t, std::uint64_t index);
  void rung_tail(const Transaction& t, std::uint16_t id, std::uint32_t tail);
  void rung_head(const Transaction& t, std::uint16_t id, std::uint32_t head);
  bool fetched(const Transaction& t);
  bool completed(const Transaction& t);
  void data(const Transaction& t);
  void interrupt(const Transaction& t);
  void took_effect(const Under& under, std::uint16_t status);
  void reset(const char* why);

  std::deque<ProtocolCommand> commands_;
  Number first_ = 1;
  std::unordered_map<Number, Under> under_way_;
  std::unordered_map<std::uint64_t, Number> owner_;  // by seq
  std::map<std::uint32_t, Number> by_identifier_;    // sq << 16 | cid
  std::array<Queue, kQueues> sqs_, cqs_;
  std::uint64_t asq_ = 0, acq_ = 0;
  std::uint32_t aqa_ = 0, cc_ = 0;
  std::uint64_t page_ = 4096, block_ = 512;
  bool memory_seen_ = false;  // there was DMA at all
};

}  // namespace pcilens::nvme
