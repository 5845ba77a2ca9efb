#include "core/host/kmod/call_sites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace pcilens::kmod {
namespace {

std::string hex(const std::uint8_t* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

// Instructions lie some bytes apart.
std::uint64_t spread(std::uint64_t address) {
  return address ^ address >> 4 ^ address >> 9;
}

}  // namespace

std::uint32_t CallSites::site_of(const KmodFunction& function, const pcilens_event& event,
                                 Recent& recent) {
  const std::uint64_t ip = event.driver_ip != 0 ? event.driver_ip : event.ip;
  auto& last = recent.sites[spread(ip) % recent.sites.size()];
  if (last.ip == ip && last.thread == event.tid) return last.site;
  last = {ip, event.tid, site_at(function, ip, &event)};
  return last.site;
}

const std::string& CallSites::stack_of(const KmodFunction& function, const Reported& reported,
                                       Recent& recent) {
  static const std::string none;
  if ((reported.event.flags & PCILENS_F_STACK) == 0) return none;
  const unsigned count = std::min<unsigned>(reported.stack.count, PCILENS_STACK_FRAMES);
  const auto* const frames = reported.stack.frame;
  std::uint64_t hash = count;
  for (unsigned i = 0; i < count; ++i) hash = hash * 31 + spread(frames[i]);
  auto& last = recent.stacks[hash % recent.stacks.size()];
  if (last.count == count && std::equal(frames, frames + count, last.frames.begin()))
    return last.text;
  last.count = count;
  std::copy_n(frames, count, last.frames.begin());
  last.text.clear();
  for (unsigned i = 0; i < count; ++i)
    last.text += fmt::format("{}{}", i == 0 ? "[" : ",", site_at(function, frames[i], nullptr));
  if (count != 0) last.text += "]";
  return last.text;
}

std::uint32_t CallSites::site_at(const KmodFunction& function, std::uint64_t ip,
                                 const pcilens_event* event) {
  if (ip == 0) return 0;
  std::uint32_t site = 0;
  if (event != nullptr) tell_thread(*event);
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = sites_.find(ip); it != sites_.end()) return it->second;
    site = static_cast<std::uint32_t>(sites_.size() + 1);
    sites_.emplace(ip, site);
  }
  const auto found = function.symbolise(ip);
  const std::string name = found ? found->symbol : "";
  const std::string code =
      event != nullptr && event->ip == ip ? hex(event->code, event->code_bytes) : std::string();
  link_.name_site(
      site, name,
      fmt::format(
          R"({{"module":"{}","build_id":"{}","symbol":"{}","displacement":{},)"
          R"("code":"{}","file":"","line":0}})",
          found ? found->module : "",
          found ? hex(found->build_id, std::min<std::uint32_t>(found->build_id_bytes, 32)) : "",
          name, found ? found->displacement : 0, code));
  return site;
}

void CallSites::tell_thread(const pcilens_event& event) {
  const std::string name(reinterpret_cast<const char*>(event.comm),
                         ::strnlen(reinterpret_cast<const char*>(event.comm), 16));
  {
    const std::lock_guard lock(mutex_);
    if (!threads_.emplace(event.tid, name).second) return;
  }
  link_.name_requester(event.tid, name);
}

std::string CallSites::thread_name(std::uint32_t thread) const {
  const std::lock_guard lock(mutex_);
  const auto it = threads_.find(thread);
  return it == threads_.end() ? std::string() : it->second;
}

}  // namespace pcilens::kmod
