#include "server/commands/user_commands.h"

#include <google/protobuf/timestamp.pb.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/status.h>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/user_service.grpc.pb.h"
#include "moeprobe/v1/user_service.pb.h"
#include "server/access/new_file.h"
#include "server/commands/absolute_path.h"
#include "server/commands/duration_option.h"
#include "server/resource_name.h"
#include "spec/error_details.h"
#include "storage/data_layout.h"

namespace moeprobe {
namespace {

using google::protobuf::Timestamp;

constexpr std::chrono::seconds kDeadline{30};

// What a command line says.
struct UserOptions {
  std::string name;
  std::string role = "user";
  std::string token_file;
  bool without_token = false;
  int64_t lifetime_seconds = 0;  // 0: for ever
  double weight = 1;
};

// The server of a data directory, as an admin reaches it.
class AdminServer {
 public:
  // `data_directory` is absolute.
  explicit AdminServer(const std::filesystem::path& data_directory)
      : address_(absl::StrCat(
            "unix:", DataLayout(data_directory).admin_socket.string())),
        stub_(v1::UserService::NewStub(grpc::CreateChannel(
            address_, grpc::InsecureChannelCredentials()))) {}

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1::UserService::Stub::*method)(
                        grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    const grpc::Status status =
        (stub_.get()->*method)(&context, request, &response);
    if (status.ok()) return absl::OkStatus();
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      return absl::UnavailableError(absl::StrCat(
          "no server answers at ", address_,
          "; users are those of a server that runs: name its --data-dir"));
    }
    return FromGrpc(status);
  }

 private:
  std::string address_;
  std::unique_ptr<v1::UserService::Stub> stub_;
};

std::string ShortName(const v1::User& user) {
  return std::string(absl::StripPrefix(user.name(), "users/"));
}

// What a request to create or renew says of how a user is let in.
template <typename Request>
void SetAdmission(const UserOptions& options, Request& request) {
  request.set_without_token(options.without_token);
  if (options.lifetime_seconds > 0) {
    request.mutable_lifetime()->set_seconds(options.lifetime_seconds);
  }
}

// The token goes to a file or to standard output, where it can be piped.
absl::Status HandOut(const UserOptions& options, const std::string& token) {
  if (token.empty()) return absl::OkStatus();
  if (options.token_file.empty()) {
    std::cerr << "This token is shown once. Its file must be for its owner "
                 "alone (chmod 600).\n";
    std::cout << token << "\n";
    return absl::OkStatus();
  }
  MOEPROBE_RETURN_IF_ERROR(
      WriteNewFile(options.token_file, absl::StrCat(token, "\n")));
  std::cerr << "the token is in " << options.token_file << "\n";
  return absl::OkStatus();
}

absl::Status Add(AdminServer server, const UserOptions& options) {
  v1::CreateUserRequest request;
  request.mutable_user()->set_name(UserName(options.name));
  request.mutable_user()->set_role(options.role == "admin" ? v1::ROLE_ADMIN
                                                           : v1::ROLE_USER);
  SetAdmission(options, request);
  v1::CreateUserResponse response;
  MOEPROBE_RETURN_IF_ERROR(
      server.Call(&v1::UserService::Stub::CreateUser, request, response));
  return HandOut(options, response.token());
}

absl::Status Renew(AdminServer server, const UserOptions& options) {
  v1::RenewUserRequest request;
  request.set_name(UserName(options.name));
  SetAdmission(options, request);
  v1::RenewUserResponse response;
  MOEPROBE_RETURN_IF_ERROR(
      server.Call(&v1::UserService::Stub::RenewUser, request, response));
  return HandOut(options, response.token());
}

absl::Status Revoke(AdminServer server, const UserOptions& options) {
  v1::RevokeUserRequest request;
  request.set_name(UserName(options.name));
  v1::User user;
  return server.Call(&v1::UserService::Stub::RevokeUser, request, user);
}

absl::Status SetWeight(AdminServer server, const UserOptions& options) {
  v1::SetUserWeightRequest request;
  request.set_name(UserName(options.name));
  request.set_weight(options.weight);
  v1::User user;
  return server.Call(&v1::UserService::Stub::SetUserWeight, request, user);
}

// "2026-11-21 23:57" in local time; "-" if the time is not set.
std::string TimeText(bool is_set, const Timestamp& time) {
  if (!is_set) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M",
                          absl::FromUnixSeconds(time.seconds()),
                          absl::LocalTimeZone());
}

