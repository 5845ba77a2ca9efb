# The Target API between two processes, or between a guest and its host (core/target/remote.hpp).
# Numbers of enums are those of core/target/target.hpp and core/link/*.hpp; a receiver checks them.
# Fields may be added at the end; anything else wants a new `protocolVersion`.
@0xb6d1c0a94fe2a7c5;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("pcilens::rpc");

const protocolVersion :UInt32 = 1;

interface Session {
  # What a server shows first. Without `open` no other call succeeds.
  open @0 (version :UInt32, control :Bool, watcher :Watcher)
      -> (error :Text, version :UInt32, controls :Bool);
  # `control` in open, and later on: from here on this client controls, the others watch.
  takeControl @1 () -> (error :Text);

  # `error` is set where a call failed. `version` is the snapshot that shows what the call did.
  pause @2 () -> (error :Text, version :UInt64);
  resume @3 () -> (error :Text, version :UInt64);
  step @4 (until :UInt8, expression :Text) -> (error :Text, version :UInt64);
  edit @5 (value :UInt64) -> (error :Text, version :UInt64);
  addBreakpoint @6 (breakpoint :Breakpoint) -> (error :Text, version :UInt64, value :UInt64);
  enableBreakpoint @7 (number :UInt32, enabled :Bool) -> (error :Text, version :UInt64);
  removeBreakpoint @8 (number :UInt32) -> (error :Text, version :UInt64);
  addFault @9 (fault :Fault) -> (error :Text, version :UInt64, value :UInt64);
  enableFault @10 (number :UInt32, enabled :Bool) -> (error :Text, version :UInt64);
  removeFault @11 (number :UInt32) -> (error :Text, version :UInt64);
  pokeRead @12 (place :Place) -> (error :Text, version :UInt64, value :UInt64);
  pokeWrite @13 (place :Place, value :UInt64) -> (error :Text, version :UInt64);
  force @14 (place :Place, value :UInt64) -> (error :Text, version :UInt64);
  resetFunction @15 (function :UInt8, kind :UInt8) -> (error :Text, version :UInt64);
  restart @16 () -> (error :Text, version :UInt64);

  tracePage @17 (from :UInt64, limit :UInt32, backward :Bool, filter :Text, budget :UInt64)
      -> (error :Text, page :TracePage);
  tracePayload @18 (seq :UInt64) -> (error :Text, bytes :Data);
  codeAt @19 (seq :UInt64) -> (error :Text, view :CodeView);
  countMatches @20 (expression :Text)
      -> (error :Text, matches :UInt64, lookedAt :UInt64, of :UInt64);
  commands @23 (function :UInt8, from :UInt64, limit :UInt32, seq :UInt64)
      -> (error :Text, page :CommandPage);
  kernelLog @24 (most :UInt32) -> (error :Text, lines :List(Text));
  dmaMappings @21 () -> (error :Text, mappings :List(DmaMapping));
  dmaLook @22 (function :UInt8, iova :UInt64, size :UInt32) -> (error :Text, bytes :Data);
}

# The client's side: gets the state, the next one only after it has returned from the last.
interface Watcher {
  changed @0 (snapshot :Snapshot);
}

struct Transaction {
  seq @0 :UInt64;
  tNs @1 :UInt64;
  doneNs @2 :UInt64;
  offset @3 :UInt64;
  value @4 :UInt64;
  cause @5 :UInt64;
  size @6 :UInt32;
  thread @7 :UInt32;
  site @8 :UInt32;
  cpu @9 :UInt16;
  kind @10 :UInt8;
  status @11 :UInt8;
  origin @12 :UInt8;
  answeredBy @13 :UInt8;
  bar @14 :Int8;
  function @15 :UInt8;
}

struct Place {
  function @0 :UInt8;
  bar @1 :Int8;
  offset @2 :UInt64;
  size @3 :UInt32;
}

struct Breakpoint {
  expression @0 :Text;
  phase @1 :UInt8;
  ignore @2 :UInt64;
  once @3 :Bool;
  logOnly @4 :Bool;
  posted @5 :Bool;
}

struct BreakpointState {
  number @0 :UInt32;
  breakpoint @1 :Breakpoint;
  enabled @2 :Bool;
  hits @3 :UInt64;
  synchronous @4 :Text;
}

struct Fault {
  expression @0 :Text;
  action @1 :UInt8;
  amount @2 :UInt64;
  mask @3 :UInt64;
  skip @4 :UInt64;
  times @5 :UInt64;
}

