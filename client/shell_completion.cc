#include "client/shell_completion.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"

namespace moeprobe {
namespace {

// "--json" and the like, of a command or of all.
std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  const std::function<bool(const CLI::App*)> any = [](const CLI::App*) {
    return true;
  };
  return app.get_subcommands(any);
}

std::string Words(const std::vector<std::string>& words) {
  return absl::StrJoin(words, " ");
}

std::string Bash(const CLI::App& app) {
  std::vector<std::string> commands;
  std::string cases;
  for (const CLI::App* command : CommandsOf(app)) {
    commands.push_back(command->get_name());
    absl::StrAppend(&cases, "      ", command->get_name(), ") words=\"",
                    Words(OptionsOf(*command)), "\" ;;\n");
  }
  return absl::Substitute(R"(_moeprobe_client() {
  local word=$${COMP_WORDS[COMP_CWORD]} words="$0 $1" command
  for command in "$${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $$command in
$2    esac
  done
  COMPREPLY=($$(compgen -W "$$words" -- "$$word"))
}
complete -o default -F _moeprobe_client moeprobe-client
)",
                          Words(commands), Words(OptionsOf(app)), cases);
}

std::string FishQuoted(const std::string& text) {
  return absl::StrCat(
      "'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string Fish(const CLI::App& app) {
  std::string script;
  for (const CLI::App* command : CommandsOf(app)) {
    absl::StrAppend(&script, "complete -c moeprobe-client -n ",
                    "__fish_use_subcommand -a ", command->get_name(), " -d ",
                    FishQuoted(command->get_description()), "\n");
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        absl::StrAppend(&script, "complete -c moeprobe-client -n ",
                        "'__fish_seen_subcommand_from ", command->get_name(),
                        "' -l ", name, " -d ",
                        FishQuoted(option->get_description()), "\n");
      }
    }
  }
  return script;
}

}  // namespace

std::string ShellCompletion(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return Bash(app);
  if (shell == "zsh") {
    return absl::StrCat("autoload -U +X bashcompinit && bashcompinit\n",
                        Bash(app));
  }
  return shell == "fish" ? Fish(app) : "";
}

}  // namespace moeprobe
