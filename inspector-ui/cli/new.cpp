// pcilens new: a starting folder for a device of one's own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "inspector-ui/cli/installed.hpp"
#include "inspector-ui/cli/new_templates.hpp"
#include "inspector-ui/cli/processes.hpp"
#include "inspector-ui/cli/register_files.hpp"
#include "inspector-ui/cli/register_source.hpp"
#include "inspector-ui/cli/subcommands.hpp"
#include "inspector-ui/commands/wait.hpp"

namespace pcilens::cli {
namespace {

namespace fs = std::filesystem;

// The name becomes a namespace, a file and a CMake target.
bool good_name(const std::string& name) {
  // The keywords and alternative operators of C++20 ([lex.key], [lex.operator]), and the names of
  // namespaces, macros and CMake targets that ours would meet.
  static constexpr std::string_view kTaken =
      " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t"
      " char16_t char32_t class compl concept const consteval constexpr constinit const_cast"
      " continue co_await co_return co_yield decltype default delete do double dynamic_cast"
      " else enum explicit export extern false float for friend goto if inline int long"
      " mutable namespace new noexcept not not_eq nullptr operator or or_eq private"
      " protected public register reinterpret_cast requires return short signed sizeof"
      " static static_assert static_cast struct switch template this thread_local throw true"
      " try typedef typeid typename union unsigned using virtual void volatile wchar_t while"
      " xor xor_eq std pcilens main linux unix assert errno stdin stdout stderr tl all clean"
      " depend help install package test ";
  return !name.empty() && name.size() <= 40 && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(
             name.begin(), name.end(),
             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }) &&
         kTaken.find(' ' + name + ' ') == kTaken.npos;
}

std::string fill(std::string_view text, const std::string& name) {
  std::string out;
  for (const char c : text) {
    if (c == '@')
      out += name;
    else
      out += c;
  }
  return out;
}

struct NewArguments {
  std::string name, here = ".", registers;
};

Result<void> write(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file)
    return fail(fmt::format("{}: it could not be written; is the disk full?", path.string()));
  return {};
}

// What "pcilens" is to the shell that started this, and what CMake has to be told to find it: this
// very program may be installed where both look, elsewhere, or be that of a build tree.
struct Here {
  std::string program = "pcilens", cmake_option;
};

Here where_we_are() {
  Here here;
  std::error_code error;
  const fs::path self = own_program();
  if (self.empty()) return here;
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  std::string found;
  for (std::string folder; found.empty() && std::getline(folders, folder, ':');)
    if (fs::exists(fs::path(folder) / "pcilens", error)) found = folder + "/pcilens";
  if (found.empty() || !fs::equivalent(found, self, error))
    here.program = shell_word(self.string());
  const fs::path prefix = self.parent_path().parent_path();
  if (fs::exists(prefix / "pcilensConfig.cmake", error))
    here.cmake_option = " -Dpcilens_DIR=" + shell_word(prefix.string());
  else if (prefix != "/usr" && prefix != "/usr/local")
    here.cmake_option = " -DCMAKE_PREFIX_PATH=" + shell_word(prefix.string());
  return here;
}

int make(const NewArguments& a) {
  const std::string& name = a.name;
  if (!good_name(name))
    return cannot(fmt::format(
        "\"{}\" cannot be a device's name; take lower-case letters, digits and _, a letter "
        "first, and no word of C++ or CMake",
        name));
  std::optional<RegisterFile> registers;
  if (!a.registers.empty()) {
    auto file = read_register_file(a.registers);
    if (!file) return cannot(file.error().message);
    registers = std::move(*file);
  }
  const fs::path folder = fs::path(a.here) / name;
  std::error_code error;
  if (fs::exists(folder, error))
    return cannot(fmt::format(
        "{} is there already; take another name, or --here with another folder", folder.string()));
  if (!fs::is_directory(a.here, error))
    return cannot(
        fmt::format("--here {}: there is no such folder; make it first, or name another", a.here));
  if (!fs::create_directory(folder, error))
    return cannot(fmt::format("{}: {}; give --here a folder that you may write", folder.string(),
                              error.message()));
  if (registers) {
    auto written =
        write(folder / (name + "_registers.hpp"), registers_header(*registers->map, name));
    if (!written) return cannot(written.error().message);
  }
  for (const Template& t : registers ? new_templates_of_registers() : new_templates()) {
    auto written = write(folder / fill(t.path, name), fill(t.text, name));
    if (!written) return cannot(written.error().message);
  }
  const std::string what =
      registers ? fmt::format("a card with the {} of {}, a driver that reads them, and a test",
                              ui::count_of(registers->map->map().registers.size(), "register"),
                              a.registers)
                : "a card that doubles a number, its driver and a test";
  const std::string shown = folder.lexically_normal().string();
  const std::string word = shell_word(shown);
  const Here here = where_we_are();
  fmt::print(
      "{0}: {1}\n"
      "  cmake -S {2} -B {2}/build -G Ninja{3} && cmake --build {2}/build\n"
      "  {4} console --device {2}/build/{5}.so\n",
      shown, what, word, here.cmake_option, here.program, name);
  if (registers)
    for (const std::string& note : registers->notes) fmt::print("  {}\n", note);
  return kOk;
}

}  // namespace

Run declare_new(CLI::App& app) {
  auto a = std::make_shared<NewArguments>();
  app.add_option("name", a->name, "The device's name: lower-case letters, digits and _")
      ->type_name("NAME")
      ->required();
  app.add_option("--here", a->here, "Make the folder in this one instead of the current one")
      ->type_name("DIR");
  app.add_option("--registers", a->registers,
                 "Begin with the registers of a CMSIS-SVD file or a map in JSON")
      ->type_name("FILE[,peripheral=NAME][,bar=N]");
  return [a] { return make(*a); };
}

}  // namespace pcilens::cli
