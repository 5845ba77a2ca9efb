#include "inspector-ui/gui/window.hpp"

#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <backends/imgui_impl_opengl2.h>
#include <backends/imgui_impl_opengl3.h>
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <utility>

#include "inspector-ui/gui/back_buffer.hpp"
#include "inspector-ui/gui/damage.hpp"
#include "inspector-ui/gui/frame_times.hpp"
#include "inspector-ui/gui/input_queue.hpp"
#include "inspector-ui/gui/panels/panels.hpp"
#include "inspector-ui/gui/rects.hpp"
#include "inspector-ui/gui/theme.hpp"
#include "inspector-ui/gui/widgets.hpp"
#include "inspector-ui/models/settings.hpp"

namespace pcilens::gui {
namespace {

using theme::unit;

std::string g_glfw_error;

// After something happened this many frames are drawn: Dear ImGui needs a few to settle.
constexpr int kFramesToSettle = 3;
// While only the target changes, 30 pictures a second are enough to read.
constexpr double kLiveFrame = 1.0 / 30, kInputFrame = 1.0 / 60;

class Window {
 public:
  Result<void> open(const WindowOptions& options);
  void run(Target& target);
  ~Window();

 private:
  void wait(App& app);
  void pace();
  void frame(App& app);
  void draw();
  void render(ImDrawData& data);
  void touched() { frames_ = kFramesToSettle; }
  static Window& of(GLFWwindow* w) { return *static_cast<Window*>(glfwGetWindowUserPointer(w)); }
  void watch_input();
  void set_scale(float scale);
  void restore_layout(App& app);
  void keep_settings(const App& app);

  GLFWwindow* window_ = nullptr;
  bool glfw_ = false, imgui_ = false, gl3_ = false;
  float scale_ = 1;
  int frames_ = kFramesToSettle;
  bool input_ = false;
  InputQueue queue_;
  Settings settings_;
  FrameTimes times_;
  double last_frame_ = 0;
  bool exposed_ = true;  // what is on screen may not be the last picture
  bool stale_ = true;    // nor what was drawn last: fonts or the theme are others
  Damage damage_;
  BackBuffer back_;
};

Result<void> Window::open(const WindowOptions& options) {
  glfwSetErrorCallback([](int, const char* what) { g_glfw_error = what; });
  g_glfw_error.clear();
  if (glfwInit() != GLFW_TRUE)
    return fail(fmt::format(
        "window: no display opens ({}); set DISPLAY, or use \"pcilens console\"", g_glfw_error));
  glfw_ = true;
  settings_ = Settings::load(Settings::path());
  int width = settings_.width != 0 ? settings_.width : options.width;
  int height = settings_.height != 0 ? settings_.height : options.height;
  if (GLFWmonitor* monitor = glfwGetPrimaryMonitor()) {
    int x = 0, y = 0, w = 0, h = 0;
    float x_scale = 1, y_scale = 1;  // by which GLFW multiplies what we ask for
    glfwGetMonitorWorkarea(monitor, &x, &y, &w, &h);
    glfwGetMonitorContentScale(monitor, &x_scale, &y_scale);
    if (w > 0 && x_scale > 0) width = std::min(width, static_cast<int>(w / x_scale));
    if (h > 0 && y_scale > 0) height = std::min(height, static_cast<int>(h / y_scale));
  }
  glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 0);
  window_ = glfwCreateWindow(width, height, options.title.c_str(), nullptr, nullptr);
  gl3_ = window_ != nullptr;
  if (window_ == nullptr) {
    glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 2);
    glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 1);
    window_ = glfwCreateWindow(width, height, options.title.c_str(), nullptr, nullptr);
  }
  if (window_ == nullptr)
    return fail(fmt::format(
        "window: no OpenGL 2.1 or newer ({}); install libgl1-mesa-dri, or use \"pcilens console\"",
        g_glfw_error));
  glfwMakeContextCurrent(window_);
  glfwSwapInterval(1);
  glfwSetWindowUserPointer(window_, this);
  ImGui::CreateContext();
  imgui_ = true;
  ImGui::GetIO().IniFilename = nullptr;
  float x_scale = 1, y_scale = 1;
  glfwGetWindowContentScale(window_, &x_scale, &y_scale);
  scale_ = std::clamp(x_scale, 0.75f, 4.0f);
  theme::load_fonts(scale_);
  theme::set_light(settings_.light);
  theme::apply_style(scale_);
  ImGui_ImplGlfw_InitForOpenGL(window_, false);
  if (gl3_)
    ImGui_ImplOpenGL3_Init("#version 130");
  else
    ImGui_ImplOpenGL2_Init();
  back_.open();
  watch_input();
  return {};
}

