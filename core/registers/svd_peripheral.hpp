// The registers and clusters of one SVD peripheral, turned into a register map.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/registers/owned_map.hpp"
#include "core/registers/svd_document.hpp"
#include "core/registers/svd_fields.hpp"

namespace pcilens::svd {

// A dim group: how often an element is there.
struct Dim {
  std::uint64_t count = 1, increment = 0;
  bool is_array = false;           // "[%s]" with indices from 0: stays an array
  std::vector<std::string> names;  // else what stands for %s, one each

  std::string applied(std::string name, std::size_t i) const {
    const auto mark = name.find("%s");
    if (mark != std::string::npos && !names.empty()) name.replace(mark, 2, names[i]);
    return name;
  }
};

// The array that registers below it become: that of an array of clusters.
struct Outer {
  std::uint64_t count = 1, stride = 0;
  std::string element_prefix;  // "CH[%]."
};

// A register before it is checked against the others.
struct Pending {
  Register reg;
  pugi::xml_node node;
  bool alternate = false;
};

// Turns the registers of one peripheral into a map.
class PeripheralReader {
 public:
  PeripheralReader(Document& document, std::string name, std::uint64_t& budget)
      : document_(document), name_(std::move(name)), budget_(budget), fields_(document, texts_) {}

  // Null if the document has failed.
  std::shared_ptr<const OwnedRegisterMap> read(const View& peripheral,
                                               const Properties& properties);

 private:
  Dim dim_of(const View& view, const std::string& name);
  void emit(const View& holder, const char* list, std::uint64_t base, const std::string& prefix,
            const Properties& properties, const Outer* outer, int depth);
  void emit_cluster(const View& view, std::uint64_t base, const std::string& prefix,
                    const Properties& properties, const Outer* outer, int depth);
  void emit_register(const View& view, std::uint64_t base, const std::string& prefix,
                     const Properties& properties, const Outer* outer);
  std::uint64_t offset_of(const View& view, std::uint64_t base);
  std::uint64_t block_end(const View& peripheral);

  Document& document_;
  std::string name_;
  std::uint64_t& budget_;
  Texts texts_;
  FieldReader fields_;
  std::vector<Pending> pending_;
  std::uint64_t elements_ = 0;
  bool nested_array_ = false;  // an array was met inside an array of clusters
};

// Two registers at one address are legal if they are declared as alternatives, or if one is only
// read and the other only written (a UART's receive and transmit buffer). A map has one: the first,
// and the one that is read. The others are taken out, with a note. `where`: the peripheral.
void drop_alternates(std::vector<Pending>& registers, Document& document, const std::string& where);

}  // namespace pcilens::svd
