// The code of this very process by its symbols and debug information (libdw), as far as it was
// built with any: where a return address leads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pcilens {

struct CodePlace {
  std::string symbol;              // of the function that has code of its own; "?" unknown: empty
  std::uint64_t displacement = 0;  // bytes from there to the return address
  std::string file;                // of the call; empty without debug information
  std::uint32_t line = 0;
  std::span<const std::byte> code;  // the function's instructions; empty where its size is unknown
  // Functions that the compiler put into it and that are at work here, innermost first.
  struct Inlined {
    std::string symbol, file;
    std::uint32_t line = 0;
  };
  std::vector<Inlined> inlined;
};

// Not thread-safe. Reads debug information when first asked (some 100 ms).
class OwnProcess {
 public:
  OwnProcess();
  ~OwnProcess();
  CodePlace returning_to(std::uintptr_t address);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "pcilens::edu::(anonymous namespace)::start(pcilens::sim::Mmio&)" -> "edu::start"; takes mangled
// names too.
std::string short_symbol(const std::string& symbol);

}  // namespace pcilens
