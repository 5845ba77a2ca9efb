// Memory: what the driver has mapped for the device, as bytes or as the structures that the device
// declares. Looking is free of side effects.
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/link/dma_mappings.hpp"
#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"
#include "inspector-ui/models/memory.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

// While the driver runs, memory is looked at so often.
constexpr double kRefresh = 0.2;  // seconds

class MemoryPanel final : public Panel {
 public:
  std::string_view id() const override { return "memory"; }
  std::string_view title() const override { return "Memory"; }
  void draw(App& app) override;

 private:
  using Key = std::pair<std::uint8_t, std::uint64_t>;  // function, IOVA of the mapping
  void refresh(App& app);
  void took(App& app, Result<std::vector<DmaMapping>> mappings);
  void reveal(App& app);
  const DmaMapping* chosen() const;
  void choose(App& app, const DmaMapping& mapping);
  void suggest(App& app, Key key);
  void list(App& app);
  void views(const std::vector<const Structure*>& structures);
  void look(App& app, std::uint64_t from, std::uint32_t size);
  void bytes(App& app, const DmaMapping& m);
  void entries(App& app, const DmaMapping& m, const Structure& s);
  std::span<const std::byte> at(std::uint64_t iova, std::uint64_t size) const;

  std::vector<DmaMapping> mappings_;
  std::string error_;
  bool asked_ = false, known_ = false;
  std::uint64_t version_ = 0;
  double when_ = 0;

  Key key_{};
  std::map<Key, std::string> view_;  // the structure a mapping is shown as; empty: bytes
  std::map<Key, bool> suggested_;
  std::uint64_t top_ = 0, marked_ = 0;  // first row or entry; an IOVA to point out
  std::uint64_t entry_ = 0;
  float wheel_ = 0;

  // What was looked at last.
  std::uint64_t data_at_ = 0, data_version_ = 0;
  std::vector<std::byte> data_;
  bool looking_ = false;
  double looked_ = 0;
};

void MemoryPanel::refresh(App& app) {
  const double now = ImGui::GetTime();
  const bool stale = app.snapshot().version != version_ || !known_;
  if (asked_ || !stale) return;
  if (known_ && app.snapshot().state == RunState::Running && now - when_ < kRefresh) {
    app.wake_in(kRefresh);
    return;
  }
  asked_ = true;
  when_ = now;
  version_ = app.snapshot().version;
  app.target().dma_mappings(
      later<std::vector<DmaMapping>>(app.mailbox(), [this, &app](auto mappings) {
        asked_ = false;
        took(app, std::move(mappings));
      }));
}

void MemoryPanel::took(App& app, Result<std::vector<DmaMapping>> mappings) {
  known_ = true;
  error_ = mappings ? std::string() : mappings.error().message;
  mappings_ = mappings ? std::move(*mappings) : std::vector<DmaMapping>();
  if (chosen() == nullptr && !mappings_.empty()) choose(app, mappings_.front());
}

const DmaMapping* MemoryPanel::chosen() const {
  for (const DmaMapping& m : mappings_)
    if (Key{m.function, m.iova} == key_) return &m;
  return nullptr;
}

void MemoryPanel::choose(App& app, const DmaMapping& mapping) {
  const Key key{mapping.function, mapping.iova};
  if (key == key_) return;
  key_ = key;
  top_ = entry_ = 0;
  data_.clear();
  data_version_ = 0;
  suggest(app, key);
}

// What the device has fetched from there of late tells what lies there.
void MemoryPanel::suggest(App& app, Key key) {
  if (suggested_[key]) return;
  suggested_[key] = true;
  TraceRequest request;
  request.direction = TraceRequest::Direction::Backward;
  request.limit = 2000;
  app.target().trace_page(
      request, later<TracePage>(app.mailbox(), [this, &app, key](auto page) {
        const DmaMapping* m = nullptr;
        for (const DmaMapping& one : mappings_)
          if (Key{one.function, one.iova} == key) m = &one;
        if (!page || m == nullptr || view_.contains(key)) return;
        const auto all = structures_of(app.snapshot(), m->function);
        for (const TraceRow& row : page->rows) {
          const Transaction& t = row.transaction;
          if (!is_dma(t.kind) || t.function != m->function || t.offset - m->iova >= m->size)
            continue;
          if (const Structure* s = structure_of_size(all, t.size))
            view_[key] = std::string(s->name);
        }
      }));
}

