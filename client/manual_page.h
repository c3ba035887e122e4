#ifndef MOEPROBE_CLIENT_MANUAL_PAGE_H_
#define MOEPROBE_CLIENT_MANUAL_PAGE_H_

#include <CLI/CLI.hpp>
#include <string>

namespace moeprobe {

// Returns the manual page of `app`, a parser with its commands, for man(1):
// what --help says of the program and of each command.
std::string ManualPage(const CLI::App& app, const std::string& version);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_MANUAL_PAGE_H_
