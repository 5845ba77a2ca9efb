#include "inspector-ui/cli/trace_file.hpp"

#include <cstdio>

namespace pcilens::cli {

std::shared_ptr<const Snapshot> snapshot_of(TraceReader& reader) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->state = RunState::Ended;
  snapshot->trace = reader.path();
  snapshot->seq = reader.last_seq();
  snapshot->names = reader.names();
  for (const TraceFunction& f : reader.functions()) {
    FunctionState state;
    state.instance = f.instance;
    state.device = f.device;
    state.bdf = f.bdf;
    state.config = std::make_shared<const std::vector<std::byte>>(f.config);
    for (const auto& b : f.bars)
      state.bars.push_back({.index = b.index,
                            .size = b.size,
                            .address = b.address,
                            .is_64bit = b.is_64bit,
                            .prefetchable = b.prefetchable});
    snapshot->functions.push_back(std::move(state));
  }
  return snapshot;
}

void print_json_line(const std::vector<ui::Column>& columns, const std::vector<ui::Cell>& row) {
  std::string text = "{";
  for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
    if (columns[i].key.empty()) continue;
    if (text.size() > 1) text += ',';
    text += ui::json_string(columns[i].key) + ":" +
            (row[i].json.empty() ? ui::json_string(row[i].text) : row[i].json);
  }
  text += "}\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace pcilens::cli