// Everything goes through the queue; Dear ImGui's own callbacks are called from there.
void Window::watch_input() {
  static constexpr auto kNote = [](GLFWwindow* w) {
    of(w).touched();
    of(w).input_ = true;
  };
  glfwSetCursorPosCallback(window_, [](GLFWwindow* w, double x, double y) {
    of(w).queue_.move(x, y);
    kNote(w);
  });
  glfwSetMouseButtonCallback(window_, [](GLFWwindow* w, int button, int action, int mods) {
    of(w).queue_.button(button, action, mods);
    kNote(w);
  });
  glfwSetScrollCallback(window_, [](GLFWwindow* w, double x, double y) {
    of(w).queue_.scroll(x, y);
    kNote(w);
  });
  glfwSetKeyCallback(window_, [](GLFWwindow* w, int key, int scancode, int action, int mods) {
    of(w).queue_.key(key, scancode, action, mods);
    kNote(w);
  });
  glfwSetCharCallback(window_, [](GLFWwindow* w, unsigned code) {
    of(w).queue_.character(code);
    kNote(w);
  });
  glfwSetWindowFocusCallback(window_, [](GLFWwindow* w, int focused) {
    ImGui_ImplGlfw_WindowFocusCallback(w, focused);
    kNote(w);
  });
  glfwSetCursorEnterCallback(window_, [](GLFWwindow* w, int entered) {
    ImGui_ImplGlfw_CursorEnterCallback(w, entered);
    kNote(w);
  });
  glfwSetWindowRefreshCallback(window_, [](GLFWwindow* w) {
    of(w).exposed_ = true;
    kNote(w);
  });
  glfwSetFramebufferSizeCallback(window_, [](GLFWwindow* w, int, int) {
    of(w).exposed_ = true;
    kNote(w);
  });
  glfwSetWindowContentScaleCallback(window_, [](GLFWwindow* w, float x, float) {
    of(w).set_scale(x);
    kNote(w);
  });
}

void Window::set_scale(float scale) {
  scale = std::clamp(scale, 0.75f, 4.0f);
  if (scale == scale_ || !imgui_) return;
  scale_ = scale;
  stale_ = true;
  theme::load_fonts(scale_);
  theme::apply_style(scale_);
  if (gl3_) {
    ImGui_ImplOpenGL3_DestroyFontsTexture();
    ImGui_ImplOpenGL3_CreateFontsTexture();
  } else {
    ImGui_ImplOpenGL2_DestroyFontsTexture();
    ImGui_ImplOpenGL2_CreateFontsTexture();
  }
}

Window::~Window() {
  if (imgui_) {
    if (gl3_)
      ImGui_ImplOpenGL3_Shutdown();
    else
      ImGui_ImplOpenGL2_Shutdown();
    ImGui_ImplGlfw_Shutdown();
    ImGui::DestroyContext();
  }
  if (window_ != nullptr) glfwDestroyWindow(window_);
  if (glfw_) glfwTerminate();
}

// Sleeps until something happens; never longer than a blinking cursor or a panel allows.
void Window::wait(App& app) {
  if (frames_ != 0) {
    glfwPollEvents();
    return;
  }
  const double cursor = ImGui::GetIO().WantTextInput ? 0.4 : App::kNever;
  const double until = glfwGetTime() + std::min(app.take_wake(), cursor);
  glfwWaitEventsTimeout(std::min(until - glfwGetTime(), 10.0));
  if (glfwGetTime() >= until) frames_ = 1;
}

// Pictures have their pace, whatever the display does about vertical synchronisation.
void Window::pace() {
  for (;;) {
    const double spare = last_frame_ + (input_ ? kInputFrame : kLiveFrame) - glfwGetTime();
    if (spare <= 0) return;
    glfwWaitEventsTimeout(spare);
  }
}

// A moving mouse seldom changes a picture: one that is as the last is not drawn again, and of
// another only what differs. With a software renderer drawing costs more than all the rest.
void Window::draw() {
  ImDrawData& data = *ImGui::GetDrawData();
  const std::vector<DamageBox>& damaged = damage_.find(data);
  const bool exposed = std::exchange(exposed_, false), stale = std::exchange(stale_, false);
  if (damaged.empty() && !exposed && !stale) return;
  int width = 0, height = 0;
  glfwGetFramebufferSize(window_, &width, &height);
  glViewport(0, 0, width, height);
  const ImU32 ground = theme::colours().window;
  const ImVec4 colour = ImGui::ColorConvertU32ToFloat4(ground);
  glClearColor(colour.x, colour.y, colour.z, 1);
  if (!stale && back_.holds_last_picture()) {
    glEnable(GL_SCISSOR_TEST);
    for (const DamageBox& b : damaged) {
      glScissor(b.left, height - b.bottom, b.right - b.left, b.bottom - b.top);
      glClear(GL_COLOR_BUFFER_BIT);
    }
    glDisable(GL_SCISSOR_TEST);
    damage_.keep_only(data);
    render(data);
    damage_.restore(data);
  } else {
    glClear(GL_COLOR_BUFFER_BIT);
    render(data);
  }
  back_.show(window_, ground);
}

