// Which parts of the window differ from the picture before. With a software renderer drawing costs
// by the pixel, and while a driver runs little more changes than some rows of a table.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <vector>

namespace pcilens::gui {

// Pixels of the window: left and top belong to it, right and bottom do not.
struct DamageBox {
  int left = 0, top = 0, right = 0, bottom = 0;
  bool operator==(const DamageBox&) const = default;
};

class Damage {
 public:
  // Boxes that share no pixel and hold all that differs from the data of the last call; none: the
  // picture is the same. The whole window where its size is another.
  const std::vector<DamageBox>& find(const ImDrawData& data);

  // Leaves of `data` what has to be drawn in those boxes, clipped to them, until restore().
  void keep_only(ImDrawData& data);
  void restore(ImDrawData& data);

 private:
  void add_up(const ImDrawData& data);
  void add_up(const ImDrawList& list);
  void gather();
  void merge();

  int width_ = 0, height_ = 0;              // pixels
  int columns_ = 0, rows_ = 0;              // of tiles
  std::vector<std::uint64_t> sums_, last_;  // a tile each: all triangles that touch it, in order
  std::vector<std::uint64_t> vertices_;
  std::vector<DamageBox> boxes_;
  struct Kept {
    ImVector<ImDrawCmd> commands;
    ImVector<ImDrawIdx> indices;
  };
  std::vector<Kept> kept_;
};

}  // namespace pcilens::gui