struct FaultState {
  number @0 :UInt32;
  fault @1 :Fault;
  enabled @2 :Bool;
  acted @3 :UInt64;
  synchronous @4 :Text;
}

struct Stop {
  transaction @0 :Transaction;
  phase @1 :UInt8;
  breakpoints @2 :List(UInt32);
  reason @3 :Text;
  original @4 :UInt64;
  edited @5 :Bool;
  threadName @6 :Text;
  lastedNs @7 :UInt64;       # until this was sent
  refusal @8 :Text;
}

# What is big and seldom changes is left out where the client has it already from the snapshot
# before: names, a config image, registers that are as they were.
struct Snapshot {
  version @0 :UInt64;
  state @1 :UInt8;
  stop @2 :Stop;             # null: nothing is held
  seq @3 :UInt64;
  nowNs @4 :UInt64;
  inFlight @5 :UInt64;
  host @6 :Text;
  trace @7 :Text;
  driver @8 :Text;
  functions @9 :List(FunctionState);
  breakpoints @10 :List(BreakpointState);
  faults @11 :List(FaultState);
  names @12 :List(FunctionNames);
  namesChanged @13 :Bool;
  gone @14 :Bool;
  complaints @15 :List(Text);
  binding @16 :UInt8;
  bindingText @17 :Text;
}

struct FunctionState {
  instance @0 :Text;
  device @1 :Text;
  bdf @2 :Text;
  plugged @3 :Bool;
  config @4 :Data;           # null: as it was
  bars @5 :List(BarState);
  banks @6 :List(Bank);
}

struct BarState {
  index @0 :UInt8;
  size @1 :UInt64;
  address @2 :UInt64;
  is64bit @3 :Bool;
  prefetchable @4 :Bool;
}

struct Bank {
  bar @0 :Int8;
  whole @1 :Bool;            # `registers` are all; else those that changed
  count @2 :UInt32;          # of all registers of the bank, with arrays laid out flat
  registers @3 :List(RegisterState);
}

struct RegisterState {
  index @0 :UInt32;
  changedBy @1 :UInt8;
  value @2 :UInt64;
  changedSeq @3 :UInt64;
}

struct FunctionNames {
  instance @0 :Text;
  bdf @1 :Text;
  config @2 :Data;           # the image at its appearance; empty: not known
  maps @3 :List(Text);       # JSON of core/registers/map_json.hpp, one a BAR that has a map
}

struct TracePage {
  rows @0 :List(TraceRow);
  lastSeq @1 :UInt64;
  more @2 :Bool;
  partial @3 :Bool;
  lookedAt @4 :UInt64;
}

struct Edit {
  sent @0 :UInt64;
  delivered @1 :UInt64;
  answered @2 :UInt64;
  returned @3 :UInt64;
  rule @4 :UInt32;
}

struct TraceRow {
  transaction @0 :Transaction;
  edit @1 :Edit;             # null: delivered as it was sent
  payloadBytes @2 :UInt32;
  text @3 :Text;
  finding @4 :Text;
  thread @5 :Text;
}

struct CommandPage {
  protocol @0 :Bool;
  commands @1 :List(Command);
  first @2 :UInt64;
  last @3 :UInt64;
  found @4 :UInt64;
  lookedAt @5 :UInt64;
  of @6 :UInt64;

  struct Command {
    number @0 :UInt64;
    state @1 :UInt8;
    queue @2 :Text;
    name @3 :Text;
    summary @4 :Text;
    status @5 :Text;
    submittedNs @6 :UInt64;
    completedNs @7 :UInt64;
    fields @8 :List(Field);
    steps @9 :List(Step);
  }
  struct Field {
    name @0 :Text;
    value @1 :Text;
  }
  struct Step {
    seq @0 :UInt64;
    what @1 :Text;
  }
}

struct DmaMapping {
  function @0 :UInt8;
  direction @1 :UInt8;
  iova @2 :UInt64;
  size @3 :UInt64;
  seq @4 :UInt64;
  tNs @5 :UInt64;
  by @6 :Text;
}

struct CodeView {
  stack @0 :List(Frame);
  instructions @1 :List(Instruction);
  sourceFile @2 :Text;
  source @3 :List(SourceLine);
  of @4 :UInt64;

  struct SourceLine {
    line @0 :UInt32;
    text @1 :Text;
    accessing @2 :Bool;
  }

  struct Frame {
    symbol @0 :Text;
    file @1 :Text;
    line @2 :UInt32;
  }
  struct Instruction {
    address @0 :Text;
    bytes @1 :Text;
    text @2 :Text;
    accessing @3 :Bool;
  }
}
