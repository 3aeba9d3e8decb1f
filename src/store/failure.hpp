#pragma once
// What a failure of SQLite means to the user.
#include <string>

namespace SQLite {
class Exception;
}

namespace tokenyard::store {

// Throws: InputError when the file is not a database or cannot be opened; std::runtime_error for a
// full disk, a busy or read-only file and other trouble of the machine, with `consequence`
// appended; InternalError when a statement of ours was wrong.
[[noreturn]] void throw_failure(const std::string& path, const SQLite::Exception& error,
                                const std::string& consequence);

}  // namespace tokenyard::store
