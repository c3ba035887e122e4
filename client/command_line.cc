#include "client/command_line.h"

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <iostream>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/commands/change_job.h"
#include "client/commands/change_model.h"
#include "client/commands/compare.h"
#include "client/commands/fetch_files.h"
#include "client/commands/init_request.h"
#include "client/commands/lists.h"
#include "client/commands/output_format.h"
#include "client/commands/session.h"
#include "client/commands/show.h"
#include "client/commands/show_curve.h"
#include "client/commands/show_matrix.h"
#include "client/commands/show_redundancy.h"
#include "client/commands/submit.h"
#include "client/commands/watch.h"
#include "client/manual_page.h"
#include "client/service/connection_files.h"
#include "client/settings/settings_file.h"
#include "client/shell_completion.h"
#include "core/base/default_address.h"
#include "core/base/status_macros.h"
#include "core/base/version.h"

namespace moeprobe {
namespace {

constexpr int kUsageStatus = 2;

constexpr const char* kDescription =
    "Submits analyses and controlled experiments to a moeprobe-server and "
    "brings their results.";
constexpr const char* kFooter =
    "Example:\n"
    "  moeprobe-client submit examples/analyze.yaml --wait\n"
    "  moeprobe-client show 1\n"
    "  moeprobe-client fetch 1 --out result\n"
    "\n"
    "JOB is a number such as 17, or jobs/17.\n"
    "Exit status: 0 success; 1 the job failed or was cancelled, or the server\n"
    "refused or did not answer; 2 wrong usage or a wrong request file;\n"
    "130 interrupted.";

// Adds the options that say which server is meant and how it is reached.
class Connection {
 public:
  Connection(CLI::App& app, CommandLine& line) : line_(line) {
    line.server = DefaultAddress();
    settings_ = DefaultSettingsFile();
    server_ = Add(app, "--server", line.server,
                  "unix:PATH or HOST:PORT of the server", "MOEPROBE_SERVER")
                  ->type_name("ADDRESS")
                  ->capture_default_str();
    Add(app, "--settings", settings_,
        "Where server, token_file, ca, cert and key may stand once for all, "
        "YAML",
        "MOEPROBE_SETTINGS")
        ->capture_default_str();
    Add(app, "--token-file", line.files.token,
        "Who you are to the server, as its admin gave it to you; for you alone "
        "to read",
        "MOEPROBE_TOKEN_FILE");
    Add(app, "--ca", line.files.ca,
        "Encrypts; the server's certificate must be signed by this one, PEM",
        "MOEPROBE_CA");
    Add(app, "--cert", line.files.certificate, "Your certificate, PEM",
        "MOEPROBE_CERT");
    Add(app, "--key", line.files.key, "Your certificate's key, PEM",
        "MOEPROBE_KEY");
    app.add_flag("--allow-unencrypted-network",
                 line.files.allow_unencrypted_network,
                 "Sends the token where others on the network can read it");
  }

  // Fills in what the settings say of the server that is meant: nobody else
  // gets to see the token of that one.
  absl::Status Complete() {
    MOEPROBE_ASSIGN_OR_RETURN(const Settings settings, ReadSettings(settings_));
    line_.program = "moeprobe-client";
    if (server_->count() > 0) {
      absl::StrAppend(&line_.program, " --server ", line_.server);
      if (line_.server != settings.server) return absl::OkStatus();
    } else if (!settings.server.empty()) {
      line_.server = settings.server;
    }
    ConnectionFiles& files = line_.files;
    if (files.token.empty()) files.token = settings.files.token;
    if (files.ca.empty()) files.ca = settings.files.ca;
    if (files.certificate.empty() && files.key.empty()) {
      files.certificate = settings.files.certificate;
      files.key = settings.files.key;
    }
    files.allow_unencrypted_network |= settings.files.allow_unencrypted_network;
    return absl::OkStatus();
  }

