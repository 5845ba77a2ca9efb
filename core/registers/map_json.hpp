// A register map as JSON and back: how a trace describes the registers of its functions, and how a
// script reads them. Members that have their default value are left out.
//
//   {"name": "edu", "bar": 0, "size": 1048576, "registers": [
//     {"name": "STATUS", "offset": 32, "width": 4, "access": "reserved", "fields": [
//       {"name": "COMPUTING", "high": 0, "low": 0, "access": "RO", "doc": "..."}]}]}
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/registers/owned_map.hpp"

namespace pcilens {

// One line. Numbers are exact up to 64 bits. Bytes in names and docs that are no UTF-8 become
// U+FFFD.
std::string map_to_json(const RegisterMap& map);

// Every member is checked as find_fault() does; the error says where in the JSON or the map.
// Members that are not known are ignored, so that a newer writer can add some.
Result<std::shared_ptr<const OwnedRegisterMap>> map_from_json(std::string_view json);

}  // namespace pcilens
