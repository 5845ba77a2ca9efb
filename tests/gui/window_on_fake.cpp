// The window on a pretended target, to look at its panels apart from link and trace:
//   window_on_fake [ROWS]
#include <cstdio>
#include <cstdlib>

#include "inspector-ui/gui/window.hpp"
#include "tests/gui/fake_target.hpp"

int main(int argc, char** argv) {
  using namespace pcilens;
  test::FakeTarget target;
  const long rows = argc > 1 ? std::atol(argv[1]) : 60;
  constexpr Kind kKindsShown[] = {Kind::CfgRead, Kind::CfgWrite, Kind::MemRead, Kind::MemWrite,
                                  Kind::DmaRead, Kind::DmaWrite, Kind::Irq,     Kind::Timer};
  for (long i = 0; i < rows; ++i) {
    TraceRow row;
    Transaction& t = row.transaction;
    t.kind = kKindsShown[i % 8];
    t.bar = is_config(t.kind) ? kBarConfig : is_memory(t.kind) ? std::int8_t{0} : kBarDma;
    t.offset = is_dma(t.kind) ? 0x10000 : static_cast<std::uint64_t>(4 * (i % 3));
    if (t.kind == Kind::Irq) t.offset = 0;
    t.size = is_dma(t.kind) ? 512 : 4;
    t.value = static_cast<std::uint64_t>(i) * 0x101;
    t.t_ns = static_cast<std::uint64_t>(i) * 12'345;
    t.status = i % 13 == 5 ? Status::UR : Status::SC;
    t.origin = is_dma(t.kind) || t.kind == Kind::Irq ? Origin::Function : Origin::Driver;
    if (i % 17 == 3) row.edit = Edit{.sent = 1, .delivered = 2};
    target.add_row(row);
  }
  const auto code = gui::run_window(target, {});
  if (!code) std::fprintf(stderr, "%s\n", code.error().message.c_str());
  return code ? *code : 2;
}
