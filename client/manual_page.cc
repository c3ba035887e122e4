#include "client/manual_page.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"

namespace moeprobe {
namespace {

// Text as roff shows it: no escapes, and no line that begins with a control
// character.
std::string Roff(const std::string& text) {
  const std::string escaped =
      absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  return absl::StrReplaceAll("\n" + escaped,
                             {{"\n.", "\n\\&."}, {"\n'", "\n\\&'"}})
      .substr(1);
}

std::string OptionText(const CLI::Option& option) {
  const std::string value =
      option.get_type_name().empty() ? "" : " " + option.get_type_name();
  return absl::StrCat(".TP\n.B ", Roff(option.get_name(false, true)),
                      Roff(value), "\n", Roff(option.get_description()), "\n");
}

std::string CommandText(const CLI::App& command) {
  std::string text = absl::StrCat(".SS ", Roff(command.get_name()), "\n",
                                  Roff(command.get_description()), "\n");
  for (const CLI::Option* option : command.get_options()) {
    absl::StrAppend(&text, OptionText(*option));
  }
  if (command.get_footer().empty()) return text;
  return absl::StrCat(text, ".PP\n.nf\n", Roff(command.get_footer()),
                      "\n.fi\n");
}

}  // namespace

std::string ManualPage(const CLI::App& app, const std::string& version) {
  std::string options, commands;
  for (const CLI::Option* option : app.get_options()) {
    absl::StrAppend(&options, OptionText(*option));
  }
  const std::function<bool(const CLI::App*)> any = [](const CLI::App*) {
    return true;
  };
  for (const CLI::App* command : app.get_subcommands(any)) {
    absl::StrAppend(&commands, CommandText(*command));
  }
  return absl::Substitute(R"(.TH $0 1 "" "moeprobe $1"
.SH NAME
$2 \- $3
.SH SYNOPSIS
.B $2
[OPTIONS] COMMAND ...
.SH OPTIONS
$4.SH COMMANDS
$5.SH NOTES
.nf
$6
.fi
)",
                          absl::AsciiStrToUpper(Roff(app.get_name())),
                          Roff(version), Roff(app.get_name()),
                          Roff(app.get_description()), options, commands,
                          Roff(app.get_footer()));
}

}  // namespace moeprobe
