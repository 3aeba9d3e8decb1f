// Random sequences of operations on the KV cache against a model that keeps every single block.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/random.hpp"
#include "serving/kv_cache.hpp"

namespace {

using tokenyard::RandomStream;
using tokenyard::serving::KvCache;
using tokenyard::serving::KvCacheConfig;
using tokenyard::serving::KvLease;
using tokenyard::workload::Request;

enum class State { free, held, prefix, session };

struct Block {
  State state = State::free;
  int owner = -1;          // held
  std::uint64_t key = 0;   // prefix: hash id; session: its number
  std::int64_t place = 0;  // within the session's history
  int users = 0;           // prefix
  long stamp = 0;          // of last use; the smallest goes first
};

// The rules of kv_cache.hpp, block by block and by plain search.
class BlockByBlock {
 public:
  explicit BlockByBlock(const KvCacheConfig& config)
      : config_(config), blocks_(static_cast<std::size_t>(config.blocks)) {}

  std::int64_t admit(int owner, const Request& r, std::int64_t tokens, std::int64_t reserve) {
    std::vector<std::uint64_t> found;
    std::vector<Block*> own;
    std::int64_t reused = 0;
    bool has_session = false;
    if (config_.reuse) {
      for (const std::uint64_t id : r.prefix) {
        const auto end =
            (static_cast<std::int64_t>(found.size()) + 1) * config_.prefix_block_tokens;
        if (end > tokens - 1 || count(State::prefix, id) == 0) break;
        found.push_back(id);
        reused = end;
      }
      const auto session = static_cast<std::uint64_t>(r.session);
      has_session =
          r.session >= 0 && count(State::session, session) > 0 && offset_[session] == reused;
      if (has_session) {
        const std::int64_t limit =
            r.history_tokens < 0 ? tokens - 1 : std::min(tokens - 1, r.history_tokens);
        const std::int64_t offset = reused;
        for (Block& b : blocks_) {
          if (b.state != State::session || b.key != session) continue;
          if (offset + (b.place + 1) * config_.block_tokens > limit) continue;
          own.push_back(&b);
          reused += config_.block_tokens;
        }
      }
    }
    const std::int64_t unit = config_.prefix_block_tokens / config_.block_tokens;
    const std::int64_t fresh = (tokens + config_.block_tokens - 1) / config_.block_tokens -
                               static_cast<std::int64_t>(found.size()) * unit -
                               static_cast<std::int64_t>(own.size());
    std::int64_t room = 0;
    for (const Block& b : blocks_) {
      const bool matched = (b.state == State::prefix &&
                            std::find(found.begin(), found.end(), b.key) != found.end()) ||
                           std::find(own.begin(), own.end(), &b) != own.end();
      if (can_go(b) && !matched) ++room;
    }
    if (fresh + reserve > room) return -1;
    for (Block& b : blocks_) {
      if (b.state == State::prefix && std::find(found.begin(), found.end(), b.key) != found.end())
        ++b.users;
    }
    leased_[owner] = found;
    for (Block* b : own) *b = {.state = State::held, .owner = owner};
    if (has_session) drop_session(static_cast<std::uint64_t>(r.session));
    take(owner, fresh);
    return reused;
  }

  void prompt_computed(int owner, const Request& r, std::int64_t tokens) {
    if (!config_.reuse) return;
    const std::int64_t unit = config_.prefix_block_tokens / config_.block_tokens;
    for (std::size_t i = leased_[owner].size(); i < whole(r, tokens); ++i) {
      if (count(State::prefix, r.prefix[i]) > 0) continue;
      for (std::int64_t k = 0; k < unit; ++k)
        *held_by(owner) = {.state = State::prefix, .key = r.prefix[i], .users = 1};
      added_[owner].push_back(r.prefix[i]);
    }
  }

  void take(int owner, std::int64_t n) {
    for (; n > 0; --n) {
      Block* b = free_block();
      while (b == nullptr) {
        evict_oldest();
        b = free_block();
      }
      *b = {.state = State::held, .owner = owner};
    }
  }

