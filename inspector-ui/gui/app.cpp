#include "inspector-ui/gui/app.hpp"

#include <fmt/format.h>

#include <chrono>

#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/window_commands.hpp"

namespace pcilens::gui {
namespace {

constexpr std::size_t kMessages = 200;

// The first words of an answer, for the status bar.
std::string headline(const ui::Output& output) {
  for (const auto& block : output.blocks)
    if (const auto* line = std::get_if<ui::Line>(&block)) {
      std::string text;
      for (const auto& span : line->spans) text += span.text;
      return text;
    }
  return {};
}

// A table, or lines that no status bar holds.
bool wants_room(const ui::Output& output) {
  if (output.blocks.size() > 1) return true;
  return !output.blocks.empty() && std::holds_alternative<ui::Table>(output.blocks.front());
}

}  // namespace

App::App(Target& target, std::shared_ptr<Mailbox> mailbox)
    : target_(target),
      mailbox_(std::move(mailbox)),
      snapshot_(target.snapshot()),
      table_(ui::CommandTable::standard()),
      runner_(target, table_, [this](const std::string& line, const Result<ui::Output>& output) {
        // The runner ends before this does, so `this` is good until the mailbox's owner is gone.
        mailbox_->post([this, line, output] {
          if (output)
            say({*output, line, {}, false});
          else
            say({{}, line, output.error().message, true});
        });
      }) {
  runner_.quit = [this] { mailbox_->post([this] { quit = true; }); };
  changes_.update(*snapshot_);
  for (const std::string& complaint : snapshot_->complaints)
    say({.output = {}, .line = {}, .error = "kernel: " + complaint, .bad = true});
  if (no_driver(snapshot_->binding))
    say({.output = {}, .line = {}, .error = "driver: " + snapshot_->binding_text, .bad = true});
  if (snapshot_->stop) held_ = selected_seq = snapshot_->stop->transaction.seq;
  add_window_commands(table_, *this);
}

App::~App() = default;

void App::select(std::uint64_t seq) {
  selected_seq = reveal_seq = seq;
}

void App::use_layout(std::string_view preset) {
  layout = preset_layout(preset, width);
  show_stop();
}

bool App::is_chosen(const ui::Command& command, const ui::Action& action) const {
  if (command.id == "theme") return (action.arguments == "light") == theme::light();
  return command.id == "layout" && action.arguments == preset_of(layout);
}

void App::open_panel(std::string_view id) {
  if (layout.bring_to_front(id)) entered_panel = id;
}

void App::show_stop() {
  if (snapshot_->stop) layout.bring_to_front("stop");
}

void App::use_theme(bool light) {
  theme::set_light(light);
  theme_changed = true;
}

bool App::refresh() {
  auto newest = target_.snapshot();
  if (newest->version == snapshot_->version) return false;
  if (newest->state != snapshot_->state && !notice_bad_) notice_.clear();
  // A new stop is what everybody wants to see; another trace has other numbers.
  const std::uint64_t held = newest->stop ? newest->stop->transaction.seq : 0;
  if (newest->seq < snapshot_->seq) selected_seq = 0;
  const bool fresh = held != 0 && held != held_;
  if (fresh) selected_seq = held;
  held_ = held;
  for (std::size_t i = snapshot_->complaints.size(); i < newest->complaints.size(); ++i)
    say({.output = {}, .line = {}, .error = "kernel: " + newest->complaints[i], .bad = true});
  if (no_driver(newest->binding) && !no_driver(snapshot_->binding))
    say({.output = {}, .line = {}, .error = "driver: " + newest->binding_text, .bad = true});
  snapshot_ = std::move(newest);
  changes_.update(*snapshot_);
  // Who steps or seeks looks at what they chose to look at.
  if (fresh && snapshot_->stop->reason != "step" && snapshot_->stop->reason != "here by hand")
    show_stop();
  return true;
}

void App::run(std::string line) {
  notice_.clear();
  runner_.run(std::move(line), selected_register);
}

std::string App::long_command() {
  const auto running = runner_.running();
  if (!running) return {};
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - running->since;
  wake_in(0.2);
  if (took.count() < 0.2) return {};
  return fmt::format("{}: {:.0f} s", running->line, took.count());
}

void App::run(const ui::Command& command, const ui::Action& action) {
  std::string line(command.id);
  if (!action.arguments.empty()) line += " " + std::string(action.arguments);
  // "…" at the end: it asks for arguments, and the palette completes them.
  if (action.label.ends_with("…")) {
    palette_request = line + " ";
    palette_wanted = true;
    return;
  }
  run(std::move(line));
}

void App::say(Message message) {
  notice_bad_ = message.bad;
  notice_ = message.bad ? message.error : headline(message.output);
  if (!message.bad && message.output.blocks.empty()) return;
  if (wants_room(message.output)) {
    notice_.clear();
    layout.bring_to_front("console");
  }
  messages_.push_back(std::move(message));
  if (messages_.size() > kMessages) messages_.pop_front();
}

void App::say_error(std::string what) {
  notice_ = std::move(what);
  notice_bad_ = true;
}

Done<void> App::report() {
  return later<void>(mailbox_, [this](Result<void> result) {
    if (!result) say_error(result.error().message);
  });
}

Panel* App::panel(std::string_view id) {
  for (const auto& p : panels)
    if (p->id() == id) return p.get();
  return nullptr;
}

}  // namespace pcilens::gui
