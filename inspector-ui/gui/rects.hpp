// Named rectangles of what the window drew, so that tests click names, not coordinates, and read
// the text that stood there. Kept only when PCILENS_UI_RECTS names a file; that file is replaced as
// a whole whenever a frame differs:
//   {"frame":12,"size":[1600,900],"rects":{"toolbar.run":{"x":8,"y":32,"w":60,"h":28,"text":"Run"}}}
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "inspector-ui/models/split_tree.hpp"

namespace pcilens::gui {

class Rects {
 public:
  // Empty: keep nothing.
  explicit Rects(std::string file) : file_(std::move(file)) {}

  bool wanted() const { return !file_.empty(); }
  void begin_frame() { now_.clear(); }
  void add(std::string_view name, Rect rect, std::string_view text = {});
  // Writes the file if this frame differs from the last one written.
  void end_frame(float width, float height);

  static Rects& current();

 private:
  struct Item {
    Rect rect;
    std::string text;
    bool operator==(const Item& o) const {
      return rect.x == o.rect.x && rect.y == o.rect.y && rect.w == o.rect.w && rect.h == o.rect.h &&
             text == o.text;
    }
  };
  std::string file_;
  std::map<std::string, Item, std::less<>> now_, written_;
  unsigned frame_ = 0;
};

}  // namespace pcilens::gui
