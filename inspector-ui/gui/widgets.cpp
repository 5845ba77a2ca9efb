#include "inspector-ui/gui/widgets.hpp"

#include <imgui_internal.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "inspector-ui/gui/rects.hpp"
#include "inspector-ui/gui/theme.hpp"

namespace pcilens::gui::widgets {
namespace {

using theme::colours;
using theme::unit;

ImVec2 size_of(std::string_view text) {
  return ImGui::CalcTextSize(text.data(), text.data() + text.size());
}

void plain(std::string_view text, ImU32 colour, ImFont* font) {
  ImGui::PushFont(font);
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  ImGui::TextUnformatted(text.data(), text.data() + text.size());
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

// Shapes are drawn: no icon font to install, sharp at every scale.
void draw_icon(ImDrawList* draw, Icon icon, ImVec2 middle, float r, ImU32 colour) {
  const float x = std::floor(middle.x), y = std::floor(middle.y), line = std::max(1.5f, r / 4);
  switch (icon) {
    case Icon::None: break;
    case Icon::Run:
      draw->AddTriangleFilled({x - r * 0.7f, y - r}, {x - r * 0.7f, y + r}, {x + r, y}, colour);
      break;
    case Icon::Pause:
      draw->AddRectFilled({x - r * 0.8f, y - r}, {x - r * 0.2f, y + r}, colour, 1);
      draw->AddRectFilled({x + r * 0.2f, y - r}, {x + r * 0.8f, y + r}, colour, 1);
      break;
    case Icon::Step:
    case Icon::StepChange:
      draw->AddLine({x - r, y - r * 0.2f}, {x + r * 0.5f, y - r * 0.2f}, colour, line);
      draw->AddTriangleFilled({x + r * 0.3f, y - r * 0.8f}, {x + r * 0.3f, y + r * 0.4f},
                              {x + r * 1.1f, y - r * 0.2f}, colour);
      if (icon == Icon::Step)
        draw->AddCircleFilled({x, y + r * 0.9f}, r * 0.28f, colour);
      else
        draw->AddRectFilled({x - r * 0.5f, y + r * 0.7f}, {x + r * 0.5f, y + r * 1.1f}, colour);
      break;
    case Icon::Restart:
      draw->PathArcTo({x, y}, r * 0.85f, -0.3f, 4.6f, 20);
      draw->PathStroke(colour, 0, line);
      draw->AddTriangleFilled({x - r * 0.1f, y - r * 1.4f}, {x - r * 0.1f, y - r * 0.3f},
                              {x + r * 0.6f, y - r * 0.85f}, colour);
      break;
    case Icon::Close:
      draw->AddLine({x - r * 0.6f, y - r * 0.6f}, {x + r * 0.6f, y + r * 0.6f}, colour, line);
      draw->AddLine({x - r * 0.6f, y + r * 0.6f}, {x + r * 0.6f, y - r * 0.6f}, colour, line);
      break;
    case Icon::Add:
      draw->AddLine({x - r * 0.8f, y}, {x + r * 0.8f, y}, colour, line);
      draw->AddLine({x, y - r * 0.8f}, {x, y + r * 0.8f}, colour, line);
      break;
  }
}

std::string hidden(std::string_view name) {
  return "##" + std::string(name);
}

}  // namespace

void name_item(std::string_view name, std::string_view text) {
  const ImVec2 a = ImGui::GetItemRectMin(), b = ImGui::GetItemRectMax();
  Rects::current().add(name, {a.x, a.y, b.x - a.x, b.y - a.y}, text);
}

void name_area(std::string_view name, Rect area, std::string_view text) {
  Rects::current().add(name, area, text);
}

void text(std::string_view t, ImU32 colour) {
  plain(t, colour, theme::fonts().text);
}
void mono(std::string_view t, ImU32 colour) {
  plain(t, colour, theme::fonts().mono);
}
void strong(std::string_view t, ImU32 colour) {
  plain(t, colour, theme::fonts().strong);
}

void wrapped(std::string_view t, ImU32 colour) {
  ImGui::PushTextWrapPos(0);
  plain(t, colour, theme::fonts().text);
  ImGui::PopTextWrapPos();
}

void clipped(std::string_view t, ImU32 colour, bool monospaced) {
  ImGui::PushFont(monospaced ? theme::fonts().mono : theme::fonts().text);
  const ImVec2 size = size_of(t);
  const ImVec2 from = ImGui::GetCursorScreenPos();
  const float room = ImGui::GetContentRegionAvail().x;
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  ImGui::RenderTextEllipsis(ImGui::GetWindowDrawList(), from, {from.x + room, from.y + size.y},
                            from.x + room, from.x + room, t.data(), t.data() + t.size(), &size);
  ImGui::PopStyleColor();
  ImGui::PopFont();
  ImGui::Dummy({std::min(size.x, std::max(room, 1.0f)), size.y});
  if (size.x > room && ImGui::IsItemHovered())
    ImGui::SetTooltip("%.*s", static_cast<int>(t.size()), t.data());
}

void clipped_right(std::string_view t, ImU32 colour) {
  ImGui::PushFont(theme::fonts().mono);
  const float spare = ImGui::GetContentRegionAvail().x - size_of(t).x;
  ImGui::PopFont();
  if (spare > 0) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + spare);
  clipped(t, colour, true);
}

bool link(std::string_view name, std::string_view t, ImU32 colour, bool monospaced) {
  ImGui::PushFont(monospaced ? theme::fonts().mono : theme::fonts().text);
  const ImVec2 size = size_of(t), from = ImGui::GetCursorScreenPos();
  const float room = std::min(size.x, std::max(ImGui::GetContentRegionAvail().x, 1.0f));
  const bool clicked = ImGui::InvisibleButton(hidden(name).c_str(), {room, size.y});
  name_item(name, t);
  const bool hot = ImGui::IsItemHovered();
  if (hot) ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
  ImGui::PushStyleColor(ImGuiCol_Text, hot ? colours().accent : colour);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  ImGui::RenderTextEllipsis(draw, from, {from.x + room, from.y + size.y}, from.x + room,
                            from.x + room, t.data(), t.data() + t.size(), &size);
  ImGui::PopStyleColor();
  ImGui::PopFont();
  if (hot)
    draw->AddLine({from.x, from.y + size.y - 1}, {from.x + room, from.y + size.y - 1},
                  colours().accent);
  return clicked;
}

void heading(std::string_view t) {
  ImGui::Dummy({0, unit(0.5f)});
  text(t, colours().faint);
}

void fact(std::string_view label, std::string_view t, bool monospaced) {
  text(label, colours().faint);
  ImGui::SameLine(unit(18));
  clipped(t, colours().dim, monospaced);
}

bool progress(std::string_view name, float part, std::string_view t) {
  const float height = ImGui::GetFrameHeight(), cancel = unit(18);
  const float width = std::max(unit(20), ImGui::GetContentRegionAvail().x - cancel - unit(2));
  const ImVec2 from = ImGui::GetCursorScreenPos();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  ImGui::Dummy({width, height});
  name_item(name, t);
  draw->AddRectFilled(from, {from.x + width, from.y + height}, colours().raised, unit(1));
  draw->AddRectFilled(from, {from.x + width * std::clamp(part, 0.0f, 1.0f), from.y + height},
                      colours().selected, unit(1));
  draw->AddText({from.x + unit(2), std::floor(from.y + (height - ImGui::GetFontSize()) / 2)},
                colours().dim, t.data(), t.data() + t.size());
  ImGui::SameLine();
  return button(std::string(name) + ".cancel", Icon::None, "Cancel", colours().text);
}

float digit_width() {
  const ImFont* font = theme::fonts().mono;
  return font->CalcTextSizeA(font->FontSize, FLT_MAX, 0, "0").x;
}

void empty_state(std::string_view what, std::string_view todo) {
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float width = std::min(room.x - unit(4), unit(95));
  ImGui::PushFont(theme::fonts().text);
  const ImVec2 t = ImGui::CalcTextSize(todo.data(), todo.data() + todo.size(), false, width);
  ImGui::PopFont();
  const float height = t.y + ImGui::GetTextLineHeightWithSpacing();
  const ImVec2 from = ImGui::GetCursorPos();
  const float y = from.y + std::max(0.0f, room.y * 0.42f - height / 2);
  const auto centred = [&](std::string_view s, float w, float top) {
    ImGui::SetCursorPos({from.x + std::max(0.0f, (room.x - w) / 2), top});
    return s;
  };
  ImGui::PushFont(theme::fonts().strong);
  const float head = size_of(what).x;
  ImGui::PopFont();
  strong(centred(what, head, y), colours().dim);
  centred(todo, t.x, y + ImGui::GetTextLineHeightWithSpacing());
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + width + 1);
  text(todo, colours().faint);
  ImGui::PopTextWrapPos();
}

