#include "core/target/driver_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/printable.hpp"

namespace pcilens {
namespace {

constexpr std::size_t kMost = 64;  // modules and functions, each
constexpr std::size_t kLongestText = 400;

std::string_view next_word(std::string_view& rest) {
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const auto word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

std::string without_0x(std::string_view number) {
  if (number.starts_with("0x")) number.remove_prefix(2);
  return std::string(number);
}

// As the kernel spells a module's name, whatever its file's is.
std::string plain(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string and_the_kernel(const std::string& message) {
  return message.empty() ? std::string() : "; the kernel says: " + message;
}

}  // namespace

bool DriverReport::add(std::string_view line) {
  const std::string_view what = next_word(line);
  if (what == "@module") {
    Module module{.name = plain(std::string(next_word(line))), .code = 0, .said = {}};
    const std::string_view code = next_word(line);
    std::from_chars(code.data(), code.data() + code.size(), module.code);
    while (line.starts_with(' ')) line.remove_prefix(1);
    module.said = printable(line, kLongestText);
    if (modules_.size() < kMost) modules_.push_back(std::move(module));
  } else if (what == "@function") {
    Function function;
    function.bdf = next_word(line);
    function.ids = without_0x(next_word(line));
    function.ids += ':' + without_0x(next_word(line));
    function.pci_class = without_0x(next_word(line));
    function.driver = next_word(line);
    function.module = plain(std::string(next_word(line)));
    if (functions_.size() < kMost) functions_.push_back(std::move(function));
  } else if (what == "@settled") {
    settled_ = true;
  } else {
    return false;
  }
  return true;
}

bool DriverReport::asked_for(const Function& function) const {
  if (function.driver.empty()) return false;
  // The kernel's own that is built in has no module.
  return function.module.empty() || std::ranges::any_of(modules_, [&](const Module& module) {
           return module.name == function.module;
         });
}

Binding DriverReport::binding() const {
  if (!settled_) return Binding::Probing;
  if (std::ranges::any_of(modules_, [](const Module& m) { return m.code != 0; }))
    return Binding::NotLoaded;
  return std::ranges::any_of(functions_, [&](const Function& f) { return asked_for(f); })
             ? Binding::Bound
             : Binding::Unbound;
}

std::string DriverReport::why_not_loaded(const KernelLog& log) const {
  std::string text;
  for (const Module& m : modules_) {
    if (m.code == 0) continue;
    text += text.empty() ? "" : "; ";
    text +=
        fmt::format("{} could not be loaded: {}", m.name,
                    m.said.empty() ? fmt::format("modprobe ended with code {}", m.code) : m.said);
    text += and_the_kernel(log.newest_with({m.name + ": "}));
  }
  return text;
}

std::string DriverReport::why_unbound(const KernelLog& log) const {
  std::string names, functions, probed;
  for (const Module& m : modules_) names += (names.empty() ? "" : ", ") + m.name;
  for (const Function& f : functions_) {
    functions += fmt::format("{}{} ({}, class {})", functions.empty() ? "" : ", ", f.bdf, f.ids,
                             f.pci_class);
    if (!f.driver.empty()) functions += fmt::format(", which {} has", f.driver);
    if (probed.empty()) probed = log.newest_with({"probe", f.bdf, "failed with error"});
  }
  return fmt::format("{} {} loaded and has bound to no function: there {} {}{}", names,
                     modules_.size() == 1 ? "is" : "are", functions_.size() == 1 ? "is" : "are",
                     functions.empty() ? "none on the bus" : functions,
                     probed.empty() ? "; does its table of ids have it?" : and_the_kernel(probed));
}

std::string DriverReport::text(const KernelLog& log) const {
  switch (binding()) {
    case Binding::NotLoaded: return why_not_loaded(log);
    case Binding::Unbound: return why_unbound(log);
    case Binding::Bound: break;
    default: return {};
  }
  std::string text;
  for (const Function& f : functions_)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", f.driver.empty() ? "none" : f.driver,
                        f.bdf);
  return text;
}

}  // namespace pcilens
