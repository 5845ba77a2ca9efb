#include "inspector-ui/gui/theme.hpp"

#if __has_include(<imgui_freetype.h>)
#include <imgui_freetype.h>
#define PCILENS_FREETYPE 1
#endif
#include <unistd.h>

#include <initializer_list>

namespace pcilens::gui::theme {
namespace {

constexpr ImU32 rgb(unsigned hex, unsigned alpha = 0xff) {
  return IM_COL32(hex >> 16 & 0xff, hex >> 8 & 0xff, hex & 0xff, alpha);
}

constexpr Colours kDark = {
    .window = rgb(0x121418),
    .panel = rgb(0x191c21),
    .raised = rgb(0x23272e),
    .hovered = rgb(0x2a2f38),
    .pressed = rgb(0x323843),
    .selected = rgb(0x6cb2f7, 0x30),
    .line = rgb(0x2b3039),
    .text = rgb(0xd9dde4),
    .dim = rgb(0x98a1af),
    .faint = rgb(0x7c8694),
    .accent = rgb(0x6cb2f7),
    .held = rgb(0xf2bd66),
    .held_ground = rgb(0xf2bd66, 0x1c),
    .good = rgb(0x7cc791),
    .bad = rgb(0xf08087),
    .config = rgb(0x93a7bd),
    .read = rgb(0x86b9ec),
    .write = rgb(0xe39a7f),
    .dma = rgb(0xb8a0e6),
    .interrupt = rgb(0x70cbb9),
    .popup = rgb(0x1f2329),
    .border = rgb(0x3a414c),
    .grab = rgb(0x353b46),
    .grab_hovered = rgb(0x454c59),
    .grab_active = rgb(0x525a69),
    .tint = rgb(0xffffff, 0x0c),
    .tint_strong = rgb(0xffffff, 0x14),
    .veil = rgb(0, 0x60),
};

constexpr Colours kLight = {
    .window = rgb(0xeceef2),
    .panel = rgb(0xfdfdfe),
    .raised = rgb(0xe2e7ee),
    .hovered = rgb(0xd7dee8),
    .pressed = rgb(0xc8d1de),
    .selected = rgb(0x1f6fc4, 0x26),
    .line = rgb(0xdde2e9),
    .text = rgb(0x1c222b),
    .dim = rgb(0x4d5866),
    .faint = rgb(0x6b7683),
    .accent = rgb(0x1f6fc4),
    .held = rgb(0x945600),
    .held_ground = rgb(0xf0a52a, 0x33),
    .good = rgb(0x1d7f37),
    .bad = rgb(0xc02b38),
    .config = rgb(0x4f6a86),
    .read = rgb(0x1a66ae),
    .write = rgb(0xab4a22),
    .dma = rgb(0x7244bd),
    .interrupt = rgb(0x0b7d6a),
    .popup = rgb(0xffffff),
    .border = rgb(0xc6cdd7),
    .grab = rgb(0xc9d0d9),
    .grab_hovered = rgb(0xb3bcc8),
    .grab_active = rgb(0x9ea9b7),
    .tint = rgb(0, 0x0a),
    .tint_strong = rgb(0, 0x12),
    .veil = rgb(0, 0x30),
};

const Colours* g_colours = &kDark;

float g_scale = 1.0f;
Fonts g_fonts;

// Latin, dashes, ellipsis and arrows: what the window writes.
constexpr ImWchar kGlyphs[] = {0x20,   0xff,   0x2013, 0x2014, 0x2018, 0x201d, 0x2022, 0x2022,
                               0x2026, 0x2026, 0x2190, 0x2193, 0x2212, 0x2212, 0};

ImFont* load(float size, std::initializer_list<const char*> paths) {
  ImGuiIO& io = ImGui::GetIO();
  ImFontConfig config;
  config.OversampleH = 2;
  config.OversampleV = 1;
  config.PixelSnapH = true;
  for (const char* path : paths)
    if (access(path, R_OK) == 0)
      if (ImFont* font = io.Fonts->AddFontFromFileTTF(path, size, &config, kGlyphs)) return font;
  config.SizePixels = size;
  return io.Fonts->AddFontDefault(&config);
}

#define INTER "/usr/share/fonts/opentype/inter/"
#define DEJAVU "/usr/share/fonts/truetype/dejavu/"
#define JETBRAINS "/usr/share/fonts/truetype/jetbrains-mono/"

ImVec4 vec(ImU32 c) {
  return ImGui::ColorConvertU32ToFloat4(c);
}

}  // namespace

const Colours& colours() {
  return *g_colours;
}
void set_light(bool light) {
  g_colours = light ? &kLight : &kDark;
}
bool light() {
  return g_colours == &kLight;
}
const Fonts& fonts() {
  return g_fonts;
}

ImU32 colour_of(KindGroup group) {
  switch (group) {
    case KindGroup::Config: return g_colours->config;
    case KindGroup::Read: return g_colours->read;
    case KindGroup::Write: return g_colours->write;
    case KindGroup::Dma: return g_colours->dma;
    case KindGroup::Interrupt: return g_colours->interrupt;
    case KindGroup::Note: return g_colours->faint;
  }
  return g_colours->text;
}

float unit(float n) {
  return static_cast<float>(static_cast<int>(n * 4.0f * g_scale + 0.5f));
}

void load_fonts(float scale) {
  g_scale = scale;
  ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
  atlas.Clear();
#ifdef PCILENS_FREETYPE
  // Light hinting keeps stems sharp on ordinary screens; the built-in rasteriser blurs them.
  atlas.FontBuilderIO = ImGuiFreeType::GetBuilderForFreeType();
  atlas.FontBuilderFlags = ImGuiFreeTypeBuilderFlags_LightHinting;
#endif
  const float text = kTextSize * scale, mono = kMonoSize * scale, head = kHeadSize * scale;
  g_fonts.text = load(text, {INTER "Inter-Regular.otf", DEJAVU "DejaVuSans.ttf",
                             JETBRAINS "JetBrainsMono-Regular.ttf"});
  g_fonts.strong = load(text, {INTER "Inter-SemiBold.otf", DEJAVU "DejaVuSans-Bold.ttf",
                               JETBRAINS "JetBrainsMono-SemiBold.ttf"});
  g_fonts.mono = load(mono, {JETBRAINS "JetBrainsMono-Regular.ttf", DEJAVU "DejaVuSansMono.ttf"});
  g_fonts.mono_head =
      load(head, {JETBRAINS "JetBrainsMono-Medium.ttf", DEJAVU "DejaVuSansMono-Bold.ttf"});
}

void apply_style(float scale) {
  g_scale = scale;
  ImGuiStyle style;
  style.WindowPadding = {unit(3), unit(2)};
  style.FramePadding = {unit(2), unit(1)};
  style.CellPadding = {unit(2), unit(0.5f)};
  style.ItemSpacing = {unit(2), unit(1.5f)};
  style.ItemInnerSpacing = {unit(1.5f), unit(1)};
  style.IndentSpacing = unit(4);
  style.ScrollbarSize = unit(2.5f);
  style.GrabMinSize = unit(5);
  style.WindowBorderSize = 0;
  style.ChildBorderSize = 0;
  style.PopupBorderSize = 1;
  style.FrameBorderSize = 0;
  style.TabBorderSize = 0;
  style.WindowRounding = 0;
  style.ChildRounding = 0;
  style.FrameRounding = unit(1);
  style.PopupRounding = unit(1.5f);
  style.ScrollbarRounding = unit(1);
  style.GrabRounding = unit(1);

  const Colours& c = *g_colours;
  ImVec4* to = style.Colors;
  to[ImGuiCol_Text] = vec(c.text);
  to[ImGuiCol_TextDisabled] = vec(c.faint);
  to[ImGuiCol_WindowBg] = vec(c.window);
  to[ImGuiCol_ChildBg] = vec(rgb(0, 0));
  to[ImGuiCol_PopupBg] = vec(c.popup);
  to[ImGuiCol_Border] = vec(c.border);
  to[ImGuiCol_FrameBg] = vec(c.raised);
  to[ImGuiCol_FrameBgHovered] = vec(c.hovered);
  to[ImGuiCol_FrameBgActive] = vec(c.hovered);
  to[ImGuiCol_MenuBarBg] = vec(c.window);
  to[ImGuiCol_ScrollbarBg] = vec(rgb(0, 0));
  to[ImGuiCol_ScrollbarGrab] = vec(c.grab);
  to[ImGuiCol_ScrollbarGrabHovered] = vec(c.grab_hovered);
  to[ImGuiCol_ScrollbarGrabActive] = vec(c.grab_active);
  to[ImGuiCol_CheckMark] = vec(c.accent);
  to[ImGuiCol_Button] = vec(c.raised);
  to[ImGuiCol_ButtonHovered] = vec(c.hovered);
  to[ImGuiCol_ButtonActive] = vec(c.pressed);
  to[ImGuiCol_Header] = vec(c.selected);
  to[ImGuiCol_HeaderHovered] = vec(c.tint);
  to[ImGuiCol_HeaderActive] = vec(c.tint_strong);
  to[ImGuiCol_Separator] = vec(c.line);
  to[ImGuiCol_SeparatorHovered] = vec(c.accent);
  to[ImGuiCol_SeparatorActive] = vec(c.accent);
  to[ImGuiCol_TableHeaderBg] = vec(rgb(0, 0));
  to[ImGuiCol_TableBorderStrong] = vec(c.line);
  to[ImGuiCol_TableBorderLight] = vec(rgb(0, 0));
  to[ImGuiCol_TableRowBg] = vec(rgb(0, 0));
  to[ImGuiCol_TableRowBgAlt] = vec(rgb(0, 0));
  to[ImGuiCol_TextSelectedBg] = vec((c.accent & 0x00ffffff) | 0x50000000);
  to[ImGuiCol_NavHighlight] = vec(c.accent);
  to[ImGuiCol_ModalWindowDimBg] = vec(c.veil);
  ImGui::GetStyle() = style;
}

}  // namespace pcilens::gui::theme