  void release(int owner, const Request& r, std::int64_t tokens, bool keep) {
    if (keep && config_.reuse && config_.keep_sessions && r.session >= 0) {
      const auto session = static_cast<std::uint64_t>(r.session);
      drop_session(session);
      const auto offset =
          static_cast<std::int64_t>(whole(r, r.input_tokens)) * config_.prefix_block_tokens;
      const std::int64_t kept = (tokens - offset) / config_.block_tokens;
      for (std::int64_t place = kept - 1; place >= 0; --place)
        *held_by(owner) = {
            .state = State::session, .key = session, .place = place, .stamp = ++clock_};
      offset_[session] = offset;
    }
    for (Block& b : blocks_) {
      if (b.state == State::held && b.owner == owner) b = {};
    }
    std::vector<std::uint64_t> used = leased_[owner];
    used.insert(used.end(), added_[owner].begin(), added_[owner].end());
    for (auto id = used.rbegin(); id != used.rend(); ++id) {
      ++clock_;
      for (Block& b : blocks_) {
        if (b.state == State::prefix && b.key == *id && --b.users == 0) b.stamp = clock_;
      }
    }
    leased_.erase(owner);
    added_.erase(owner);
  }

  void clear_cached() {
    for (Block& b : blocks_) {
      if (b.state != State::held && can_go(b)) b = {};
    }
  }

  [[nodiscard]] std::int64_t free() const { return count_of({State::free}); }
  [[nodiscard]] std::int64_t held() const { return count_of({State::held}); }
  [[nodiscard]] std::int64_t cached() const { return count_of({State::prefix, State::session}); }
  [[nodiscard]] std::int64_t available() const {
    return std::count_if(blocks_.begin(), blocks_.end(), can_go);
  }

 private:
  static bool can_go(const Block& b) {
    return b.state == State::free || b.state == State::session ||
           (b.state == State::prefix && b.users == 0);
  }
  [[nodiscard]] std::size_t whole(const Request& r, std::int64_t tokens) const {
    return std::min(r.prefix.size(),
                    static_cast<std::size_t>(tokens / config_.prefix_block_tokens));
  }
  [[nodiscard]] std::int64_t count(State state, std::uint64_t key) const {
    return std::count_if(blocks_.begin(), blocks_.end(),
                         [&](const Block& b) { return b.state == state && b.key == key; });
  }
  [[nodiscard]] std::int64_t count_of(std::vector<State> states) const {
    return std::count_if(blocks_.begin(), blocks_.end(), [&](const Block& b) {
      return std::find(states.begin(), states.end(), b.state) != states.end();
    });
  }
  void drop_session(std::uint64_t session) {
    for (Block& b : blocks_) {
      if (b.state == State::session && b.key == session) b = {};
    }
  }
  Block* free_block() {
    const auto at = std::find_if(blocks_.begin(), blocks_.end(),
                                 [](const Block& b) { return b.state == State::free; });
    return at == blocks_.end() ? nullptr : &*at;
  }
  Block* held_by(int owner) {
    const auto at = std::find_if(blocks_.begin(), blocks_.end(), [&](const Block& b) {
      return b.state == State::held && b.owner == owner;
    });
    REQUIRE(at != blocks_.end());
    return &*at;
  }
  void evict_oldest() {
    Block* oldest = nullptr;
    for (Block& b : blocks_) {
      if (can_go(b) && (oldest == nullptr || b.stamp < oldest->stamp)) oldest = &b;
    }
    REQUIRE(oldest != nullptr);
    const Block gone = *oldest;
    for (Block& b : blocks_) {
      const bool same_prefix =
          gone.state == State::prefix && b.state == State::prefix && b.key == gone.key;
      if (&b == oldest || same_prefix) b = {};
    }
  }

  KvCacheConfig config_;
  std::vector<Block> blocks_;
  std::map<int, std::vector<std::uint64_t>> leased_, added_;
  std::map<std::uint64_t, std::int64_t> offset_;
  long clock_ = 0;
};

struct Running {
  int owner = 0;
  Request request;
  std::int64_t tokens = 0;
  bool computed = false;
  KvLease lease;
};

class Walk {
 public:
  Walk(const KvCacheConfig& config, std::uint64_t seed)
      : config_(config), kv_(config), model_(config), random_(seed, "walk") {}

  void step() {
    const std::int64_t dice = random_.integer(0, 99);
    if (dice < 40 || running_.empty()) {
      admit();
    } else if (dice < 75) {
      advance(pick());
    } else if (dice < 98) {
      release(pick(), random_.uniform() < 0.7);
    } else {
      kv_.clear_cached();
      model_.clear_cached();
    }
    compare();
  }
  void drain() {
    while (!running_.empty()) {
      release(0, true);
      compare();
    }
    REQUIRE(kv_.private_blocks() == 0);
    REQUIRE(kv_.available() == kv_.total());
  }
  [[nodiscard]] std::int64_t tokens_reused() const { return tokens_reused_; }
  [[nodiscard]] std::int64_t refused() const { return refused_; }