bool button(std::string_view name, Icon icon, std::string_view label, ImU32 icon_colour,
            bool enabled) {
  const ImVec2 text_size = label.empty() ? ImVec2{0, 0} : size_of(label);
  const float height = ImGui::GetFrameHeight();
  const float icon_room = icon == Icon::None ? 0.0f : unit(4);
  const float gap = icon != Icon::None && !label.empty() ? unit(1.5f) : 0.0f;
  const ImVec2 size{text_size.x + icon_room + gap + unit(label.empty() ? 3 : 5), height};
  if (!enabled) ImGui::BeginDisabled();
  const ImVec2 from = ImGui::GetCursorScreenPos();
  const bool clicked = ImGui::Button(hidden(name).c_str(), size);
  name_item(name, enabled ? label : std::string_view());
  ImDrawList* draw = ImGui::GetWindowDrawList();
  float x = from.x + (size.x - text_size.x - icon_room - gap) / 2;
  const float middle = from.y + height / 2;
  if (icon != Icon::None) {
    draw_icon(draw, icon, {x + icon_room / 2, middle}, unit(1.25f),
              enabled ? icon_colour : colours().faint);
    x += icon_room + gap;
  }
  draw->AddText({x, std::floor(middle - text_size.y / 2)},
                enabled ? colours().text : colours().faint, label.data(),
                label.data() + label.size());
  if (!enabled) ImGui::EndDisabled();
  return clicked && enabled;
}

