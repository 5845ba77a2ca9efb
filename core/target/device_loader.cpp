#include "core/target/device_loader.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

#include "core/target/session.hpp"

namespace pcilens {
namespace {

bool looks_like_a_path(const std::string& name) {
  return name.find('/') != std::string::npos || name.ends_with(".so");
}

std::int64_t modified_ns(const std::string& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return 0;
  return s.st_mtim.tv_sec * 1'000'000'000ll + s.st_mtim.tv_nsec;
}

Error unknown_device(const std::string& name) {
  std::string known;
  for (const Device* device : built_in_devices())
    known += (known.empty() ? "" : ", ") + std::string(device->name);
  return {fmt::format("there is no device called {}; there are {}, and FILE.so loads one of yours",
                      name, known)};
}

// dlopen gives the same library for the same path, whatever lies there now: so a copy each time.
Result<std::string> private_copy(const std::string& path) {
  std::string copy = (std::filesystem::temp_directory_path() / "pcilens-XXXXXX.so").string();
  const int fd = ::mkostemps(copy.data(), 3, O_CLOEXEC);
  if (fd < 0) return fail(fmt::format("{}: no room for a copy in the temporary folder", path));
  ::close(fd);
  std::error_code error;
  std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing, error);
  if (!error) return copy;
  ::unlink(copy.c_str());
  return fail(fmt::format("{}: {}; give the path of the shared object", path, error.message()));
}

// Those of this process, by the name of their device.
struct PlugIns {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<LoadedDevice>> loaded;
};
PlugIns& plug_ins() {
  static PlugIns all;
  return all;
}

}  // namespace

Result<std::shared_ptr<LoadedDevice>> LoadedDevice::load(const std::string& name_or_path) {
  std::shared_ptr<LoadedDevice> loaded(new LoadedDevice);
  if (!looks_like_a_path(name_or_path)) {
    for (const Device* device : built_in_devices())
      if (device->name == name_or_path) loaded->device_ = device;
    if (loaded->device_ == nullptr) return tl::unexpected(unknown_device(name_or_path));
    return loaded;
  }
  loaded->path_ = name_or_path;
  loaded->mtime_ns_ = modified_ns(name_or_path);
  const auto copy = private_copy(name_or_path);
  if (!copy) return tl::unexpected(copy.error());
  loaded->handle_ = ::dlopen(copy->c_str(), RTLD_NOW | RTLD_LOCAL);
  const char* why = loaded->handle_ == nullptr ? ::dlerror() : nullptr;
  const std::string reason = why == nullptr ? "" : why;
  ::unlink(copy->c_str());
  if (loaded->handle_ == nullptr) {
    // The loader names our private copy; a person knows the file by its own name.
    std::string text = reason;
    for (auto at = text.find(*copy); at != std::string::npos; at = text.find(*copy))
      text.replace(at, copy->size(), name_or_path);
    return fail(fmt::format("{}; build it as a shared object with pcilens::device", text));
  }
  using AbiOf = const char* (*)();
  using EntryOf = const Device* (*)();
  const auto abi = reinterpret_cast<AbiOf>(::dlsym(loaded->handle_, PCILENS_ABI_NAME));
  const auto entry = reinterpret_cast<EntryOf>(::dlsym(loaded->handle_, PCILENS_ENTRY_NAME));
  if (abi == nullptr || entry == nullptr)
    return fail(
        fmt::format("{}: not a pcilens device (no PCILENS_DEVICE in it); see "
                    "docs/writing-a-device.md",
                    name_or_path));
  if (abi() != abi_identity())
    return fail(
        fmt::format("{}: built for `{}`, this pcilens is `{}`; rebuild the device against "
                    "this pcilens",
                    name_or_path, abi(), abi_identity()));
  loaded->device_ = entry();
  if (loaded->device_ == nullptr || loaded->device_->create == nullptr ||
      loaded->device_->name.empty())
    return fail(fmt::format("{}: its descriptor has no name or no create function", name_or_path));
  const std::lock_guard lock(plug_ins().mutex);
  plug_ins().loaded.insert_or_assign(std::string(loaded->device_->name), loaded);
  return loaded;
}

Result<std::shared_ptr<LoadedDevice>> LoadedDevice::recorded(const std::string& name) {
  if (looks_like_a_path(name))
    return fail(
        fmt::format("it was recorded with the plug-in {}, which is not loaded at the word of a "
                    "trace; name it with --device",
                    name.substr(0, 200)));
  {
    const std::lock_guard lock(plug_ins().mutex);
    const auto found = plug_ins().loaded.find(name);
    if (found != plug_ins().loaded.end())
      if (auto device = found->second.lock()) return device;
  }
  return load(name);
}

LoadedDevice::~LoadedDevice() {
  if (handle_ != nullptr) ::dlclose(handle_);
}

bool LoadedDevice::outdated() const {
  if (path_.empty()) return false;
  const std::int64_t now = modified_ns(path_);
  return now != 0 && now != mtime_ns_;
}

}  // namespace pcilens