void MemoryPanel::reveal(App& app) {
  if (!app.memory_wanted || !known_) return;
  app.memory_wanted = false;
  marked_ = app.reveal_iova;
  for (const DmaMapping& m : mappings_) {
    if (m.function != app.reveal_function || app.reveal_iova - m.iova >= m.size) continue;
    choose(app, m);
    const std::uint64_t row = (app.reveal_iova - m.iova) / kHexRow;
    top_ = row > 2 ? row - 2 : 0;
    view_[key_].clear();
    suggested_[key_] = true;
    return;
  }
  app.say_error(
      fmt::format("IOVA 0x{:x}: the driver has nothing mapped there now", app.reveal_iova));
}

std::span<const std::byte> MemoryPanel::at(std::uint64_t iova, std::uint64_t size) const {
  if (iova < data_at_ || iova - data_at_ >= data_.size()) return {};
  const std::uint64_t from = iova - data_at_;
  return std::span(data_).subspan(from, std::min<std::uint64_t>(size, data_.size() - from));
}

void MemoryPanel::look(App& app, std::uint64_t from, std::uint32_t size) {
  const double now = ImGui::GetTime();
  const bool elsewhere = at(from, size).size() < size;
  const bool stale = data_version_ != app.snapshot().version;
  if (looking_ || (!elsewhere && !stale)) return;
  if (!elsewhere && app.snapshot().state == RunState::Running && now - looked_ < kRefresh) {
    app.wake_in(kRefresh);
    return;
  }
  looking_ = true;
  looked_ = now;
  data_version_ = app.snapshot().version;
  const Key key = key_;
  app.target().dma_look(key_.first, from, size,
                        later<std::vector<std::byte>>(app.mailbox(), [this, key, from](auto bytes) {
                          looking_ = false;
                          if (key != key_) return;
                          data_at_ = from;
                          data_ = bytes ? std::move(*bytes) : std::vector<std::byte>();
                        }));
}

void MemoryPanel::draw(App& app) {
  refresh(app);
  reveal(app);
  if (!error_.empty()) {
    widgets::empty_state("No mappings to show", error_ + ". DMA itself is under Transactions.");
    return;
  }
  if (!known_) return;
  if (mappings_.empty()) {
    widgets::empty_state("Nothing is mapped",
                         "When the driver maps memory for DMA, its buffers and queues show here.");
    return;
  }
  list(app);
  const DmaMapping* m = chosen();
  if (m == nullptr) return;
  const std::string mapped = mapped_text(*m);
  widgets::clipped(mapped, colours().faint, false);
  widgets::name_item("memory.mapped", mapped);
  if (is_recording(app.snapshot())) {
    widgets::wrapped(
        "A recording does not keep memory as it was: the bytes of each DMA are with it "
        "under Transactions.",
        colours().faint);
    return;
  }
  const auto structures = structures_of(app.snapshot(), m->function);
  if (!structures.empty()) views(structures);
  const Structure* shown = nullptr;
  for (const Structure* s : structures)
    if (s->name == view_[key_]) shown = s;
  if (shown != nullptr)
    entries(app, *m, *shown);
  else
    bytes(app, *m);
}