bool cross(std::string_view name, bool visible) {
  const float h = ImGui::GetTextLineHeight();
  const ImVec2 from = ImGui::GetCursorScreenPos();
  const bool clicked = ImGui::InvisibleButton(hidden(name).c_str(), {h, h});
  name_item(name);
  if (visible || ImGui::IsItemHovered())
    draw_icon(ImGui::GetWindowDrawList(), Icon::Close, {from.x + h / 2, from.y + h / 2},
              unit(1.25f), ImGui::IsItemHovered() ? colours().bad : colours().dim);
  return clicked;
}

bool checkbox(std::string_view name, bool* value) {
  const float h = ImGui::GetTextLineHeight();
  const ImVec2 from = ImGui::GetCursorScreenPos();
  const bool clicked = ImGui::InvisibleButton(hidden(name).c_str(), {h, h});
  name_item(name, *value ? "on" : "off");
  if (clicked) *value = !*value;
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const float r = std::floor(h * 0.32f);
  const ImVec2 m{std::floor(from.x + h / 2), std::floor(from.y + h / 2)};
  const bool hot = ImGui::IsItemHovered();
  if (*value)
    draw->AddCircleFilled(m, r, hot ? colours().text : colours().bad, 20);
  else
    draw->AddCircle(m, r, hot ? colours().text : colours().faint, 20, 1.5f);
  return clicked;
}