 private:
  std::size_t pick() {
    return static_cast<std::size_t>(
        random_.integer(0, static_cast<std::int64_t>(running_.size()) - 1));
  }
  // Prompts of 1 to 60 tokens that begin like one of three families, of one of five sessions or
  // none.
  Request draw() {
    Request r;
    r.input_tokens = random_.integer(1, 60);
    r.session = random_.integer(-2, 4);
    if (r.session < 0) r.session = -1;
    const std::int64_t family = random_.integer(0, 2);
    const std::int64_t ids = random_.integer(0, 4);
    for (std::int64_t i = 0; i < ids; ++i)
      r.prefix.push_back(static_cast<std::uint64_t>(100 * family + i));
    if (random_.uniform() < 0.3) r.history_tokens = random_.integer(0, r.input_tokens);
    return r;
  }
  void admit() {
    Running s;
    s.owner = owners_++;
    s.request = draw();
    s.tokens = s.request.input_tokens;
    const std::int64_t reserve = random_.integer(0, 3);
    const std::int64_t reused = kv_.admit(s.request, s.tokens, reserve, s.lease);
    REQUIRE(reused == model_.admit(s.owner, s.request, s.tokens, reserve));
    if (reused < 0) {
      ++refused_;
      return;
    }
    REQUIRE(reused < s.tokens);
    tokens_reused_ += reused;
    running_.push_back(s);
  }
  void advance(std::size_t i) {
    Running& s = running_[i];
    if (!s.computed) {
      kv_.prompt_computed(s.request, s.tokens, s.lease);
      model_.prompt_computed(s.owner, s.request, s.tokens);
      s.computed = true;
      return;
    }
    const std::int64_t more = random_.integer(1, 9);
    const std::int64_t blocks = kv_.blocks_for(s.tokens + more) - kv_.blocks_for(s.tokens);
    if (blocks > kv_.available()) return;
    kv_.take(blocks);
    model_.take(s.owner, blocks);
    s.tokens += more;
  }
  // A sequence whose prompt is not computed can only be preempted.
  void release(std::size_t i, bool keep) {
    Running& s = running_[i];
    keep = keep && s.computed;
    kv_.release(s.request, s.tokens, keep, s.lease);
    model_.release(s.owner, s.request, s.tokens, keep);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void compare() const {
    REQUIRE(kv_.free() == model_.free());
    REQUIRE(kv_.cached() == model_.cached());
    REQUIRE(kv_.private_blocks() == model_.held());
    REQUIRE(kv_.available() == model_.available());
    REQUIRE(kv_.free() + kv_.private_blocks() + kv_.cached() == kv_.total());
    REQUIRE(kv_.free() >= 0);
  }

  KvCacheConfig config_;
  KvCache kv_;
  BlockByBlock model_;
  RandomStream random_;
  std::vector<Running> running_;
  int owners_ = 0;
  std::int64_t tokens_reused_ = 0, refused_ = 0;
};

}  // namespace

TEST_CASE("KV cache: any sequence of operations leaves what a block-by-block model leaves") {
  struct Policy {
    bool reuse, keep_sessions;
  };
  for (const Policy policy : {Policy{true, true}, Policy{true, false}, Policy{false, false}}) {
    std::int64_t tokens_reused = 0;
    std::int64_t refused = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      CAPTURE(seed);
      CAPTURE(policy.reuse);
      CAPTURE(policy.keep_sessions);
      // 24 to 53 blocks of 4 tokens, prefix ids of 8: four prompts fill the cache.
      Walk walk({.blocks = 23 + static_cast<std::int64_t>(seed),
                 .block_tokens = 4,
                 .prefix_block_tokens = 8,
                 .reuse = policy.reuse,
                 .keep_sessions = policy.keep_sessions},
                seed);
      for (int i = 0; i < 400; ++i) walk.step();
      walk.drain();
      tokens_reused += walk.tokens_reused();
      refused += walk.refused();
    }
    // The walks do what they are for: they reuse, and they run out of room.
    CHECK((tokens_reused > 1000) == policy.reuse);
    CHECK(refused > 100);
  }
}