void MemoryPanel::list(App& app) {
  const float row = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
  const float room = ImGui::GetContentRegionAvail().y;
  const float height =
      std::min(row * static_cast<float>(mappings_.size()) + unit(1), std::floor(room * 0.34f));
  const ImGuiTableFlags flags =
      ImGuiTableFlags_ScrollY | ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX;
  if (!ImGui::BeginTable("mappings", 3, flags, {0, height})) return;
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGuiListClipper clipper;
  clipper.Begin(static_cast<int>(mappings_.size()));
  while (clipper.Step())
    for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
      const DmaMapping m = mappings_[static_cast<std::size_t>(i)];
      ImGui::TableNextRow();
      ImGui::TableSetColumnIndex(0);
      ImGui::PushID(i);
      const std::string address = fmt::format("0x{:08x}", m.iova);
      if (widgets::row("memory.mapping." + address, Key{m.function, m.iova} == key_,
                       size_text(m.size)))
        choose(app, m);
      ImGui::SameLine(0, 0);
      widgets::clipped(app.snapshot().functions.size() > 1
                           ? app.snapshot().functions[m.function].instance + ":" + address
                           : address,
                       colours().text, true);
      ImGui::TableSetColumnIndex(1);
      widgets::clipped_right(size_text(m.size), colours().dim);
      ImGui::TableSetColumnIndex(2);
      const auto view = view_.find(Key{m.function, m.iova});
      const bool named = view != view_.end() && !view->second.empty();
      widgets::clipped(named ? view->second : std::string(in_words(m.direction)),
                       named ? colours().dma : colours().faint, named);
      ImGui::PopID();
    }
  ImGui::EndTable();
}

void MemoryPanel::views(const std::vector<const Structure*>& structures) {
  widgets::text("Show as", colours().faint);
  ImGui::SameLine(0, unit(3));
  std::string& now = view_[key_];
  const auto one = [&](const std::string& name, const std::string& shown, const char* tip) {
    ImGui::PushID(shown.c_str());
    const bool on = now == name;
    if (widgets::link("memory.as." + shown, shown, on ? colours().accent : colours().dim,
                      !name.empty())) {
      now = name;
      top_ = entry_ = 0;
    }
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", tip);
    ImGui::PopID();
  };
  one({}, "Bytes", "16 bytes a row");
  for (const Structure* s : structures) {
    ImGui::SameLine(0, unit(3));
    const float width = ImGui::CalcTextSize(std::string(s->name).c_str()).x;
    if (ImGui::GetContentRegionAvail().x < width) ImGui::NewLine();
    one(std::string(s->name), std::string(s->name), std::string(s->doc).c_str());
  }
  ImGui::Dummy({0, unit(0.5f)});
}

void MemoryPanel::bytes(App& app, const DmaMapping& m) {
  const ImVec2 from = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const float line = ImGui::GetTextLineHeight() + unit(0.5f);
  const auto fits = static_cast<std::uint64_t>(std::max(1.0f, std::floor(room.y / line)));
  const std::uint64_t rows = (m.size + kHexRow - 1) / kHexRow;
  if (ImGui::IsWindowHovered(ImGuiHoveredFlags_ChildWindows) && ImGui::GetIO().MouseWheel != 0 &&
      ImGui::GetIO().MousePos.y > from.y) {
    wheel_ -= ImGui::GetIO().MouseWheel * 3;
    const auto whole = static_cast<std::int64_t>(wheel_);
    wheel_ -= static_cast<float>(whole);
    top_ = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, static_cast<std::int64_t>(top_) + whole));
  }
  top_ = std::min(top_, rows > fits ? rows - fits : 0);
  const std::uint64_t first = m.iova + top_ * kHexRow;
  const std::uint64_t size = std::min(fits * kHexRow, m.size - top_ * kHexRow);
  look(app, first, static_cast<std::uint32_t>(std::min<std::uint64_t>(size, Target::kMostDmaLook)));
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{unit(2), unit(0.5f)});
  // Address, bytes and text: where they do not fit, the distance from the mapping's begin will do.
  constexpr float kCharacters = 10 + 48 + 16;
  const float digit = widgets::digit_width();
  const bool whole = room.x - unit(3) >= kCharacters * digit + unit(6);
  for (std::uint64_t i = 0; i < fits && top_ + i < rows; ++i) {
    const std::uint64_t address = first + i * kHexRow;
    const HexRow row = hex_row(address, at(address, kHexRow));
    const bool marked = marked_ != 0 && marked_ - address < kHexRow;
    widgets::mono(whole ? row.address : fmt::format("{:04x}", address - m.iova),
                  marked ? colours().held : colours().faint);
    if (!whole && ImGui::IsItemHovered()) ImGui::SetTooltip("%s", row.address.c_str());
    ImGui::SameLine(0, unit(3));
    widgets::mono(row.bytes, colours().text);
    widgets::name_item("memory.row." + row.address, row.bytes);
    ImGui::SameLine(0, unit(3));
    widgets::mono(row.text, colours().dim);
  }
  ImGui::PopStyleVar();
  const Rect track{from.x + room.x - unit(2.5f), from.y, unit(2.5f), room.y};
  widgets::scroll_bar("memory.scroll", track, &top_, rows, fits);
}

