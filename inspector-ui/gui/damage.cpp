#include "inspector-ui/gui/damage.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>

namespace pcilens::gui {
namespace {

constexpr int kTile = 32;  // pixels
// More than these cost more to tell apart than to draw as one.
constexpr std::size_t kMostBoxes = 12;

std::uint64_t mixed(std::uint64_t sum, std::uint64_t word) {
  sum = (sum ^ word) * 0x9e37'79b9'7f4a'7c15;
  return sum ^ (sum >> 29);
}

std::uint64_t sum_of(const ImDrawVert& v) {
  std::uint64_t pos = 0, uv = 0;
  std::memcpy(&pos, &v.pos, sizeof pos);
  std::memcpy(&uv, &v.uv, sizeof uv);
  return mixed(mixed(mixed(1, pos), uv), v.col);
}

DamageBox common(const DamageBox& a, const DamageBox& b) {
  return {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
          std::min(a.bottom, b.bottom)};
}
DamageBox around(const DamageBox& a, const DamageBox& b) {
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right),
          std::max(a.bottom, b.bottom)};
}
bool empty(const DamageBox& b) {
  return b.left >= b.right || b.top >= b.bottom;
}

DamageBox box_of(const ImVec4& clip) {
  return {static_cast<int>(std::floor(clip.x)), static_cast<int>(std::floor(clip.y)),
          static_cast<int>(std::ceil(clip.z)), static_cast<int>(std::ceil(clip.w))};
}

// Of the pixels that a triangle may colour.
DamageBox box_of(const ImDrawVert& a, const ImDrawVert& b, const ImDrawVert& c) {
  return {static_cast<int>(std::floor(std::min({a.pos.x, b.pos.x, c.pos.x}))),
          static_cast<int>(std::floor(std::min({a.pos.y, b.pos.y, c.pos.y}))),
          static_cast<int>(std::ceil(std::max({a.pos.x, b.pos.x, c.pos.x}))),
          static_cast<int>(std::ceil(std::max({a.pos.y, b.pos.y, c.pos.y})))};
}

std::span<const ImDrawIdx> indices_of(const ImDrawList& list, const ImDrawCmd& command) {
  return {list.IdxBuffer.Data + command.IdxOffset, command.ElemCount};
}

}  // namespace

void Damage::add_up(const ImDrawList& list) {
  vertices_.resize(static_cast<std::size_t>(list.VtxBuffer.Size));
  std::transform(list.VtxBuffer.begin(), list.VtxBuffer.end(), vertices_.begin(), sum_of);
  for (const ImDrawCmd& command : list.CmdBuffer) {
    const DamageBox clip = common(box_of(command.ClipRect), {0, 0, width_, height_});
    if (empty(clip)) continue;
    std::uint64_t begin = 1;
    for (const float side :
         {command.ClipRect.x, command.ClipRect.y, command.ClipRect.z, command.ClipRect.w}) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &side, sizeof bits);
      begin = mixed(begin, bits);
    }
    const ImDrawVert* vertex = list.VtxBuffer.Data + command.VtxOffset;
    const std::uint64_t* sum = vertices_.data() + command.VtxOffset;
    const auto indices = indices_of(list, command);
    for (std::size_t i = 0; i + 2 < indices.size(); i += 3) {
      const auto [a, b, c] = std::tuple(indices[i], indices[i + 1], indices[i + 2]);
      const DamageBox box = common(box_of(vertex[a], vertex[b], vertex[c]), clip);
      if (empty(box)) continue;
      const std::uint64_t triangle = mixed(mixed(mixed(begin, sum[a]), sum[b]), sum[c]);
      for (int y = box.top / kTile; y <= (box.bottom - 1) / kTile; ++y)
        for (int x = box.left / kTile; x <= (box.right - 1) / kTile; ++x) {
          std::uint64_t& tile = sums_[static_cast<std::size_t>(y * columns_ + x)];
          tile = mixed(tile, triangle);
        }
    }
  }
}

void Damage::add_up(const ImDrawData& data) {
  sums_.assign(static_cast<std::size_t>(columns_ * rows_), 0);
  for (int i = 0; i < data.CmdListsCount; ++i) add_up(*data.CmdLists[i]);
}

