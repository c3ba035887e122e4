#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/command_line.h"
#include "client/commands/interrupt.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/service/cancellation.h"
#include "client/service/client.h"
#include "client/service/client_options.h"
#include "client/service/connection_files.h"
#include "core/base/printable.h"

namespace moeprobe {
namespace {

constexpr int kUsageStatus = 2;
constexpr int kInterruptedStatus = 130;

int ExitStatus(const absl::Status& status) {
  if (status.ok()) return EXIT_SUCCESS;
  return absl::IsInvalidArgument(status) ? kUsageStatus : EXIT_FAILURE;
}

// Errors in a request start with its file and line, as editors expect.
std::string ErrorText(const absl::Status& status) {
  const std::string message = PrintableLines(std::string(status.message()));
  return absl::StrCat(
      absl::IsInvalidArgument(status) ? "" : "moeprobe-client: ", message,
      "\n");
}

int Run(const CommandLine& line) {
  Cancellation cancellation;
  const Interrupt interrupt([&cancellation] { cancellation.Cancel(); });
  Screen out = Screen::Of(std::cout, STDOUT_FILENO);
  Screen err = Screen::Of(std::cerr, STDERR_FILENO);
  ClientOptions options{.address = line.server};
  if (const absl::Status usable = UseFiles(line.files, options); !usable.ok()) {
    err.Print(ErrorText(usable));
    return kUsageStatus;
  }
  Client client(std::move(options), cancellation);
  Session session{.client = client,
                  .cancellation = cancellation,
                  .out = out,
                  .err = err,
                  .program = line.program};
  absl::Status status = line.command(session);
  if (status.ok() && !std::cout.flush()) {
    status = absl::InternalError("cannot write to standard output");
  }
  if (!status.ok()) err.Print(ErrorText(status));
  return cancellation.cancelled() ? kInterruptedStatus : ExitStatus(status);
}

}  // namespace
}  // namespace moeprobe

int main(int argc, char** argv) {
  const auto line = moeprobe::ParseCommandLine(argc, argv);
  if (const int* status = std::get_if<int>(&line)) return *status;
  return moeprobe::Run(*std::get_if<moeprobe::CommandLine>(&line));
}
