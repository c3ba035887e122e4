#ifndef MOEPROBE_CLIENT_SHELL_COMPLETION_H_
#define MOEPROBE_CLIENT_SHELL_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <string>

namespace moeprobe {

// Returns a script that completes commands, options and files of `app`, a
// parser with its commands, in "bash", "zsh" or "fish"; "" for another shell.
std::string ShellCompletion(const CLI::App& app, const std::string& shell);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SHELL_COMPLETION_H_
