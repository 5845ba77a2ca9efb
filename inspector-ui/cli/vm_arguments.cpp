#include "inspector-ui/cli/vm_arguments.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "core/function/device.hpp"
#include "core/target/device_loader.hpp"
#include "inspector-ui/cli/session_arguments.hpp"

namespace pcilens::cli {
namespace {

namespace fs = std::filesystem;

Result<void> has_folder(std::string_view option, const std::string& path) {
  std::error_code error;
  const fs::path folder = fs::absolute(path).parent_path();
  if (!fs::is_directory(folder, error))
    return fail(
        fmt::format("{} {}: there is no folder {}; make it first", option, path, folder.string()));
  return {};
}

Result<void> check_device(const std::string& text) {
  const auto choice = parse_device(text);
  if (!choice) return tl::unexpected(choice.error());
  const auto loaded = LoadedDevice::load(choice->name);
  if (!loaded) return tl::unexpected(loaded.error());
  const Device& device = (*loaded)->device();
  for (const DeviceOption& given : choice->options) {
    std::string names;
    bool known = false;
    for (const OptionDescription& o : device.options) {
      names += " " + std::string(o.name);
      known = known || o.name == given.name;
    }
    // One that lists none may take them all the same.
    if (!known && !names.empty())
      return fail(
          fmt::format("--device {}: there is no option {}; there are{}", text, given.name, names));
  }
  return {};
}

Result<void> check_driver(const std::string& text) {
  const auto driver = parse_driver(text);
  if (!driver) return tl::unexpected(driver.error());
  const fs::path path = driver->what;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    if (!fs::exists(path / "Kbuild", error) && !fs::exists(path / "Makefile", error))
      return fail(fmt::format(
          "--driver {}: the folder has neither Kbuild nor Makefile; write one with \"obj-m := "
          "NAME.o\"",
          text));
  } else if (names_file(driver->what, ".ko") && !fs::exists(path, error)) {
    return fail(
        fmt::format("--driver {}: there is no {}; give a module, a folder to build one "
                    "from, or the name of one of the kernel's own",
                    text, driver->what));
  } else if (names_file(driver->what, ".ko") && path.extension() != ".ko") {
    return fail(fmt::format(
        "--driver {}: is no module (FILE.ko); build it for the guest's kernel by giving its folder",
        text));
  }
  return {};
}

bool is_program(const std::string& name) {
  const auto runs = [](const std::string& file) {
    std::error_code error;
    return fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return runs(name);
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (runs((folder.empty() ? "." : folder) + "/" + name)) return true;
  // vm/common.sh looks there too.
  return runs("/usr/sbin/" + name) || runs("/sbin/" + name);
}

Result<void> check_program(const std::string& text) {
  const std::string name = text.substr(0, text.find(':'));
  if (is_program(name)) return {};
  return fail(
      fmt::format("--program {}: there is no program {} on this machine; write one of PATH or a "
                  "file, and where "
                  "it goes in the guest if not to /usr/bin: ./tool:/usr/bin/tool",
                  text, name));
}

Result<void> check_file(const std::string& text) {
  const std::size_t colon = text.find(":/");
  if (colon == std::string::npos)
    return fail(fmt::format("--file {}: write the file and where it goes in the guest: {}:/root/{}",
                            text, text, fs::path(text).filename().string()));
  const std::string source = text.substr(0, text.find(':'));
  std::error_code error;
  if (!fs::exists(source, error))
    return fail(fmt::format("--file {}: there is no {}", text, source));
  return {};
}

}  // namespace

bool names_file(const std::string& text, std::string_view ending) {
  return text.find('/') != std::string::npos || text.ends_with(ending);
}

Result<DriverChoice> parse_driver(const std::string& text) {
  if (fs::exists(text)) return DriverChoice{text, {}};
  std::size_t at = std::min(text.find(','), text.size());
  DriverChoice driver{.what = text.substr(0, at), .parameters = {}};
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(',', at + 1), text.size());
    const std::string parameter = text.substr(at + 1, end - at - 1);
    const std::size_t equals = parameter.find('=');
    if (equals == 0 || equals == std::string::npos ||
        parameter.find_first_of(" \t\n") != std::string::npos)
      return fail(
          fmt::format("--driver {}: \"{}\" is not PARAMETER=VALUE without blanks; --append "
                      "'MODULE.PARAMETER=VALUE' takes others",
                      text, parameter));
    driver.parameters += " " + parameter;
    at = end;
  }
  return driver;
}

Result<void> check_new_socket(std::string_view option, const std::string& path) {
  if (path.empty()) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(fmt::format("{} {}: the path of a UNIX socket has at most {} characters", option,
                            path, sizeof address.sun_path - 1));
  std::error_code error;
  if (auto folder = has_folder(option, path); !folder) return folder;
  const auto there = fs::status(path, error);
  if (!fs::exists(there)) return {};
  if (!fs::is_socket(there))
    return fail(fmt::format("{} {}: is there already, and no socket; name another", option, path));
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool served =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  if (served)
    return fail(fmt::format("{} {}: another program serves it; name another", option, path));
  return {};
}

Result<void> check_new_file(std::string_view option, const std::string& path) {
  if (path.empty()) return {};
  std::error_code error;
  if (fs::is_directory(path, error))
    return fail(fmt::format("{} {}: is a folder; name a file in it", option, path));
  return has_folder(option, path);
}

Result<void> check_readable(std::string_view option, const std::string& path) {
  if (path == "-") return {};
  std::error_code error;
  if (fs::is_directory(path, error))
    return fail(fmt::format("{} {}: is a folder; give the path of a file", option, path));
  if (::access(path.c_str(), R_OK) != 0)
    return fail(
        fmt::format("{} {}: {}; give the path of a file", option, path, std::strerror(errno)));
  return {};
}

Result<void> check_arguments(const VirtualMachineOptions& options) {
  for (const std::string& device : options.devices)
    if (auto ok = check_device(device); !ok) return ok;
  for (const std::string& driver : options.drivers)
    if (auto ok = check_driver(driver); !ok) return ok;
  for (const std::string& program : options.programs)
    if (auto ok = check_program(program); !ok) return ok;
  for (const std::string& file : options.files)
    if (auto ok = check_file(file); !ok) return ok;
  std::error_code error;
  for (const std::string& module : options.modules)
    if (names_file(module, ".ko") && !fs::is_regular_file(module, error))
      return fail(fmt::format("--module {}: there is no such file", module));
  if (auto ok = check_new_file("--log", options.log); !ok) return ok;
  return check_new_socket("--shell", options.shell);
}

}  // namespace pcilens::cli