 private:
  template <typename Text>
  static CLI::Option* Add(CLI::App& app, const std::string& name, Text& value,
                          const std::string& description,
                          const std::string& variable) {
    return app.add_option(name, value, description)
        ->envname(variable)
        ->type_name("FILE");
  }

  CommandLine& line_;
  std::filesystem::path settings_;
  CLI::Option* server_;
};

// Adds the commands to a parser; the one that is given goes into `line`.
class Commands {
 public:
  Commands(CLI::App& app, CommandLine& line) : app_(app), line_(line) {}

  void AddAll() {
    AddInit();
    AddExplain();
    AddSubmit();
    AddJobCommand("watch", "Shows a job's progress until it ends.", Watch);
    AddShow();
    AddCompare();
    AddMatrix();
    AddCurve();
    AddRedundancy();
    AddList("list", "Lists jobs, newest first.", ListJobs);
    AddFetch();
    AddJobCommand("cancel", "Asks a job to stop.", CancelJob);
    AddJobCommand("keep",
                  "Keeps a job's results where the server drops old ones.",
                  KeepJob);
    AddJobCommand("unkeep", "Lets a job's results go once they are old.",
                  UnkeepJob);
    AddJobCommand("delete", "Deletes a job that has ended.", DeleteJob);
    AddModels();
    AddList("datasets", "Lists the texts and token ids that the server has.",
            ListDatasets);
    AddList("info", "Says what the server is.", ShowServer);
    AddList("whoami", "Says who you are to the server.", ShowCaller);
    AddCompletion();
    AddManual();
  }

 private:
  CLI::App* Add(const std::string& name, const std::string& description,
                const std::string& example) {
    CLI::App* command = app_.add_subcommand(name, description);
    command->footer("Example: moeprobe-client " + example);
    return command;
  }

  void AddJob(CLI::App* command) { AddJob(command, job_); }
  static void AddJob(CLI::App* command, std::string& job) {
    command->add_option("JOB", job, "A number such as 17, or jobs/17")
        ->required();
  }
  void AddFile(CLI::App* command) {
    command->add_option("FILE", submit_.file, "Request, YAML")->required();
  }
  void AddJson(CLI::App* command) {
    command->add_flag("--json", json_, "Prints JSON instead of a table");
  }

  void AddFormats(CLI::App* command) {
    CLI::Option* json =
        command->add_flag("--json", json_, "Prints JSON instead of a table");
    command->add_flag("--csv", csv_, "Prints CSV instead of a table")
        ->excludes(json);
  }
  OutputFormat Format() const {
    if (json_) return OutputFormat::kJson;
    return csv_ ? OutputFormat::kCsv : OutputFormat::kTable;
  }

  void AddInit() {
    CLI::App* command =
        Add("init",
            "Prints a request file to begin with: an analysis of a model of "
            "the server, or an experiment.",
            "init mixtral > analyze.yaml\n"
            "         moeprobe-client init --train text.txt > train.yaml");
    CLI::Option* model = command->add_option(
        "MODEL", model_, "As `models` lists it, or a directory of that name");
    CLI::Option* text =
        command
            ->add_option("--train", text_,
                         "Small models to train on a text: a file, or a data "
                         "set of the server")
            ->type_name("TEXT");
    model->excludes(text);
    command->callback([this, model, text] {
      if (model->empty() && text->empty()) {
        throw CLI::RequiredError("MODEL or --train");
      }
      line_.command = [trains = !text->empty(), model = model_,
                       text = text_](Session& session) {
        return trains ? InitExperiment(session, text)
                      : InitRequest(session, model);
      };
    });
  }

  void AddExplain() {
    CLI::App* command =
        Add("explain",
            "Prints a request with every default filled in and what it will "
            "take, or what is wrong with it: submit --dry-run.",
            "explain analyze.yaml");
    AddFile(command);
    command->callback([this] {
      line_.command = [file = submit_.file](Session& session) {
        return Submit(session, {.file = file, .dry_run = true});
      };
    });
  }

