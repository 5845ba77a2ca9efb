// The command table's keys on Dear ImGui: GLFW's numbers in 1.86, ImGuiKey from 1.87 on.
#include <imgui.h>

#include "inspector-ui/gui/widgets.hpp"
#if IMGUI_VERSION_NUM < 18700
#include <GLFW/glfw3.h>
#endif

namespace pcilens::gui::widgets {
namespace {

using ui::KeyCode;

#if IMGUI_VERSION_NUM < 18700
using NativeKey = int;
#define NATIVE(old_name, new_name) GLFW_KEY_##old_name
#else
using NativeKey = ImGuiKey;
#define NATIVE(old_name, new_name) ImGuiKey_##new_name
#endif

NativeKey shifted(NativeKey first, KeyCode code, KeyCode from) {
  return static_cast<NativeKey>(static_cast<int>(first) + static_cast<int>(code) -
                                static_cast<int>(from));
}

NativeKey native(KeyCode code) {
  if (code >= KeyCode::F1 && code <= KeyCode::F12)
    return shifted(NATIVE(F1, F1), code, KeyCode::F1);
  if (code >= KeyCode::A && code <= KeyCode::Z) return shifted(NATIVE(A, A), code, KeyCode::A);
  switch (code) {
    case KeyCode::Enter: return NATIVE(ENTER, Enter);
    case KeyCode::Escape: return NATIVE(ESCAPE, Escape);
    case KeyCode::Space: return NATIVE(SPACE, Space);
    case KeyCode::Delete: return NATIVE(DELETE, Delete);
    case KeyCode::Up: return NATIVE(UP, UpArrow);
    case KeyCode::Down: return NATIVE(DOWN, DownArrow);
    case KeyCode::Left: return NATIVE(LEFT, LeftArrow);
    case KeyCode::Right: return NATIVE(RIGHT, RightArrow);
    case KeyCode::PageUp: return NATIVE(PAGE_UP, PageUp);
    case KeyCode::PageDown: return NATIVE(PAGE_DOWN, PageDown);
    case KeyCode::Home: return NATIVE(HOME, Home);
    default: return NATIVE(END, End);
  }
}

}  // namespace

bool pressed(ui::Key key) {
  if (!key) return false;
  const ImGuiIO& io = ImGui::GetIO();
  if (io.KeyCtrl != key.ctrl || io.KeyShift != key.shift || io.KeyAlt != key.alt) return false;
  return ImGui::IsKeyPressed(native(key.code), true);
}

void close_on_escape() {
  if (pressed_escape()) ImGui::CloseCurrentPopup();
}

bool pressed_enter() {
  return pressed(ui::plain(KeyCode::Enter));
}
bool pressed_escape() {
  return pressed(ui::plain(KeyCode::Escape));
}
bool pressed_up() {
  return pressed(ui::plain(KeyCode::Up));
}
bool pressed_down() {
  return pressed(ui::plain(KeyCode::Down));
}

}  // namespace pcilens::gui::widgets
