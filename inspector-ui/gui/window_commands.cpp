#include "inspector-ui/gui/window_commands.hpp"

#include "inspector-ui/gui/app.hpp"

namespace pcilens::gui {
namespace {

using ui::Argument;
using ui::ArgumentType;
using ui::KeyCode;

constexpr std::string_view kLayouts[] = {"debug", "trace", "learn"};
constexpr Argument kLayoutArguments[] = {{.name = "name",
                                          .type = ArgumentType::Choice,
                                          .doc = "which arrangement of the panels",
                                          .choices = kLayouts}};
constexpr ui::Action kLayoutActions[] = {
    {.label = "Layout: Debug", .arguments = "debug", .key = ui::ctrl(KeyCode::F1)},
    {.label = "Layout: Trace", .arguments = "trace", .key = ui::ctrl(KeyCode::F2)},
    {.label = "Layout: Learn", .arguments = "learn", .key = ui::ctrl(KeyCode::F3)}};

constexpr std::string_view kThemes[] = {"dark", "light"};
constexpr Argument kThemeArguments[] = {{.name = "name",
                                         .type = ArgumentType::Choice,
                                         .doc = "colours of the window",
                                         .choices = kThemes}};
constexpr ui::Action kThemeActions[] = {{.label = "Dark theme", .arguments = "dark"},
                                        {.label = "Light theme", .arguments = "light"}};

constexpr ui::Action kPaletteActions[] = {
    {.label = "Find an action or type a command", .key = ui::ctrl(KeyCode::P)}};
constexpr ui::Action kGoToActions[] = {
    {.label = "Go to a register, transaction or address", .key = ui::ctrl(KeyCode::G)}};
constexpr ui::Action kFindActions[] = {
    {.label = "Search in the panel", .key = ui::ctrl(KeyCode::F)}};

}  // namespace

void add_window_commands(ui::CommandTable& table, App& app) {
  // Commands run on the runner's thread; what they change is the window's.
  const auto posts = [&app](auto act) {
    return [mailbox = app.mailbox(), &app, act](ui::Context&,
                                                const ui::Arguments& a) -> Result<ui::Output> {
      mailbox->post([&app, act, a] { act(app, a); });
      return ui::Output{};
    };
  };
  table.add({.id = "palette",
             .group = "View",
             .summary = "Opens the palette: any action by a few letters, or a command.",
             .actions = kPaletteActions,
             .run = posts([](App& a, const ui::Arguments&) { a.palette_wanted = true; }),
             .where = ui::kWindow});
  table.add({.id = "goto",
             .group = "View",
             .summary = "Shows a register, a transaction by its number, or host memory.",
             .actions = kGoToActions,
             .run = posts([](App& a, const ui::Arguments&) { a.go_to_wanted = true; }),
             .where = ui::kWindow});
  table.add({.id = "find",
             .group = "View",
             .summary = "Goes to the search or filter of the panel that was used last.",
             .actions = kFindActions,
             .run = posts([](App& a, const ui::Arguments&) { a.find_wanted = true; }),
             .where = ui::kWindow});
  table.add({.id = "layout",
             .group = "View",
             .summary = "Arranges the panels; dividers and tabs are kept for the next time.",
             .arguments = kLayoutArguments,
             .actions = kLayoutActions,
             .run = posts([](App& a, const ui::Arguments& arguments) {
               a.use_layout(arguments.text("name"));
             }),
             .where = ui::kWindow});
  table.add({.id = "theme",
             .group = "View",
             .summary = "Chooses the colours of the window.",
             .arguments = kThemeArguments,
             .actions = kThemeActions,
             .run = posts([](App& a, const ui::Arguments& arguments) {
               a.use_theme(arguments.text("name") == "light");
             }),
             .where = ui::kWindow});
}

}  // namespace pcilens::gui
