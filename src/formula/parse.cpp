#include <boost/spirit/home/x3.hpp>
#include <charconv>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "formula/ast.hpp"

namespace tokenyard::formula {
namespace {

namespace x3 = boost::spirit::x3;

// The parser and the walks over its tree recurse; this bounds how deep they go.
constexpr std::size_t kLongestFormula = 1000;  // bytes

using Slice = boost::iterator_range<const char*>;

std::string_view view(const Slice& slice) {
  return {slice.begin(), static_cast<std::size_t>(slice.size())};
}

// A FormulaError that still needs its column.
struct Misplaced {
  std::string problem;
  const char* place;
};

Value read_number(const Slice& slice) {
  double number = 0.0;
  const auto [end, status] = std::from_chars(slice.begin(), slice.end(), number);
  if (status == std::errc::result_out_of_range) {
    throw Misplaced{quote_word(view(slice)) + " is too large or too small for a number",
                    slice.begin()};
  }
  check(status == std::errc() && end == slice.end(), "the grammar takes for a number what is none");
  return {number, kNone};
}

Value read_quantity(const Slice& slice) {
  const ParsedAnyQuantity parsed = parse_any_quantity(view(slice));
  if (!parsed.ok) throw Misplaced{parsed.problem, slice.begin()};
  return {parsed.value, parsed.dim};
}

NodePtr node(const Slice& token, decltype(Node::what) what) {
  return std::make_shared<const Node>(Node{view(token), std::move(what)});
}

// What the rules do with what they matched.
const auto pass_on = [](auto& ctx) { x3::_val(ctx) = x3::_attr(ctx); };
const auto make_number = [](auto& ctx) {
  x3::_val(ctx) = node(x3::_attr(ctx), Constant{read_number(x3::_attr(ctx))});
};
const auto make_quantity = [](auto& ctx) {
  x3::_val(ctx) = node(x3::_attr(ctx), Constant{read_quantity(x3::_attr(ctx))});
};
const auto make_variable = [](auto& ctx) { x3::_val(ctx) = node(x3::_attr(ctx), Variable{}); };
const auto make_text = [](auto& ctx) { x3::_val(ctx) = std::string(view(x3::_attr(ctx))); };
const auto make_call = [](auto& ctx) {
  using boost::fusion::at_c;
  x3::_val(ctx) = node(at_c<0>(x3::_attr(ctx)), Call{std::move(at_c<1>(x3::_attr(ctx)))});
};
const auto negate = [](auto& ctx) {
  using boost::fusion::at_c;
  x3::_val(ctx) = node(at_c<0>(x3::_attr(ctx)), Negation{at_c<1>(x3::_attr(ctx))});
};
// Left of the operator stands what the rule has read so far.
const auto operate = [](auto& ctx) {
  using boost::fusion::at_c;
  x3::_val(ctx) = node(at_c<0>(x3::_attr(ctx)), Operation{x3::_val(ctx), at_c<1>(x3::_attr(ctx))});
};

// The names of rules are what messages say was expected.
constexpr auto kOperand = "a number, a quantity in square brackets, a name, '-' or '('";
const x3::rule<struct SumId, NodePtr> sum = kOperand;
const x3::rule<struct ProductId, NodePtr> product = kOperand;
const x3::rule<struct SignedId, NodePtr> signed_power = kOperand;
const x3::rule<struct PowerId, NodePtr> power = kOperand;
const x3::rule<struct OperandId, NodePtr> operand = kOperand;
const x3::rule<struct ArgumentId, CallArgument> argument =
    "a number, a quantity in square brackets, a name, '-', '(' or text in double quotes";
const x3::rule<struct ArgumentsId, std::vector<CallArgument>> arguments = "'('";
const x3::rule<struct EndId> end = "an operator or the end";
const x3::rule<struct CloseId> close = "an operator or ')'";
const x3::rule<struct CloseCallId> close_call = "an operator, ',' or ')'";

// What `parser` matches, as it stands in the text.
template <class Parser>
auto token(const Parser& parser) {
  return x3::rule<struct TokenId, Slice>("token") = x3::raw[x3::lexeme[parser]];
}

const auto digits = +x3::char_('0', '9');
const auto exponent = x3::char_("eE") >> -x3::char_("+-") >> digits;
const auto number = token(((digits >> -('.' >> -digits)) | ('.' >> digits)) >> -exponent);
const auto name = token(x3::char_("a-z_") >> *x3::char_("a-z0-9_"));
const auto quantity = '[' > token(*(x3::char_ - ']')) > ']';
const auto quoted = x3::lexeme['"' > x3::raw[*(x3::char_ - '"')] > '"'];

const auto end_def = x3::eoi;
const auto close_def = x3::lit(')');
const auto close_call_def = x3::lit(')');
const auto argument_def = quoted[make_text] | sum[pass_on];
const auto list = x3::expect[argument] >> *(',' > argument);
const auto arguments_def = '(' >> (')' | (list > close_call));
const auto operand_def = number[make_number] | quantity[make_quantity] |
                         (name >> arguments)[make_call] | name[make_variable] |
                         ('(' > sum > close)[pass_on];
const auto power_def = operand[pass_on] >> -(token('^') > signed_power)[operate];
const auto signed_power_def = (token('-') > signed_power)[negate] | power[pass_on];
const auto product_def = signed_power[pass_on] >> *(token(x3::char_("*/")) > signed_power)[operate];
const auto sum_def = product[pass_on] >> *(token(x3::char_("+-")) > product)[operate];

BOOST_SPIRIT_DEFINE(sum, product, signed_power, power, operand, argument, arguments, end, close,
                    close_call)

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The word or the one character at the front; of UTF-8 the whole character.
std::string_view first_word(std::string_view rest) {
  std::size_t length = 1;
  const auto belongs = [&](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U || (is_word(rest[0]) && is_word(c));
  };
  while (length < rest.size() && belongs(rest[length])) ++length;
  return rest.substr(0, length);
}

// "80 GB" where "[80 GB]" is meant.
bool is_unit_after_number(std::string_view before, std::string_view found) {
  while (!before.empty() && is_space(before.back())) before.remove_suffix(1);
  const bool number_before = !before.empty() && before.back() >= '0' && before.back() <= '9';
  return number_before && (is_word(found[0]) || found[0] == '%');
}

Misplaced unexpected(std::string_view text, const char* place, const std::string& expected) {
  while (place != text.data() + text.size() && is_space(*place)) ++place;
  const auto offset = static_cast<std::size_t>(place - text.data());
  const std::string_view rest = text.substr(offset);
  if (rest.empty()) return {"the formula ends too early; expected " + expected, place};
  const std::string_view found = first_word(rest);
  std::string problem = "unexpected " + quote_word(found) + "; expected " + expected;
  if (is_unit_after_number(text.substr(0, offset), found)) {
    problem += "; quantities stand in square brackets, such as '[80 GB]'";
  }
  return {std::move(problem), place};
}

}  // namespace

std::size_t column_of(std::string_view text, const char* place) {
  std::size_t column = 1;
  for (const char& c : text) {
    if (&c == place) break;
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
  }
  return column;
}

NodePtr parse_tree(std::string_view text) {
  if (text.size() > kLongestFormula) {
    throw FormulaError("the formula is longer than " + std::to_string(kLongestFormula) + " bytes");
  }
  NodePtr root;
  const char* first = text.data();
  try {
    const bool matched = x3::phrase_parse(first, text.data() + text.size(), x3::eps > sum > end,
                                          x3::ascii::space, root);
    check(matched, "a formula was refused without a reason");
    return root;
  } catch (const x3::expectation_failure<const char*>& e) {
    const Misplaced problem = unexpected(text, e.where(), e.which());
    throw FormulaError(problem.problem, column_of(text, problem.place));
  } catch (const Misplaced& problem) {
    throw FormulaError(problem.problem, column_of(text, problem.place));
  }
}

Formula Formula::parse(std::string_view text) {
  auto parsed = std::make_shared<Parsed>();
  parsed->text = text;
  parsed->root = parse_tree(parsed->text);
  return Formula(std::move(parsed));
}

}  // namespace tokenyard::formula
