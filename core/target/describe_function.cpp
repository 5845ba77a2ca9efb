#include "core/target/describe_function.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/registers/map_json.hpp"

namespace pcilens {

std::string describe_function(const Function& function, const std::string& instance,
                              const std::string& device, const std::string& bdf,
                              const DeviceOptions& options) {
  using Json = nlohmann::json;
  std::string config;
  for (const std::byte byte : function.config().bytes())
    config += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  Json bars = Json::array();
  Json maps = Json::array();
  for (const Bar& bar : function.config().bars()) {
    if (bar.size == 0) continue;
    bars.push_back({{"index", bar.index},
                    {"address", function.config().bar_address(bar.index)},
                    {"size", bar.size},
                    {"is_64bit", bar.is_64bit},
                    {"prefetchable", bar.prefetchable}});
    if (const RegisterBank* bank = function.bank(bar.index))
      maps.push_back(Json::parse(map_to_json(bank->map())));
  }
  Json chosen = Json::object();
  for (const DeviceOption& option : options) chosen[option.name] = option.value;
  return Json{{"instance", instance}, {"device", device}, {"bdf", bdf},       {"config", config},
              {"bars", bars},         {"maps", maps},     {"options", chosen}}
      .dump();
}

}  // namespace pcilens
