#include "core/registers/svd_document.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <unordered_set>

#include "core/registers/svd_values.hpp"

namespace pcilens::svd {
namespace {

// The largest files of chip makers have some 15 MB, 0.5M elements, 10 levels. pugixml takes 72
// bytes a node and 40 an attribute: these limits keep the worst file below 400 MB.
constexpr std::size_t kMaxBytes = 32u << 20;
constexpr std::size_t kMaxTags = 2'000'000, kMaxAttributes = 1'000'000;
constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxDerived = 16;
constexpr std::uint64_t kMaxWork = 10'000'000;  // steps of some 0.1 us
constexpr std::size_t kMaxNotes = 1000;

bool starts_with_any_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(), [](char a, char b) {
           return a == std::toupper(static_cast<unsigned char>(b));
         });
}

}  // namespace

pugi::xml_node View::child(const char* name) const {
  for (const pugi::xml_node& node : chain_)
    if (const pugi::xml_node found = node.child(name)) return found;
  return {};
}

std::string_view View::text(const char* name) const {
  return trimmed(child(name).text().get());
}

Document::Document(std::string_view xml, std::string_view source) : source_(source) {
  if (!scan(xml)) return;
  // UTF-8 fixed: a guessed encoding would be converted, and offsets would no longer lead to lines.
  const auto result =
      xml_.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!result) {
    const auto offset = static_cast<std::size_t>(std::max<std::ptrdiff_t>(result.offset, 0));
    const auto line = std::lower_bound(newlines_.begin(), newlines_.end(), offset);
    fail_at_line(
        static_cast<std::size_t>(line - newlines_.begin()) + 1,
        std::string("no well-formed XML: ") + result.description() + "; is the file cut off?");
    return;
  }
  if (!check_depth()) return;
  device_ = xml_.child("device");
  if (!device_) fail_at_line(1, "no <device> at its top; it is no CMSIS-SVD file");
}

void Document::fail_at_line(std::size_t line, const std::string& message) {
  if (!error_) error_ = Error{source_ + ':' + std::to_string(line) + ": " + message};
}

void Document::fail(pugi::xml_node where, const std::string& message) {
  fail_at_line(line(where), message);
}

std::size_t Document::line(pugi::xml_node node) const {
  const std::ptrdiff_t offset = node.offset_debug();
  if (offset < 0) return 1;
  const auto it =
      std::lower_bound(newlines_.begin(), newlines_.end(), static_cast<std::size_t>(offset));
  return static_cast<std::size_t>(it - newlines_.begin()) + 1;
}

void Document::note(pugi::xml_node where, const std::string& message) {
  if (notes_.size() < kMaxNotes)
    notes_.push_back(source_ + ':' + std::to_string(line(where)) + ": " + message);
}

bool Document::spend(std::uint64_t steps, pugi::xml_node where) {
  spent_ += steps;
  if (spent_ <= kMaxWork) return !failed();
  fail(where, "derivedFrom and dim multiply to more than a chip can have; make them fewer");
  return false;
}

// What must be known before the text is parsed: its size, that it declares no entities, and where
// its lines begin.
bool Document::scan(std::string_view xml) {
  if (xml.size() > kMaxBytes) {
    fail_at_line(1, "the file has more than 32 MiB; split it by peripherals");
    return false;
  }
  std::size_t tags = 0, attributes = 0;
  for (std::size_t i = 0; i < xml.size(); ++i) {
    if (xml[i] == '\n') newlines_.push_back(i);
    if (xml[i] == '=') ++attributes;
    if (xml[i] != '<') continue;
    ++tags;
    const std::string_view rest = xml.substr(i + 1, 16);
    if (starts_with_any_case(rest, "!DOCTYPE") || starts_with_any_case(rest, "!ENTITY")) {
      fail_at_line(newlines_.size() + 1,
                   "a document type or entity declaration; SVD has none, remove it");
      return false;
    }
    // In comments and CDATA a '<' is text.
    const char* end = rest.starts_with("!--")        ? "-->"
                      : rest.starts_with("![CDATA[") ? "]]>"
                                                     : nullptr;
    if (!end) continue;
    const auto stop = std::min(xml.find(end, i), xml.size());
    // Counted there as well: pugixml takes an unescaped "<!--" in an attribute as text.
    for (++i; i < stop; ++i) {
      if (xml[i] == '\n') newlines_.push_back(i);
      tags += xml[i] == '<';
      attributes += xml[i] == '=';
    }
    --i;
  }
  if (tags <= kMaxTags && attributes <= kMaxAttributes) return true;
  fail_at_line(1, "more than two million tags or a million attributes; split it by peripherals");
  return false;
}

bool Document::check_depth() {
  int depth = 0;
  for (pugi::xml_node at = xml_; at;) {
    if (const auto child = at.first_child()) {
      at = child;
      if (++depth > kMaxDepth) {
        fail(at,
             "elements nested more than " + std::to_string(kMaxDepth) + " deep; SVD needs a dozen");
        return false;
      }
      continue;
    }
    while (at && !at.next_sibling()) {
      at = at.parent();
      --depth;
    }
    if (at) at = at.next_sibling();
  }
  return true;
}

pugi::xml_node Document::sibling_named(pugi::xml_node list, const char* tag,
                                       std::string_view name) {
  for (const pugi::xml_node& one : list.children(tag)) {
    if (!spend(1, one)) return {};
    if (trimmed(one.child("name").text().get()) == name) return one;
  }
  return {};
}