bool segmented(std::string_view name, int* chosen, const char* const* words, int count) {
  bool changed = false;
  const float height = ImGui::GetFrameHeight();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  ImGui::PushID(name.data(), name.data() + name.size());
  for (int i = 0; i < count; ++i) {
    if (i != 0) ImGui::SameLine(0, 1);
    const ImVec2 size{size_of(words[i]).x + unit(4), height};
    const ImVec2 from = ImGui::GetCursorScreenPos();
    if (ImGui::InvisibleButton(words[i], size)) {
      changed = *chosen != i;
      *chosen = i;
    }
    name_item(std::string(name) + "." + words[i], *chosen == i ? "on" : "off");
    const bool on = *chosen == i;
    const ImU32 ground =
        on ? colours().pressed : (ImGui::IsItemHovered() ? colours().hovered : colours().raised);
    draw->AddRectFilled(from, {from.x + size.x, from.y + size.y}, ground, unit(1));
    draw->AddText({from.x + unit(2), std::floor(from.y + (height - ImGui::GetFontSize()) / 2)},
                  on ? colours().text : colours().dim, words[i]);
  }
  ImGui::PopID();
  return changed;
}

bool input(std::string_view name, std::string* value, const char* hint, float width, bool bad,
           bool monospaced) {
  ImGui::PushFont(monospaced ? theme::fonts().mono : theme::fonts().text);
  // The same height whatever the font, so that inputs line up with buttons.
  const float frame = theme::fonts().text->FontSize + 2 * ImGui::GetStyle().FramePadding.y;
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding,
                      {unit(2), std::floor((frame - ImGui::GetFontSize()) / 2)});
  if (bad) {
    ImGui::PushStyleColor(ImGuiCol_Border, colours().bad);
    ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 1);
  }
  ImGui::SetNextItemWidth(width == 0 ? -1 : width);
  const bool entered = ImGui::InputTextWithHint(hidden(name).c_str(), hint, value,
                                                ImGuiInputTextFlags_EnterReturnsTrue);
  if (bad) {
    ImGui::PopStyleVar();
    ImGui::PopStyleColor();
  }
  ImGui::PopStyleVar();
  ImGui::PopFont();
  name_item(name, *value);
  return entered;
}

void focus_next() {
  ImGui::SetKeyboardFocusHere();
}

namespace {

int on_line_key(ImGuiInputTextCallbackData* data) {
  // imgui_stdlib's own callback is taken: the buffer grows here.
  auto& [text, keys] = *static_cast<std::pair<std::string*, const LineKeys*>*>(data->UserData);
  if (data->EventFlag == ImGuiInputTextFlags_CallbackResize) {
    text->resize(static_cast<std::size_t>(data->BufTextLen));
    data->Buf = text->data();
    return 0;
  }
  const std::string now(data->Buf, static_cast<std::size_t>(data->BufTextLen));
  std::string next = now;
  if (data->EventFlag == ImGuiInputTextFlags_CallbackCompletion)
    next = keys->complete(now);
  else if (data->EventKey == ImGuiKey_UpArrow)
    next = keys->older(now);
  else if (data->EventKey == ImGuiKey_DownArrow)
    next = keys->newer(now);
  if (next == now) return 0;
  data->DeleteChars(0, data->BufTextLen);
  data->InsertChars(0, next.c_str(), next.c_str() + next.size());
  return 0;
}

}  // namespace

bool command_line(std::string_view name, std::string* value, const char* hint, float width,
                  const LineKeys& keys) {
  ImGui::PushFont(theme::fonts().mono);
  ImGui::SetNextItemWidth(width == 0 ? -1 : width);
  std::pair<std::string*, const LineKeys*> both(value, &keys);
  const bool entered = ImGui::InputTextWithHint(
      hidden(name).c_str(), hint, value->data(), value->capacity() + 1,
      ImGuiInputTextFlags_EnterReturnsTrue | ImGuiInputTextFlags_CallbackResize |
          ImGuiInputTextFlags_CallbackCompletion | ImGuiInputTextFlags_CallbackHistory,
      on_line_key, &both);
  ImGui::PopFont();
  name_item(name, *value);
  return entered;
}