void Window::render(ImDrawData& data) {
  if (gl3_)
    ImGui_ImplOpenGL3_RenderDrawData(&data);
  else
    ImGui_ImplOpenGL2_RenderDrawData(&data);
}

void Window::frame(App& app) {
  last_frame_ = glfwGetTime();
  times_.begin();
  if (gl3_)
    ImGui_ImplOpenGL3_NewFrame();
  else
    ImGui_ImplOpenGL2_NewFrame();
  const bool more = queue_.deliver(window_);
  if (more) touched();
  ImGui_ImplGlfw_NewFrame();
  queue_.apply();
  ImGui::NewFrame();
  Rects::current().begin_frame();

  const ImVec2 size = ImGui::GetIO().DisplaySize;
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize(size);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{unit(2), 0});
  ImGui::Begin("pcilens", nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_MenuBar |
                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoBringToFrontOnFocus |
                   ImGuiWindowFlags_NoNavInputs);
  ImGui::PopStyleVar();
  if (ImGui::BeginMenuBar()) {
    draw_menus(app);
    ImGui::EndMenuBar();
  }
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + unit(0.5f));
  draw_toolbar(app);
  const float top = ImGui::GetCursorPosY() + unit(0.5f);
  const float status = ImGui::GetTextLineHeight() + unit(3);
  draw_dock(app, {unit(1.5f), top, size.x - unit(3), size.y - top - status});
  ImGui::SetCursorPos({unit(3), size.y - status + unit(1.5f)});
  draw_status_bar(app);
  draw_palette(app);
  draw_go_to(app);
  handle_shortcuts(app);
  ImGui::End();
  ImGui::Render();
  times_.built();

  draw();
  times_.end();
  Rects::current().end_frame(size.x, size.y);
}

// A layout that cannot be read is no reason to complain: there are others.
void Window::restore_layout(App& app) {
  app.layout = preset_layout("debug", app.width);
  if (settings_.layout.empty()) return;
  std::vector<std::string> known;
  for (const auto& panel : app.panels) known.emplace_back(panel->id());
  if (auto kept = restored_layout(settings_.layout, known)) app.layout = std::move(*kept);
}

void Window::keep_settings(const App& app) {
  int width = 0, height = 0;
  glfwGetWindowSize(window_, &width, &height);
  settings_.light = theme::light();
  settings_.layout = app.layout.to_text();
  settings_.width = static_cast<int>(static_cast<float>(width) / scale_);
  settings_.height = static_cast<int>(static_cast<float>(height) / scale_);
  static_cast<void>(settings_.save(Settings::path()));
}

void Window::run(Target& target) {
  auto mailbox = std::make_shared<Mailbox>();
  mailbox->on_post([] { glfwPostEmptyEvent(); });
  target.on_change([mailbox] { mailbox->wake(); });
  {
    App app(target, mailbox);
    int width = 0, height = 0;
    glfwGetWindowSize(window_, &width, &height);
    app.width = static_cast<float>(width) / scale_;
    app.panels.push_back(make_registers_panel());
    app.panels.push_back(make_config_panel());
    app.panels.push_back(make_memory_panel());
    app.panels.push_back(make_stop_panel());
    app.panels.push_back(make_code_panel());
    app.panels.push_back(make_transactions_panel(app));
    app.panels.push_back(make_commands_panel());
    app.panels.push_back(make_detail_panel());
    app.panels.push_back(make_breakpoints_panel(app));
    app.panels.push_back(make_console_panel());
    restore_layout(app);
    app.show_stop();
    while (glfwWindowShouldClose(window_) == GLFW_FALSE && !app.quit) {
      wait(app);
      if (mailbox->deliver()) touched();
      if (app.refresh()) touched();
      if (frames_ == 0) continue;
      pace();
      --frames_;
      if (app.theme_changed) {
        theme::apply_style(scale_);
        stale_ = true;
        app.theme_changed = false;
      }
      frame(app);
      if (frames_ == 0) input_ = false;
    }
    keep_settings(app);
    // The runner may still be inside a command: whatever it posts goes nowhere from here on.
    mailbox->on_post({});
    target.on_change({});
  }
}

}  // namespace

Result<int> run_window(Target& target, const WindowOptions& options) {
  Window window;
  if (auto opened = window.open(options); !opened) return tl::unexpected(opened.error());
  window.run(target);
  return 0;
}

}  // namespace pcilens::gui
