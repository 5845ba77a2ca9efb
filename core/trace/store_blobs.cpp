// The blobs of the spool as rows: payloads, notes, and descriptions in JSON.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/trace/store.hpp"

namespace pcilens {
namespace {

using Json = nlohmann::json;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A member as text, where it is there and is one.
std::string text(const Json& object, const char* name, const char* otherwise = "") {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

// A member as a number, plain or as "0x..." text.
std::uint64_t number(const Json& object, const char* name, std::uint64_t otherwise = 0) {
  const auto it = object.find(name);
  if (it == object.end()) return otherwise;
  if (it->is_number_unsigned()) return it->get<std::uint64_t>();
  if (it->is_number_integer()) return static_cast<std::uint64_t>(it->get<std::int64_t>());
  if (it->is_string()) return std::strtoull(it->get_ref<const std::string&>().c_str(), nullptr, 0);
  return otherwise;
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string member_dump(const Json& object, const char* name, const char* otherwise = "[]") {
  const auto it = object.find(name);
  return it == object.end() ? otherwise : dump(*it);
}

std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
  };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) break;
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return bytes;
}

std::uint32_t little_endian(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size && at + i < bytes.size(); ++i)
    value |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * i);
  return value;
}

}  // namespace

int TraceStore::run(std::string_view sql, const auto&... values) {
  auto statement = db_.prepare(sql);
  if (!statement) return sqlite3_errcode(db_.get());
  int i = 1;
  (statement->bind(i++, values), ...);
  return statement->run();
}

int TraceStore::add(const BlobRecord& blob, std::span<const std::byte> bytes) {
  const std::pair key{blob.what, blob.key};
  const auto found = state_.partial.find(key);
  if (blob.more == 0 && found == state_.partial.end())
    return add_whole(static_cast<BlobKind>(blob.what), blob.key, bytes);
  // A blob in parts. A producer that never ends one may not eat our memory.
  if (state_.partial_bytes + bytes.size() > kMostPartial) {
    state_.partial.clear();
    state_.partial_bytes = 0;
    return add_finding(blob.key, "trace.blob",
                       "a text or payload in parts was too long and is cut");
  }
  auto& whole = state_.partial[key];
  whole.insert(whole.end(), bytes.begin(), bytes.end());
  state_.partial_bytes += bytes.size();
  if (blob.more != 0) return SQLITE_OK;
  const auto done = std::move(whole);
  state_.partial_bytes -= done.size();
  state_.partial.erase(key);
  return add_whole(static_cast<BlobKind>(blob.what), blob.key, done);
}

int TraceStore::add_finding(std::uint64_t seq, std::string_view rule, std::string_view text) {
  return run("INSERT INTO finding(seq, rule, text) VALUES(?,?,?)", seq, rule, text);
}

int TraceStore::add_site(std::uint64_t id, std::string_view as_text) {
  const auto json = Json::parse(as_text, nullptr, false);
  const std::string module = text(json, "module"), build_id = text(json, "build_id"),
                    symbol = text(json, "symbol");
  const auto code = from_hex(text(json, "code"));
  SourceLine line{text(json, "file"), static_cast<std::uint32_t>(number(json, "line"))};
  if (line.file.empty() && source_lines_)
    // Only an access comes with its code; all others on a stack are calls.
    line = source_lines_({.module = module,
                          .build_id = build_id,
                          .symbol = symbol,
                          .displacement = number(json, "displacement"),
                          .returns = code.empty()})
               .value_or(line);
  return run("INSERT OR REPLACE INTO site VALUES(?,?,?,?,?,?,?,?)", id, module, build_id, symbol,
             number(json, "displacement"), std::span<const std::byte>(code), line.file,
             std::uint64_t{line.line});
}

