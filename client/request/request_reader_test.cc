#include "client/request/request_reader.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/printable.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/analysis.pb.h"

// Needs gtest.h before it.
#include "rapidcheck/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The two keys every request needs, on lines 1 and 2.
constexpr std::string_view kHead = "model: m\ndata: {text: t}\n";

std::string ErrorOf(std::string_view text) {
  return std::string(
      ReadRequest(std::string(text), "f.yaml").status().message());
}

std::string ErrorAfterHead(std::string_view rest) {
  return ErrorOf(absl::StrCat(std::string(kHead), std::string(rest)));
}

v1::AnalyzeSpec Read(const std::string& text) {
  const auto request = ReadRequest(text, "f.yaml");
  EXPECT_TRUE(request.ok()) << request.status();
  return request.ok() ? request->job.analyze() : v1::AnalyzeSpec();
}

// A text and how its error starts and goes on.
struct BadText {
  BadText(std::string_view bad, std::string_view start, std::string_view rest)
      : text(bad), prefix(start), part(rest) {}

  std::string_view text;
  std::string_view prefix;
  std::string_view part;
};

void ExpectErrors(const std::vector<BadText>& cases,
                  std::string (*error)(std::string_view)) {
  for (const BadText& bad : cases) {
    const std::string message = error(bad.text);
    EXPECT_THAT(message, StartsWith(std::string(bad.prefix)))
        << bad.text.substr(0, 80);
    EXPECT_THAT(message, HasSubstr(std::string(bad.part)))
        << bad.text.substr(0, 80);
    EXPECT_EQ(message, PrintableLine(message));
  }
}

TEST(ReadRequestTest, ReadsWhoMaySeeIt) {
  for (const char* request :
       {"model: m\ndata: {text: t}\n",
        "kind: train\nvariants: {a: {}}\ndata: {text: t}\n"}) {
    const auto read = ReadRequest(
        absl::StrCat(request, "visibility: private\nshared_with: [bob, eve]\n"),
        "f.yaml");
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->job.visibility(), v1::VISIBILITY_PRIVATE);
    EXPECT_THAT(read->job.shared_with(), testing::ElementsAre("bob", "eve"));
    const auto unsaid = ReadRequest(request, "f.yaml");
    EXPECT_EQ(unsaid->job.visibility(), v1::VISIBILITY_UNSPECIFIED);
  }
}

TEST(ReadRequestTest, ReadsThePriority) {
  for (const char* request :
       {"model: m\ndata: {text: t}\n",
        "kind: train\nvariants: {a: {}}\ndata: {text: t}\n"}) {
    const auto read =
        ReadRequest(absl::StrCat(request, "priority: low\n"), "f.yaml");
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->job.priority(), v1::Job::PRIORITY_LOW);
    EXPECT_EQ(ReadRequest(request, "f.yaml")->job.priority(),
              v1::Job::PRIORITY_UNSPECIFIED);
  }
  ExpectErrors({{"priority: urgent\n",
                 "f.yaml:3:11: priority: ", "low or normal or high"}},
               ErrorAfterHead);
}