// By name beside the element or in what holds it, or by a path from the peripherals down:
// "UART0.CHANNEL.CTRL".
pugi::xml_node Document::find(pugi::xml_node node, std::string_view path, const View& inside) {
  const char* tag = node.name();
  if (const auto found = sibling_named(node.parent(), tag, path); found && found != node)
    return found;
  for (const pugi::xml_node& holder : inside.chain())
    for (const pugi::xml_node& list :
         {holder, holder.child("registers"), holder.child("fields"), holder.child("peripherals")})
      if (const auto found = sibling_named(list, tag, path); found && found != node) return found;
  pugi::xml_node at = device_.child("peripherals");
  while (at && !path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    const std::string_view step = path.substr(0, dot);
    const bool last = dot == path.size();
    path.remove_prefix(last ? dot : dot + 1);
    pugi::xml_node next;
    for (const char* kind : {"peripheral", "cluster", "register", "field"}) {
      if (last && std::strcmp(kind, tag) != 0) continue;
      for (const pugi::xml_node& list : {at, at.child("registers"), at.child("fields")})
        if (!next) next = sibling_named(list, kind, step);
    }
    at = next;
  }
  return at == node || std::strcmp(at.name(), tag) != 0 ? pugi::xml_node() : at;
}

View Document::view(pugi::xml_node node, const View& inside) {
  View view(node);
  while (!failed()) {
    const pugi::xml_node from = view.chain_.back();
    const auto attribute = from.attribute("derivedFrom");
    if (!attribute) break;
    const pugi::xml_node base = find(from, trimmed(attribute.value()), inside);
    if (!base) {
      fail(from, "derivedFrom=\"" + one_line(attribute.value()).substr(0, 64) + "\": no " +
                     from.name() + " of this name; correct it");
    } else if (std::find(view.chain_.begin(), view.chain_.end(), base) != view.chain_.end()) {
      fail(from, std::string("this ") + from.name() +
                     " is derived from itself, by way of others; break the circle");
    } else if (view.chain_.size() >= kMaxDerived) {
      fail(from, "derived over more than " + std::to_string(kMaxDerived) +
                     " steps; derive it from "
                     "an earlier one");
    }
    view.chain_.push_back(base);
  }
  return view;
}

std::vector<pugi::xml_node> Document::members(const View& view, const char* list, const char* a,
                                              const char* b) {
  std::vector<pugi::xml_node> found;
  std::unordered_set<std::string_view> inherited;
  for (const pugi::xml_node& holder : view.chain()) {
    const std::size_t own = found.size();
    for (const pugi::xml_node& one : (list ? holder.child(list) : holder).children()) {
      if (std::strcmp(one.name(), a) != 0 && std::strcmp(one.name(), b) != 0) continue;
      if (!spend(1, one)) return {};
      // Two of one name in one holder are a mistake, which the caller finds.
      if (!inherited.contains(trimmed(one.child("name").text().get()))) found.push_back(one);
    }
    for (std::size_t i = own; i < found.size(); ++i)
      inherited.insert(trimmed(found[i].child("name").text().get()));
  }
  return found;
}

pugi::xml_node Document::values_named(pugi::xml_node node, std::string_view path) {
  if (!values_indexed_) {
    values_indexed_ = true;
    struct Walker : pugi::xml_tree_walker {
      std::unordered_map<std::string_view, std::vector<pugi::xml_node>>& index;
      explicit Walker(decltype(index) i) : index(i) {}
      bool for_each(pugi::xml_node& at) override {
        if (std::strcmp(at.name(), "enumeratedValues") == 0 && at.child("name"))
          index[trimmed(at.child("name").text().get())].push_back(at);
        return true;
      }
    } walker(values_);
    xml_.traverse(walker);
  }
  const auto dot = path.rfind('.');
  const auto named = values_.find(dot == std::string_view::npos ? path : path.substr(dot + 1));
  if (named == values_.end()) return {};
  // The nearest one: of the same register, else of the same peripheral, else the first.
  const auto holder = [](pugi::xml_node at, const char* kind) {
    while (at && std::strcmp(at.name(), kind) != 0) at = at.parent();
    return at;
  };
  for (const char* kind : {"register", "peripheral"})
    for (const pugi::xml_node& one : named->second) {
      if (!spend(1, node)) return {};
      if (one != node && holder(one, kind) == holder(node, kind)) return one;
    }
  return named->second.front() == node ? pugi::xml_node() : named->second.front();
}

std::uint64_t Document::number(const View& view, const char* name, std::uint64_t otherwise) {
  const pugi::xml_node child = view.child(name);
  if (!child) return otherwise;
  if (const auto value = svd::number(child.text().get())) return *value;
  fail(child, std::string("<") + name + ">" + one_line(child.text().get()).substr(0, 64) + "</" +
                  name + "> is no number; write 12, 0x1F or #101");
  return otherwise;
}

std::uint64_t Document::required_number(const View& view, const char* name) {
  if (!view.child(name))
    fail(view.node(),
         std::string("this ") + view.node().name() + " has no <" + name + ">; give it one");
  return number(view, name, 0);
}

std::string Document::name(const View& view) {
  const std::string_view name = view.text("name");
  if (name.empty())
    fail(view.node(), std::string("this ") + view.node().name() + " has no <name>; give it one");
  else if (!usable_name(name))
    fail(view.node(), std::string("the name of this ") + view.node().name() +
                          " must be 1 to 128 printable ASCII characters without spaces");
  return std::string(name.substr(0, 128));
}

}  // namespace pcilens::svd
