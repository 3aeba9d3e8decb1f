// From YAML text to our tree.  yaml-cpp calls us event by event, so that the limits hold before
// anything is built: by itself it accepts aliases that contain themselves, exponential alias bombs,
// duplicate keys (the first silently wins) and a quote that is never closed.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_set>
#include <vector>

#include "input/node.hpp"
#include "input/source_text.hpp"

namespace tokenyard::input {
namespace {

constexpr int kDeepest = 32;
constexpr int kMostValues = 200'000;
constexpr int kMostRepeated = 50'000;
constexpr int kMostOpenBrackets = 10'000;

constexpr std::string_view kStray =
    "this does not belong to what stands above; check indentation, brackets and quotes";

struct Stop {};  // leaves yaml-cpp's parser once a problem is reported; never leaves this file

class Builder : public YAML::EventHandler {
 public:
  Builder(const SourceText& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  [[nodiscard]] Node take_root() { return std::move(root_); }
  // The innermost list or map that is still open, and the last thing that was read.
  [[nodiscard]] const Node* open() const {
    return frames_.empty() ? nullptr : &frames_.back().node;
  }
  [[nodiscard]] const YAML::Mark& last() const { return last_; }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (key_is_next()) return refuse_key(mark);
    Node node = begin_value(mark, Node::Kind::null);
    // yaml-cpp gives the place of whatever comes next; the key is what lacks a value.
    if (!frames_.empty() && frames_.back().node.kind == Node::Kind::map &&
        mark.line + 1 != frames_.back().key_place.line) {
      node.place = frames_.back().key_place;
    }
    end_value(std::move(node), anchor, {});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = key_is_next() ? Node{} : begin_value(mark, Node::Kind::scalar);
    check_tag(mark, tag, node.path);
    node.kind = Node::Kind::scalar;
    node.scalar = value;
    node.quoted = tag == "!";
    if (!key_is_next()) return end_value(std::move(node), anchor, {});
    take_key(mark, value);
    if (anchor != YAML::NullAnchor) remember(anchor, node, {});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin_collection(mark, tag, anchor, Node::Kind::sequence);
  }
  void OnSequenceEnd() override { end_collection(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin_collection(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { end_collection(); }

 private:
  struct Extent {
    int values = 1;  // in it, itself included
    int levels = 0;  // of lists and maps, itself included
  };
  struct Anchored {
    Node node;
    Extent extent;
  };
  // A list or map whose end has not come yet.
  struct Frame {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    Extent extent;
    bool is_key = false;  // stands where a key should, which is refused
    // Of a map: the key whose value comes next.
    bool has_key = false;
    bool drop_value = false;  // the key was refused
    std::string key;
    Place key_place;
    std::unordered_set<std::string> keys;
  };

  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    return source_.place(mark.line, mark.column);
  }
  [[nodiscard]] bool key_is_next() const {
    return !frames_.empty() && frames_.back().node.kind == Node::Kind::map &&
           !frames_.back().has_key;
  }
  [[nodiscard]] std::string next_path() const {
    if (frames_.empty()) return "";
    const Frame& parent = frames_.back();
    if (parent.node.kind == Node::Kind::sequence)
      return element_path(parent.node.path, parent.node.items.size());
    return key_path(parent.node.path, parent.key);
  }
  // Says nothing about what is inside a key that is refused as a whole.
  void report(const YAML::Mark& mark, const std::string& path, const std::string& message) {
    if (open_keys_ == 0) diagnostics_.add(place(mark), path, message);
  }
  [[noreturn]] void stop(const YAML::Mark& mark, const std::string& message) {
    diagnostics_.add(place(mark), "", message);
    throw Stop{};
  }
  void check_depth(const YAML::Mark& mark, int more_levels) {
    if (static_cast<int>(frames_.size()) + more_levels > kDeepest) {
      stop(mark, "nested deeper than " + std::to_string(kDeepest) + " levels");
    }
  }
  void check_tag(const YAML::Mark& mark, const std::string& tag, const std::string& path) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    static constexpr std::string_view kStandard = "tag:yaml.org,2002:";
    const std::string written =
        tag.starts_with(kStandard) ? "!!" + tag.substr(kStandard.size()) : tag;
    report(mark, path,
           "tag " + quote_word(written) + " is not accepted; write the value without a tag");
  }

  Node begin_value(const YAML::Mark& mark, Node::Kind kind);
  void end_value(Node node, YAML::anchor_t anchor, Extent extent);
  void begin_collection(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                        Node::Kind kind);
  void end_collection();
  void take_key(const YAML::Mark& mark, const std::string& key);
  void refuse_key(const YAML::Mark& mark);
  void remember(YAML::anchor_t anchor, const Node& node, Extent extent);

  const SourceText& source_;
  Diagnostics& diagnostics_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  Node root_;
  YAML::Mark last_;
  int documents_ = 0;
  int open_keys_ = 0;  // lists and maps, not closed yet, that stand where a key should
  int values_ = 0;
  int repeated_ = 0;  // values held for aliases or repeated by them
};

void Builder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ == 1) return;
  // yaml-cpp also begins a document at whatever does not fit the one before.
  const std::string_view above = source_.line(mark.line - 1);
  const bool marked = source_.line(mark.line).starts_with("---") || above.starts_with("---") ||
                      above.starts_with("...");
  stop(mark, std::string(marked ? "a second document; one file holds one" : kStray));
}

Node Builder::begin_value(const YAML::Mark& mark, Node::Kind kind) {
  last_ = mark;
  if (++values_ > kMostValues)
    stop(mark, "more than " + std::to_string(kMostValues) + " values in one file");
  Node node;
  node.kind = kind;
  node.place = place(mark);
  node.path = next_path();
  return node;
}

void Builder::end_value(Node node, YAML::anchor_t anchor, Extent extent) {
  if (anchor != YAML::NullAnchor) remember(anchor, node, extent);
  if (frames_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& parent = frames_.back();
  parent.extent.values += extent.values;
  parent.extent.levels = std::max(parent.extent.levels, extent.levels + 1);
  if (parent.node.kind == Node::Kind::sequence) {
    parent.node.items.push_back(std::move(node));
    return;
  }
  parent.has_key = false;
  if (!parent.drop_value) {
    parent.node.entries.push_back(
        {std::move(parent.key), std::move(parent.key_place), std::move(node)});
  }
}

void Builder::begin_collection(const YAML::Mark& mark, const std::string& tag,
                               YAML::anchor_t anchor, Node::Kind kind) {
  check_depth(mark, 1);
  const bool is_key = key_is_next();
  if (is_key) {
    refuse_key(mark);
    ++open_keys_;
  }
  Frame frame;
  frame.node = begin_value(mark, kind);
  frame.anchor = anchor;
  frame.extent.levels = 1;
  frame.is_key = is_key;
  check_tag(mark, tag, frame.node.path);
  frames_.push_back(std::move(frame));
}

void Builder::end_collection() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (frame.is_key) {
    --open_keys_;
    return;
  }
  end_value(std::move(frame.node), frame.anchor, frame.extent);
}

void Builder::take_key(const YAML::Mark& mark, const std::string& key) {
  last_ = mark;
  Frame& map = frames_.back();
  map.has_key = true;
  map.key = key;
  map.key_place = place(mark);
  map.drop_value = !map.keys.insert(key).second;
  if (map.drop_value) {
    report(mark, map.node.path, "key " + quote_word(key) + " is given twice");
  }
}

void Builder::refuse_key(const YAML::Mark& mark) {
  last_ = mark;
  Frame& map = frames_.back();
  map.has_key = true;
  map.drop_value = true;
  map.key.clear();
  map.key_place = place(mark);
  report(mark, map.node.path, "a key must be plain text");
}

void Builder::remember(YAML::anchor_t anchor, const Node& node, Extent extent) {
  repeated_ += extent.values;
  if (repeated_ <= kMostRepeated) anchors_[anchor] = {node, extent};
}

void Builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  last_ = mark;
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) {
    stop(mark, repeated_ > kMostRepeated
                   ? "aliases repeat more than " + std::to_string(kMostRepeated) + " values"
                   : "an alias inside the value that it stands for");
  }
  const Anchored& source = found->second;
  if (key_is_next()) {
    if (source.node.kind != Node::Kind::scalar) return refuse_key(mark);
    return take_key(mark, source.node.scalar);
  }
  check_depth(mark, source.extent.levels);
  repeated_ += source.extent.values;
  if (repeated_ > kMostRepeated) {
    stop(mark, "aliases repeat more than " + std::to_string(kMostRepeated) + " values");
  }
  Node node = source.node;
  set_paths(node, next_path());
  end_value(std::move(node), YAML::NullAnchor, source.extent);
}