void MemoryPanel::entries(App& app, const DmaMapping& m, const Structure& s) {
  const std::uint64_t count = m.size / s.size;
  if (count == 0) {
    widgets::wrapped(fmt::format("{} has {} bytes: more than this mapping.", s.name, s.size),
                     colours().faint);
    return;
  }
  const ImVec2 room = ImGui::GetContentRegionAvail();
  // A long structure is looked at alone; of short ones the list takes the upper part.
  const float members = std::floor(room.y * (count == 1 ? 1.0f : 0.5f));
  if (count > 1) {
    const float height = room.y - members - unit(2);
    const ImVec2 from = ImGui::GetCursorScreenPos();
    const float line = ImGui::GetTextLineHeight() + unit(1);
    const auto fits = static_cast<std::uint64_t>(std::max(1.0f, std::floor(height / line)));
    if (ImGui::IsMouseHoveringRect(from, {from.x + room.x, from.y + height})) {
      const auto step = static_cast<std::int64_t>(-ImGui::GetIO().MouseWheel * 3);
      top_ = static_cast<std::uint64_t>(
          std::max<std::int64_t>(0, static_cast<std::int64_t>(top_) + step));
    }
    top_ = std::min(top_, count > fits ? count - fits : 0);
    const std::uint64_t size = std::min(fits, count - top_) * s.size;
    look(app, m.iova + top_ * s.size,
         static_cast<std::uint32_t>(std::min<std::uint64_t>(size, Target::kMostDmaLook)));
    for (std::uint64_t i = top_; i < count && i < top_ + fits; ++i) {
      const auto data = at(m.iova + i * s.size, s.size);
      ImGui::PushID(static_cast<int>(i - top_));
      const std::string text = data.size() < s.size ? std::string("…") : entry_line(s, data);
      const ImVec2 cursor = ImGui::GetCursorPos();
      if (ImGui::Selectable("##entry", entry_ == i, 0, {room.x - unit(4), line - unit(1)}))
        entry_ = i;
      widgets::name_item(fmt::format("memory.entry.{}", i), text);
      ImGui::SetCursorPos(cursor);
      widgets::mono(fmt::format("{:>4}", i), colours().faint);
      ImGui::SameLine(0, unit(3));
      widgets::clipped(text, text == "all 0" ? colours().faint : colours().text, true);
      ImGui::SetCursorPos({cursor.x, cursor.y + line});
      ImGui::PopID();
    }
    widgets::scroll_bar("memory.scroll", {from.x + room.x - unit(2.5f), from.y, unit(2.5f), height},
                        &top_, count, fits);
    ImGui::SetCursorScreenPos({from.x, from.y + height + unit(1)});
  } else {
    entry_ = 0;
    look(app, m.iova, s.size);
  }
  if (widgets::begin_area("entry", {0, 0}, {0, 0})) {
    const std::uint64_t iova = m.iova + entry_ * s.size;
    widgets::heading(fmt::format("{} {} at 0x{:x}: {}", s.name, entry_, iova, s.doc));
    draw_members(s, at(iova, s.size), "memory.member.");
  }
  widgets::end_area();
}

}  // namespace

std::unique_ptr<Panel> make_memory_panel() {
  return std::make_unique<MemoryPanel>();
}

}  // namespace pcilens::gui
