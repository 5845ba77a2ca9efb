// What the person does, a step a picture: Dear ImGui before 1.87 looks at keys and buttons only
// when it draws, and would lose a key that goes down and up between two pictures, or take two
// clicks for one. Newer ones queue by themselves.
#pragma once

#include <deque>

struct GLFWwindow;

namespace pcilens::gui {

class InputQueue {
 public:
  void key(int key, int scancode, int action, int mods);
  void character(unsigned code);
  void button(int button, int action, int mods);
  void move(double x, double y);
  void scroll(double x, double y);

  // Hands on what belongs into the next picture, in order. True if something is left.
  bool deliver(GLFWwindow* window);
  // Sets mouse and buttons as far as they were handed on: after the backend began the picture.
  void apply() const;
  bool empty() const { return events_.empty(); }

 private:
  struct Event {
    enum class Kind : unsigned char { Key, Character, Button, Move, Scroll } kind;
    int code = 0, scancode = 0, action = 0, mods = 0;
    double x = 0, y = 0, when = 0;
  };
  std::deque<Event> events_;
  float x_ = -1e9f, y_ = -1e9f;
  bool down_[5] = {};
  double pressed_[5] = {-1, -1, -1, -1, -1};  // when, in seconds
};

}  // namespace pcilens::gui
