#include "server/commands/cert_commands.h"

#include <CLI/App.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "server/access/certificates.h"
#include "server/commands/duration_option.h"

namespace moeprobe {
namespace {

// What a command line says.
struct CertOptions {
  std::filesystem::path directory = ".";
  std::vector<std::string> hosts;
  std::string user;
  int64_t lifetime_seconds = 0;

  absl::Duration lifetime() const { return absl::Seconds(lifetime_seconds); }
};

absl::Status Tell(const absl::StatusOr<CertificateFiles>& files) {
  MOEPROBE_RETURN_IF_ERROR(files.status());
  std::cout << files->certificate.string() << "\n"
            << files->key.string() << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddCertCommands(CLI::App& app, std::function<absl::Status()>& run) {
  CLI::App* cert = app.add_subcommand(
      "cert", "Makes certificates and keys for encrypted connections.");
  cert->require_subcommand(1);
  const auto add = [&, cert](const std::string& name,
                             const std::string& description,
                             const std::string& default_lifetime,
                             absl::Status (*command)(const CertOptions&)) {
    const auto options = std::make_shared<CertOptions>();
    CLI::App* parser = cert->add_subcommand(name, description);
    parser
        ->add_option("--dir", options->directory,
                     "Where the files are, those of the CA among them")
        ->type_name("DIR")
        ->capture_default_str();
    AddDuration(*parser, "--expires", options->lifetime_seconds,
                "How long it is valid, such as 90d")
        ->default_val(default_lifetime);
    parser->callback([&run, options, command] {
      run = [options, command] { return command(*options); };
    });
    return std::pair(parser, options.get());
  };
  add("ca", "Makes ca.crt and ca.key, which sign all others.", "10y",
      [](const CertOptions& options) {
        return Tell(MakeCa(options.directory, options.lifetime()));
      });
  const auto [serving, server] =
      add("server", "Makes server.crt and server.key, signed by the CA.", "1y",
          [](const CertOptions& options) {
            return Tell(MakeServerCertificate(options.directory, options.hosts,
                                              options.lifetime()));
          });
  serving
      ->add_option("HOST", server->hosts,
                   "Names and addresses that clients know the server by")
      ->required();
  const auto [connecting, client] =
      add("client",
          "Makes USER.crt and USER.key, signed by the CA, by which a server "
          "with --client-ca knows the user.",
          "1y", [](const CertOptions& options) {
            return Tell(MakeClientCertificate(options.directory, options.user,
                                              options.lifetime()));
          });
  connecting->add_option("USER", client->user, "Who it is")->required();
}

}  // namespace moeprobe
