// What every importer does alike: numbering, functions, notes, accesses that no BAR covers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/trace/import.hpp"
#include "core/trace/imported_function.hpp"
#include "core/trace/line_source.hpp"

namespace pcilens {

class ImportSession {
 public:
  ImportSession(LineSource& source, const ImportOptions& options, Recorder& out)
      : source(source), options_(options), out_(out) {}

  LineSource& source;

  // Time of the recording, made to begin with 0 at the first one given. Never goes back.
  void at_time(std::uint64_t recorded_ns);

  // The function of that address, made on first sight. Null: there are more than 255.
  ImportedFunction* function(std::string_view bdf, std::string_view device);
  ImportedFunction* find(std::string_view bdf);
  const std::vector<std::unique_ptr<ImportedFunction>>& functions() const { return functions_; }
  // Stands for all that is not in a BAR of a known function: offset is the absolute address.
  // Always there is room for it.
  ImportedFunction& elsewhere();

  // Numbers and records it; what is not filled in comes from the session.
  void record(Transaction t);
  // A memory access at an absolute address, in whichever BAR it lies.
  void memory(std::uint64_t address, std::uint32_t size, std::uint64_t value, bool write,
              std::uint32_t thread, std::uint16_t cpu);
  void config(ImportedFunction& function, std::uint16_t offset, std::uint32_t size,
              std::uint32_t value, bool write, std::uint32_t thread);
  void note(std::string_view text);
  void remark(std::string_view rule, const std::string& text);

  ImportSummary finish();
  std::uint64_t events() const { return seq_; }

 private:
  static constexpr std::size_t kMostFunctions = 255;  // and elsewhere

  const ImportOptions& options_;
  Recorder& out_;
  std::vector<std::unique_ptr<ImportedFunction>> functions_;
  std::map<std::string, int, std::less<>> instances_;
  std::unique_ptr<ImportedFunction> elsewhere_;
  std::uint64_t elsewhere_accesses_ = 0;
  unsigned next_id_ = 0;
  std::uint64_t seq_ = 0, notes_ = 0;
  std::uint64_t began_ns_ = 0, now_ns_ = 0;
  bool began_ = false;
  std::vector<std::string> remarks_;
};

}  // namespace pcilens
