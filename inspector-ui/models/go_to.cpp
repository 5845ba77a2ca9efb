#include "inspector-ui/models/go_to.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "inspector-ui/commands/place.hpp"
#include "inspector-ui/models/registers.hpp"

namespace pcilens::gui {
namespace {

constexpr std::size_t kMost = 12;

bool begins(std::string_view text, std::string_view with) {
  return text.size() >= with.size() &&
         std::equal(with.begin(), with.end(), text.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         });
}

void add_names(const Snapshot& snapshot, std::string_view text, std::vector<GoToItem>& items) {
  std::vector<GoToItem> inside;
  for (const ui::PlaceName& n : ui::place_names(snapshot, false)) {
    const auto spot = ui::find_place(snapshot, n.name);
    if (!spot) continue;
    const auto kind =
        spot->place.bar == kBarConfig ? GoToItem::Kind::ConfigItem : GoToItem::Kind::Register;
    GoToItem item{.kind = kind, .title = n.name, .detail = n.doc, .name = n.name};
    if (begins(n.name, text))
      items.push_back(std::move(item));
    else if (text.size() > 1 && std::search(n.name.begin(), n.name.end(), text.begin(), text.end(),
                                            [](char a, char b) {
                                              return std::toupper(static_cast<unsigned char>(a)) ==
                                                     std::toupper(static_cast<unsigned char>(b));
                                            }) != n.name.end())
      inside.push_back(std::move(item));
  }
  for (GoToItem& item : inside) items.push_back(std::move(item));
}

void add_offset(const Snapshot& snapshot, std::uint64_t number, std::vector<GoToItem>& items) {
  for (std::size_t f = 0; f < snapshot.functions.size(); ++f)
    for (const BarState& bar : snapshot.functions[f].bars) {
      // An offset inside the BAR, or the address where the BAR lies.
      for (const std::uint64_t offset : {number, number - bar.address}) {
        if (offset >= bar.size) continue;
        const Transaction t{.offset = offset,
                            .size = 4,
                            .kind = Kind::MemRead,
                            .bar = static_cast<std::int8_t>(bar.index),
                            .function = static_cast<std::uint8_t>(f)};
        const std::string id = register_row_id(snapshot, t);
        if (id.empty()) continue;
        items.push_back({.kind = GoToItem::Kind::Register,
                         .title = id,
                         .detail = fmt::format("BAR{}+0x{:x}", bar.index, offset),
                         .name = id});
        break;
      }
    }
}

}  // namespace

std::vector<GoToItem> go_to_items(const Snapshot& snapshot, std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  std::vector<GoToItem> items;
  if (text.empty()) return items;
  const bool hex = begins(text, "0x");
  const std::string_view digits = hex ? text.substr(2) : text;
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size();
  if (is_number && !hex && number != 0 && number <= snapshot.seq)
    items.push_back({.kind = GoToItem::Kind::Transaction,
                     .title = fmt::format("Transaction {}", number),
                     .detail = fmt::format("of {}", snapshot.seq),
                     .name = {},
                     .number = number});
  if (is_number && hex) {
    add_offset(snapshot, number, items);
    items.push_back({.kind = GoToItem::Kind::Memory,
                     .title = fmt::format("Host memory at 0x{:x}", number),
                     .detail = "as the device addresses it (IOVA)",
                     .name = {},
                     .number = number});
  }
  if (!is_number) add_names(snapshot, text, items);
  if (items.size() > kMost) items.resize(kMost);
  return items;
}

}  // namespace pcilens::gui
