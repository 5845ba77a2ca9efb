// The sub-commands of the program: the contract with shells and scripts. One file each; main.cpp
// has the table.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace pcilens::cli {

// Exit codes, the same for every sub-command.
inline constexpr int kOk = 0;       // done, or equal
inline constexpr int kDiffers = 1;  // found what was asked for a check, or different
inline constexpr int kCannot =
    2;  // wrong use, unreadable input, no permission: a sentence says why

// Adds its options to `app`; what it returns runs after parsing and gives the exit code.
using Run = std::function<int()>;
using Declare = Run (*)(CLI::App& app);

Run declare_gui(CLI::App& app);
Run declare_console(CLI::App& app);
Run declare_serve(CLI::App& app);
Run declare_attach(CLI::App& app);
// Defined in vm.cpp; weak, so that the program links where that is left out.
[[gnu::weak]] Run declare_vm(CLI::App& app);
Run declare_replay(CLI::App& app);
Run declare_import(CLI::App& app);
Run declare_query(CLI::App& app);
Run declare_check(CLI::App& app);
Run declare_commands(CLI::App& app);
Run declare_devices(CLI::App& app);
Run declare_new(CLI::App& app);
Run declare_bench(CLI::App& app);

// Without a sub-command: a window where there is a display, else the console. Takes the options of
// a session too.
Run declare_default(CLI::App& app);

// One sentence to standard error, with --json as {"error": sentence}; returns kCannot.
int cannot(std::string_view message);

}  // namespace pcilens::cli
