// What a guest tells of the drivers that it was to load (vm/guest/load-drivers), line by line, and
// what that comes to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/target/kernel_log.hpp"
#include "core/target/target.hpp"

namespace pcilens {

class DriverReport {
 public:
  // The guest's next line. False: it is none of this report.
  bool add(std::string_view line);
  // All of them have been tried, and there is no more to come.
  bool settled() const { return settled_; }

  // Judges the modules that were asked for, and nobody else's drivers: a function may have been
  // left to another one on purpose. Probing until it is settled.
  Binding binding() const;
  // One sentence: which driver has which function, or why none has; with the kernel's own reason
  // where `log` has it.
  std::string text(const KernelLog& log) const;

 private:
  struct Module {
    std::string name;
    int code = 0;      // modprobe's
    std::string said;  // and its message
  };
  struct Function {
    std::string bdf, ids, pci_class;  // "1234:11e8", "00ff00"
    std::string driver, module;  // empty: none; module: of a driver that the kernel has built in
  };
  bool asked_for(const Function& function) const;
  std::string why_not_loaded(const KernelLog& log) const;
  std::string why_unbound(const KernelLog& log) const;

  std::vector<Module> modules_;
  std::vector<Function> functions_;
  bool settled_ = false;
};

}  // namespace pcilens
