// Functions and register names of a trace.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/printable.hpp"
#include "core/registers/map_json.hpp"
#include "core/trace/reader_state.hpp"

namespace pcilens {
namespace {

using Json = nlohmann::json;

struct OwnedNames {
  std::vector<std::shared_ptr<const OwnedRegisterMap>> maps;
};

std::uint64_t number(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

bool flag(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

void take_bars(TraceFunction& function, std::string_view text) {
  const auto bars = Json::parse(text, nullptr, false);
  if (!bars.is_array()) return;
  for (const Json& bar : bars) {
    if (!bar.is_object() || number(bar, "index") > 5) continue;
    function.bars.push_back({static_cast<std::uint8_t>(number(bar, "index")),
                             number(bar, "address"), number(bar, "size"), flag(bar, "is_64bit"),
                             flag(bar, "prefetchable")});
  }
}

void take_options(TraceFunction& function, std::string_view text) {
  const auto options = Json::parse(text, nullptr, false);
  if (!options.is_object()) return;
  for (const auto& [name, value] : options.items())
    if (value.is_string())
      function.options.emplace_back(printable(name, kLongestName),
                                    printable(value.get_ref<const std::string&>()));
}

void add_map(FunctionNames& function, OwnedNames& owned,
             const std::shared_ptr<const OwnedRegisterMap>& map) {
  const auto bar = map->map().bar;
  if (std::any_of(function.bars.begin(), function.bars.end(),
                  [&](const auto& other) { return other->map().bar == bar; }))
    return;
  owned.maps.push_back(map);
  function.bars.push_back(std::make_shared<RegisterLookup>(map->map()));
}

// A map that does not hold together is left out: its accesses then show as plain offsets.
void take_maps(FunctionNames& function, OwnedNames& owned, std::string_view text) {
  const auto maps = Json::parse(text, nullptr, false);
  if (!maps.is_array()) return;
  for (const Json& json : maps) {
    auto map = map_from_json(json.dump(-1, ' ', false, Json::error_handler_t::replace));
    if (map) add_map(function, owned, *map);
  }
}

}  // namespace

void TraceReader::State::refresh() {
  auto version = db.prepare("PRAGMA data_version");
  if (version && version->step() == SQLITE_ROW) {
    if (version->integer(0) == data_version) return;
    data_version = version->integer(0);
  }
  auto mark = db.prepare(
      "SELECT group_concat(id || ' ' || instance || ' ' || length(maps) || ' ' || length(bars)) "
      "FROM function");
  if (!mark || mark->step() != SQLITE_ROW || mark->text(0) == described_by) return;
  described_by = mark->text(0);
  auto row = db.prepare(
      "SELECT id, instance, device, bdf, config, bars, maps, options FROM function "
      "WHERE id BETWEEN 0 AND 255 ORDER BY id LIMIT 256");
  if (!row) return;
  functions.clear();
  auto owned = std::make_shared<OwnedNames>();
  auto fresh = std::make_shared<Names>();
  while (row->step() == SQLITE_ROW) {
    TraceFunction function;
    function.id = static_cast<std::uint8_t>(row->integer(0));
    function.instance = printable(row->text(1), kLongestName);
    function.device = printable(row->text(2), 4096);  // may be a path
    function.bdf = printable(row->text(3), kLongestName);
    const auto config = row->blob(4);
    function.config.assign(config.begin(),
                           config.begin() + static_cast<std::ptrdiff_t>(
                                                std::min<std::size_t>(config.size(), kConfigSize)));
    take_bars(function, row->text(5));
    take_options(function, row->text(7));
    fresh->functions.resize(function.id + 1u);
    FunctionNames& names_of = fresh->functions.back();
    names_of.instance = function.instance;
    names_of.bdf = function.bdf;
    if (!function.config.empty())
      names_of.config = std::make_shared<const ConfigNames>(function.config);
    // The first map of a BAR counts: what was put there goes before what the trace has.
    for (const auto& [id, map] : put)
      if (id == function.id) add_map(names_of, *owned, map);
    take_maps(names_of, *owned, row->text(6));
    functions.push_back(std::move(function));
  }
  fresh->keeps = owned;
  names = fresh;
}

void TraceReader::put_registers(std::uint8_t function,
                                std::shared_ptr<const OwnedRegisterMap> map) {
  state_->put.insert(state_->put.begin(), {function, std::move(map)});
  state_->described_by.clear();
  state_->data_version = -1;
}

const std::vector<TraceFunction>& TraceReader::functions() {
  state_->refresh();
  return state_->functions;
}

std::shared_ptr<const Names> TraceReader::names() {
  state_->refresh();
  return state_->names;
}

}  // namespace pcilens