  void AddMatrix() {
    CLI::App* command =
        Add("matrix",
            "Shows a quantity of pairs of experts as blocks, darker where it "
            "is larger.",
            "matrix 17 --quantity grassmann/routed --layer 3");
    AddJob(command, matrix_.job);
    command->add_option("--quantity", matrix_.quantity, "Which one")
        ->capture_default_str();
    command->add_option("--layer", matrix_.layer, "Shows this layer only");
    command->add_option("--part", matrix_.part,
                        "Shows this part only, such as baseline or "
                        "top-2/seed0/step2000/model; of an experiment, the "
                        "default is the last step");
    command->callback([this] {
      line_.command = [view = matrix_](Session& session) {
        return ShowMatrix(session, view);
      };
    });
  }

  void AddCompletion() {
    CLI::App* command =
        Add("completion", "Prints a script that completes commands in a shell.",
            "completion bash > ~/.local/share/bash-completion/completions/"
            "moeprobe-client");
    command->add_option("SHELL", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->callback([this] {
      line_.command = [text = ShellCompletion(app_, shell_)](Session& session) {
        session.out.Print(text);
        return absl::OkStatus();
      };
    });
  }

  void AddManual() {
    CLI::App* command =
        Add("manual", "Prints the manual page, for man(1).",
            "manual > ~/.local/share/man/man1/moeprobe-client.1");
    command->callback([this] {
      line_.command = [text = ManualPage(app_, Version())](Session& session) {
        session.out.Print(text);
        return absl::OkStatus();
      };
    });
  }

  void AddSubmit() {
    CLI::App* command =
        Add("submit",
            "Creates a job from a request file (docs/request.md) and prints "
            "its id. Files that it names are uploaded once.",
            "submit analyze.yaml --wait");
    AddFile(command);
    command->add_flag("--wait", submit_.wait,
                      "Shows the progress and ends with the job");
    command->add_flag("--dry-run", submit_.dry_run,
                      "Prints the request with every default filled in, or "
                      "what is wrong with it; creates nothing");
    command->callback([this] {
      line_.command = [options = submit_](Session& session) {
        return Submit(session, options);
      };
    });
  }

  void AddShow() {
    CLI::App* command =
        Add("show", "Shows a job and the means of its result.", "show 17");
    AddJob(command);
    AddJson(command);
    command->callback([this] {
      line_.command = [job = job_, json = json_](Session& session) {
        return Show(session, job, json);
      };
    });
  }

  void AddCompare() {
    CLI::App* command = Add(
        "compare",
        "Shows how the means of B differ from those of A, with intervals: two "
        "jobs, two parts of jobs or two layers. Where both have the same "
        "windows and seed, the same windows are resampled on both sides.",
        "compare 17 18\n"
        "         moeprobe-client compare 17@3 17@5\n"
        "         moeprobe-client compare 17:data0/model 17:data1/model");
    command
        ->add_option("A", sides_[0],
                     "JOB, JOB:PART, JOB@LAYER or JOB:PART@LAYER; PART as in "
                     "`show JOB --json`: model, baseline, data0/model")
        ->required();
    command->add_option("B", sides_[1], "The same of the other side")
        ->required();
    AddFormats(command);
    command->callback([this] {
      line_.command = [sides = sides_, format = Format()](Session& session) {
        return Compare(session, sides[0], sides[1], format);
      };
    });
  }

  void AddCurve() {
    CLI::App* command =
        Add("curve",
            "Shows each claim under every convention, weighting, null, layer "
            "and cell that a job has (a specification curve), or quantities "
            "over the steps of training.",
            "curve 17 --csv > curve.csv\n"
            "         moeprobe-client curve 18 --over step");
    AddJob(command);
    CLI::Option* over =
        command
            ->add_option("--over", axis_,
                         "step: shows quantities over the steps of a job of "
                         "kind train")
            ->check(CLI::IsMember({"step"}));
    AddFormats(command);
    command->callback([this, over] {
      const auto show = over->empty() ? ShowCurve : ShowStepCurves;
      line_.command = [job = job_, show, format = Format()](Session& session) {
        return show(session, job, format);
      };
    });
  }

  void AddRedundancy() {
    CLI::App* command =
        Add("redundancy",
            "Shows pairs of experts, the closest in function first. Similar "
            "is not dispensable: see docs/quantities.md.",
            "redundancy 17 --layer 3 --top 10");
    AddJob(command, redundancy_.job);
    command->add_option("--layer", redundancy_.layer, "Shows this layer only");
    command->add_option("--top", redundancy_.top, "How many pairs a layer")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->add_flag("--json", redundancy_.json,
                      "Prints JSON instead of a table");
    command->callback([this] {
      line_.command = [view = redundancy_](Session& session) {
        return ShowRedundancy(session, view);
      };
    });
  }

  void AddFetch() {
    CLI::App* command = Add(
        "fetch",
        "Writes a job's arrays.npz, summary.csv and result.json; of a job that "
        "runs, the layers that are done.",
        "fetch 17 --out result");
    AddJob(command);
    command->add_option("--out", directory_, "Directory to write to")
        ->required()
        ->type_name("DIR");
    command->callback([this] {
      line_.command = [job = job_, directory = directory_](Session& session) {
        return FetchFiles(session, job, directory);
      };
    });
  }

  void AddModels() {
    CLI::App* command =
        Add("models",
            "Lists the models that the server can analyse, what of them is in "
            "its memory and who uses them; or changes what is in memory. load "
            "reads a model, so that its first job need not; it stays until the "
            "room is needed. unload lets go of one that no job uses. pin keeps "
            "one until unpin; that takes memory from jobs and is for admins.",
            "models --json\n"
            "         moeprobe-client models load mixtral");
    CLI::Option* action =
        command->add_option("ACTION", action_, "load, unload, pin or unpin")
            ->check(CLI::IsMember({"load", "unload", "pin", "unpin"}));
    CLI::Option* model =
        command->add_option("MODEL", model_, "As `models` lists it");
    action->needs(model);
    AddJson(command);
    command->callback([this] {
      line_.command = [action = action_, model = model_,
                       json = json_](Session& session) {
        return action.empty() ? ListModels(session, json)
                              : ChangeModel(session, action, model);
      };
    });
  }

  void AddJobCommand(const std::string& name, const std::string& description,
                     absl::Status (*run)(Session&, const std::string&)) {
    CLI::App* command = Add(name, description, name + " 17");
    AddJob(command);
    command->callback([this, run] {
      line_.command = [job = job_, run](Session& session) {
        return run(session, job);
      };
    });
  }

  void AddList(const std::string& name, const std::string& description,
               absl::Status (*run)(Session&, bool)) {
    CLI::App* command = Add(name, description, name + " --json");
    AddJson(command);
    command->callback([this, run] {
      line_.command = [json = json_, run](Session& session) {
        return run(session, json);
      };
    });
  }

  CLI::App& app_;
  CommandLine& line_;
  SubmitOptions submit_;
  RedundancyView redundancy_;
  MatrixView matrix_;
  std::string model_;
  std::string action_;
  std::string text_;
  std::string axis_;
  std::string shell_;
  std::string job_;
  std::string directory_;
  std::array<std::string, 2> sides_;
  bool json_ = false;
  bool csv_ = false;
};

}  // namespace

std::variant<CommandLine, int> ParseCommandLine(int argc, char** argv) {
  CommandLine line;
  CLI::App app(kDescription, "moeprobe-client");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  Connection connection(app, line);
  Commands commands(app, line);
  commands.AddAll();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageStatus;
  }
  if (const absl::Status status = connection.Complete(); !status.ok()) {
    std::cerr << status.message() << "\n";
    return kUsageStatus;
  }
  return line;
}

}  // namespace moeprobe
