#pragma once
// The tree of a formula.  Inside this room only.
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formula/formula.hpp"

namespace tokenyard::formula {

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Constant {
  Value value;
};
struct Variable {};
struct Negation {
  NodePtr operand;
};
struct Operation {
  NodePtr left, right;
};
using CallArgument = std::variant<NodePtr, std::string>;
struct Call {
  std::vector<CallArgument> arguments;
};

struct Node {
  // The name, number or operator, where it stands in the formula's text.
  std::string_view token;
  std::variant<Constant, Variable, Negation, Operation, Call> what;
};

struct Formula::Parsed {
  std::string text;  // the nodes' tokens point into it
  NodePtr root;
};

// The tree of `text`, which must outlive it.  Throws FormulaError.
NodePtr parse_tree(std::string_view text);

// Column, in characters from 1, of a place in the text.
std::size_t column_of(std::string_view text, const char* place);

}  // namespace tokenyard::formula