// Runs of changed tiles in a row, joined to the boxes that end above them.
void Damage::gather() {
  boxes_.clear();
  for (int y = 0; y < rows_; ++y)
    for (int x = 0; x < columns_; ++x) {
      const auto differs = [&](int at) {
        const auto tile = static_cast<std::size_t>(y * columns_ + at);
        return at < columns_ && sums_[tile] != last_[tile];
      };
      if (!differs(x)) continue;
      DamageBox run{x, y, x, y + 1};
      while (differs(run.right)) ++run.right;
      x = run.right;
      const auto above = std::ranges::find_if(boxes_, [&](const DamageBox& b) {
        return b.bottom >= y && b.left < run.right && run.left < b.right;
      });
      if (above == boxes_.end())
        boxes_.push_back(run);
      else
        *above = around(*above, run);
    }
}

void Damage::merge() {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < boxes_.size() && !again; ++i)
      for (std::size_t j = i + 1; j < boxes_.size() && !again; ++j)
        if (boxes_.size() > kMostBoxes || !empty(common(boxes_[i], boxes_[j]))) {
          boxes_[i] = around(boxes_[i], boxes_[j]);
          boxes_.erase(boxes_.begin() + static_cast<std::ptrdiff_t>(j));
          again = true;
        }
  }
}

const std::vector<DamageBox>& Damage::find(const ImDrawData& data) {
  const int width = static_cast<int>(data.DisplaySize.x * data.FramebufferScale.x);
  const int height = static_cast<int>(data.DisplaySize.y * data.FramebufferScale.y);
  // Where the two are not the same (macOS), tiles would have to be scaled.
  const bool all = width != width_ || height != height_ || data.FramebufferScale.x != 1 ||
                   data.FramebufferScale.y != 1;
  width_ = width;
  height_ = height;
  columns_ = (width + kTile - 1) / kTile;
  rows_ = (height + kTile - 1) / kTile;
  std::swap(sums_, last_);
  add_up(data);
  if (all) {
    boxes_.assign(1, {0, 0, width, height});
    return boxes_;
  }
  gather();
  merge();
  for (DamageBox& b : boxes_)
    b = common({b.left * kTile, b.top * kTile, b.right * kTile, b.bottom * kTile},
               {0, 0, width, height});
  return boxes_;
}

void Damage::keep_only(ImDrawData& data) {
  kept_.resize(static_cast<std::size_t>(data.CmdListsCount));
  for (int i = 0; i < data.CmdListsCount; ++i) {
    ImDrawList& list = *data.CmdLists[i];
    Kept& kept = kept_[static_cast<std::size_t>(i)];
    kept.commands.resize(0);
    kept.indices.resize(0);
    for (const DamageBox& box : boxes_)
      for (const ImDrawCmd& command : list.CmdBuffer) {
        const DamageBox clip = common(box_of(command.ClipRect), box);
        if (empty(clip)) continue;
        ImDrawCmd part = command;
        part.ClipRect = {std::max(command.ClipRect.x, static_cast<float>(box.left)),
                         std::max(command.ClipRect.y, static_cast<float>(box.top)),
                         std::min(command.ClipRect.z, static_cast<float>(box.right)),
                         std::min(command.ClipRect.w, static_cast<float>(box.bottom))};
        part.IdxOffset = static_cast<unsigned>(kept.indices.Size);
        const ImDrawVert* vertex = list.VtxBuffer.Data + command.VtxOffset;
        const auto indices = indices_of(list, command);
        for (std::size_t t = 0; t + 2 < indices.size(); t += 3) {
          const auto [a, b, c] = std::tuple(indices[t], indices[t + 1], indices[t + 2]);
          if (empty(common(box_of(vertex[a], vertex[b], vertex[c]), clip))) continue;
          for (const ImDrawIdx index : {a, b, c}) kept.indices.push_back(index);
        }
        part.ElemCount = static_cast<unsigned>(kept.indices.Size) - part.IdxOffset;
        if (part.ElemCount != 0) kept.commands.push_back(part);
      }
  }
  restore(data);
}

void Damage::restore(ImDrawData& data) {
  for (int i = 0; i < data.CmdListsCount; ++i) {
    Kept& kept = kept_[static_cast<std::size_t>(i)];
    data.CmdLists[i]->CmdBuffer.swap(kept.commands);
    data.CmdLists[i]->IdxBuffer.swap(kept.indices);
  }
}

}  // namespace pcilens::gui
