#include "inspector-ui/gui/input_queue.hpp"

#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <imgui.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace pcilens::gui {
namespace {

// Dear ImGui queues by itself from 1.87 on.
constexpr bool kQueues = IMGUI_VERSION_NUM < 18700;

constexpr double kDoubleClick = 0.4;  // seconds, as desktops have it

}  // namespace

void InputQueue::key(int key, int scancode, int action, int mods) {
  events_.push_back({.kind = Event::Kind::Key,
                     .code = key,
                     .scancode = scancode,
                     .action = action,
                     .mods = mods});
}
void InputQueue::character(unsigned code) {
  events_.push_back({.kind = Event::Kind::Character, .code = static_cast<int>(code)});
}
void InputQueue::button(int button, int action, int mods) {
  events_.push_back({.kind = Event::Kind::Button,
                     .code = button,
                     .action = action,
                     .mods = mods,
                     .when = glfwGetTime()});
}
void InputQueue::move(double x, double y) {
  // Only the last of several places counts.
  if (!events_.empty() && events_.back().kind == Event::Kind::Move) events_.pop_back();
  events_.push_back({.kind = Event::Kind::Move, .x = x, .y = y});
}
void InputQueue::scroll(double x, double y) {
  events_.push_back({.kind = Event::Kind::Scroll, .x = x, .y = y});
}

namespace {

bool is_modifier(int code) {
  return code >= GLFW_KEY_LEFT_SHIFT && code <= GLFW_KEY_RIGHT_SUPER;
}
// A key that makes a letter does nothing by itself: the character that comes with it does.
bool is_letter(int code, int mods) {
  constexpr int kActing = GLFW_MOD_CONTROL | GLFW_MOD_ALT | GLFW_MOD_SUPER;
  return code >= GLFW_KEY_SPACE && code < GLFW_KEY_ESCAPE && (mods & kActing) == 0;
}

}  // namespace

bool InputQueue::deliver(GLFWwindow* window) {
  using Kind = Event::Kind;
  std::vector<int> acting, buttons;
  bool characters = false, moved = false;
  const auto changed = [](const std::vector<int>& of, int code) {
    return std::ranges::find(of, code) != of.end();
  };
  while (!events_.empty()) {
    const Event e = events_.front();
    const bool acts = e.kind == Kind::Key && !is_modifier(e.code) && !is_letter(e.code, e.mods);
    if (kQueues) {
      // What acts changes once a picture, with the modifiers it was pressed with, after the text
      // before it; a button changes once, when the mouse has arrived.
      if (acts && (changed(acting, e.code) || characters)) break;
      if (e.kind == Kind::Key && is_modifier(e.code) && !acting.empty()) break;
      if (e.kind == Kind::Character && !acting.empty()) break;
      if (e.kind == Kind::Button && (changed(buttons, e.code) || moved || !acting.empty())) break;
      if (e.kind == Kind::Move && !buttons.empty()) break;
    }
    events_.pop_front();
    switch (e.kind) {
      case Kind::Key:
        if (acts) acting.push_back(e.code);
        ImGui_ImplGlfw_KeyCallback(window, e.code, e.scancode, e.action, e.mods);
        break;
      case Kind::Character:
        characters = true;
        ImGui_ImplGlfw_CharCallback(window, static_cast<unsigned>(e.code));
        break;
      case Kind::Button:
        buttons.push_back(e.code);
        if (e.code >= 0 && e.code < 5) {
          down_[e.code] = e.action == GLFW_PRESS;
          if (e.action == GLFW_PRESS) {
            // Two clicks are a double one by when they came, however slowly pictures follow.
            const bool twice = e.when - std::exchange(pressed_[e.code], e.when) < kDoubleClick;
            ImGui::GetIO().MouseDoubleClickTime = twice ? 60.0f : 0.0f;
          }
        }
        ImGui_ImplGlfw_MouseButtonCallback(window, e.code, e.action, e.mods);
        break;
      case Kind::Move:
        moved = true;
        x_ = static_cast<float>(e.x);
        y_ = static_cast<float>(e.y);
#if IMGUI_VERSION_NUM >= 18700
        ImGui_ImplGlfw_CursorPosCallback(window, e.x, e.y);
#endif
        break;
      case Kind::Scroll: ImGui_ImplGlfw_ScrollCallback(window, e.x, e.y); break;
    }
  }
  return !events_.empty();
}

// Before 1.87 the backend asks the window where the mouse is and what is pressed, which may be
// further on than this picture.
void InputQueue::apply() const {
  if (!kQueues) return;
  ImGuiIO& io = ImGui::GetIO();
  io.MousePos = {x_, y_};
  for (unsigned i = 0; i < 5; ++i) io.MouseDown[i] = down_[i];
}

}  // namespace pcilens::gui
