// The XML of an SVD file: loaded within limits, with line numbers, and with derivedFrom resolved.
#pragma once

#include <cstdint>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"

namespace pcilens::svd {

// An element together with those it is derived from, nearest first: what the element does not say
// itself, the next one says.
class View {
 public:
  View() = default;
  explicit View(pugi::xml_node node) : chain_{node} {}

  pugi::xml_node node() const { return chain_.empty() ? pugi::xml_node() : chain_.front(); }
  pugi::xml_node child(const char* name) const;
  std::string_view text(const char* name) const;  // trimmed; empty if there is none
  const std::vector<pugi::xml_node>& chain() const { return chain_; }

 private:
  friend class Document;
  std::vector<pugi::xml_node> chain_;
};

// The first error wins; after it every function gives something empty, so that callers need look
// only where they loop.
class Document {
 public:
  Document(std::string_view xml, std::string_view source);

  bool failed() const { return error_.has_value(); }
  const Error& error() const { return *error_; }
  // "uart.svd:12: " + message
  void fail(pugi::xml_node where, const std::string& message);
  void fail_at_line(std::size_t line, const std::string& message);
  // What came over changed or not at all; those past a thousand are dropped.
  void note(pugi::xml_node where, const std::string& message);
  std::vector<std::string> take_notes() { return std::move(notes_); }
  std::size_t line(pugi::xml_node node) const;

  pugi::xml_node device() const { return device_; }
  // The element with its bases. `inside` is the view of the element that holds it.
  View view(pugi::xml_node node, const View& inside);
  // The elements called `a` or `b` of a view and of its bases, below the child `list` if given; one
  // that has a name comes once, as the nearest base has it.
  std::vector<pugi::xml_node> members(const View& view, const char* list, const char* a,
                                      const char* b);
  // The enumeratedValues called by a derivedFrom at `node`.
  pugi::xml_node values_named(pugi::xml_node node, std::string_view path);

  // Numbers and names of a view. Without a child of that name: `otherwise`.
  std::uint64_t number(const View& view, const char* name, std::uint64_t otherwise);
  std::uint64_t required_number(const View& view, const char* name);
  std::string name(const View& view);

  // Counts work that derivedFrom and dim can multiply; fails past a limit that no real file nears.
  bool spend(std::uint64_t steps, pugi::xml_node where);

 private:
  bool scan(std::string_view xml);
  bool check_depth();
  pugi::xml_node find(pugi::xml_node node, std::string_view path, const View& inside);
  pugi::xml_node sibling_named(pugi::xml_node list, const char* tag, std::string_view name);

  std::string source_;
  pugi::xml_document xml_;
  pugi::xml_node device_;
  std::vector<std::size_t> newlines_;
  std::unordered_map<std::string_view, std::vector<pugi::xml_node>> values_;
  bool values_indexed_ = false;
  std::uint64_t spent_ = 0;
  std::vector<std::string> notes_;
  std::optional<Error> error_;
};

}  // namespace pcilens::svd
