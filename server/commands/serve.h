#ifndef MOEPROBE_SERVER_COMMANDS_SERVE_H_
#define MOEPROBE_SERVER_COMMANDS_SERVE_H_

#include <CLI/App.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "server/access/tls_files.h"
#include "server/server.h"

namespace moeprobe {

// What the command line says of a server that is to run.
struct ServeOptions {
  ServeOptions();

  ServerOptions server;
  TlsFiles tls;
  std::string socket_mode = "0600";
  int drain_seconds = 20;
  int lease_seconds = 60;
  int stall_seconds = 21'600;
  int max_job_seconds = 0;
  int64_t keep_results_seconds = 0;      // 0: for ever
  std::optional<int64_t> memory_budget;  // nullopt: what the machine suggests
};

// Adds the options; they go into `options`, which must outlive the parser.
// --data-dir is added apart: other commands have it, too.
void AddServeOptions(CLI::App& app, ServeOptions& options);

// Runs a server until a signal ends it, and returns the exit status.
int Serve(ServeOptions options);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_COMMANDS_SERVE_H_