// A '[' may begin a key, so yaml-cpp reads on to its end before it tells us anything; a file of
// nothing but brackets would fill the memory.  Brackets in texts count as well, hence the generous
// limit.
bool report_open_brackets(const SourceText& source, std::string_view text,
                          Diagnostics& diagnostics) {
  int depth = 0;
  int line = 0;
  std::size_t line_begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ++line;
      line_begin = i + 1;
    }
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > kMostOpenBrackets) {
      diagnostics.add(source.place(line, static_cast<int>(i - line_begin)), "",
                      "more than " + std::to_string(kMostOpenBrackets) +
                          " brackets are open here; nested deeper than " +
                          std::to_string(kDeepest) + " levels");
      return true;
    }
  }
  return false;
}

// yaml-cpp's errors in the words of somebody who writes YAML, not of somebody who parses it.
void report_syntax_error(const YAML::Exception& e, const SourceText& source, const Builder& builder,
                         Diagnostics& diagnostics) {
  static constexpr std::string_view kColon =
      "a ':' cannot stand here; indent the line like its neighbours, or quote the text";
  static constexpr std::string_view kTab = "a tab indents this line; YAML takes spaces only";
  static const std::map<std::string_view, std::string_view> kPlainer = {
      {"illegal map value", kColon},
      {"illegal map key", kColon},
      {"end of map not found", kStray},
      {"end of sequence not found", kStray},
      {"end of map flow not found", "expected ',' or '}'"},
      {"end of sequence flow not found", "expected ',' or ']'"},
      {"illegal flow end", "a ']' or '}' that closes nothing open here"},
      {"illegal tab when looking for indentation", kTab},
      {"unknown token", "no text can begin with this character unless it is quoted"},
      {"alias not found after *", "a text that begins with '*' needs quotes"},
      {"anchor not found after &", "a text that begins with '&' needs quotes"},
      {"the referenced anchor is not defined",
       "no anchor of that name stands above; a text that begins with '*' needs quotes"},
  };
  Place at = e.mark.is_null() ? source.whole() : source.place(e.mark.line, e.mark.column);
  const std::string_view line = source.line(e.mark.line);
  const std::string_view indent =
      line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
  std::string message = e.msg;
  std::string note;
  if (e.msg == "illegal document indicator in scalar" || e.msg == "illegal EOF in scalar") {
    at = source.place(builder.last().line, builder.last().column);
    message = "a quote that opens after this is never closed";
  } else if (indent.find('\t') != std::string_view::npos) {
    message = kTab;
  } else if (const auto found = kPlainer.find(e.msg); found != kPlainer.end()) {
    message = found->second;
  }
  if (e.msg.find("flow not found") != std::string::npos && builder.open() != nullptr) {
    const Place& begin = builder.open()->place;
    note = "it began at line " + std::to_string(begin.line) + ", column " +
           std::to_string(begin.column);
  }
  diagnostics.add(std::move(at), "", "not valid YAML: " + message, std::move(note));
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& name, Diagnostics& diagnostics) {
  std::string_view body = text;
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
  const SourceText source(name, body);
  if (source.report_bad_bytes(diagnostics) || report_open_brackets(source, body, diagnostics))
    return {};
  // The end of the document is written out, because yaml-cpp closes a quote at the end of the
  // input.
  std::istringstream input(std::string(body) + (body.ends_with('\n') ? "...\n" : "\n...\n"));
  Diagnostics found;
  Builder builder(source, found);
  Node root;
  try {
    YAML::Parser parser(input);
    parser.HandleNextDocument(builder);
    root = builder.take_root();
    if (root.kind == Node::Kind::null && builder.last().line >= source.line_count()) {
      diagnostics.add(source.place(0, 0), "", "nothing is written here");
      return {};
    }
    parser.HandleNextDocument(builder);
  } catch (const Stop&) {
    // The problem is in `found`; root is what was complete before it.
  } catch (const YAML::Exception& e) {
    // What was found in a text that is no YAML may follow from that alone.
    report_syntax_error(e, source, builder, diagnostics);
    return {};
  }
  for (const Diagnostic& d : found.list()) diagnostics.add(d.place, d.path, d.message, d.note);
  return root;
}

}  // namespace tokenyard::input
