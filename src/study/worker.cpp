#include "study/worker.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "store/store.hpp"
#include "study/run_plan.hpp"

namespace tokenyard::study {
namespace {

// A message: its kind, the length of what follows, what follows.
struct Header {
  char kind = 'p';  // p: progress, i: input error, e: internal error
  std::uint32_t size = 0;
};

void write_all(int to, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(to, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // the parent is gone, and the child with it soon
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void send(int to, char kind, const void* data, std::size_t size) {
  const Header header{kind, static_cast<std::uint32_t>(size)};
  write_all(to, &header, sizeof(header));
  write_all(to, data, size);
}

[[noreturn]] void run_child(const scenario::Plan& plan, const std::string& shard, bool per_step,
                            pid_t parent, int to) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(3);  // it was gone before
  // A terminal sends these to the whole group; the parent decides what becomes of its workers.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  int status = 0;
  try {
    const sim::SimulationOptions options{.per_step = per_step,
                                         .on_progress = [to](const sim::Progress& progress) {
                                           send(to, 'p', &progress, sizeof(progress));
                                         }};
    store::write_shard(shard, run_plan(plan, options));
  } catch (const InputError& error) {
    const std::string text = error.what();
    send(to, 'i', text.data(), text.size());
    status = 2;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    send(to, 'e', text.data(), text.size());
    status = 3;
  }
  // No destructors: SimGrid's own would take the engine down in an order of its liking.
  ::_exit(status);
}

}  // namespace

Worker::Worker(const scenario::Plan& plan, std::string shard_path, bool per_step)
    : shard_path_(std::move(shard_path)) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  // What the parent has printed and not yet written would be written by the child as well.
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    ::close(ends[0]);
    run_child(plan, shard_path_, per_step, parent, ends[1]);
  }
  ::close(ends[1]);
  pipe_ = ends[0];
}

Worker::~Worker() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (pipe_ >= 0) ::close(pipe_);
  std::error_code ignored;
  std::filesystem::remove(shard_path_, ignored);
  std::filesystem::remove(shard_path_ + ".partial", ignored);  // of a child killed while writing
}

bool Worker::read_messages() {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(pipe_, buffer.data(), buffer.size());
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return false;
    throw std::system_error(errno, std::generic_category(), "read from a worker");
  }
  if (got == 0) {
    reap();
    return true;
  }
  incoming_.append(buffer.data(), static_cast<std::size_t>(got));
  while (incoming_.size() >= sizeof(Header)) {
    Header header;
    std::memcpy(&header, incoming_.data(), sizeof(header));
    if (incoming_.size() < sizeof(header) + header.size) break;
    const std::string body = incoming_.substr(sizeof(header), header.size);
    incoming_.erase(0, sizeof(header) + header.size);
    if (header.kind == 'p') {
      std::memcpy(&progress_, body.data(), sizeof(progress_));
    } else {
      end_ = {header.kind == 'i' ? FailureKind::input : FailureKind::internal, body};
    }
  }
  return false;
}

void Worker::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (end_.failure != FailureKind::none) return;
  if (WIFSIGNALED(status)) {
    end_ = {FailureKind::internal, std::string("the run was ended by signal ") +
                                       std::to_string(WTERMSIG(status)) + " (" +
                                       strsignal(WTERMSIG(status)) + ") at simulated time " +
                                       to_text(seconds(progress_.simulated_s))};
  } else if (WEXITSTATUS(status) != 0) {
    end_ = {FailureKind::internal,
            "the run ended with status " + std::to_string(WEXITSTATUS(status))};
  }
}

}  // namespace tokenyard::study
