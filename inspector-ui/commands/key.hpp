// A key as the command table names it, apart from any window library: Dear ImGui 1.86 takes GLFW's
// numbers, 1.87 and later its own, a terminal has escape sequences. Each front end maps this enum.
#pragma once

#include <cstdint>
#include <string>

namespace pcilens::ui {

// clang-format off
enum class KeyCode : std::uint8_t {
  None,
  F1, F2, F3, F4, F5, F6, F7, F8, F9, F10, F11, F12,
  A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z,
  Enter, Escape, Space, Delete, Up, Down, Left, Right, PageUp, PageDown, Home, End,
};
// clang-format on

struct Key {
  KeyCode code = KeyCode::None;
  bool ctrl = false, shift = false, alt = false;

  explicit constexpr operator bool() const { return code != KeyCode::None; }
  constexpr bool operator==(const Key&) const = default;
};

constexpr Key plain(KeyCode code) {
  return {code, false, false, false};
}
constexpr Key ctrl(KeyCode code) {
  return {code, true, false, false};
}
constexpr Key shift(KeyCode code) {
  return {code, false, true, false};
}

// "F5", "Shift+F11", "Ctrl+P": as menus and help write it. Empty for no key.
std::string name_of(Key key);

}  // namespace pcilens::ui
