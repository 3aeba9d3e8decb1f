#include "workload/request.hpp"

namespace tokenyard::workload {

std::string RequestStream::session_name(std::int64_t session) const {
  return session < 0 ? "" : 's' + std::to_string(session);
}

}  // namespace tokenyard::workload
