// pcilens new: a starting folder for a device of one's own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "inspector-ui/cli/new_templates.hpp"
#include "inspector-ui/cli/subcommands.hpp"

namespace pcilens::cli {
namespace {

namespace fs = std::filesystem;

// The name becomes a namespace, a file and a CMake target.
bool good_name(const std::string& name) {
  // Words of C++ that fit the pattern and that somebody might well call a card, and our own.
  static constexpr std::array<std::string_view, 12> kTaken = {
      "pcilens", "std",   "auto", "new",  "register", "switch",
      "signed",  "short", "long", "test", "int",      "float"};
  return !name.empty() && name.size() <= 40 && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(
             name.begin(), name.end(),
             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }) &&
         std::find(kTaken.begin(), kTaken.end(), name) == kTaken.end();
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

int make(const std::string& name, const std::string& here) {
  if (!good_name(name))
    return cannot(fmt::format(
        "\"{}\" cannot be a device's name; take lower-case letters, digits and _, a letter "
        "first, and no word of C++",
        name));
  const fs::path folder = fs::path(here) / name;
  std::error_code error;
  if (fs::exists(folder, error))
    return cannot(fmt::format(
        "{} is there already; take another name, or --here with another folder", folder.string()));
  if (!fs::create_directories(folder, error))
    return cannot(fmt::format("{}: {}; give --here a folder that you may write", folder.string(),
                              error.message()));
  for (const Template& t : new_templates()) {
    const fs::path path = folder / fill(t.path, name);
    std::ofstream file(path);
    file << fill(t.text, name);
    file.close();
    if (!file)
      return cannot(fmt::format("{}: it could not be written; is the disk full?", path.string()));
  }
  fmt::print(
      "{0}: a card that doubles a number, its driver and a test\n"
      "  cmake -S {0} -B {0}/build -G Ninja && cmake --build {0}/build\n"
      "  pcilens console --device {0}/build/{1}.so\n",
      folder.lexically_normal().string(), name);
  return kOk;
}

}  // namespace

Run declare_new(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto here = std::make_shared<std::string>(".");
  app.add_option("name", *name, "The device's name: lower-case letters, digits and _")
      ->type_name("NAME")
      ->required();
  app.add_option("--here", *here, "Make the folder in this one instead of the current one")
      ->type_name("DIR");
  return [name, here] { return make(*name, *here); };
}

}  // namespace pcilens::cli
