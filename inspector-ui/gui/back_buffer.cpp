#include "inspector-ui/gui/back_buffer.hpp"

#include <GLFW/glfw3.h>

#include <cstring>
#include <string_view>

namespace pcilens::gui {

void BackBuffer::open() {
  const auto* name = reinterpret_cast<const char*>(glGetString(GL_RENDERER));
  const std::string_view renderer = name != nullptr ? name : "";
  ask_ = renderer.find("llvmpipe") != renderer.npos || renderer.find("softpipe") != renderer.npos;
}

bool BackBuffer::holds_last_picture() const {
  if (!ask_ || number_ == 0) return false;
  unsigned char pixel[4] = {};
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(0, 0, 1, 1, GL_RGB, GL_UNSIGNED_BYTE, pixel);
  return std::memcmp(pixel, marker_, 3) == 0;
}

void BackBuffer::show(GLFWwindow* window, ImU32 ground) {
  if (ask_) {
    number_ = number_ % 7 + 1;
    for (int i = 0; i < 3; ++i) marker_[i] = static_cast<unsigned char>(ground >> 8 * i);
    marker_[2] = static_cast<unsigned char>((marker_[2] & ~7u) | number_);
    const auto part = [&](int i) { return static_cast<float>(marker_[i]) / 255; };
    glEnable(GL_SCISSOR_TEST);
    glScissor(0, 0, 1, 1);
    glClearColor(part(0), part(1), part(2), 1);
    glClear(GL_COLOR_BUFFER_BIT);
    glDisable(GL_SCISSOR_TEST);
  }
  glfwSwapBuffers(window);
}

}  // namespace pcilens::gui