int TraceStore::add_whole(BlobKind what, std::uint64_t key, std::span<const std::byte> bytes) {
  const auto as_text = text_of(bytes);
  switch (what) {
    case BlobKind::Payload:
      payload_.bind(1, key);
      payload_.bind(2, bytes);
      return payload_.run();
    case BlobKind::Note:
      note_.bind(1, key);
      note_.bind(2, as_text);
      return note_.run();
    case BlobKind::Meta: {
      const auto zero = as_text.find('\0');
      if (zero == std::string_view::npos) break;
      return set_meta(as_text.substr(0, zero), as_text.substr(zero + 1));
    }
    case BlobKind::Function: return add_function(key, as_text);
    case BlobKind::Stack:
      if (!Json::accept(as_text)) break;
      return run("INSERT OR REPLACE INTO stack VALUES(?,?)", key, as_text);
    case BlobKind::Site:
      if (!Json::parse(as_text, nullptr, false).is_object()) break;
      return add_site(key, as_text);
    case BlobKind::Finding: {
      const auto json = Json::parse(as_text, nullptr, false);
      if (!json.is_object()) break;
      return add_finding(key, text(json, "rule"), text(json, "text"));
    }
  }
  return add_finding(key, "trace.blob",
                     fmt::format("a description of kind {} could not be read and is left out",
                                 static_cast<unsigned>(what)));
}

int TraceStore::add_function(std::uint64_t key, std::string_view json_text) {
  const auto json = Json::parse(json_text, nullptr, false);
  if (!json.is_object())
    return add_finding(0, "trace.blob",
                       fmt::format("function {}: its description is not JSON", key));
  const auto config = from_hex(text(json, "config"));
  const std::span<const std::byte> bytes(config);
  const auto maps = member_dump(json, "maps");
  int rc = run("INSERT OR REPLACE INTO function VALUES(?,?,?,?,?,?,?,?,?,?,?)", key,
               text(json, "instance"), text(json, "device"), text(json, "bdf"),
               little_endian(bytes, 0, 2), little_endian(bytes, 2, 2), little_endian(bytes, 9, 3),
               bytes, member_dump(json, "bars"), maps, member_dump(json, "options", "{}"));
  // Described again, after a re-plug for one: the newest description counts.
  if (rc == SQLITE_OK)
    rc = run("DELETE FROM field WHERE register IN (SELECT id FROM register WHERE function = ?)",
             key);
  if (rc == SQLITE_OK) rc = run("DELETE FROM register WHERE function = ?", key);
  if (rc == SQLITE_OK) rc = run("DELETE FROM structure WHERE function = ?", key);
  if (rc == SQLITE_OK) rc = add_maps(key, maps);
  return rc;
}

int TraceStore::add_maps(std::uint64_t key, std::string_view maps_text) {
  const auto maps = Json::parse(maps_text, nullptr, false);
  if (!maps.is_array()) return SQLITE_OK;
  static const Json kNone = Json::array();
  const auto list = [](const Json& object, const char* name) -> const Json& {
    const auto it = object.find(name);
    return it != object.end() && it->is_array() ? *it : kNone;
  };
  for (const Json& map : maps) {
    if (!map.is_object()) continue;
    const auto bar = number(map, "bar");
    for (const Json& r : list(map, "registers")) {
      if (!r.is_object()) continue;
      int rc =
          run("INSERT INTO register(function, bar, offset, width, name, count, stride, "
              "element_name, reset, access, doc, spec) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
              key, bar, number(r, "offset"), number(r, "width", 4), text(r, "name"),
              std::max<std::uint64_t>(1, number(r, "count", 1)),
              std::max<std::uint64_t>(1, number(r, "stride", 1)), text(r, "element_name"),
              number(r, "reset"), text(r, "access", "RW"), text(r, "doc"), text(r, "spec"));
      const auto id = sqlite3_last_insert_rowid(db_.get());
      for (const Json& f : list(r, "fields")) {
        if (rc != SQLITE_OK) return rc;
        if (!f.is_object()) continue;
        rc = run("INSERT INTO field VALUES(?,?,?,?,?,?,?,?)", std::int64_t{id}, number(f, "high"),
                 number(f, "low"), text(f, "name"), text(f, "access", "RW"), text(f, "doc"),
                 text(f, "spec"), member_dump(f, "values"));
      }
      if (rc != SQLITE_OK) return rc;
    }
    for (const Json& s : list(map, "structures")) {
      if (!s.is_object()) continue;
      const int rc =
          run("INSERT INTO structure(function, bar, name, size, members, doc, spec) "
              "VALUES(?,?,?,?,?,?,?)",
              key, bar, text(s, "name"), number(s, "size"), member_dump(s, "members"),
              text(s, "doc"), text(s, "spec"));
      if (rc != SQLITE_OK) return rc;
    }
  }
  return SQLITE_OK;
}

}  // namespace pcilens
