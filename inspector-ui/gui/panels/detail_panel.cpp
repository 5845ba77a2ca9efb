// Detail: all that is known of the selected transaction, and what hangs together with it.
#include <fmt/format.h>
#include <imgui.h>

#include <optional>

#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"
#include "inspector-ui/models/detail.hpp"
#include "inspector-ui/models/memory.hpp"
#include "inspector-ui/models/registers.hpp"
#include "inspector-ui/models/transactions.hpp"

namespace pcilens::gui {
namespace {

using theme::colours;
using theme::unit;

// What a transaction causes follows it closely: so far behind it effects are looked for.
constexpr std::uint32_t kLookAhead = 256;
constexpr std::size_t kMostEffects = 24, kMostBytes = 4096;

class DetailPanel final : public Panel {
 public:
  std::string_view id() const override { return "detail"; }
  std::string_view title() const override { return "Detail"; }
  std::string badge(const App& app) const override {
    return app.selected_seq == 0 ? std::string() : fmt::format("{}", app.selected_seq);
  }
  void draw(App& app) override;

 private:
  void ask(App& app, std::uint64_t seq);
  void took(App& app, TracePage page);
  void fields(const DetailModel& m);
  void packets(const DetailModel& m);
  void links(App& app);
  void payload(App& app);

  std::uint64_t seq_ = 0, version_ = 0;
  bool asked_ = false;
  std::optional<TraceRow> row_, cause_;
  std::vector<TraceRow> effects_;
  std::vector<std::byte> bytes_;
  std::string error_;
  std::vector<TraceRow> later_;  // the rows from it on
  std::optional<DetailModel> model_;
  std::uint64_t model_version_ = 0;
  bool held_ = false;  // when the model was made
};

void DetailPanel::ask(App& app, std::uint64_t seq) {
  const bool other = seq != seq_;
  // The same again while it may still change: it is open, or its effects are still coming.
  const bool open = row_ && row_->transaction.status == Status::Pending;
  const bool fresh = app.snapshot().version != version_ &&
                     (open || !row_ || app.snapshot().seq < seq + kLookAhead);
  if (asked_ || (!other && !fresh)) return;
  if (other) {
    row_.reset();
    cause_.reset();
    model_.reset();
    effects_.clear();
    later_.clear();
    bytes_.clear();
    error_.clear();
  }
  seq_ = seq;
  version_ = app.snapshot().version;
  asked_ = true;
  TraceRequest request;
  request.from = seq;
  request.limit = kLookAhead;
  app.target().trace_page(request, later<TracePage>(app.mailbox(), [this, &app, seq](auto page) {
                            asked_ = false;
                            if (seq != seq_) return;
                            if (page)
                              took(app, std::move(*page));
                            else
                              error_ = page.error().message;
                          }));
}

void DetailPanel::took(App& app, TracePage page) {
  if (page.rows.empty() || page.rows.front().transaction.seq != seq_) {
    app.wake_in(0.1);  // not written yet
    version_ = 0;
    return;
  }
  const bool first = !row_;
  row_ = page.rows.front();
  effects_ = effects_of(seq_, page.rows);
  later_ = std::move(page.rows);
  if (effects_.size() > kMostEffects) effects_.resize(kMostEffects);
  model_.reset();
  const std::uint64_t seq = seq_;
  if (first && row_->payload_bytes != 0 && row_->text.empty())
    app.target().trace_payload(
        seq, later<std::vector<std::byte>>(app.mailbox(), [this, seq](auto bytes) {
          if (seq == seq_ && bytes) bytes_ = std::move(*bytes);
        }));
  if (row_->transaction.cause == 0 || cause_) return;
  TraceRequest request;
  request.from = row_->transaction.cause;
  request.limit = 1;
  app.target().trace_page(request, later<TracePage>(app.mailbox(), [this, seq](auto found) {
                            if (seq == seq_ && found && !found->rows.empty())
                              cause_ = found->rows.front();
                          }));
}

void DetailPanel::draw(App& app) {
  const std::uint64_t seq = app.selected_seq;
  if (seq == 0) {
    widgets::empty_state("No transaction selected",
                         "Click a row under Transactions: its fields, its packets, its bytes and "
                         "what caused it show here.");
    return;
  }
  ask(app, seq);
  if (!row_) {
    if (!error_.empty()) widgets::wrapped(error_, colours().bad);
    return;
  }
  // What is held changes with the snapshot, and not in the trace.
  if (!model_ || (held_ && app.snapshot().version != model_version_)) {
    model_ = detail_model(app.snapshot(), *row_, later_);
    model_version_ = app.snapshot().version;
    held_ = app.snapshot().stop && app.snapshot().stop->transaction.seq == seq;
  }
  const DetailModel& m = *model_;
  if (!widgets::begin_area("detail body", {0, 0}, {0, 0})) {
    widgets::end_area();
    return;
  }
  ImGui::PushFont(theme::fonts().mono_head);
  ImGui::PushStyleColor(ImGuiCol_Text, theme::colour_of(group_of(row_->transaction.kind)));
  ImGui::TextUnformatted(m.headline.c_str());
  ImGui::PopStyleColor();
  ImGui::PopFont();
  widgets::name_item("detail.headline", m.headline);
  if (!m.value.empty()) {
    ImGui::SameLine(0, unit(3));
    ImGui::PushFont(theme::fonts().mono_head);
    ImGui::TextUnformatted(m.value.c_str());
    ImGui::PopFont();
    widgets::name_item("detail.value", m.value);
  }
  if (!m.outcome.empty()) widgets::wrapped(m.outcome, m.bad ? colours().bad : colours().text);
  widgets::name_item("detail.outcome", m.outcome);
  if (!m.finding.empty()) widgets::wrapped(m.finding, colours().bad);
  for (const std::string& edit : m.edits) {
    widgets::wrapped(edit, colours().held);
    widgets::name_item("detail.edit", edit);
  }
  fields(m);
  links(app);
  packets(m);
  payload(app);
  widgets::heading("Transaction");
  for (const auto& f : m.facts) widgets::fact(f.label, f.text);
  if (!m.spec.empty()) widgets::fact("Spec", m.spec);
  widgets::end_area();
}

void DetailPanel::fields(const DetailModel& m) {
  if (m.fields.empty()) return;
  widgets::heading("Fields");
  if (!ImGui::BeginTable("fields", 4,
                         ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
    return;
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, unit(12));
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2.2f);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
  for (const DetailField& f : m.fields) {
    ImGui::TableNextRow();
    ImGui::TableSetColumnIndex(0);
    widgets::clipped(f.name, colours().dim, true);
    ImGui::TableSetColumnIndex(1);
    widgets::mono(f.bits, colours().faint);
    ImGui::TableSetColumnIndex(2);
    widgets::clipped(f.value, colours().text, true);
    widgets::name_item("detail.field." + f.name, f.value);
    ImGui::TableSetColumnIndex(3);
    widgets::clipped(f.doc, colours().faint, false);
  }
  ImGui::EndTable();
}

void DetailPanel::links(App& app) {
  if (!cause_ && effects_.empty()) return;
  widgets::heading("Cause and effects");
  const auto one = [&](const char* arrow, const TraceRow& row) {
    const std::uint64_t seq = row.transaction.seq;
    widgets::mono(arrow, colours().faint);
    ImGui::SameLine(unit(5));
    widgets::mono(fmt::format("{}", seq), colours().faint);
    ImGui::SameLine(unit(18));
    if (widgets::link(fmt::format("detail.link.{}", seq), line_of(app.snapshot(), row),
                      theme::colour_of(group_of(row.transaction.kind))))
      app.select(seq);
  };
  if (cause_) one("←", *cause_);
  for (const TraceRow& row : effects_) one("→", row);
  if (effects_.size() == kMostEffects) widgets::text("… and more", colours().faint);
}

void DetailPanel::packets(const DetailModel& m) {
  if (m.tlp.packets.empty() && m.tlp.note.empty()) return;
  widgets::heading("On the link");
  for (const Tlp& tlp : m.tlp.packets) {
    std::string words;
    for (unsigned i = 0; i < tlp.count; ++i) words += fmt::format("{:08x} ", tlp.words[i]);
    widgets::mono(tlp.name, colours().text);
    ImGui::SameLine(unit(18));
    widgets::clipped(words, colours().dim, true);
    widgets::name_item("detail.tlp." + tlp.name, words);
    if (!ImGui::IsItemHovered()) continue;
    ImGui::BeginTooltip();
    widgets::text(tlp.meaning, colours().text);
    for (const TlpField& f : tlp.fields) {
      widgets::text(f.name, colours().faint);
      ImGui::SameLine(unit(40));
      widgets::mono(f.value, colours().dim);
    }
    ImGui::Dummy({0, unit(0.5f)});
    widgets::text("Reconstructed: what was not recorded is 0.", colours().faint);
    ImGui::EndTooltip();
  }
  if (m.tlp.requests > 1)
    widgets::wrapped(fmt::format("{} such requests carry it; this is the first.", m.tlp.requests),
                     colours().faint);
  if (!m.tlp.note.empty()) widgets::wrapped(m.tlp.note, colours().faint);
}

void DetailPanel::payload(App& app) {
  const Transaction& t = row_->transaction;
  if (is_dma(t.kind) || t.kind == Kind::DmaMap) {
    if (widgets::link("detail.memory", "Show this memory as it is now", colours().accent, false)) {
      app.reveal_iova = t.offset;
      app.reveal_function = t.function;
      app.memory_wanted = true;
      app.layout.bring_to_front("memory");
    }
  }
  if (bytes_.empty()) return;
  if (const Structure* s =
          structure_of_size(structures_of(app.snapshot(), t.function), bytes_.size())) {
    widgets::heading(fmt::format("{}: {}", s->name, s->doc));
    draw_members(*s, bytes_, "detail.member.");
  }
  widgets::heading(fmt::format("Payload, {} bytes", bytes_.size()));
  const std::size_t shown = std::min(bytes_.size(), kMostBytes);
  ImGuiListClipper clipper;
  clipper.Begin(static_cast<int>((shown + kHexRow - 1) / kHexRow));
  while (clipper.Step())
    for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * kHexRow;
      const HexRow row =
          hex_row(at, std::span(bytes_).subspan(at, std::min<std::size_t>(kHexRow, shown - at)));
      widgets::mono(row.address.substr(6), colours().faint);
      ImGui::SameLine(0, unit(3));
      widgets::mono(row.bytes, colours().text);
      widgets::name_item(fmt::format("detail.hex.{}", i), row.bytes);
      ImGui::SameLine(0, unit(3));
      widgets::mono(row.text, colours().dim);
    }
  if (shown < bytes_.size())
    widgets::text(fmt::format("{} further bytes are in the trace.", bytes_.size() - shown),
                  colours().faint);
}

}  // namespace

void draw_members(const Structure& structure, std::span<const std::byte> bytes,
                  const std::string& names) {
  if (!ImGui::BeginTable("members", 4,
                         ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX))
    return;
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 2);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, unit(12));
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 3);
  ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthStretch, 4);
  for (const MemberRow& row : member_rows(structure, bytes)) {
    ImGui::TableNextRow();
    ImGui::TableSetColumnIndex(0);
    widgets::clipped(row.name, colours().dim, true);
    ImGui::TableSetColumnIndex(1);
    widgets::mono(row.offset, colours().faint);
    ImGui::TableSetColumnIndex(2);
    widgets::clipped(row.value, colours().text, true);
    widgets::name_item(names + row.name, row.value);
    ImGui::TableSetColumnIndex(3);
    const bool decoded = !row.meaning.empty();
    widgets::clipped(decoded ? row.meaning : row.doc, decoded ? colours().dim : colours().faint,
                     decoded);
  }
  ImGui::EndTable();
}

std::unique_ptr<Panel> make_detail_panel() {
  return std::make_unique<DetailPanel>();
}

}  // namespace pcilens::gui