TEST(ReadRequestTest, SaysWhatIsWrongWithWhoMaySeeIt) {
  ExpectErrors(
      {{"visibility: secret\n", "f.yaml:3:13: visibility: ", "lab or private"},
       {"shared_with: bob\n", "f.yaml:3:14: shared_with: ", "a list"},
       {"shared_with: [bob, bob]\n",
        "f.yaml:3:20: shared_with[1]: ", "\"bob\" twice"}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, ReadsEveryKey) {
  const v1::AnalyzeSpec spec = Read(R"(
kind: analyze
name: a name
model: mixtral
baseline: llama
data:
  text: text.txt
  tokens: 1024
  sequence_length: 128
  skip_first: 4
layers: [0, 2]
probes:
  routing: {}
  jacobian: {average: [routed, gate], projections: 3, tokens: 0,
             by_tokens: true}
  pca: {conventions: [sample_weighted, all_tokens], components: 3,
        basis: true, angles: false}
  spectra: {tokens_per_expert: 4, top: 12}
  router_term: {tokens: 32, at: first}
  redundancy: {tokens: 0, rank: 64, weights: true}
  interventions: {pairs: 3, kinds: [ablate, replace], tokens: 512}
precision: bfloat16
device: cpu
seed: 7
nll: true
)");
  EXPECT_EQ(spec.name(), "a name");
  EXPECT_EQ(spec.model(), "mixtral");
  EXPECT_EQ(spec.baseline(), "llama");
  ASSERT_EQ(spec.data_size(), 1);
  EXPECT_EQ(spec.data(0).text(), "text.txt");
  EXPECT_EQ(spec.data(0).tokens(), 1024);
  EXPECT_EQ(spec.data(0).sequence_length(), 128);
  EXPECT_EQ(spec.data(0).skip_first(), 4);
  EXPECT_THAT(spec.layers().layers(), testing::ElementsAre(0, 2));
  EXPECT_TRUE(spec.probes().has_routing());
  EXPECT_THAT(spec.probes().jacobian().average(),
              testing::ElementsAre(v1::WEIGHTING_ROUTED, v1::WEIGHTING_GATE));
  EXPECT_EQ(spec.probes().jacobian().projections(), 3);
  EXPECT_TRUE(spec.probes().jacobian().has_tokens());
  EXPECT_TRUE(spec.probes().jacobian().by_tokens());
  EXPECT_THAT(spec.probes().pca().conventions(),
              testing::ElementsAre(v1::CONVENTION_SAMPLE_WEIGHTED,
                                   v1::CONVENTION_ALL_TOKENS));
  EXPECT_EQ(spec.probes().pca().components(), 3);
  EXPECT_TRUE(spec.probes().pca().basis());
  EXPECT_TRUE(spec.probes().pca().has_angles());
  EXPECT_EQ(spec.probes().spectra().tokens_per_expert(), 4);
  EXPECT_EQ(spec.probes().spectra().top(), 12);
  EXPECT_EQ(spec.probes().router_term().tokens(), 32);
  EXPECT_EQ(spec.probes().router_term().at(), v1::TOKEN_PLACEMENT_FIRST);
  EXPECT_TRUE(spec.probes().redundancy().has_tokens());
  EXPECT_EQ(spec.probes().redundancy().rank(), 64);
  EXPECT_TRUE(spec.probes().redundancy().weights());
  EXPECT_EQ(spec.probes().interventions().pairs(), 3);
  EXPECT_THAT(spec.probes().interventions().kinds(),
              testing::ElementsAre(v1::INTERVENTION_KIND_ABLATE,
                                   v1::INTERVENTION_KIND_REPLACE));
  EXPECT_EQ(spec.probes().interventions().tokens(), 512);
  EXPECT_EQ(spec.precision(), v1::PRECISION_BFLOAT16);
  EXPECT_EQ(spec.device(), v1::DEVICE_CPU);
  EXPECT_EQ(spec.seed(), 7);
  EXPECT_TRUE(spec.nll());
}

TEST(ReadRequestTest, LeavesUnsetWhatTheFileLeavesOut) {
  const v1::AnalyzeSpec spec = Read(std::string(kHead));
  EXPECT_FALSE(spec.has_layers());
  EXPECT_FALSE(spec.has_probes());
  EXPECT_FALSE(spec.has_seed());
  EXPECT_FALSE(spec.data(0).has_tokens());
}

TEST(ReadRequestTest, ReadsSeveralDataSetsAndWordsForNumbers) {
  const v1::AnalyzeSpec spec = Read(
      "model: m\ndata:\n- {text: a, tokens: all}\n- ids: b.npy\n"
      "layers: early-middle-late\n"
      "probes: {spectra: {tokens_per_expert: all}}\n");
  ASSERT_EQ(spec.data_size(), 2);
  EXPECT_EQ(spec.data(0).tokens(), -1);
  EXPECT_EQ(spec.data(1).ids(), "b.npy");
  EXPECT_EQ(spec.layers().preset(),
            v1::LayerSelection::PRESET_EARLY_MIDDLE_LATE);
  EXPECT_EQ(spec.probes().spectra().tokens_per_expert(), -1);
  EXPECT_FALSE(spec.probes().spectra().has_top());
}

TEST(ReadRequestTest, TakesTextAsWritten) {
  const v1::AnalyzeSpec spec =
      Read("name: no\nmodel: '010'\ndata: {text: 1_000}\n");
  EXPECT_EQ(spec.name(), "no");
  EXPECT_EQ(spec.model(), "010");
  EXPECT_EQ(spec.data(0).text(), "1_000");
}

TEST(ReadRequestTest, AcceptsOneDocumentInItsMarkers) {
  EXPECT_EQ(
      Read("\xEF\xBB\xBF---\nmodel: m\r\ndata: {text: t}\r\n...\n").model(),
      "m");
}

TEST(ReadRequestTest, RefusesFilesWithoutARequest) {
  ExpectErrors({{"", "f.yaml:1:1: ", "found nothing"},
                {"# only a comment\n", "f.yaml:1:1: ", "found nothing"},
                {"---\n", "f.yaml:", "found null, expected a mapping"},
                {"just text\n", "f.yaml:1:1: ", "found \"just text\""},
                {"- a\n- b\n", "f.yaml:1:1: ", "found a list"},
                {"model: m\n", "f.yaml:1:1: ", "key \"data\" is missing"},
                {"data: {text: t}\n", "f.yaml:1:1: ", "\"model\" is missing"}},
               ErrorOf);
}

TEST(ReadRequestTest, RefusesSeveralDocuments) {
  ExpectErrors({{"---\nseed: 1\n", "f.yaml:3:1: ", "second document"},
                {"---\n", "f.yaml:3:1: ", "second document"},
                {"...\njunk\n", "f.yaml:4:1: ", "second document"},
                {"... junk\n", "f.yaml:3:5: ", "second document"}},
               ErrorAfterHead);
}

TEST(ReadRequestTest, RefusesDuplicateKeys) {
  ExpectErrors(
      {{"seed: 1\nseed: 1\n", "f.yaml:4:1: ", "duplicate key \"seed\""},
       {"\"seed\": 1\nseed: 1\n", "f.yaml:4:1: ", "duplicate key \"seed\""},
       {"probes: {pca: {basis: true, basis: true}}\n",
        "f.yaml:3:29: ", "duplicate key \"basis\""}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, RefusesAnchorsAliasesTagsAndMergeKeys) {
  ExpectErrors(
      {{"x: &x [*x]\n", "f.yaml:3:4: ", "anchors"},
       {"x: &x {a: *x}\n", "f.yaml:3:4: ", "anchors"},
       {"a: &a [0,0,0]\nb: &b [*a,*a,*a]\n", "f.yaml:3:4: ", "anchors"},
       {"seed: *x\n", "f.yaml:3:7: ", "not defined"},
       {"<<: {seed: 1}\n", "f.yaml:3:1: ", "merge keys"},
       {"seed: !!python/object/apply:os.system [x]\n", "f.yaml:3:7: ", "tags"},
       {"name: !!binary aGVsbG8=\n", "f.yaml:3:7: ", "tags"},
       {"name: ! x\n", "f.yaml:3:7: ", "tags"},
       {"!!str name: x\n", "f.yaml:3:1: ", "tags"},
       {"layers: !!seq [1]\n", "f.yaml:3:9: ", "tags"},
       {"probes: !foo {pca: {}}\n", "f.yaml:3:9: ", "tags"}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, RefusesKeysThatAreNotText) {
  ExpectErrors({{"? [1, 2]\n: 3\n", "f.yaml:3:3: ", "expected a key"},
                {"? {a: 1}\n: 3\n", "f.yaml:3:3: ", "expected a key"},
                {"[a]: 1\n", "f.yaml:3:1: ", "expected a key"},
                {"\"\": 1\n", "f.yaml:3:1: ", "expected a key"},
                {"~: 1\n", "f.yaml:3:1: ", "expected a key"}},
               ErrorAfterHead);
}

TEST(ReadRequestTest, RefusesDeepNesting) {
  EXPECT_THAT(ErrorAfterHead(absl::StrCat("layers: ", std::string(20, '['),
                                          std::string(20, ']'), "\n")),
              StartsWith("f.yaml:3:24: more than 16 levels"));
  EXPECT_THAT(ErrorOf(std::string(100000, '[')), StartsWith("f.yaml:1:"));
  std::string maps, indented;
  for (int level = 0; level < 20; ++level) maps += "{a: ";
  maps += std::string(20, '}');
  for (int level = 0; level < 1000; ++level) {
    indented += std::string(static_cast<size_t>(level), ' ') + "a:\n";
  }
  EXPECT_THAT(ErrorOf(maps), HasSubstr("16 levels"));
  EXPECT_THAT(ErrorOf(indented), StartsWith("f.yaml:17:17: more than 16"));
}

TEST(ReadRequestTest, RefusesBytesThatAreNotPlainUtf8) {
  using std::string_view_literals::operator""sv;
  ExpectErrors({{"name: a\0b\n"sv, "f.yaml:1:8: ", "U+0000"},
                {"name: \x1B[2J\n", "f.yaml:1:7: ", "U+001B"},
                {"name: \xC2\x9B\n", "f.yaml:1:7: ", "U+009B"},
                {"# \xE2\x80\xAE\n", "f.yaml:1:3: ", "U+202E"},
                {"name: \xFF\n", "f.yaml:1:7: ", "0xFF, expected UTF-8"},
                {"name: \xC0\x80\n", "f.yaml:1:7: ", "0xC0, expected UTF-8"},
                {"\xC3\xA9: \xED\xA0\x80\n", "f.yaml:1:4: ", "0xED"},
                {"\xFF\xFEm\0o\0"sv, "f.yaml:1:1: ", "UTF-16"},
                {"\xFE\xFF\0m"sv, "f.yaml:1:1: ", "UTF-16"},
                {"\0\0\xFE\xFF"sv, "f.yaml:1:1: ", "UTF-32"}},
               ErrorOf);
}

TEST(ReadRequestTest, CountsColumnsInCharacters) {
  EXPECT_THAT(ErrorAfterHead("probes: {\"\u00E9\u00E9\": 1, \u00E8: 2}\n"),
              StartsWith("f.yaml:3:10: unknown key"));
  EXPECT_THAT(ErrorAfterHead("name: {\u00E9: 1, \u00E9: 2}\n"),
              StartsWith("f.yaml:3:14: duplicate key"));
}

TEST(ReadRequestTest, RefusesTabsThatIndent) {
  ExpectErrors({{"\tseed: 1\n", "f.yaml:3:1: ", "found a tab"},
                {"probes:\n\tpca: {}\n", "f.yaml:4:1: ", "found a tab"},
                {"probes:\n  \tpca: {}\n", "f.yaml:4:3: ", "found a tab"}},
               ErrorAfterHead);
}

TEST(ReadRequestTest, RefusesDirectives) {
  ExpectErrors({{"%YAML 1.1\n---\nseed: 1\n", "f.yaml:1:1: ", "directives"},
                {"%TAG ! !x\n---\nseed: 1\n", "f.yaml:1:1: ", "directives"}},
               ErrorOf);
}

TEST(ReadRequestTest, RefusesWhatIsTooLarge) {
  EXPECT_THAT(ErrorOf(absl::StrCat("name: ", std::string(1 << 20, 'x'))),
              StartsWith("f.yaml:1:1: the file is larger than 1 MiB"));
  std::string layers = "layers: [";
  for (int i = 0; i < 100000; ++i) layers += "1,";
  EXPECT_THAT(ErrorOf(layers + "1]\n"), HasSubstr("65536 values"));
  EXPECT_THAT(ErrorAfterHead(absl::StrCat("name: ", std::string(10240, 'x'))),
              StartsWith("f.yaml:3:7: name: found 10240 characters"));
}

TEST(ReadRequestTest, RefusesTextThatIsNotYaml) {
  ExpectErrors({{"layers: [1, 2\n", "f.yaml:", "end of sequence"},
                {"name: \"never closed\n", "f.yaml:3:7: ", "never closed"},
                {"name: 'it''s\n", "f.yaml:3:7: ", "never closed"},
                {"name: b: c\n", "f.yaml:3:8: ", "not YAML"},
                {"}\n", "f.yaml:3:1: ", "not YAML"},
                {"name: @x\n", "f.yaml:3:7: ", "not YAML"},
                {"name: \"\\\r\"\n", "f.yaml:3:10: ", "escape character: "},
                {"name: \"\\é\"\n", "f.yaml:3:10: ", "escape character: "}},
               ErrorAfterHead);
}

TEST(ReadRequestTest, ReadsNumbersInPlainDecimalOnly) {
  ExpectErrors(
      {{"seed: 010\n", "f.yaml:3:7: ", "seed: found \"010\""},
       {"seed: 0x1F\n", "f.yaml:3:7: ", "plain decimal digits"},
       {"seed: 0o17\n", "f.yaml:3:7: ", "plain decimal digits"},
       {"seed: 1_000\n", "f.yaml:3:7: ", "plain decimal digits"},
       {"seed: 1e3\n", "f.yaml:3:7: ", "plain decimal digits"},
       {"seed: 1e999\n", "f.yaml:3:7: ", "plain decimal digits"},
       {"seed: 1.0\n", "f.yaml:3:7: ", "plain decimal digits"},
       {"seed: +1\n", "f.yaml:3:7: ", "plain decimal digits"},
       {"seed: .nan\n", "f.yaml:3:7: ", "expected an integer"},
       {"seed: 1 2\n", "f.yaml:3:7: ", "plain decimal digits"},
       {"seed: many\n", "f.yaml:3:7: ", "expected an integer of at least 0"},
       {"seed: -1\n", "f.yaml:3:7: ", "expected an integer of at least 0"},
       {"seed: 99999999999999999999\n", "f.yaml:3:7: ", "expected an integer"},
       {"seed: \"5\"\n", "f.yaml:3:7: ", "the text \"5\" in quotes"},
       {"seed: yes\n", "f.yaml:3:7: ", "found \"yes\""},
       {"seed: ~\n", "f.yaml:3:1: ", "found null"},
       {"seed:\n\n\n", "f.yaml:3:1: ", "found null"},
       {"seed: [1]\n", "f.yaml:3:7: ", "found a list"},
       {"seed: {a: 1}\n", "f.yaml:3:7: ", "found a mapping"}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, ReadsBooleansAsTrueAndFalseOnly) {
  ExpectErrors({{"nll: yes\n", "f.yaml:3:6: ", "write true"},
                {"nll: no\n", "f.yaml:3:6: ", "write false"},
                {"nll: True\n", "f.yaml:3:6: ", "write true"},
                {"nll: off\n", "f.yaml:3:6: ", "write false"},
                {"nll: 1\n", "f.yaml:3:6: ", "found \"1\", expected true or"},
                {"nll: \"true\"\n", "f.yaml:3:6: ", "without quotes"},
                {"nll: ~\n", "f.yaml:3:1: ", "found null"}},
               ErrorAfterHead);
}

TEST(ReadRequestTest, NamesTheKeyThatWasProbablyMeant) {
  ExpectErrors(
      {{"sed: 1\n", "f.yaml:3:1: ", "did you mean \"seed\"?"},
       {"layer: [1]\n", "f.yaml:3:1: ", "did you mean \"layers\"?"},
       {"output: ../../etc/x\n", "f.yaml:3:1: ", "unknown key \"output\""},
       {"probes: {pca: {convention: [routed]}}\n",
        "f.yaml:3:16: ", "in probes.pca; did you mean \"conventions\"?"}},
      ErrorAfterHead);
  EXPECT_EQ(ErrorOf("model: m\ndata:\n  text: t\n  tokns: 5\n"),
            "f.yaml:4:3: unknown key \"tokns\" in data; did you mean "
            "\"tokens\"?");
  EXPECT_THAT(ErrorOf("data:\n- {text: t}\n- {txt: t}\nmodel: m\n"),
              StartsWith("f.yaml:3:4: unknown key \"txt\" in data[1]; did"));
}

TEST(ReadRequestTest, RefusesWrongTypes) {
  ExpectErrors(
      {{"name: [a]\n", "f.yaml:3:7: ", "found a list, expected text"},
       {"name: ~\n", "f.yaml:3:1: ", "found null, expected text"},
       {"name: \"\"\n", "f.yaml:3:7: ", "expected text"},
       {"probes: [pca]\n", "f.yaml:3:9: ", "found a list, expected a mapping"},
       {"probes:\n", "f.yaml:3:1: ", "write {}"},
       {"probes: {}\n", "f.yaml:3:9: ", "found no probe"},
       {"probes: {pca:}\n", "f.yaml:3:10: ", "write {}"},
       {"probes: {pca: true}\n", "f.yaml:3:15: ", "found \"true\""},
       {"probes: {routing: {top: 1}}\n", "f.yaml:3:20: ", "in probes.routing"},
       {"probes: {jacobian: {average: routed}}\n",
        "f.yaml:3:30: ", "expected a list"},
       {"probes: {jacobian: {average: []}}\n", "f.yaml:3:30: ", "empty list"},
       {"probes: {jacobian: {average: [gates]}}\n", "f.yaml:3:31: ",
        "average[0]: found \"gates\", expected all or routed "
        "or gate; did you mean gate?"},
       {"probes: {jacobian: {average: [gate, gate]}}\n",
        "f.yaml:3:37: ", "twice"},
       {"probes: {jacobian: {projections: -1}}\n",
        "f.yaml:3:34: ", "from 0 to"},
       {"probes: {jacobian: {tokens: all}}\n",
        "f.yaml:3:29: ", "an integer of at least 0"},
       {"probes: {pca: {components: 0}}\n", "f.yaml:3:28: ", "from 1 to"},
       {"probes: {spectra: {top: 0}}\n", "f.yaml:3:25: ", "from 1 to"},
       {"probes: {spectra: {tokens_per_expert: most}}\n",
        "f.yaml:3:39: ", "an integer of at least 1, or all"},
       {"probes: {spectra: {tokens: 4}}\n", "f.yaml:3:20: ", "unknown key"},
       {"probes: {router_term: {tokens: 0}}\n", "f.yaml:3:32: ", "at least 1"},
       {"probes: {interventions: {kinds: [merge]}}\n",
        "f.yaml:3:34: ", "expected average or replace or ablate"},
       {"probes: {redundancy: {rank: 0}}\n", "f.yaml:3:29: ", "from 1 to"},
       {"probes: {router_term: {at: frist}}\n",
        "f.yaml:3:28: ", "spread or first; did you mean first?"},
       {"precision: float64\n", "f.yaml:3:12: ", "float32 or bfloat16"},
       {"precision: unspecified\n", "f.yaml:3:12: ", "float32 or bfloat16"},
       {"device: gpu\n", "f.yaml:3:9: ", "auto or cpu or cuda"}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, RefusesWrongLayers) {
  ExpectErrors(
      {{"layers: [5, 3]\n", "f.yaml:3:13: ", "layers[1]: found 3 after 5"},
       {"layers: [3, 3]\n", "f.yaml:3:13: ", "without duplicates"},
       {"layers: [-1]\n", "f.yaml:3:10: ", "layers[0]: found \"-1\""},
       {"layers: [2147483648]\n", "f.yaml:3:10: ", "from 0 to 2147483647"},
       {"layers: [1-5]\n", "f.yaml:3:10: ", "plain decimal digits"},
       {"layers: []\n", "f.yaml:3:9: ", "empty list"},
       {"layers: 3\n", "f.yaml:3:9: ", "or a list such as [3, 16, 29]"},
       {"layers: late\n", "f.yaml:3:9: ", "expected all, early-middle-late"}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, RefusesWrongDataSets) {
  ExpectErrors(
      {{"model: m\ndata: {tokens: 5}\n", "f.yaml:2:7: ", "neither text nor"},
       {"model: m\ndata: {text: a, ids: b}\n", "f.yaml:2:7: ", "both text and"},
       {"model: m\ndata: []\n", "f.yaml:2:7: ", "empty list"},
       {"model: m\ndata: a.txt\n", "f.yaml:2:7: ", "a mapping with text"},
       {"model: m\ndata: [a.txt]\n",
        "f.yaml:2:8: ", "data[0]: found \"a.txt\""},
       {"model: m\ndata: {text: a, tokens: most}\n",
        "f.yaml:2:25: ", "an integer of at least 1, or all"},
       {"model: m\ndata: {text: a, tokens: 0}\n",
        "f.yaml:2:25: ", "found \"0\""},
       {"model: m\ndata: {text: ~/a.txt}\n", "f.yaml:2:14: ", "not expanded"},
       {"model: m\ndata: {text: $HOME/a}\n", "f.yaml:2:14: ", "not expanded"},
       {"model: m\ndata: {ids: 'file:///a'}\n",
        "f.yaml:2:13: ", "not expanded"}},
      ErrorOf);
}

TEST(ReadRequestTest, RefusesControlCharactersThatEscapesMake) {
  ExpectErrors({{"name: \"a\\eb\"\n", "f.yaml:3:7: ", "control characters"},
                {"name: \"two\\nlines\"\n", "f.yaml:3:7: ", "of one line"},
                {"model: |\n  two\n  lines\n", "f.yaml:3:1: ", "duplicate"}},
               ErrorAfterHead);
  EXPECT_EQ(Read("model: <b>=cmd\ndata: {text: t}\n").model(), "<b>=cmd");
}

TEST(ReadRequestTest, KnowsTwoKinds) {
  ExpectErrors(
      {{"kind: analyse\n", "f.yaml:3:7: ", "expected analyze or train"},
       {"kind: [train]\n", "f.yaml:3:7: ", "expected analyze or train"}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, ReadsRouting) {
  const std::string head = "model: m\ndata: {text: t}\n";
  EXPECT_FALSE(Read(head).has_routing());
  const v1::RoutingSpec routing =
      Read(head +
           "routing: {select: top_k, top_k: 4, temperature: 0.25, "
           "normalize: always, forward: own}\n")
          .routing();
  EXPECT_EQ(routing.select(), v1::ROUTING_SELECTION_TOP_K);
  EXPECT_EQ(routing.top_k(), 4);
  EXPECT_EQ(routing.temperature(), 0.25);
  EXPECT_EQ(routing.normalize(), v1::GATE_NORMALIZATION_ALWAYS);
  EXPECT_EQ(routing.forward(), v1::FORWARD_GATES_OWN);
  for (const char* number : {"4", "4.0", "40e-1", "0.4E+1"}) {
    EXPECT_EQ(Read(head + "routing: {temperature: " + number + "}\n")
                  .routing()
                  .temperature(),
              4);
  }
}

TEST(ReadRequestTest, RefusesRoutingThatIsNone) {
  ExpectErrors(
      {{"routing: {select: soft}\n",
        "f.yaml:3:19: ", "found \"soft\", expected top_k or all"},
       {"routing: {topk: 4}\n",
        "f.yaml:3:11: ", "unknown key \"topk\" in routing; did you mean"},
       {"routing: {top_k: 0}\n", "f.yaml:3:18: ", "an integer"},
       {"routing: {top_k: 2.0}\n", "f.yaml:3:18: ", "plain decimal digits"},
       {"routing: {select: all, top_k: 2}\n",
        "f.yaml:3:24: ", "routing.top_k has no meaning where select is all"},
       {"routing: {temperature: 0}\n", "f.yaml:3:24: ", "a number above 0"},
       {"routing: {temperature: -1}\n", "f.yaml:3:24: ", "a number above 0"},
       {"routing: {temperature: .inf}\n", "f.yaml:3:24: ", "a number above 0"},
       {"routing: {temperature: nan}\n", "f.yaml:3:24: ", "a number above 0"},
       {"routing: {temperature: 1e999}\n", "f.yaml:3:24: ", "a number above 0"},
       {"routing: {temperature: '1'}\n", "f.yaml:3:24: ", "in quotes"},
       {"routing: {temperature: 0x1p2}\n", "f.yaml:3:24: ", "decimal digits"},
       {"routing: {temperature: 1_0}\n", "f.yaml:3:24: ", "decimal digits"},
       {"routing: {temperature: .5}\n", "f.yaml:3:24: ", "decimal digits"},
       {"routing: {normalize: never}\n", "f.yaml:3:22: ", "model or always"},
       {"routing: {forward: new}\n", "f.yaml:3:20: ", "changed or own"},
       {"routing: soft\n", "f.yaml:3:10: ", "expected a mapping"}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, ReadsSweeps) {
  const v1::AnalyzeSpec spec = Read(
      "model: m\ndata: {text: t}\n"
      "sweep:\n"
      "  routing.temperature: [0.25, 5e-1, 1, 2.0]\n"
      "  data.tokens: [1024, all]\n"
      "  precision: [float32, bfloat16]\n");
  ASSERT_EQ(spec.sweep_size(), 3);
  EXPECT_EQ(spec.sweep(0).field(), "routing.temperature");
  EXPECT_THAT(spec.sweep(0).values(),
              testing::ElementsAre("0.25", "0.5", "1.0", "2.0"));
  EXPECT_THAT(spec.sweep(1).values(), testing::ElementsAre("1024", "all"));
  EXPECT_THAT(spec.sweep(2).values(),
              testing::ElementsAre("float32", "bfloat16"));
}

TEST(ReadRequestTest, RefusesSweepsOfWhatIsNone) {
  ExpectErrors(
      {{"sweep: []\n", "f.yaml:3:8: ", "expected a mapping"},
       {"sweep: {}\n", "f.yaml:3:8: ", "expected one such as"},
       {"sweep: {routing.temprature: [1]}\n", "f.yaml:3:9: ",
        "unknown key \"routing.temprature\" in sweep; did you mean "
        "\"routing.temperature\"?"},
       {"sweep: {model: [m, n]}\n", "f.yaml:3:9: ", "unknown key \"model\""},
       {"sweep: {device: [cpu]}\n", "f.yaml:3:9: ", "unknown key \"device\""},
       {"sweep: {seed: 1}\n", "f.yaml:3:15: ", "expected a list"},
       {"sweep: {seed: []}\n", "f.yaml:3:15: ", "an empty list"},
       {"sweep: {seed: [1, 1]}\n", "f.yaml:3:19: ", "found 1 twice"},
       {"sweep: {routing.temperature: [1, 10e-1]}\n",
        "f.yaml:3:34: ", "found 1.0 twice"},
       {"sweep: {seed: [1, x]}\n",
        "f.yaml:3:19: ", "sweep.seed[1]: found \"x\", expected an integer"},
       {"sweep: {seed: ['1']}\n", "f.yaml:3:16: ", "without quotes"},
       {"sweep: {routing.select: [top_k, soft]}\n",
        "f.yaml:3:33: ", "expected top_k or all"},
       {"sweep: {precision: [float16]}\n",
        "f.yaml:3:21: ", "expected float32 or bfloat16"}},
      ErrorAfterHead);
}

TEST(ReadRequestTest, ReadsNulls) {
  const std::string head = "model: m\ndata: {text: t}\n";
  EXPECT_FALSE(Read(head).has_nulls());
  EXPECT_TRUE(Read(head + "nulls: {}\n").has_nulls());
  const v1::NullSpec nulls =
      Read(head +
           "nulls: {random_router: 0, permutations: 9, random_weights: 5, "
           "bootstrap: 50, keep_draws: true}\n")
          .nulls();
  EXPECT_TRUE(nulls.has_random_router());
  EXPECT_EQ(nulls.random_router(), 0);
  EXPECT_EQ(nulls.permutations(), 9);
  EXPECT_EQ(nulls.random_weights(), 5);
  EXPECT_EQ(nulls.bootstrap(), 50);
  EXPECT_TRUE(nulls.keep_draws());
  ExpectErrors(
      {{"nulls: {bootstrap: 10000}\n",
        "f.yaml:3:20: ", "an integer from 0 to 9999"},
       {"nulls: {random_routers: 9}\n",
        "f.yaml:3:9: ", "did you mean \"random_router\"?"},
       {"nulls: {keep_draws: yes}\n", "f.yaml:3:21: ", "true or false"}},
      ErrorAfterHead);
}

TEST(RequestTest, FindsThePlaceOfWhatTheServerComplainsAbout) {
  const auto one = ReadRequest("model: m\ndata: {text: t, tokens: 5}\n", "f");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->ErrorAt("data[0].tokens", "too few").message(),
            "f:2:25: data[0].tokens: too few");
  EXPECT_EQ(one->ErrorAt("data[0].skip_first", "x").message(),
            "f:2:7: data[0].skip_first: x");
  EXPECT_EQ(one->ErrorAt("layers[2]", "x").message(), "f:1:1: layers[2]: x");
  const auto swept = ReadRequest(
      "model: m\ndata: {text: t}\nsweep: {seed: [1], routing.top_k: [1, 9]}\n",
      "f");
  ASSERT_TRUE(swept.ok());
  EXPECT_EQ(swept->ErrorAt("sweep.routing.top_k[1]", "too many").message(),
            "f:3:39: sweep.routing.top_k[1]: too many");
  EXPECT_EQ(swept->ErrorAt("sweep.routing.top_k", "x").message(),
            "f:3:35: sweep.routing.top_k: x");
  EXPECT_EQ(swept->ErrorAt("sweep", "x").message(), "f:3:8: sweep: x");
  EXPECT_EQ(swept->ErrorAt("data[", "x").message(), "f:2:7: data[: x");
  const auto two = ReadRequest("model: m\ndata:\n- ids: a\n- ids: b\n", "f");
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(two->ErrorAt("data[1].ids", "x").message(),
            "f:4:8: data[1].ids: x");
  EXPECT_EQ(two->ErrorAt("data[7].ids", "x").message(),
            "f:3:1: data[7].ids: x");
}

RC_GTEST_PROP(ReadRequestTest, NeverThrows, (const std::string& text)) {
  (void)ReadRequest(text, "f");
}

// Random text is rarely YAML; random strings of its signs often are.
RC_GTEST_PROP(ReadRequestTest, NeverThrowsOnSignsOfYaml, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>(
          "model", "data", "text", ": ", ":", "- ", "-", "\n", "  ", " ", "{",
          "}", "[", "]", ", ", "\"", "'", "|", ">", "&a", "*a", "!", "!!str ",
          "#", "? ", "%", "---\n", "...\n", "<<", "~", "\\", "@", "`", "x",
          "\t", "\r\n", "\u00E9"));
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  (void)ReadRequest(text, "f");
}

}  // namespace
}  // namespace moeprobe
