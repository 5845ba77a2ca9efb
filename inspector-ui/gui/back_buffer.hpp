// What a picture is drawn into before it is shown. Whether it still holds the picture before is not
// promised by OpenGL: a marker in its corner tells. Only software renderers are asked, since a GPU
// draws faster than it answers.
#pragma once

#include <imgui.h>

struct GLFWwindow;

namespace pcilens::gui {

class BackBuffer {
 public:
  // A context must be current.
  void open();
  // Whether only what differs needs to be drawn into it.
  bool holds_last_picture() const;
  // The picture is complete: marks it, nearly in the colour of the ground, and shows it.
  void show(GLFWwindow* window, ImU32 ground);

 private:
  bool ask_ = false;
  unsigned number_ = 0;                  // of the picture, modulo 8
  unsigned char marker_[3] = {0, 0, 0};  // red, green, blue
};

}  // namespace pcilens::gui