void tag(std::string_view t, ImU32 colour) {
  ImGui::PushFont(theme::fonts().mono);
  const ImVec2 size = size_of(t), from = ImGui::GetCursorScreenPos();
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImVec2 to{from.x + size.x + unit(2), from.y + size.y};
  draw->AddRectFilled(from, to, (colour & 0x00ffffff) | 0x22000000, unit(0.75f));
  draw->AddText({from.x + unit(1), from.y}, colour, t.data(), t.data() + t.size());
  ImGui::PopFont();
  ImGui::Dummy({to.x - from.x, size.y});
}

bool twisty(std::string_view name, bool open, float x) {
  const float h = ImGui::GetTextLineHeight(), r = unit(0.9f);
  const ImVec2 from = ImGui::GetCursorScreenPos();
  const ImVec2 m{from.x + x + unit(1.5f), std::floor(from.y + h / 2)};
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const ImU32 c = colours().dim;
  if (open)
    draw->AddTriangleFilled({m.x - r, m.y - r * 0.6f}, {m.x + r, m.y - r * 0.6f},
                            {m.x, m.y + r * 0.8f}, c);
  else
    draw->AddTriangleFilled({m.x - r * 0.6f, m.y - r}, {m.x - r * 0.6f, m.y + r},
                            {m.x + r * 0.8f, m.y}, c);
  name_area(name, {from.x + x, from.y, unit(4), h}, open ? "open" : "closed");
  return ImGui::IsMouseHoveringRect({from.x + x - unit(1), from.y - unit(0.5f)},
                                    {from.x + x + unit(4), from.y + h + unit(0.5f)});
}

bool row(std::string_view name, bool selected, std::string_view text, float height) {
  const bool clicked = ImGui::Selectable(hidden(name).c_str(), selected,
                                         ImGuiSelectableFlags_SpanAllColumns |
                                             ImGuiSelectableFlags_AllowItemOverlap |
                                             ImGuiSelectableFlags_AllowDoubleClick,
                                         {0, height});
  name_item(name, text);
  return clicked;
}

void row_background(ImU32 colour) {
  ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg0, colour);
}

bool scroll_bar(std::string_view name, Rect area, std::uint64_t* value, std::uint64_t total,
                std::uint64_t page) {
  if (total <= page || area.h < unit(6)) return false;
  ImGui::SetCursorScreenPos({area.x, area.y});
  ImGui::InvisibleButton(hidden(name).c_str(), {area.w, area.h});
  name_item(name);
  const double most = static_cast<double>(total - page);
  const float grab = std::max(
      unit(6), area.h * static_cast<float>(static_cast<double>(page) / static_cast<double>(total)));
  const float travel = area.h - grab;
  bool moved = false;
  if (ImGui::IsItemActive() && travel > 0) {
    const float y = ImGui::GetIO().MousePos.y - area.y - grab / 2;
    const double part = std::clamp(static_cast<double>(y / travel), 0.0, 1.0);
    const auto to = static_cast<std::uint64_t>(part * most + 0.5);
    moved = to != *value;
    *value = to;
  }
  const double part = std::min(1.0, static_cast<double>(*value) / most);
  const float y = area.y + static_cast<float>(part) * travel;
  const ImGuiCol colour = ImGui::IsItemActive()    ? ImGuiCol_ScrollbarGrabActive
                          : ImGui::IsItemHovered() ? ImGuiCol_ScrollbarGrabHovered
                                                   : ImGuiCol_ScrollbarGrab;
  ImGui::GetWindowDrawList()->AddRectFilled({area.x + unit(0.5f), y},
                                            {area.x + area.w - unit(0.5f), y + grab},
                                            ImGui::GetColorU32(colour), unit(1));
  return moved;
}

bool begin_area(const char* name, ImVec2 size, ImVec2 padding, bool scrolls) {
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, padding);
  const ImGuiWindowFlags flags =
      ImGuiWindowFlags_AlwaysUseWindowPadding |
      (scrolls ? 0 : ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
  const bool open = ImGui::BeginChild(name, size, false, flags);
  ImGui::PopStyleVar();
  return open;
}

void end_area() {
  ImGui::EndChild();
}

}  // namespace pcilens::gui::widgets
