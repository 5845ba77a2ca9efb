#include "core/target/remote/wire.hpp"

namespace pcilens::remote {

void write(rpc::Transaction::Builder to, const Transaction& t) {
  to.setSeq(t.seq);
  to.setTNs(t.t_ns);
  to.setDoneNs(t.done_ns);
  to.setOffset(t.offset);
  to.setValue(t.value);
  to.setCause(t.cause);
  to.setSize(t.size);
  to.setThread(t.thread);
  to.setSite(t.site);
  to.setCpu(t.cpu);
  to.setKind(static_cast<std::uint8_t>(t.kind));
  to.setStatus(static_cast<std::uint8_t>(t.status));
  to.setOrigin(static_cast<std::uint8_t>(t.origin));
  to.setAnsweredBy(static_cast<std::uint8_t>(t.answered_by));
  to.setBar(t.bar);
  to.setFunction(t.function);
}

Result<Transaction> read(rpc::Transaction::Reader from) {
  const auto kind = checked(from.getKind(), Kind::Gap);
  const auto status = checked(from.getStatus(), Status::Pending);
  const auto origin = checked(from.getOrigin(), Origin::Lesson);
  const auto answered_by = checked(from.getAnsweredBy(), AnsweredBy::PassedStop);
  if (!kind) return tl::unexpected(kind.error());
  if (!status) return tl::unexpected(status.error());
  if (!origin) return tl::unexpected(origin.error());
  if (!answered_by) return tl::unexpected(answered_by.error());
  return Transaction{.seq = from.getSeq(),
                     .t_ns = from.getTNs(),
                     .done_ns = from.getDoneNs(),
                     .offset = from.getOffset(),
                     .value = from.getValue(),
                     .cause = from.getCause(),
                     .size = from.getSize(),
                     .thread = from.getThread(),
                     .site = from.getSite(),
                     .cpu = from.getCpu(),
                     .kind = *kind,
                     .status = *status,
                     .origin = *origin,
                     .answered_by = *answered_by,
                     .bar = from.getBar(),
                     .function = from.getFunction()};
}

void write(rpc::Place::Builder to, const Place& place) {
  to.setFunction(place.function);
  to.setBar(place.bar);
  to.setOffset(place.offset);
  to.setSize(place.size);
}

Result<Place> read(rpc::Place::Reader from) {
  const Place place{.function = from.getFunction(),
                    .bar = from.getBar(),
                    .offset = from.getOffset(),
                    .size = from.getSize()};
  if (place.bar < kBarConfig || place.bar > 5)
    return fail("there is no BAR " + std::to_string(place.bar) + "; use 0 to 5, or -1 for config");
  if (place.size != 1 && place.size != 2 && place.size != 4 && place.size != 8)
    return fail("an access of " + std::to_string(place.size) +
                " bytes cannot be made; use 1, 2, 4 or 8");
  return place;
}

void write(rpc::Breakpoint::Builder to, const Breakpoint& breakpoint) {
  to.setExpression(text(breakpoint.expression));
  to.setPhase(static_cast<std::uint8_t>(breakpoint.phase));
  to.setIgnore(breakpoint.ignore);
  to.setOnce(breakpoint.once);
  to.setLogOnly(breakpoint.log_only);
  to.setPosted(breakpoint.posted);
}

Result<Breakpoint> read(rpc::Breakpoint::Reader from) {
  const auto phase = checked(from.getPhase(), Phase::After);
  if (!phase) return tl::unexpected(phase.error());
  return Breakpoint{.expression = string(from.getExpression()),
                    .phase = *phase,
                    .ignore = from.getIgnore(),
                    .once = from.getOnce(),
                    .log_only = from.getLogOnly(),
                    .posted = from.getPosted()};
}

void write(rpc::Fault::Builder to, const Fault& fault) {
  to.setExpression(text(fault.expression));
  to.setAction(static_cast<std::uint8_t>(fault.action));
  to.setAmount(fault.amount);
  to.setMask(fault.mask);
  to.setSkip(fault.skip);
  to.setTimes(fault.times);
}

Result<Fault> read(rpc::Fault::Reader from) {
  const auto action = checked(from.getAction(), FaultAction::Replug);
  if (!action) return tl::unexpected(action.error());
  return Fault{.expression = string(from.getExpression()),
               .action = *action,
               .amount = from.getAmount(),
               .mask = from.getMask(),
               .skip = from.getSkip(),
               .times = from.getTimes()};
}

void write(rpc::TracePage::Builder to, const TracePage& page) {
  to.setPartial(page.partial);
  to.setLookedAt(page.looked_at);
  auto rows = to.initRows(static_cast<unsigned>(page.rows.size()));
  for (unsigned i = 0; i < rows.size(); ++i) {
    const TraceRow& row = page.rows[i];
    write(rows[i].initTransaction(), row.transaction);
    if (row.edit) {
      auto edit = rows[i].initEdit();
      edit.setSent(row.edit->sent);
      edit.setDelivered(row.edit->delivered);
      edit.setAnswered(row.edit->answered);
      edit.setReturned(row.edit->returned);
      edit.setRule(row.edit->rule);
    }
    rows[i].setPayloadBytes(row.payload_bytes);
    if (!row.text.empty()) rows[i].setText(text(row.text));
    if (!row.finding.empty()) rows[i].setFinding(text(row.finding));
    if (!row.thread.empty()) rows[i].setThread(text(row.thread));
  }
  to.setLastSeq(page.last_seq);
  to.setMore(page.more);
}

Result<TracePage> read(rpc::TracePage::Reader from) {
  TracePage page{.rows = {},
                 .last_seq = from.getLastSeq(),
                 .more = from.getMore(),
                 .partial = from.getPartial(),
                 .looked_at = from.getLookedAt()};
  page.rows.reserve(from.getRows().size());
  for (const auto row : from.getRows()) {
    auto transaction = read(row.getTransaction());
    if (!transaction) return tl::unexpected(transaction.error());
    page.rows.push_back({.transaction = *transaction,
                         .edit = std::nullopt,
                         .payload_bytes = row.getPayloadBytes(),
                         .text = string(row.getText()),
                         .finding = string(row.getFinding()),
                         .thread = string(row.getThread())});
    if (row.hasEdit()) {
      const auto edit = row.getEdit();
      page.rows.back().transaction.edited = true;
      page.rows.back().edit = Edit{.sent = edit.getSent(),
                                   .delivered = edit.getDelivered(),
                                   .answered = edit.getAnswered(),
                                   .returned = edit.getReturned(),
                                   .rule = edit.getRule()};
    }
  }
  return page;
}

void write(rpc::CodeView::Builder to, const CodeView& view) {
  auto stack = to.initStack(static_cast<unsigned>(view.stack.size()));
  for (unsigned i = 0; i < stack.size(); ++i) {
    stack[i].setSymbol(text(view.stack[i].symbol));
    stack[i].setFile(text(view.stack[i].file));
    stack[i].setLine(view.stack[i].line);
  }
  auto instructions = to.initInstructions(static_cast<unsigned>(view.instructions.size()));
  for (unsigned i = 0; i < instructions.size(); ++i) {
    const CodeView::Instruction& instruction = view.instructions[i];
    instructions[i].setAddress(text(instruction.address));
    instructions[i].setBytes(text(instruction.bytes));
    instructions[i].setText(text(instruction.text));
    instructions[i].setAccessing(instruction.accessing);
  }
  to.setOf(view.of);
  if (!view.source_file.empty()) to.setSourceFile(text(view.source_file));
  auto source = to.initSource(static_cast<unsigned>(view.source.size()));
  for (unsigned i = 0; i < source.size(); ++i) {
    source[i].setLine(view.source[i].line);
    source[i].setText(text(view.source[i].text));
    source[i].setAccessing(view.source[i].accessing);
  }
}

Result<CodeView> read(rpc::CodeView::Reader from) {
  CodeView view;
  view.of = from.getOf();
  for (const auto frame : from.getStack())
    view.stack.push_back({.symbol = string(frame.getSymbol()),
                          .file = string(frame.getFile()),
                          .line = frame.getLine()});
  for (const auto i : from.getInstructions())
    view.instructions.push_back({.address = string(i.getAddress()),
                                 .bytes = string(i.getBytes()),
                                 .text = string(i.getText()),
                                 .accessing = i.getAccessing()});
  view.source_file = string(from.getSourceFile());
  for (const auto line : from.getSource())
    view.source.push_back(
        {.line = line.getLine(), .text = string(line.getText()), .accessing = line.getAccessing()});
  return view;
}

void write(rpc::CommandPage::Builder to, const CommandPage& page) {
  to.setProtocol(page.protocol);
  to.setFirst(page.first);
  to.setLast(page.last);
  to.setFound(page.found);
  to.setLookedAt(page.looked_at);
  to.setOf(page.of);
  auto commands = to.initCommands(static_cast<unsigned>(page.commands.size()));
  for (unsigned i = 0; i < commands.size(); ++i) {
    const ProtocolCommand& c = page.commands[i];
    commands[i].setNumber(c.number);
    commands[i].setState(static_cast<std::uint8_t>(c.state));
    commands[i].setQueue(text(c.queue));
    commands[i].setName(text(c.name));
    commands[i].setSummary(text(c.summary));
    commands[i].setStatus(text(c.status));
    commands[i].setSubmittedNs(c.submitted_ns);
    commands[i].setCompletedNs(c.completed_ns);
    auto fields = commands[i].initFields(static_cast<unsigned>(c.fields.size()));
    for (unsigned f = 0; f < fields.size(); ++f) {
      fields[f].setName(text(c.fields[f].name));
      fields[f].setValue(text(c.fields[f].value));
    }
    auto steps = commands[i].initSteps(static_cast<unsigned>(c.steps.size()));
    for (unsigned s = 0; s < steps.size(); ++s) {
      steps[s].setSeq(c.steps[s].seq);
      steps[s].setWhat(text(c.steps[s].what));
    }
  }
}

Result<CommandPage> read(rpc::CommandPage::Reader from) {
  CommandPage page{.protocol = from.getProtocol(),
                   .commands = {},
                   .first = from.getFirst(),
                   .last = from.getLast(),
                   .found = from.getFound(),
                   .looked_at = from.getLookedAt(),
                   .of = from.getOf()};
  for (const auto c : from.getCommands()) {
    const auto state = checked(c.getState(), ProtocolCommand::State::Unknown);
    if (!state) return tl::unexpected(state.error());
    ProtocolCommand& command = page.commands.emplace_back();
    command.number = c.getNumber();
    command.state = *state;
    command.queue = string(c.getQueue());
    command.name = string(c.getName());
    command.summary = string(c.getSummary());
    command.status = string(c.getStatus());
    command.submitted_ns = c.getSubmittedNs();
    command.completed_ns = c.getCompletedNs();
    for (const auto f : c.getFields())
      command.fields.push_back({string(f.getName()), string(f.getValue())});
    for (const auto s : c.getSteps()) command.steps.push_back({s.getSeq(), string(s.getWhat())});
  }
  return page;
}

void write(capnp::List<rpc::DmaMapping>::Builder to, const std::vector<DmaMapping>& mappings) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setFunction(mappings[i].function);
    to[i].setDirection(static_cast<std::uint8_t>(mappings[i].direction));
    to[i].setIova(mappings[i].iova);
    to[i].setSize(mappings[i].size);
    to[i].setSeq(mappings[i].seq);
    to[i].setTNs(mappings[i].t_ns);
    to[i].setBy(text(mappings[i].by));
  }
}

Result<std::vector<DmaMapping>> read(capnp::List<rpc::DmaMapping>::Reader from) {
  std::vector<DmaMapping> mappings;
  for (const auto mapping : from) {
    const auto direction = checked(mapping.getDirection(), DmaDirection::FromDevice);
    if (!direction) return tl::unexpected(direction.error());
    mappings.push_back({.function = mapping.getFunction(),
                        .iova = mapping.getIova(),
                        .size = mapping.getSize(),
                        .direction = *direction,
                        .seq = mapping.getSeq(),
                        .t_ns = mapping.getTNs(),
                        .by = string(mapping.getBy())});
  }
  return mappings;
}

}  // namespace pcilens::remote