std::string_view StateText(const v1::User& user) {
  if (user.has_revoke_time()) return "revoked";
  const bool expired =
      user.has_expire_time() &&
      absl::FromUnixSeconds(user.expire_time().seconds()) <= absl::Now();
  return expired ? "expired" : "let in";
}

// Time of workers, "12.3 h" or, if it is short, "140 s".
std::string RecentText(double seconds) {
  constexpr double kHour = 3600;
  return seconds < kHour ? absl::StrFormat("%.0f s", seconds)
                         : absl::StrFormat("%.1f h", seconds / kHour);
}

void PrintUser(const v1::User& user) {
  std::cout << absl::StrFormat(
      "%-20s %-6s %-8s %-6s %6g %10s %-17s %-17s %s\n", ShortName(user),
      user.role() == v1::ROLE_ADMIN ? "admin" : "user", StateText(user),
      user.has_token() ? "token" : "-", user.weight(),
      RecentText(user.recent_seconds()),
      TimeText(user.has_create_time(), user.create_time()),
      TimeText(user.has_expire_time(), user.expire_time()),
      TimeText(user.has_last_call_time(), user.last_call_time()));
}

absl::Status List(AdminServer server, const UserOptions& /*options*/) {
  std::cout << absl::StrFormat("%-20s %-6s %-8s %-6s %6s %10s %-17s %-17s %s\n",
                               "USER", "ROLE", "STATE", "BY", "WEIGHT",
                               "RECENT", "CREATED", "EXPIRES", "LAST CALL");
  v1::ListUsersRequest request;
  do {
    v1::ListUsersResponse page;
    MOEPROBE_RETURN_IF_ERROR(
        server.Call(&v1::UserService::Stub::ListUsers, request, page));
    for (const v1::User& user : page.users()) PrintUser(user);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

void AddAdmission(CLI::App& command, UserOptions& options) {
  AddDuration(command, "--expires", options.lifetime_seconds,
              "Lets the user in for so long, such as 90d; default: for ever");
  CLI::Option* file =
      command
          .add_option("--token-file", options.token_file,
                      "Writes the token to this new file instead of showing it")
          ->type_name("FILE");
  command
      .add_flag("--without-token", options.without_token,
                "Makes no token: the user comes by a certificate of this name, "
                "or on a Unix socket")
      ->excludes(file);
}

}  // namespace

void AddUserCommands(CLI::App& app, const std::filesystem::path& data_directory,
                     std::function<absl::Status()>& run) {
  CLI::App* user = app.add_subcommand(
      "user", "Says who the users of the running server are.");
  user->require_subcommand(1);
  user->fallthrough();
  const auto add =
      [&, user](const std::string& name, const std::string& description,
                absl::Status (*command)(AdminServer, const UserOptions&)) {
        const auto options = std::make_shared<UserOptions>();
        CLI::App* parser = user->add_subcommand(name, description);
        parser->callback([&, options, command] {
          run = [&, options, command]() -> absl::Status {
            MOEPROBE_ASSIGN_OR_RETURN(const std::filesystem::path absolute,
                                      AbsolutePath(data_directory));
            return command(AdminServer(absolute), *options);
          };
        });
        return std::pair(parser, options.get());
      };
  const auto [adding, added] =
      add("add", "Adds a user and prints their token, once.", Add);
  adding->add_option("NAME", added->name, "Who it is")->required();
  adding
      ->add_option("--role", added->role,
                   "user; or admin: sees and changes everything")
      ->check(CLI::IsMember({"user", "admin"}))
      ->capture_default_str();
  AddAdmission(*adding, *added);
  const auto [renewing, renewed] =
      add("renew",
          "Gives a user a new token, and ends the old one and any revocation.",
          Renew);
  renewing->add_option("NAME", renewed->name, "Who it is")->required();
  AddAdmission(*renewing, *renewed);
  const auto [revoking, revoked] = add(
      "revoke",
      "Lets a user in no more, from this moment on, and ends their streams.",
      Revoke);
  revoking->add_option("NAME", revoked->name, "Who it is")->required();
  const auto [weighting, weighted] = add(
      "weight",
      "Says how much of the workers a user may have beside others who wait.",
      SetWeight);
  weighting->add_option("NAME", weighted->name, "Who it is")->required();
  weighting
      ->add_option("WEIGHT", weighted->weight,
                   "In ratio to the weights of others; theirs are 1 unless "
                   "something else was said")
      ->required()
      ->check(CLI::Range(0.01, 100.0));
  add("list",
      "Lists the users, with their weights and the worker time they had of "
      "late, half of which is forgotten every day.",
      List);
}

}  // namespace moeprobe
