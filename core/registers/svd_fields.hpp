// The fields of one SVD register.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "core/registers/register.hpp"
#include "core/registers/svd_document.hpp"

namespace pcilens::svd {

// Strings and tables that a Register refers to until the map's builder has copied them. A deque
// keeps addresses when it grows.
struct Texts {
  std::deque<std::string> strings;
  std::deque<std::vector<EnumValue>> values;
  std::deque<std::vector<Field>> fields;
  std::size_t bytes = 0;

  std::string_view keep(std::string text);
};

// Access as the elements say it: the type, and whether a read does more than clear.
struct AccessRead {
  Access access = Access::RW;
  bool read_has_effect = false;
};

// What children inherit from a device, peripheral, cluster or register.
struct Properties {
  std::uint64_t bits = 32;
  std::uint64_t reset = 0, reset_mask = ~0ull;
  std::string_view access = "read-write", write = {}, read = {};

  Properties refined(Document& document, const View& view) const;
};

class FieldReader {
 public:
  FieldReader(Document& document, Texts& texts) : document_(document), texts_(texts) {}

  // `where`: "UART.CTRL" for errors and notes. `read_has_effect` is set if a field's reading does.
  std::span<const Field> read(const View& reg, const Properties& properties,
                              const std::string& where, bool& read_has_effect);
  AccessRead access_of(const Properties& properties, const View& view, const std::string& where);

 private:
  bool range_of(const View& field, const std::string& where, std::uint64_t& high,
                std::uint64_t& low);
  std::span<const EnumValue> values_of(const View& field, unsigned bits, const std::string& where);
  void add(std::vector<Field>& fields, const Field& field, pugi::xml_node node, unsigned width,
           const std::string& where);

  Document& document_;
  Texts& texts_;
};

}  // namespace pcilens::svd
