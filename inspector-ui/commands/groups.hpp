// The parts of the standard command table, one file each.
#pragma once

namespace pcilens::ui {

class CommandTable;

void add_run_commands(CommandTable& table);         // run_commands.cpp
void add_breakpoint_commands(CommandTable& table);  // breakpoint_commands.cpp
void add_fault_commands(CommandTable& table);       // fault_commands.cpp
void add_register_commands(CommandTable& table);    // register_commands.cpp
void add_poke_commands(CommandTable& table);        // poke_commands.cpp
void add_config_commands(CommandTable& table);      // config_commands.cpp
void add_memory_commands(CommandTable& table);      // memory_commands.cpp
void add_trace_commands(CommandTable& table);       // trace_commands.cpp
void add_protocol_commands(CommandTable& table);    // protocol_commands.cpp
void add_replay_commands(CommandTable& table);      // replay_commands.cpp
void add_session_commands(CommandTable& table);     // session_commands.cpp

}  // namespace pcilens::ui
