#include "inspector-ui/gui/rects.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "inspector-ui/commands/output.hpp"

namespace pcilens::gui {

Rects& Rects::current() {
  static Rects rects([] {
    const char* file = std::getenv("PCILENS_UI_RECTS");
    return std::string(file != nullptr ? file : "");
  }());
  return rects;
}

void Rects::add(std::string_view name, Rect rect, std::string_view text) {
  if (!wanted()) return;
  now_.insert_or_assign(std::string(name), Item{rect, std::string(text)});
}

void Rects::end_frame(float width, float height) {
  ++frame_;
  if (!wanted() || now_ == written_) return;
  std::string out =
      fmt::format("{{\"frame\":{},\"size\":[{:.0f},{:.0f}],\"rects\":{{", frame_, width, height);
  bool first = true;
  for (const auto& [name, item] : now_) {
    out += fmt::format("{}\n{}:{{\"x\":{:.0f},\"y\":{:.0f},\"w\":{:.0f},\"h\":{:.0f},\"text\":{}}}",
                       first ? "" : ",", ui::json_string(name), item.rect.x, item.rect.y,
                       item.rect.w, item.rect.h, ui::json_string(item.text));
    first = false;
  }
  out += "}}\n";
  const std::string fresh = file_ + ".new";
  {
    std::ofstream file(fresh, std::ios::trunc);
    file << out;
    if (!file) return;  // a test that waits for it says so
  }
  if (std::rename(fresh.c_str(), file_.c_str()) == 0) written_ = now_;
}

}  // namespace pcilens::gui
